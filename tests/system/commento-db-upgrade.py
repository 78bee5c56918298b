"""A newer PostgreSQL for the host's cluster: all of it moves, or nothing does, whatever comes in between."""

import json

import pytest

from machine import Machine, Pebble, Site, roots
from machine.database import sql

DATABASE_FAULT, SETTINGS_FAULT, NO_RIGHTS = 9, 2, 3
UNIT = "commento-db-upgrade.service"
STATE = "/var/lib/commento-stack/upgrade.json"
HOOKS = "/etc/postgresql-common/pg_upgradecluster.d"


def upgrade(machine: Machine, *words: str, check: bool = True, user: str | None = None):
    return machine.run(["commentoctl", "db", "upgrade", *words], check=check, timeout=300, user=user)


def clusters(machine: Machine) -> dict[str, tuple[str, str]]:
    """Port and status of each."""
    lines = machine.run(["pg_lsclusters", "--no-header"]).stdout.splitlines()
    return {f"{version}/{name}": (port, status) for version, name, port, status, *_ in map(str.split, lines)}


def backups(machine: Machine) -> list[dict]:
    return json.loads(machine.run(["commentoctl", "backup", "list", "--json"]).stdout)


def dump(machine: Machine, database: str) -> list[str]:
    """All of a database as the newest pg_dump writes it, but for the server's version and a key made up each time."""
    text = machine.run(["/usr/lib/postgresql/17/bin/pg_dump", "--create", "--port=5432", database], user="postgres").stdout
    return [line for line in text.splitlines() if not line.startswith(("-- Dumped", "\\restrict", "\\unrestrict"))]


def roles(machine: Machine) -> str:
    return sql(machine, "SELECT rolname, rolsuper, rolcreatedb, rolcanlogin, rolpassword, rolconnlimit FROM pg_authid "
                        "WHERE rolname !~ '^pg_' ORDER BY 1", "postgres")


def comments(site: Site) -> list[str]:
    return site.comments().list_comments()


def is_as_before(site: Site) -> None:
    """Up on the older cluster with the one comment, and nothing of an upgrade is left."""
    site.machine.wait_until("the site is up", lambda: comments(site) == ["<p>first</p>\n"])
    assert clusters(site.machine) == {"15/main": ("5432", "online")}
    assert not site.machine.exists(STATE)
    assert not site.machine.exists("/var/lib/postgresql/17/main") and not site.machine.exists("/etc/postgresql/17/main")
    assert "auto" in site.machine.read("/etc/postgresql/15/main/start.conf")
    assert site.machine.run(["commentoctl", "db", "check"], check=False).exit_code == 0


def is_upgraded(site: Site) -> None:
    site.machine.wait_until("the site is up", lambda: comments(site) == ["<p>first</p>\n"])
    assert {label: found for label, (_, found) in clusters(site.machine).items()} == {"15/main": "down", "17/main": "online"}
    assert clusters(site.machine)["17/main"][0] == "5432"
    assert sql(site.machine, "SHOW server_version").startswith("17.")
    assert site.machine.run(["commentoctl", "db", "check"], check=False).exit_code == 0


@pytest.fixture
def host():
    """A host that came from Debian 12: its cluster is 15/main, and PostgreSQL 17 is installed."""
    with Machine(roots.upgraded()) as machine:
        yield machine


@pytest.fixture
def blog(host):
    """A site with one comment on it, `first`."""
    site = Site(host, Pebble(host))
    site.configure()
    site.start()
    site.comments().register()
    site.comments().post_comment("first")
    return site


@pytest.fixture
def shop(blog):
    """Somebody else's database and role in the same cluster."""
    sql(blog.machine, "CREATE ROLE shop LOGIN CREATEDB PASSWORD 'secret' CONNECTION LIMIT 7", "postgres")
    sql(blog.machine, "CREATE DATABASE shop OWNER shop", "postgres")
    sql(blog.machine, "ALTER DATABASE shop SET work_mem = '8MB'", "postgres")
    sql(blog.machine, "CREATE TABLE orders AS SELECT n, md5(n::text) AS what FROM generate_series(1, 10000) AS n; "
                      "CREATE INDEX ON orders (what); ALTER TABLE orders OWNER TO shop; CREATE SEQUENCE numbers START 42; "
                      "SELECT lo_from_bytea(4711, 'large')", "shop")
    return "shop"


def test_comments_and_the_hosts_other_databases_move_and_the_older_cluster_is_kept(blog, shop):
    machine = blog.machine
    before = dump(machine, shop), roles(machine)

    told = upgrade(machine, "--yes").output

    is_upgraded(blog)
    assert (dump(machine, shop), roles(machine)) == before
    assert [entry["reason"] for entry in backups(machine)] == ["before-db-upgrade"]
    assert "commentoctl db upgrade --undo" in told and "pg_dropcluster 15 main" in told
    assert machine.failed_units() == []
    again = upgrade(machine, "--yes")
    assert "nothing to do" in again.output
    machine.reboot()
    is_upgraded(blog)
    blog.comments().post_comment("second")
    machine.run(["commentoctl", "backup", "verify"], timeout=120)
