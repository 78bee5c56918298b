"""Accounts with authorities: their contact, their key, their end; revocation; moving in from certbot and out again."""

import tempfile
from pathlib import Path

import pytest

from machine import Machine, Pebble, ScriptedCA, Site, processes
from machine.certificates import (AUTHORITY, DOMAIN, DONE, NETWORK, RENEW, SETTINGS, STATE, account, cert, is_trusted,
                                  key_of, renew, run_unit, serial_of, served, start_front)

REGISTRATION = "POST /sign-me-up"


def key_file(machine: Machine) -> str:
    return machine.run(["find", f"{STATE}/acme/accounts", "-name", "key.pem"]).stdout.strip()


# --- accounts ---

def test_an_account_follows_the_settings_and_after_its_end_the_next_issue_makes_another(unstarted_site):
    site, machine = unstarted_site, unstarted_site.machine
    start_front(site)
    first = account(machine)
    site.configure(EMAIL="other@example.test")

    done = cert(machine, "account", "update")

    assert done.exit_code == DONE, done.output
    assert account(machine) == first | {"email": "other@example.test"}
    assert site.pebble.requests()[-1] == "POST /my-account/"

    done = cert(machine, "account", "deactivate")

    assert done.exit_code == DONE, done.output
    renew(machine, "--force", "main")
    assert account(machine)["url"] != first["url"]
    assert site.pebble.requests().count(REGISTRATION) == 2
    assert cert(machine, "account", "deactivate").exit_code == DONE


def test_after_a_change_of_the_accounts_key_the_authority_takes_only_the_new_one(unstarted_site):
    site, machine = unstarted_site, unstarted_site.machine
    start_front(site)
    path = key_file(machine)
    former, url = machine.read(path), account(machine)["url"]

    done = cert(machine, "account", "roll-key")

    assert done.exit_code == DONE, done.output
    new = machine.read(path)
    assert new != former
    renew(machine, "--force", "main")
    assert account(machine)["url"] == url and site.pebble.requests().count(REGISTRATION) == 1

    machine.write(path, former, 0o600, "commento-cert:commento-cert")
    assert cert(machine, "renew", "--force", "main").exit_code == AUTHORITY


def test_after_a_change_of_the_accounts_key_that_was_cut_off_the_next_run_finds_out_which_one_counts(machine):
    site = Site(machine, ScriptedCA(machine))
    site.configure()
    start_front(site)
    terms = "https://localhost:14100/terms"
    assert f"this agrees to its terms of service: {terms}" in machine.journal(RENEW)
    assert account(machine)["terms"] == terms
    path = key_file(machine)
    for fault, knows in (("lost", "new"), ("cut", "former")):
        former = machine.read(path)
        site.pebble.fail("keyChange", fault, times=1)
        assert cert(machine, "account", "roll-key").exit_code == NETWORK
        prepared = machine.read(path.replace("key.pem", "next-key.pem"))
        assert machine.read(path) == former != prepared

        assert f"knows the {knows} one" in renew(machine, "--force", "main").output

        assert machine.read(path) == (prepared if knows == "new" else former)
        assert machine.run(["ls", path.rpartition("/")[0]]).stdout.split() == ["account.json", "key.pem"]


def test_an_authority_for_customers_gets_the_binding_and_without_one_the_remedy_is_told(machine):
    kid, mac = "kid-1", "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"
    site = Site(machine, Pebble(machine, customers={kid: mac}))
    site.configure()
    start_front(site)
    code, status = run_unit(machine)
    assert code == SETTINGS, status
    assert "takes only accounts of its customers" in status and "set ACME_EAB_KID and ACME_EAB_KEY_FILE" in status

    path = "/etc/commento-stack/eab.key"
    machine.write(path, mac + "\n", 0o640, "root:commento-cert")
    site.configure(ACME_EAB_KID=kid, ACME_EAB_KEY_FILE=path)
    code, status = run_unit(machine)

    assert code == DONE, status
    assert is_trusted(site, DOMAIN)


# --- revocation ---

def test_a_certificate_is_revoked_for_a_reason_and_one_with_a_new_key_served(unstarted_site):
    site, machine = unstarted_site, unstarted_site.machine
    site.configure(TLS_KEY_REUSE="true")
    start_front(site)
    former = served(machine)
    done = cert(machine, "revoke", "main", "--reason", "boredom")
    assert done.exit_code == SETTINGS and "keyCompromise" in done.output, done.output

    done = cert(machine, "revoke", "main", "--reason", "keyCompromise")

    assert done.exit_code == DONE, done.output
    status = site.pebble.status_of(serial_of(former))
    assert (status["Status"], status["Reason"]) == ("Revoked", 1)
    assert key_of(served(machine)) != key_of(former) and is_trusted(site, DOMAIN)
    assert site.pebble.status_of(serial_of(served(machine)))["Status"] == "Valid"


# --- certbot ---

def run_certbot(site: Site, folder: Path, *words: str) -> str:
    """Certbot of this host in the machine's network, with its configuration in a folder of this host."""
    places = [option for kind in ("config", "work", "logs")
              for option in (f"--{kind}-dir", str(folder if kind == "config" else folder.with_name(kind)))]
    trusted = folder.with_name("trusted.pem")
    trusted.write_text(site.machine.read(site.pebble.ca_file))
    argv = ["env", f"REQUESTS_CA_BUNDLE={trusted}", "certbot", *words, *places, "--non-interactive"]
    return processes.run(site.machine.network.enter(argv), timeout=120).output


def copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    processes.run(["cp", "--archive", "--no-target-directory", str(source), str(target)])


def test_moving_in_from_certbot_costs_no_request_and_its_account_goes_on(unstarted_site, tmp_path):
    site, machine, folder = unstarted_site, unstarted_site.machine, tmp_path / "letsencrypt"
    run_certbot(site, folder, "certonly", "--webroot", "-w", str(machine.disk.root / "var/www/html"), "-d", DOMAIN,
                "--server", site.pebble.directory, "--agree-tos", "--email", "owner@example.test")
    copy(folder, machine.disk.root / "etc/letsencrypt")
    requests = site.pebble.requests()

    done = cert(machine, "import", "certbot")

    assert done.exit_code == DONE, done.output
    start_front(site)
    assert served(machine) == (folder / "live" / DOMAIN / "cert.pem").read_text()
    code, status = run_unit(machine)
    assert code == DONE and "nothing due" in status, status
    assert site.pebble.requests() == requests
    [registration] = folder.glob("accounts/*/*/*/regr.json")
    assert account(machine)["url"] in registration.read_text()
    renew(machine, "--force", "main")
    assert site.pebble.requests().count(REGISTRATION) == 1


@pytest.fixture
def same_place():
    """A folder of this host whose path the machine can have, too: not below /tmp, which is not on its disk."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as path:
        yield Path(path)


def test_certbot_lists_and_renews_what_is_exported_for_it(unstarted_site, same_place):
    site, machine, folder = unstarted_site, unstarted_site.machine, same_place / "letsencrypt"
    start_front(site)

    done = cert(machine, "export", str(folder))

    assert done.exit_code == DONE, done.output
    copy(machine.disk.root / folder.relative_to("/"), folder)
    listed = run_certbot(site, folder, "certificates")
    assert f"Certificate Name: {DOMAIN}" in listed and f"Domains: {DOMAIN}" in listed
    webroot = str(machine.disk.root / STATE.lstrip("/") / "acme/webroot")
    run_certbot(site, folder, "renew", "--force-renewal", "--no-random-sleep-on-renew", "-w", webroot)
    assert (folder / "live" / DOMAIN / "cert.pem").read_text() != served(machine)
    assert site.pebble.requests().count(REGISTRATION) == 1
