"""Each machine's network: a namespace of its own and one cable to this host.

The namespace is made here and given to systemd-nspawn, instead of letting it make one: so it lives through the
machine's reboots and power cuts, and the certificate authority in it stays up meanwhile, as a real one would.

Addresses come from the ranges for documentation (RFC 5737), one /30 for each machine, counted by "slots". A slot is
a lock file of this host, so that test runs from several clones can go on at once; and it says what to clear away when
its holder was killed.
"""

import fcntl
import ipaddress
import json
import os
from pathlib import Path
from typing import Iterator

from .processes import lock, run

_HOSTS = Path("/etc/hosts")
_SLOTS = Path("/run/commento-machines")
_PREFIX = "cmach"
_RANGES = [ipaddress.ip_network(text) for text in ("198.51.100.0/24", "203.0.113.0/24", "192.0.2.0/24")]


class Slot:
    """A number that no other machine on this host has, held as long as this object is open."""

    def __init__(self, number: int, descriptor: int):
        self.number = number
        self._descriptor = descriptor

    @property
    def name(self) -> str:
        return f"{_PREFIX}{self.number}"

    @property
    def notes(self) -> dict:
        """What the holder wrote down for who has to clear up after it."""
        text = os.pread(self._descriptor, 65536, 0)
        return json.loads(text) if text else {}

    @notes.setter
    def notes(self, values: dict) -> None:
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, json.dumps(values).encode(), 0)

    def close(self) -> None:
        (_SLOTS / self.name).unlink()
        os.close(self._descriptor)


def take_slot() -> Slot:
    """The lowest free slot."""
    _SLOTS.mkdir(mode=0o755, exist_ok=True)
    for number in range(64):
        try:
            slot = Slot(number, lock(_SLOTS / f"{_PREFIX}{number}", fcntl.LOCK_EX | fcntl.LOCK_NB))
        except BlockingIOError:
            continue
        if not Path("/sys/class/net", slot.name).exists():  # else of a container that shares this host's network
            return slot
        slot.close()
    raise OSError("64 machines are running already")


def abandoned_slots() -> Iterator[Slot]:
    """Slots whose holder died without clearing up."""
    if not _SLOTS.is_dir():
        return
    for path in _SLOTS.iterdir():
        try:
            yield Slot(int(path.name.removeprefix(_PREFIX)), lock(path, fcntl.LOCK_EX | fcntl.LOCK_NB))
        except BlockingIOError:
            continue


class Network:
    """The namespace and the cable of one machine."""

    def __init__(self, slot: Slot):
        self.namespace = slot.name
        self.path = Path("/run/netns") / slot.name
        subnet = list(_free_range().subnets(new_prefix=30))[slot.number]
        self.host_address, self.address = map(str, subnet.hosts())

    def connect(self) -> None:
        run(["ip", "netns", "add", self.namespace])
        inside = ["ip", "-n", self.namespace]
        run(["ip", "link", "add", self.namespace, "type", "veth", "peer", "name", "host0", "netns", self.namespace])
        run(["ip", "addr", "add", f"{self.host_address}/30", "dev", self.namespace])
        run(["ip", "link", "set", self.namespace, "up"])
        run([*inside, "addr", "add", f"{self.address}/30", "dev", "host0"])
        run([*inside, "link", "set", "lo", "up"])
        run([*inside, "link", "set", "host0", "up"])

    def enter(self, argv: list[str]) -> list[str]:
        """A command of this host that sees the machine's network, and otherwise this host's files and processes."""
        return ["nsenter", f"--net={self.path}", "--", *argv]


def disconnect(namespace: str) -> None:
    """Takes away what `connect` made, or as much of it as is there."""
    run(["ip", "link", "del", namespace], check=False)
    if (Path("/run/netns") / namespace).exists():
        run(["ip", "netns", "del", namespace])
    _drop_host_names(namespace)


def add_host_name(namespace: str, name: str, address: str) -> None:
    """Has this host find a machine by a name, until `disconnect`."""
    before = _HOSTS.read_text()
    _HOSTS.write_text(f"{before}{'' if before.endswith(chr(10)) else chr(10)}{address} {name} {_mark(namespace)}\n")


def _drop_host_names(namespace: str) -> None:
    """Written in place, since /etc/hosts may be a mount; and only when there is something to take out."""
    lines = _HOSTS.read_text().splitlines(keepends=True) if _HOSTS.exists() else []
    others = [line for line in lines if not line.rstrip().endswith(_mark(namespace))]
    if others != lines:
        _HOSTS.write_text("".join(others))


def _mark(namespace: str) -> str:
    return f"# added by commento-stack's ./try for {namespace}; goes when that ends"


def _free_range() -> ipaddress.IPv4Network:
    """The first range in which this host has no address but the ones of our machines."""
    links = json.loads(run(["ip", "-json", "-4", "addr"]).stdout)
    taken = [ipaddress.ip_address(entry["local"]) for link in links if not link["ifname"].startswith(_PREFIX)
             for entry in link["addr_info"]]
    for candidate in _RANGES:
        if not any(address in candidate for address in taken):
            return candidate
    raise OSError("this host has addresses in all three ranges that are set aside for documentation and tests")
