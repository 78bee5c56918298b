"""Certificate authorities for a machine: pebble, the real one for tests, and one that fails as it is told.

Both run on this host but in the machine's network, where the machine reaches them as localhost and they reach the
machine's port 80. They stay up while the machine reboots.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

from . import processes
from .machine import Machine


class Pebble:
    """pebble with pebble-challtestsrv as its DNS, started.

    directory   the address to write into ACME_DIRECTORY
    direct      the same without the relay that makes `stop` and `fall_silent` possible: for who measures
    ca_file     the file inside the machine to write into ACME_CA_FILE
    root()      the root of what it issues, to verify the site with
    """

    directory = "https://localhost:14000/dir"
    direct = "https://localhost:14001/dir"

    _PORT, _BEHIND, _MANAGEMENT, _DNS = 14000, 14001, 15000, 8053

    def __init__(self, machine: Machine, *, nonce_reject: int = 0, validity: int | None = None,
                 ipv4: str = "127.0.0.1", ipv6: str = "", environment: dict[str, str] | None = None):
        """`nonce_reject`: percent of good nonces that it refuses. `validity`: seconds that certificates last.
        `ipv4`, `ipv6`: where every name leads to; "" for no address of that kind."""
        self._machine = machine
        self._directory = _new_directory(machine)
        self._ca = _make_identity(self._directory, machine.address)
        self.ca_file = _give_ca_file(machine, self._ca, "pebble-api")
        self._log = self._directory / "pebble.log"
        self._environment = os.environ | {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": str(nonce_reject)} \
            | (environment or {})
        self._config = self._directory / "pebble.json"
        self._config.write_text(json.dumps({"pebble": {
            "listenAddress": f"0.0.0.0:{self._BEHIND}", "managementListenAddress": f"0.0.0.0:{self._MANAGEMENT}",
            "certificate": str(self._directory / "server.pem"), "privateKey": str(self._directory / "server.key"),
            "httpPort": 80, "tlsPort": 443} | ({"certificateValidityPeriod": validity} if validity else {})}))
        self._dns = self._spawn(["pebble-challtestsrv", "-dns01", f":{self._DNS}", "-http01", "", "-https01", "",
                                 "-tlsalpn01", "", "-management", ":8055", "-defaultIPv4", ipv4, "-defaultIPv6", ipv6],
                                "challtestsrv.log")
        self._server = self._start_server()
        self._relay: subprocess.Popen | None = None
        self.start()

    def start(self) -> None:
        """Puts it on the network again, with all that it knew; also wakes it when it was silent."""
        if self._relay is None:
            program = str(Path(__file__).with_name("relay.py"))
            self._relay = self._spawn([sys.executable, "-B", program, str(self._PORT), str(self._BEHIND)], "relay.log")
        self._relay.send_signal(signal.SIGCONT)
        _wait_for_port(self._machine.address, self._PORT)

    def stop(self) -> None:
        """Takes it off the network: connections are refused. It forgets nothing."""
        if self._relay is not None:
            processes.stop(self._relay)
            self._relay = None

    def fall_silent(self) -> None:
        """From now on it accepts connections and says nothing, until `start`."""
        self._relay.send_signal(signal.SIGSTOP)

    def forget(self) -> None:
        """Restarts the server itself: as if another CA stood there, with a new root and no accounts."""
        processes.stop(self._server)
        self._server = self._start_server()

    def root(self) -> str:
        """The root that it issues from, in PEM."""
        context = ssl.create_default_context(cafile=str(self._ca))
        url = f"https://{self._machine.address}:{self._MANAGEMENT}/roots/0"
        handlers = urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        with urllib.request.build_opener(*handlers).open(url, timeout=10) as answer:
            return answer.read().decode()

    def requests(self) -> list[str]:
        """All requests that it got so far, as "METHOD /path"."""
        return re.findall(r"^Pebble \S+ \S+ ([A-Z]+ /\S*) -> calling handler", self.log(), re.M)

    def log(self) -> str:
        """What it logged: why it refused something, for instance."""
        return self._log.read_text(errors="replace")

    def _start_server(self) -> subprocess.Popen:
        server = self._spawn(["pebble", "-config", str(self._config), "-dnsserver", f"127.0.0.1:{self._DNS}"],
                             self._log.name, env=self._environment)
        _wait_for_port(self._machine.address, self._BEHIND)
        return server

    def _spawn(self, argv: list[str], log: str, **options) -> subprocess.Popen:
        with open(self._directory / log, "ab") as output:
            return self._machine.popen_beside(argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, **options)


class ScriptedCA:
    """An ACME server that fails as it is told, started. See scripted_ca.py for its steps and faults.

        ca = ScriptedCA(machine)
        ca.fail("newOrder", "rateLimited", retry_after=3600)
        ...
        assert ca.count("newOrder") == 1
    """

    directory = "https://localhost:14100/directory"

    _PORT = 14100

    def __init__(self, machine: Machine, *, days: int = 90, renewal_window: tuple[str, str] | None = None,
                 expired: bool = False):
        """`days`: how long its certificates last. `renewal_window`: start and end (RFC 3339) suggested by ARI.
        `expired`: so is the server's own certificate."""
        self._machine = machine
        self._directory = _new_directory(machine)
        root = _make_identity(self._directory, machine.address, expired)
        self.ca_file = _give_ca_file(machine, root, "scripted-api")
        self._faults: list[dict] = []
        self._write_faults()
        (self._directory / "requests.log").touch()
        program = Path(__file__).with_name("scripted_ca.py")
        options = ["--days", str(days), *(["--renewal-window", *renewal_window] if renewal_window else [])]
        with open(self._directory / "server.log", "ab") as output:
            self._server = machine.popen_beside(
                [sys.executable, "-B", str(program), str(self._directory), str(self._PORT), *options],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        _wait_for_port(machine.address, self._PORT)

    def fail(self, step: str, fault: str, times: int | None = None, **details) -> None:
        """Has a step fail: from now on, or the next `times` times."""
        self._faults.append({"step": step, "fault": fault, "from": self.count(step), "times": times, **details})
        self._write_faults()

    def heal(self) -> None:
        """Takes all faults away."""
        self._faults.clear()
        self._write_faults()

    def requests(self) -> list[str]:
        """The steps asked for so far, in order, failed ones included."""
        return (self._directory / "requests.log").read_text().split()

    def count(self, step: str) -> int:
        return self.requests().count(step)

    def root(self) -> str:
        """The root that it issues from, in PEM."""
        return (self._directory / "ca.pem").read_text()

    def _write_faults(self) -> None:
        new = self._directory / "faults.json.new"
        new.write_text(json.dumps(self._faults))
        new.replace(self._directory / "faults.json")


def _new_directory(machine: Machine) -> Path:
    """A folder outside the machine's reach, which lasts as long as the machine."""
    directory = Path(tempfile.mkdtemp(prefix="ca-", dir=machine.directory))
    machine.on_exit(shutil.rmtree, directory, True)
    return directory


def _make_identity(directory: Path, address: str, expired: bool = False) -> Path:
    """Makes a root (ca.pem) and a server's certificate under it (server.pem); returns the root's file.

    The server is localhost to the machine, and the machine's address to this host.
    """
    def request(name: str, *arguments: str, when: str = "+0 days") -> None:
        processes.run(["faketime", when, "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                       "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-keyout", str(directory / f"{name}.key"),
                       "-out", str(directory / f"{name}.pem"), *arguments])

    request("ca", "-subj", "/CN=commento-stack test root", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    request("server", "-subj", "/CN=localhost", "-CA", str(directory / "ca.pem"), "-CAkey", str(directory / "ca.key"),
            "-addext", "basicConstraints=critical,CA:false", "-addext", "extendedKeyUsage=serverAuth",
            "-addext", f"subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1,IP:{address}",
            when="-60 days" if expired else "+0 days")
    return directory / "ca.pem"


def _give_ca_file(machine: Machine, ca: Path, name: str) -> str:
    path = f"/etc/ssl/test/{name}.pem"
    machine.send(ca, path)
    return path


def _wait_for_port(address: str, port: int) -> None:
    def is_open() -> bool:
        with contextlib.closing(socket.create_connection((address, port), timeout=5)):
            return True

    processes.wait_until(f"a server on {address}:{port}", is_open)
