"""Running programs so that none of them outlives this one, and waiting for conditions."""

import contextlib
import ctypes
import fcntl
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Iterator

_libc = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Result:
    """What a finished program left behind."""

    argv: list[str]
    exit_code: int
    stdout: str
    stderr: str

    @property
    def output(self) -> str:
        return self.stdout + self.stderr


class CommandFailed(Exception):
    """A program that had to succeed did not. Its output is in the message, because that is what a reader needs."""

    def __init__(self, result: Result):
        self.result = result
        super().__init__(f"`{' '.join(result.argv)}` ended with {result.exit_code}\n{result.output}".rstrip())


def run(argv: list[str], *, check: bool = True, input: str | bytes | None = None, timeout: float = 60,
        shown: list[str] | None = None, **options) -> Result:
    """Runs a program to its end. `shown` is the command that messages name, where the real one is only a wrapper."""
    data = input.encode() if isinstance(input, str) else input
    stdin = {"input": data} if data is not None else {"stdin": subprocess.DEVNULL}
    done = subprocess.run(argv, capture_output=True, timeout=timeout, **stdin, **options)
    result = Result(list(shown or argv), done.returncode, done.stdout.decode(errors="replace"),
                    done.stderr.decode(errors="replace"))
    if check and result.exit_code:
        raise CommandFailed(result)
    return result


def start(argv: list[str], *, prepare: Callable[[], None] = lambda: None, **options) -> subprocess.Popen:
    """Starts a program that the kernel kills when this one dies, however that happens.

    In its own session: a Ctrl-C at the terminal is for this program, which then takes the others down in order.
    """
    def before_exec() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        prepare()

    return subprocess.Popen(argv, preexec_fn=before_exec, start_new_session=True, **options)


def stop(process: subprocess.Popen, timeout: float = 10) -> None:
    """Ends a program that `start` made: asks, then insists."""
    if process.poll() is None:
        process.send_signal(signal.SIGCONT)  # a paused one could not hear the request
        process.terminate()
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until(description: str, condition: Callable[[], object], timeout: float = 30, interval: float = 0.02):
    """Returns the condition's first true value; says what was waited for when the time is over.

    A condition may raise OSError, CommandFailed or AssertionError while things are not there yet; the last is shown.
    """
    deadline = time.monotonic() + timeout
    last = ""
    while True:
        try:
            value = condition()
            if value:
                return value
            last = f"; the last answer was {value!r}"
        except (OSError, CommandFailed, AssertionError) as error:
            last = f"; the last error was {type(error).__name__}: {error}"
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {timeout:g} s for: {description}{last}")
        time.sleep(interval)


@contextlib.contextmanager
def locked(path: Path, *, shared: bool = False) -> Iterator[None]:
    """Holds a lock on a file. flock: a killed holder leaves nothing behind."""
    descriptor = lock(path, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(descriptor)


def lock(path: Path, how: int) -> int:
    """Takes a lock and returns the descriptor that holds it. Raises BlockingIOError with LOCK_NB when it is taken.

    The file may have been removed by who held the lock before: then the lock is on nothing, and is taken again.
    """
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, how)
            if os.fstat(descriptor).st_ino == os.stat(path).st_ino:
                return descriptor
        except FileNotFoundError:
            pass
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def end_on_signals() -> None:
    """Turns SIGTERM and SIGHUP into KeyboardInterrupt, so that `with` blocks clean up as they do on Ctrl-C."""
    def interrupt(number, frame):
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
    signal.signal(signal.SIGHUP, interrupt)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Keeps signals away while things are taken down: a second Ctrl-C must not leave half of them behind."""
    numbers = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
