"""The fronts: the product's own site in the machine's nginx, and its peers beside it, each on a port of its own.

All are services of the machine's systemd on one processor, which they have to themselves; the application, its database and
who puts load on them have the others.
"""

import contextlib
import sys
from pathlib import Path
from typing import Iterator

from machine import Machine, processes

CONFIGURATION = "/srv/bench"
LIVE = "/var/lib/commento-stack/tls/live"
FILES = 65536  # descriptors that each front may have
FORMER = f"{CONFIGURATION}/rsa-4096"  # a pair as the replaced set-up had it

# The replaced set-up's site, written out from its description, with what certbot recommends for TLS, in a main part like the one of
# Debian's package: workers, connections and an access log are the same for both.
_REPLACED = """daemon off; user www-data; worker_processes auto;
pid /run/bench-replaced.pid; error_log /var/log/nginx/replaced-error.log;
events {{ worker_connections 768; }}
http {{
    sendfile on; tcp_nopush on; types_hash_max_size 2048;
    include /etc/nginx/mime.types; default_type application/octet-stream;
    access_log /var/log/nginx/replaced.log;
    server {{
        listen {port} ssl; listen [::]:{port} ssl;
        server_name {domain};
        ssl_certificate {certificate}/fullchain.pem;
        ssl_certificate_key {certificate}/privkey.pem;
        ssl_session_cache shared:replaced:10m;
        ssl_session_timeout 1d;
        ssl_session_tickets off;
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_prefer_server_ciphers off;
        ssl_ciphers {ciphers};
        ssl_dhparam {place}/dhparams.pem;
        location / {{
            proxy_pass http://127.0.0.1:{application};
            proxy_set_header Host $host;
            proxy_set_header X-Real-IP $remote_addr;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        }}
    }}
}}
"""
_CIPHERS = ":".join(f"{exchange}-{cipher}" for cipher in ("AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305")
                    for exchange in ("ECDHE-ECDSA", "ECDHE-RSA", "DHE-RSA"))

# Only its redirect is off: port 80 is taken.
_CADDY = """{{
    auto_https disable_redirects
}}
{domain}:{port} {{
    tls {certificate}/fullchain.pem {certificate}/privkey.pem
    reverse_proxy 127.0.0.1:{application}
}}
"""

# In the place of the application: its answers as little work as can be.
_FIXED = """daemon off; user root; worker_processes 1; pid /run/bench-fixed.pid; error_log /var/log/nginx/fixed-error.log;
events {{ worker_connections 4096; }}
http {{
    access_log off; keepalive_requests 100000000; client_body_buffer_size 64k; sendfile on;
    open_file_cache max=16; etag off; if_modified_since off;
    default_type text/plain;
    types {{ text/javascript js; text/css css; font/woff2 woff2; }}
    server {{
        listen 127.0.0.1:{application};
        root {place}/recorded;
        add_header Last-Modified "";
        error_page 405 =200 $uri;
        location = /api/comment/count {{ return 200 '{{"commentCounts":{{"/long":1000}},"success":true}}'; }}
    }}
}}
"""


class Front:
    """One front: a running unit of the machine."""

    def __init__(self, name: str, title: str, machine: Machine, unit: str, domain: str, port: int):
        self.name, self.title, self.domain, self.port = name, title, domain, port
        self._machine, self.unit = machine, unit

    @property
    def url(self) -> str:
        return f"https://{self.domain}{'' if self.port == 443 else f':{self.port}'}"

    def start(self) -> None:
        self._machine.run(["systemctl", "reset-failed", self.unit], check=False)
        self._machine.run(["systemctl", "start", self.unit])

    def stop(self) -> None:
        self._machine.run(["systemctl", "stop", self.unit])

    def restart(self) -> None:
        self.stop()
        self.start()

    def cpu(self) -> float:
        """Seconds of processor time that its processes have had, those that ended included."""
        return cpu_of(self._group)

    def memory(self) -> float:
        """MiB: the sum of its processes' proportional set sizes."""
        total = 0
        for process in (self._group / "cgroup.procs").read_text().split():
            lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
            total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        return total / 1024

    @property
    def _group(self) -> Path:
        return control_groups(self._machine) / "system.slice" / self.unit


def control_groups(machine: Machine) -> Path:
    """The machine's control groups, as this host sees them."""
    return Path(f"/proc/{machine.first_process}/root/sys/fs/cgroup")


def cpu_of(group: Path) -> float:
    counters = dict(line.split() for line in (group / "cpu.stat").read_text().splitlines())
    return int(counters["usage_usec"]) / 1e6


class Commento(Front):
    """The product's own site."""

    def __init__(self, machine: Machine, domain: str):
        super().__init__("commento", "commento-stack", machine, "nginx.service", domain, 443)


class _Peer(Front):
    """Runs as a unit that lasts as long as the machine."""

    def _set_up(self, command: list[str], processor: int) -> None:
        unit = (f"[Service]\nExecStart={' '.join(command)}\nCPUAffinity={processor}\nLimitNOFILE={FILES}\n"
                "Environment=HOME=/root\n")
        self._machine.write(f"/etc/systemd/system/{self.unit}", unit)
        self._machine.run(["systemctl", "daemon-reload"])
        self.start()


class Replaced(_Peer):
    def __init__(self, machine: Machine, domain: str, application: int, processor: int):
        super().__init__("replaced", "replaced set-up", machine, "bench-replaced.service", domain, 8443)
        # What certbot ships is this very group (RFC 7919).
        machine.run(["openssl", "genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt", "group:ffdhe2048", "-out",
                     f"{CONFIGURATION}/dhparams.pem"])
        machine.write(f"{CONFIGURATION}/replaced.conf",
                      _REPLACED.format(port=self.port, domain=domain, certificate=FORMER, ciphers=_CIPHERS, place=CONFIGURATION,
                                       application=application))
        self._set_up(_nginx("replaced"), processor)


class Caddy(_Peer):
    """With the very pair that the product serves."""

    def __init__(self, machine: Machine, domain: str, application: int, processor: int):
        super().__init__("caddy", "Caddy", machine, "bench-caddy.service", domain, 8444)
        machine.send(Path("/usr/bin/caddy"), "/usr/local/bin/caddy", 0o755)
        machine.write(f"{CONFIGURATION}/Caddyfile", _CADDY.format(port=self.port, domain=domain, application=application,
                                                                  certificate=LIVE))
        self._set_up(["/usr/local/bin/caddy", "run", "--config", f"{CONFIGURATION}/Caddyfile"], processor)


class FixedUpstream:
    """nginx with the application's answers, recorded, on the application's port, from `with` to the end of the block."""

    def __init__(self, machine: Machine, application: int, files: tuple[str, ...], list_body: str):
        self._machine = machine
        machine.write(f"{CONFIGURATION}/fixed.conf", _FIXED.format(application=application, place=CONFIGURATION))
        for path in files:
            self._record(application, path)
        self._record(application, "/api/comment/list", "--data-raw", list_body)

    def __enter__(self) -> None:
        self._machine.run(["systemctl", "stop", "commento.service"])
        self._machine.run(["systemd-run", "--quiet", "--unit=bench-fixed", "--collect", *_nginx("fixed")])
        processes.wait_until("the fixed upstream", lambda: self._machine.exists("/run/bench-fixed.pid"))

    def __exit__(self, *_) -> None:
        self._machine.run(["systemctl", "stop", "bench-fixed"])
        self._machine.run(["systemctl", "start", "commento.service"], timeout=120)

    def _record(self, application: int, path: str, *options: str) -> None:
        self._machine.run(["curl", "--silent", "--show-error", "--fail", "--create-dirs", "--output",
                           f"{CONFIGURATION}/recorded{path}", *options, f"http://127.0.0.1:{application}{path}"])


@contextlib.contextmanager
def idle_upstream(machine: Machine, application: int) -> Iterator[None]:
    """What takes any number of WebSockets, on the application's port, until the end of the block."""
    machine.run(["systemctl", "stop", "commento.service"])
    program = Path(__file__).with_name("sockets.py")
    process = machine.popen_beside([sys.executable, "-B", str(program), str(application)])
    try:
        processes.wait_until("the idle upstream", lambda: machine.run(["ss", "--listening", "--tcp", "--no-header", "--numeric",
                                                                       f"sport = :{application}"]).stdout)
        yield
    finally:
        processes.stop(process)
        machine.run(["systemctl", "start", "commento.service"], timeout=120)


def _nginx(name: str) -> list[str]:
    return ["/usr/sbin/nginx", "-c", f"{CONFIGURATION}/{name}.conf", "-e", f"/var/log/nginx/{name}-error.log"]
