#!/usr/bin/python3
"""The source archive: the files that git knows, as they stand in the work tree, and version and history of releases in the
RPM's specification. The same bytes for the same files.

usage: source.py TREE ARCHIVE.tar.gz
"""

import gzip
import io
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import changelog

_SPECIFICATION = "rpm/commento-stack.spec"


def make(tree: Path, archive: Path) -> None:
    releases = changelog.read(tree / "debian/changelog")
    prefix = archive.name.removesuffix(".tar.gz")
    listed = subprocess.run(["git", "-C", tree, "ls-files", "-z"], check=True, capture_output=True, text=True).stdout
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name in sorted(filter(None, listed.split("\0"))):
            path = tree / name
            if not path.is_symlink() and not path.exists():
                continue  # removed, not committed yet
            entry = tar.gettarinfo(path, f"{prefix}/{name}")
            entry.uid = entry.gid = 0
            entry.uname = entry.gname = "root"
            entry.mtime = int(releases[0].when.timestamp())
            entry.mode = 0o755 if entry.mode & 0o100 else 0o644
            content = b"" if path.is_symlink() else path.read_bytes()
            if name == _SPECIFICATION:
                content = changelog.into_specification(content.decode(), releases).encode()
            entry.size = 0 if path.is_symlink() else len(content)
            tar.addfile(entry, io.BytesIO(content))
    unfinished = archive.with_suffix(".unfinished")
    with open(unfinished, "wb") as file, gzip.GzipFile("", "wb", 9, file, 0) as compressed:
        compressed.write(packed.getvalue())
    os.replace(unfinished, archive)


if __name__ == "__main__":
    make(Path(sys.argv[1]), Path(sys.argv[2]))
