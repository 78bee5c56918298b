"""Roots in the shape of a Fedora host, for the RPM.

Fedora's own packages can't be had where these tests run. So programs and libraries are Debian's, put where Fedora has them:
user nginx, conf.d alone, postgresql.service without a cluster, /var/lib/pgsql, no dpkg and no apt. What the RPM depends on
is there as packages that hold nothing and say for what they stand. docs/fedora.md lists what that can't show.
"""

import inspect
import shutil
from pathlib import Path

from .processes import run

# The programs that the stand-ins below stand for, and what shapes and installs.
_INCLUDED = ["systemd-sysv", "dbus", "ca-certificates", "curl", "iproute2", "dnf", "rpm", "nginx", "postgresql", "pgbouncer",
             "libarchive13", "libbrotli1", "libcurl4", "libldns3", "libpq5", "libpsl5", "libssl3", "libsmartcols1", "openssl",
             "bash-completion", "gnupg", "age"]

# Packages of Fedora that ours names, with versions that are about those of the programs: what every host has, and what dnf
# brings. A name that is neither here nor a library's makes the installation fail.
_BASE = {"bash": "5.2", "ca-certificates": "2023", "shadow-utils": "4.13", "systemd": "252"}
_BROUGHT = {"nginx": "1.22", "pgbouncer": "1.18", "postgresql": "15", "postgresql-server": "15"}

PRODUCT_INSIDE = "/srv/dnf/product"

_SPECIFICATION = """Name: stand-ins
Version: 1
Release: 1
Summary: Packages that stand for the distribution's
License: MIT
BuildArch: noarch
%description
None of it is installed.
{packages}
"""
# As Fedora's systemd does it.
_TRIGGERS = """%transfiletriggerin -n systemd -P 1000900 -- /usr/lib/systemd/system
systemctl daemon-reload || :
%transfiletriggerpostun -n systemd -P 1000100 -- /usr/lib/systemd/system
systemctl daemon-reload || :
"""
_PACKAGE = """%package -n {name}
Version: {version}
Summary: Stands for the distribution's {name}; the programs on this machine are Debian's
{provides}
%description -n {name}
It holds nothing. It is for tests of commento-stack, which are made where Fedora's packages can't be had.
%files -n {name}
"""

# Not Fedora's text, but the same in what the tests see of it.
_UPDATE_HELPER = """#!/bin/sh
verb=$1
shift
case $verb in
install-system-units) systemctl --no-reload preset "$@" ;;
remove-system-units) systemctl --no-reload disable --now "$@" ;;
esac
"""
_POSTGRESQL_SETUP = """#!/bin/sh
[ "$1" = --initdb ] && install -d -o postgres -g postgres -m 0700 /var/lib/pgsql/data &&
exec runuser -u postgres -- /usr/bin/initdb --auth-local=peer --auth-host=ident -D /var/lib/pgsql/data
"""
_POSTGRESQL_SERVICE = """[Unit]
Description=PostgreSQL database server

[Service]
Type=notify
User=postgres
Environment=PGDATA=/var/lib/pgsql/data
ExecStart=/usr/bin/postgres -D ${PGDATA}
OOMScoreAdjust=-900
TimeoutSec=0

[Install]
WantedBy=multi-user.target
"""
_NGINX_CONF = """user nginx;
worker_processes auto;
error_log /var/log/nginx/error.log notice;
pid /run/nginx.pid;
include /usr/share/nginx/modules/*.conf;

events {
    worker_connections 1024;
}

http {
    access_log /var/log/nginx/access.log;
    sendfile on;
    keepalive_timeout 65;
    types_hash_max_size 4096;
    include /etc/nginx/mime.types;
    default_type application/octet-stream;
    include /etc/nginx/conf.d/*.conf;

    server {
        listen 80;
        listen [::]:80;
        server_name _;
        root /usr/share/nginx/html;
        include /etc/nginx/default.d/*.conf;
        error_page 404 /404.html;
    }
}
"""
_SHAPE = r"""set -eu
# PostgreSQL: programs in /usr/bin, one cluster that nobody has made yet.
rm -rf /etc/postgresql /etc/postgresql-common /usr/share/postgresql-common /var/lib/postgresql /usr/bin/pg_* \
    /usr/lib/systemd/system/postgresql* /usr/lib/systemd/system-generators/postgresql-generator
for program in /usr/lib/postgresql/*/bin/*; do ln -sf "$program" /usr/bin/; done
install -d -o postgres -g postgres -m 0700 /var/lib/pgsql
usermod --home /var/lib/pgsql postgres
# nginx
groupadd --system nginx
useradd --system --gid nginx --home-dir /var/lib/nginx --shell /usr/sbin/nologin nginx
userdel www-data
rm -rf /etc/nginx/sites-available /etc/nginx/sites-enabled /etc/nginx/modules-enabled /etc/nginx/modules-available \
    /etc/nginx/snippets /usr/share/nginx/modules /var/www
install -d /etc/nginx/default.d /usr/share/nginx/modules
chown -R nginx: /var/lib/nginx
mv /usr/sbin/pgbouncer /usr/bin/
# Nothing is enabled that an operator did not enable.
rm -f /etc/systemd/system/*.wants/nginx.service /etc/systemd/system/*.wants/p[og]*.service
install -d /usr/lib/systemd/system-preset /etc/pki/ca-trust/extracted/pem /etc/dnf/vars /etc/yum.repos.d
echo 'disable *' > /usr/lib/systemd/system-preset/99-default-disable.preset
mv /etc/ssl/certs/ca-certificates.crt /etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem
echo 40 > /etc/dnf/vars/releasever
# Whose host it is
rm -f /etc/debian_version /usr/bin/dpkg* /usr/bin/apt* /usr/sbin/policy-rc.d
printf 'NAME=Fedora\nPRETTY_NAME="Fedora in shape, Debian in content"\nID=fedora\nVERSION_ID=40\n' > /usr/lib/os-release
"""
_REPOSITORY = f"[product]\nname=The package under test\nbaseurl=file://{PRODUCT_INSIDE}\ngpgcheck=0\nmetadata_expire=0\n"


def root_recipe() -> list[str]:
    """What the root is made from, for the digest in its name."""
    return [*_INCLUDED, _SHAPE, _NGINX_CONF, _POSTGRESQL_SETUP, _POSTGRESQL_SERVICE, _UPDATE_HELPER, _REPOSITORY,
            inspect.getsource(make_root), *_base()]


def repository_recipe() -> list[str]:
    return [*_BROUGHT, *_BROUGHT.values(), _SPECIFICATION, _PACKAGE, inspect.getsource(_brought)]


def make_repository(rpms: list[Path], directory: Path) -> None:
    """A dnf repository that holds these packages, and those that stand for what they depend on."""
    for rpm in rpms:
        shutil.copy(rpm, directory)
    _build(_brought(rpms), directory)
    run(["createrepo_c", "--quiet", str(directory)], timeout=120)
    directory.chmod(0o755)


def _brought(rpms: list[Path]) -> list[str]:
    """What dnf brings. Libraries are asked for by what is in them, and by versions that are Debian's in a package built on
    Debian; so one package has all of them."""
    asked = run(["rpm", "--query", "--requires", "--package", *map(str, rpms)]).stdout.splitlines()
    libraries = sorted({line for line in asked if line.startswith(("lib", "ld-linux", "rtld")) and "(" in line})
    return [*(_package(name, version) for name, version in _BROUGHT.items()), _package("debian-libraries", "12", *libraries)]


def _base() -> list[str]:
    return [*(_package(name, version, *(["/bin/sh"] if name == "bash" else [])) for name, version in _BASE.items()), _TRIGGERS]


def _package(name: str, version: str, *provides: str) -> str:
    return _PACKAGE.format(name=name, version=version, provides="\n".join(f"Provides: {what}" for what in provides))


def _build(packages: list[str], directory: Path) -> None:
    specification = directory / "stand-ins.spec"
    specification.write_text(_SPECIFICATION.format(packages="\n".join(packages)))
    run(["rpmbuild", "-bb", "--define", f"_topdir {directory}/build", "--define", f"_rpmdir {directory}",
         "--define", "_build_name_fmt %%{NAME}.rpm", str(specification)], timeout=120)
    shutil.rmtree(directory / "build")
    specification.unlink()


def make_root(root: Path) -> None:
    no_cluster = ('mkdir -p "$1"/etc/postgresql-common && '
                  'echo "create_main_cluster = false" > "$1"/etc/postgresql-common/createcluster.conf')
    run(["mmdebstrap", "--quiet", "--variant=apt", f"--include={','.join(_INCLUDED)}", f"--essential-hook={no_cluster}",
         "bookworm", str(root)], timeout=1200)
    run(["chroot", str(root), "sh", "-c", _SHAPE])
    base = root / "srv/base"
    base.mkdir()
    _build(_base(), base)
    # Debian's rpm takes whoever installs by it for lost.
    run(["chroot", str(root), "sh", "-c", "rpm --install --force-debian /srv/base/*.rpm && rm -r /srv/base"])
    for path, content, mode in [("usr/bin/postgresql-setup", _POSTGRESQL_SETUP, 0o755),
                                ("usr/lib/systemd/systemd-update-helper", _UPDATE_HELPER, 0o755),
                                ("usr/lib/systemd/system/postgresql.service", _POSTGRESQL_SERVICE, 0o644),
                                ("etc/nginx/nginx.conf", _NGINX_CONF, 0o644),
                                ("etc/yum.repos.d/product.repo", _REPOSITORY, 0o644)]:
        (root / path).write_text(content)
        (root / path).chmod(mode)
