"""A disposable machine with real systemd: systemd-nspawn on a disposable disk, with a network of its own.

It needs no systemd on this host. Commands enter the machine with nsenter, not through machined or a bus, so that they
work while its bus is down.
"""

import contextlib
import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Callable

from . import network, places, processes, roots
from .cgroup import ControlGroup
from .disk import Disk
from .processes import Result

_ENVIRONMENT = ["env", "--ignore-environment", "HOME=/root", "LANG=C.UTF-8", "TERM=dumb",
                "DEBIAN_FRONTEND=noninteractive",
                "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]

_BOOT_TIMEOUT = 60

alive: list["Machine"] = []  # those inside their `with` block
inspectors: list[Callable[["Machine"], None]] = []  # asked before each machine is taken away; may raise
reporters: list[Callable[["Machine"], str]] = []  # asked what to add to an error that leaves a machine's `with` block
_EXIT_REBOOT = 133  # how `systemd-nspawn --keep-unit` says that the machine asked for a reboot


class Machine:
    """One machine, from `with` to the end of the block. It is running unless it was powered off inside the block."""

    def __init__(self, template: roots.Template):
        self.template = template

    # --- making it and taking it away ---

    def __enter__(self) -> "Machine":
        clear_abandoned()
        self._undo = contextlib.ExitStack()
        try:
            self._make()
            alive.append(self)
            self._undo.callback(alive.remove, self)
            self.boot()
            for inspector in inspectors:
                self._undo.callback(inspector, self)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, kind=None, error: BaseException | None = None, trace=None) -> None:
        if isinstance(error, Exception):
            for reporter in reporters:
                error.add_note(reporter(self))
        with processes.undisturbed():
            self._undo.close()

    def _make(self) -> None:
        """Each step puts what undoes it on a stack; so a failure between any two of them leaves nothing behind."""
        slot = network.take_slot()
        self._undo.callback(slot.close)
        self.name = slot.name
        self.directory = places.machines() / "running" / slot.name
        self.disk = Disk(self.template.layers, self.directory)
        self.network = network.Network(slot)
        self._group = ControlGroup(slot.name)
        self._nspawn: subprocess.Popen | None = None
        self._pid = 0
        slot.notes = {"directory": str(self.directory)}

        for descriptor in roots.use(self.template):
            self._undo.callback(os.close, descriptor)
        _take_away(self.directory)  # a reboot of this host leaves it behind and its slot not
        self.directory.mkdir(parents=True)
        self._undo.callback(shutil.rmtree, self.directory)
        self.disk.attach()
        self._undo.callback(self.disk.detach)
        self._undo.callback(network.disconnect, self.network.namespace)
        self.network.connect()
        self._group.make()
        self._undo.callback(self._group.remove)
        self._undo.callback(self._kill)

    def announce(self, name: str) -> None:
        """Has this host's programs, browsers too, find the machine by a name, as long as it lasts."""
        network.add_host_name(self.name, name, self.address)

    def on_exit(self, action: Callable, *arguments) -> None:
        """Has something done before the machine is taken away: for what was started beside it."""
        self._undo.callback(action, *arguments)

    # --- power ---

    @property
    def address(self) -> str:
        """The machine's address, as this host reaches it."""
        return self.network.address

    @property
    def is_running(self) -> bool:
        return bool(self._pid) and self._nspawn is not None and self._nspawn.poll() is None

    @property
    def first_process(self) -> int:
        """The number of its system manager on this host: the way in for nsenter."""
        return self._pid

    def boot(self) -> None:
        """Switches it on; returns when its start-up jobs are done, whether or not all of them succeeded."""
        mounts = [f"--bind-ro={path}:{inside}" for inside, path in self.template.mounts.items()]
        # A process namespace around it all: however this program ends, the kernel then ends the machine as well.
        guard = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "--"]
        argv = [*guard, "systemd-nspawn", "--quiet", f"--directory={self.disk.root}", f"--machine={self.name}",
                "--hostname=machine", "--boot", "--register=no", "--keep-unit", "--console=pipe",
                "--resolv-conf=off", "--timezone=off",
                f"--network-namespace-path={self.network.path}",
                # As on a real host, units may have networks of their own and packet filters: PrivateNetwork=,
                # IPAddressDeny=.
                "--capability=CAP_NET_ADMIN", "--system-call-filter=bpf",
                *mounts]
        # Without this, a host with control groups of version 1 would give them to the machine; no host of today has
        # these.
        environment = os.environ | {"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"}
        with open(self.console, "ab") as console:
            self._nspawn = processes.start(self._group.wrap(argv), prepare=self._group.enter, env=environment,
                                           stdin=subprocess.DEVNULL, stdout=console, stderr=console)
        self._pid = self._wait_for("its first process", self._find_first_process)
        self._wait_for("its system manager", lambda: Path(f"/proc/{self._pid}/root/run/systemd/private").exists())
        self._wait_for("the end of its start-up", self._has_booted)

    def reboot(self) -> None:
        """Reboots it in order, as an operator would."""
        self._shut_down("reboot", _EXIT_REBOOT)
        self.boot()

    def power_off(self) -> None:
        """Shuts it down in order; `boot` switches it on again."""
        self._shut_down("poweroff", 0)

    def power_cut(self) -> None:
        """Ends all its processes at once, and boots it again from the disk as it is."""
        self._kill()
        self.boot()

    def _shut_down(self, verb: str, expected: int) -> None:
        nspawn = self._nspawn
        # The command itself may be killed by what it asks for.
        self.run(["systemctl", "--no-block", verb], check=False)
        try:
            exit_code = nspawn.wait(120)
        except subprocess.TimeoutExpired:
            raise TimeoutError(self._complaint(f"did not {verb} within 120 s"))
        self._pid = 0
        if exit_code != expected:
            raise RuntimeError(self._complaint(f"ended with {exit_code} on {verb}"))

    def _kill(self) -> None:
        """Kills systemd-nspawn, the first process of the guard's namespace: the kernel ends all others with it, and
        tells the guard only then."""
        if self._nspawn is None:
            return
        for process in [] if self._nspawn.poll() is not None else _children(self._nspawn.pid) or [self._nspawn.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self._nspawn.wait()
        self._pid = 0

    def _find_first_process(self) -> int:
        """The process below systemd-nspawn that is the first of its own namespace and has become systemd."""
        below = _children(self._nspawn.pid)
        for process in below:
            below.extend(_children(process))
            status = Path(f"/proc/{process}/status").read_text()
            numbers = next(line for line in status.splitlines() if line.startswith("NSpid:")).split()[1:]
            if numbers[-1] == "1" and Path(f"/proc/{process}/comm").read_text().strip() == "systemd":
                return process
        return 0

    def _has_booted(self) -> bool:
        """Whether its start-up is over. Before its bus is up, the question can't be asked; the next try will."""
        state = self.run(["systemctl", "is-system-running", "--wait"], check=False, timeout=_BOOT_TIMEOUT).stdout
        return state.strip() in ("running", "degraded", "maintenance")

    def _wait_for(self, what: str, condition: Callable[[], object]):
        def or_dead():
            if self._nspawn.poll() is not None:
                raise RuntimeError(self._complaint("ended while it booted"))
            return condition()

        try:
            return processes.wait_until(what, or_dead, _BOOT_TIMEOUT, interval=0.01)
        except TimeoutError as error:
            raise TimeoutError(self._complaint(f"did not boot: {error}")) from None

    def _complaint(self, what: str) -> str:
        return f"machine {self.name} {what}; its console says:\n{self.console_tail()}"

    # --- working in it ---

    def run(self, argv: list[str], *, check: bool = True, input: str | bytes | None = None, user: str | None = None,
            timeout: float = 60, env: dict[str, str] | None = None) -> Result:
        """Runs a command inside to its end, with a clean environment. Raises CommandFailed unless `check` is False."""
        return processes.run(self._inside(argv, user, env), check=check, input=input, timeout=timeout, shown=argv)

    def popen(self, argv: list[str], *, user: str | None = None, env: dict[str, str] | None = None,
              **options) -> subprocess.Popen:
        """Starts a command inside. It ends at the latest with the machine."""
        process = processes.start(self._inside(argv, user, env), **options)
        self.on_exit(processes.stop, process)
        return process

    def send_signal(self, signal: str, program: str) -> None:
        """Sends a signal to a program inside. What `popen` returns is nsenter, which waits for the program and hands no signal on
        to it: `terminate` ends only that."""
        self.run(["sh", "-c", 'kill -s "$1" $(pidof "$2")', "sh", signal, program])

    def popen_beside(self, argv: list[str], **options) -> subprocess.Popen:
        """Starts a program of this host in the machine's network: a port taken, a server played. Ends with the
        machine."""
        process = processes.start(self.network.enter(argv), **options)
        self.on_exit(processes.stop, process)
        return process

    def shell(self) -> int:
        """An interactive shell inside, on this terminal."""
        terminal = {"TERM": os.environ.get("TERM", "dumb")}
        return subprocess.run(self._inside(["bash", "--login"], None, terminal)).returncode

    def _inside(self, argv: list[str], user: str | None, env: dict[str, str] | None) -> list[str]:
        """The command as seen from this host. On a machine that is off, it runs on the machine's disk only."""
        door = ["nsenter", f"--target={self._pid}", "--all"] if self._pid else ["chroot", str(self.disk.root)]
        as_user = ["runuser", "--user", user, "--"] if user else []
        own = [f"{name}={value}" for name, value in (env or {}).items()]
        return [*door, *_ENVIRONMENT, *own, *as_user, *argv]

    def install(self, packages: list[str], *options: str) -> Result:
        """Installs packages from the machine's own repositories, as an operator would."""
        if self.template.family == "fedora":
            return self.run(["dnf", "--assumeyes", "install", *options, *packages], timeout=600)
        self.run(["apt-get", "update", "--quiet"], timeout=120)
        return self.run(["apt-get", "install", "--quiet", "--yes", *options, *packages], timeout=600)

    # --- its files: read from inside, since absolute links would lead to this host's files otherwise ---

    def read(self, path: str) -> str:
        return self.run(["cat", "--", path]).stdout

    def exists(self, path: str) -> bool:
        return self.run(["test", "-e", path], check=False).exit_code == 0

    def write(self, path: str, content: str | bytes, mode: int = 0o644, owner: str = "root:root") -> None:
        """Writes a file, with its folders. It is in place at once, never half."""
        script = ('mkdir -p "${1%/*}" && cat > "$1.new" && '
                  'chown "$3" "$1.new" && chmod "$2" "$1.new" && mv "$1.new" "$1"')
        self.run(["sh", "-c", script, "sh", path, f"{mode:o}", owner], input=content, timeout=300)

    def send(self, file: Path, path: str, mode: int = 0o644) -> None:
        """Copies a file of this host into the machine."""
        self.write(path, file.read_bytes(), mode)

    # --- what it says ---

    @property
    def console(self) -> Path:
        return self.directory / "console.log"

    def console_tail(self, lines: int = 40) -> str:
        text = self.console.read_text(errors="replace") if self.console.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def journal(self, *units: str, options: list[str] | None = None) -> str:
        """The journal of all boots: of these units, or all of it. Works on a machine that is off, too."""
        choice = [f"--unit={unit}" for unit in units]
        where = []
        if self._pid:
            self._sync_journal()
        else:
            where = ["--directory=/var/log/journal"]
        argv = ["journalctl", "--no-pager", "--output=short-precise", *where, *choice, *(options or [])]
        return self.run(argv, check=False).stdout

    def status(self, unit: str) -> str:
        """What `systemctl status` shows of a unit, with all that it has said."""
        self._sync_journal()
        return self.run(["systemctl", "status", "--full", "--lines=100", unit], check=False).output

    def _sync_journal(self) -> None:
        """The journal reads what a program said some moments after systemd knows of its end."""
        self.run(["journalctl", "--sync"], check=False)

    def unit(self, name: str) -> dict[str, str]:
        """A unit's properties, as `systemctl show` gives them."""
        lines = self.run(["systemctl", "show", name]).stdout.splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)

    def has_ended(self, unit: str) -> bool:
        """Whether a unit is at rest, however its last run went."""
        return self.unit(unit)["ActiveState"] in ("inactive", "failed")

    def failed_units(self) -> list[str]:
        listing = self.run(["systemctl", "list-units", "--failed", "--plain", "--no-legend"]).stdout
        return [line.split()[0] for line in listing.splitlines() if line.strip()]

    def wait_until(self, description: str, condition: Callable[[], object], timeout: float = 30):
        """Returns the condition's first true value, or raises TimeoutError that says what was waited for."""
        return processes.wait_until(f"machine {self.name}: {description}", condition, timeout)


def _children(process: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def clear_abandoned() -> None:
    """Takes away what test runs left behind that were killed before they could. Their machines died with them."""
    for slot in network.abandoned_slots():
        directory = Path(slot.notes.get("directory") or "/nonexistent")
        network.disconnect(slot.name)
        _take_away(directory)
        ControlGroup(slot.name).remove()
        slot.close()


def _take_away(directory: Path) -> None:
    """Removes what is left of a machine whose harness was killed."""
    if directory.exists():
        processes.run(["umount", "--lazy", str(directory / "root")], check=False)
        # The last processes of a machine whose harness was killed may be at work for some moments still.
        processes.wait_until(f"the end of {directory}", lambda: processes.run(["rm", "-rf", str(directory)], timeout=300))
