"""How names are proved: through nginx, by listeners of its own, by records in DNS; and what stands in the way."""

from machine import NameServer, Pebble, Site
from machine.certificates import (DOMAIN, DONE, NETWORK, SETTINGS, WEB, is_trusted, issuer_of, names_on, run_unit,
                                  served, start_front)
from machine.name_server import make_key

CHALLENGE = f"_acme-challenge.{DOMAIN}"


def apply_site(site: Site) -> None:
    """Has nginx take over changed settings."""
    site.machine.run(["systemctl", "restart", "commento-nginx-render", "commento-nginx-reload"])


# --- http-01 ---

def test_several_names_and_an_address_are_proved_through_nginx_and_stand_on_one_certificate(unstarted_site):
    site, names = unstarted_site, {DOMAIN, "shop.example.test", "127.0.0.1"}
    site.configure(TLS_NAMES="shop.example.test 127.0.0.1")

    start_front(site)

    assert names_on(served(site.machine)) == names
    assert all(is_trusted(site, name) for name in names)

    site.configure(DOMAIN="talk.example.test", TLS_NAMES=DOMAIN)
    apply_site(site)
    code, status = run_unit(site.machine)

    assert code == DONE and "the settings ask for talk.example.test, comments.example.test" in status, status
    assert names_on(served(site.machine)) == {"talk.example.test", DOMAIN}
    assert is_trusted(site, "talk.example.test") and is_trusted(site, DOMAIN)


def test_where_nginx_is_down_its_own_listener_answers_and_the_certificate_stays(unstarted_site):
    site = unstarted_site
    start_front(site)
    former = served(site.machine)
    site.machine.run(["systemctl", "mask", "--now", "--runtime", "nginx"])
    site.configure(TLS_KEY_TYPE="ecdsa-p384")

    code, status = run_unit(site.machine)

    assert code == WEB, status
    assert "challenges are answered from here" in status and "nginx does not serve it" in status
    site.machine.run(["systemctl", "unmask", "--runtime", "nginx"])
    site.machine.run(["systemctl", "start", "nginx"])
    assert served(site.machine) != former and is_trusted(site, DOMAIN)
    code, status = run_unit(site.machine)
    assert code == DONE and "nothing due" in status


# --- tls-alpn-01 ---

def test_tls_alpn_01_is_answered_where_port_443_is_free_and_no_order_spent_where_it_is_not(unstarted_site):
    site = unstarted_site
    site.configure(ACME_CHALLENGE="tls-alpn-01", HTTPS_PORT="8443")

    start_front(site)

    assert issuer_of(served(site.machine, port=8443)).startswith("Pebble")

    site.configure(ACME_CHALLENGE="tls-alpn-01", TLS_KEY_TYPE="ecdsa-p384")
    apply_site(site)
    requests = site.pebble.requests()
    code, status = run_unit(site.machine)

    assert code == WEB, status
    assert "cannot listen on port 443" in status and "set ACME_CHALLENGE=http-01" in status
    assert site.pebble.requests() == requests


# --- dns-01 ---

def give_hook(site: Site, name: str, command: str) -> str:
    """Puts a hook that certbot could call, too, into the machine."""
    path = f"/usr/local/bin/{name}"
    site.machine.write(path, f"#!/bin/sh\n{command}\n", 0o755)
    return path


def test_hooks_made_for_certbot_prove_a_wildcard_and_clean_up(unstarted_site):
    site = unstarted_site
    post = f"exec curl --silent --show-error --fail {site.pebble.hooks}"
    host = r'{\"host\": \"_acme-challenge.$CERTBOT_DOMAIN.\"'
    add = give_hook(site, "add-record", f'{post}/set-txt --data "{host}, \\"value\\": \\"$CERTBOT_VALIDATION\\"}}"')
    remove = give_hook(site, "remove-record", f'{post}/clear-txt --data "{host}}}"')
    settings = {"TLS_NAMES": f"*.{DOMAIN}", "ACME_CHALLENGE": "dns-01", "ACME_DNS_CLEANUP_HOOK": remove}
    site.configure(**settings, ACME_DNS_HOOK=add)

    start_front(site)

    assert names_on(served(site.machine)) == {DOMAIN, f"*.{DOMAIN}"}
    assert is_trusted(site, f"any.{DOMAIN}")
    assert site.pebble.texts_at(CHALLENGE) == []

    broken = give_hook(site, "broken", "echo the provider is on holiday >&2; exit 3")
    site.configure(**settings, ACME_DNS_HOOK=broken, TLS_KEY_TYPE="ecdsa-p384")
    code, status = run_unit(site.machine)

    assert code == NETWORK, status
    assert f"{broken} for {DOMAIN} ended with status 3; it printed: the provider is on holiday" in status
    assert is_trusted(site, DOMAIN)


def test_updates_of_a_name_server_prove_names_in_its_zones_and_in_zones_that_delegate_to_them(machine):
    names = NameServer(machine, {
        "example.test": "_acme-challenge.shop CNAME shop.proofs.test.\n", "proofs.test": ""})
    site = Site(machine, Pebble(machine, dns=names.address))
    key_file = "/etc/commento-stack/dns.key"
    machine.write(key_file, names.key, 0o640, "root:commento-cert")
    settings = {"TLS_NAMES": f"*.{DOMAIN} shop.example.test", "ACME_CHALLENGE": "dns-01",
                "ACME_DNS_SERVER": names.address, "ACME_DNS_KEY_FILE": key_file}
    site.configure(**settings)

    start_front(site)

    assert names_on(served(machine)) == {DOMAIN, f"*.{DOMAIN}", "shop.example.test"}
    assert names.texts_at(CHALLENGE) == names.texts_at("shop.proofs.test") == []

    machine.write(key_file, make_key(), 0o640, "root:commento-cert")
    site.configure(**settings, TLS_KEY_TYPE="ecdsa-p384")
    requests = site.pebble.requests()
    code, status = run_unit(machine)

    assert code == SETTINGS, status
    assert "does not take the key acme" in status and "another secret" in status
    assert site.pebble.requests() == requests
