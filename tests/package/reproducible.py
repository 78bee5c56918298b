"""The same source gives the same package, byte for byte, wherever and whenever it is built.

It is built a second time: in another folder, on another day, in another time zone and language, with another umask. A full
build takes half an hour of a core, so objects come from ccache but for some, which are compiled anew: of each library
that leaves code in our objects, one that uses it. Linked and packed is all of it. COMMENTO_REPRODUCIBLE=full compiles
everything anew."""

import hashlib
import os
import shutil
from pathlib import Path

import pytest

from machine import places
from machine.packages import unpack
from machine.processes import run

COMPILED = [f"src/{room}/CMakeFiles/{room}.dir/{name}.cpp.o" for room, name in
            [("base", "program"), ("net", "certificate"), ("acme", "json"), ("nginx", "site"), ("db", "postgres"), ("db", "archive")]]
LANGUAGE = {"LC_ALL": "C"}  # ccache takes its objects to be of one language each
ANOTHER_DAY = ["faketime", "+500 days"]


@pytest.fixture
def another_place(tmp_path):
    """The tree as git has it, in a folder with a longer name."""
    place = tmp_path / "another place of quite another length"
    place.mkdir()
    listed = run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=places.REPOSITORY).stdout
    for name in sorted(filter(None, listed.split("\0")), reverse=True):  # the order in folders, on many file systems
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(places.REPOSITORY / name, place / name)
    return place


def build(place: Path, *words: str, **environment: str) -> None:
    env = os.environ | {"TZ": "Pacific/Kiritimati"} | environment
    run([*ANOTHER_DAY, "nice", "cmake", *words], cwd=place, env=env, umask=0o077, timeout=3600)


def test_another_build_gives_the_same_bytes(another_place):
    build(another_place, "--preset", "package", **LANGUAGE)
    package = ["--build", "--preset", "package", "--target"]
    if os.environ.get("COMMENTO_REPRODUCIBLE") == "full":
        build(another_place, *package, "all", CCACHE_DISABLE="1", **LANGUAGE)
    build(another_place, *package, *COMPILED, CCACHE_DISABLE="1", **LANGUAGE)
    build(another_place, *package, "all")
    build(another_place, *package, "package", **LANGUAGE)

    [made] = (another_place / "build/package").glob("commento-stack_*.deb")
    if digest(made) != digest(places.deb()):
        pytest.fail(run(["diff", "--recursive", *map(str, (unpack(places.deb(), another_place / "first"), unpack(made, another_place / "second")))],
                        check=False).output[:4000] or "only the archives themselves differ")


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
