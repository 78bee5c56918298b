"""The front against hostile and odd clients: many, slow, malformed, forged and curious."""

import contextlib
import json
import re
import socket
import ssl
import tempfile
import threading
from pathlib import Path

import h2.config
import h2.connection
import h2.events
import pytest

from machine import Machine, Site, processes, started_site
from machine.crowd import Crowd
from machine.recorder import Recorder, values_of

LOG = "/var/log/nginx/commento-stack.access.log"
SCRIPT = "/js/commento.js"
STATE = "/var/lib/commento-stack"
CHALLENGES = "/.well-known/acme-challenge"
WEBROOT = f"{STATE}/acme/webroot{CHALLENGES}"
BLOG = "blog.example.test"
MANY = 5000
AT_ONCE = 512  # requests that one address may have under way


@pytest.fixture(scope="module")
def front():
    """One site for all tests of this file, with as many connections as `commento-nginx render` advises, and a blog."""
    with started_site() as site:
        site.take_connections()
        site.comments().register(BLOG)
        site.comments().post_comment("the first comment", BLOG)
        yield site


@contextlib.contextmanager
def other_settings(site: Site, **changes: str):
    """The site with other settings, until the end of the block."""
    try:
        site.restart(**changes)
        yield
    finally:
        site.restart()


def forget_clients(site: Site) -> None:
    """nginx forgets whom it counted."""
    site.machine.run(["systemctl", "restart", "nginx"])
    site.machine.wait_until("the site", lambda: site.comments().get(SCRIPT).status == 200)


def check_others_are_served(site: Site, script: bytes) -> None:
    answer = site.comments().get(SCRIPT)
    assert (answer.status, answer.body) == (200, script)
    counted = site.comments().call("comment/count", domain=BLOG, paths=["/first-post"])
    assert counted["commentCounts"]["/first-post"] >= 1


# --- TLS ---

# What testssl.sh has against the test authority and this network, not against the site.
NOT_THE_SITES = {
    "cert_chain_of_trust",         # the authority's root is in no store
    "cert_trust",                  # likewise
    "cert_caRevocation",           # the authority names neither CRL nor OCSP responder
    "cert_revocation",             # likewise
    "cert_crlDistributionPoints",  # likewise
    "cert_ocspURL",                # likewise
    "OCSP_stapling",               # nothing to staple without a responder
    "cert_mustStapleExtension",    # likewise
    "DNS_CAArecord",               # example.test has no DNS
    "certificate_transparency",    # the authority logs nowhere
    "cert_validityPeriod",         # the authority's choice, here five years
    "cert_extlifeSpan",            # likewise
    "cert_expirationStatus",       # likewise
}


def grave_findings(site: Site) -> dict[str, str]:
    """What testssl.sh finds from MEDIUM upwards, by its identifiers. It says FATAL where it could not look."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        # Everything but the simulation of clients, which judges none.
        done = processes.run(["testssl", "--quiet", "--color", "0", "--warnings", "off", "--nodns", "none",
                              "--ip", site.machine.address, "--jsonfile", str(report), "--protocols", "--grease",
                              "--std", "--fs", "--server-preference", "--server-defaults", "--headers", "--vulnerable",
                              f"https://{site.domain}:443"], check=False, timeout=900)
        findings = json.loads(report.read_text())
    severities = {finding["id"]: finding["severity"] for finding in findings}
    assert {"TLS1_3", "heartbleed", "LUCKY13", "scanTime"} <= severities.keys(), done.output
    assert {severities[old] for old in ("SSLv3", "TLS1", "TLS1_1")} <= {"OK", "INFO"}, done.output
    return {finding["id"]: f"{finding['severity']}: {finding['finding']}" for finding in findings
            if finding["severity"] in ("MEDIUM", "HIGH", "CRITICAL", "FATAL")
            and finding["id"].split(" ")[0] not in NOT_THE_SITES}


def test_testssl_finds_nothing_grave_with_the_intermediate_profile(front):
    assert grave_findings(front) == {}


def test_testssl_finds_nothing_grave_with_the_modern_profile(front):
    with other_settings(front, TLS_PROFILE="modern"):
        assert grave_findings(front) == {}


# --- many ---

def connections(machine: Machine) -> int:
    """How many connections nginx has."""
    counters = machine.run(["curl", "--silent", "--fail", "--unix-socket", "/run/commento-stack/nginx-status.sock",
                            "http://localhost/status"]).stdout
    return int(re.search(r"Active connections: (\d+)", counters)[1])


def memory(machine: Machine) -> int:
    """MiB that nginx has, pages that its processes share counted once."""
    group = machine.unit("nginx.service")["ControlGroup"]
    numbers = machine.read(f"/sys/fs/cgroup{group}/cgroup.procs").split()
    shares = [re.search(r"^Pss: +(\d+) kB", machine.read(f"/proc/{number}/smaps_rollup"), re.M)[1] for number in numbers]
    return sum(map(int, shares)) // 1024


def test_thousands_of_slow_heads_keep_nobody_out_and_are_sent_away(front):
    script = front.comments().get(SCRIPT).body
    head = f"GET {SCRIPT} HTTP/1.1\r\nHost: {front.domain}\r\n".encode() + b"".join(
        b"X-Slow-%d: and there is more to come\r\n" % number for number in range(50))

    with Crowd(front.domain, front.machine.address, MANY, dripping=head, replaces=True) as crowd:
        # nginx sends each away after 10 s, so how many there are at once is up to how fast this host opens them.
        enough = MANY * 6 // 10
        front.machine.wait_until("most slow ones at once", lambda: crowd.open >= enough and connections(front.machine) >= enough, 120)
        for _ in range(10):
            check_others_are_served(front, script)
        crowd.replaces = False
        front.machine.wait_until("the end of all slow ones", lambda: crowd.closed >= MANY and crowd.open == 0, 120)

    check_others_are_served(front, script)


def check_this_host_is_served(site: Site) -> None:
    """For when the crowd's address is at its limit: whoever comes from another one is not."""
    site.machine.run(["curl", "--silent", "--show-error", "--fail", "--insecure", "--max-time", "10", "--resolve",
                      f"{site.domain}:443:127.0.0.1", "--data", json.dumps({"domain": BLOG, "paths": ["/first-post"]}),
                      f"https://{site.domain}/api/comment/count"])


def test_thousands_of_slow_bodies_from_one_address_keep_nobody_out_and_are_bounded(front):
    head = (f"POST /api/comment/count HTTP/1.1\r\nHost: {front.domain}\r\nContent-Length: 100000\r\n\r\n").encode()

    with Crowd(front.domain, front.machine.address, MANY, opening=head, dripping=b"x"):
        front.machine.wait_until("more slow ones than one address may have", lambda: logged_refusals(front) > 0, 120)
        for _ in range(10):
            check_this_host_is_served(front)
        front.machine.wait_until("the end of those beyond the limit", lambda: connections(front.machine) <= AT_ONCE + 50, 120)
        check_this_host_is_served(front)


def logged_refusals(site: Site) -> int:
    return site.machine.read(LOG).count('"status":429')


# MiB of nginx with all of them; measured: 86, and 19 without them.
BOUND = 200


def test_thousands_of_resting_connections_keep_nobody_out_and_take_little_memory(front):
    forget_clients(front)
    script = front.comments().get(SCRIPT).body
    before = memory(front.machine)
    head = f"HEAD {SCRIPT} HTTP/1.1\r\nHost: {front.domain}\r\n\r\n".encode()

    with Crowd(front.domain, front.machine.address, MANY, opening=head, replaces=True):
        front.machine.wait_until("all of them at once", lambda: connections(front.machine) >= MANY, 120)
        for _ in range(10):
            check_others_are_served(front, script)
        taken = memory(front.machine)

    print(f"nginx took {before} MiB alone and {taken} MiB with {MANY} resting connections")
    assert taken < BOUND
    front.machine.wait_until("the end of all of them", lambda: connections(front.machine) < MANY // 10)


# --- malformed ---

@pytest.fixture
def recorder(front):
    with Recorder(front) as made:
        yield made


def exchange(site: Site, sent: bytes) -> bytes:
    """All that is answered to these bytes over TLS until the connection is closed."""
    with socket.create_connection((site.machine.address, 443), timeout=30) as plain:
        with site.comments().context.wrap_socket(plain, server_hostname=site.domain) as connection:
            answer = b""
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                connection.sendall(sent)
                while more := connection.recv(65536):
                    answer += more
            return answer


def statuses(answers: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"^HTTP/1\.[01] (\d{3}) ", answers, re.M)]


# What a hostile client would like the application to take for a request of its own.
SMUGGLED = b"GET /api/smuggled HTTP/1.1\r\nHost: comments.example.test\r\nConnection: close\r\n\r\n"

_HOST = b"Host: comments.example.test\r\n"
_POST = b"POST /api/comment/new HTTP/1.1\r\n" + _HOST
_GET = b"GET /api/comment/count HTTP/1.1\r\n" + _HOST

MALFORMED = {
    "no Host": b"GET /api/x HTTP/1.1\r\n\r\n",
    "an empty Host": b"GET /api/x HTTP/1.1\r\nHost:\r\n\r\n",
    "two Hosts": b"GET /api/x HTTP/1.1\r\n" + _HOST + b"Host: other.example.test\r\n\r\n",
    "the same Host twice": b"GET /api/x HTTP/1.1\r\n" + _HOST + _HOST + b"\r\n",
    "a Host with a path": b"GET /api/x HTTP/1.1\r\nHost: comments.example.test/../x\r\n\r\n",
    "a version that is none": b"GET /api/x HTTP/x.1\r\n" + _HOST + b"\r\n",
    "a version of the future": b"GET /api/x HTTP/9.9\r\n" + _HOST + b"\r\n",
    "a method in small letters": b"get /api/x HTTP/1.1\r\n" + _HOST + b"\r\n",
    "NUL in the address": b"GET /api/x\0y HTTP/1.1\r\n" + _HOST + b"\r\n",
    "NUL in a header's name": _GET + b"X-A\0B: c\r\n\r\n",
    "NUL in a header's value": _GET + b"X-A: b\0c\r\n\r\n",
    "CR alone within a value": _GET + b"X-A: b\rX-B: c\r\n\r\n",
    "a space before the colon": _GET + b"X-A : b\r\n\r\n",
    "a space before the colon of the length": _POST + b"Content-Length : 5\r\n\r\nhello",
    "a space before the colon of the encoding": _POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "a value that goes on in the next line": _GET + b"X-A: b\r\n c\r\n\r\n",
    "a space before the first header": b"GET /api/x HTTP/1.1\r\n " + _HOST + _HOST + b"\r\n",
    "a negative length": _POST + b"Content-Length: -5\r\n\r\nhello",
    "a length with a sign": _POST + b"Content-Length: +5\r\n\r\nhello",
    "a length that is no number": _POST + b"Content-Length: 0x5\r\n\r\nhello",
    "a list of lengths": _POST + b"Content-Length: 5, 5\r\n\r\nhello",
    "a length beyond 64 bits": _POST + b"Content-Length: 18446744073709551621\r\n\r\nhello",
    "two lengths": _POST + b"Content-Length: 5\r\nContent-Length: 0\r\n\r\nhello",
    "the same length twice": _POST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    "a length and chunks": _POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks and a length": _POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "chunks in HTTP/1.0": b"POST /api/comment/new HTTP/1.0\r\n" + _HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two encodings": _POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "a list of encodings": _POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "an encoding that is nearly chunked": _POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a chunk's size that is none": _POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n",
    "a chunk of negative size": _POST + b"Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n",
    "a chunk's size beyond 64 bits": _POST + b"Transfer-Encoding: chunked\r\n\r\n10000000000000005\r\nhello\r\n0\r\n\r\n",
    "a chunk longer than its size": _POST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nhello\r\n0\r\n\r\n",
    "a header of 64 KiB": _GET + b"X-Large: " + b"a" * 65536 + b"\r\n\r\n",
    "a header's name of 64 KiB": _GET + b"X" * 65536 + b": a\r\n\r\n",
    "an address of 64 KiB": b"GET /api/" + b"a" * 65536 + b" HTTP/1.1\r\n" + _HOST + b"\r\n",
    "64 KiB of headers": _GET + b"".join(b"X-%04d: " % number + b"a" * 240 + b"\r\n" for number in range(256)) + b"\r\n",
    "no HTTP at all": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\r\n\r\n",
}


def lines_after(recorder: Recorder, site: Site) -> list[str]:
    """What the application was asked for until now."""
    assert site.comments().get("/api/sentinel").body == b"recorded\n"
    lines = [request["line"] for request in recorder.requests()]
    assert lines[-1] == "GET /api/sentinel HTTP/1.1"
    return lines[:-1]


def test_what_follows_a_good_request_on_its_connection_is_a_request(front, recorder):
    answered = statuses(exchange(front, _POST + b"Content-Length: 5\r\n\r\nhello" + SMUGGLED))

    assert answered == [200, 200]
    assert lines_after(recorder, front) == ["POST /api/comment/new HTTP/1.1", "GET /api/smuggled HTTP/1.1"]


def test_a_malformed_request_is_refused_and_what_follows_it_is_not_read(front, recorder):
    for fault, request in MALFORMED.items():
        answered = statuses(exchange(front, request + SMUGGLED))

        assert len(answered) <= 1 and all(400 <= status < 500 or status in (501, 505) for status in answered), (fault, answered)
        assert lines_after(recorder, front) == [], fault


def test_methods_of_proxies_are_refused(front, recorder):
    for request in (b"TRACE /api/x HTTP/1.1\r\n" + _HOST, b"CONNECT 127.0.0.1:5432 HTTP/1.1\r\n" + _HOST):
        answered = statuses(exchange(front, request + b"Connection: close\r\n\r\n"))

        assert len(answered) == 1 and answered[0] in (400, 405), request
        assert lines_after(recorder, front) == [], request


def test_bodies_reach_the_application_whole_and_as_one(front, recorder):
    inner = SMUGGLED.decode()
    chunks = b"%x\r\n%s\r\n0\r\nX-Trailer: a\r\n\r\n" % (len(SMUGGLED), SMUGGLED)
    for request in (_POST + b"Content-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(SMUGGLED), SMUGGLED),
                    _POST + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n" + chunks):
        assert statuses(exchange(front, request)) == [200]
        [seen] = recorder.requests()
        assert (seen["line"], seen["body"]) == ("POST /api/comment/new HTTP/1.1", inner)
        assert values_of(seen, "content-length") == [str(len(inner))]
        assert values_of(seen, "transfer-encoding") == values_of(seen, "x-trailer") == []


# What HTTP/2 can carry and HTTP/1 must not get: RFC 9113, 8.2.1, 8.2.2 and 8.3.
UNFIT_FOR_HTTP1 = {
    "a line's end in a value": [("x-a", "b\r\nx-b: c")],
    "a request in a value": [("x-a", "b\r\n\r\n" + SMUGGLED.decode())],
    "a line's end in a name": [("x-a: b\r\nx-b", "c")],
    "a colon in a name": [("x-a:", "b")],
    "a name in capitals": [("X-A", "b")],
    "NUL in a value": [("x-a", "b\0c")],
    "a transfer encoding": [("transfer-encoding", "chunked")],
    "a second path": [(":path", "/api/smuggled")],
    "a length that is no number": [("content-length", "x")],
    "two lengths": [("content-length", "0"), ("content-length", "5")],
    "another length than the body's": [("content-length", "3")],
}
UNFIT_PATHS = ["/api/x HTTP/1.1\r\nx: y", "/api/x\r\n\r\n" + SMUGGLED.decode(), "", "api/x"]


def over_http2(site: Site, path: str, headers: list[tuple[str, str]], body: bytes) -> str:
    """Status of the answer to one request; else how it was refused."""
    context = ssl.create_default_context(cadata=site.pebble.root())
    context.set_alpn_protocols(["h2"])
    with socket.create_connection((site.machine.address, 443), timeout=30) as plain:
        with context.wrap_socket(plain, server_hostname=site.domain) as connection:
            client = h2.connection.H2Connection(h2.config.H2Configuration(
                validate_outbound_headers=False, normalize_outbound_headers=False, header_encoding="latin-1"))
            client.initiate_connection()
            client.send_headers(1, [(":method", "POST"), (":path", path), (":scheme", "https"), (":authority", site.domain),
                                    *headers])
            client.send_data(1, body, end_stream=True)
            connection.sendall(client.data_to_send())
            while more := connection.recv(65536):
                for event in client.receive_data(more):
                    if isinstance(event, h2.events.ResponseReceived):
                        return dict(event.headers)[":status"]
                    if isinstance(event, (h2.events.StreamReset, h2.events.ConnectionTerminated)):
                        return "reset"
            return "closed"


def test_http2_carries_nothing_to_the_application_that_would_be_read_another_way_there(front, recorder):
    """nginx refuses what is malformed, or leaves it out: what arrives is one request with the body that was sent."""
    for headers in ([("x-a", "b")], *UNFIT_FOR_HTTP1.values()):
        status = over_http2(front, "/api/x", headers, b"hello")

        assert status in ("200", "400", "reset", "closed"), headers
        arrived = recorder.requests()
        assert len(arrived) == (status == "200"), headers
        for seen in arrived:
            assert (seen["line"], seen["body"]) == ("POST /api/x HTTP/1.1", "hello"), headers
            assert values_of(seen, "content-length") == ["5"], headers
            assert values_of(seen, "transfer-encoding") == values_of(seen, "x-b") == [], headers
    for path in UNFIT_PATHS:
        assert over_http2(front, path, [], b"hello") in ("400", "reset", "closed"), path
        assert lines_after(recorder, front) == [], path


# --- forged ---

def test_what_the_application_believes_about_the_client_is_not_the_clients_to_say(front, recorder):
    forged = {"X-Real-IP": "127.0.0.1", "X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "http",
              "X-Forwarded-Host": "evil.example.test", "Forwarded": "for=127.0.0.1;host=evil.example.test",
              "X_Forwarded_For": "127.0.0.1", "Upgrade": "h2c", "Connection": "X-Forwarded-For, X-Real-IP, Upgrade"}
    expected = {"x-real-ip": [front.machine.network.host_address], "x-forwarded-for": [front.machine.network.host_address],
                "x-forwarded-proto": ["https"], "x-forwarded-host": [front.domain], "host": [front.domain],
                "forwarded": [], "x_forwarded_for": []}
    for path in ("/api/comment/list", "/api/owner/login", "/api/domain/import/disqus", "/elsewhere", "/ws"):
        front.comments().request("POST", path, b"{}", forged)

        [seen] = recorder.requests()
        assert {name: values_of(seen, name) for name in expected} == expected, path


def test_a_name_that_is_not_the_sites_does_not_reach_the_application(front, recorder):
    front.comments().request("GET", "/api/x", headers={"Host": "evil.example.test"})

    assert {host for seen in recorder.requests() for host in values_of(seen, "host")} == {front.domain}


# --- curious ---

ESCAPES = ["..", "%2e%2e", "%2E.", ".%2e", "..%2f..", "..%5c..", "%252e%252e", "..;", "%c0%ae%c0%ae", "....//", "\\.."]


def asked_as_is(site: Site, path: str, port: int) -> tuple[int, bytes]:
    request = f"GET {path} HTTP/1.1\r\nHost: {site.domain}\r\nConnection: close\r\n\r\n".encode()
    with contextlib.ExitStack() as undo:
        connection = undo.enter_context(socket.create_connection((site.machine.address, port), timeout=30))
        if port == 443:
            connection = undo.enter_context(site.comments().context.wrap_socket(connection, server_hostname=site.domain))
        connection.sendall(request)
        answer = b""
        while more := connection.recv(65536):
            answer += more
    return statuses(answer)[0], answer


def test_no_path_leads_out_of_the_challenge_folder_or_the_static_files(front):
    machine = front.machine
    machine.write(f"{STATE}/acme/webroot/secret", "a-secret-beside-the-challenges")
    machine.run(["mkdir", "--parents", f"{WEBROOT}/folder"])
    machine.write(f"{WEBROOT}/token", "token.thumbprint")
    machine.run(["ln", "--symbolic", f"{STATE}/acme/webroot/secret", f"{WEBROOT}/link"])
    machine.run(["ln", "--symbolic", "/etc", f"{WEBROOT}/etc"])
    machine.run(["chmod", "--recursive", "a+rX", WEBROOT, f"{STATE}/acme/webroot/secret"])
    assert asked_as_is(front, f"{CHALLENGES}/token", 80)[1].endswith(b"token.thumbprint")

    starts = {80: [CHALLENGES, f"{CHALLENGES}/folder"], 443: ["/js", "/css", "/images", "/login", CHALLENGES]}
    for port, folders in starts.items():
        for escape in ESCAPES:
            for target in ("secret", "etc/passwd", "app/environment", "live/pages/login.html"):
                for start in folders:
                    for depth in (1, 2, 3, 8):
                        path = f"{start}/{'/'.join([escape] * depth)}/{target}"
                        status, answer = asked_as_is(front, path, port)
                        assert status in (301, 400, 403, 404), (path, status)
                        assert b"a-secret" not in answer and b"root:" not in answer and b"POSTGRES" not in answer, path
    for path in (f"{CHALLENGES}/link", f"{CHALLENGES}/etc/passwd", f"{CHALLENGES}/", f"{CHALLENGES}/folder",
                 f"{CHALLENGES}/folder/", f"{CHALLENGES}/token/", f"{CHALLENGES}/token%00.html", f"{CHALLENGES}//etc/passwd"):
        status, answer = asked_as_is(front, path, 80)
        assert status in (301, 400, 403, 404) and b"root:" not in answer and b"a-secret" not in answer, (path, status)
