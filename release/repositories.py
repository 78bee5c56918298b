#!/usr/bin/python3
"""Signed repositories for apt and dnf, as static files that any web host can serve, and the files that users paste.

usage: repositories.py FOLDER --url URL --key KEY PACKAGE...

What FOLDER holds already stays: packages are added, so that a host may go from one version to the next, and none is replaced by
another one of its name. KEY is what gpg knows the operator's key by; GNUPGHOME says where. What names another file is written after
that file, so that whoever downloads meanwhile finds a whole repository; but dnf fetches its index and the signature apart, and
refuses what it gets in the moment between these two.

  commento-stack.gpg, .asc    the public key, for apt and for rpm
  commento-stack.sources      for /etc/apt/sources.list.d
  commento-stack.repo         for /etc/yum.repos.d
  apt/                        pool/, dists/stable with InRelease and by-hash
  rpm/ARCH/                   packages, each signed, and repodata/repomd.xml with its signature
"""

import argparse
import gzip
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

NAME, SUITE, COMPONENT = "commento-stack", "stable", "main"

_SOURCES = """Types: deb
URIs: {url}/apt
Suites: {suite}
Components: {component}
Signed-By: /usr/share/keyrings/{name}.gpg
"""
_REPO = """[{name}]
name=Comment server: Commento with nginx and PostgreSQL
baseurl={url}/rpm/$basearch
gpgkey={url}/{name}.asc
gpgcheck=1
repo_gpgcheck=1
"""


def run(*argv: object, **options) -> bytes:
    return subprocess.run([str(word) for word in argv], check=True, stdout=subprocess.PIPE, **options).stdout


def put(file: Path, content: bytes) -> None:
    """In place at once, never half."""
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f".{file.name}.tmp")
    unfinished.write_bytes(content)
    unfinished.replace(file)


class Key:
    def __init__(self, name: str):
        self._name = name

    def sign(self, how: str, content: bytes) -> bytes:
        return run("gpg", "--batch", "--local-user", self._name, "--digest-algo", "SHA256", "--armor", how, input=content)

    def sign_rpm(self, package: Path) -> None:
        # Debian's rpm does not know where gpg is.
        run("rpmsign", "--define", f"__gpg {shutil.which('gpg')}", "--define", f"_gpg_name {self._name}", "--define", "_gpg_digest_algo sha256", "--addsign", package)

    def public(self, *options: str) -> bytes:
        content = run("gpg", "--batch", *options, "--export", self._name)
        if not content:
            raise SystemExit(f"gpg knows no key {self._name}")
        return content


def content_of(package: Path) -> bytes:
    """What a package is told from another by: of an RPM the digest of its header, which names all files and has no signature."""
    return run("rpm", "--query", "--queryformat=%{SHA256HEADER}", "--package", package) if package.suffix == ".rpm" else package.read_bytes()


def publish(package: Path, place: Path) -> None:
    """Puts it there. What is there already stays as it is: hosts may have had it."""
    if not place.exists():
        put(place, package.read_bytes())
    elif content_of(place) != content_of(package):
        raise SystemExit(f"{place} is published, and {package.name} is another one now: it needs a version of its own")


def make_apt(folder: Path, packages: list[Path], key: Key) -> list[Path]:
    """Returns where in the repository they are."""
    published = []
    pool, dists = folder / "pool", folder / "dists" / SUITE
    pool.mkdir(parents=True, exist_ok=True)
    for package in packages:
        # apt-ftparchive sees by the name for which hosts it is.
        name = run("dpkg-deb", "--show", "--showformat=${Package}_${Version}_${Architecture}.deb", package).decode()
        publish(package, pool / name)
        published.append(pool / name)
    architectures = sorted({file.stem.rsplit("_")[-1] for file in pool.glob("*.deb")} - {"all"})
    with tempfile.TemporaryDirectory() as name:
        made = Path(name)
        for architecture in architectures:
            index = run("apt-ftparchive", "--arch", architecture, "packages", "pool", cwd=folder)
            place = made / COMPONENT / f"binary-{architecture}"
            place.mkdir(parents=True)
            (place / "Packages").write_bytes(index)
            (place / "Packages.gz").write_bytes(gzip.compress(index, 9, mtime=0))
        told = {"Origin": NAME, "Label": NAME, "Suite": SUITE, "Codename": SUITE, "Components": COMPONENT, "Acquire-By-Hash": "yes",
                "Architectures": " ".join(architectures), "Description": "Comment server: Commento with nginx and PostgreSQL"}
        options = [word for field, value in told.items() for word in ("-o", f"APT::FTPArchive::Release::{field}={value}")]
        # apt asks by the strongest of the hashes that it is told; one is enough.
        options += [word for kind in ("MD5", "SHA1", "SHA512") for word in ("-o", f"APT::FTPArchive::{kind}=no")]
        release = run("apt-ftparchive", *options, "release", ".", cwd=made)
        for index in sorted(made.glob("*/*/Packages*")):
            content, below = index.read_bytes(), dists / index.parent.relative_to(made)
            put(below / "by-hash/SHA256" / hashlib.sha256(content).hexdigest(), content)
            put(below / index.name, content)
    put(dists / "Release", release)
    put(dists / "Release.gpg", key.sign("--detach-sign", release))
    put(dists / "InRelease", key.sign("--clearsign", release))
    return published


def make_rpm(folder: Path, packages: list[Path], key: Key) -> list[Path]:
    """Returns where in the repository they are, signed."""
    published = []
    for package in packages:
        architecture = run("rpm", "--query", "--queryformat=%{ARCH}", "--package", package).decode()
        place = folder / architecture
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as name:
            signed = Path(shutil.copy(package, name))
            key.sign_rpm(signed)
            publish(signed, place / package.name)
        published.append(place / package.name)
    for place in filter(Path.is_dir, folder.glob("*")):
        with tempfile.TemporaryDirectory() as name:
            run("createrepo_c", "--quiet", "--no-database", "--outputdir", name, place)
            made, data = Path(name) / "repodata", place / "repodata"
            overview = (made / "repomd.xml").read_bytes()
            # Their names hold digests; former ones stay for who has the former overview.
            for file in made.glob("*-*"):
                put(data / file.name, file.read_bytes())
            put(data / "repomd.xml.asc", key.sign("--detach-sign", overview))
            put(data / "repomd.xml", overview)
    return published


def make(folder: Path, url: str, key: Key, packages: list[Path]) -> list[Path]:
    """Returns where in FOLDER the packages are, as users get them."""
    os.umask(0o022)
    public = key.public()
    debs, rpms = ([file for file in packages if file.suffix == suffix] for suffix in (".deb", ".rpm"))
    published = []
    if debs:
        published += make_apt(folder / "apt", debs, key)
    if rpms:
        published += make_rpm(folder / "rpm", rpms, key)
    put(folder / f"{NAME}.gpg", public)
    put(folder / f"{NAME}.asc", key.public("--armor"))
    told = {"url": url.rstrip("/"), "name": NAME, "suite": SUITE, "component": COMPONENT}
    put(folder / f"{NAME}.sources", _SOURCES.format(**told).encode())
    put(folder / f"{NAME}.repo", _REPO.format(**told).encode())
    return published


def arguments(description: str) -> tuple[Path, str, Key, list[Path]]:
    """Those of this program and of make.py: folder, address, key and packages."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--url", required=True, help="where the repositories are served")
    parser.add_argument("--key", required=True, help="what gpg knows the signing key by")
    parser.add_argument("packages", type=Path, nargs="+")
    given = parser.parse_args()
    return given.folder, given.url, Key(given.key), given.packages


if __name__ == "__main__":
    make(*arguments(__doc__))
