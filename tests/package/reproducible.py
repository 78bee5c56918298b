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
from machine.packages import programs_in, unpack
from machine.processes import run
from machine.signing import USER, new_key

COMPILED = [f"src/{room}/CMakeFiles/{room}.dir/{name}.cpp.o" for room, name in
            [("base", "program"), ("net", "certificate"), ("acme", "json"), ("nginx", "site"), ("db", "postgres"), ("db", "archive")]]
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


@pytest.fixture
def another_language(tmp_path):
    """Of other months and decimal points; ccache takes its objects to be of one language each."""
    run(["localedef", "--inputfile=de_DE", "--charmap=UTF-8", str(tmp_path / "de_DE.UTF-8")])
    return {"LOCPATH": str(tmp_path), "LC_ALL": "de_DE.UTF-8", "LANGUAGE": "de"}


def build(place: Path, *words: str, **environment: str) -> None:
    env = os.environ | {"TZ": "Pacific/Kiritimati"} | environment
    run([*ANOTHER_DAY, "nice", "cmake", *words], cwd=place, env=env, umask=0o077, timeout=3600)


def test_another_build_gives_the_same_bytes_where_nothing_but_the_programs_was_made_before_it_is_published(another_place, another_language):
    first = unpack(places.deb(), another_place / "first")
    programs = [program.name for program in programs_in(first)]
    build(another_place, "--preset", "package", f"-DCOMMENTO_SIGNING_KEY={USER}", **another_language)
    package = ["--build", "--preset", "package", "--target"]
    if os.environ.get("COMMENTO_REPRODUCIBLE") == "full":
        build(another_place, *package, *programs, CCACHE_DISABLE="1", **another_language)
    build(another_place, *package, *COMPILED, CCACHE_DISABLE="1", **another_language)
    build(another_place, *package, *programs)
    with new_key() as key:
        build(another_place, *package, "repositories", GNUPGHOME=key.env["GNUPGHOME"], **another_language)

    [made] = (another_place / "build/package").glob("commento-stack_*.deb")
    if digest(made) != digest(places.deb()):
        pytest.fail(run(["diff", "--recursive", str(first), str(unpack(made, another_place / "second"))],
                        check=False).output[:4000] or "only the archives themselves differ")


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
