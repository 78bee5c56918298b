"""What readers and their browsers are told when they can't be served: pages, and JSON for scripts."""

import contextlib
import http.client
import json
import re
import socket

import pytest

from machine import Site, started_site

STATIC = "/var/lib/commento-stack/static"
PAGES = "/usr/share/commento-stack/pages"
SCRIPT = "/js/commento.js"
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"}


@pytest.fixture(scope="module")
def front():
    """One site for all tests of this file."""
    with started_site() as site:
        yield site


@contextlib.contextmanager
def application_away(site: Site, *, static: bool = False):
    """Until the end of the block; `static`: with the files that it answered before still on disk."""
    site.machine.run(["systemctl", "stop", "commento.service"])
    if not static:
        site.machine.run(["rm", "-rf", f"{STATIC}/live"])
    try:
        yield
    finally:
        site.machine.run(["systemctl", "restart", "commento.target"], timeout=120)


def gone_to(site: Site, path: str, method: str = "GET", **headers: str):
    """As a browser asks that goes to an address."""
    return site.comments().request(method, path, headers=BROWSER | headers)


def is_page(site: Site, answer, status: int) -> bool:
    return (answer.status == status and answer.headers["Content-Type"] == "text/html; charset=utf-8"
            and answer.body.decode() == site.machine.read(f"{PAGES}/{status}.html"))


def is_message(answer, status: int) -> bool:
    return (answer.status == status and answer.headers["Content-Type"] == "application/json"
            and json.loads(answer.body).keys() == {"success", "message"} and json.loads(answer.body)["success"] is False
            and answer.headers.get_all("Access-Control-Allow-Origin") == ["*"])


@pytest.mark.parametrize("base", ["", "/talk"])
def test_while_the_application_is_away_people_get_a_page_and_scripts_get_json(front, base, request):
    if base:
        front.restart(COMMENTO_ORIGIN=f"https://{front.domain}{base}")
        request.addfinalizer(front.restart)
    with application_away(front):
        for path in ("/", f"{base}/login", f"{base}/dashboard?tab=1", f"{base}/unsubscribe?unsubscribeSecretHex=x",
                     f"{base}/api/oauth/github/redirect?commenterToken=x", "/somewhere"):
            page = gone_to(front, path)
            assert is_page(front, page, 503), path
            assert int(page.headers["Retry-After"]) > 0 and page.headers["Cache-Control"] == "no-store"
            assert page.headers["X-Frame-Options"] == "DENY" and page.headers["X-Content-Type-Options"] == "nosniff"
            assert page.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'unsafe-inline'")
            assert page.headers["Referrer-Policy"] == "no-referrer" and page.headers["Server"] == "nginx"
            assert "Last-Modified" not in page.headers and "ETag" not in page.headers
        assert is_page(front, front.comments().get(f"{base}/login"), 503)  # whatever is accepted

        # What is no script, style or picture by its type is not used as one.
        for path in (f"{base}{SCRIPT}", f"{base}/css/commento.css", f"{base}/images/x.svg", f"{base}/i18n/en.json"):
            assert is_message(front.comments().get(path), 503), path
            assert front.comments().get(path).headers["Cache-Control"] == "no-store"
        for path in (f"{base}/api/comment/list", f"{base}/api/comment/new", f"{base}/api/owner/login"):
            call = front.comments().request("POST", path, b"{}", {"Accept": "*/*", "Origin": "https://blog.example.test"})
            assert is_message(call, 503) and int(call.headers["Retry-After"]) > 0, path
        assert is_message(front.comments().request("POST", f"{base}/login", b"x", BROWSER), 503)
        socket_asked = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
                        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
        assert is_message(front.comments().request("GET", f"{base}/ws", headers=socket_asked), 503)
        head = gone_to(front, f"{base}/login", "HEAD")
        assert (head.status, head.body) == (503, b"")

    for path in (f"{base}/login", f"{base}{SCRIPT}"):
        assert gone_to(front, path).status == 200
    assert front.comments().request("POST", f"{base}/api/comment/count", b'{"domain":"x.test","paths":["/"]}').status == 200


def test_while_the_application_is_away_the_widgets_files_still_come_from_the_disk(front):
    script = front.comments().get(SCRIPT).body
    with application_away(front, static=True):
        answer = front.comments().get(SCRIPT)
        assert (answer.status, answer.body) == (200, script)
        assert gone_to(front, "/login").status == 200
        assert is_message(front.comments().request("POST", "/api/comment/list", b"{}"), 503)


def test_without_the_packages_pages_a_line_is_told(front):
    front.machine.run(["mv", PAGES, f"{PAGES}.away"])
    try:
        with application_away(front):
            answer = gone_to(front, "/login")
    finally:
        front.machine.run(["mv", f"{PAGES}.away", PAGES])

    assert answer.status == 503 and answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert b"is being restarted" in answer.body and int(answer.headers["Retry-After"]) > 0


def test_every_page_is_small_and_needs_nothing_from_elsewhere(front):
    names = front.machine.run(["ls", PAGES]).stdout.split()
    assert names == ["404.html", "429.html", "503.html"]
    for name in names:
        text = front.machine.read(f"{PAGES}/{name}")
        assert len(text) < 4096 and '<html lang="en">' in text and 'content="noindex"' in text
        assert set(re.findall(r'(?:src|href|url)\s*[=(]\s*"?([^"\s>)]*)', text)) <= {"data:,", ""}
        assert "<script" not in text and "@import" not in text and "@" not in re.sub(r"@media", "", text)
        assert ('http-equiv="refresh"' in text) == (name in ("429.html", "503.html"))


def test_an_address_that_leads_nowhere_is_told_in_a_page_or_in_json(front):
    assert is_page(front, gone_to(front, "/nowhere"), 404)
    told = front.comments().get("/nowhere")
    assert told.status == 404 and json.loads(told.body)["success"] is False
    for answer in (gone_to(front, "/nowhere"), told):
        assert "Cache-Control" not in answer.headers and "Retry-After" not in answer.headers
    # What the application says to scripts is its own.
    assert not is_message(front.comments().request("POST", "/api/nothing", b"{}"), 404)


def test_who_asks_too_often_gets_a_page_or_json(front):
    connection = front.comments().connection()
    with contextlib.closing(connection):
        def ask(accept: str):
            connection.request("GET", "/nowhere", headers={"Accept": accept})
            answer = connection.getresponse()
            answer.body = answer.read()
            return answer

        refused = next(answer for answer in (ask("text/html") for _ in range(20000)) if answer.status == 429)
        assert is_page(front, refused, 429) and int(refused.headers["Retry-After"]) > 0
        assert any(is_message(ask("*/*"), 429) for _ in range(20000))


def test_who_comes_without_tls_to_the_port_that_has_it_is_sent_to_https(front):
    with contextlib.closing(http.client.HTTPConnection(front.machine.address, 443, timeout=10)) as connection:
        connection.request("GET", "/login?a=b", headers={"Host": front.domain})
        answer = connection.getresponse()

    assert (answer.status, answer.headers["Location"]) == (301, f"https://{front.domain}/login?a=b")


def test_what_is_no_http_is_refused_and_names_no_version(front):
    with socket.create_connection((front.machine.address, 443), timeout=10) as plain:
        with front.comments().context.wrap_socket(plain, server_hostname=front.domain) as connection:
            connection.sendall(b"NOT HTTP AT ALL\r\n\r\n")
            answer = connection.recv(65536)

    assert b"400 Bad Request" in answer and b"nginx/" not in answer
