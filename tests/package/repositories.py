"""The repositories that release/repositories.py makes, on hosts whose users paste what README says."""

import json
import re
import shutil
from pathlib import Path
from typing import Iterator

import pytest

from machine import Machine, places, roots
from machine.packages import make_rpm_release, make_version
from machine.processes import run
from machine.signing import URL, Key, new_key

README_URL = "https://packages.commento-stack.example"
_YES = {"apt": "--yes", "dnf": "--assumeyes"}  # nobody is there to answer


@pytest.fixture(scope="module")
def keys() -> Iterator[tuple[Key, Key]]:
    """The operator's, and a stranger's of the same name."""
    with new_key() as mine, new_key() as stranger:
        yield mine, stranger


def pasted(tool: str) -> list[str]:
    """What README has users of that tool run."""
    lines = [line.strip() for line in (places.REPOSITORY / "README.md").read_text().splitlines()]
    last = next(number for number, line in enumerate(lines) if re.match(rf"{tool} (update && \w+ )?install commento-stack\b", line))
    first = last
    while lines[first - 1].startswith("curl "):
        first -= 1
    commands = [line.split("#")[0].replace(README_URL, URL) for line in lines[first:last + 1]]
    assert len(commands) in (2, 3)
    return commands


# Answers in full each time: what is altered within the second in which it was published has the date of what a host knows.
_SERVER = """
import sys
from http.server import HTTPServer, SimpleHTTPRequestHandler

class Whole(SimpleHTTPRequestHandler):
    def send_head(self):
        del self.headers["If-Modified-Since"]
        return super().send_head()

HTTPServer(("127.0.0.1", int(sys.argv[1])), lambda *connection: Whole(*connection, directory=sys.argv[2])).serve_forever()
"""


class Host:
    """A machine that reaches a repository over HTTP on its loopback."""

    def __init__(self, machine: Machine, folder: Path, tool: str):
        self.machine, self.folder, self.tool = machine, folder, tool
        self.log = folder.parent / f"{tool}.log"
        machine.popen_beside(["/usr/bin/python3", "-c", _SERVER, URL.rsplit(":")[-1], str(folder)],
                             stdout=self.log.open("w"), stderr=self.log.open("w"))
        machine.wait_until("the web server", lambda: machine.run(["curl", "--silent", "--fail", URL], check=False).exit_code == 0)

    def paste(self) -> None:
        for command in pasted(self.tool):
            self.machine.run(["sh", "-c", command.replace("install", f"install {_YES[self.tool]}")], timeout=300)

    def upgrade(self) -> str:
        """To the newest that there is, as far as that is believed; what was fetched before does not count."""
        steps = {"apt": [["apt-get", "clean"], ["apt-get", "--error-on=any", "update"], ["apt-get", "install", "--yes", "commento-stack"]],
                 "dnf": [["dnf", "clean", "all"], ["dnf", "--assumeyes", "upgrade", "commento-stack"]]}[self.tool]
        said = ""
        for step in steps:
            done = self.machine.run(step, check=False, timeout=300)
            said += done.output
            if done.exit_code:
                break
        return said

    def refusal(self) -> str:
        """What is said where nothing is installed."""
        before = self.version()
        said = self.upgrade()
        assert self.version() == before, said
        return said

    def told_of_an_update(self) -> str:
        """What `commentoctl version` says of it once the host has heard."""
        self.machine.run(["apt-get", "update"] if self.tool == "apt" else ["dnf", "--refresh", "makecache"], timeout=120)
        return json.loads(self.machine.run(["commentoctl", "version", "--json"]).stdout)["commento-stack"]["outdated"]

    def version(self) -> str:
        query = (["dpkg-query", "--show", "--showformat=${Version}", "commento-stack"] if self.tool == "apt" else
                 ["rpm", "--query", "--queryformat=%{VERSION}-%{RELEASE}", "commento-stack"])
        return self.machine.run(query).stdout


def flip(file: Path) -> None:
    """One bit of it."""
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def test_apt_installs_upgrades_and_refuses_what_was_altered_or_is_not_signed(keys, tmp_path):
    mine, stranger = keys
    folder, later = tmp_path / "repository", make_version("9.0", tmp_path)
    mine.publish("repositories.py", folder, places.deb())
    with Machine(roots.pristine()) as machine:
        machine.run(["sed", "--in-place", "/product/d", "/etc/apt/sources.list"])  # only the repository under test has it
        host = Host(machine, folder, "apt")
        host.paste()
        assert host.version() == places.version(places.deb())
        assert "/by-hash/SHA256/" in host.log.read_text()
        assert machine.unit("commento.target")["ActiveState"] == "inactive"

        mine.publish("repositories.py", folder, later)
        good = tmp_path / "good"
        shutil.copytree(folder, good)
        package = next(folder.glob("apt/pool/*_9.0_*.deb"))
        flip(package)
        assert "Hash Sum mismatch" in host.refusal()
        shutil.copy(later, package)

        release = folder / "apt/dists/stable"
        for name in ("InRelease", "Release.gpg"):
            (release / name).unlink()
        assert "no longer signed" in host.refusal()
        shutil.copytree(good, folder, dirs_exist_ok=True)
        flip(release / "InRelease")
        assert "InRelease" in host.refusal()

        stranger.publish("repositories.py", folder, later)
        assert "NO_PUBKEY" in host.refusal()
        shutil.copytree(good, folder, dirs_exist_ok=True)

        assert host.version() == places.version(places.deb())
        assert host.told_of_an_update() == "9.0 is available: sudo apt-get install --only-upgrade commento-stack"
        host.upgrade()
        assert host.version() == "9.0"


def test_dnf_installs_upgrades_and_refuses_what_was_altered_or_is_not_signed(keys, tmp_path, monkeypatch):
    monkeypatch.setenv("COMMENTO_FAMILY", "fedora")
    mine, stranger = keys
    folder, later = tmp_path / "repository", make_rpm_release("2", tmp_path)
    mine.publish("repositories.py", folder, places.rpm())
    with Machine(roots.pristine()) as machine:
        # What stands for Fedora's packages is in the same folder as the product, which is to come from elsewhere.
        machine.run(["sed", "--in-place", "$ a excludepkgs=commento-stack", "/etc/yum.repos.d/product.repo"])
        host = Host(machine, folder, "dnf")
        host.paste()
        present = host.version()
        assert machine.run(["rpm", "--query", "gpg-pubkey"]).stdout.startswith("gpg-pubkey-")
        assert machine.unit("commento.target")["ActiveState"] == "inactive"

        mine.publish("repositories.py", folder, later)
        good, place = tmp_path / "good", folder / "rpm/x86_64"
        shutil.copytree(folder, good)
        flip(place / later.name)
        assert "checksum" in host.refusal().lower()

        shutil.copy(later, place)  # without a signature, but listed by who has the key
        run(["createrepo_c", "--quiet", "--no-database", str(place)])
        mine.sign(place / "repodata/repomd.xml")
        assert "is not signed" in host.refusal()
        (place / "repodata/repomd.xml.asc").unlink()
        assert "GPG" in host.refusal()

        stranger.publish("repositories.py", folder, later)
        (folder / "commento-stack.asc").write_bytes((good / "commento-stack.asc").read_bytes())
        assert "GPG" in host.refusal()
        shutil.rmtree(folder)
        shutil.copytree(good, folder)

        assert host.version() == present
        newer = present.replace("-1", "-2")
        assert host.told_of_an_update() == f"{newer} is available: sudo dnf upgrade commento-stack"
        host.upgrade()
        assert host.version() == newer
