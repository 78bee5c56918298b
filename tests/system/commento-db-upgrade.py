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


def test_undone_the_older_cluster_is_back_and_what_came_since_is_in_the_backup_that_is_named(blog, shop):
    machine = blog.machine
    before = dump(machine, shop), roles(machine)
    upgrade(machine, "--yes")
    blog.comments().post_comment("second")

    told = upgrade(machine, "--undo", "--yes").output

    assert comments(blog) == ["<p>first</p>\n"]
    assert {label: found for label, (_, found) in clusters(machine).items()} == {"15/main": "online", "17/main": "down"}
    assert (dump(machine, shop), roles(machine)) == before
    last = backups(machine)[-1]
    assert last["name"] in told and last["versions"]["postgresql"].startswith("17.")
    assert next(table["rows"] for table in last["tables"] if table["name"] == "comments") == 2
    nothing = upgrade(machine, "--undo", "--yes", check=False)
    assert nothing.exit_code == DATABASE_FAULT and "no upgrade of PostgreSQL to undo" in nothing.stderr
    taken = upgrade(machine, "--yes", check=False)
    assert taken.exit_code == DATABASE_FAULT and "17/main" in taken.stderr and "pg_dropcluster --stop 17 main" in taken.stderr
    machine.reboot()
    assert comments(blog) == ["<p>first</p>\n"]
    machine.run(["pg_dropcluster", "17", "main"])
    upgrade(machine, "--yes")
    machine.run(["commentoctl", "backup", "restore", last["name"], "--yes"], timeout=120)
    assert len(comments(blog)) == 2


def test_without_a_newer_version_it_says_what_to_install(blog):
    machine = blog.machine
    machine.run(["dpkg", "--force-depends", "--remove", "postgresql-17"])

    done = upgrade(machine, "--yes", check=False)

    assert done.exit_code == DATABASE_FAULT
    assert "no newer version of PostgreSQL is installed" in done.stderr and "apt-get install postgresql-17" in done.stderr
    assert comments(blog) == ["<p>first</p>\n"]


def test_where_the_cluster_is_the_newest_there_is_nothing_to_do(machine):
    machine.write("/etc/commento-stack/commento-stack.conf", "DOMAIN=comments.example.test\nEMAIL=owner@example.test\n")

    done = upgrade(machine)

    assert "15/main has the newest version of PostgreSQL; nothing to do" in done.stdout
    assert machine.journal(UNIT, options=["--quiet"]) == ""


def test_an_empty_cluster_of_the_newer_version_gives_way(blog):
    blog.machine.run(["pg_createcluster", "--start", "17", "main"], timeout=120)

    upgrade(blog.machine, "--yes")

    is_upgraded(blog)


@pytest.mark.parametrize("statement, named", [
    ("CREATE DATABASE mine", "database mine"),
    ("CREATE ROLE mine", "roles or tables"),
    ("CREATE TABLE mine ()", "roles or tables"),
])
def test_a_cluster_of_the_newer_version_that_holds_anything_is_refused_and_nothing_is_touched(blog, statement, named):
    machine = blog.machine
    machine.run(["pg_createcluster", "--start", "17", "main"], timeout=120)
    sql(machine, statement, "postgres", port=5433)
    before = clusters(machine), machine.unit("commento.service")["MainPID"]

    done = upgrade(machine, "--yes", check=False)

    assert done.exit_code == DATABASE_FAULT
    assert "17/main" in done.stderr and named in done.stderr
    assert (clusters(machine), machine.unit("commento.service")["MainPID"]) == before
    assert backups(machine) == []


def test_a_stopped_cluster_of_the_newer_version_or_its_data_is_refused(blog):
    machine = blog.machine
    machine.run(["pg_createcluster", "17", "main"], timeout=120)
    done = upgrade(machine, "--yes", check=False)
    assert done.exit_code == DATABASE_FAULT and "can't be seen" in done.stderr

    machine.run(["rm", "-r", "/etc/postgresql/17"])
    done = upgrade(machine, "--yes", check=False)
    assert done.exit_code == DATABASE_FAULT and "/var/lib/postgresql/17/main" in done.stderr
    assert machine.exists("/var/lib/postgresql/17/main/PG_VERSION")


def test_too_little_room_is_named_before_anything_is_stopped(blog):
    machine = blog.machine
    machine.run(["mkdir", "/var/lib/postgresql/17"])
    machine.run(["mount", "-t", "tmpfs", "-o", "size=100m", "tmpfs", "/var/lib/postgresql/17"])
    before = machine.unit("commento.service")["MainPID"]

    done = upgrade(machine, "--yes", check=False)

    assert done.exit_code == DATABASE_FAULT
    assert "no room" in done.stderr and "/var/lib/postgresql/17" in done.stderr
    assert machine.unit("commento.service")["MainPID"] == before


def hook(machine: Machine, phase: str, script: str) -> None:
    """What pg_upgradecluster runs, as user postgres, when it has made the newer cluster (init) and filled it (finish)."""
    machine.write(f"{HOOKS}/test", f'#!/bin/sh\n[ "$4" = {phase} ] || exit 0\n{script}\n', 0o755)


@pytest.mark.parametrize("phase, script, said", [
    ("init", "echo out of luck; exit 1", "out of luck"),
    ("finish", "echo out of luck; exit 1", "out of luck"),
    ("init", "fallocate -l 400M /var/lib/postgresql/17/filler", "pg_upgrade"),
    ("finish", "psql --cluster 17/main --command='DELETE FROM comments' commento", "table comments"),
    ("finish", "psql --cluster 17/main --command='ALTER ROLE shop SUPERUSER' commento", "role shop"),
    ("finish", "dropdb --cluster 17/main shop", "database shop"),
    ("finish", "echo nonsense >> /etc/postgresql/17/main/postgresql.conf", "nonsense"),
])
def test_what_fails_in_the_middle_is_taken_back_and_said(blog, shop, phase, script, said):
    machine = blog.machine
    machine.run(["install", "--directory", "--owner=postgres", "/var/lib/postgresql/17"])
    machine.run(["mount", "-t", "tmpfs", "-o", "size=450m", "tmpfs", "/var/lib/postgresql/17"])
    machine.run(["chown", "postgres:", "/var/lib/postgresql/17"])
    before = dump(machine, shop), roles(machine)
    hook(machine, phase, script)

    done = upgrade(machine, "--yes", check=False)

    assert done.exit_code == DATABASE_FAULT
    assert said in done.stderr and "it was taken back: cluster 15/main is up as before" in done.stderr
    is_as_before(blog)
    assert (dump(machine, shop), roles(machine)) == before
    assert [entry["reason"] for entry in backups(machine)] == ["before-db-upgrade"]
    blog.comments().post_comment("there is a site", path="/other")


@pytest.fixture
def held(blog):
    """Starts an upgrade that stays in a phase until it is killed or let go; returns its commentoctl."""
    machine = blog.machine
    machine.run(["install", "--directory", "--mode=777", "/srv/held"])

    def begin(phase: str):
        hook(machine, phase, "mkfifo /srv/held/on; touch /srv/held/here; read line < /srv/held/on")
        running = machine.popen(["commentoctl", "db", "upgrade", "--yes"], stdout=-1, stderr=-1)
        machine.wait_until("it is in the middle", lambda: machine.exists("/srv/held/here"), timeout=60)
        return running

    return begin


def let_go(machine: Machine) -> None:
    machine.run(["sh", "-c", "echo on > /srv/held/on"])


@pytest.mark.parametrize("phase", ["init", "finish"])
def test_killed_in_the_middle_the_site_comes_back_and_another_run_succeeds(blog, held, phase):
    machine = blog.machine
    running = held(phase)

    machine.run(["systemctl", "kill", "--signal=KILL", UNIT])

    assert running.wait(120) != 0
    is_as_before(blog)
    machine.run(["rm", f"{HOOKS}/test"])
    upgrade(machine, "--yes")
    is_upgraded(blog)


@pytest.mark.parametrize("phase", ["init", "finish"])
def test_a_power_cut_in_the_middle_is_taken_back_at_the_next_boot(blog, held, phase):
    machine = blog.machine
    held(phase)

    machine.power_cut()

    is_as_before(blog)
    machine.run(["rm", f"{HOOKS}/test"])
    upgrade(machine, "--yes")
    is_upgraded(blog)


@pytest.mark.parametrize("phase", ["switching", "returning"])
def test_a_power_cut_while_the_clusters_change_places_is_finished_at_the_next_boot(blog, phase):
    machine = blog.machine
    upgrade(machine, "--yes")
    state = json.loads(machine.read(STATE)) | {"phase": phase}
    machine.write(STATE, json.dumps(state))
    # Neither has the port, and none starts at boot: further apart they are never.
    for version in ("15", "17"):
        machine.run(["pg_conftool", version, "main", "set", "port", "5440"])
        machine.write(f"/etc/postgresql/{version}/main/start.conf", "manual\n")

    machine.power_cut()

    if phase == "switching":
        is_upgraded(blog)
    else:
        machine.wait_until("the site is up", lambda: comments(blog) == ["<p>first</p>\n"])
        assert clusters(machine)["15/main"] == ("5432", "online") and clusters(machine)["17/main"][1] == "down"


def test_interrupted_commentoctl_leaves_it_running_to_its_end(blog, held):
    machine = blog.machine
    running = held("init")

    machine.send_signal("INT", "commentoctl")
    running.wait(30)
    let_go(machine)

    machine.wait_until("it is done", lambda: "17/main" in clusters(machine) and machine.unit(UNIT)["ActiveState"] == "inactive",
                       timeout=120)
    is_upgraded(blog)
    assert not machine.exists("/run/commento-stack/db-upgrade")


def test_a_start_of_the_application_in_the_middle_waits_until_it_is_done(blog, held):
    machine = blog.machine
    held("init")

    machine.run(["systemctl", "start", "--no-block", "commento.target", "commento.service"])
    machine.wait_until("the start waits", lambda: "commento.service" in machine.run(["systemctl", "list-jobs"]).stdout)
    let_go(machine)

    machine.wait_until("it is done", lambda: machine.unit(UNIT)["ActiveState"] == "inactive", timeout=120)
    is_upgraded(blog)


def test_missing_rights_a_missing_terminal_and_a_cluster_that_is_down_are_named(blog):
    machine = blog.machine
    denied = upgrade(machine, "--yes", check=False, user="nobody")
    assert denied.exit_code == NO_RIGHTS and "sudo commentoctl db upgrade" in denied.stderr
    unsure = upgrade(machine, check=False)
    assert unsure.exit_code == SETTINGS_FAULT and "--yes" in unsure.stderr
    assert comments(blog) == ["<p>first</p>\n"]
    machine.run(["systemctl", "stop", "postgresql@15-main"])
    down = upgrade(machine, "--yes", check=False)
    assert down.exit_code == DATABASE_FAULT and "15/main is down" in down.stderr and "systemctl start" in down.stderr
    blog.configure(DATABASE_PORT="5555")
    nowhere = upgrade(machine, "--yes", check=False)
    assert nowhere.exit_code == DATABASE_FAULT and "5555" in nowhere.stderr and "DATABASE_PORT" in nowhere.stderr


def test_a_newer_cluster_that_does_not_come_up_on_the_port_is_kept_and_the_older_one_put_back(blog):
    machine = blog.machine
    hook(machine, "finish", "echo nonsense = 1 >> /etc/postgresql/17/main/postgresql.conf")

    done = upgrade(machine, "--yes", check=False)

    assert done.exit_code == DATABASE_FAULT and "17/main does not start" in done.stderr
    assert "it was taken back: cluster 15/main is up as before" in done.stderr
    assert comments(blog) == ["<p>first</p>\n"]
    assert clusters(machine)["15/main"] == ("5432", "online") and clusters(machine)["17/main"][1] == "down"


def test_an_older_cluster_that_does_not_come_up_any_more_leaves_the_newer_one_serving(blog):
    machine = blog.machine
    upgrade(machine, "--yes")
    blog.comments().post_comment("second", path="/other")
    machine.run(["sh", "-c", "echo nonsense = 1 >> /etc/postgresql/15/main/postgresql.conf"])

    done = upgrade(machine, "--undo", "--yes", check=False)

    assert done.exit_code == DATABASE_FAULT and "15/main does not start" in done.stderr
    assert "cluster 17/main is up as before" in done.stderr
    is_upgraded(blog)
    assert blog.comments().list_comments(path="/other") == ["<p>second</p>\n"]
    machine.run(["dpkg", "--force-depends", "--remove", "postgresql-15"])
    gone = upgrade(machine, "--undo", "--yes", check=False)
    assert gone.exit_code == DATABASE_FAULT and "apt-get install postgresql-15" in gone.stderr


def test_an_undoing_is_refused_where_the_older_cluster_is_gone(blog):
    upgrade(blog.machine, "--yes")
    blog.machine.run(["pg_dropcluster", "15", "main"])

    done = upgrade(blog.machine, "--undo", "--yes", check=False)

    assert done.exit_code == DATABASE_FAULT and "15/main is no longer there" in done.stderr
    assert comments(blog) == ["<p>first</p>\n"]


def test_tablespaces_move_too_and_nothing_of_a_failed_run_stays_in_them(blog, shop):
    machine = blog.machine
    machine.run(["install", "--directory", "--owner=postgres", "/srv/fast"])
    sql(machine, "CREATE TABLESPACE fast LOCATION '/srv/fast'", "postgres")
    sql(machine, "ALTER TABLE orders SET TABLESPACE fast", shop)
    before = dump(machine, shop)
    hook(machine, "finish", "exit 1")
    assert upgrade(machine, "--yes", check=False).exit_code == DATABASE_FAULT
    is_as_before(blog)
    machine.run(["rm", f"{HOOKS}/test"])

    upgrade(machine, "--yes")

    is_upgraded(blog)
    assert dump(machine, shop) == before


def test_a_database_whose_indexes_the_hosts_upgrade_made_doubtful_is_named(blog, shop):
    sql(blog.machine, "UPDATE pg_database SET datcollversion = '2.36' WHERE datname = 'shop'", "postgres")

    told = upgrade(blog.machine, "--yes").output

    assert 'REINDEX DATABASE "shop"' in told and 'REINDEX DATABASE "commento"' not in told


def test_while_an_upgrade_is_neither_done_nor_undone_the_application_is_not_started(blog):
    machine = blog.machine
    # Of a cluster that is not there: it can't be brought up again.
    machine.write(STATE, json.dumps({"phase": "copying", "older": 14, "newer": 17, "name": "main", "port": 5432,
                                     "other_port": 0, "backup": ""}))

    machine.run(["systemctl", "restart", "--no-block", "commento.target"])
    machine.wait_until("it is refused", lambda: "was cut off" in machine.journal("commento-db-guard.service"))

    assert machine.unit("commento.service")["ActiveState"] != "active"
    assert "14" in machine.journal("commento-db-upgrade-recover.service")
    machine.run(["rm", STATE])
    machine.run(["systemctl", "start", "commento.target"], timeout=120)
    assert comments(blog) == ["<p>first</p>\n"]
