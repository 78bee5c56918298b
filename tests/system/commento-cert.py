"""Certificates: the placeholder, issue, renewal, authorities that fail, a damaged store, the operator's own, rights."""

import datetime
import socket
import tempfile
import threading
from pathlib import Path

import pytest

from machine import Pebble, ScriptedCA, Site, processes
from machine.certificates import (AUTHORITY, BOOTSTRAP, CHALLENGES, DOMAIN, DONE, LATER, NETWORK, PERMISSION, RENEW,
                                  SETTINGS, STATE, WEB, describe, failures, files, is_trusted,
                                  let_pause_pass, run_unit, served, start_front)
from machine.site import reload_nginx

TIMER = "commento-cert-renew.timer"


def is_up(site: Site) -> bool:
    return site.comments().get("/login").status == 200


def is_placeholder(certificate: str) -> bool:
    return "commento-stack" in describe(certificate, "-issuer")


@pytest.fixture
def front(unstarted_site) -> Site:
    """The product's web front, up, with a certificate of pebble's."""
    start_front(unstarted_site)
    return unstarted_site


@pytest.fixture
def scripted(machine) -> Site:
    """The same with a certificate of an authority that fails as it is told; it is `scripted.pebble`."""
    site = Site(machine, ScriptedCA(machine))
    site.configure()
    start_front(site)
    return site


def make_due(site: Site, **changes: str) -> None:
    """Asks for another kind of key than the one in place."""
    site.configure(TLS_KEY_TYPE="ecdsa-p384", **changes)


class Visitors:
    """Asks for a page over HTTPS without pause, from `with` to the end of the block; `failures` are what went wrong."""

    def __init__(self, site: Site):
        self.site, self.failures, self.answers = site, [], 0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._visit)

    def __enter__(self) -> "Visitors":
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._end.set()
        self._thread.join()

    def _visit(self) -> None:
        comments = self.site.comments()
        while not self._end.wait(0.005):
            try:
                status = comments.get("/login").status
                if status != 200:
                    self.failures.append(status)
                self.answers += 1
            except OSError as error:
                self.failures.append(error)


# --- the first certificate ---

def test_nginx_starts_on_a_placeholder_and_the_timer_gets_the_certificate_once_the_authority_is_back(unstarted_site):
    site = unstarted_site
    site.pebble.stop()

    site.start()

    assert is_placeholder(served(site.machine))
    status = site.machine.status(RENEW)
    assert "https://localhost:14000/dir" in status and "hint:" in status
    assert site.machine.unit(RENEW)["ExecMainStatus"] == str(NETWORK)
    assert site.machine.unit("nginx.service")["ActiveState"] == "active"
    assert site.machine.unit("commento.service")["ActiveState"] == "active"
    [failure] = failures(site.machine)
    assert failure["directory"] == site.pebble.directory and failure["refusals"] == 0

    # The timer is the product's; only its interval is shorter, so that the test need not wait for it.
    site.machine.write(f"/etc/systemd/system/{TIMER}.d/often.conf",
                       "[Timer]\nOnCalendar=\nOnCalendar=*:*:*\nRandomizedDelaySec=0\nAccuracySec=1ms\n")
    site.machine.run(["systemctl", "daemon-reload"])
    site.machine.run(["systemctl", "restart", TIMER])
    site.pebble.start()

    site.machine.wait_until("a site that visitors trust", lambda: is_up(site))
    site.machine.wait_until("the failures are forgotten", lambda: not failures(site.machine))


def test_a_first_start_ends_with_a_certificate_that_visitors_trust_and_then_nothing_is_due(site):
    certificate = served(site.machine)

    assert is_up(site)
    assert DOMAIN in describe(certificate, "-ext", "subjectAltName")
    assert "prime256v1" in describe(certificate, "-text")
    assert site.machine.unit(RENEW)["ExecMainStatus"] == str(DONE)
    assert site.machine.run(["ls", CHALLENGES]).stdout == ""

    before, requests = files(site.machine), site.pebble.requests()
    code, status = run_unit(site.machine)

    assert code == DONE and "nothing due" in status
    assert files(site.machine) == before
    assert site.pebble.requests() == requests


# --- renewal ---

def test_a_due_certificate_is_replaced_and_served_while_no_request_fails(machine):
    # Half of such a lifetime is over within seconds.
    site = Site(machine, Pebble(machine, validity=30))
    site.configure()
    site.start()
    first = served(machine)

    with Visitors(site) as visitors:
        def is_renewed() -> bool:
            code, _ = run_unit(machine)
            assert code == DONE
            return served(machine) != first

        machine.wait_until("another certificate is served", is_renewed, timeout=60)
        seen = visitors.answers
        machine.wait_until("visitors after it", lambda: visitors.answers > seen + 20)

    assert visitors.failures == []


def test_the_authority_may_reject_every_second_nonce_and_take_its_time(machine):
    pebble = Pebble(machine, nonce_reject=50, environment={"PEBBLE_VA_NOSLEEP": "0", "PEBBLE_VA_SLEEPTIME": "3"})
    site = Site(machine, pebble)
    site.configure()

    start_front(site)

    assert is_trusted(site, DOMAIN)


def test_an_account_that_the_authority_no_longer_knows_is_registered_anew(front):
    front.pebble.forget()
    make_due(front)

    code, status = run_unit(front.machine)

    assert code == DONE and "no longer knows the account" in status
    assert is_trusted(front, DOMAIN)


def test_each_kind_of_key_is_issued_and_served_and_the_three_newest_generations_are_kept(front):
    expected = {"ecdsa-p384": "secp384r1", "rsa-2048": "(2048 bit)", "rsa-3072": "(3072 bit)", "rsa-4096": "(4096 bit)",
                "ecdsa-p256": "prime256v1"}
    for kind, mark in expected.items():
        front.configure(TLS_KEY_TYPE=kind)
        code, status = run_unit(front.machine)
        assert code == DONE, status
        assert mark in describe(served(front.machine), "-text"), kind
        assert is_trusted(front, DOMAIN), kind

    # The first was the placeholder.
    assert front.machine.run(["ls", f"{STATE}/tls/generations"]).stdout.split() == ["0005", "0006", "0007"]


# --- an authority that fails: what tests/faults does not see, the operator's side ---

FAULTS = {
    "rate limit": ("newOrder", "rateLimited", {"retry_after": 7200, "detail": "too many certificates already issued"},
                   ["rateLimited: too many certificates already issued", "TEST=true", "next try after"]),
    "unauthorized": ("newOrder", "unauthorized", {"detail": "the account is closed"},
                     ["unauthorized: the account is closed", "acme/accounts"]),
    "failed challenge": ("authorization", "invalid", {"detail": "found a page of another server"},
                         ["found a page of another server", "DNS"]),
    "refusal with subproblems": ("newOrder", "problem", {
        "status": 400, "type": "rejectedIdentifier", "detail": "not for this name", "subproblems": [
            {"type": "urn:ietf:params:acme:error:caa", "detail": "CAA forbids it",
             "identifier": {"type": "dns", "value": DOMAIN}}]},
        ["rejectedIdentifier: not for this name", f"{DOMAIN}: urn:ietf:params:acme:error:caa: CAA forbids it",
         "check DOMAIN"]),
    "error inside the authority": ("finalize", "serverInternal", {}, ["serverInternal", "trouble of its own"]),
    "order never decided": ("order", "pending", {"retry_after": 86400}, ["not decided", "slow"]),
}


def test_each_fault_of_the_authority_is_told_with_a_hint_and_leaves_the_site_up(scripted):
    machine = scripted.machine
    kinds = ["ecdsa-p384", "ecdsa-p256"] * len(FAULTS)
    for (step, fault, details, texts), kind in zip(FAULTS.values(), kinds):
        former = served(machine)
        scripted.configure(TLS_KEY_TYPE=kind)
        scripted.pebble.fail(step, fault, **details)

        code, status = run_unit(machine)

        assert code == AUTHORITY, status
        assert machine.unit(RENEW)["ActiveState"] == "failed"
        assert [text for text in ["hint:", *texts] if text not in status] == [], status
        assert served(machine) == former
        assert machine.run(["ls", CHALLENGES]).stdout == ""

        scripted.pebble.heal()
        let_pause_pass(machine)
        code, status = run_unit(machine)
        assert code == DONE and served(machine) != former, status


def test_an_authority_that_refused_is_left_alone_across_a_reboot(scripted):
    machine, authority = scripted.machine, scripted.pebble
    machine.run(["systemctl", "enable", "commento.target"])
    make_due(scripted)
    authority.fail("newOrder", "rateLimited", retry_after=7200, detail="too many orders")
    run_unit(machine)
    before = authority.requests()

    machine.reboot()
    machine.wait_until("the run after the boot", lambda: machine.unit(RENEW)["ExecMainStatus"] == str(LATER))

    assert authority.requests() == before
    status = machine.status(RENEW)
    assert "too many orders" in status
    [failure] = failures(machine)
    assert failure["next_try"] - failure["failed_at"] == 7200
    assert datetime.datetime.fromtimestamp(failure["next_try"], datetime.timezone.utc).strftime("%FT%T+0000") in status


def test_refusals_in_a_row_lengthen_the_pause_and_other_settings_are_tried_at_once(scripted):
    make_due(scripted)
    scripted.pebble.fail("newOrder", "serverInternal", times=3)
    pauses = []
    for _ in range(3):
        assert run_unit(scripted.machine)[0] == AUTHORITY
        [failure] = failures(scripted.machine)
        pauses.append(failure["next_try"] - failure["failed_at"])
        assert run_unit(scripted.machine)[0] == LATER
        if len(pauses) < 3:
            let_pause_pass(scripted.machine)
    assert pauses == [300, 600, 1200]

    make_due(scripted, ACME_DIRECTORY="https://127.0.0.1:14100/directory")

    assert run_unit(scripted.machine)[0] == DONE
    assert failures(scripted.machine) == []


# --- the web front fails ---

def test_another_program_on_port_80_is_named_and_no_order_is_spent(scripted):
    machine = scripted.machine
    make_due(scripted)
    requests = scripted.pebble.requests()
    machine.run(["systemctl", "stop", "nginx"])
    machine.popen_beside(["/usr/bin/python3", "-m", "http.server", "80"], stdout=-3, stderr=-3)
    machine.wait_until("the other program", lambda: socket.create_connection((machine.address, 80), 1).close() or True)

    code, status = run_unit(machine)

    assert code == WEB
    assert "SimpleHTTP" in status and "ss -ltnp 'sport = :80'" in status
    assert scripted.pebble.requests() == requests


# --- a damaged store ---

def test_a_damaged_certificate_is_passed_over_for_the_former_one_at_the_next_start(front):
    machine = front.machine
    for file, kind in (("privkey.pem", "ecdsa-p384"), ("fullchain.pem", "rsa-2048")):
        front.configure(TLS_KEY_TYPE=kind)
        assert run_unit(machine)[0] == DONE
        machine.run(["truncate", "--size=40", f"{STATE}/tls/live/{file}"])

        code, status = run_unit(machine, BOOTSTRAP)

        assert code == DONE and "ignoring this generation" in status, status
        machine.run(["nginx", "-t"])
        code, status = run_unit(machine)
        assert code == DONE, status
        assert is_trusted(front, DOMAIN)


def test_with_nothing_left_of_the_store_the_site_comes_back_by_itself(site):
    site.machine.run(["find", f"{STATE}/tls", "-mindepth", "1", "-delete"])

    site.restart()

    assert is_up(site)


# --- without an authority ---

def make_pair(domain: str = DOMAIN, days: int = 90) -> tuple[str, str]:
    """A self-signed certificate and its key, in PEM."""
    with tempfile.TemporaryDirectory() as directory:
        key = Path(directory) / "key.pem"
        request = processes.run(["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                                 "-subj", f"/CN={domain}", "-addext", f"subjectAltName=DNS:{domain}",
                                 "-keyout", str(key)])
        certificate = processes.run(["openssl", "x509", "-req", "-signkey", str(key), "-days", str(days),
                                     "-copy_extensions", "copy"], input=request.stdout).stdout
        return certificate, key.read_text()


OWN_FILES = {"TLS_MODE": "files", "TLS_CERTIFICATE_FILE": "/etc/ssl/own/chain.pem",
             "TLS_KEY_FILE": "/etc/ssl/own/key.pem"}


@pytest.fixture
def with_files(unstarted_site) -> Site:
    """The web front, up, with a pair of the operator's."""
    give_pair(unstarted_site, *make_pair())
    unstarted_site.configure(**OWN_FILES)
    start_front(unstarted_site)
    return unstarted_site


def give_pair(site: Site, certificate: str, key: str) -> None:
    site.machine.write("/etc/ssl/own/chain.pem", certificate)
    site.machine.write("/etc/ssl/own/key.pem", key, 0o640, "root:commento-cert")


def test_the_operators_pair_is_served_and_a_newer_one_after_the_next_run_and_no_authority_asked(with_files):
    assert served(with_files.machine) == with_files.machine.read("/etc/ssl/own/chain.pem")
    certificate, key = make_pair()
    give_pair(with_files, certificate, key)

    code, status = run_unit(with_files.machine)

    assert code == DONE, status
    assert served(with_files.machine) == certificate
    assert with_files.pebble.requests() == []
    assert with_files.machine.failed_units() == []


BAD_PAIRS = {
    "key of another certificate": (lambda: (make_pair()[0], make_pair()[1]), "does not belong"),
    "for another name": (lambda: make_pair("other.example.test"), "is for other.example.test, not for"),
    "expired": (lambda: make_pair(days=-1), "expired on"),
    "no certificate": (lambda: ("nothing\n", make_pair()[1]), "no certificate"),
    "no key": (lambda: (make_pair()[0], "nothing\n"), "no private key"),
}


def test_a_bad_pair_of_the_operators_is_refused_and_the_former_one_served(with_files):
    machine = with_files.machine
    former = served(machine)
    for name, (make, text) in BAD_PAIRS.items():
        give_pair(with_files, *make())
        for unit in (RENEW, BOOTSTRAP):
            code, status = run_unit(machine, unit)
            assert code == SETTINGS, (name, status)
            assert text in status and "hint:" in status, (name, status)
        reload_nginx(machine)
        assert served(machine) == former, name

    give_pair(with_files, *make_pair())
    machine.run(["chmod", "600", "/etc/ssl/own/key.pem"])
    code, status = run_unit(machine)
    assert code == PERMISSION
    assert "TLS_KEY_FILE" in status and "chgrp commento-cert /etc/ssl/own/key.pem" in status


def test_a_bad_pair_at_the_first_start_gets_nginx_up_on_a_placeholder(unstarted_site):
    site = unstarted_site
    give_pair(site, *make_pair("other.example.test"))
    site.configure(**OWN_FILES)

    site.start()

    assert is_placeholder(served(site.machine))
    assert site.machine.unit(BOOTSTRAP)["ExecMainStatus"] == str(SETTINGS)


def test_a_self_signed_site_needs_no_authority_and_a_change_of_the_mode_is_followed(unstarted_site):
    site = unstarted_site
    site.configure(TLS_MODE="selfsigned", ACME_DIRECTORY=None)

    start_front(site)

    certificate = served(site.machine)
    assert is_placeholder(certificate)
    assert DOMAIN in describe(certificate, "-ext", "subjectAltName")
    assert site.machine.failed_units() == []
    before = files(site.machine)
    code, status = run_unit(site.machine)
    assert code == DONE and "nothing due" in status
    assert files(site.machine) == before
    assert site.pebble.requests() == []

    site.configure()
    code, status = run_unit(site.machine)
    assert code == DONE, status
    assert is_trusted(site, DOMAIN)
    site.configure(TLS_MODE="selfsigned")
    code, status = run_unit(site.machine)
    assert code == DONE, status
    assert is_placeholder(served(site.machine))


# --- rights ---

def test_it_runs_as_its_own_user_and_root_is_told_to_leave_the_store_to_it(front):
    machine = front.machine
    for name in ("bootstrap", "renew", "request", "import"):
        assert machine.unit(f"commento-cert-{name}.service")["User"] == "commento-cert"
    for verb in ("bootstrap", "renew"):
        done = machine.run(["/usr/libexec/commento-stack/commento-cert", verb], check=False)
        assert done.exit_code == PERMISSION
        assert "commentoctl cert renew" in done.stderr


def test_keys_are_for_its_user_only_and_a_run_that_was_killed_over_an_order_is_made_good_by_the_next(scripted):
    machine = scripted.machine
    make_due(scripted)
    scripted.pebble.fail("finalize", "silent", times=1)
    machine.run(["systemctl", "start", "--no-block", RENEW])
    machine.wait_until("the authority falls silent", lambda: scripted.pebble.requests()[-1] == "finalize")

    process = machine.unit(RENEW)["MainPID"]
    assert machine.run(["stat", "--format=%U", f"/proc/{process}"]).stdout.strip() == "commento-cert"
    keys = machine.run(["grep", "--recursive", "--files-with-matches", "PRIVATE KEY", STATE]).stdout.split()
    assert {key.rpartition("/")[2] for key in keys} == {"privkey.pem", "key.pem", "order.json"}
    for key in keys:
        assert machine.run(["stat", "--format=%U %a", key]).stdout.strip() == "commento-cert 600", key

    machine.run(["systemctl", "kill", "--signal=KILL", RENEW])
    machine.wait_until("its end", lambda: machine.unit(RENEW)["ActiveState"] == "failed")
    orders = scripted.pebble.count("newOrder")
    code, status = run_unit(machine)

    assert code == DONE and "going on with the order" in status, status
    assert "secp384r1" in describe(served(machine), "-text")
    assert scripted.pebble.count("newOrder") == orders
