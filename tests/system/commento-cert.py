"""Certificates: the placeholder, issue and renewal, the operator's own, and every way in which an authority can fail."""

import datetime
import json
import socket
import ssl
import tempfile
import threading
from pathlib import Path

import pytest

from machine import Machine, Pebble, ScriptedCA, Site, processes

BOOTSTRAP = "commento-cert-bootstrap.service"
RENEW = "commento-cert-renew.service"
TIMER = "commento-cert-renew.timer"
RELOAD_PATH = "commento-nginx-reload.path"
STATE = "/var/lib/commento-stack"
FAILURES = f"{STATE}/acme/failures.json"
CHALLENGES = f"{STATE}/acme/webroot/.well-known/acme-challenge"
DOMAIN = "comments.example.test"

DONE, SETTINGS, PERMISSION, NETWORK, AUTHORITY, LATER, WEB = 0, 2, 3, 5, 6, 7, 8


def run_unit(machine: Machine, unit: str = RENEW) -> tuple[int, str]:
    """Starts a unit that runs once; returns the exit code of its program and what `systemctl status` shows."""
    machine.run(["systemctl", "start", unit], check=False, timeout=150)
    status = machine.run(["systemctl", "status", "--full", "--lines=20", unit], check=False).output
    return int(machine.unit(unit)["ExecMainStatus"]), status


def served(machine: Machine) -> str:
    """The certificate that is served, in PEM, whoever signed it."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection((machine.address, 443), timeout=10) as plain:
        with context.wrap_socket(plain, server_hostname=DOMAIN) as connection:
            return ssl.DER_cert_to_PEM_cert(connection.getpeercert(binary_form=True))


def describe(certificate: str, *options: str) -> str:
    return processes.run(["openssl", "x509", "-noout", *options], input=certificate).stdout


def files(machine: Machine) -> str:
    """Every file of the state with inode, times and mode: whatever is written to shows."""
    return machine.run(["find", STATE, "-printf", "%p %i %T@ %C@ %m\n"]).stdout


def is_up(site: Site) -> bool:
    return site.comments().get("/login").status == 200


@pytest.fixture
def scripted(machine) -> Site:
    """The product, up, with a certificate of an authority that fails as it is told; it is `scripted.pebble`."""
    site = Site(machine, ScriptedCA(machine))
    site.configure()
    site.start()
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

    assert "commento-stack" in describe(served(site.machine), "-issuer")
    status = site.machine.run(["systemctl", "status", "--full", RENEW], check=False).output
    assert "https://localhost:14000/dir" in status and "hint:" in status
    assert site.machine.unit(RENEW)["ExecMainStatus"] == str(NETWORK)
    assert site.machine.unit("nginx.service")["ActiveState"] == "active"
    assert site.machine.unit("commento.service")["ActiveState"] == "active"

    # The timer is the product's; only its interval is shorter, so that the test need not wait for it.
    site.machine.write(f"/etc/systemd/system/{TIMER}.d/often.conf",
                       "[Timer]\nOnCalendar=\nOnCalendar=*:*:*\nRandomizedDelaySec=0\nAccuracySec=1ms\n")
    site.machine.run(["systemctl", "daemon-reload"])
    site.machine.run(["systemctl", "restart", TIMER])
    site.pebble.start()

    site.machine.wait_until("a site that visitors trust", lambda: is_up(site))
    assert not site.machine.exists(FAILURES)


def test_a_first_start_ends_with_a_certificate_that_visitors_trust(site):
    certificate = served(site.machine)

    assert is_up(site)
    assert DOMAIN in describe(certificate, "-ext", "subjectAltName")
    assert "prime256v1" in describe(certificate, "-text")
    assert site.machine.unit(RENEW)["ExecMainStatus"] == str(DONE)
    assert site.machine.run(["ls", CHALLENGES]).stdout == ""


def test_keys_are_for_the_certificate_user_only(site):
    keys = site.machine.run(["find", STATE, "-name", "privkey.pem", "-o", "-name", "key.pem"]).stdout.split()

    assert len(keys) >= 2
    for key in keys:
        assert site.machine.run(["stat", "--format=%U %a", key]).stdout.strip() == "commento-cert 600"


# --- renewal ---

def test_nothing_due_changes_no_file_and_asks_no_authority(site):
    before, requests = files(site.machine), site.pebble.requests()

    code, status = run_unit(site.machine)

    assert code == DONE and "nothing due" in status
    assert files(site.machine) == before
    assert site.pebble.requests() == requests


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

    site.start()

    assert is_up(site)


def test_an_account_that_the_authority_no_longer_knows_is_registered_anew(site):
    site.pebble.forget()
    make_due(site)

    code, status = run_unit(site.machine)

    assert code == DONE and "no longer knows the account" in status
    assert is_up(site)


def test_each_kind_of_key_is_issued_and_served(site):
    expected = {"ecdsa-p384": "secp384r1", "rsa-2048": "(2048 bit)", "rsa-3072": "(3072 bit)", "rsa-4096": "(4096 bit)",
                "ecdsa-p256": "prime256v1"}
    for kind, mark in expected.items():
        site.configure(TLS_KEY_TYPE=kind)
        code, status = run_unit(site.machine)
        assert code == DONE, status
        assert mark in describe(served(site.machine), "-text"), kind
        assert is_up(site), kind


def test_only_the_three_newest_generations_are_kept(site):
    for kind in ("ecdsa-p384", "ecdsa-p256", "ecdsa-p384"):
        site.configure(TLS_KEY_TYPE=kind)
        assert run_unit(site.machine)[0] == DONE

    assert site.machine.run(["ls", f"{STATE}/tls/generations"]).stdout.split() == ["0003", "0004", "0005"]


# --- an authority that fails ---

FAULTS = {
    "rate limit": ("newOrder", "rateLimited", {"retry_after": 7200, "detail": "too many certificates already issued"},
                   AUTHORITY, ["rateLimited: too many certificates already issued", "TEST=true", "next try after"]),
    "bad nonce for ever": ("newOrder", "badNonce", {}, AUTHORITY, ["badNonce", "next try after"]),
    "unauthorized": ("newOrder", "unauthorized", {"detail": "the account is closed"}, AUTHORITY,
                     ["unauthorized: the account is closed", "acme/accounts"]),
    "failed challenge": ("authorization", "invalid", {"detail": "found a page of another server"}, AUTHORITY,
                         ["found a page of another server", "DNS"]),
    "refusal with subproblems": ("newOrder", "problem", {
        "status": 400, "type": "rejectedIdentifier", "detail": "not for this name", "subproblems": [
            {"type": "urn:ietf:params:acme:error:caa", "detail": "CAA forbids it",
             "identifier": {"type": "dns", "value": DOMAIN}}]}, AUTHORITY,
        ["rejectedIdentifier: not for this name", f"{DOMAIN}: urn:ietf:params:acme:error:caa: CAA forbids it", "check DOMAIN"]),
    "malformed JSON": ("newOrder", "malformed", {}, AUTHORITY, ["makes no sense", "no JSON object", "ACME_DIRECTORY"]),
    "a page instead of JSON": ("directory", "html", {}, AUTHORITY, ["502", "text/html", "ACME_DIRECTORY"]),
    "error inside the authority": ("finalize", "serverInternal", {}, AUTHORITY, ["serverInternal", "trouble of its own"]),
    "certificate for another key": ("certificate", "wrongKey", {}, AUTHORITY, ["does not belong", "in place stays"]),
    "expired certificate": ("certificate", "expired", {}, AUTHORITY, ["expired on", "clock"]),
    "order never decided": ("order", "pending", {"retry_after": 86400}, AUTHORITY, ["not decided", "slow"]),
    "cut connection": ("newOrder", "cut", {}, NETWORK, ["https://localhost:14100/orders", "next try when the timer elapses"]),
    "cut connection after the order": ("certificate", "cut", {}, NETWORK, ["/certificate/", "next try after"]),
    "silence": ("newOrder", "silent", {}, NETWORK, ["timed out", "next try when the timer elapses"]),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_authority_is_told_with_a_hint_and_leaves_the_site_up(scripted, fault):
    step, kind, details, expected, texts = FAULTS[fault]
    former = served(scripted.machine)
    make_due(scripted)
    scripted.pebble.fail(step, kind, **details)

    code, status = run_unit(scripted.machine)

    assert code == expected, status
    assert scripted.machine.unit(RENEW)["ActiveState"] == "failed"
    assert "hint:" in status
    assert [text for text in texts if text not in status] == [], status
    assert served(scripted.machine) == former and is_up(scripted)
    assert scripted.machine.run(["ls", CHALLENGES]).stdout == ""


def test_an_authority_that_refused_is_left_alone_across_a_reboot(scripted):
    machine, authority = scripted.machine, scripted.pebble
    make_due(scripted)
    authority.fail("newOrder", "rateLimited", retry_after=7200, detail="too many orders")
    run_unit(machine)
    before = authority.requests()

    machine.reboot()
    machine.wait_until("the run after the boot", lambda: machine.unit(RENEW)["ExecMainStatus"] == str(LATER))

    assert authority.requests() == before
    status = machine.run(["systemctl", "status", "--full", RENEW], check=False).output
    assert "too many orders" in status
    failure = json.loads(machine.read(FAILURES))
    assert failure["next_try"] - failure["failed_at"] == 7200
    assert datetime.datetime.fromtimestamp(failure["next_try"], datetime.timezone.utc).strftime("%FT%T+0000") in status


def test_other_settings_are_tried_at_once(scripted):
    make_due(scripted)
    scripted.pebble.fail("newOrder", "rateLimited", times=1, retry_after=7200)
    assert run_unit(scripted.machine)[0] == AUTHORITY
    assert run_unit(scripted.machine)[0] == LATER

    make_due(scripted, ACME_DIRECTORY="https://127.0.0.1:14100/directory")

    assert run_unit(scripted.machine)[0] == DONE
    assert not scripted.machine.exists(FAILURES)


def test_refusals_in_a_row_lengthen_the_pause(scripted):
    make_due(scripted)
    scripted.pebble.fail("newOrder", "serverInternal")
    pauses = []
    for _ in range(3):
        assert run_unit(scripted.machine)[0] == AUTHORITY
        failure = json.loads(scripted.machine.read(FAILURES))
        pauses.append(failure["next_try"] - failure["failed_at"])
        failure["next_try"] = failure["failed_at"]  # as if that time had passed
        scripted.machine.write(FAILURES, json.dumps(failure), owner="commento-cert:commento-cert")

    assert pauses == [300, 600, 1200]


def test_a_run_that_was_killed_is_made_good_by_the_next(scripted):
    machine = scripted.machine
    make_due(scripted)
    scripted.pebble.fail("finalize", "silent", times=1)
    machine.run(["systemctl", "start", "--no-block", RENEW])
    machine.wait_until("the authority falls silent", lambda: scripted.pebble.requests()[-1] == "finalize")

    machine.run(["systemctl", "kill", "--signal=KILL", RENEW])
    machine.wait_until("its end", lambda: machine.unit(RENEW)["ActiveState"] == "failed")

    assert is_up(scripted)
    code, status = run_unit(machine)
    assert code == DONE, status
    assert "secp384r1" in describe(served(machine), "-text")


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


def test_nothing_on_port_80_is_told_and_no_order_is_spent(scripted):
    make_due(scripted)
    requests = scripted.pebble.requests()
    scripted.machine.run(["systemctl", "stop", "nginx"])

    code, status = run_unit(scripted.machine)

    assert code == WEB
    assert "nothing answers on 127.0.0.1:80" in status and "systemctl status nginx" in status
    assert scripted.pebble.requests() == requests


def test_a_certificate_that_nginx_does_not_serve_is_told_and_stays(scripted):
    machine = scripted.machine
    former = served(machine)
    machine.run(["systemctl", "stop", RELOAD_PATH])
    make_due(scripted)

    code, status = run_unit(machine)

    assert code == WEB
    assert "commento-nginx-reload" in status and served(machine) == former
    machine.run(["systemctl", "start", RELOAD_PATH, "commento-nginx-reload.service"])
    machine.wait_until("the certificate is served", lambda: served(machine) != former)
    assert run_unit(machine)[0] == DONE


# --- a damaged store ---

@pytest.mark.parametrize("file", ["privkey.pem", "fullchain.pem"])
def test_a_damaged_certificate_is_passed_over_for_the_former_one_at_the_next_start(site, file):
    machine = site.machine
    make_due(site)
    run_unit(machine)
    machine.run(["truncate", "--size=40", f"{STATE}/tls/live/{file}"])

    code, status = run_unit(machine, BOOTSTRAP)

    assert code == DONE and "ignoring this generation" in status
    machine.run(["nginx", "-t"])
    code, status = run_unit(machine)
    assert code == DONE, status
    assert is_up(site)


def test_with_nothing_left_of_the_store_the_site_comes_back_by_itself(site):
    site.machine.run(["find", f"{STATE}/tls", "-mindepth", "1", "-delete"])

    site.machine.run(["systemctl", "restart", "commento.target"], timeout=120)

    assert is_up(site)


# --- without an authority ---

def make_pair(domain: str = DOMAIN, days: int = 90) -> tuple[str, str]:
    """A self-signed certificate and its key, in PEM."""
    with tempfile.TemporaryDirectory() as directory:
        key = Path(directory) / "key.pem"
        request = processes.run(["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                                 "-subj", f"/CN={domain}", "-addext", f"subjectAltName=DNS:{domain}", "-keyout", str(key)])
        certificate = processes.run(["openssl", "x509", "-req", "-signkey", str(key), "-days", str(days),
                                     "-copy_extensions", "copy"], input=request.stdout).stdout
        return certificate, key.read_text()


@pytest.fixture
def with_files(unstarted_site) -> Site:
    """The product, up, with a pair of the operator's."""
    site = unstarted_site
    give_pair(site, *make_pair())
    site.configure(TLS_MODE="files", TLS_CERTIFICATE_FILE="/etc/ssl/own/chain.pem", TLS_KEY_FILE="/etc/ssl/own/key.pem")
    site.start()
    return site


def give_pair(site: Site, certificate: str, key: str) -> None:
    site.machine.write("/etc/ssl/own/chain.pem", certificate)
    site.machine.write("/etc/ssl/own/key.pem", key, 0o640, "root:commento-cert")


def test_the_operators_pair_is_served_and_no_authority_asked(with_files):
    assert served(with_files.machine) == with_files.machine.read("/etc/ssl/own/chain.pem")
    assert with_files.pebble.requests() == []
    assert with_files.machine.failed_units() == []


def test_a_newer_pair_of_the_operators_is_served_after_the_next_run(with_files):
    certificate, key = make_pair()
    give_pair(with_files, certificate, key)

    code, status = run_unit(with_files.machine)

    assert code == DONE, status
    assert served(with_files.machine) == certificate


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
        machine.run(["systemctl", "reload", "nginx"])
        assert served(machine) == former, name


def test_a_key_that_the_certificate_user_may_not_read_is_told_with_the_remedy(with_files):
    with_files.machine.run(["chmod", "600", "/etc/ssl/own/key.pem"])

    code, status = run_unit(with_files.machine)

    assert code == PERMISSION
    assert "TLS_KEY_FILE" in status and "chgrp commento-cert /etc/ssl/own/key.pem" in status


def test_a_bad_pair_at_the_first_start_gets_nginx_up_on_a_placeholder(unstarted_site):
    site = unstarted_site
    give_pair(site, *make_pair("other.example.test"))
    site.configure(TLS_MODE="files", TLS_CERTIFICATE_FILE="/etc/ssl/own/chain.pem", TLS_KEY_FILE="/etc/ssl/own/key.pem")

    site.start()

    assert "commento-stack" in describe(served(site.machine), "-issuer")
    assert site.machine.unit(BOOTSTRAP)["ExecMainStatus"] == str(SETTINGS)


def test_a_self_signed_site_needs_no_authority(unstarted_site):
    site = unstarted_site
    site.configure(TLS_MODE="selfsigned", ACME_DIRECTORY=None)

    site.start()

    certificate = served(site.machine)
    assert "commento-stack" in describe(certificate, "-issuer")
    assert DOMAIN in describe(certificate, "-ext", "subjectAltName")
    assert site.machine.failed_units() == []
    before = files(site.machine)
    code, status = run_unit(site.machine)
    assert code == DONE and "nothing due" in status
    assert files(site.machine) == before
    assert site.pebble.requests() == []


def test_a_change_of_the_mode_is_followed_by_the_next_run(site):
    site.configure(TLS_MODE="selfsigned")
    code, status = run_unit(site.machine)
    assert code == DONE, status
    assert "commento-stack" in describe(served(site.machine), "-issuer")

    site.configure()
    code, status = run_unit(site.machine)
    assert code == DONE, status
    assert is_up(site)


def test_root_is_told_to_leave_the_store_to_its_user(site):
    for verb in ("bootstrap", "renew"):
        done = site.machine.run(["/usr/libexec/commento-stack/commento-cert", verb], check=False)
        assert done.exit_code == PERMISSION
        assert "commentoctl cert renew" in done.stderr
