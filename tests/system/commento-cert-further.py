"""Further certificates, for other sites of the host: issued, renewed, shown and removed beside the main one."""

import json
import time

from machine import Site
from machine.certificates import (DONE, NETWORK, SETTINGS, STATE, WEB, cert, describe, failures, files, is_trusted,
                                  keep, names_on, renew, served, show, start_front)

BLOG = "blog.example.test"
FURTHER = f"{STATE}/tls/further"
CHALLENGE_SITE = """server {{
    listen 80;
    server_name {names};
    include /usr/share/commento-stack/nginx/acme-challenge.conf;
}}
"""
TLS_SITE = """server {{
    listen 443 ssl;
    server_name {names};
    ssl_certificate {folder}/{name}/live/fullchain.pem;
    ssl_certificate_key {folder}/{name}/live/privkey.pem;
    return 200 "the blog\\n";
}}
"""


def add_site(site: Site, name: str, text: str, *more_names: str) -> None:
    """What the operator of another site writes for it into nginx's configuration."""
    path = f"/etc/nginx/conf.d/{name}.conf"
    former = site.machine.read(path) if site.machine.exists(path) else ""
    site.machine.write(path, former + text.format(name=name, names=" ".join((name, *more_names)), folder=FURTHER))
    site.machine.run(["systemctl", "restart", "nginx"])


def test_another_site_gets_its_certificate_and_each_renewed_one_is_served(unstarted_site):
    site, machine, also = unstarted_site, unstarted_site.machine, "www.blog.example.test"
    start_front(site)
    main = served(machine)
    add_site(site, BLOG, CHALLENGE_SITE, also)

    done = cert(machine, "issue", BLOG, also, "--set", "TLS_KEY_TYPE=ecdsa-p384")

    assert done.exit_code == DONE, done.output
    add_site(site, BLOG, TLS_SITE, also)
    first = served(machine, BLOG)
    assert names_on(first) == {BLOG, also}
    assert "secp384r1" in describe(first, "-text")
    assert is_trusted(site, BLOG) and is_trusted(site, also)

    renew(machine, "--force", BLOG)

    assert served(machine, BLOG) != first and is_trusted(site, BLOG)
    assert served(machine) == main
    machine.wait_until("the reload is noted", lambda: machine.unit("commento-nginx-reload")["ActiveState"] == "inactive")
    before = files(machine)
    assert "nothing due" in renew(machine).output
    assert files(machine) == before


def test_one_that_fails_or_has_faulty_settings_holds_back_no_other(unstarted_site):
    site, machine, lost = unstarted_site, unstarted_site.machine, "a.example.test"
    start_front(site)
    add_site(site, BLOG, CHALLENGE_SITE)
    add_site(site, lost, CHALLENGE_SITE)
    assert cert(machine, "issue", BLOG).exit_code == DONE
    add_site(site, BLOG, TLS_SITE)
    done = cert(machine, "issue", lost, "--set", "ACME_DIRECTORY=https://localhost:14999/dir")
    assert done.exit_code == NETWORK and f"{lost}.conf stays, and the timer tries again" in done.output, done.output
    machine.write("/etc/commento-stack/certificates/b.example.test.conf", "DOMAIN=b.example.test\nTLS_KEY_TIPE=1\n")
    former = served(machine), served(machine, BLOG)
    site.configure(TLS_KEY_TYPE="ecdsa-p384")

    done = cert(machine, "renew")

    assert done.exit_code == NETWORK, done.output
    assert f"{lost}: " in done.output and "b.example.test: " in done.output and "TLS_KEY_TIPE" in done.output
    assert served(machine) != former[0] and served(machine, BLOG) != former[1]
    [failure] = failures(machine, lost)
    assert failure["directory"] == "https://localhost:14999/dir" and failure["failures"] == 2
    assert failures(machine) == failures(machine, BLOG) == []


def doctor(machine, *checks: str) -> list[dict]:
    return json.loads(machine.run(["commentoctl", "doctor", "--json", *checks], check=False).stdout)["checks"]


def test_the_doctor_sees_what_holds_one_back_and_does_not_advise_what_would_be_too(unstarted_site):
    site, machine, lost, limited = unstarted_site, unstarted_site.machine, "a.example.test", "b.example.test"
    start_front(site)
    [before] = doctor(machine, "authority.limits")
    assert before["found"] == "ok", before
    cert(machine, "issue", limited, "--later", "--set", "ACME_DIRECTORY=https://acme-v02.api.letsencrypt.org/directory")
    keep(machine, f"{STATE}/acme/limits.json", {"orders": int(time.time()) + 3 * 3600 + 30})

    [used_up] = doctor(machine, "authority.limits")

    assert show(machine)["limit"] is None and "300 orders in 3 hours" in show(machine, limited)["limit"]
    assert used_up["found"] == "warning" and f"{limited}: Let's Encrypt's limit of 300 orders" in used_up["saw"], used_up
    assert "wait until then" in used_up["remedy"]

    add_site(site, lost, CHALLENGE_SITE)
    assert cert(machine, "issue", lost, "--set", "ACME_DIRECTORY=https://localhost:14999/dir").exit_code == NETWORK
    [failure] = failures(machine, lost)
    keep(machine, f"{STATE}/acme/certificates/{lost}/failures.json",
         {"failures": [failure | {"next_try": failure["failed_at"] + 3600}]})

    further, limits = doctor(machine, "certificate.further", "authority.limits")

    assert limits["found"] == "warning" and f"{lost}: asked again from " in limits["saw"] and f"{limited}: " in limits["saw"], limits
    assert further["found"] == "fault" and f"{lost} (missing)" in further["saw"], further
    assert further["remedy"] == limits["remedy"] and limits["remedy"].endswith(f"commentoctl cert renew --force {lost}")


def test_they_are_listed_shown_and_removed_with_all_that_was_kept_of_them(unstarted_site):
    site, machine = unstarted_site, unstarted_site.machine
    start_front(site)
    add_site(site, BLOG, CHALLENGE_SITE)
    done = cert(machine, "issue", "later.example.test", "--later")
    assert done.exit_code == DONE and not machine.exists(f"{FURTHER}/later.example.test")
    assert cert(machine, "issue", BLOG).exit_code == DONE

    listed = json.loads(cert(machine, "list", "--json").stdout)

    assert [(one["name"], one["state"]) for one in listed] == [
        ("main", "valid"), (BLOG, "valid"), ("later.example.test", "missing")]
    assert show(machine, BLOG)["names"] == [BLOG] and show(machine, BLOG)["failures"] == []
    table = cert(machine, "list").stdout
    assert BLOG in table and "valid" in table and "missing" in table
    facts = cert(machine, "show", BLOG).stdout
    assert "Pebble" in facts and f"{FURTHER}/{BLOG}/live/fullchain.pem" in facts

    assert cert(machine, "remove", BLOG).exit_code == DONE

    left = machine.run(["find", STATE, "/etc/commento-stack", "-name", f"*{BLOG}*"]).stdout
    assert left == ""
    assert cert(machine, "renew", BLOG).exit_code == cert(machine, "remove", BLOG).exit_code == SETTINGS


def test_a_name_that_no_site_on_port_80_shows_the_challenge_for_is_told_and_no_order_spent(unstarted_site):
    site = unstarted_site
    start_front(site)
    requests = site.pebble.requests()

    done = cert(site.machine, "issue", BLOG)

    assert done.exit_code == WEB, done.output
    assert f"does not show the challenge folder for {BLOG}" in done.output and "nginx -T" in done.output
    assert site.pebble.requests() == requests
