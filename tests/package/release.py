"""What is published with a release (release/make.py), made from the packages under test."""

import email.utils
import gzip
import hashlib
import json
import re
import subprocess
import tarfile
from pathlib import Path

import pytest

from machine import places
from machine.packages import make_rpm_release, make_version
from machine.processes import CommandFailed, run
from machine.signing import new_key


@pytest.fixture(scope="module")
def key():
    with new_key() as made:
        yield made


@pytest.fixture(scope="module")
def folder(key, tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("release")
    key.publish("make.py", made, places.deb(), places.rpm())
    return made


def test_each_file_is_named_in_checksums_that_are_signed(folder, key):
    names = {file.name for file in folder.iterdir() if file.is_file() and not file.name.startswith("SHA256SUMS")}
    deb, rpm = places.deb(), places.rpm()
    version = places.version(deb)
    assert names == {f"commento-stack-{version}.tar.gz", f"commento-stack-{version}-1.src.rpm", rpm.name, deb.name, f"{deb.stem}.spdx.json"}
    assert run(["sha256sum", "--check", "SHA256SUMS"], cwd=folder).stdout.count(": OK\n") == len(names)
    assert key.accepts(folder / "SHA256SUMS.asc", folder / "SHA256SUMS")


def test_the_source_archive_has_the_same_bytes_each_time_and_is_what_git_knows(folder, tmp_path):
    archive = next(folder.glob("*.tar.gz"))
    again = tmp_path / archive.name
    run(["/usr/bin/python3", "-B", "release/source.py", ".", str(again)], cwd=places.REPOSITORY)
    assert hashlib.sha256(again.read_bytes()).digest() == hashlib.sha256(archive.read_bytes()).digest()

    known = run(["git", "ls-files"], cwd=places.REPOSITORY).stdout.splitlines()
    prefix = archive.name.removesuffix(".tar.gz")
    with tarfile.open(archive) as tar:
        assert sorted(tar.getnames()) == sorted(f"{prefix}/{name}" for name in known if (places.REPOSITORY / name).exists())


def test_both_formats_tell_the_same_history_of_the_same_version(folder):
    version = places.version(places.deb())
    parsed = run(["dpkg-parsechangelog", "--file", str(places.REPOSITORY / "debian/changelog"), "--show-field", "Version"]).stdout
    date = run(["dpkg-parsechangelog", "--file", str(places.REPOSITORY / "debian/changelog"), "--show-field", "Date"]).stdout
    assert parsed.strip() == version
    source = next(folder.glob("*.src.rpm"))
    assert run(["rpm", "--query", "--queryformat=%{VERSION}", "--package", str(source)]).stdout == version
    told = run(["rpm", "--query", "--changelog", "--package", str(source)]).stdout
    assert f"{email.utils.parsedate_to_datetime(date.strip()):%a %b %d %Y}" in told.splitlines()[0] and f"- {version}-1" in told
    for change in re.findall(r"(?m)^  \* (.*)", (places.REPOSITORY / "debian/changelog").read_text()):
        assert " ".join(change.split()[:5]) in told


def test_the_bill_of_materials_names_every_library_that_the_programs_ask_for(folder):
    bill = json.loads(next(folder.glob("*.spdx.json")).read_text())
    assert bill["spdxVersion"] == "SPDX-2.3" and bill["documentNamespace"].startswith("https://")
    identifiers = [package["SPDXID"] for package in bill["packages"]]
    assert len(set(identifiers)) == len(identifiers)
    for relation in bill["relationships"]:
        assert {relation["spdxElementId"], relation["relatedSpdxElement"]} <= {*identifiers, "SPDXRef-DOCUMENT"}

    deb = next(folder.glob("*.deb"))
    assert bill["packages"][0]["checksums"][0]["checksumValue"] == hashlib.sha256(deb.read_bytes()).hexdigest()
    depends = run(["dpkg-deb", "--field", str(deb), "Depends"]).stdout
    libraries = {word for word in re.findall(r"[a-z0-9.+-]+", depends) if re.match(r"lib[a-z]+\d*|zlib1g$", word) and "t64" not in word}
    assert libraries <= {package["name"] for package in bill["packages"]}, depends


def packages_in(folder: Path) -> dict[str, str]:
    """Digests of them by their names: each is as its repository has it."""
    found = {}
    for file in [*folder.rglob("*.deb"), *folder.rglob("*.rpm")]:
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        assert found.setdefault(file.name, digest) == digest, file
    return found


def test_the_packages_of_a_release_are_those_of_its_repositories_and_stay_the_same_when_it_is_made_again(folder, key):
    before = packages_in(folder)
    for package in (places.deb(), places.rpm()):
        assert len(list(folder.rglob(package.name))) == 2

    key.publish("make.py", folder, places.deb(), places.rpm())

    after = packages_in(folder)
    assert [name for name in before if before[name] != after[name]] == [next(folder.glob("*.src.rpm")).name], "it was made again"


def refuse(key, program: str, folder: Path, package: Path) -> str:
    with pytest.raises(CommandFailed) as refused:
        key.publish(program, folder, package)
    return str(refused.value)


def test_another_package_of_a_published_name_and_one_of_another_version_are_refused(folder, key, tmp_path):
    before = packages_in(folder)
    version = places.version(places.deb())
    other = make_version(version, tmp_path, lambda tree: (tree / "usr/share/commento-stack/other").touch())
    assert "it needs a version of its own" in refuse(key, "repositories.py", folder / "repositories", other)
    later = make_version("9.0", tmp_path)
    assert f"is version 9.0, and debian/changelog has {version}" in refuse(key, "make.py", folder, later)
    assert packages_in(folder) == before


def test_notices_and_the_rpm_s_license_cover_each_library_that_is_compiled_in(folder):
    bill = json.loads(next(folder.glob("*.spdx.json")).read_text())
    within = {each["relatedSpdxElement"] for each in bill["relationships"] if each["relationshipType"] == "STATIC_LINK"}
    assert len(within) == 8
    notices = (places.REPOSITORY / "debian/copyright").read_text()
    told = run(["rpm", "--query", "--queryformat=%{LICENSE}", "--package", str(places.rpm())]).stdout
    licenses = set(told.split(" AND "))
    for library in filter(lambda each: each["SPDXID"] in within, bill["packages"]):
        assert f"\n {re.sub('-[0-9]+-dev$', '', library['name'])}: " in notices
        assert library["licenseDeclared"] in licenses
    assert licenses == {library["licenseDeclared"] for library in bill["packages"] if library["SPDXID"] in within} | {"MIT"}


def test_what_was_published_before_stays_beside_what_is_new(key, tmp_path):
    made, version = tmp_path / "made", places.version(places.deb())
    for packages in ([places.deb(), places.rpm()], [make_version("9.0", tmp_path), make_rpm_release("2", tmp_path)]):
        key.publish("repositories.py", made, *packages)

    listed = (made / "apt/dists/stable/main/binary-amd64/Packages").read_text()
    assert set(re.findall(r"(?m)^Version: (.*)$", listed)) == {version, "9.0"}
    [overview] = made.glob("rpm/*/repodata/repomd.xml")
    [primary] = re.findall(r'href="(repodata/[^"]*primary.xml[^"]*)"', overview.read_text())
    packed = (overview.parents[1] / primary).read_bytes()
    assert set(re.findall(r'<version epoch="0" ver="([^"]*)" rel="(\d+)', gzip.decompress(packed).decode())) == {(version, "1"), (version, "2")}
    for names in (re.findall(r"(?m)^Filename: (.*)$", listed), re.findall(r'<location href="([^"]*)"', gzip.decompress(packed).decode())):
        assert len(names) == 2 and all(list(made.rglob(name)) for name in names)


def test_hosts_of_each_architecture_find_its_package_and_no_other(folder, key, tmp_path):
    version = places.version(places.deb())

    def move(tree: Path) -> None:
        control = tree / "DEBIAN/control"
        control.write_text(control.read_text().replace("Architecture: amd64", "Architecture: arm64"))

    other = make_version(version, tmp_path, move).rename(tmp_path / f"commento-stack_{version}_arm64.deb")
    key.publish("make.py", tmp_path / "made", places.deb(), other)

    dists = tmp_path / "made/repositories/apt/dists/stable"
    release = (dists / "InRelease").read_text()
    assert "\nArchitectures: amd64 arm64\n" in release
    for architecture in ("amd64", "arm64"):
        index = (dists / f"main/binary-{architecture}/Packages").read_bytes()
        digest = hashlib.sha256(index).hexdigest()
        assert f" {digest} " in release and (dists / f"main/binary-{architecture}/by-hash/SHA256/{digest}").read_bytes() == index
        assert re.findall(r"(?m)^(?:Architecture|Filename): (.*)$", index.decode()) == [
            architecture, f"pool/commento-stack_{version}_{architecture}.deb"]
    assert f"commento-stack_{version}_arm64.spdx.json" in (tmp_path / "made/SHA256SUMS").read_text()


def test_an_unknown_key_is_told_before_anything_is_published(key, tmp_path):
    done = subprocess.run(["/usr/bin/python3", "-B", str(places.REPOSITORY / "release/repositories.py"), str(tmp_path / "made"), "--url", "x",
                           "--key", "nobody@example.test", str(places.deb())], env=key.env, capture_output=True, text=True)
    assert done.returncode != 0 and "nobody@example.test" in done.stderr
    assert not (tmp_path / "made").exists()
