"""The package for arm64, cross-built on this host as CONTRIBUTING.md has it, beside the one for amd64. That its programs start is
shown with qemu, which emulates the processor and not the system; whether they serve on such a host, only such a host can show.

Nothing that was compiled for amd64 is of use to it, and all of it takes twelve minutes of two cores: ctest has it where
CMake was told COMMENTO_ARM64_TEST=ON."""

import os
import re
from pathlib import Path

import pytest

from machine import places, roots
from machine.packages import programs_in, unpack
from machine.processes import run

FOLDER = "build/arm64"
# Where the tree is in the builder.
TREE = "/mnt"
DIFFERENT = {"Architecture", "Installed-Size"}
# Its programs as installed, on a host without systemd.
STARTED = """
dpkg-deb --extract "$1" /
for program in /usr/bin/commentoctl /usr/libexec/commento-stack/*; do
    qemu-aarch64-static "$program" --version
done
qemu-aarch64-static /usr/lib/systemd/system-generators/commento-generator || [ $? -eq 2 ]
useradd --system commento
mkdir /etc/commento-stack
printf 'DOMAIN=comments.example.test\\nEMAIL=operator@example.test\\n' > /etc/commento-stack/commento-stack.conf
qemu-aarch64-static /usr/bin/commentoctl show-config
qemu-aarch64-static /usr/libexec/commento-stack/commento-cert bootstrap
openssl x509 -in /var/lib/commento-stack/tls/live/fullchain.pem -noout -subject
"""


class Builder:
    """A Debian with amd64 that knows arm64 too."""

    def __init__(self):
        self._template = roots.builder_for_arm64()
        self._locks = roots.use(self._template)

    def close(self) -> None:
        for descriptor in self._locks:
            os.close(descriptor)

    def run(self, *argv: str, check: bool = True, timeout: float = 60):
        """Runs a program in the tree; what it changes elsewhere is gone afterwards. What ccache has of an earlier run counts."""
        cache = run(["ccache", "--get-config", "cache_dir"]).stdout.strip()
        Path(cache).mkdir(parents=True, exist_ok=True)
        return run(["systemd-nspawn", "--quiet", "--keep-unit", "--register=no", "--private-network", "--volatile=overlay",
                    f"--directory={self._template.layers[0]}", f"--bind={places.REPOSITORY}:{TREE}", f"--chdir={TREE}",
                    f"--bind={cache}:/opt", "--setenv=CCACHE_DIR=/opt", "--pipe", *argv],
                   check=check, timeout=timeout, shown=list(argv))


@pytest.fixture(scope="module")
def builder():
    made = Builder()
    yield made
    made.close()


@pytest.fixture(scope="module")
def package(builder) -> Path:
    for former in (places.REPOSITORY / FOLDER).glob("commento-stack_*.deb"):
        former.unlink()
    builder.run("nice", "cmake", "--preset", "arm64")
    builder.run("nice", "cmake", "--build", "--preset", "arm64", "--target", "package", timeout=3600)
    [made] = (places.REPOSITORY / FOLDER).glob("commento-stack_*_arm64.deb")
    return made


@pytest.fixture(scope="module")
def tree(package, tmp_path_factory) -> Path:
    return unpack(package, tmp_path_factory.mktemp("arm64") / "tree")


@pytest.fixture(scope="module")
def other(tmp_path_factory) -> Path:
    """Of the package for amd64."""
    return unpack(places.deb(), tmp_path_factory.mktemp("amd64") / "tree")


def control(tree: Path) -> dict[str, str]:
    fields = re.findall(r"(?m)^([\w-]+): ((?:.*)(?:\n .*)*)$", (tree / "DEBIAN/control").read_text())
    return {name: text for name, text in fields if name not in DIFFERENT}


def listing(package: Path) -> list[list[str]]:
    """Modes, owners, times and names."""
    return [[*line.split(maxsplit=2)[:2], *line.split(maxsplit=3)[3:]]
            for line in run(["dpkg-deb", "--contents", str(package)]).stdout.splitlines()]


def test_it_differs_from_the_one_for_amd64_in_its_programs_alone(package, tree, other):
    assert run(["dpkg-deb", "--field", str(package), "Architecture"]).stdout.strip() == "arm64"
    assert listing(package) == listing(places.deb())
    assert control(tree) == control(other)
    for path in sorted({path for path in other.rglob("*") if path.is_file()} - set(programs_in(other))):
        name = path.relative_to(other)
        if str(name) not in ("DEBIAN/control", "DEBIAN/md5sums"):
            assert (tree / name).read_bytes() == path.read_bytes(), name


def test_each_program_is_for_arm64_and_as_hardened_as_on_amd64(tree, other):
    programs = programs_in(tree)
    assert len(programs) == len(programs_in(other))
    for program in programs:
        told = run(["readelf", "--wide", "--file-header", "--program-headers", "--dynamic", str(program)]).stdout
        assert re.search(r"Machine: +AArch64\n", told) and re.search(r"Type: +DYN \(Position-Independent Executable", told), program
        assert "GNU_RELRO" in told and re.search(r"FLAGS_1\).* NOW\b", told) and re.search(r"GNU_STACK.* RW ", told), program


def test_lintian_finds_no_more_in_it_than_in_the_one_for_amd64(package):
    run([str(places.REPOSITORY / "tests/lint/package.sh"), str(places.REPOSITORY), str(package.parent)], timeout=300)


def test_its_programs_start_and_make_a_first_certificate(builder, package, tree):
    said = builder.run("sh", "-euc", STARTED, "sh", f"{TREE}/{FOLDER}/{package.name}").output
    told = [*(tree / "usr/libexec/commento-stack").iterdir(), *(tree / "usr/bin").iterdir()]
    assert len(told) >= 7
    for program in told:
        assert f"{program.name} {package.name.split('_')[1]}\n" in said
    assert "error: three folders are to be given" in said
    assert re.search(r"(?m)^DOMAIN +comments\.example\.test +/etc/commento-stack/commento-stack\.conf:1$", said)
    assert "subject=O = commento-stack, CN = comments.example.test" in said
