"""One package for several releases: which versions of the C library's symbols it wants, and under which names each release
has what it depends on. That it runs on Debian 12 and 13 is shown by tests/system/commento.py, on booted machines."""

import re
from pathlib import Path

import pytest

from machine import places
from machine.packages import programs_in, unpack
from machine.processes import run

# What the releases have, by their own package indexes and systemd's table of distributions (its README, section
# requirements); Ubuntu's can't be installed here, so for it this is all that is checked.
RELEASES = {"Debian 12": {"libc6": "2.36", "systemd": "252", "libssl3": "3.0.11"},
            "Debian 13": {"libc6": "2.41", "systemd": "257", "libssl3": "3.5"},
            "Ubuntu 24.04": {"libc6": "2.39", "systemd": "255", "libssl3": "3.0.13"}}
# How a run ended is handed to OnFailure= units from systemd 251 on; of the C library, arc4random() is of 2.36.
TOO_OLD = {"Ubuntu 22.04": {"libc6": "2.35", "systemd": "249"}}

# What Debian and Ubuntu renamed for 64-bit times: named either way, or provided under the former name with a version.
RENAMED = {"libcurl4": "libcurl4t64", "libpsl5": "libpsl5t64"}

# Libraries whose names changed from release to release, and that are therefore linked in or header-only.
NOT_SHARED = ("libstdc++", "libgcc", "libfmt", "libspdlog")


@pytest.fixture(scope="module")
def tree(tmp_path_factory) -> Path:
    return unpack(places.deb(), tmp_path_factory.mktemp("package") / "tree")


def dependencies(tree: Path) -> dict[str, str]:
    """Names to the least version; of alternatives, all."""
    field = re.search(r"(?m)^Depends: (.*)$", (tree / "DEBIAN/control").read_text())[1]
    return {name: version or "0" for name, version in re.findall(r"([a-z0-9.+-]+)(?: \(>= ([^)]+)\))?", field)}


def at_least(have: str, wanted: str) -> bool:
    return run(["dpkg", "--compare-versions", have, "ge", wanted], check=False).exit_code == 0


@pytest.mark.parametrize("release", RELEASES)
def test_each_release_has_what_the_package_wants(tree, release):
    wanted = dependencies(tree)
    for name, have in RELEASES[release].items():
        assert at_least(have, wanted[name]), name


@pytest.mark.parametrize("release", TOO_OLD)
def test_a_release_that_is_too_old_is_refused_by_apt_and_not_by_a_unit_that_fails(tree, release):
    assert not at_least(TOO_OLD[release]["systemd"], dependencies(tree)["systemd"])
    assert not at_least(TOO_OLD[release]["libc6"], dependencies(tree)["libc6"])


def test_libraries_that_are_loaded_at_their_first_use_are_named_as_each_release_has_them(tree):
    assert set(RENAMED) | set(RENAMED.values()) <= set(dependencies(tree))


def test_no_program_wants_symbols_that_the_oldest_release_lacks(tree):
    for program in programs_in(tree):
        symbols = run(["objdump", "--dynamic-syms", str(program)]).stdout
        versions = set(re.findall(r"\(?GLIBC_([0-9.]+)\)?", symbols))
        assert versions and all(at_least(RELEASES["Debian 12"]["libc6"], version) for version in versions), program
        assert not re.findall(r"GLIBCXX_|CXXABI_|CURL_OPENSSL", symbols), program


def test_no_library_is_shared_whose_name_changes_from_release_to_release(tree):
    for program in programs_in(tree):
        needed = re.findall(r"NEEDED +(\S+)", run(["objdump", "--private-headers", str(program)]).stdout)
        assert not [library for library in needed if library.startswith(NOT_SHARED)], program


def test_no_program_tells_where_it_was_built(tree):
    for program in programs_in(tree):
        assert not re.findall(rb"[\w./-]+src/\w+/\w+\.[ch]pp", program.read_bytes()), program
