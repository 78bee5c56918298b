"""Makes the roots that machines start from, once, and keeps them.

    pristine    what a fresh Debian has after its installation, and a local package repository
    installed   the same, after one `apt-get install commento-stack` on the booted machine
    upgraded    a Debian 13 that came from Debian 12: PostgreSQL of both, and the older one has the site's cluster

With COMMENTO_FAMILY=fedora, pristine and installed are in the shape of a Fedora host, and have the RPM (fedora.py).

A template's name holds a digest of what it was made from, so a stale one is never found. It is made under another
name and renamed when it is whole; a lock lets the second of two test runs wait for the first one's result.
"""

import contextlib
import fcntl
import hashlib
import inspect
import json
import os
import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Callable

from . import fedora, places
from .processes import lock, locked, run

_SYSTEM = ["systemd-sysv", "dbus", "ca-certificates", "curl", "iproute2"]

# Everything that the product's package may ask for, with all that these need in turn. Machines have no network:
# what is not here can't be installed in them.
_REPOSITORY = ["nginx", "postgresql", "pgbouncer", "debconf", "adduser", "init-system-helpers", "libarchive13",
               "libbrotli1", "libcurl4", "libldns3", "libpq5", "libpsl5", "libssl3", "libsystemd0", "libsmartcols1", "libstdc++6", "openssl",
               "libnginx-mod-http-brotli-static", "zlib1g", "age", "gnupg", "nftables", "libfaketime",
               "bash-completion", "locales", "zsh", "fish", "exim4-daemon-light", "prometheus-node-exporter"]
# What excludes something of these.
_INSTEAD = ["postfix"]

# How many templates of a kind are kept when they were not used for a while.
_KEPT_PER_KIND = 3
_WHILE = 2 * 3600

# The places inside a machine where the two repositories are mounted.
_DEBIAN_INSIDE = "/srv/apt/debian"
_PRODUCT_INSIDE = "/srv/apt/product"
_FORMER_INSIDE = "/srv/apt/former"


@dataclass(frozen=True)
class Template:
    """What a machine is made from: layers of its disk, uppermost first, and what is mounted read-only inside it."""

    suite: str
    layers: list[Path]
    mounts: dict[str, Path]
    locks: list[Path]
    family: str = "debian"


def pristine(suite: str | None = None, deb: Path | None = None) -> Template:
    """A fresh Debian, the product in its repository but not installed."""
    if places.family() == "fedora":
        return _fedora([places.rpm()])
    suite = suite or places.suite()
    base = _root(suite)
    product = _product(deb or places.deb())
    return Template(suite, [base / "root"], {_DEBIAN_INSIDE: base / "repository", _PRODUCT_INSIDE: product},
                    [_lock_of(base), _lock_of(product)])


def installed(suite: str | None = None, deb: Path | None = None) -> Template:
    """A Debian with the product installed by apt, not set up, cleanly powered off."""
    if places.family() == "fedora":
        return _with_product(pristine(), "installed-fedora", places.rpm())
    suite = suite or places.suite()
    deb = deb or places.deb()
    return _with_product(pristine(suite, deb), f"installed-{suite}", deb)


def upgraded(deb: Path | None = None) -> Template:
    """A Debian 13 as an upgrade from Debian 12 leaves it, with the product installed and not set up: PostgreSQL 15 has
    cluster main, and of 17 there are only the programs: its package makes no cluster where there is one."""
    deb = deb or places.deb()
    now, former = pristine("trixie", deb), _root("bookworm")
    below = replace(now, mounts=now.mounts | {_FORMER_INSIDE: former / "repository"},
                    locks=[*now.locks, _lock_of(former)])
    recipe = [_digest_of(deb), below.layers[0].parent.name, former.name, inspect.getsource(_install_after_upgrade),
              inspect.getsource(_install)]
    made = _cached("upgraded", recipe, lambda directory: _install_after_upgrade(below, _package_name(deb), directory))
    lower = [Path(path) for path in json.loads((made / "layers.json").read_text())]
    return replace(below, layers=[made / "layer", *lower], locks=[*below.locks, _lock_of(made)])


def pebble(suite: str) -> Path:
    """The pebble of another Debian release, to run on this host: it needs nothing beside it but the C library."""
    return _cached(f"pebble-{suite}", [inspect.getsource(_extract_pebble)],
                   lambda directory: _extract_pebble(suite, directory)) / "root/usr/bin/pebble"


def builder_for_arm64() -> Template:
    """Not a machine: a Debian of this host's architecture that knows arm64 too, with what builds for such hosts and runs their
    programs."""
    needs = places.REPOSITORY / "tests/needs"
    recipe = [(needs / "install").read_text(), (needs / "build.txt").read_text(), inspect.getsource(_make_builder)]
    made = _cached("builder-arm64", recipe, lambda directory: _make_builder(needs, directory / "root"))
    return Template("bookworm", [made / "root"], {}, [_lock_of(made)])


def make_repository(packages: list[Path], directory: Path) -> Path:
    """A new folder that apt takes these packages from; they are moved there."""
    directory.mkdir()
    for package in packages:
        shutil.move(package, directory)
    _index(directory)
    return directory


def use(template: Template) -> list[int]:
    """Keeps a template from being cleared away; returns descriptors to close when it is no longer needed."""
    return [lock(path, fcntl.LOCK_SH) for path in template.locks]


def _with_product(below: Template, kind: str, package: Path) -> Template:
    """The same host after the product was installed on it, from its repository."""
    made = _cached(kind, [_digest_of(package), below.layers[0].parent.name, inspect.getsource(_install)],
                   lambda directory: _install(below, _package_name(package), directory))
    lower = [Path(path) for path in json.loads((made / "layers.json").read_text())]
    return replace(below, layers=[made / "layer", *lower], locks=[*below.locks, _lock_of(made)])


def _fedora(rpms: list[Path]) -> Template:
    """A fresh host in Fedora's shape, with a dnf repository of these packages."""
    def make(directory: Path) -> None:
        fedora.make_root(directory / "root")
        _make_impersonal(directory / "root")

    base = _cached("pristine-fedora", [*fedora.root_recipe(), inspect.getsource(_make_impersonal)], make)
    product = _cached("product-fedora", [*fedora.repository_recipe(), *map(_digest_of, rpms)],
                      lambda directory: fedora.make_repository(rpms, directory))
    return Template("bookworm", [base / "root"], {fedora.PRODUCT_INSIDE: product}, [_lock_of(base), _lock_of(product)], "fedora")


def _root(suite: str) -> Path:
    recipe = [*_SYSTEM, *_REPOSITORY, *_INSTEAD, inspect.getsource(_debootstrap), inspect.getsource(_make_impersonal)]
    return _cached(f"pristine-{suite}", recipe, lambda directory: _debootstrap(suite, directory))


def _product(deb: Path) -> Path:
    """A repository that holds the product's package and nothing else."""
    def fill(directory: Path) -> None:
        shutil.copy(deb, directory)
        _index(directory)

    return _cached("product", [_digest_of(deb)], fill)


def _debootstrap(suite: str, directory: Path) -> None:
    """Makes root and repository in one go: mmdebstrap's own apt knows the suite's packages only while it runs."""
    root, repository = directory / "root", directory / "repository"
    repository.mkdir()
    download = " && ".join(('APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-get --yes --download-only --option APT::Install-Recommends=true '
                            f'install {" ".join(packages)}') for packages in (_REPOSITORY, _INSTEAD))
    download += f' && mv "$1"/var/cache/apt/archives/*.deb "{repository}"'
    run(["mmdebstrap", "--quiet", "--variant=apt", f"--include={','.join(_SYSTEM)}",
         f"--customize-hook={download}", suite, str(root)], timeout=1200)
    _index(repository)
    _make_impersonal(root)
    sources = [f"deb [trusted=yes] file:{place} ./\n" for place in (_DEBIAN_INSIDE, _PRODUCT_INSIDE)]
    (root / "etc/apt/sources.list").write_text("".join(sources))
    (root / "etc/apt/apt.conf.d/90no-network").write_text('Acquire::Languages "none";\n')


def _make_builder(needs: Path, root: Path) -> None:
    run(["mmdebstrap", "--quiet", "--variant=apt", "--architectures=amd64,arm64", "--include=ca-certificates,qemu-user-static",
         "--dpkgopt=path-exclude=/usr/bin/qemu-*", "--dpkgopt=path-include=/usr/bin/qemu-aarch64-static", "--dpkgopt=force-unsafe-io",
         f"--customize-hook=copy-in {needs} /srv", '--customize-hook=chroot "$1" /srv/needs/install --for-arm64 build',
         "bookworm", str(root)], timeout=1200)


def _extract_pebble(suite: str, directory: Path) -> None:
    run(["mmdebstrap", "--quiet", "--variant=extract", "--include=pebble", suite, str(directory / "root")], timeout=600)


def _make_impersonal(root: Path) -> None:
    """mmdebstrap copies this host's name and resolver into the root. An empty machine-id gives each machine its own;
    without the file, systemd would take it for a first boot and enable services that a Debian host does not run."""
    (root / "etc/hostname").write_text("machine\n")
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n127.0.1.1 machine\n::1 localhost ip6-localhost\n")
    (root / "etc/resolv.conf").unlink(missing_ok=True)
    (root / "etc/resolv.conf").write_text("# no network\n")
    (root / "etc/machine-id").write_text("")


def _install_after_upgrade(below: Template, package: str, directory: Path) -> None:
    """Packages of both releases are in reach; apt takes the newer ones, so what is to be older is named by version."""
    def prepare(machine) -> None:
        machine.write("/etc/apt/sources.list.d/former.list", f"deb [trusted=yes] file:{_FORMER_INSIDE} ./\n")
        machine.install(["postgresql-15"])

    _install(below, package, directory, prepare)


def _install(below: Template, package: str, directory: Path, prepare: Callable = lambda machine: None) -> None:
    """Installs the product as its user would, on the booted machine, and keeps the difference as a layer."""
    from .machine import Machine  # machines are made from templates; only this template is made with a machine

    with Machine(below) as machine:
        prepare(machine)
        machine.install([package])
        machine.run(["dnf", "clean", "all"] if below.family == "fedora" else ["apt-get", "clean"])
        machine.power_off()
        # Each test's journal is to hold that test only.
        shutil.rmtree(machine.disk.root / "var/log/journal", ignore_errors=True)
        (machine.disk.root / "var/log/journal").mkdir(mode=0o2755)
        lower = machine.disk.keep(directory / "layer")
    (directory / "layers.json").write_text(json.dumps([str(path) for path in lower]))


def _index(repository: Path) -> None:
    index = run(["apt-ftparchive", "packages", "."], cwd=repository).stdout
    (repository / "Packages").write_text(index)
    for path in repository.iterdir():
        path.chmod(0o644)  # apt reads as user _apt
    repository.chmod(0o755)


def _cached(kind: str, made_from: list[str], make: Callable[[Path], None]) -> Path:
    """The directory with that content; made now when it is not there yet."""
    digest = hashlib.sha256("\0".join(made_from).encode()).hexdigest()[:16]
    result = places.machines() / f"{kind}-{digest}"
    with locked(_lock_of(result), shared=True):  # running machines hold it shared, too
        if result.exists():
            os.utime(result)
            return result
    with locked(_lock_of(result)):
        if not result.exists():
            unfinished = result.with_name(f"{result.name}.unfinished")
            _remove(unfinished)
            unfinished.mkdir()
            try:
                make(unfinished)
                run(["sync", "--file-system", str(unfinished)], timeout=300)
                unfinished.rename(result)
            finally:
                _remove(unfinished)
    _clear_old(kind)
    return result


def _clear_old(kind: str) -> None:
    """Each build of the product makes new templates: only the latest are kept, and those in use."""
    made = [path for path in places.machines().glob(f"{kind}-*") if path.is_dir() and path.suffix != ".unfinished"]
    for path in sorted(made, key=_last_used)[:-_KEPT_PER_KIND]:
        if _last_used(path) > time.time() - _WHILE:
            continue
        with contextlib.suppress(BlockingIOError):
            descriptor = lock(_lock_of(path), fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove(path)
            _lock_of(path).unlink()
            os.close(descriptor)


def _last_used(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # another run has just removed it
        return time.time()


def _lock_of(directory: Path) -> Path:
    return directory.with_name(f"{directory.name}.lock")


def _remove(directory: Path) -> None:
    """Removes a tree. Not by Python: roots hold devices, odd names and hundred thousand files."""
    run(["rm", "--recursive", "--force", "--one-file-system", str(directory)], timeout=300)


def _digest_of(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _package_name(package: Path) -> str:
    if package.suffix == ".rpm":
        return run(["rpm", "--query", "--queryformat=%{NAME}", "--package", str(package)]).stdout
    return run(["dpkg-deb", "--field", str(package), "Package"]).stdout.strip()
