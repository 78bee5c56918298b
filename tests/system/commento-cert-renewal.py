"""When and how certificates are renewed: by the authority's advice, its limits, and what nginx makes of the new one."""

import base64
import json

import pytest

from machine import Machine, Pebble, ScriptedCA, Site, roots
from machine.certificates import (AUTHORITY, DOMAIN, DONE, LATER, STATE, WEB, cert, failures, is_trusted, issuer_of,
                                  keep, key_of, let_pause_pass, names_on, renew, run_unit, serial_of, served,
                                  served_chain, show, start_front)

LIVE = f"{STATE}/tls/live"
ADVICE = f"{STATE}/acme/certificates/main/renewal.json"
DAY = 86400
LONG_AGO = "2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z"
FAR_AHEAD = "2090-01-01T00:00:00Z", "2090-01-02T00:00:00Z"


@pytest.fixture
def scripted(machine) -> Site:
    """A site whose authority does as it is told, and is `scripted.pebble`; it is not started."""
    site = Site(machine, ScriptedCA(machine))
    site.configure()
    return site


def grow_old(machine: Machine, days: int) -> None:
    """As if the live certificate had been made that many days earlier: commento-cert goes by what stands beside it."""
    info = json.loads(machine.read(f"{LIVE}/info.json"))
    keep(machine, f"{LIVE}/info.json", info | {key: info[key] - days * DAY for key in ("not_before", "not_after")})


def let_advice_age(machine: Machine) -> None:
    """As if the time had come to ask the authority for its advice again."""
    keep(machine, ADVICE, json.loads(machine.read(ADVICE)) | {"ask_again": 0})


# --- what is asked for ---

def test_the_key_is_new_with_each_renewal_or_kept_where_the_settings_say_so(unstarted_site):
    site = unstarted_site
    start_front(site)
    first = served(site.machine)
    renew(site.machine, "--force", "main")
    second = served(site.machine)
    site.configure(TLS_KEY_REUSE="true")
    renew(site.machine, "--force", "main")
    third = served(site.machine)

    assert len({serial_of(first), serial_of(second), serial_of(third)}) == 3
    assert key_of(first) != key_of(second) == key_of(third)


def test_of_several_chains_the_preferred_one_is_served(machine):
    site = Site(machine, Pebble(machine, environment={"PEBBLE_ALTERNATE_ROOTS": "2", "PEBBLE_CHAIN_LENGTH": "2"}))
    usual, preferred = (issuer_of(site.pebble.root(number)) for number in (0, 2))
    site.configure(ACME_PREFERRED_CHAIN=preferred)

    start_front(site)

    assert issuer_of(served_chain(machine)[-1]) == preferred
    site.configure(ACME_PREFERRED_CHAIN="No Such Root")
    assert "offers no chain that leads to No Such Root" in renew(machine, "--force", "main").output
    assert issuer_of(served_chain(machine)[-1]) == usual


def test_the_profile_is_asked_for_and_one_that_the_authority_does_not_have_is_refused_with_those_it_has(machine):
    site = Site(machine, ScriptedCA(machine, profiles=["classic", "shortlived"]))
    site.configure(ACME_PROFILE="shortlived")

    start_front(site)

    [order] = site.pebble.orders()
    assert order["profile"] == "shortlived"
    assert show(machine)["profile"] == "shortlived"
    site.configure(ACME_PROFILE="eternal")
    code, status = run_unit(machine)
    assert code == AUTHORITY, status
    assert 'has no certificate profile "eternal"' in status and "classic, shortlived" in status
    assert site.pebble.orders() == [order]


# --- when: by advice (ARI, RFC 9773), else by age ---

def test_the_authoritys_advice_counts_more_than_age_and_is_asked_for_only_when_it_wants_to_be(scripted):
    machine, authority = scripted.machine, scripted.pebble
    authority.suggest(*FAR_AHEAD)
    start_front(scripted)
    grow_old(machine, 70)  # of 90

    for _ in range(2):
        code, status = run_unit(machine)
        assert code == DONE and "nothing due" in status, status

    assert authority.count("renewalInfo") == 1
    assert show(machine)["renewal_window"]["start"] == FAR_AHEAD[0]

    former = served(machine)
    authority.suggest(*LONG_AGO)
    let_advice_age(machine)
    code, status = run_unit(machine)

    assert code == DONE and "the authority advises to renew" in status, status
    assert served(machine) != former
    issuer, serial = authority.orders()[-1]["replaces"].split(".")
    assert base64.urlsafe_b64decode(serial + "==").hex().upper().lstrip("0") == serial_of(former).lstrip("0")


@pytest.mark.parametrize("kind, status", [("alreadyReplaced", 409), ("malformed", 400)])
def test_an_order_whose_predecessor_is_refused_is_made_without_it(scripted, kind, status):
    machine, authority = scripted.machine, scripted.pebble
    authority.suggest(*LONG_AGO)
    start_front(scripted)
    authority.fail("newOrder", "predecessor", type=kind, status=status)

    assert "trying without naming" in renew(machine, "main").output

    assert ["replaces" in order for order in authority.orders()] == [False, True, False]


def test_without_the_advice_age_decides(scripted):
    machine, authority = scripted.machine, scripted.pebble
    authority.suggest(*FAR_AHEAD)
    authority.fail("renewalInfo", "serverInternal")
    start_front(scripted)
    former = served(machine)

    code, status = run_unit(machine)
    assert code == DONE and "main is renewed by its age" in status and "nothing due" in status, status
    grow_old(machine, 70)
    code, status = run_unit(machine)

    assert code == DONE and served(machine) != former, status
    assert authority.count("renewalInfo") == 1


def test_the_advice_of_a_real_authority_is_taken_and_it_takes_the_predecessor():
    with Machine(roots.installed("trixie")) as machine:
        site = Site(machine, Pebble(machine, program=roots.pebble("trixie")))
        site.configure()
        start_front(site)

        code, status = run_unit(machine)

        assert code == DONE and "nothing due" in status, status
        window = show(machine)["renewal_window"]
        assert window["start"] < window["chosen"] < window["end"]
        assert "trying without" not in renew(machine, "--force", "main").output
        requests = site.pebble.requests()
        assert any("renewalInfo" in request for request in requests)
        assert requests.count("POST /order-plz") == 2
        assert is_trusted(site, DOMAIN)


# --- another authority ---

def test_where_the_first_authority_fails_again_and_again_the_other_one_issues(machine):
    first, other = ScriptedCA(machine), Pebble(machine)
    site = Site(machine, other)
    both = "/etc/ssl/test/both.pem"
    machine.write(both, machine.read(first.ca_file) + machine.read(other.ca_file))
    settings = {"ACME_DIRECTORY": first.directory, "ACME_FALLBACK_DIRECTORY": other.directory, "ACME_CA_FILE": both}
    site.configure(**settings)
    first.fail("newOrder", "serverInternal")
    start_front(site)
    let_pause_pass(machine)
    assert run_unit(machine)[0] == AUTHORITY
    assert other.requests() == []
    let_pause_pass(machine)

    code, status = run_unit(machine)

    assert code == DONE and "failed 3 times in a row; falling back to" in status, status
    assert is_trusted(site, DOMAIN)
    requests = first.requests(), other.requests()
    code, status = run_unit(machine)
    assert code == DONE and "nothing due" in status
    assert (first.requests(), other.requests()) == requests

    first.heal()
    renew(machine, "--force", "main")
    assert "commento-stack test root" in issuer_of(served(machine))
    assert other.requests() == requests[1]


# --- what nginx makes of it ---

def test_a_certificate_that_nginx_does_not_take_is_set_aside_for_the_former_one_and_tried_again_later(unstarted_site):
    site, machine = unstarted_site, unstarted_site.machine
    start_front(site)
    former = served(machine)
    broken = "/etc/nginx/conf.d/broken.conf"
    machine.write(broken, "server { listen 443 ssl; server_name broken.example.test; }\nnonsense;\n")
    site.configure(TLS_KEY_TYPE="ecdsa-p384")

    code, status = run_unit(machine)

    assert code == WEB, status
    assert "is set aside" in status and "put back" in status and "nginx -t" in status
    assert served(machine) == former == machine.read(f"{LIVE}/fullchain.pem")[:len(former)]
    requests = site.pebble.requests()
    code, status = run_unit(machine)
    assert code == LATER and "it is tried again after" in status, status

    machine.run(["rm", broken])
    renew(machine, "--force", "main")

    assert served(machine) != former and is_trusted(site, DOMAIN)
    assert site.pebble.requests() == requests


# --- limits ---

def test_force_asks_an_authority_that_wants_to_be_left_alone_and_says_what_that_risks(scripted):
    machine, authority = scripted.machine, scripted.pebble
    start_front(scripted)
    scripted.configure(TLS_KEY_TYPE="ecdsa-p384")
    authority.fail("newOrder", "rateLimited", retry_after=7200)
    assert run_unit(machine)[0] == AUTHORITY
    assert run_unit(machine)[0] == LATER
    assert authority.count("newOrder") == 2

    done = cert(machine, "renew", "--force", "main")

    assert done.exit_code == AUTHORITY and "may lengthen that" in done.output, done.output
    assert authority.count("newOrder") == 3
    authority.heal()
    renew(machine, "--force", "main")
    assert failures(machine) == []


def test_lets_encrypts_limits_are_counted_here_and_not_run_into(machine):
    name = "acme-v02.api.letsencrypt.org"
    machine.write("/etc/hosts", machine.read("/etc/hosts") + f"127.0.0.1 {name}\n")
    authority = ScriptedCA(machine, name=name, port=443)
    site = Site(machine, authority)
    kinds = ["ecdsa-p256", "ecdsa-p384"] * 3
    for kind in kinds[:5]:
        site.configure(TLS_KEY_TYPE=kind, HTTPS_PORT="8443")
        if kind == kinds[0] and not authority.orders():
            start_front(site)
        else:
            renew(machine, "main")
    assert len(authority.orders()) == 5

    site.configure(TLS_KEY_TYPE=kinds[5], HTTPS_PORT="8443")
    code, status = run_unit(machine)

    assert code == LATER, status
    assert f"5 certificates a week for exactly {DOMAIN}" in status and "not asking before" in status
    assert len(authority.orders()) == 5
    assert "1 are left" not in cert(machine, "renew", "--force", "main").output
    assert names_on(served(machine, port=8443)) == {DOMAIN}
