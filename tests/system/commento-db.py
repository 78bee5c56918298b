"""Role and database in the host's PostgreSQL: made where they are missing, and nothing else is ever touched."""

import functools
import re

import pytest

from machine import Machine, database

UNIT = "commento-db-provision.service"
SETTINGS = "/etc/commento-stack/commento-stack.conf"
DATABASE_FAULT = 9
UNHEALTHY = 12
SETTINGS_FAULT = 2

sql = functools.partial(database.sql, database="postgres")


@pytest.fixture
def host(machine):
    """A host with PostgreSQL running and the settings written; the role and the database are not there yet."""
    configure(machine)
    return machine


def configure(machine: Machine, **more: object) -> None:
    settings = {"DOMAIN": "comments.example.test", "EMAIL": "owner@example.test"} | more
    machine.write(SETTINGS, "".join(f"{key}={value}\n" for key, value in settings.items()))


def provision(machine: Machine) -> tuple[int, str]:
    """Runs the unit; returns its program's exit code and what `systemctl status` shows."""
    machine.run(["systemctl", "restart", UNIT], check=False, timeout=120)
    status = machine.status(UNIT)
    return int(machine.unit(UNIT)["ExecMainStatus"]), status


def catalogue(machine: Machine, port: int = 5432) -> str:
    """Every row of the cluster's roles and databases, with the transaction that wrote it."""
    return "\n".join(sql(machine, f"SELECT xmin, * FROM {table} ORDER BY oid", port=port)
                     for table in ("pg_authid", "pg_database", "pg_db_role_setting, (SELECT 0 AS oid) AS none"))


def dump(machine: Machine, database: str) -> str:
    """All of a database as text. The key that newer versions of pg_dump make up each time is left out."""
    text = machine.run(["pg_dump", "--create", database], user="postgres").stdout
    return re.sub(r"^\\(un)?restrict .*$", "", text, flags=re.MULTILINE)


def cluster_unit(machine: Machine) -> str:
    return machine.run(["systemctl", "list-units", "--plain", "--no-legend", "postgresql@*"]).stdout.split()[0]


def other_cluster(machine: Machine, port: int) -> tuple[str, str]:
    """A second cluster of the host, not started; returns its version and name, as pg_ctlcluster takes them."""
    version = machine.run(["ls", "/usr/lib/postgresql"]).stdout.split()[-1]
    machine.run(["pg_createcluster", f"--port={port}", version, "other"])
    return version, "other"


def test_the_role_may_log_in_and_nothing_else_and_owns_its_database(host):
    assert provision(host)[0] == 0

    rights = "rolcanlogin, rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls, rolpassword IS NULL"
    assert sql(host, f"SELECT {rights} FROM pg_authid WHERE rolname = 'commento'") == "t|f|f|f|f|f|t"
    made = "SELECT pg_get_userbyid(datdba), pg_encoding_to_char(encoding) FROM pg_database WHERE datname = 'commento'"
    assert sql(host, made) == "commento|UTF8"


def test_the_applications_user_gets_in_without_a_password_and_may_make_tables(host):
    provision(host)

    sql(host, "CREATE TABLE proof (text text); INSERT INTO proof VALUES ('été 日本 🙂')", database="commento", user="commento")

    assert sql(host, "SELECT text FROM proof", database="commento", user="commento") == "été 日本 🙂"


def test_run_again_it_changes_nothing_and_says_so(host):
    provision(host)
    before = catalogue(host)

    exit_code, status = provision(host)

    assert exit_code == 0
    assert "nothing to do" in status
    assert catalogue(host) == before


def test_what_a_cut_off_run_had_not_made_yet_is_made_by_the_next(host):
    sql(host, "CREATE ROLE commento LOGIN")

    assert provision(host)[0] == 0

    assert sql(host, "SELECT count(*) FROM pg_database WHERE datname = 'commento'") == "1"


def test_two_runs_at_once_do_not_disturb_each_other(host):
    helper = ["/usr/libexec/commento-stack/commento-db", "provision"]
    both = [host.popen(helper, user="postgres") for _ in range(2)]

    assert [process.wait(60) for process in both] == [0, 0]


def test_it_waits_for_a_server_that_starts_later(host):
    cluster = cluster_unit(host)
    host.run(["systemctl", "stop", cluster])
    # Else the unit, which wants PostgreSQL, would start it at once.
    host.run(["systemctl", "mask", "--runtime", cluster])
    host.run(["systemctl", "restart", "--no-block", UNIT])
    host.wait_until("the unit is waiting", lambda: host.unit(UNIT)["MainPID"] != "0")

    host.run(["systemctl", "unmask", "--runtime", cluster])
    host.run(["systemctl", "start", cluster])

    host.wait_until("the unit is done", lambda: host.unit(UNIT)["ActiveState"] != "activating")
    assert host.unit(UNIT)["Result"] == "success"
    assert sql(host, "SELECT count(*) FROM pg_database WHERE datname = 'commento'") == "1"


def test_a_server_that_never_comes_is_named_with_what_to_look_at(host):
    configure(host, DATABASE_PORT=5444)

    exit_code, status = provision(host)

    assert exit_code == DATABASE_FAULT
    assert "PostgreSQL does not answer on /var/run/postgresql/.s.PGSQL.5444" in status
    assert "pg_lsclusters" in status and "DATABASE_PORT" in status


# What stands for the Fedora family's package: it makes no cluster by itself, and has one unit for the one cluster.
POSTGRESQL_SETUP = """#!/bin/sh
[ "$1" = --initdb ] && install -d -o postgres -g postgres -m 0700 /var/lib/pgsql/data &&
exec runuser -u postgres -- {programs}/initdb --auth-local=peer -D /var/lib/pgsql/data
"""
POSTGRESQL_SERVICE = """[Service]
Type=notify
User=postgres
ExecStart={programs}/postgres -D /var/lib/pgsql/data -k /var/run/postgresql
"""


def test_where_the_package_makes_no_cluster_the_first_one_is_made_and_never_again(host):
    version = host.run(["ls", "/usr/lib/postgresql"]).stdout.split()[-1]
    programs = f"/usr/lib/postgresql/{version}/bin"
    host.run(["pg_dropcluster", "--stop", version, "main"])
    host.run(["install", "-d", "-o", "postgres", "/var/lib/pgsql"])
    host.write("/usr/bin/postgresql-setup", POSTGRESQL_SETUP.format(programs=programs), 0o755)
    host.write("/etc/systemd/system/postgresql.service", POSTGRESQL_SERVICE.format(programs=programs))
    host.run(["systemctl", "daemon-reload"])
    host.run(["systemctl", "stop", "postgresql.service"])

    assert provision(host)[0] == 0
    assert sql(host, "SELECT count(*) FROM pg_database WHERE datname = 'commento'") == "1"
    made = host.run(["stat", "--format=%i %Z", "/var/lib/pgsql/data/PG_VERSION"]).stdout
    host.run(["systemctl", "restart", "commento-db-initdb.service"])

    assert provision(host)[0] == 0
    assert host.run(["stat", "--format=%i %Z", "/var/lib/pgsql/data/PG_VERSION"]).stdout == made


def test_the_hosts_other_roles_and_databases_stay_as_they_are_byte_for_byte(host):
    sql(host, "CREATE ROLE shop LOGIN CREATEDB PASSWORD 'secret'")
    sql(host, "CREATE DATABASE shop OWNER shop")
    sql(host, "CREATE TABLE orders AS SELECT n, md5(n::text) FROM generate_series(1, 1000) AS n", database="shop")
    sql(host, "ALTER DATABASE shop SET work_mem = '8MB'")
    before = dump(host, "shop"), catalogue(host).splitlines()

    assert provision(host)[0] == 0

    assert dump(host, "shop") == before[0]
    ours = sql(host, "SELECT string_agg(oid::text, '|') FROM pg_roles WHERE rolname LIKE 'commento%'")
    theirs = [line for line in catalogue(host).splitlines() if "commento" not in line and not re.search(rf"\|({ours})\|", line)]
    assert theirs == before[1]


def test_a_database_of_another_owner_is_left_alone_and_its_owner_named(host):
    sql(host, "CREATE ROLE alice LOGIN")
    sql(host, "CREATE DATABASE commento OWNER alice")
    sql(host, "CREATE TABLE hers AS SELECT 1 AS one", database="commento")
    before = dump(host, "commento"), catalogue(host)

    exit_code, status = provision(host)

    assert exit_code == DATABASE_FAULT
    assert "database commento is there already and belongs to role alice" in status
    assert (dump(host, "commento"), catalogue(host)) == before


@pytest.mark.parametrize("given, problem, remedy", [
    ("NOLOGIN", "may not log in", "ALTER ROLE commento LOGIN"),
    ("LOGIN SUPERUSER", "is a superuser", "ALTER ROLE commento NOSUPERUSER"),
])
def test_a_role_with_other_rights_is_not_changed_and_the_hint_is_what_helps(host, given, problem, remedy):
    sql(host, f"CREATE ROLE commento {given}")
    before = catalogue(host)

    exit_code, status = provision(host)

    assert exit_code == DATABASE_FAULT
    assert problem in status and remedy in status
    assert catalogue(host) == before

    sql(host, remedy)
    assert provision(host)[0] == 0


# What somebody changed, and how `commentoctl db check` calls it.
DRIFTS = [
    ("ALTER SCHEMA public OWNER TO postgres; REVOKE ALL ON SCHEMA public FROM PUBLIC", "make tables in, schema public"),
    ("DROP SCHEMA public CASCADE", "schema public"),
    ("GRANT CREATE ON SCHEMA public TO PUBLIC", "nobody else may make tables"),
    ("DROP EXTENSION plpgsql", "extension plpgsql"),
    ("ALTER ROLE commento CONNECTION LIMIT -1", "connections for role commento"),
    ("ALTER ROLE commento RESET statement_timeout", "statement_timeout = 10min for role commento"),
    ('ALTER ROLE "commento-db" SET search_path TO other', "search_path = public for role commento-db"),
    ('ALTER ROLE "commento-db" CREATEROLE', "may log in and nothing else"),
    ('ALTER ROLE "commento-db" RESET role', "role = commento for role commento-db"),
    ('REVOKE commento FROM "commento-db"', "a member of role commento"),
    ('DROP ROLE "commento-db"', "role commento-db"),
]


def test_what_differs_is_shown_by_check_and_repaired_by_provision(host):
    provision(host)
    check = ["commentoctl", "db", "check"]
    assert "are as they should be" in host.run(check).stdout
    for change, name in DRIFTS:
        sql(host, change, database="commento")
        before = catalogue(host)

        told = host.run(check, check=False)

        assert told.exit_code == UNHEALTHY, change
        assert name in told.output and "commentoctl db provision" in told.stderr, change
        assert catalogue(host) == before, change
        assert provision(host)[0] == 0, change
        assert host.run(check).exit_code == 0, change


def test_a_database_with_somebody_elses_tables_is_refused_and_they_are_named(host):
    provision(host)
    sql(host, "CREATE TABLE ledger (n int)", database="commento")

    exit_code, status = provision(host)

    assert exit_code == DATABASE_FAULT
    assert "public.ledger (owner postgres)" in status
    sql(host, "ALTER TABLE ledger OWNER TO commento", database="commento")
    exit_code, status = provision(host)
    assert exit_code == DATABASE_FAULT
    assert "no table migrations" in status
    assert sql(host, "SELECT count(*) FROM ledger", database="commento") == "0"


def test_tables_of_extensions_are_nobodys(host):
    provision(host)
    sql(host, "CREATE EXTENSION pg_stat_statements", database="commento")

    assert provision(host)[0] == 0


def test_a_database_in_another_encoding_is_refused(host):
    sql(host, "CREATE ROLE commento LOGIN")
    sql(host, "CREATE DATABASE commento OWNER commento TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'")

    exit_code, status = provision(host)

    assert exit_code == DATABASE_FAULT
    assert "has the encoding LATIN1" in status


def test_another_cluster_of_the_host_is_used_when_the_settings_say_so(host):
    host.run(["pg_ctlcluster", *other_cluster(host, 5433), "start"])
    before = catalogue(host)
    configure(host, DATABASE_PORT=5433)

    assert provision(host)[0] == 0

    assert sql(host, "SELECT count(*) FROM pg_database WHERE datname = 'commento'", port=5433) == "1"
    assert catalogue(host) == before


def test_a_standby_is_refused(host):
    version, name = other_cluster(host, 5433)
    host.write(f"/var/lib/postgresql/{version}/{name}/standby.signal", "", 0o600, "postgres:postgres")
    host.run(["pg_ctlcluster", version, name, "start"])
    configure(host, DATABASE_PORT=5433)

    exit_code, status = provision(host)

    assert exit_code == DATABASE_FAULT
    assert "/.s.PGSQL.5433 is a standby" in status


def test_wrong_settings_are_named_and_the_cluster_is_not_touched(host):
    before = catalogue(host)
    configure(host, DATABASE_PORT=70000, COMMENTO_PROT=1)

    exit_code, status = provision(host)

    assert exit_code == SETTINGS_FAULT
    assert "DATABASE_PORT" in status and "COMMENTO_PROT" in status and "did you mean COMMENTO_PORT" in status
    assert catalogue(host) == before


def test_run_by_another_user_it_says_who_may(host):
    done = host.run(["/usr/libexec/commento-stack/commento-db", "provision"], check=False)

    assert done.exit_code == DATABASE_FAULT
    assert "Peer authentication failed" in done.stderr and "only the user postgres may do this" in done.stderr


def test_no_comment_is_lost_when_the_server_is_killed(site):
    site.comments().register()
    site.comments().post_comment("before the kill")

    site.machine.run(["systemctl", "kill", "--signal=KILL", cluster_unit(site.machine)])
    site.machine.run(["systemctl", "restart", "postgresql"])

    site.machine.wait_until("the comment is listed again", lambda: len(site.comments().list_comments()) == 1)
    site.comments().post_comment("after the kill")
    assert len(site.comments().list_comments()) == 2
