"""Commands that ask on a terminal."""

import os
import pty
import select

from .machine import Machine


_PATIENCE = 60


def in_russian(machine: Machine) -> dict[str, str]:
    """The environment of an operator who speaks Russian; the machine learns it first."""
    machine.install(["locales"])
    machine.run(["localedef", "--inputfile=ru_RU", "--charmap=UTF-8", "ru_RU.UTF-8"])
    return {"LC_ALL": "ru_RU.UTF-8"}


class Terminal:
    """A command inside the machine on a terminal of its own, which controls it: Ctrl-C reaches it as an interrupt."""

    def __init__(self, machine: Machine, argv: list[str], **options):
        self.master, slave = pty.openpty()
        self.process = machine.popen(["setsid", "--ctty", "--wait", *argv], stdin=slave, stdout=slave, stderr=slave, **options)
        os.close(slave)
        self.shown = ""
        self._expected = 0  # up to where of it

    def expect(self, text: str) -> None:
        """Waits until it shows the text, after what was expected before."""
        while text not in self.shown[self._expected:]:
            self._read()
        self._expected = self.shown.index(text, self._expected) + len(text)

    def type(self, line: str) -> None:
        os.write(self.master, line.encode() + b"\n")

    def interrupt(self) -> None:
        """Ctrl-C."""
        os.write(self.master, b"\x03")

    def end(self) -> int:
        try:
            while True:
                self._read()
        except EOFError:
            pass
        os.close(self.master)
        return self.process.wait(timeout=30)

    def _read(self) -> None:
        if not select.select([self.master], [], [], _PATIENCE)[0]:
            self.process.kill()
            raise TimeoutError(f"the command waits; it showed: {self.shown}")
        try:
            more = os.read(self.master, 4096)
        except OSError:  # how a terminal says that nobody is left on its other side
            more = b""
        if not more:
            raise EOFError(f"the command ended; it showed: {self.shown}")
        self.shown += more.decode(errors="replace")
