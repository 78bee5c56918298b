#!/usr/bin/python3
"""A release, from packages that were built: what is put on the web for users, all of it signed or named in what is signed.

usage: make.py FOLDER --url URL --key KEY PACKAGE...

The packages are the .deb and, built on their targets from the source package (docs/fedora.md), RPMs, all of the version that is
debian/changelog's newest. In FOLDER are then

  commento-stack-VERSION.tar.gz, commento-stack-VERSION-1.src.rpm    the source, for any target
  *.deb, *.rpm                   the packages, the RPMs signed: the same bytes as in the repositories
  *.spdx.json                    what is in the .deb
  SHA256SUMS, SHA256SUMS.asc     checksums of all these
  repositories/                  for apt and dnf (repositories.py); what was there stays, so that it may be the published one
"""

import hashlib
import shutil
import sys
import tempfile
from pathlib import Path

import changelog
import repositories
import source

TREE = Path(__file__).resolve().parents[1]


def make_sources(folder: Path, version: str) -> list[Path]:
    archive = folder / f"commento-stack-{version}.tar.gz"
    source.make(TREE, archive)
    with tempfile.TemporaryDirectory() as name:
        # What it is built with is looked at where it is built.
        repositories.run("rpmbuild", "-ts", "--nodeps", "--quiet", "--define", f"_topdir {name}", "--define", "dist %{nil}", archive)
        return [archive, Path(shutil.copy(next(Path(name).glob("SRPMS/*.src.rpm")), folder))]


def version_of(package: Path) -> str:
    query = (["dpkg-deb", "--show", "--showformat=${Version}"] if package.suffix == ".deb" else
             ["rpm", "--query", "--queryformat=%{VERSION}", "--package"])
    return repositories.run(*query, package).decode()


def make(folder: Path, url: str, key: repositories.Key, packages: list[Path]) -> None:
    version = changelog.read(TREE / "debian/changelog")[0].version
    for package in packages:
        if (found := version_of(package)) != version:
            raise SystemExit(f"{package} is version {found}, and debian/changelog has {version}")
    folder.mkdir(parents=True, exist_ok=True)
    made = make_sources(folder, version)
    key.sign_rpm(made[1])
    for package in repositories.make(folder / "repositories", url, key, packages):
        made.append(Path(shutil.copy(package, folder)))
        if package.suffix == ".deb":
            made.append(folder / f"{package.stem}.spdx.json")
            repositories.run(sys.executable, "-B", TREE / "release/sbom.py", package, made[-1])
    sums = "".join(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in sorted(made))
    repositories.put(folder / "SHA256SUMS", sums.encode())
    repositories.put(folder / "SHA256SUMS.asc", key.sign("--detach-sign", sums.encode()))


if __name__ == "__main__":
    make(*repositories.arguments(__doc__))
