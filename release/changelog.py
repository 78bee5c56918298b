"""debian/changelog, the one history of releases, as an RPM's %changelog has it."""

import email.utils
import re
import sys
import textwrap
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

_HEAD = re.compile(r"^(?P<name>\S+) \((?P<version>[^)]+)\) ")
_TRAILER = re.compile(r"^ -- (?P<who>.+>)  (?P<when>.+)$")


@dataclass
class Release:
    version: str
    changes: list[str]
    who: str = ""
    when: datetime | None = None


def read(file: Path) -> list[Release]:
    """All releases, the newest first. Raises ValueError for a line that is none of deb-changelog(5)'s."""
    releases: list[Release] = []
    for line in file.read_text().splitlines():
        if head := _HEAD.match(line):
            releases.append(Release(head["version"], []))
        elif trailer := _TRAILER.match(line):
            releases[-1].who, releases[-1].when = trailer["who"], email.utils.parsedate_to_datetime(trailer["when"])
        elif line.startswith("  * "):
            releases[-1].changes.append(line[4:].strip())
        elif line.startswith("    "):
            releases[-1].changes[-1] += " " + line.strip()
        elif line.strip():
            raise ValueError(f"{file}: not understood: {line}")
    return releases


def to_rpm(releases: list[Release]) -> str:
    """The text below %changelog. A percent sign would begin a macro there."""
    entries = []
    for release in releases:
        lines = [f"* {release.when:%a %b %d %Y} {release.who} - {release.version}-1"]
        for change in release.changes:
            lines += textwrap.wrap(change.replace("%", "%%"), 78, initial_indent="- ", subsequent_indent="  ")
        entries.append("\n".join(lines) + "\n")
    return "\n".join(entries)


def into_specification(text: str, releases: list[Release]) -> str:
    """The RPM's specification with its version and, at its end, its history."""
    versioned, count = re.subn(r"(?m)^(Version: +).*$", rf"\g<1>{releases[0].version}", text)
    if count != 1:
        raise ValueError(f"the specification has {count} lines with a version")
    return versioned + to_rpm(releases)


if __name__ == "__main__":
    print(to_rpm(read(Path(sys.argv[1]))), end="")
