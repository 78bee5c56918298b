"""What the front does beyond passing requests on: files from disk, limits, health, logs, and what stands before it."""

import contextlib
import gzip
import hashlib
import http.client
import json
import re
import socket
import ssl
import subprocess
import uuid

import pytest

from machine import Machine, Site

LOG = "/var/log/nginx/commento-stack.access.log"
STATIC = "/var/lib/commento-stack/static"
RELEASE = "/var/lib/commento-stack/app/current"
SITE_FILE = "/etc/nginx/conf.d/commento-stack.conf"
SCRIPT = "/js/commento.js"


def address_of(site: Site) -> str:
    """By which address the machine knows this host."""
    return site.machine.network.host_address


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def digest_of_applications(machine: Machine, path: str) -> str:
    """Of what the application itself answers."""
    machine.run(["curl", "--silent", "--show-error", "--fail", "--output", "/tmp/answer", f"http://127.0.0.1:8080{path}"])
    return machine.run(["sha256sum", "/tmp/answer"]).stdout.split()[0]


def asked(site: Site, path: str, encoding: str = "identity", **headers: str):
    return site.comments().request("GET", path, headers={"Accept-Encoding": encoding} | headers)


def logged(site: Site, path: str, **headers: str) -> dict:
    """What is logged of a request. nginx writes its log once a second."""
    agent = f"asks for {path}, {uuid.uuid4()}"
    asked(site, path, **{"User-Agent": agent}, **headers)
    return logged_of(site, agent)


def logged_of(site: Site, agent: str) -> dict:
    def find():
        lines = [json.loads(line) for line in site.machine.read(LOG).splitlines()]
        return next((line for line in lines if line["agent"].startswith(agent)), None)

    return site.machine.wait_until("the log", find)


# --- static files ---

def served_paths(machine: Machine) -> list[str]:
    """Addresses of all static files and pages that the release holds and the application has."""
    found = machine.run(["find", "-L", RELEASE, "-mindepth", "1", "-maxdepth", "2", "-type", "f", "-printf", "/%P\n"]).stdout.split()
    files = [path for path in found if re.match(r"/(js|css|images|fonts|i18n)/", path)]
    pages = [path.removesuffix(".html") for path in found if re.fullmatch(r"/[^/]+\.html", path)]
    status = ["curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}"]
    return [path for path in files + pages
            if machine.run([*status, f"http://127.0.0.1:8080{path}"]).stdout == "200"]


def unbrotli(content: bytes) -> bytes:
    return subprocess.run(["brotli", "-dc"], input=content, capture_output=True, check=True).stdout


DECODERS = {"identity": bytes, "gzip": gzip.decompress, "br": unbrotli}


def test_every_file_and_page_is_byte_for_byte_what_the_application_answers(site):
    paths = served_paths(site.machine)
    assert SCRIPT in paths and "/login" in paths
    compressed = 0
    for path in paths:
        expected = digest_of_applications(site.machine, path)
        assert site.machine.exists(f"{STATIC}/live/{'files' + path if path.count('/') > 1 else 'pages' + path + '.html'}"), path
        for encoding, decoded in DECODERS.items():
            answer = asked(site, path, encoding)
            assert answer.status == 200, path
            got = answer.headers.get("Content-Encoding", "identity")
            assert got in ("identity", encoding), path
            assert digest(DECODERS[got](answer.body)) == expected, (path, encoding)
            compressed += got != "identity"
    assert compressed > 0
    assert asked(site, SCRIPT, "br").headers["Content-Encoding"] == "br"
    assert asked(site, SCRIPT, "gzip").headers["Content-Encoding"] == "gzip"


def test_files_come_from_the_disk_and_from_the_application_where_they_are_not_there(site):
    site.machine.run(["systemctl", "stop", "commento.service"])
    assert asked(site, SCRIPT).status == 200
    assert asked(site, "/login").status == 200

    site.machine.run(["systemctl", "start", "commento.service"])
    expected = asked(site, SCRIPT).body
    site.machine.run(["rm", "-rf", f"{STATIC}/live"])
    assert asked(site, SCRIPT).body == expected
    assert asked(site, "/login").status == 200


def test_a_browser_that_has_a_file_is_told_that_it_is_the_same(site):
    first = asked(site, SCRIPT, "gzip")
    assert first.headers["Cache-Control"] == "no-cache" and "Last-Modified" not in first.headers
    assert asked(site, SCRIPT, "gzip", **{"If-None-Match": first.headers["ETag"]}).status == 304

    site.machine.run(["systemctl", "restart", "commento.service"])
    assert asked(site, SCRIPT, "gzip", **{"If-None-Match": first.headers["ETag"]}).status == 304


def test_what_the_settings_change_in_the_files_is_served_at_once(site):
    before = asked(site, SCRIPT)
    page = asked(site, "/login")

    site.restart(COMMENTO_CDN_PREFIX="https://cdn.example.test")

    changed = asked(site, "/login", **{"If-None-Match": page.headers["ETag"]})
    script = asked(site, SCRIPT, **{"If-None-Match": before.headers["ETag"]})
    assert changed.status == 200 or script.status == 200
    for path, answer in (("/login", changed), (SCRIPT, script)):
        assert answer.status == 304 or digest(answer.body) == digest_of_applications(site.machine, path)


# --- limits ---

def sign_up(site: Site, number: int):
    return site.comments().request("POST", "/api/owner/new",
                                   json.dumps({"email": f"o{number}@example.test", "name": "x", "password": "pw"}).encode())


def test_who_signs_up_again_and_again_is_stopped_and_can_go_on_reading(site):
    answers = [sign_up(site, number) for number in range(12)]

    assert answers[0].status == 200
    refused = [answer for answer in answers if answer.status == 429]
    assert refused and all(answer.status in (200, 429) for answer in answers)
    for answer in refused:
        assert json.loads(answer.body)["success"] is False and json.loads(answer.body)["message"]
        assert int(answer.headers["Retry-After"]) > 0
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
    for _ in range(50):
        assert site.comments().call("comment/count", domain="blog.example.test", paths=["/"])["success"]
        assert asked(site, SCRIPT).status == 200
    site.machine.run(["curl", "--silent", "--show-error", "--fail", "--insecure", "--resolve", f"{site.domain}:443:127.0.0.1",
                      "--data", '{"email":"other@example.test","name":"x","password":"pw"}',
                      f"https://{site.domain}/api/owner/new"])


def test_without_rate_limits_nobody_is_stopped(site):
    site.restart(RATE_LIMITS="false")

    assert {sign_up(site, number).status for number in range(30)} == {200}


def test_what_is_too_large_is_refused_in_words_that_the_widget_shows(site):
    answer = site.comments().request("POST", "/api/comment/new", b"x" * (257 * 1024))

    assert answer.status == 413
    assert json.loads(answer.body)["success"] is False
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    imported = site.comments().request("POST", "/api/domain/import/disqus", b" " * (1024 * 1024))
    assert imported.status != 413


def test_while_the_application_is_away_the_widget_and_a_browser_are_told_so(site):
    site.machine.run(["systemctl", "stop", "commento.service"])
    site.machine.run(["rm", "-rf", f"{STATIC}/live"])

    call = site.comments().request("POST", "/api/comment/list", b"{}")
    page = site.comments().get("/login")

    assert (call.status, page.status) == (503, 503)
    assert json.loads(call.body)["success"] is False and call.headers["Access-Control-Allow-Origin"] == "*"
    assert int(call.headers["Retry-After"]) > 0
    assert page.headers["Content-Type"].startswith("text/html") and b"http-equiv" in page.body


# --- headers ---

def test_the_dashboard_can_not_be_framed_and_the_widget_can_be_used_anywhere(site):
    page, script = asked(site, "/login"), asked(site, SCRIPT, Origin="https://blog.example.test")
    call = site.comments().request("POST", "/api/comment/count", b"{}", {"Origin": "https://blog.example.test"})

    assert page.headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    for answer in (script, call):
        assert "X-Frame-Options" not in answer.headers and "Content-Security-Policy" not in answer.headers
        assert answer.headers.get_all("Access-Control-Allow-Origin") == ["*"]
    for answer in (page, script, call):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Server"] == "nginx"
        assert "Strict-Transport-Security" not in answer.headers


def test_strict_transport_security_and_the_modern_profile_are_settings(site):
    site.restart(HSTS_SECONDS="31536000", TLS_PROFILE="modern")

    for path in ("/login", SCRIPT):
        assert asked(site, path).headers["Strict-Transport-Security"] == "max-age=31536000"
    context = ssl.create_default_context(cadata=site.pebble.root())
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with socket.create_connection((site.machine.address, 443), timeout=10) as plain, pytest.raises(ssl.SSLError):
        context.wrap_socket(plain, server_hostname=site.domain)


def test_an_origin_without_https_does_not_send_readers_round(site):
    site.restart(COMMENTO_ORIGIN=f"http://{site.domain}")

    with contextlib.closing(http.client.HTTPConnection(site.machine.address, 80, timeout=10)) as connection:
        connection.request("GET", "/login", headers={"Host": site.domain})
        assert connection.getresponse().headers["Location"] == f"https://{site.domain}/login"


def test_a_site_below_a_path_is_up_and_its_files_come_from_the_disk(site):
    site.restart(COMMENTO_ORIGIN=f"https://{site.domain}/talk")
    machine = site.machine
    assert machine.unit("commento.target")["ActiveState"] == "active" and machine.failed_units() == []
    assert "answers" in site.status()

    script = asked(site, f"/talk{SCRIPT}", "gzip")
    assert digest(gzip.decompress(script.body)) == digest_of_applications(machine, f"/talk{SCRIPT}")
    machine.run(["systemctl", "stop", "commento.service"])
    assert asked(site, f"/talk{SCRIPT}").status == 200
    assert asked(site, "/talk/login").status == 200


# --- health and counters ---

def health(machine: Machine, scheme: str = "http", name: str = "localhost") -> tuple[int, dict]:
    done = machine.run(["curl", "--silent", "--insecure", "--header", f"Host: {name}", "--write-out", "\n%{http_code}",
                        f"{scheme}://127.0.0.1/healthz"]).stdout.rsplit("\n", 1)
    return int(done[1]), json.loads(done[0] or "{}")


def test_a_load_balancer_learns_whether_application_and_database_answer(site):
    machine = site.machine
    assert health(machine, name=site.domain) == (200, {"application": True, "database": True})

    machine.run(["systemctl", "stop", "postgresql@15-main"])
    assert health(machine, name=site.domain) == (503, {"application": True, "database": False})

    machine.run(["systemctl", "stop", "commento.service"])
    assert health(machine, name=site.domain) == (503, {"application": False, "database": False})

    machine.run(["systemctl", "start", "postgresql@15-main"])
    machine.run(["systemctl", "start", "commento.service"])
    assert health(machine, name=site.domain)[0] == 200
    assert machine.failed_units() == []


def test_health_is_for_those_who_may_ask(site):
    assert site.comments().get("/healthz").status == 403

    site.restart(HEALTHZ_ALLOW=f"127.0.0.1 {address_of(site)}/32")
    assert json.loads(site.comments().get("/healthz").body) == {"application": True, "database": True}


def test_many_who_ask_for_health_at_once_do_no_harm(site):
    site.restart(HEALTHZ_ALLOW="127.0.0.1")
    asks = " ".join(["http://127.0.0.1/healthz"] * 200)
    site.machine.run(["sh", "-c", f"curl --silent --parallel --parallel-max 100 --header 'Host: {site.domain}' "
                                  f"--output /dev/null {asks}"], check=False)

    assert health(site.machine, name=site.domain)[0] in (200, 429, 503)
    site.machine.wait_until("health", lambda: health(site.machine, name=site.domain)[0] == 200)
    assert site.machine.failed_units() == []
    assert site.machine.unit("commento-app-health.socket")["ActiveState"] == "active"


def test_nginx_counts_for_this_host_only_and_starts_again_beside_the_socket_of_a_killed_one(site):
    machine = site.machine
    counters = ["curl", "--silent", "--fail", "--unix-socket", "/run/commento-stack/nginx-status.sock", "http://localhost/status"]
    assert "Active connections" in machine.run(counters).stdout

    machine.run(["systemctl", "kill", "--signal=KILL", "nginx.service"])
    machine.wait_until("nginx' counters", lambda: machine.run(counters, check=False).exit_code == 0)
    assert asked(site, "/login").status == 200


# --- the log ---

def test_the_log_is_an_object_a_line_and_keeps_no_token(site):
    asked(site, "/login?hex=secret-token", **{"User-Agent": 'quoted " and \\ and \x7f'})

    line = logged_of(site, 'quoted " and \\ and')
    assert line["path"] == "/login" and line["status"] == 200 and line["address"] == address_of(site)
    assert "secret-token" not in site.machine.read(LOG)


@pytest.mark.parametrize("setting", ["shortened", "none"])
def test_the_readers_address_is_shortened_or_left_out_of_the_log(site, setting):
    site.restart(ACCESS_LOG_ADDRESS=setting)
    site.machine.run(["truncate", "--size=0", LOG])

    expected = address_of(site).rsplit(".", 1)[0] + ".0" if setting == "shortened" else None
    assert logged(site, "/login").get("address") == expected
    assert address_of(site) not in site.machine.read(LOG)


# --- behind others ---

def test_a_trusted_proxy_is_believed_and_nobody_else(site):
    assert logged(site, "/login", **{"X-Forwarded-For": "203.0.113.9"})["address"] == address_of(site)

    site.restart(TRUSTED_PROXIES=f"{address_of(site)}/32")
    assert logged(site, "/login", **{"X-Forwarded-For": "203.0.113.66, 203.0.113.9"})["address"] == "203.0.113.9"

    site.restart(TRUSTED_PROXIES=f"{address_of(site)}", REAL_IP_HEADER="CF-Connecting-IP")
    told = {"X-Forwarded-For": "203.0.113.66", "CF-Connecting-IP": "2001:db8::7"}
    assert logged(site, "/login", **told)["address"] == "2001:db8::7"


def test_a_balancer_that_speaks_the_proxy_protocol_tells_the_readers_address(site):
    machine = site.machine
    site.restart(PROXY_PROTOCOL="true", TRUSTED_PROXIES=address_of(site))
    assert machine.failed_units() == []

    context = ssl.create_default_context(cadata=site.pebble.root())
    with socket.create_connection((machine.address, 443), timeout=10) as plain:
        plain.sendall(b"PROXY TCP4 203.0.113.5 192.0.2.1 4711 443\r\n")
        with context.wrap_socket(plain, server_hostname=site.domain) as connection:
            connection.sendall(f"GET /login HTTP/1.1\r\nHost: {site.domain}\r\nUser-Agent: by way of a balancer\r\n"
                               "Connection: close\r\n\r\n".encode())
            assert connection.recv(100).startswith(b"HTTP/1.1 200")
            while connection.recv(65536):
                pass
    assert logged_of(site, "by way of a balancer")["address"] == "203.0.113.5"

    # Certificates come and are served all the same: our own questions to nginx have that header, too.
    assert "nothing to do" in machine.run(["/usr/libexec/commento-stack/commento-nginx", "reload"]).output


def test_a_host_whose_brotli_module_goes_away_goes_on_with_gzip(site):
    assert "brotli_static on;" in site.machine.read(SITE_FILE)
    site.machine.run(["rm", "/etc/nginx/modules-enabled/50-mod-http-brotli-static.conf"])

    site.machine.run(["systemctl", "restart", "commento.target"], timeout=120)

    assert "brotli_static" not in site.machine.read(SITE_FILE)
    assert asked(site, SCRIPT, "br, gzip").headers["Content-Encoding"] == "gzip"
    assert site.machine.failed_units() == []


def test_nginx_that_takes_few_connections_is_pointed_out(site):
    assert "worker_connections" in site.machine.journal("commento-nginx-render.service")

    site.take_connections()
    assert "worker_connections" not in site.machine.run(["/usr/libexec/commento-stack/commento-nginx", "render"]).output
