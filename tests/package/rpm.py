"""The RPM from install to erase, as dnf does it on a booted host in Fedora's shape (machine/fedora.py)."""

import re

import pytest

from machine import Machine, Pebble, Site, places, roots
from machine.database import sql
from machine.packages import make_rpm_release, settle
from machine.steady import Steady, make_ready

SETTINGS, SECRETS = "/etc/commento-stack/commento-stack.conf", "/etc/commento-stack/secrets.conf"
STATE, SITE = "/var/lib/commento-stack", "/etc/nginx/conf.d/commento-stack.conf"
NEW = "#WEATHER=fair\n"
RESTART = "commentoctl-restart.service"


@pytest.fixture(scope="module")
def site(fedora, tmp_path_factory):
    """One host for the whole file: each test leaves it serving, and the next one goes on from there."""
    with Machine(roots.pristine()) as machine:
        machine.send(places.rpm(), "/srv/present.rpm")
        machine.send(make_rpm_release("2", tmp_path_factory.mktemp("later"), NEW), "/srv/later.rpm")
        yield Site(machine, Pebble(machine))


def dnf(machine, *words: str):
    return machine.run(["dnf", "--assumeyes", *words], timeout=300)


def test_install_starts_nothing_and_lets_the_operator_edit_two_lines(site):
    machine = site.machine
    machine.install(["commento-stack"])

    target = machine.unit("commento.target")
    assert (target["ActiveState"], target["UnitFileState"]) == ("inactive", "disabled")
    assert [machine.unit(name)["ActiveState"] for name in ("nginx", "postgresql")] == ["inactive", "inactive"]
    settings = machine.read(SETTINGS)
    assert "\nDOMAIN=\n" in settings and "\nEMAIL=\n" in settings
    assert machine.run(["stat", "--format=%a %U %G", SECRETS]).stdout.split() == ["640", "root", "commento"]
    assert machine.run(["rpm", "--query", "--configfiles", "commento-stack"]).stdout.split() == [SETTINGS, SECRETS]
    assert machine.run(["rpm", "--verify", "commento-stack"]).output == ""
    assert machine.failed_units() == []


def test_setup_and_start_serve_comments_where_nobody_has_made_a_cluster(site):
    machine = site.machine
    changes = [f"--set={key}={value}" for key, value in site.settings(TRUSTED_PROXIES="0.0.0.0/0").items()]
    machine.run(["commentoctl", "setup", *changes])

    site.start()

    assert machine.failed_units() == []
    make_ready(site)
    assert machine.run(["stat", "--format=%U", "/var/lib/pgsql/data/PG_VERSION"]).stdout.strip() == "postgres"
    doctor = machine.run(["commentoctl", "doctor"], check=False).output
    assert "ok      the package's files are unchanged" in doctor


def test_it_comes_up_by_itself_after_a_reboot(site):
    machine = site.machine
    machine.reboot()
    machine.wait_until("commento.target", lambda: machine.unit("commento.target")["ActiveState"] == "active")
    assert len(site.comments().list_comments()) == 20
    assert machine.failed_units() == []


def test_an_upgrade_and_a_reinstall_fail_no_request_and_change_no_setting(site):
    machine = site.machine
    settings = machine.read(SETTINGS)
    running = {machine.unit("commento.service")["MainPID"]}

    with Steady(site.domain, machine.address, site.pebble.root()) as load:
        load.await_more(machine)
        for words in (["install", "/srv/later.rpm"], ["reinstall", "/srv/later.rpm"]):
            dnf(machine, *words)
            settle(machine)
            assert machine.unit(RESTART)["Result"] == "success"
            running.add(machine.unit("commento.service")["MainPID"])
        load.await_more(machine)

    assert load.failed == []
    assert len(running) == 3, "the application was changed over each time"
    assert machine.run(["rpm", "--query", "commento-stack"]).stdout.startswith(f"commento-stack-{places.version(places.rpm())}-2.")
    assert machine.read(SETTINGS) == settings
    assert machine.read(f"{SETTINGS}.rpmnew").endswith(NEW), "what is new lies beside what the operator wrote"
    assert not machine.exists(f"{SECRETS}.rpmnew")
    assert int(sql(machine, "SELECT count(*) FROM comments WHERE path LIKE '/post-%'")) == load.served["comment/new"]
    assert machine.failed_units() == []


def test_a_downgrade_while_an_upgrade_is_still_at_work_has_its_turn_too_and_goes_on_serving(site):
    machine = site.machine
    hangs = "/run/systemd/system/commento-nginx-render.service.d"
    machine.write(f"{hangs}/hangs.conf", "[Service]\nExecStartPre=/bin/sh -c 'while [ -e /srv/waits ]; do sleep 0.05; done'\n")
    machine.write("/srv/waits", "")
    dnf(machine, "reinstall", "/srv/later.rpm")
    machine.wait_until("it is at work", lambda: machine.unit(RESTART)["ActiveState"] == "activating")
    begun = machine.journal(RESTART).count(f"Starting {RESTART}")

    dnf(machine, "downgrade", "/srv/present.rpm")
    machine.run(["rm", "-r", "/srv/waits", hangs])
    settle(machine)

    assert machine.journal(RESTART).count(f"Starting {RESTART}") == begun + 1 and machine.unit(RESTART)["Result"] == "success"
    machine.run(["systemctl", "daemon-reload"])
    assert len(site.comments().list_comments()) == 20
    assert machine.failed_units() == []


def test_erase_stops_the_site_and_takes_it_out_of_nginx_and_an_install_finds_all_again(site):
    machine = site.machine
    settings, secrets = machine.read(SETTINGS), machine.read(SECRETS) + "COMMENTO_SMTP_PASSWORD=kept\n"
    machine.write(SECRETS, secrets, 0o640, "root:commento")
    certificate = site.comments().certificate()["serialNumber"]
    requests = len(site.pebble.requests())

    dnf(machine, "remove", "commento-stack")

    assert not machine.exists(SITE) and machine.exists(f"{STATE}/tls/live/fullchain.pem")
    assert machine.read(f"{SETTINGS}.rpmsave") == settings
    machine.run(["nginx", "-t"])
    assert machine.unit("nginx.service")["ActiveState"] == "active"
    assert [machine.unit(name)["LoadState"] for name in ("commento.service", "commento.target")] == ["not-found"] * 2
    assert machine.run(["pgrep", "--exact", "commento"], check=False).stdout == ""
    assert not machine.exists("/usr/libexec/commento-stack") and not machine.exists("/usr/share/commento-stack")

    machine.install(["commento-stack"])

    assert (machine.read(SETTINGS), machine.read(SECRETS)) == (settings, secrets)
    assert machine.run(["stat", "--format=%a %U %G", SECRETS]).stdout.split() == ["640", "root", "commento"]
    assert not machine.exists(f"{SETTINGS}.rpmsave")
    assert machine.unit("commento.target")["UnitFileState"] == "disabled"
    site.start()
    assert len(site.comments().list_comments()) == 20
    assert site.comments().certificate()["serialNumber"] == certificate
    assert len(site.pebble.requests()) == requests


def test_what_an_erase_leaves_goes_by_the_commands_of_the_document(site):
    machine = site.machine
    dnf(machine, "remove", "--noautoremove", "commento-stack")
    left = "find /etc /var /run /usr -path /var/cache -prune -o -path /var/log/journal -prune -o -path /var/lib/systemd -prune -o -name '*commento*' -print"
    assert f"{SETTINGS}.rpmsave" in machine.run(["sh", "-c", left]).stdout

    documented = (places.REPOSITORY / "docs/fedora.md").read_text()
    commands = re.findall(r"(?m)^    (.*[^ ]) +# (?:databases|their roles|state, settings, logs|users)$", documented)
    assert len(commands) == 4
    for command in commands:
        machine.run(["sh", "-ec", command], timeout=120)

    assert machine.run(["sh", "-c", left]).stdout == ""
    assert "commento" not in machine.read("/etc/passwd")
    for catalogue in ("pg_database", "pg_roles"):
        assert "commento" not in machine.run(["runuser", "-u", "postgres", "--", "psql", "-Atc", f"table {catalogue}"]).stdout
