"""Other versions of the package under test: what is in it, altered. And what befalls it while it is installed."""

import contextlib
import re
from pathlib import Path
from typing import Callable, Iterator

from . import places
from .machine import Machine
from .processes import run


def unpack(package: Path, folder: Path) -> Path:
    """The tree of a .deb's files, with its control files in DEBIAN, as a new `folder`."""
    run(["dpkg-deb", "--raw-extract", str(package), str(folder)])
    return folder


def programs_in(tree: Path) -> list[Path]:
    found = [path for path in tree.rglob("*") if path.is_file() and not path.is_symlink() and path.read_bytes()[:4] == b"\x7fELF"]
    assert len(found) >= 8
    return found


def make_version(version: str, folder: Path, alter: Callable[[Path], None] = lambda tree: None) -> Path:
    """The package under test as that version, in `folder`; `alter` gets the tree of its files."""
    tree = unpack(places.deb(), folder / f"commento-stack-{version}")
    control = tree / "DEBIAN/control"
    control.write_text(re.sub(r"(?m)^Version: .*$", f"Version: {version}", control.read_text()))
    alter(tree)
    made = folder / f"commento-stack_{version}.deb"
    run(["dpkg-deb", "--root-owner-group", "-Znone", "--build", str(tree), str(made)])
    return made


def make_rpm_release(release: str, folder: Path, new_setting: str = "") -> Path:
    """The RPM under test as a later release of the same version, in `folder`, from what the package preset built; with one
    more line in the settings file that it brings."""
    alter = folder / "alter.cmake"
    alter.write_text("".join(f'file(APPEND ${{CPACK_TEMPORARY_INSTALL_DIRECTORY}}/{place}/commento-stack.conf "{new_setting}")\n'
                             for place in ("etc/commento-stack", "usr/share/commento-stack")))
    run(["cpack", "-G", "RPM", "--config", str(places.REPOSITORY / "build/package/CPackConfig.cmake"), "-B", str(folder),
         "-D", f"CPACK_RPM_PACKAGE_RELEASE={release}",
         "-D", f"CPACK_PRE_BUILD_SCRIPTS={places.REPOSITORY / 'cmake/PackageFolder.cmake'};{alter}"], timeout=120)
    return next(folder.glob(f"commento-stack-*-{release}.*.rpm"))


def settle(machine: Machine) -> None:
    """Returns when what the package's scripts had systemd begin has ended."""
    machine.wait_until("what the package had systemd begin has ended",
                       lambda: "commento" not in machine.run(["systemctl", "list-jobs", "--no-legend"]).stdout, timeout=120)


# --- hosts on which it goes wrong ---

# What stands in for a program of the host (wrap()) is found first there.
PROGRAMS = "/usr/local/sbin"


def wrap(machine: Machine, program: str, script: str) -> None:
    """Puts a program in front of the host's, for a package's scripts."""
    machine.write(f"{PROGRAMS}/{program}", f"#!/bin/sh\n{script}", mode=0o755)


# A program that wrap() put there writes the numbers of the processes that it is about to kill into this file.
KILLED = "/srv/killed"


def await_killed(machine: Machine, what: str) -> None:
    """What is killed has locks until it is gone, which may be after its parent is."""
    assert machine.exists(KILLED), what
    gone = f"for process in $(cat {KILLED}); do [ ! -d /proc/$process ] || exit 1; done"
    machine.wait_until("all that was killed is gone", lambda: machine.run(["sh", "-c", gone], check=False).exit_code == 0)


@contextlib.contextmanager
def mounted(machine: Machine, folder: str, options: str = "size=4k,nr_inodes=2") -> Iterator[None]:
    """A small disk at that folder; of these two inodes the folder itself has one, and a file that fills it the other."""
    machine.run(["sh", "-c", f"mkdir -p {folder} && mount -t tmpfs -o {options},mode=755 tmpfs {folder} && echo full > {folder}/full"])
    try:
        yield
    finally:
        machine.run(["umount", folder])


@contextlib.contextmanager
def read_only_usr(machine: Machine) -> Iterator[None]:
    machine.run(["sh", "-c", "mount --bind /usr /usr && mount -o remount,ro,bind /usr"])
    try:
        yield
    finally:
        machine.run(["umount", "--lazy", "/usr"])
