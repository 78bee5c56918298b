"""The whole stack under commento.target: from the package to comments over HTTPS, and back after every kind of end."""

import re

import pytest

from machine import Machine, Pebble, Site, roots

DEBIANS = ["bookworm", "trixie"]


@pytest.fixture(params=DEBIANS)
def site_on_each_debian(request):
    with Machine(roots.installed(request.param)) as machine:
        site = Site(machine, Pebble(machine))
        site.configure()
        site.start()
        yield site


def test_one_package_serves_comments_on_each_debian_and_still_does_after_a_reboot(site_on_each_debian):
    site = site_on_each_debian
    assert site.machine.unit("commento.target")["ActiveState"] == "active"
    assert site.machine.failed_units() == []
    site.comments().register()
    site.comments().post_comment("before the reboot")

    site.machine.reboot()
    site.machine.wait_until("commento.target", lambda: site.machine.unit("commento.target")["ActiveState"] == "active")

    assert site.machine.failed_units() == []
    site.comments().post_comment("after the reboot")
    assert len(site.comments().list_comments()) == 2


def test_http3_is_served_where_nginx_has_it():
    with Machine(roots.installed("trixie")) as machine:
        site = Site(machine, Pebble(machine))
        site.configure()
        site.start()
        script = site.comments().get("/js/commento.js")
        assert script.headers["Alt-Svc"].startswith('h3=":443"')

        machine.write("/srv/root.pem", site.pebble.root())
        told = machine.run(["curl", "--silent", "--show-error", "--http3-only", "--cacert", "/srv/root.pem", "--resolve",
                            f"{site.domain}:443:127.0.0.1", "--write-out", "\n%{http_version} %{http_code}",
                            f"https://{site.domain}/js/commento.js"]).stdout
        body, _, answer = told.rpartition("\n")
        assert answer == "3 200"
        assert body.encode() == script.body


# systemd-analyze security: at most, of ten.
EXPOSED = 2.0
# They run `nginx -t`, which wants as much of the host as nginx itself (commento-nginx-render.service).
MORE_EXPOSED = {"commento-nginx-render.service": 2.7, "commento-nginx-reload.service": 2.7}
# Root for Debian's tools for clusters; started only by the operator, or for what such a run left
# (commento-db-upgrade.service.d/wider.conf).
MORE_EXPOSED |= {"commento-db-upgrade.service": 2.7, "commento-db-upgrade-recover.service": 2.7}
# The distribution's own program, once in a host's life (commento-db-initdb.service.d/wider.conf).
MORE_EXPOSED |= {"commento-db-initdb.service": 2.7}
# It runs the host's mail program, which becomes other users (commento-notify-sendmail@.service.d/wider.conf).
MORE_EXPOSED |= {"commento-notify-sendmail@1.service": 2.9}


def test_every_unit_has_few_rights(site):
    machine = site.machine
    listed = machine.run(["systemctl", "list-unit-files", "--no-legend", "--type=service", "commento*"]).stdout
    units = [line.split()[0].replace("@.", "@1.") for line in listed.splitlines()]
    assert {"commento.service", "commento-app-health@1.service", *MORE_EXPOSED} <= set(units)
    for unit in units:
        told = machine.run(["systemd-analyze", "security", "--no-pager", unit], check=False).stdout
        most = MORE_EXPOSED.get(unit, EXPOSED)
        assert float(re.search(r"exposure level for \S+ ([\d.]+)", told)[1]) <= most, told


def test_a_power_cut_loses_neither_a_comment_nor_the_certificate(site):
    site.comments().register()
    site.comments().post_comment("before the power cut")
    certificate = site.comments().certificate()["serialNumber"]

    site.machine.power_cut()
    site.machine.wait_until("commento.target", lambda: site.machine.unit("commento.target")["ActiveState"] == "active")

    assert "before the power cut" in site.comments().list_comments()[0]
    assert site.comments().certificate()["serialNumber"] == certificate


def test_the_application_is_back_by_itself_after_it_was_killed(site):
    site.comments().register()
    site.comments().post_comment("before the kill")
    first = site.machine.unit("commento.service")["MainPID"]

    site.machine.run(["systemctl", "kill", "--signal=KILL", "--kill-whom=main", "commento.service"])

    site.machine.wait_until("another process of commento.service",
                            lambda: site.machine.unit("commento.service")["MainPID"] not in ("0", first)
                            and site.machine.unit("commento.service")["ActiveState"] == "active")
    assert len(site.comments().list_comments()) == 1


@pytest.mark.parametrize("service", ["postgresql", "nginx"])
def test_the_site_is_back_by_itself_after_a_host_service_was_restarted(site, service):
    site.comments().register()
    site.comments().post_comment("before the restart")

    site.machine.run(["systemctl", "restart", service])

    site.machine.wait_until("the comment is listed again", lambda: len(site.comments().list_comments()) == 1)
    site.comments().post_comment("after the restart")
    assert site.machine.failed_units() == []


def test_nothing_changes_when_the_target_is_started_again(site):
    files = ["find", "/etc/commento-stack", "/etc/nginx", "/var/lib/commento-stack", "-path", "/var/lib/commento-stack/metrics*",
             "-prune", "-o", "-printf", "%p %i %T@ %C@\n"]
    before = site.machine.run(files).stdout
    requests = len(site.pebble.requests())
    nginx = site.machine.unit("nginx.service")["ExecReload"]

    site.machine.run(["systemctl", "restart", "commento.target"], timeout=120)

    assert site.machine.run(files).stdout == before
    assert len(site.pebble.requests()) == requests
    assert site.machine.unit("nginx.service")["ExecReload"] == nginx
    assert site.machine.failed_units() == []


def test_stopping_the_target_stops_the_stack_and_leaves_the_hosts_services_alone(site):
    site.machine.run(["systemctl", "stop", "commento.target"])

    # A target is stopped first, before what it wants.
    for unit in ("commento.service", "commento-cert-renew.timer", "commento-nginx-reload.path"):
        site.machine.wait_until(f"the end of {unit}", lambda: site.machine.unit(unit)["ActiveState"] == "inactive")
    assert site.machine.unit("nginx.service")["ActiveState"] == "active"
    assert site.machine.unit("postgresql.service")["ActiveState"] == "active"


def test_an_enabled_target_without_settings_says_what_is_missing_and_breaks_nothing(machine):
    machine.run(["systemctl", "enable", "--now", "commento.target"], timeout=120)

    status = machine.status("commento-nginx-render.service")
    assert "DOMAIN is not set" in status and "EMAIL is not set" in status
    assert "commentoctl setup" in status
    assert machine.unit("commento-nginx-render.service")["ExecMainStatus"] == "2"
    assert machine.unit("nginx.service")["ActiveState"] == "active"
    assert not machine.exists("/etc/nginx/conf.d/commento-stack.conf")
