"""From install to purge, as dpkg and apt do it on a booted machine."""

import pytest

from machine import Pebble, Site, Terminal, places
from machine.terminal import in_russian

SETTINGS = "/etc/commento-stack/commento-stack.conf"
SECRETS = "/etc/commento-stack/secrets.conf"
STATE = "/var/lib/commento-stack"
ANSWERS = "commento-stack commento-stack/domain string {}\ncommento-stack commento-stack/email string {}\n"

# What a host without the package would have too: folders whose times change, logs, caches, package lists and the like.
NOT_OURS = ["/proc", "/sys", "/dev", "/run", "/tmp", "/var/log", "/var/cache", "/var/tmp", "/srv", "/root", "/var/lib/apt",
            "/var/lib/dpkg", "/var/lib/systemd", "/var/lib/postgresql", "/var/lib/nginx"]

# Of what a package names, what apt installs with it.
USED = [f"--no-{kind}" for kind in ("suggests", "conflicts", "breaks", "replaces", "enhances")]


@pytest.fixture
def fresh(pristine):
    """A host with nginx, PostgreSQL and all else that the package builds on."""
    pristine.run(["apt-get", "update", "--quiet"])
    depends = pristine.run(["apt-cache", "depends", *USED, "commento-stack"]).stdout.splitlines()
    pristine.install([line.split()[-1] for line in depends if ": " in line and "<" not in line])
    return pristine


def preseed(machine, domain, email):
    machine.run(["debconf-set-selections"], input=ANSWERS.format(domain, email))


def files_of(machine):
    pruned = [word for path in NOT_OURS for word in ("-path", path, "-prune", "-o")]
    listing = machine.run(["find", "/", *pruned, "-printf", "%p %y %m %u %s %l\n"], timeout=120).stdout
    return {line for line in listing.splitlines() if " d " not in line}


def test_install_starts_nothing_and_lets_the_operator_edit_two_lines(fresh):
    fresh.install(["commento-stack"])

    assert fresh.unit("commento.target")["ActiveState"] == "inactive"
    assert fresh.unit("commento.target")["UnitFileState"] == "disabled"
    settings = fresh.read(SETTINGS)
    assert "\nDOMAIN=\n" in settings and "\nEMAIL=\n" in settings
    assert fresh.run(["stat", "--format=%a %U %G", SECRETS]).stdout.split() == ["640", "root", "commento"]
    assert fresh.failed_units() == []


def test_preseeded_answers_are_all_that_is_needed(fresh):
    pebble = Pebble(fresh)
    site = Site(fresh, pebble)
    preseed(fresh, site.domain, "owner@example.test")
    fresh.install(["commento-stack"])
    settings = fresh.read(SETTINGS)
    assert f"\nDOMAIN={site.domain}\n" in settings and "\nEMAIL=owner@example.test\n" in settings

    changes = [f"--set={key}={value}" for key, value in site.settings().items()
               if key in ("ACME_DIRECTORY", "ACME_CA_FILE", "APP_ARCHIVE", "APP_SHA256")]
    fresh.run(["commentoctl", "setup", *changes])
    site.start()
    site.comments().check()


def test_wrong_answers_are_refused_and_do_not_block_apt(fresh):
    preseed(fresh, "https://comments.example.test/", "owner@example.test")

    said = fresh.install(["commento-stack"]).output

    assert "is an address, not a name" in said
    assert "\nDOMAIN=\n" in fresh.read(SETTINGS)
    assert fresh.run(["dpkg", "--audit"]).stdout == ""


@pytest.mark.parametrize("domain, email, missing", [("comments.example.test", "", "EMAIL"), ("", "owner@example.test", "DOMAIN")])
def test_one_answer_alone_is_not_taken_over_and_that_is_said(fresh, domain, email, missing):
    preseed(fresh, domain, email)

    said = fresh.install(["commento-stack"]).output

    assert f"{missing} is not set" in said and "run: sudo commentoctl setup" in said
    assert "\nDOMAIN=\n" in fresh.read(SETTINGS) and "\nEMAIL=\n" in fresh.read(SETTINGS)
    assert fresh.run(["dpkg", "--audit"]).stdout == ""


def test_wrong_answers_on_a_terminal_are_asked_for_again(fresh):
    terminal = Terminal(fresh, ["apt-get", "install", "--quiet", "--yes", "commento-stack"], env={"DEBIAN_FRONTEND": "teletype"})
    terminal.expect("Name of the comment server:")
    terminal.type("https://comments.example.test/")
    terminal.expect("E-mail address for the certificate authority:")
    terminal.type("owner@example.test")
    terminal.expect("is an address, not a name")
    terminal.expect("Both questions are asked again")
    terminal.expect("Name of the comment server:")
    terminal.type("comments.example.test")
    terminal.expect("E-mail address for the certificate authority:")
    terminal.type("owner@example.test")

    assert terminal.end() == 0, terminal.shown
    settings = fresh.read(SETTINGS)
    assert "\nDOMAIN=comments.example.test\n" in settings and "\nEMAIL=owner@example.test\n" in settings


def test_answers_follow_what_the_operator_wrote(site):
    site.configure(EMAIL="other@example.test")

    site.machine.run(["dpkg-reconfigure", "--frontend=noninteractive", "commento-stack"], timeout=120)

    assert "EMAIL=other@example.test" in site.machine.read(SETTINGS)
    answer = site.machine.run(["debconf-communicate", "commento-stack"], input="GET commento-stack/email\n").stdout
    assert answer.strip() == "0 other@example.test"


def test_answers_that_stand_in_the_file_are_not_asked_again_for_a_fault_elsewhere_in_it(site):
    site.configure(BACKUP_KEEP_DAILY="often")
    terminal = Terminal(site.machine, ["dpkg-reconfigure", "commento-stack"], env={"DEBIAN_FRONTEND": "teletype"})
    terminal.expect("Name of the comment server:")
    terminal.type(site.domain)
    terminal.expect("E-mail address for the certificate authority:")
    terminal.type(site.settings()["EMAIL"])
    assert terminal.end() == 0, terminal.shown
    assert "asked again" not in terminal.shown
    assert "BACKUP_KEEP_DAILY=often" in site.machine.read(SETTINGS)


def test_debconf_asks_in_the_operator_s_language(site):
    terminal = Terminal(site.machine, ["dpkg-reconfigure", "commento-stack"],
                        env={"DEBIAN_FRONTEND": "teletype"} | in_russian(site.machine))
    terminal.expect("Имя сервера комментариев:")
    terminal.type(site.domain)
    terminal.expect("Адрес электронной почты для центра сертификации:")
    terminal.type("owner@example.test")
    assert terminal.end() == 0, terminal.shown


def test_reinstall_goes_on_serving_and_changes_no_setting(site):
    site.comments().register()
    site.comments().post_comment("before the reinstall")
    settings = site.machine.read(SETTINGS)
    certificate = site.comments().certificate()["serialNumber"]

    site.machine.install(["commento-stack"], "--reinstall")

    assert site.machine.read(SETTINGS) == settings
    assert len(site.comments().list_comments()) == 1
    assert site.comments().certificate()["serialNumber"] == certificate
    assert site.machine.failed_units() == []


def test_remove_keeps_settings_state_and_comments_and_install_finds_them_again(site):
    machine = site.machine
    site.comments().register()
    site.comments().post_comment("before the removal")
    certificate = site.comments().certificate()["serialNumber"]
    settings = machine.read(SETTINGS)
    requests = len(site.pebble.requests())

    machine.run(["apt-get", "remove", "--yes", "commento-stack"], timeout=120)

    assert machine.read(SETTINGS) == settings
    assert machine.exists(f"{STATE}/tls/live/fullchain.pem")
    assert not machine.exists("/etc/nginx/conf.d/commento-stack.conf")
    assert machine.run(["nginx", "-t"]).exit_code == 0
    assert machine.unit("nginx.service")["ActiveState"] == "active"
    assert machine.unit("commento.service")["LoadState"] == "not-found"

    machine.install(["commento-stack"])

    machine.wait_until("the site", lambda: len(site.comments().list_comments()) == 1)
    assert site.comments().certificate()["serialNumber"] == certificate
    assert len(site.pebble.requests()) == requests


def databases(machine):
    return set(machine.run(["runuser", "-u", "postgres", "--", "psql", "-Atc", "select datname from pg_database"]).stdout.split())


def roles(machine):
    return set(machine.run(["runuser", "-u", "postgres", "--", "psql", "-Atc", "select rolname from pg_roles"]).stdout.split())


def test_purge_takes_away_what_the_package_made_and_nothing_else_and_keeps_comments_and_backups(fresh):
    before = files_of(fresh)
    users = fresh.read("/etc/passwd")
    fresh.run(["runuser", "-u", "postgres", "--", "psql", "-c", "create database another"])
    site = Site(fresh, Pebble(fresh))
    fresh.install(["commento-stack"])
    site.configure()
    site.start()
    site.comments().register()
    site.comments().post_comment("before the purge")
    fresh.run(["commentoctl", "backup", "now"])
    backup = fresh.run(["sh", "-c", f"ls {STATE}/backups/*.zip"]).stdout.strip()

    said = fresh.run(["apt-get", "purge", "--yes", "commento-stack"], timeout=120).output

    after = files_of(fresh)
    # The account databases and their backups are written anew; their content is compared below.
    accounts = tuple(f"/etc/{name}" for name in ("passwd", "shadow", "group", "gshadow"))
    of_the_test = ("/srv/", "/etc/ssl/test/")
    kept = (f"{STATE}/backups/",)
    assert {line for line in before ^ after if not line.startswith((*accounts, *of_the_test, *kept))} == set()
    assert fresh.read("/etc/passwd") == users
    assert {"another", "commento"} <= databases(fresh)
    assert "dropdb" in said and "dropuser" in said and "commento_replaced" in said and f"{STATE}/backups" in said
    assert {"root:root"} == set(fresh.run(["find", f"{STATE}/backups", "-printf", "%u:%g\n"]).stdout.split())
    assert fresh.run(["cat", backup], user="nobody", check=False).exit_code != 0
    assert fresh.failed_units() == []

    fresh.install(["commento-stack"])
    site.configure()
    site.start()
    assert len(site.comments().list_comments()) == 1
    fresh.run(["commentoctl", "backup", "verify", backup.split("/")[-1].removesuffix(".zip")], timeout=120)


def test_purge_deletes_comments_and_backups_where_the_operator_says_so(site):
    machine = site.machine
    machine.run(["runuser", "-u", "postgres", "--", "psql", "-c", "create database another"])
    machine.run(["runuser", "-u", "postgres", "--", "psql", "-c", "create database commento_of_somebody_else"])
    machine.run(["commentoctl", "backup", "now"])

    terminal = Terminal(machine, ["apt-get", "purge", "--quiet", "--yes", "commento-stack"], env={"DEBIAN_FRONTEND": "teletype"})
    terminal.expect("Delete the comments and their backups, too?")
    terminal.type("yes")

    assert terminal.end() == 0, terminal.shown
    assert "the comments and their backups are deleted" in terminal.shown
    assert databases(machine) >= {"another", "commento_of_somebody_else"} and "commento" not in databases(machine)
    assert not {role for role in roles(machine) if role.startswith("commento")}
    assert not machine.exists(STATE)


@pytest.mark.parametrize("server", ["runs", "is stopped", "is elsewhere"])
def test_a_purge_that_nobody_looks_on_at_follows_the_answer_given_before_and_waits_for_no_server(machine, server):
    for statement in ("create role commento", "create database commento owner commento"):
        machine.run(["runuser", "-u", "postgres", "--", "psql", "-c", statement])
    machine.write(f"{STATE}/backups/one.zip", "")
    machine.run(["debconf-set-selections"], input="commento-stack commento-stack/delete-comments boolean true\n")
    if server == "is stopped":
        machine.run(["systemctl", "stop", "postgresql"])
    if server == "is elsewhere":
        machine.write(SETTINGS, "DATABASE_URL='postgresql://comments@db.example.test/comments'\n")

    said = machine.run(["apt-get", "purge", "--yes", "commento-stack"], timeout=60).output

    machine.run(["systemctl", "start", "postgresql"])
    assert not machine.exists(STATE)
    assert ("commento" in databases(machine)) == (server != "runs")
    assert {"runs": "the comments and their backups are deleted", "is stopped": "dropdb",
            "is elsewhere": "in a database elsewhere"}[server] in said
    assert machine.run(["dpkg", "--audit"]).stdout == ""


def test_a_purge_that_keeps_comments_on_another_server_does_not_look_for_them_on_this_one(machine):
    machine.write(SETTINGS, "DATABASE_URL='postgresql://comments@db.example.test/comments'\n")
    said = machine.run(["apt-get", "purge", "--yes", "commento-stack"], timeout=60).output
    assert "the comments stay in the database elsewhere that DATABASE_URL names" in said
    assert "dropdb" not in said


def test_the_smoke_test_that_autopkgtest_runs_passes_on_the_installed_package(machine):
    archive = Site(machine, Pebble(machine)).give_archive()
    machine.send(places.REPOSITORY / "debian/tests/smoke", "/srv/smoke", mode=0o755)

    machine.run(["/srv/smoke"], env={"APP_ARCHIVE": archive}, timeout=120)


def test_a_host_without_a_postgresql_server_of_its_own_is_told_how_to_get_one(pristine):
    pristine.install(["commento-stack"], "--no-install-recommends")
    assert pristine.run(["pg_lsclusters", "--no-header"]).stdout == ""
    pristine.run(["commentoctl", "setup", "--offline", "--domain", "comments.example.test", "--email", "owner@example.test"])

    failed = pristine.run(["commentoctl", "db", "provision"], check=False)

    assert failed.exit_code == 9 and "apt-get install postgresql" in failed.stderr, failed.output
