"""What clients are measured with: nginx that shows the challenges on port 80, and pebble, asked without the relay that tests/machine
puts before it. Every name leads here.
"""

import contextlib
import http.client
import os
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from machine import Pebble, processes

from .namespaces import STATE

WEBROOT = STATE / "acme/webroot"
CHALLENGES = WEBROOT / ".well-known/acme-challenge"

_NGINX = """daemon off; user root; worker_processes 1; pid {place}/nginx.pid; error_log {place}/nginx-error.log;
events {{}}
http {{
    access_log off;
    server {{
        listen 80 default_server;
        location ^~ /.well-known/acme-challenge/ {{ root {webroot}; }}
        location = /connections {{ stub_status; }}
    }}
}}
"""


@dataclass(frozen=True)
class Cost:
    """What one run of a client cost."""

    exit_code: int
    wall: float    # seconds
    cpu: float     # seconds, of all its processes
    memory: float  # MiB, of its largest process
    requests: list[str]  # "METHOD /path"
    connections: int
    output: str
    succeeded: bool = False

    @property
    def fetched_a_certificate(self) -> bool:
        return any("/certZ/" in request for request in self.requests)


class Lab:
    """nginx and a pebble, from `with` to the end of the block. For Pebble it looks like a machine."""

    address = "127.0.0.1"

    def __init__(self, place: Path, *, nonce_reject: int = 0, environment: dict[str, str] | None = None):
        """`environment`: pebble's. Without one it neither sleeps nor uses authorizations again."""
        environment = {"PEBBLE_AUTHZREUSE": "0"} if environment is None else environment
        self.place, self._options = place, {"nonce_reject": nonce_reject, "environment": environment}

    def __enter__(self) -> "Lab":
        self._undo = contextlib.ExitStack()
        try:
            self.directory = Path(tempfile.mkdtemp(prefix="lab-", dir=self.place))
            self._undo.callback(shutil.rmtree, self.directory, True)
            CHALLENGES.mkdir(parents=True, exist_ok=True)
            self._start_nginx()
            self.pebble = Pebble(self, **self._options)
            self._trust(Path(self.pebble.ca_file))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_) -> None:
        self._undo.close()

    # --- what Pebble asks of a machine ---

    def on_exit(self, action, *arguments) -> None:
        self._undo.callback(action, *arguments)

    def popen_beside(self, argv: list[str], **options) -> subprocess.Popen:
        process = processes.start(argv, **options)
        self.on_exit(processes.stop, process)
        return process

    def send(self, file: Path, path: str) -> None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, path)

    # --- measuring ---

    def measure(self, argv: list[str], environment: dict[str, str], timeout: float) -> Cost:
        """Runs a client to its end. One that is not done in time counts as failed, with 124 as timeout(1) has it."""
        os.sync()  # what the one before left unwritten is not for this one to wait for
        figures, output = self.directory / "cost", self.directory / "output"
        figures.unlink(missing_ok=True)
        requests, connections = len(self.pebble.requests()), self._count_connections()
        with open(output, "w") as file:
            process = processes.start([str(self.place / "measure"), str(figures), *argv], env=environment,
                                      stdin=subprocess.DEVNULL, stdout=file, stderr=file)
            try:
                process.wait(timeout)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                figures.write_text(f"124 {timeout * 1e6:.0f} 0 0\n")
        code, wall, cpu, memory = map(int, figures.read_text().split())
        return Cost(code, wall / 1e6, cpu / 1e6, memory / 1024, self.pebble.requests()[requests:],
                    self._count_connections() - connections, output.read_text(errors="replace"))

    def _count_connections(self) -> int:
        """TCP connections accepted in this network, less those that nginx had: those to pebble."""
        with contextlib.closing(http.client.HTTPConnection(self.address, timeout=10)) as nginx:
            nginx.request("GET", "/connections")
            status = nginx.getresponse().read().decode().splitlines()  # in both counts there is this one, too
        lines = [line.split() for line in Path("/proc/self/net/snmp").read_text().splitlines() if line.startswith("Tcp:")]
        accepted = int(dict(zip(*lines))["PassiveOpens"])
        return accepted - int(status[2].split()[0])

    # --- making it ---

    def _start_nginx(self) -> None:
        config = self.directory / "nginx.conf"
        config.write_text(_NGINX.format(place=self.directory, webroot=WEBROOT))
        log = self.directory / "nginx-error.log"
        with open(log, "ab") as output:
            nginx = self.popen_beside(["nginx", "-c", str(config), "-e", str(log)], stdin=subprocess.DEVNULL, stdout=output,
                                      stderr=output)

        def is_up() -> bool:
            if nginx.poll() is not None:
                raise RuntimeError(f"nginx: {log.read_text()}")
            return (self.directory / "nginx.pid").exists()

        processes.wait_until("nginx", is_up)

    def _trust(self, root: Path) -> None:
        """Makes the root one of the system's."""
        local = self.directory / "trusted"
        hooks = self.directory / "hooks"
        local.mkdir()
        hooks.mkdir()
        shutil.copy(root, local / f"{self.directory.name}.crt")
        processes.run(["update-ca-certificates", "--fresh", "--localcertsdir", str(local), "--hooksdir", str(hooks)])
