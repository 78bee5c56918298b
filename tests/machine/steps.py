"""Showing a reader what is going on: each step with its time, and its progress where there is a terminal."""

import contextlib
import re
import subprocess
import time
from typing import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

Report = Callable[[float, float], None]  # done, of how many


class Steps:
    """Prints steps as they are taken: on a terminal with a live line, else with plain lines."""

    def __init__(self, console: Console):
        self._console = console
        self._live = console.is_terminal
        self._begin = time.monotonic()

    @contextlib.contextmanager
    def step(self, title: str) -> Iterator[Report]:
        """One step. What it yields may be called with how far it is; without, only its time is shown."""
        begin = time.monotonic()
        with self._display(title) as report:
            try:
                yield report
            except BaseException:
                self._line("FAILED", title, time.monotonic() - begin)
                raise
        self._line("ok", title, time.monotonic() - begin)

    def total(self) -> float:
        return time.monotonic() - self._begin

    @contextlib.contextmanager
    def _display(self, title: str) -> Iterator[Report]:
        if not self._live:
            self._print(f"          ... {title}")
            yield lambda done, total: None
            return
        columns = [SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=20), TimeElapsedColumn()]
        with Progress(*columns, console=self._console, transient=True) as progress:
            task = progress.add_task(title, total=None)
            yield lambda done, total: progress.update(task, completed=done, total=total)

    def _line(self, word: str, title: str, seconds: float) -> None:
        colour = {"ok": "green", "FAILED": "red"}[word]
        self._console.print(f"[{colour}]{word:>6}[/] {seconds:6.1f} s  {title}", highlight=False)

    def _print(self, text: str) -> None:
        self._console.print(text, highlight=False, markup=False, soft_wrap=True)


class StepFailed(Exception):
    """A program that a step runs ended badly; the message holds the end of what it said."""


def run_reporting(argv: list[str], report: Report, **options) -> None:
    """Runs a program and reports its progress as ninja writes it: "[done/total] …"."""
    lines: list[str] = []
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", **options) as process:
        try:
            for line in process.stdout:
                lines.append(line)
                if counted := re.match(r"\[(\d+)/(\d+)\]", line):
                    report(int(counted[1]), int(counted[2]))
        except BaseException:
            process.terminate()
            raise
    if process.returncode:
        raise StepFailed(f"`{' '.join(argv)}` ended with {process.returncode}:\n{''.join(lines[-60:])}")
