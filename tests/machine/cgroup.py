"""A control group of its own for each machine.

systemd-nspawn puts the machine into `payload` below the group it is started in. Two machines started from one group
would share it, and the systemd of each would kill the services of the other.

Where this host runs systemd, a transient scope with delegation is asked for. Where it does not, the group is made by
hand.
"""

import os
from pathlib import Path

from .processes import wait_until


def host_runs_systemd() -> bool:
    return Path("/run/systemd/system").is_dir()


class ControlGroup:
    """The group of one machine."""

    def __init__(self, name: str):
        self.name = name
        self._paths = [] if host_runs_systemd() else [base / name for base in _own_groups()]

    def wrap(self, argv: list[str]) -> list[str]:
        """The command that runs `argv` in this group, in the same process."""
        if not host_runs_systemd():
            return argv
        return ["systemd-run", "--scope", "--quiet", "--collect", f"--unit={self.name}", "--slice=machine.slice",
                "--property=Delegate=yes", "--", *argv]

    def make(self) -> None:
        for path in self._paths:
            path.mkdir(exist_ok=True)

    def enter(self) -> None:
        """Moves the calling process in; for use between fork and exec."""
        for path in self._paths:
            (path / "cgroup.procs").write_text(f"{os.getpid()}\n")

    def remove(self) -> None:
        """Removes the group and what systemd left below it, once the kernel has done away with the last process."""
        for path in self._paths:
            wait_until(f"an empty control group {path}", lambda: _remove_tree(path), timeout=10)


def _remove_tree(path: Path) -> bool:
    for directory, _, _ in os.walk(path, topdown=False):
        os.rmdir(directory)
    return True


def _own_groups() -> list[Path]:
    """This process's group in the hierarchies that systemd uses: its own (version 1) and the unified one."""
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    places = {}
    for _, mount_point, kind, options, *_ in mounts:
        if kind == "cgroup2":
            places.setdefault("", mount_point)
        elif kind == "cgroup" and "name=systemd" in options.split(","):
            places.setdefault("name=systemd", mount_point)
    groups = []
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers in places:
            groups.append(Path(places[controllers] + path))
    return groups
