"""A name server that takes dynamic updates, for a machine: BIND's named, in the machine's network at 127.0.0.1."""

import shutil
import tempfile
from pathlib import Path

from . import processes
from .acme import texts_at
from .machine import Machine

_PORT = 53

_OPTIONS = """options {{
    directory "{directory}";
    listen-on port {port} {{ any; }};
    listen-on-v6 {{ none; }};
    pid-file none;
    session-keyfile none;
    recursion yes;
    dnssec-validation no;
}};
controls {{ }};
{key}
{operator}
"""

_ZONE = """zone "{name}" {{
    type primary;
    file "{name}";
    update-policy {{ grant acme subdomain {name}. TXT; grant operator zonesub ANY; }};
}};
"""

_RECORDS = """$TTL 60
@ SOA ns.{name}. hostmaster.{name}. 1 60 60 60 60
@ NS ns.{name}.
ns A 127.0.0.1
"""


class NameServer:
    """Started, and the machine's only resolver.

    address   to write into ACME_DNS_SERVER
    key       the TSIG key that may change TXT records, as tsig-keygen writes it
    """

    address = f"127.0.0.1:{_PORT}"

    def __init__(self, machine: Machine, zones: dict[str, str]):
        """`zones`: records of each zone beside its own, in the form of a zone file."""
        self._machine = machine
        directory = Path(tempfile.mkdtemp(prefix="named-", dir=machine.directory))
        machine.on_exit(shutil.rmtree, directory, True)
        self.key = make_key()
        self._operator = directory / "operator.key"
        self._operator.write_text(make_key("operator"))
        text = _OPTIONS.format(directory=directory, port=_PORT, key=self.key, operator=self._operator.read_text())
        for name, records in zones.items():
            text += _ZONE.format(name=name)
            (directory / name).write_text(_RECORDS.format(name=name) + records)
        (directory / "named.conf").write_text(text)
        with open(directory / "log", "ab") as log:
            machine.popen_beside(["named", "-g", "-n", "1", "-c", str(directory / "named.conf")], stdin=-3, stdout=log,
                                 stderr=log)
        machine.write("/etc/resolv.conf", "nameserver 127.0.0.1\n")
        processes.wait_until(f"a name server: {directory / 'log'}", lambda: self._answers(list(zones)[-1]))

    def replace(self, name: str, record_type: str, *data: str) -> None:
        """Has a name hold these records of a type, and no others of it."""
        lines = [f"server {self._machine.address} {_PORT}", f"update delete {name}. {record_type}",
                 *(f"update add {name}. 60 {record_type} {each}" for each in data), "send"]
        processes.run(["nsupdate", "-k", str(self._operator)], input="\n".join(lines) + "\n")

    def texts_at(self, name: str) -> list[str]:
        """The TXT records that it shows at a name."""
        return texts_at(self._machine.address, name, _PORT)

    def _answers(self, zone: str) -> bool:
        return "ns." in processes.run(["dig", "+short", f"@{self._machine.address}", zone, "NS"]).stdout


def make_key(name: str = "acme") -> str:
    """Another key of the same name."""
    return processes.run(["tsig-keygen", name]).stdout
