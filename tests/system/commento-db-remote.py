"""The database on another server: over TLS, to the one that takes changes, and back by itself when that one is lost."""

from urllib.parse import quote

import pytest

from machine.elsewhere import ADMIN, ADMIN_PASSWORD, CA_FILE, PASSWORD, Server, make_root
from machine.site import SETTINGS

DATABASE_FAULT, SETTINGS_FAULT, UNHEALTHY = 9, 2, 12
SECRETS = "/etc/commento-stack/secrets.conf"
PROVISION = "commento-db-provision.service"
URL = f"postgresql://comments@db1.example.test:5441/blog?sslrootcert={CA_FILE}"
PAIR = f"postgresql://comments@db1.example.test:5441,db2.example.test:5442/blog?sslrootcert={CA_FILE}"


@pytest.fixture
def root(machine):
    return make_root(machine)


@pytest.fixture
def server(machine, root):
    """A server elsewhere. The host has no cluster of its own any more."""
    version = machine.run(["ls", "/usr/lib/postgresql"]).stdout.split()[-1]
    machine.run(["pg_dropcluster", "--stop", version, "main"])
    return Server(machine, root, "db1.example.test", "127.0.0.2", 5441)


@pytest.fixture
def site(unstarted_site, server):
    """A site that is to have its comments there, not started."""
    unstarted_site.configure(DATABASE_URL=URL)
    return unstarted_site


def write_secrets(site, **secrets: str) -> None:
    lines = [f'{key}="{value}"\n' for key, value in secrets.items()]
    site.machine.write(SECRETS, "".join(lines), 0o640, "root:commento")


def admin_url() -> str:
    return f"postgresql://{ADMIN}:{quote(ADMIN_PASSWORD, safe='')}@db1.example.test:5441/postgres?sslrootcert={CA_FILE}"


def all_arguments(machine) -> str:
    """Of all processes."""
    return machine.run(["sh", "-c", "cat /proc/[0-9]*/cmdline"], check=False).stdout


def ctl(site, *words: str, check: bool = True):
    return site.machine.run(["commentoctl", *words], check=check, timeout=180)


def provision(site) -> tuple[int, str]:
    """Runs the unit; returns its program's exit code and what its log says of this run."""
    site.machine.run(["systemctl", "daemon-reload"])
    site.machine.run(["systemctl", "restart", PROVISION], check=False, timeout=120)
    status = site.machine.status(PROVISION)
    return int(site.machine.unit(PROVISION)["ExecMainStatus"]), status


def run_with_admin(site, server) -> None:
    server.make_admin()
    write_secrets(site, DATABASE_PASSWORD=PASSWORD, DATABASE_ADMIN_URL=admin_url())
    site.start()


def test_comments_live_there_over_tls_only_and_backups_are_made_and_put_back(site, server):
    run_with_admin(site, server)

    site.comments().register()
    site.comments().post_comment("first")
    assert ctl(site, "db", "check").exit_code == 0
    assert ctl(site, "status").exit_code == 0
    assert server.sql("SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'comments'") == "t"
    ctl(site, "backup", "now")
    ctl(site, "backup", "verify")
    site.comments().post_comment("second")
    ctl(site, "backup", "restore", "--yes", "latest")
    assert len(site.comments().list_comments()) == 1
    ctl(site, "backup", "undo")
    assert len(site.comments().list_comments()) == 2
    assert server.sql("SELECT string_agg(datname, ' ' ORDER BY 1) FROM pg_database WHERE datname ~ 'blog'") == "blog blog_replaced"


def test_comments_of_this_host_come_along_by_a_backup(unstarted_site, machine, root):
    site = unstarted_site
    site.start()
    site.comments().register()
    site.comments().post_comment("made here")
    ctl(site, "backup", "now")
    elsewhere = Server(machine, root, "db1.example.test", "127.0.0.2", 5441)
    elsewhere.make_role(options="CREATEDB")
    write_secrets(site, DATABASE_PASSWORD=PASSWORD)
    site.configure(DATABASE_URL=URL)
    machine.run(["systemctl", "daemon-reload"])
    machine.run(["systemctl", "restart", "commento.target"], timeout=120)

    ctl(site, "backup", "restore", "--yes", ctl(site, "backup", "list").stdout.split("\n")[1].split()[0])

    assert len(site.comments().list_comments()) == 1
    assert elsewhere.sql("SELECT count(*) FROM comments", "blog") == "1"


def test_the_passwords_are_nowhere_but_in_the_secrets(site, server):
    run_with_admin(site, server)
    with server.holding_table("comments", "blog"):
        site.machine.run(["systemctl", "start", "--no-block", "commento-db-backup.service"])
        site.machine.wait_until("pg_dump waits", lambda: "pg_dump" in all_arguments(site.machine))
        assert PASSWORD not in all_arguments(site.machine)
    site.machine.wait_until("the backup is made and verified", lambda: site.machine.unit("commento-db-backup.service")["ActiveState"] == "inactive",
                            timeout=120)

    application = site.machine.unit("commento.service")["MainPID"]
    environment = site.machine.read(f"/proc/{application}/environ")
    arguments = all_arguments(site.machine)
    for password in (PASSWORD, ADMIN_PASSWORD, quote(ADMIN_PASSWORD, safe="")):
        assert password not in site.machine.journal()
        assert password not in server.log()
        assert password not in environment + arguments
    assert "DATABASE_" not in environment
    assert "SCRAM-SHA-256$" not in site.machine.journal()
    folders = ["/run/commento-db-provision", "/run/commento-db-follow", "/var/lib/commento-stack/db"]
    assert site.machine.run(["find", *folders, "-type", "f"]).stdout.count("\n") == 3
    assert site.machine.run(["find", *folders, "-perm", "/077"]).stdout == ""
    peek = ["nsenter", f"--target={application}", "--mount", "cat", SECRETS]
    assert site.machine.run(peek, check=False).stdout == ""


def test_an_admin_who_may_not_make_roles_is_told_and_nothing_of_the_password(site, server):
    server.make_admin()
    server.sql("ALTER ROLE admin NOCREATEROLE")
    write_secrets(site, DATABASE_PASSWORD=PASSWORD, DATABASE_ADMIN_URL=admin_url())

    exit_code, status = provision(site)

    assert exit_code == DATABASE_FAULT
    assert "this role may not change it: role comments" in status and "CREATEROLE" in status
    assert "SCRAM-SHA-256$" not in site.machine.journal() and PASSWORD not in site.machine.journal()


def test_no_pool_leads_to_the_server_of_former_settings(unstarted_site, machine, root):
    site = unstarted_site
    site.start()
    elsewhere = Server(machine, root, "db1.example.test", "127.0.0.2", 5441)
    elsewhere.make_role(options="CREATEDB")
    elsewhere.sql("ALTER ROLE comments NOLOGIN")
    write_secrets(site, DATABASE_PASSWORD=PASSWORD)
    site.configure(DATABASE_URL=URL)
    machine.run(["systemctl", "daemon-reload"])
    machine.run(["systemctl", "restart", "commento.target"], check=False, timeout=180)
    assert machine.unit("commento-db-pool.service")["ActiveState"] == "inactive"

    elsewhere.sql("ALTER ROLE comments LOGIN")

    machine.wait_until("the site is up by itself", lambda: machine.unit("commento.service")["ActiveState"] == "active", timeout=120)
    site.comments().check()
    assert elsewhere.sql("SELECT count(*) FROM comments", "blog") == "1"


def test_without_an_admin_the_role_that_is_there_is_used_and_what_it_lacks_is_told(site, server):
    server.make_role()
    server.sql("CREATE DATABASE blog OWNER comments")
    write_secrets(site, DATABASE_PASSWORD=PASSWORD)
    site.start()

    site.comments().check()
    told = ctl(site, "db", "check", check=False)
    assert told.exit_code == UNHEALTHY
    assert "role comments may make databases" in told.output
    ctl(site, "backup", "now")
    server.sql("ALTER ROLE comments CREATEDB")
    assert ctl(site, "db", "check").exit_code == 0
    ctl(site, "backup", "verify")


def test_the_password_may_be_a_credential_of_systemd(site, server):
    server.make_role(options="CREATEDB")
    site.machine.write("/etc/credstore/commento-database-password", PASSWORD + "\n", 0o600)
    site.start()

    site.comments().check()


def test_the_units_have_neither_network_nor_secrets_without_such_a_server(site, server):
    server.make_role(options="CREATEDB")
    write_secrets(site, DATABASE_PASSWORD=PASSWORD)
    units = [f"commento-db-{stem}.service" for stem in ("provision", "check", "backup", "request", "switch", "guard")]

    site.machine.run(["systemctl", "daemon-reload"])
    assert {site.machine.unit(unit)["PrivateNetwork"] for unit in [*units, "commento-db-pool.service"]} == {"no"}
    site.configure()
    site.machine.run(["systemctl", "daemon-reload"])
    assert {site.machine.unit(unit)["PrivateNetwork"] for unit in [*units, "commento-db-pool.service"]} == {"yes"}
    assert all("secrets.conf" not in site.machine.run(["systemctl", "cat", unit]).stdout for unit in units)
    assert "commento-db-follow" not in site.machine.unit("commento-db-pool.service")["Wants"]
    site.machine.run(["systemctl", "start", "commento-db-follow.service"])
    assert site.machine.unit("commento-db-follow.service")["ConditionResult"] == "no"


def test_settings_that_were_changed_without_a_reload_of_systemd_say_so(site, server):
    server.make_role(options="CREATEDB")
    write_secrets(site, DATABASE_PASSWORD=PASSWORD)

    site.machine.run(["systemctl", "start", PROVISION], check=False)
    status = site.machine.status(PROVISION)

    assert "systemctl daemon-reload" in status


def has_wrong_password(site, server):
    server.sql("ALTER ROLE comments PASSWORD 'another'")
    return 'password authentication failed for user "comments"', "secrets.conf"


def has_no_password(site, server):
    write_secrets(site)
    return "no password supplied", "DATABASE_PASSWORD"


def has_expired_certificate(site, server):
    server.certify(expired=True)
    server.ctl("restart")
    return "certificate verify failed", "openssl s_client -starttls postgres -connect db1.example.test:5441"


def has_certificate_of_another_name(site, server):
    server.certify("DNS:other.example.test")
    server.ctl("restart")
    return 'server certificate for "other.example.test" does not match host name "db1.example.test"', "openssl s_client"


def has_certificate_of_unknown_authority(site, server):
    site.configure(DATABASE_URL=URL.split("?")[0])
    return "certificate verify failed", "/etc/ssl/certs/ca-certificates.crt"


def has_no_authorities(site, server):
    site.configure(DATABASE_URL=URL.replace(CA_FILE, "/etc/ssl/missing.pem"))
    return '"/etc/ssl/missing.pem" does not exist', "DATABASE_URL"


def is_down(site, server):
    server.ctl("stop")
    return "Connection refused", "is the server up"


def has_unknown_name(site, server):
    site.configure(DATABASE_URL=URL.replace("db1", "db9"))
    return 'could not translate host name "db9.example.test"', "DATABASE_URL"


def has_superuser_for_the_application(site, server):
    server.sql("ALTER ROLE comments SUPERUSER")
    return "role comments is a superuser", "ALTER ROLE comments NOSUPERUSER"


def has_somebody_elses_database(site, server):
    server.sql("CREATE DATABASE blog")
    return "database blog is there already and belongs to role postgres", "DATABASE_URL"


def refuses_to_make_databases(site, server):
    server.sql("ALTER ROLE comments NOCREATEDB")
    return "this role may not change it: database blog", "CREATE DATABASE"


@pytest.mark.parametrize("situation", [has_wrong_password, has_no_password, has_expired_certificate,
                                       has_certificate_of_another_name, has_certificate_of_unknown_authority,
                                       has_no_authorities, is_down, has_unknown_name, has_superuser_for_the_application,
                                       has_somebody_elses_database, refuses_to_make_databases])
def test_a_server_that_cannot_be_used_is_told_with_what_to_do(site, server, situation):
    server.make_role(options="CREATEDB")
    write_secrets(site, DATABASE_PASSWORD=PASSWORD)
    problem, hint = situation(site, server)

    exit_code, status = provision(site)

    assert exit_code == DATABASE_FAULT, status
    assert problem in status and hint in status
    assert PASSWORD not in status


def test_settings_with_a_fault_name_it_and_hide_what_may_be_a_password(site):
    site.configure(DATABASE_URL="postgresql://comments:hidden@db1.example.test/blog", DATABASE_PORT="5433")

    exit_code, status = provision(site)

    assert exit_code == SETTINGS_FAULT
    assert "DATABASE_URL holds a password" in status and "DATABASE_PORT" in status
    assert "hidden" not in status


@pytest.fixture
def pair(site, server, root):
    """A site on a primary with a standby that follows it."""
    standby = Server(site.machine, root, "db2.example.test", "127.0.0.3", 5442, primary=server)
    site.configure(DATABASE_URL=PAIR)
    server.make_role(options="CREATEDB")
    write_secrets(site, DATABASE_PASSWORD=PASSWORD)
    site.start()
    site.comments().register()
    site.comments().post_comment("before")
    server.machine.wait_until("the standby has it all", lambda: standby.sql("SELECT pg_is_in_recovery()") == "t" and server.sql(
        "SELECT bool_and(replay_lsn = pg_current_wal_lsn()) FROM pg_stat_replication") == "t")
    return site, server, standby


@pytest.mark.parametrize("how", ["fast", "immediate"])
def test_when_the_primary_is_lost_the_site_is_back_by_itself_on_the_standby(pair, how):
    site, primary, standby = pair

    primary.ctl("stop", "--mode", how)
    standby.ctl("promote")
    site.machine.wait_until("a comment can be posted again", lambda: posts(site), timeout=120)

    # One whose answer was lost may be there and have been posted again.
    assert len({*site.comments().list_comments()}) == 2
    assert "leads the pool to db2.example.test port 5442" in site.machine.journal("commento-db-follow.service")
    ctl(site, "backup", "now")
    assert ctl(site, "status").exit_code == 0


def posts(site) -> bool:
    try:
        site.comments().post_comment("after")
    except AssertionError:
        return False
    return True


def test_the_standby_may_be_named_first_and_take_over_while_the_stack_is_down(pair):
    site, primary, standby = pair
    site.machine.run(["systemctl", "stop", "commento.target", "commento.service"])
    first = f"postgresql://comments@db2.example.test:5442,db1.example.test:5441/blog?sslrootcert={CA_FILE}"
    site.configure(DATABASE_URL=first)

    site.start()
    assert "db1.example.test" in site.machine.read("/run/commento-db-follow/primary.ini")
    site.comments().post_comment("on the primary")
    site.machine.run(["systemctl", "stop", "commento.target", "commento.service"])
    primary.ctl("stop")
    standby.ctl("promote")
    site.start()

    assert "db2.example.test" in site.machine.read("/run/commento-db-follow/primary.ini")
    assert len(site.comments().list_comments()) == 2


def test_only_a_standby_is_refused(pair):
    site, primary, standby = pair
    primary.ctl("stop")

    exit_code, status = provision(site)

    assert exit_code == DATABASE_FAULT
    assert "session is read-only" in status and "promote the standby" in status


def test_the_site_comes_up_by_itself_when_the_server_does(site, server):
    run_with_admin(site, server)
    site.comments().check()
    server.ctl("stop")
    site.machine.run(["systemctl", "restart", "commento.target"], check=False, timeout=180)

    server.ctl("start")

    site.machine.wait_until("the application is up", lambda: site.machine.unit("commento.service")["ActiveState"] == "active", timeout=120)
    assert len(site.comments().list_comments()) == 1
