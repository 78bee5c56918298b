"""A room of its own for commento-cert: a network and mounts that end with the process that is in it.

In it stand nginx on port 80, which shows the challenge folder, and one certificate authority; /etc/commento-stack and
/var/lib/commento-stack are the room's own. `commento-cert` runs as root, which owns the state here.

COMMENTO_CERT  the program under test; else that of build/package
"""

import ctypes
import multiprocessing
import os
import re
import select
import shutil
import signal
import ssl
import subprocess
import tempfile
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import pytest

from machine import processes
from machine.places import REPOSITORY

from .calls import STATE, Call, Plan, read_calls
from .disk import tree_of

SETTINGS = Path("/etc/commento-stack")
NAME = "shop"
DOMAIN = "shop.example.test"
STORE = STATE / "tls" / "further" / NAME
CHALLENGES = STATE / "acme" / "webroot" / ".well-known" / "acme-challenge"
DONE, STORAGE, NETWORK, AUTHORITY = 0, 4, 5, 6

_CURVES = {"ecdsa-p256": "prime256v1", "ecdsa-p384": "secp384r1"}
_CLONE_NEWNS, _CLONE_NEWNET = 0x00020000, 0x40000000
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Run:
    """One run of commento-cert that is over. The exit code is negative where a signal ended it."""

    exit_code: int
    output: str
    calls: list[Call]
    peak_memory: int  # bytes
    seconds: float


class Workshop:
    """To be made once in a process of its own, which it takes into the room. It can be given to Pebble and ScriptedCA
    in place of a machine."""

    address = "127.0.0.1"

    def __init__(self, directory: Path):
        self.directory = directory
        self._templates: dict[str, Path] = {}
        if _libc.unshare(_CLONE_NEWNS | _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "cannot make namespaces")
        _run("mount", "--make-rprivate", "/")
        _run("ip", "link", "set", "lo", "up")
        _run("mount", "-t", "tmpfs", "tmpfs", str(directory))
        for place in ("/etc", "/var/lib"):
            over = directory / place.replace("/", "_")
            (over / "upper").mkdir(parents=True)
            (over / "work").mkdir()
            _run("mount", "-t", "overlay", "overlay", "-o",
                 f"lowerdir={place},upperdir={over}/upper,workdir={over}/work", place)
        SETTINGS.mkdir(exist_ok=True)
        STATE.mkdir(exist_ok=True)
        self._start_nginx()

    # --- what Pebble and ScriptedCA ask of a machine ---

    def popen_beside(self, argv: list[str], **options) -> subprocess.Popen:
        return processes.start(argv, **options)

    def send(self, source: Path, path: str) -> None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, path)

    def on_exit(self, *_) -> None:
        """The room takes everything along when it ends."""

    # --- the state ---

    def remount_state(self, *options: str) -> None:
        """The same disk with other options: see tmpfs(5)."""
        _run("mount", "-o", ",".join(["remount", *options]), str(STATE))

    def keep_state_as(self, name: str) -> None:
        """Remembers the state, to begin there again."""
        self._templates[name] = self.directory / f"state-{name}"
        _copy(STATE, self._templates[name])

    def begin(self, template: str = "") -> None:
        """A new disk with the state that a fresh installation has, or the one that was kept."""
        if os.path.ismount(STATE):
            _run("umount", str(STATE))
        _run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", str(STATE))
        if template:
            _copy(self._templates[template], STATE)
        else:
            for folder in ("tls", "acme"):
                (STATE / folder).mkdir()

    def configure(self, ca, key_type: str = "ecdsa-p256", **changes: str) -> None:
        """Asks for one further certificate; the comment server's own is of no concern here."""
        main = {"DOMAIN": "comments.example.test", "EMAIL": "operator@example.test", "TLS_MODE": "selfsigned"}
        further = {"DOMAIN": DOMAIN, "ACME_DIRECTORY": ca.directory, "ACME_CA_FILE": ca.ca_file,
                   "TLS_KEY_TYPE": key_type} | changes
        _write_settings(SETTINGS / "commento-stack.conf", main)
        _write_settings(SETTINGS / "certificates" / f"{NAME}.conf", further)

    # --- the program ---

    def cert(self, *arguments: str, plan: Plan | None = None, timeout: float = 150, kill_when: Callable | None = None,
             environment: dict[str, str] | None = None) -> Run:
        """Runs commento-cert, watched by the shim where there is a plan; killed once `kill_when` says so."""
        log = self.directory / "calls.log"
        log.unlink(missing_ok=True)
        environment = dict(os.environ) | (environment or {}) | (plan.environment(log) if plan else {})
        with tempfile.TemporaryFile() as output:
            began = time.monotonic()
            process = processes.start([str(_program()), *arguments], stdin=subprocess.DEVNULL, stdout=output,
                                      stderr=output, env=environment)
            if kill_when:
                processes.wait_until("the moment to kill the run", lambda: kill_when() or _has_ended(process))
                process.kill()
            status, usage = _wait(process, timeout)
            output.seek(0)
            return Run(os.waitstatus_to_exitcode(status), output.read().decode(errors="replace"), read_calls(log),
                       usage.ru_maxrss * 1024, time.monotonic() - began)

    # --- what has to hold ---

    def check_loads(self, store: Path, there_before: bool) -> None:
        """Whatever happened, nginx can start with what is live; nothing may be only where nothing was."""
        live = store / "live"
        if not live.is_symlink():
            require(not there_before, f"{live} is gone")
            return
        _check_pair(live)
        self._check_nginx_starts(live)

    def check_complete(self, store: Path, key_type: str) -> None:
        """The certificate that is wanted is live and stamped, and nothing half-made is left anywhere. (The name of an
        answer to a challenge may come back with the power; the next issue clears it away.)"""
        self.check_loads(store, there_before=True)
        text = _run("openssl", "x509", "-noout", "-text", "-in", str(store / "live" / "fullchain.pem"))
        require(_CURVES[key_type] in text, f"another key than {key_type} is live:\n{text}")
        generation = os.readlink(store / "live").rpartition("/")[2]
        require((store / "stamp").read_text().startswith(generation + " "), "the stamp is of another generation")
        left = [path for path in tree_of(STATE) if re.search(r"/\.(?!well-known)", path)]
        require(not left, f"left behind: {left}")
        self.check_secret()

    def check_no_challenge(self) -> None:
        left = list(CHALLENGES.iterdir()) if CHALLENGES.is_dir() else []
        require(not left, f"challenges left behind: {left}")

    def check_secret(self) -> None:
        """Whatever holds a private key is for its owner only."""
        for path, (kind, *rest) in tree_of(STATE).items():
            if kind == "file" and b"PRIVATE KEY" in rest[1]:
                require(rest[0] == 0o600, f"{path} has a private key and mode {rest[0]:o}")

    def check_nothing_due(self, *arguments: str) -> None:
        """One more run ends well and touches no file."""
        before = _touched(STATE)
        run = self.cert(*arguments)
        require(run.exit_code == DONE and re.search("nothing (due|to do)", run.output),
                 f"one more run ended with {run.exit_code}:\n{run.output}")
        require(_touched(STATE) == before, f"one more run changed files:\n{run.output}")

    def _check_nginx_starts(self, pair: Path) -> None:
        config = self.directory / "check.conf"
        config.write_text(self._nginx(f"server {{ listen 8443 ssl; ssl_certificate {pair}/fullchain.pem; "
                                      f"ssl_certificate_key {pair}/privkey.pem; }}", "check"))
        _run("nginx", "-t", "-q", "-c", str(config))

    def _start_nginx(self) -> None:
        config = self.directory / "nginx.conf"
        config.write_text(self._nginx(f"server {{ listen 80; root {STATE}/acme/webroot; }}", "served"))
        processes.start(["nginx", "-c", str(config), "-g", "daemon off;"], stdin=subprocess.DEVNULL)

    def _nginx(self, server: str, name: str) -> str:
        # One process, so that it ends with this one.
        temporary = " ".join(f"{kind}_temp_path {self.directory}/nginx-temporary;"
                             for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        return (f"user root; master_process off; pid {self.directory}/{name}.pid; error_log stderr crit; "
                f"events {{}} http {{ access_log off; {temporary} {server} }}\n")


def live_files(store: Path) -> dict[str, tuple]:
    """Every file of the store that is served or may be, with what shows that it was touched."""
    return {path: facts for path, facts in _touched(store).items() if re.search("/(live|stamp|generations/.+/.+)$", path)}


# --- many rooms ---

_here: list = []


def workshops(directory: Path, make_ca: Callable, count: int | None = None):
    """Processes with a room each, and in it what `make_ca(workshop)` makes; for `run_all`. Two for each processor:
    half of a case's time is waiting."""
    return multiprocessing.get_context("fork").Pool(count or 2 * (os.cpu_count() or 1), _enter, (directory, make_ca))


def run_all(pool, case: Callable, arguments: list) -> None:
    """Runs `case(workshop, ca, *one)` for each of the arguments; fails with all that went wrong, and where."""
    told = pool.starmap(_attempt, [(case, one) for one in arguments], chunksize=1)
    wrong = [text for text in told if text]
    if wrong or not told:
        pytest.fail("\n\n".join([f"{len(wrong)} of {len(told)} cases failed", *wrong]), pytrace=False)


def run_here(case: Callable, *arguments):
    """For `pool.apply`: runs one case and returns what it does."""
    if len(_here) == 1:
        raise _here[0]
    return case(*_here, *arguments)


def _enter(directory: Path, make_ca: Callable) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # the pool's way to end this process
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    try:
        workshop = Workshop(Path(tempfile.mkdtemp(dir=directory)))
        _here[:] = workshop, make_ca(workshop)
    except Exception as error:  # a pool would begin anew for ever
        _here[:] = [error]


def _attempt(case: Callable, arguments: tuple) -> str:
    try:
        run_here(case, *arguments)
        return ""
    except Exception as error:
        where = "".join(traceback.format_tb(error.__traceback__)[2:3])
        return f"--- {', '.join(map(str, arguments))}: {type(error).__name__}: {error}\n{where}"


# --- small things ---

def require(condition: object, otherwise: str) -> None:
    if not condition:
        raise AssertionError(otherwise)


def _run(*argv: str) -> str:
    return processes.run(list(argv)).stdout


def _program() -> Path:
    chosen = os.environ.get("COMMENTO_CERT")
    return Path(chosen).absolute() if chosen else REPOSITORY / "build" / "package" / "commento-cert"


def _check_pair(folder: Path) -> None:
    """Python's ssl loads a chain and its key only where they match."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(folder / "fullchain.pem", folder / "privkey.pem")
    except (OSError, ssl.SSLError) as error:
        raise AssertionError(f"{folder} -> {os.readlink(folder)} does not load: {error}") from error


def _write_settings(path: Path, settings: dict[str, str]) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))


def _touched(folder: Path) -> dict[str, tuple]:
    """Every file with inode, times, mode: whatever is written to shows. Not the folders: a lock may come and go."""
    found = {}
    for path in folder.rglob("*"):
        status = path.lstat()
        if path.is_symlink() or not path.is_dir():
            found[str(path)] = status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_mode
    return found


def _copy(source: Path, target: Path) -> None:
    shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)


def _has_ended(process: subprocess.Popen) -> bool:
    """Leaves it to be waited for."""
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _wait(process: subprocess.Popen, timeout: float):
    """Its status and what it used; subprocess itself does not tell the latter."""
    descriptor = os.pidfd_open(process.pid)
    ended = select.select([descriptor], [], [], timeout)[0]
    os.close(descriptor)
    if not ended:
        process.kill()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    require(ended, f"it did not end within {timeout:g} s")
    return status, usage
