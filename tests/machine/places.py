"""Where things are: the repository, the cache of machines, and what is under test."""

import os
import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


class NotBuilt(Exception):
    """What is under test is not there yet; the message says how to make it."""


def machines() -> Path:
    """The cache of roots and the running machines' files. It may hold some GB, so its place can be chosen."""
    place = Path(os.environ.get("COMMENTO_MACHINES") or REPOSITORY / "build" / "machines").absolute()
    place.mkdir(parents=True, exist_ok=True)
    return place


def deb() -> Path:
    """The package under test: COMMENTO_DEB, else the newest that the package preset made."""
    return _chosen_or_newest("COMMENTO_DEB", "commento-stack_*.deb", "cmake --build --preset package --target package")


def rpm() -> Path:
    """The RPM under test: COMMENTO_RPM, else the newest that the package preset made."""
    return _chosen_or_newest("COMMENTO_RPM", "commento-stack-[0-9]*.rpm", "cmake --build --preset package --target rpm")


def version(package: Path) -> str:
    """Of that .deb or RPM, as its name has it."""
    return re.split("[_-]", package.name.removeprefix("commento-stack"))[1]


def family() -> str:
    """Whose package is under test: debian, or fedora's."""
    return os.environ.get("COMMENTO_FAMILY") or "debian"


def archive() -> Path:
    """The application's archive: COMMENTO_ARCHIVE (a real release), else the stand-in's."""
    return _chosen_or_newest("COMMENTO_ARCHIVE", "commento-standin*.tar.gz",
                             "cmake --build --preset package --target standin_archive")


def is_standin() -> bool:
    """Whether the application under test is only the stand-in; users are told so."""
    return not os.environ.get("COMMENTO_ARCHIVE")


def suite() -> str:
    """The Debian release that the machines run."""
    return os.environ.get("COMMENTO_SUITE") or "bookworm"


def _chosen_or_newest(variable: str, pattern: str, how_to_make: str) -> Path:
    chosen = os.environ.get(variable)
    if chosen:
        path = Path(chosen).absolute()
        if not path.is_file():
            raise NotBuilt(f"{variable} names {path}, which is not a file")
        return path
    # "_CPack_Packages" holds half-made packages, and "release" what was published some time.
    made = [path for path in (REPOSITORY / "build" / "package").glob(f"**/{pattern}")
            if not {"_CPack_Packages", "release", "repositories"} & set(path.parts)]
    if not made:
        raise NotBuilt(f"no {pattern} under build/package; make it with `cmake --preset package && {how_to_make}`, "
                       f"or name one in {variable}")
    return max(made, key=lambda path: path.stat().st_mtime)
