"""From one version of the package to another, while readers come."""

from pathlib import Path

import pytest

from machine import places
from machine.database import sql
from machine.packages import make_version, settle
from machine.steady import Steady, ready_site

RESTART, SERVICE, POOL, TARGET = "commentoctl-restart.service", "commento.service", "commento-db-pool.service", "commento.target"
SETTINGS = "/etc/commento-stack/commento-stack.conf"
TEMPLATE = "usr/share/commento-stack/commento-stack.conf"
LATER = "9.0"


def alter(tree: Path) -> None:
    """What a later version may well bring: a setting, another site, other units."""
    settings = tree / TEMPLATE
    settings.write_text(settings.read_text() + "\n# A setting of another day.\n#WEATHER=fair\n")
    site = tree / "usr/share/commento-stack/nginx/commento-stack.conf.in"
    header = "add_header X-Content-Type-Options nosniff always;"
    site.write_text(site.read_text().replace(header, f"{header}\n    add_header X-Version later always;"))
    units = tree / "usr/lib/systemd/system"
    for name, text in (("commento.service", "[Service]\nEnvironment=DAY=another\n"),
                       ("commento-cert-renew.timer", "[Timer]\nOnCalendar=\nOnCalendar=*-*-* 04:44\nRandomizedDelaySec=0\n"),
                       ("commento-nginx-reload.path", "[Path]\nPathExists=/srv/changed\n"),
                       ("commento-app-health.socket", "[Socket]\nMaxConnections=17\n")):
        unit = units / name
        unit.write_text(f"{unit.read_text()}\n{text}")


@pytest.fixture(scope="module")
def shared_site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("packages")
    with ready_site() as site:
        site.machine.send(make_version(LATER, folder, alter), "/srv/later.deb")
        site.machine.send(places.deb(), "/srv/present.deb")
        yield site


@pytest.fixture
def site(shared_site):
    """The site with the package under test, settled."""
    machine = shared_site.machine
    yield shared_site
    machine.run(["systemctl", "stop", TARGET])
    install(machine, "present")
    settle(machine)
    machine.run(["systemctl", "reset-failed"])
    shared_site.restart(TRUSTED_PROXIES="0.0.0.0/0")


def install(machine, name: str, *options: str):
    return machine.run(["apt-get", "install", "--quiet", "--yes", "--allow-downgrades", "--reinstall", *options, f"/srv/{name}.deb"],
                       timeout=120)


def version_of(machine) -> str:
    return machine.run(["dpkg-query", "--show", "--showformat=${Version}", "commento-stack"]).stdout


def is_read_by(machine, unit: str, words: str) -> bool:
    return words in machine.run(["systemctl", "show", unit]).stdout


def check_under_load(site, *steps) -> None:
    """Each step under load; no reader fails and each comment is written once."""
    machine = site.machine
    before = int(sql(machine, "SELECT count(*) FROM comments"))
    with Steady(site.domain, machine.address, site.pebble.root()) as load:
        load.await_more(machine)
        for step in steps:
            step()
            settle(machine)
        load.await_more(machine)
    assert load.failed == []
    assert int(sql(machine, "SELECT count(*) FROM comments")) - before == load.served["comment/new"]


def test_an_upgrade_and_a_downgrade_fail_no_request_and_each_version_serves(site):
    machine = site.machine
    settings = machine.read(SETTINGS) + "\n# Mine.\n  HSTS_SECONDS = '600'\n\n\n"
    machine.write(SETTINGS, settings)
    running = machine.unit(SERVICE)["MainPID"]
    said = []

    def upgrade():
        said.append(install(machine, "later").output)

    def check_later():
        assert machine.unit(RESTART)["Result"] == "success", machine.journal(RESTART)
        assert version_of(machine) == LATER
        assert machine.unit(SERVICE)["MainPID"] != running and is_read_by(machine, SERVICE, "DAY=another")
        assert is_read_by(machine, "commento-cert-renew.timer", "04:44:00 ; next_elapse")
        assert machine.unit("commento-cert-renew.timer")["NextElapseUSecRealtime"].split()[2] == "04:44:00"
        assert is_read_by(machine, "commento-nginx-reload.path", "/srv/changed")
        assert machine.unit("commento-app-health.socket")["MaxConnections"] == "17"
        assert site.comments().get("/login").headers["X-Version"] == "later"

    def look_for_change():
        runs = machine.unit("commento-nginx-reload.service")["InvocationID"]
        machine.write("/srv/changed", "")
        machine.wait_until("the path unit watches what it did not before",
                           lambda: machine.unit("commento-nginx-reload.service")["InvocationID"] != runs)
        machine.run(["rm", "/srv/changed"])

    def downgrade():
        install(machine, "present")

    check_under_load(site, upgrade, check_later, look_for_change, downgrade)

    assert "new settings: WEATHER -" in said[0]
    assert "Configuration file" not in said[0] and machine.read(SETTINGS) == settings
    assert version_of(machine) != LATER
    assert "X-Version" not in site.comments().get("/login").headers
    assert machine.failed_units() == []


def test_without_being_told_to_apt_does_not_go_back_a_version(site):
    install(site.machine, "later")
    settle(site.machine)

    refused = site.machine.run(["apt-get", "install", "--yes", "/srv/present.deb"], check=False)

    assert refused.exit_code != 0 and "downgraded" in refused.output
    assert version_of(site.machine) == LATER


def test_a_later_version_may_refuse_a_downgrade_and_a_former_one_with_a_fault_no_upgrade(site, tmp_path):
    machine = site.machine

    def refuse(tree: Path) -> None:
        (tree / "DEBIAN/prerm").write_text("#!/bin/sh\n[ \"$1\" != upgrade ] || { echo 'not me' >&2; exit 1; }\n")

    for version, stays in (("0.0.1", False), ("9.1", True)):
        machine.send(make_version(version, tmp_path, refuse), "/srv/refuses.deb")
        install(machine, "refuses")
        done = machine.run(["dpkg", "--install", "/srv/present.deb"], check=False, timeout=120)

        assert "not me" in done.output and (done.exit_code != 0) == stays, done.output
        assert (version_of(machine) == version) == stays
        assert ("does not let itself be replaced" in done.output) == stays
        assert machine.run(["dpkg", "--audit"]).stdout == ""
        settle(machine)
    machine.run(["rm", "/var/lib/dpkg/info/commento-stack.prerm"])


def test_what_the_operator_stopped_is_not_started_by_an_upgrade(site):
    site.machine.run(["systemctl", "stop", TARGET])

    install(site.machine, "later")

    settle(site.machine)
    assert {site.machine.unit(unit)["ActiveState"] for unit in (TARGET, SERVICE, RESTART)} == {"inactive"}


def test_a_pool_that_would_have_to_be_restarted_goes_on_and_says_so(site):
    machine = site.machine
    site.configure(TRUSTED_PROXIES="0.0.0.0/0", DATABASE_POOL="3")
    pool = machine.unit(POOL)["MainPID"]

    check_under_load(site, lambda: install(machine, "later"))

    assert "to have it take what is new: commentoctl restart" in machine.journal(RESTART)
    assert machine.unit(POOL)["MainPID"] == pool and machine.unit(RESTART)["Result"] == "success"
    assert "away for a moment" in machine.run(["commentoctl", "restart"], timeout=120).stdout
    assert machine.unit(POOL)["MainPID"] != pool


def test_a_release_that_cannot_be_had_keeps_no_part_from_the_new_version_and_does_not_fail_apt(site):
    machine = site.machine
    site.configure(TRUSTED_PROXIES="0.0.0.0/0", APP_ARCHIVE="/srv/missing.tar.gz", APP_SHA256="0" * 64)

    check_under_load(site, lambda: install(machine, "later"))

    assert machine.unit(RESTART)["Result"] == "exit-code" and "/srv/missing.tar.gz" in machine.journal(RESTART)
    assert site.comments().get("/login").headers["X-Version"] == "later"


def test_policy_of_the_host_that_forbids_starts_is_kept(site):
    machine = site.machine
    machine.write("/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", mode=0o755)
    runs = machine.unit(RESTART).get("InvocationID")

    said = install(machine, "later").output

    machine.run(["rm", "/usr/sbin/policy-rc.d"])
    assert "policy-rc.d forbids to restart" in said
    assert machine.unit(RESTART).get("InvocationID") == runs and machine.unit(TARGET)["ActiveState"] == "active"


def test_an_upgrade_while_that_before_is_still_at_work_has_its_turn_too(site):
    machine = site.machine
    hangs = "[Service]\nExecStartPre=/bin/sh -c 'while [ -e /srv/waits ]; do sleep 0.05; done'\n"
    machine.write("/run/systemd/system/commento-nginx-render.service.d/hangs.conf", hangs)
    machine.write("/srv/waits", "")

    def upgrade_twice():
        install(machine, "present")
        machine.wait_until("it is at work", lambda: machine.unit(RESTART)["ActiveState"] == "activating")
        install(machine, "later")
        machine.run(["rm", "/srv/waits"])

    check_under_load(site, upgrade_twice)

    machine.run(["rm", "-r", "/run/systemd/system/commento-nginx-render.service.d"])
    machine.run(["systemctl", "daemon-reload"])
    assert machine.unit(RESTART)["Result"] == "success", machine.journal(RESTART)
    assert is_read_by(machine, SERVICE, "DAY=another") and machine.unit("commento-app-beside.service")["ActiveState"] == "inactive"
