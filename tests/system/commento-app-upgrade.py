"""Releases of the application, and the change from one to another while readers come: none of them is failed."""

import contextlib
import json
import re
import socket
import subprocess

import pytest

from machine.database import sql
from machine.filling import BLOG
from machine.releases import ENDS, HANGS, REFUSES, make_release
from machine.steady import Steady, ready_site

CHANGEOVER, BESIDE, SERVICE = "commento-app-changeover.service", "commento-app-beside.service", "commento.service"
STATE, BESIDE_PORT = "/var/lib/commento-stack/app", "/run/commento-stack/beside/port"
SETTINGS, SITE = "/etc/commento-stack/commento-stack.conf", "/etc/nginx/conf.d/commento-stack.conf"
SETTINGS_FAULT, STORAGE_FAULT, WEB_FAULT, RELEASE_FAULT, APPLICATION_FAULT = 2, 4, 8, 10, 11


def ctl(machine, *words, **options):
    return machine.run(["commentoctl", *words], check=False, timeout=150, **options)


def current(machine) -> str:
    return machine.run(["readlink", f"{STATE}/current"]).stdout.strip().removeprefix("releases/")


def listed(machine) -> dict[str, dict]:
    return {release["name"]: release for release in json.loads(ctl(machine, "app", "list", "--json").stdout)}


def add_column(name: str) -> str:
    return f"ALTER TABLE comments ADD COLUMN {name} text;\n"


def is_at_rest(machine) -> bool:
    """Nothing runs beside the application, and nginx knows of nothing else."""
    return (machine.unit(BESIDE)["ActiveState"] == "inactive" and not machine.exists("/run/commento-stack/beside")
            and "backup;" not in machine.read(SITE) and machine.unit(SERVICE)["ActiveState"] == "active")


@pytest.fixture(scope="module")
def shared_site():
    with ready_site() as site:
        yield site


@pytest.fixture
def site(shared_site):
    """The site with its first release, settled."""
    machine = shared_site.machine
    yield shared_site
    machine.run(["systemctl", "stop", CHANGEOVER])
    machine.run(["rm", "-rf", f"/run/systemd/system/{BESIDE}.d"])
    machine.run(["systemctl", "daemon-reload"])
    machine.run(["systemctl", "reset-failed", CHANGEOVER], check=False)
    shared_site.restart(TRUSTED_PROXIES="0.0.0.0/0")


def give_up_soon(machine, seconds: int = 2) -> None:
    """Of a quarter of an hour, in which a large database may be brought up to date, some seconds."""
    machine.write(f"/run/systemd/system/{BESIDE}.d/soon.conf",
                  f"[Service]\nExecStartPost=\nExecStartPost=/usr/libexec/commento-stack/commento-app ready --within {seconds}\n")
    machine.run(["systemctl", "daemon-reload"])


# --- upgrades and restarts ---


def test_two_upgrades_and_a_restart_under_load_fail_no_request_and_write_each_comment_once(site):
    machine = site.machine
    releases = [make_release(machine, version, step=add_column(column))
                for version, column in (("9.1", "mood"), ("9.2", "weather"))]
    running = {machine.unit(SERVICE)["MainPID"]}

    with Steady(site.domain, machine.address, site.pebble.root()) as load:
        machine.wait_until("readers come", lambda: load.requests > 200)
        for words in (["app", "upgrade", releases[0][0]], ["app", "upgrade", releases[1][0], "--sha256", releases[1][1]],
                      ["restart"]):
            done = ctl(machine, *words)
            assert done.exit_code == 0, done.output
            running.add(machine.unit(SERVICE)["MainPID"])
        seen = load.requests
        machine.wait_until("readers come still", lambda: load.requests > seen + 200)

    assert load.failed == []
    assert len(running) == 4
    assert current(machine) == "application-9.2"
    assert int(sql(machine, "SELECT count(*) FROM comments WHERE path LIKE '/post-%'")) == load.served["comment/new"]
    assert sql(machine, "SELECT count(*) FROM comments WHERE mood IS NULL AND weather IS NULL") != "0"
    assert site.comments().get("/js/version.js").body == b"// 9.2\n"
    assert is_at_rest(machine)


def test_an_upgrade_is_named_in_the_settings_and_the_next_start_keeps_it(site):
    machine = site.machine
    archive, sha256 = make_release(machine, "9.3")

    assert ctl(machine, "app", "upgrade", archive).exit_code == 0

    settings = machine.read(SETTINGS)
    assert f"APP_ARCHIVE={archive}\n" in settings and f"APP_SHA256={sha256}\n" in settings
    machine.run(["rm", archive])
    machine.run(["systemctl", "restart", "commento.target"], timeout=120)
    assert current(machine) == "application-9.3"
    told = listed(machine)["application-9.3"]
    assert (told["state"], told["version"], told["sha256"], told["source"]) == ("current", "9.3", sha256, archive)


def test_an_upgrade_without_words_takes_what_the_settings_name(site):
    machine = site.machine
    nothing = ctl(machine, "app", "upgrade")
    assert nothing.exit_code == 0 and "nothing to do" in nothing.stdout
    archive, sha256 = make_release(machine, "9.4")
    site.configure(TRUSTED_PROXIES="0.0.0.0/0", APP_ARCHIVE=archive, APP_SHA256=sha256)
    before = machine.read(SETTINGS)

    assert ctl(machine, "app", "upgrade").exit_code == 0

    assert current(machine) == "application-9.4" and machine.read(SETTINGS) == before


def test_a_rollback_says_which_backup_is_from_before_and_is_kept_by_the_next_start(site):
    machine, first = site.machine, current(site.machine)
    archive, _ = make_release(machine, "9.5", step=add_column("hat"))
    assert ctl(machine, "app", "upgrade", archive).exit_code == 0
    backups = json.loads(ctl(machine, "backup", "list", "--json").stdout)
    before = [each["name"] for each in backups if each["reason"] == "before-upgrade"][-1]

    refused = ctl(machine, "app", "rollback")
    assert refused.exit_code == SETTINGS_FAULT and "--yes" in refused.stderr and current(machine) == "application-9.5"
    done = ctl(machine, "app", "rollback", "--yes")

    assert done.exit_code == 0, done.output
    assert "995-step.sql" in done.stdout and f"commentoctl backup restore {before}" in done.stdout
    machine.run(["systemctl", "restart", "commento.target"], timeout=120)
    assert current(machine) == first and listed(machine)["application-9.5"]["state"] == "previous"
    assert len(site.comments().list_comments()) == 20


def test_a_restart_takes_new_settings_of_the_application_and_the_web_front(site):
    site.configure(TRUSTED_PROXIES="0.0.0.0/0", COMMENTO_PORT="8090", HSTS_SECONDS="600")

    with Steady(site.domain, site.machine.address, site.pebble.root()) as load:
        assert ctl(site.machine, "restart").exit_code == 0

    assert load.failed == []
    assert "127.0.0.1:8090" in site.machine.run(["ss", "-ltn"]).stdout
    assert site.comments().get("/login").headers["Strict-Transport-Security"] == "max-age=600"
    assert is_at_rest(site.machine)


def test_a_restart_with_a_port_that_another_program_has_is_refused_and_nothing_stops(site):
    holder = site.machine.popen_beside(["python3", "-m", "http.server", "--bind", "127.0.0.1", "8091"])
    site.machine.wait_until("the port is taken", lambda: "8091" in site.machine.run(["ss", "-ltn"]).stdout)
    before = site.machine.unit("commento.service")["MainPID"]
    site.configure(TRUSTED_PROXIES="0.0.0.0/0", COMMENTO_PORT="8091")

    refused = ctl(site.machine, "restart")

    holder.kill()
    assert refused.exit_code == APPLICATION_FAULT and "127.0.0.1:8091, the new COMMENTO_PORT" in refused.stderr and "ss -ltnp" in refused.stderr
    assert site.machine.unit("commento.service")["MainPID"] == before
    assert site.comments().get("/login").status == 200


def test_a_restart_with_other_settings_of_the_pool_says_that_it_interrupts(site):
    site.configure(TRUSTED_PROXIES="0.0.0.0/0", DATABASE_POOL="3")
    pool = site.machine.unit("commento-db-pool.service")["MainPID"]

    done = ctl(site.machine, "restart")

    assert done.exit_code == 0 and "away for a moment" in done.stdout
    assert site.machine.unit("commento-db-pool.service")["MainPID"] != pool
    site.comments().post_comment("after the restart", path="/restart")


def test_an_application_that_is_stopped_is_not_started_by_an_upgrade(site):
    machine = site.machine
    archive, _ = make_release(machine, "9.6")
    machine.run(["systemctl", "stop", SERVICE])

    assert ctl(machine, "app", "upgrade", archive).exit_code == 0

    assert current(machine) == "application-9.6"
    assert machine.unit(SERVICE)["ActiveState"] == "inactive" and machine.unit(BESIDE)["ActiveState"] == "inactive"


# --- what goes wrong ---


def make_fault(site, kind: str) -> tuple[list[str], int, str]:
    """What `commentoctl app upgrade` is told, its exit code, and words of its error."""
    machine = site.machine
    if kind in ("ends", "refuses", "hangs"):
        give_up_soon(machine, 2 if kind == "hangs" else 10)
        archive, _ = make_release(machine, "8.1", program={"ends": ENDS, "refuses": REFUSES, "hangs": HANGS}[kind])
        return [archive], APPLICATION_FAULT, {"ends": "no such thing as a moose", "refuses": "an internal error occurred",
                                              "hangs": "nothing listens there"}[kind]
    archive, _ = make_release(machine, "8.2")
    if kind == "a step that fails":
        return [make_release(machine, "8.3", step="ALTER TABLE moose ADD COLUMN antlers int;\n")[0]], APPLICATION_FAULT, "moose"
    if kind == "wrong sum":
        return [archive, "--sha256", "a" * 64], RELEASE_FAULT, "is not the archive that APP_SHA256 names"
    if kind == "no sum":
        return ["https://downloads.example.test/a.tar.gz"], SETTINGS_FAULT, "--sha256"
    if kind == "damaged":
        machine.write(archive, b"\x1f\x8bnothing")
        return [archive], RELEASE_FAULT, "damaged"
    if kind == "another site of nginx is broken":
        machine.write("/etc/nginx/conf.d/broken.conf", "nonsense;\n")
        return [archive], WEB_FAULT, "nonsense"
    folder = {"no room": STATE, "no room for the backup": "/var/lib/commento-stack/backups"}[kind]
    machine.run(["sh", "-c", f"cp -a {folder} /srv/kept && mount -t tmpfs -o size=$(du -sk {folder} | cut -f1)k,mode=700 tmpfs "
                             f"{folder} && cp -a /srv/kept/. {folder} && dd if=/dev/zero of={folder}/.full; true"])
    return [archive], STORAGE_FAULT, "No space left"


@pytest.mark.parametrize("kind", ["ends", "refuses", "hangs", "a step that fails", "wrong sum", "no sum", "damaged",
                                  "no room", "no room for the backup", "another site of nginx is broken"])
def test_what_does_not_come_up_was_never_switched_to_and_says_why(site, kind):
    machine, first = site.machine, current(site.machine)
    words, code, reason = make_fault(site, kind)
    running, settings = machine.unit(SERVICE)["MainPID"], machine.read(SETTINGS)

    with Steady(site.domain, machine.address, site.pebble.root(), rate=50) as load:
        done = ctl(machine, "app", "upgrade", *words)
    machine.run(["sh", "-c", "umount --lazy /var/lib/commento-stack/* 2>/dev/null; rm -rf /srv/kept /etc/nginx/conf.d/broken.conf"])

    assert done.exit_code == code, done.output
    assert reason in done.stderr
    assert load.failed == []
    assert (current(machine), machine.unit(SERVICE)["MainPID"], machine.read(SETTINGS)) == (first, running, settings)
    assert is_at_rest(machine)
    site.restart(TRUSTED_PROXIES="0.0.0.0/0")
    assert len(site.comments().list_comments()) == 20


def test_settings_that_name_a_release_which_does_not_come_up_name_the_former_one_again(site):
    machine, first = site.machine, current(site.machine)
    archive, sha256 = make_release(machine, "8.4", program=ENDS)
    site.configure(TRUSTED_PROXIES="0.0.0.0/0", APP_ARCHIVE=archive, APP_SHA256=sha256)

    assert ctl(machine, "restart").exit_code == APPLICATION_FAULT

    machine.run(["systemctl", "restart", "commento.target"], timeout=120)
    assert current(machine) == first
    assert len(site.comments().list_comments()) == 20


def test_a_release_that_answers_beside_but_not_in_its_place_gives_way_to_the_former_one_and_no_request_fails(site):
    machine, first = site.machine, current(site.machine)
    archive, _ = make_release(machine, "8.6")
    settings = machine.read(SETTINGS)
    refuses = f"[Service]\nExecStartPre=/bin/sh -c '! readlink {STATE}/current | grep --quiet application-8.6'\n"
    machine.write(f"/run/systemd/system/{SERVICE}.d/refuses.conf", refuses)
    machine.run(["systemctl", "daemon-reload"])

    with Steady(site.domain, machine.address, site.pebble.root(), rate=50) as load:
        done = ctl(machine, "app", "upgrade", archive)
    machine.run(["rm", "-r", f"/run/systemd/system/{SERVICE}.d"])
    machine.run(["systemctl", "daemon-reload"])

    assert done.exit_code == APPLICATION_FAULT
    assert "did not take over" in done.stderr and f"{first} runs again" in done.stderr
    assert load.failed == []
    assert (current(machine), machine.read(SETTINGS)) == (first, settings)
    assert is_at_rest(machine)


@contextlib.contextmanager
def upgrade_under_way(site, archive: str):
    process = site.machine.popen(["commentoctl", "app", "upgrade", archive], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    site.machine.wait_until("the changeover is under way", lambda: site.machine.unit(CHANGEOVER)["ActiveState"] == "activating")
    yield process


def test_a_second_one_at_once_is_refused_and_ctrl_c_does_not_end_the_first(site):
    machine, first = site.machine, current(site.machine)
    archive, _ = make_release(machine, "8.5", program=HANGS)
    with upgrade_under_way(site, archive) as process:
        for words in (["app", "upgrade", archive], ["app", "rollback", "--yes"], ["restart"]):
            done = ctl(machine, *words)
            assert done.exit_code == APPLICATION_FAULT and "one at a time" in done.stderr
        machine.wait_until("it is started beside", lambda: machine.unit(BESIDE)["ActiveState"] == "activating")
        refused = ctl(machine, "app", "remove", "application-8.5")
        assert refused.exit_code == APPLICATION_FAULT and "one at a time" in refused.stderr
        machine.send_signal("INT", "commentoctl")
        process.wait(30)
        assert machine.unit(CHANGEOVER)["ActiveState"] == "activating"

        machine.run(["systemctl", "stop", CHANGEOVER])

    assert is_at_rest(machine) and current(machine) == first
    assert not machine.exists("/run/commento-stack/app-changeover")


class SlowReader:
    """A request whose body comes slowly: nginx' worker waits for each next piece of it for 10 s."""

    def __init__(self, site):
        comments = site.comments()
        body = json.dumps({"domain": BLOG, "paths": ["/"]}).encode() + b" " * 10000
        plain = socket.create_connection((site.machine.address, 443), timeout=30)
        self._connection = comments.context.wrap_socket(plain, server_hostname=site.domain)
        self._rest = body[5:]
        self._connection.sendall((f"POST /api/comment/count HTTP/1.1\r\nHost: {site.domain}\r\nContent-Type: application/json\r\n"
                                  f"Connection: close\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body[:5])

    def go_on(self) -> bool:
        """One byte more."""
        assert len(self._rest) > 1
        self._connection.sendall(self._rest[:1])
        self._rest = self._rest[1:]
        return True

    def finish(self) -> bytes:
        self._connection.sendall(self._rest)
        answer = b""
        while more := self._connection.recv(65536):
            answer += more
        return answer


def test_what_is_under_way_at_the_switch_is_answered_before_the_former_instance_ends(site):
    machine = site.machine
    running = machine.unit(SERVICE)["MainPID"]
    archive, _ = make_release(machine, "9.7")
    reader = SlowReader(site)
    with upgrade_under_way(site, archive) as process:
        machine.wait_until("readers are led beside", lambda: reader.go_on() and "backup;" in machine.read(SITE))
        machine.wait_until("the web front has taken it", lambda: reader.go_on() and "readers are led to it" in machine.journal(CHANGEOVER)
                           and machine.unit("commento-nginx-reload.service")["ActiveState"] == "inactive")
        assert machine.unit(SERVICE)["MainPID"] == running
        answer = reader.finish()
        assert process.wait(60) == 0

    assert answer.startswith(b"HTTP/1.1 200") and b'"success":true' in answer
    assert current(machine) == "application-9.7" and is_at_rest(machine)


@pytest.mark.parametrize("end", ["killed", "power cut"])
def test_cut_off_while_readers_are_led_beside_it_comes_back_to_one_instance(site, end):
    machine, first = site.machine, current(site.machine)
    archive, _ = make_release(machine, "9.8", step=add_column(f"cut_{len(end)}"))
    reader = SlowReader(site)
    with upgrade_under_way(site, archive):
        machine.wait_until("readers are led beside", lambda: "backup;" in machine.read(SITE))
        if end == "killed":
            machine.run(["systemctl", "kill", "--signal=KILL", "--kill-whom=main", CHANGEOVER])
            machine.wait_until("it has ended", lambda: machine.unit(CHANGEOVER)["ActiveState"] == "failed", timeout=60)
        else:
            machine.power_cut()
            machine.wait_until("commento.target", lambda: machine.unit("commento.target")["ActiveState"] == "active", timeout=60)

    assert is_at_rest(machine) and current(machine) == first
    assert len(site.comments().list_comments()) == 20
    del reader


# --- what is installed ---


def test_releases_are_listed_for_every_user_and_all_but_the_current_one_can_be_removed(site):
    machine, first = site.machine, current(site.machine)
    archive, _ = make_release(machine, "9.9")
    assert ctl(machine, "app", "upgrade", archive).exit_code == 0
    table = ctl(machine, "app", "list", user="nobody").stdout
    assert re.search(r"^application-9\.9 +9\.9 +current +[0-9a-f]{12} +20", table, re.M)
    assert re.search(rf"^{re.escape(first)} +.*previous", table, re.M)

    refused = ctl(machine, "app", "remove", "application-9.9")
    assert refused.exit_code == RELEASE_FAULT and "is the current release" in refused.stderr
    missing = ctl(machine, "app", "remove", "application-0.0")
    assert missing.exit_code == RELEASE_FAULT and "there is no release application-0.0" in missing.stderr
    assert ctl(machine, "app", "remove", first).exit_code == 0

    assert first not in listed(machine) and not machine.exists(f"{STATE}/releases/{first}")
    none = ctl(machine, "app", "rollback")
    assert none.exit_code == RELEASE_FAULT and "no previous release" in none.stderr


def test_only_root_may_change_releases(site):
    for words in (["app", "upgrade"], ["app", "rollback"], ["app", "remove", "application-9.9"]):
        done = ctl(site.machine, *words, user="nobody")
        assert done.exit_code == 3 and "sudo commentoctl app" in done.stderr
