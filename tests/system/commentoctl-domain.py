"""commentoctl domain: another name for the comment server, certificate first, and back."""

import contextlib
import http.client
import json
import re
import ssl
import urllib.parse

import pytest

from machine import Comments, Machine, Pebble, Site, processes, roots
from machine.blog import blog
from machine.browser import Browser
from machine.site import SETTINGS
from machine.steady import Steady

OLD, NEW = "comments.example.test", "talk.example.test"
BLOG = "blog.example.test"
RECORD = "/var/lib/commento-stack/domain/change.json"
SECRETS = "/etc/commento-stack/secrets.conf"
SCRIPT = "/js/commento.js"
WRONG, NETWORK, AUTHORITY, LATER, APPLICATION = 2, 5, 6, 7, 11
DROP_IN = "/etc/systemd/system/commento.service.d/test.conf"


@pytest.fixture(scope="module")
def machine():
    with Machine(roots.installed()) as made:
        yield made


@pytest.fixture(scope="module")
def shared(machine):
    site = Site(machine, Pebble(machine), OLD)
    site.configure()
    site.start()
    site.comments().register(BLOG)
    site.comments().post_comment("the first comment", BLOG)
    return site


@pytest.fixture
def site(shared):
    """The comment server under its first name, as if that had never been changed; at the end, too."""
    yield shared
    shared.pebble.start()
    shared.machine.run(["rm", "-rf", RECORD, DROP_IN])
    shared.machine.write(SECRETS, "", 0o640, "root:commento")
    shared.machine.run(["systemctl", "daemon-reload"])
    shared.restart()
    shared.machine.run(["systemctl", "start", "commento-cert-renew.service"])


def domain(site: Site, *words: str, code: int = 0) -> str:
    done = site.machine.run(["commentoctl", "domain", *words], check=False, timeout=150)
    assert done.exit_code == code, done.output
    return done.output


def by(site: Site, name: str) -> Comments:
    return Comments(name, site.machine.address, site.pebble.root())


def names_served(site: Site, name: str) -> set[str]:
    return {value for _, value in by(site, name).certificate()["subjectAltName"]}


def orders(site: Site) -> int:
    return sum(request.endswith("order-plz") for request in site.pebble.requests())


def led_to(answer) -> tuple[int, str]:
    return answer.status, answer.headers["Location"]


def check_served(site: Site, name: str, former: str | None = None) -> None:
    """The application under one name, which knows that name, and the other one leads there."""
    assert by(site, name).get("/login").status == 200
    assert f"https://{name}".encode() in by(site, name).get(SCRIPT).body
    assert any("the first comment" in html for html in by(site, name).list_comments(BLOG))
    if former:
        assert led_to(by(site, former).get("/login?a=b&c=%20d")) == (308, f"https://{name}/login?a=b&c=%20d")
    assert site.machine.failed_units() == []


def check_untouched(site: Site, settings: str) -> None:
    check_served(site, OLD)
    assert site.machine.read(SETTINGS) == settings
    assert names_served(site, OLD) == {OLD}
    with pytest.raises(ssl.SSLCertVerificationError):
        by(site, NEW).get("/login")


def test_the_new_name_is_served_and_the_former_one_leads_there_until_it_is_undone(site):
    assert "nothing to do" in domain(site, "change", OLD.upper(), "--yes")
    before, asked = site.machine.read(SETTINGS), orders(site)

    told = domain(site, "change", NEW, "--yes")
    assert f"{NEW} is the comment server's name now, and {OLD} leads to it" in told
    check_served(site, NEW, OLD)
    assert names_served(site, NEW) == names_served(site, OLD) == {OLD, NEW}
    assert orders(site) == asked + 1
    assert site.machine.run(["commentoctl", "open"]).stdout == f"https://{NEW}\n"

    # A page that was open before goes on: its calls are led on with what is in them, and CORS allows it.
    called = by(site, OLD).request("POST", "/api/comment/list", b"{}", {"Origin": f"https://{BLOG}"})
    assert led_to(called) == (308, f"https://{NEW}/api/comment/list")
    assert called.headers.get_all("Access-Control-Allow-Origin") == ["*"]
    assert by(site, OLD).get("/healthz").status == 403  # as by the new name, for who may not ask
    with contextlib.closing(http.client.HTTPConnection(site.machine.address, 80, timeout=10)) as plain:
        plain.request("GET", "/login?a=b", headers={"Host": OLD})
        assert led_to(plain.getresponse()) == (301, f"https://{NEW}/login?a=b")

    assert "nothing to do" in domain(site, "change", NEW, "--yes")
    assert f"{OLD} is the comment server's name now" in domain(site, "undo", "--yes")
    check_served(site, OLD, NEW)
    settings = site.machine.read(SETTINGS)
    assert f"\nREDIRECT_NAMES={NEW}\n" in settings and settings.replace(f"REDIRECT_NAMES={NEW}\n", "") == before

    domain(site, "undo", "--yes")
    check_served(site, NEW, OLD)
    assert "nothing due" in site.machine.run(["commentoctl", "cert", "renew"]).output
    assert orders(site) == asked + 1


def test_who_comes_during_the_change_is_answered_or_led_on(site):
    site.restart(TRUSTED_PROXIES="0.0.0.0/0")
    with Steady(OLD, site.machine.address, site.pebble.root(), rate=50) as load:
        domain(site, "change", NEW, "--yes")
    assert load.served["comment/list"] > 0
    assert [failed for failed in load.failed if ": 308: " not in failed] == []


def test_a_page_that_embeds_comments_by_the_former_address_goes_on_working(site, tmp_path):
    snippet = site.machine.run(["commentoctl", "embed"]).stdout
    assert OLD in snippet
    domain(site, "change", NEW, "--yes")

    with blog(site.machine, BLOG, snippet, tmp_path) as (address, certificate):
        names = {f"{BLOG}:443": address} | {f"{name}:443": f"{site.machine.address}:443" for name in (OLD, NEW)}
        with Browser(site.machine.network, names, [site.pebble.root(), certificate]) as browser:
            browser.show(f"https://{BLOG}/first-post")
            browser.wait_for("(document.getElementById('commento')?.innerText ?? '').includes('the first comment')")
            hosts = {urllib.parse.urlsplit(address).hostname for address in browser.requests if address.startswith("https:")}

    assert browser.complaints == []
    assert hosts == {BLOG, OLD, NEW}
    assert set(browser.sockets) <= {101}


def test_a_page_that_was_open_before_the_change_can_still_be_commented_on(site, tmp_path):
    snippet = site.machine.run(["commentoctl", "embed"]).stdout
    with blog(site.machine, BLOG, snippet, tmp_path) as (address, certificate):
        names = {f"{BLOG}:443": address} | {f"{name}:443": f"{site.machine.address}:443" for name in (OLD, NEW)}
        with Browser(site.machine.network, names, [site.pebble.root(), certificate]) as browser:
            browser.show(f"https://{BLOG}/first-post")
            browser.wait_for("(document.getElementById('commento')?.innerText ?? '').includes('the first comment')")
            domain(site, "change", NEW, "--yes")

            browser.value("document.getElementById('commento-textarea-root').focus()")
            browser.value("document.getElementById('commento-textarea-root').value = 'by the former name'")
            browser.value("document.getElementById('commento-anonymous-checkbox-root').checked = true")
            browser.value("document.getElementById('commento-submit-button-root').click()")
            browser.wait_for("document.getElementById('commento').innerText.includes('by the former name')")

    assert any("by the former name" in html for html in by(site, NEW).list_comments(BLOG))


def test_where_the_authority_refuses_nothing_is_changed_and_another_name_can_be_taken(site):
    settings = site.machine.read(SETTINGS)
    site.pebble.lose("lost.example.test")

    told = domain(site, "change", "lost.example.test", "--yes", code=AUTHORITY)
    assert "lost.example.test" in told and f"{OLD} is served as before, and the settings are as they were" in told
    check_untouched(site, settings)

    assert "--force" in domain(site, "change", "lost.example.test", "--yes", code=LATER)
    check_untouched(site, settings)
    domain(site, "change", "other.example.test", "--yes")
    check_served(site, "other.example.test", OLD)


def test_while_the_authority_is_down_nothing_is_changed(site):
    settings = site.machine.read(SETTINGS)
    site.pebble.stop()

    told = domain(site, "change", "down.example.test", "--yes", code=NETWORK)

    assert f"{OLD} is served as before" in told
    check_untouched(site, settings)
    site.pebble.start()
    domain(site, "change", "down.example.test", "--force", "--yes")
    check_served(site, "down.example.test", OLD)


@pytest.mark.parametrize("name", ["https://talk.example.test", "talk", "192.0.2.1", "talk.example.test:443", "*.example.test", ""])
def test_what_is_no_name_is_refused(shared, name):
    settings = shared.machine.read(SETTINGS)
    domain(shared, "change", name, "--yes", code=WRONG)
    assert shared.machine.read(SETTINGS) == settings and not shared.machine.exists(RECORD)


def test_only_root_may_and_only_what_was_changed_can_be_undone_and_nobody_is_not_asked(shared):
    done = shared.machine.run(["commentoctl", "domain", "change", NEW], user="nobody", check=False)
    assert done.exit_code == 3 and "sudo commentoctl domain change" in done.output
    assert "was not changed" in domain(shared, "undo", "--yes", code=WRONG)
    assert "add --yes" in domain(shared, "change", NEW, code=WRONG)
    assert not shared.machine.exists(RECORD)


def begun(site: Site, phase: str, name: str):
    """A change that has come to this phase."""
    program = site.machine.popen(["commentoctl", "domain", "change", name, "--yes"])
    site.machine.wait_until(f"phase {phase}", lambda: site.machine.exists(RECORD) and
                            json.loads(site.machine.read(RECORD)).get("change", {}).get("phase") == phase)
    if phase == "certificate":
        site.machine.wait_until("the request", lambda: site.machine.unit("commento-cert-request.service")["ActiveState"] == "activating")
    return program


def cut_off(site: Site, phase: str, name: str) -> None:
    """Kills a change in this phase."""
    program = begun(site, phase, name)
    site.machine.send_signal("KILL", "commentoctl")
    program.wait(30)
    # What it had systemd begin goes on.
    site.machine.wait_until("the end of what it began", lambda: site.machine.has_ended("commento-app-changeover"), 120)


def test_neither_an_interrupt_nor_a_lost_terminal_stops_it_half_way(site):
    site.pebble.fall_silent()
    program = begun(site, "certificate", NEW)
    for signal in ("INT", "HUP", "TERM"):
        site.machine.send_signal(signal, "commentoctl")
    site.pebble.start()

    assert program.wait(120) == 0
    check_served(site, NEW, OLD)
    assert "change" not in json.loads(site.machine.read(RECORD))


def test_killed_while_it_waits_for_the_certificate_it_serves_the_former_name_and_goes_on_when_asked_again(site):
    settings = site.machine.read(SETTINGS)
    site.pebble.fall_silent()
    cut_off(site, "certificate", "later.example.test")
    assert by(site, OLD).get("/login").status == 200

    site.pebble.start()
    site.machine.wait_until("the end of the request", lambda: site.machine.has_ended("commento-cert-request"), 120)
    assert "taking back the change to later.example.test" in domain(site, "undo", "--yes")
    assert site.machine.read(SETTINGS) == settings
    check_served(site, OLD)

    site.pebble.fall_silent()
    cut_off(site, "certificate", "still.example.test")
    site.pebble.start()
    domain(site, "change", "still.example.test", "--force", "--yes")
    check_served(site, "still.example.test", OLD)


def test_killed_while_it_switches_it_goes_on_when_asked_again_and_a_reboot_finishes_it_too(site):
    cut_off(site, "application", NEW)
    domain(site, "change", NEW, "--yes")
    check_served(site, NEW, OLD)

    cut_off(site, "application", "third.example.test")
    site.machine.power_cut()
    site.machine.wait_until("commento.target", lambda: site.machine.unit("commento.target")["ActiveState"] == "active", 60)
    served = re.search(r"^DOMAIN=(.*)$", site.machine.read(SETTINGS), re.M)[1]
    check_served(site, served, NEW if served != NEW else None)
    domain(site, "change", "third.example.test", "--yes")
    check_served(site, "third.example.test", NEW)
    assert led_to(by(site, OLD).get("/a")) == (308, "https://third.example.test/a")


def test_where_the_application_does_not_come_up_under_the_new_name_the_former_one_is_put_back(site):
    settings = site.machine.read(SETTINGS)
    site.machine.write(DROP_IN, "[Service]\nExecStartPre=/bin/sh -c '! grep -q never /var/lib/commento-stack/app/environment'\n")
    site.machine.run(["systemctl", "daemon-reload"])

    told = domain(site, "change", "never.example.test", "--yes", code=APPLICATION)

    assert f"{OLD} is served as before" in told
    assert site.machine.read(SETTINGS) == settings
    check_served(site, OLD)


def test_sign_in_services_and_an_origin_of_its_own_are_thought_of(site):
    site.machine.write(SECRETS, "COMMENTO_GITHUB_SECRET=def\n", 0o640, "root:commento")
    site.restart(COMMENTO_ORIGIN=f"https://{OLD}/talk", COMMENTO_GITHUB_KEY="abc")

    told = domain(site, "change", NEW, "--yes")

    assert f"tell GitHub the new callback address: https://{NEW}/talk/api/oauth/github/callback" in told
    assert by(site, NEW).get("/talk/login").status == 200
    assert led_to(by(site, OLD).get(f"/talk{SCRIPT}")) == (308, f"https://{NEW}/talk{SCRIPT}")


# --- without an authority ---

def trusting(site: Site, name: str) -> Comments:
    """Trusts the certificate in place."""
    return Comments(name, site.machine.address, site.machine.read("/var/lib/commento-stack/tls/live/fullchain.pem"))


def test_with_a_certificate_made_here_it_is_the_same(site):
    site.restart(TLS_MODE="selfsigned")

    domain(site, "change", NEW, "--yes")

    assert trusting(site, NEW).get("/login").status == 200
    assert led_to(trusting(site, OLD).get("/a")) == (308, f"https://{NEW}/a")
    domain(site, "undo", "--yes")
    assert trusting(site, OLD).get("/login").status == 200


def give_pair(site: Site, *names: str) -> None:
    made = processes.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                          "90", "-subj", f"/CN={names[0]}", "-addext", "subjectAltName=" + ",".join(f"DNS:{name}" for name in names),
                          "-keyout", "-"])
    key, certificate = made.stdout.split("-----BEGIN CERTIFICATE-----")
    site.machine.write("/etc/ssl/test/own.pem", "-----BEGIN CERTIFICATE-----" + certificate)
    site.machine.write("/etc/ssl/test/own.key", key, 0o640, "root:commento-cert")


def test_with_files_of_the_operators_they_must_be_for_both_names_first(site):
    give_pair(site, OLD)
    site.restart(TLS_MODE="files", TLS_CERTIFICATE_FILE="/etc/ssl/test/own.pem", TLS_KEY_FILE="/etc/ssl/test/own.key")
    settings = site.machine.read(SETTINGS)

    told = domain(site, "change", NEW, "--yes", code=WRONG)
    assert f"/etc/ssl/test/own.pem is for {OLD}, not for {NEW}" in told
    assert site.machine.read(SETTINGS) == settings and not site.machine.exists(RECORD)

    give_pair(site, "*.example.test")
    domain(site, "change", NEW, "--yes")
    assert trusting(site, NEW).get("/login").status == 200
    assert led_to(trusting(site, OLD).get("/a")) == (308, f"https://{NEW}/a")
