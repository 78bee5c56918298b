"""The pool between the application and PostgreSQL: a burst is served slower, not wrongly."""

import json
import re

from machine.database import sql
from machine.filling import BLOG, fill_page
from machine.readers import read_all

UNIT = "commento-db-pool.service"
SOCKET = "/run/commento-db-pool"
PAGE, COMMENTS = "/page", 1000
READERS = 1000
MEBIBYTE = 1 << 20


def most_memory(machine, unit: str) -> int:
    """The most memory that the unit's process ever held, in bytes."""
    status = machine.read(f"/proc/{machine.unit(unit)['MainPID']}/status")
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024


def connections(machine, role: str) -> int:
    return int(sql(machine, f"SELECT count(*) FROM pg_stat_activity WHERE usename = '{role}'"))


def test_a_thousand_readers_at_once_get_every_answer_and_postgresql_never_sees_more_than_the_pool(unstarted_site):
    site, machine = unstarted_site, unstarted_site.machine
    site.configure(TRUSTED_PROXIES="0.0.0.0/0")
    site.start()
    site.take_connections()
    comments = site.comments()
    comments.register()
    fill_page(machine, PAGE, COMMENTS, comments)
    assert len(comments.list_comments(BLOG, PAGE)) == COMMENTS
    sql(machine, "ALTER SYSTEM SET log_connections = on")
    sql(machine, "SELECT pg_reload_conf()")
    page = {"domain": BLOG, "path": PAGE, "commenterToken": "anonymous"}
    new = page | {"anonName": "", "parentHex": "root"}
    asked = ([("comment/count", {"domain": BLOG, "paths": [PAGE]})] * 17000 + [("comment/list", page)] * 2000 +
             [("comment/new", new | {"markdown": f"comment {number}"}) for number in range(1000)])

    outcome = read_all(site.domain, machine.address, site.pebble.root(), readers=READERS, requests=asked)

    assert outcome.failed == []
    assert outcome.served == {"comment/count": 17000, "comment/list": 2000, "comment/new": 1000}
    assert len(comments.list_comments(BLOG, PAGE)) == COMMENTS + 1000
    log = machine.run(["sh", "-c", "cat /var/log/postgresql/*.log"]).stdout
    assert "too many" not in log and "remaining connection slots" not in log
    pool = int(re.search(r"default_pool_size = (\d+)", machine.read("/var/lib/commento-stack/db/pool.ini"))[1])
    assert len(re.findall("connection authorized: user=commento-db ", log)) <= pool
    assert connections(machine, "commento-db") <= pool
    assert connections(machine, "commento") == 0
    assert most_memory(machine, UNIT) < 64 * MEBIBYTE
    # An answer, of up to 1.5 MB here, for each reader.
    assert most_memory(machine, "commento.service") < READERS * 2 * MEBIBYTE


def test_what_the_application_makes_through_the_pool_belongs_to_its_own_role(site):
    owners = sql(site.machine, "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'")

    assert owners == "commento"
    assert connections(site.machine, "commento-db") > 0


def test_the_pools_size_is_what_the_settings_say(site):
    site.restart(DATABASE_POOL="3")

    assert "default_pool_size = 3\n" in site.machine.read("/var/lib/commento-stack/db/pool.ini")
    assert site.machine.unit(UNIT)["ActiveState"] == "active"
    site.comments().check()


def test_more_connections_than_the_cluster_takes_are_refused_and_the_site_stays_up(site):
    site.comments().register()
    site.configure(DATABASE_POOL="1000")

    done = site.machine.run(["commentoctl", "db", "provision"], check=False)

    assert done.exit_code == 2
    assert "DATABASE_POOL is 1000" in done.stderr and "max_connections" in done.stderr
    site.comments().post_comment("still here")


def test_nobody_but_the_application_reaches_the_pool(site):
    knock = ["psql", "--no-psqlrc", f"--host={SOCKET}", "--port=6432", "--username=commento", "--dbname=commento",
             "--command=SELECT current_user"]

    assert "commento" in site.machine.run(knock, user="commento").stdout
    refused = site.machine.run(knock, user="nobody", check=False)
    assert refused.exit_code != 0 and "Permission denied" in refused.stderr
    assert site.machine.run(["sh", "-c", "ss --listening --tcp --processes --no-header | grep --count commento-db"],
                            check=False).stdout.strip() == "0"


def test_its_configuration_is_for_postgres_and_the_pool_alone(site):
    machine = site.machine
    assert machine.run(["stat", "--format=%U %a", "/var/lib/commento-stack/db/pool.ini"]).stdout.strip() == "postgres 600"
    assert machine.run(["cat", "/var/lib/commento-stack/db/pool.ini"], user="commento", check=False).exit_code != 0


def test_the_hosts_own_pgbouncer_is_left_as_it_is(unstarted_site):
    machine = unstarted_site.machine
    files = ["sh", "-c", "find /etc/pgbouncer /etc/default/pgbouncer -type f | xargs sha256sum"]
    before = machine.run(files).stdout, machine.unit("pgbouncer.service")["MainPID"]
    assert before[1] != "0"

    unstarted_site.start()
    unstarted_site.comments().check()

    assert (machine.run(files).stdout, machine.unit("pgbouncer.service")["MainPID"]) == before


def test_a_killed_pool_is_back_by_itself(site):
    site.comments().register()
    site.comments().post_comment("before the kill")
    first = site.machine.unit(UNIT)["MainPID"]

    site.machine.run(["systemctl", "kill", "--signal=KILL", UNIT])

    site.machine.wait_until("another pool", lambda: site.machine.unit(UNIT)["MainPID"] not in ("0", first)
                            and site.machine.unit(UNIT)["ActiveState"] == "active")
    site.machine.wait_until("the comment is listed", lambda: len(site.comments().list_comments()) == 1)
    assert site.machine.unit("commento.service")["ActiveState"] == "active"


def test_status_blames_the_pool_where_it_does_not_run(site):
    site.machine.write("/run/systemd/system/commento-db-pool.service.d/broken.conf",
                       "[Service]\nRestart=no\nExecStart=\nExecStart=/bin/false\n")
    site.machine.run(["systemctl", "daemon-reload"])
    site.machine.run(["systemctl", "restart", UNIT], check=False)

    told = site.machine.run(["commentoctl", "status", "--json"], check=False)

    database = json.loads(told.stdout)["parts"]["database"]
    assert database["health"] == "unwell"
    assert UNIT in database["hint"] or UNIT in database["detail"]
