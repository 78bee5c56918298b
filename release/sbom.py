#!/usr/bin/python3
"""What is in a package that was not written here, as SPDX 2.3 (https://spdx.github.io/spdx-spec/v2.3/).

usage: sbom.py PACKAGE.deb SBOM.spdx.json

It has to run where the package was built: whose a library is, and which version, that host's dpkg knows. For a
cross-built package any host of that release will do which is as new: a library has one version on all architectures. Libraries
that are compiled in are those of cmake/Dependencies.cmake and cmake/Compiler.cmake that have nothing to link; those that programs
load or link stay packages of the distribution's.
"""

import hashlib
import json
import re
import subprocess
import sys
import tempfile
from datetime import timezone
from pathlib import Path

import changelog

# Compiled in: packages of headers, and the C++ library (-static-libstdc++).
_WITHIN = {"libboost-dev": "BSL-1.0", "libcli11-dev": "BSD-3-Clause", "libexpected-dev": "CC0-1.0", "libfmt-dev": "MIT", "libkainjow-mustache-dev": "BSL-1.0",
           "libspdlog-dev": "MIT", "nlohmann-json3-dev": "MIT", "libstdc++": "GPL-3.0-or-later WITH GCC-exception-3.1"}
# Loaded at the first use (net/libcurl.hpp, cert/public_suffix.hpp).
_LOADED = ["libcurl.so.4", "libpsl.so.5"]


def run(*argv: object) -> str:
    return subprocess.run([str(word) for word in argv], check=True, stdout=subprocess.PIPE, text=True).stdout


def installed(package: str) -> tuple[str, str]:
    """Source package and version."""
    source, version = run("dpkg-query", "--show", "--showformat=${source:Package} ${source:Version}\n", package).splitlines()[0].split()
    return source, version


def owner(library: str) -> str:
    lines = run("dpkg-query", "--search", f"*/{library}").splitlines()
    return min(line.split(":")[0] for line in lines)


def compiler_library() -> str:
    major = run("g++", "-dumpversion").strip().split(".")[0]
    return f"libstdc++-{major}-dev"


def needed(tree: Path) -> set[str]:
    libraries = set(_LOADED)
    for file in tree.rglob("*"):
        if file.is_file() and not file.is_symlink() and file.read_bytes()[:4] == b"\x7fELF":
            libraries |= set(re.findall(r"\(NEEDED\).*\[(.+)\]", run("readelf", "--wide", "--dynamic", file)))
    # The C library's loader is called otherwise on each architecture.
    return {library for library in libraries if not library.startswith("ld-linux")}


def describe(name: str, version: str, license_id: str, source: str) -> dict:
    return {"SPDXID": "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", name), "name": name, "versionInfo": version, "downloadLocation": "NOASSERTION",
            "filesAnalyzed": False, "licenseConcluded": license_id, "licenseDeclared": license_id, "copyrightText": "NOASSERTION",
            "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                              "referenceLocator": f"pkg:deb/debian/{source}@{version}?arch=source"}]}


def make(package: Path, tree: Path) -> dict:
    name, version = run("dpkg-deb", "--show", "--showformat=${Package} ${Version}", package).split()
    own = describe(name, version, "MIT", name)
    own["packageFileName"] = package.name
    own["checksums"] = [{"algorithm": "SHA256", "checksumValue": hashlib.sha256(package.read_bytes()).hexdigest()}]
    own["primaryPackagePurpose"] = "APPLICATION"
    described, relations = [own], [("SPDXRef-DOCUMENT", "DESCRIBES", own["SPDXID"])]

    def add(part: str, license_id: str, relation: str) -> None:
        source, its_version = installed(part)
        described.append(describe(part, its_version, license_id, source))
        relations.append((own["SPDXID"], relation, described[-1]["SPDXID"]))

    for part, license_id in sorted(_WITHIN.items()):
        add(compiler_library() if part == "libstdc++" else part, license_id, "STATIC_LINK")
    for part in sorted({owner(library) for library in needed(tree)}):
        add(part, "NOASSERTION", "DYNAMIC_LINK")
    when = changelog.read(Path(__file__).resolve().parents[1] / "debian/changelog")[0].when
    return {"spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": f"{name}-{version}",
            "documentNamespace": f"https://commento-stack.example/spdx/{name}-{version}-{own['checksums'][0]['checksumValue'][:16]}",
            "creationInfo": {"created": when.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"), "creators": ["Tool: release/sbom.py"]},
            "packages": described,
            "relationships": [{"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other} for one, kind, other in relations]}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        run("dpkg-deb", "--extract", sys.argv[1], folder)
        text = json.dumps(make(Path(sys.argv[1]), Path(folder)), indent=2)
    Path(sys.argv[2]).write_text(text + "\n")
