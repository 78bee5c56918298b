"""The calls that change the state, as shim.cpp sees them, and what is to happen at one of them."""

import os
from dataclasses import dataclass
from pathlib import Path

from machine.places import REPOSITORY

STATE = Path("/var/lib/commento-stack")


@dataclass(frozen=True)
class Call:
    """One call; the fields are explained in shim.cpp."""

    number: int
    name: str
    error: int
    path: str
    details: tuple[str, ...]

    def __str__(self) -> str:
        return f"call {self.number}, {self.name} {self.path}"


@dataclass(frozen=True)
class Plan:
    """What happens at a call: `do` is kill-before, kill-after, or an errno, with the names of the calls that fail."""

    at: int = 0
    do: str | int = ""
    calls: str = ""
    times: int = 1

    def environment(self, log: Path) -> dict[str, str]:
        return {"LD_PRELOAD": str(_shim()), "FAULTS_FOLDER": str(STATE), "FAULTS_LOG": str(log),
                "FAULTS_AT": str(self.at), "FAULTS_DO": str(self.do), "FAULTS_OPS": self.calls,
                "FAULTS_TIMES": str(self.times)}


def read_calls(log: Path) -> list[Call]:
    calls = []
    for line in log.read_text().splitlines() if log.exists() else []:
        number, name, error, path, *details = line.split("\t")
        calls.append(Call(int(number), name, int(error), path, tuple(details)))
    return calls


def _shim() -> Path:
    chosen = os.environ.get("COMMENTO_FAULTS_SHIM")
    return Path(chosen) if chosen else REPOSITORY / "build" / "package" / "tests" / "faults" / "libfaults_shim.so"
