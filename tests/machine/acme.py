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
from .identity import Root
from .machine import Machine


class Pebble:
    """pebble with pebble-challtestsrv as its DNS, started.

    directory   the address to write into ACME_DIRECTORY
    direct      the same without the relay that makes `stop` and `fall_silent` possible: for who measures
    ca_file     the file inside the machine to write into ACME_CA_FILE
    root()      the root of what it issues, to verify the site with
    hooks       where pebble-challtestsrv takes records from programs in the machine
    """

    directory = "https://localhost:14000/dir"
    direct = "https://localhost:14001/dir"

    hooks = "http://127.0.0.1:8055"

    _PORT, _BEHIND, _MANAGEMENT, _DNS = 14000, 14001, 15000, 8053

    def __init__(self, machine: Machine, *, nonce_reject: int = 0, validity: int | None = None,
                 ipv4: str = "127.0.0.1", ipv6: str = "", dns: str = "", program: Path | None = None,
                 customers: dict[str, str] | None = None, environment: dict[str, str] | None = None):
        """`nonce_reject`: percent of good nonces that it refuses. `validity`: seconds that certificates last.
        `ipv4`, `ipv6`: where every name leads to; "" for no address of that kind. `dns`: another name server to ask.
        `program`: another version of it. `customers`: takes only accounts that are bound to one of these key
        identifiers by its MAC key."""
        self._machine = machine
        self._directory = _new_directory(machine)
        self._ca = _make_identity(self._directory, machine.address)
        self.ca_file = _give_ca_file(machine, self._ca, "pebble-api")
        self._log = self._directory / "pebble.log"
        # Left to itself, it takes every other name as proved that was proved before.
        self._environment = os.environ | {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_AUTHZREUSE": "0",
                                          "PEBBLE_WFE_NONCEREJECT": str(nonce_reject)} | (environment or {})
        self._program, self._name_server = str(program or "pebble"), dns or f"127.0.0.1:{self._DNS}"
        binding = {"externalAccountBindingRequired": True, "externalAccountMACKeys": customers} if customers else {}
        self._config = self._directory / "pebble.json"
        self._config.write_text(json.dumps({"pebble": {
            "listenAddress": f"0.0.0.0:{self._BEHIND}", "managementListenAddress": f"0.0.0.0:{self._MANAGEMENT}",
            "certificate": str(self._directory / "server.pem"), "privateKey": str(self._directory / "server.key"),
            "httpPort": 80, "tlsPort": 443} | binding
            | ({"certificateValidityPeriod": validity} if validity else {})}))
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

    def root(self, number: int = 0) -> str:
        """The root that it issues from, in PEM; one of several where it was told to have alternate ones."""
        return self._manage(f"roots/{number}")

    def lose(self, name: str) -> None:
        """From now on no name server has an answer for this name."""
        request = urllib.request.Request(f"http://{self._machine.address}:8055/set-servfail",
                                         json.dumps({"host": f"{name}."}).encode())
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10).close()

    def status_of(self, serial: str) -> dict:
        """What it knows of a certificate by its serial number in hexadecimal: "Status" and, revoked, "Reason"."""
        return json.loads(self._manage(f"cert-status-by-serial/{serial.lower().lstrip('0')}"))

    def texts_at(self, name: str) -> list[str]:
        """The TXT records that pebble-challtestsrv shows at a name."""
        return texts_at(self._machine.address, name, self._DNS)

    def _manage(self, path: str) -> str:
        context = ssl.create_default_context(cafile=str(self._ca))
        url = f"https://{self._machine.address}:{self._MANAGEMENT}/{path}"
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
        server = self._spawn([self._program, "-config", str(self._config), "-dnsserver", self._name_server],
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

    def __init__(self, machine: Machine, *, days: int = 90, renewal_window: tuple[str, str] | None = None,
                 profiles: list[str] | None = None, expired: bool = False, name: str = "localhost", port: int = 14100):
        """`days`: how long its certificates last. `renewal_window`: start and end (RFC 3339) suggested by ARI.
        `expired`: so is the server's own certificate. `name`: leads there in the machine."""
        self._machine = machine
        self._directory = _new_directory(machine)
        self.directory = f"https://{name}{'' if port == 443 else f':{port}'}/directory"
        root = _make_identity(self._directory, machine.address, expired, name)
        self.ca_file = _give_ca_file(machine, root, "scripted-api")
        self._faults: list[dict] = []
        self._write("faults.json", self._faults)
        for log in ("requests.log", "orders.jsonl"):
            (self._directory / log).touch()
        if renewal_window:
            self.suggest(*renewal_window)
        program = Path(__file__).with_name("scripted_ca.py")
        with open(self._directory / "server.log", "ab") as output:
            self._server = machine.popen_beside(
                [sys.executable, "-B", str(program), str(self._directory), str(port), "--days", str(days),
                 "--profiles", *(profiles or [])], stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        _wait_for_port(machine.address, port)

    def fail(self, step: str, fault: str, times: int | None = None, **details) -> None:
        """Has a step fail: from now on, or the next `times` times."""
        self._faults.append({"step": step, "fault": fault, "from": self.count(step), "times": times, **details})
        self._write("faults.json", self._faults)

    def heal(self) -> None:
        """Takes all faults away."""
        self._faults.clear()
        self._write("faults.json", self._faults)

    def suggest(self, start: str, end: str) -> None:
        """From now on it has renewal information, and this window for every certificate."""
        self._write("window.json", [start, end])

    def requests(self) -> list[str]:
        """The steps asked for so far, in order, failed ones included."""
        return (self._directory / "requests.log").read_text().split()

    def count(self, step: str) -> int:
        return self.requests().count(step)

    def orders(self) -> list[dict]:
        """What orders were asked for so far, refused ones included."""
        return [json.loads(line) for line in (self._directory / "orders.jsonl").read_text().splitlines()]

    def root(self) -> str:
        """The root that it issues from, in PEM."""
        return (self._directory / "ca.pem").read_text()

    def _write(self, file: str, content: list) -> None:
        new = self._directory / f"{file}.new"
        new.write_text(json.dumps(content))
        new.replace(self._directory / file)


def texts_at(address: str, name: str, port: int) -> list[str]:
    """The TXT records that a name server shows at a name."""
    shown = processes.run(["dig", "+short", f"@{address}", "-p", str(port), name, "TXT"]).stdout
    return [line.strip('"') for line in shown.splitlines()]


def _new_directory(machine: Machine) -> Path:
    """A folder outside the machine's reach, which lasts as long as the machine."""
    directory = Path(tempfile.mkdtemp(prefix="ca-", dir=machine.directory))
    machine.on_exit(shutil.rmtree, directory, True)
    return directory


def _make_identity(directory: Path, address: str, expired: bool = False, server_name: str = "localhost") -> Path:
    """Makes a root (ca.pem) and a server's certificate under it (server.pem); returns the root's file.

    The server has that name to the machine, and the machine's address to this host.
    """
    root = Root(directory)
    root.certify(f"DNS:{server_name}", "IP:127.0.0.1", "IP:::1", f"IP:{address}", expired=expired)
    return root.file


def _give_ca_file(machine: Machine, ca: Path, name: str) -> str:
    path = f"/etc/ssl/test/{name}.pem"
    machine.send(ca, path)
    return path


def _wait_for_port(address: str, port: int) -> None:
    def is_open() -> bool:
        with contextlib.closing(socket.create_connection((address, port), timeout=5)):
            return True

    processes.wait_until(f"a server on {address}:{port}", is_open)
