"""The application: how its releases come, what is refused, and when its service counts as active."""

import contextlib
import hashlib
import http.server
import io
import json
import ssl
import sys
import tarfile
import threading
from pathlib import Path

import pytest

from machine import Machine, places, processes

INSTALL = "commento-app-install.service"
SERVICE = "commento.service"
SETTINGS = "/etc/commento-stack/commento-stack.conf"
STATE = "/var/lib/commento-stack/app"
DOWNLOADS = "downloads.example.test"
PORT = 8080

SETTINGS_FAULT, PERMISSION_FAULT, STORAGE_FAULT, NETWORK_FAULT, RELEASE_FAULT, APPLICATION_FAULT = 2, 3, 4, 5, 10, 11


def configure(machine: Machine, **more: str) -> None:
    """Settings of a host where nothing but the release matters."""
    settings = {"DOMAIN": "comments.example.test", "EMAIL": "owner@example.test"} | more
    machine.write(SETTINGS, "".join(f"{key}={value}\n" for key, value in settings.items()))


def run_install(machine: Machine) -> tuple[int, str]:
    """Runs the unit; returns its program's exit code and what `systemctl status` shows."""
    machine.run(["systemctl", "restart", INSTALL], check=False)
    status = machine.status(INSTALL)
    return int(machine.unit(INSTALL)["ExecMainStatus"]), status


def current(machine: Machine) -> str:
    return machine.run(["readlink", f"{STATE}/current"], check=False).stdout.strip().removeprefix("releases/")


def releases(machine: Machine) -> list[str]:
    return sorted(machine.run(["ls", "-A", f"{STATE}/releases"]).stdout.split())


def downloads(machine: Machine) -> dict[str, int]:
    """What lies in the folder of downloads, with sizes."""
    listing = machine.run(["find", f"{STATE}/downloads", "-type", "f", "-printf", "%f %s\n"], check=False).stdout
    return {name: int(size) for name, size in (line.split() for line in listing.splitlines())}


def files(machine: Machine) -> str:
    """Every file of the state, with what changes when it is written."""
    return machine.run(["find", STATE, "-printf", "%p %i %s %T@ %C@ %m %u\n"]).stdout


def serves(machine: Machine) -> bool:
    """Whether the application itself answers, database included."""
    asked = machine.run(["curl", "--silent", "--max-time", "5", "--header", "Content-Type: application/json",
                         "--data", '{"domain":"x.test","paths":["/"]}', f"http://127.0.0.1:{PORT}/api/comment/count"],
                        check=False)
    return asked.exit_code == 0 and json.loads(asked.stdout)["success"] is True


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def with_another_file(archive: bytes, path: str, content: bytes) -> bytes:
    """The archive of another release: the same with one file more."""
    made = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(archive)) as old, tarfile.open(fileobj=made, mode="w:gz") as new:
        for entry in old:
            new.addfile(entry, old.extractfile(entry) if entry.isfile() else None)
        program = next(name for name in old.getnames() if name.split("/")[-1] == "commento")
        added = tarfile.TarInfo(program.removesuffix("commento") + path)
        added.size = len(content)
        new.addfile(added, io.BytesIO(content))
    return made.getvalue()


class DownloadServer:
    """An HTTPS server on this host that the machine trusts. It knows ranges, and faults."""

    def __init__(self, machine: Machine, directory: Path):
        self.content = places.archive().read_bytes()
        self.ranges: list[str | None] = []  # of each request
        self.cut_after: int | None = None   # the next answer ends after so many bytes
        self.knows_ranges = True
        self.held = threading.Event()       # a cut answer waits for this before it hangs up
        self.held.set()
        self._server = http.server.ThreadingHTTPServer((machine.network.host_address, 0), self._handler())
        self._server.socket = self._identity(machine, directory).wrap_socket(self._server.socket, server_side=True)
        self.url = f"https://{DOWNLOADS}:{self._server.server_port}/x/app/releases/download/v3.1/release.tar.gz"
        machine.run(["sh", "-c", f"echo {machine.network.host_address} {DOWNLOADS} >> /etc/hosts"])
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.held.set()
        self._server.shutdown()
        self._server.server_close()

    @staticmethod
    def _identity(machine: Machine, directory: Path) -> ssl.SSLContext:
        key, certificate = directory / "key.pem", directory / "certificate.pem"
        processes.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                       "9", "-subj", f"/CN={DOWNLOADS}", "-addext", f"subjectAltName=DNS:{DOWNLOADS}",
                       "-keyout", str(key), "-out", str(certificate)])
        machine.send(certificate, "/usr/local/share/ca-certificates/downloads.crt")
        machine.run(["update-ca-certificates"])
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        return context

    def _handler(self) -> type:
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                asked = self.headers.get("Range")
                server.ranges.append(asked)
                start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and server.knows_ranges else 0
                body = server.content[start:]
                self.send_response(206 if start else 200)
                self.send_header("Content-Length", str(len(body)))
                if start:
                    self.send_header("Content-Range", f"bytes {start}-{len(server.content) - 1}/{len(server.content)}")
                self.end_headers()
                cut, server.cut_after = server.cut_after, None
                self.wfile.write(body[:cut])
                self.wfile.flush()
                if cut is not None:
                    server.held.wait()
                    self.connection.shutdown(2)

            def log_message(self, *_):
                pass

        return Handler


@pytest.fixture
def server(machine, tmp_path):
    """A server for downloads, and settings that name it with the right SHA-256."""
    with contextlib.closing(DownloadServer(machine, tmp_path)) as made:
        configure(machine, APP_URL=made.url, APP_SHA256=digest(made.content))
        yield made


# --- a release from a file ---


def test_a_release_belongs_to_another_user_than_the_one_that_runs_it(site):
    owners = site.machine.run(["find", f"{STATE}/current/", "-printf", "%u\n"]).stdout.split()
    # It may not even look into the folder of downloads.
    writable = site.machine.run(["find", f"{STATE}/", "-writable", "-not", "-type", "l"], user="commento", check=False).stdout

    assert set(owners) == {"commento-app"}
    assert writable == ""
    assert site.machine.unit(SERVICE)["User"] == "commento"


def test_run_again_it_changes_no_file_and_says_so(site):
    before = files(site.machine)

    exit_code, status = run_install(site.machine)

    assert exit_code == 0
    assert "nothing to do" in status
    assert files(site.machine) == before


def refusals(archive: bytes) -> dict[str, tuple[bytes, dict, int, list[str]]]:
    """What the archive holds, settings, exit code, words of the message."""
    wrong = "a" * 64
    return {
        "wrong checksum": (archive, {"APP_SHA256": wrong}, RELEASE_FAULT, [wrong, digest(archive), "release page"]),
        "truncated": (archive[:-1000], {}, RELEASE_FAULT, ["brought.tar.gz is damaged, truncated", "get it again"]),
        "empty": (b"", {}, RELEASE_FAULT, ["brought.tar.gz is damaged, truncated"]),
        "error page": (b"<html>Not Found</html>", {}, RELEASE_FAULT, ["brought.tar.gz is damaged, truncated"]),
        "missing": (archive, {"APP_ARCHIVE": "/srv/missing.tar.gz"}, STORAGE_FAULT,
                    ["cannot open the archive /srv/missing.tar.gz", "APP_ARCHIVE"]),
        "outside": (with_another_file(archive, "../../../../etc/evil", b"evil"), {}, RELEASE_FAULT, ["etc/evil leaves"]),
        "settings": (archive, {"COMMENTO_PORT": "http"}, SETTINGS_FAULT, ["COMMENTO_PORT", "commento-stack.conf"]),
    }


@pytest.mark.parametrize("kind", ["wrong checksum", "truncated", "empty", "error page", "missing", "outside", "settings"])
def test_what_is_refused_is_named_and_what_runs_goes_on(site, kind):
    content, settings, expected, words = refusals(places.archive().read_bytes())[kind]
    running, before = site.machine.unit(SERVICE)["MainPID"], files(site.machine)
    site.machine.write("/srv/brought.tar.gz", content)
    site.configure(**{"APP_ARCHIVE": "/srv/brought.tar.gz", "APP_SHA256": None} | settings)

    exit_code, status = run_install(site.machine)

    assert exit_code == expected
    for word in words:
        assert word in status
    assert site.machine.unit(INSTALL)["ActiveState"] == "failed"
    # The folders' own times change when something was unpacked there and taken away again.
    assert [line for line in files(site.machine).splitlines() if not is_folder(line)] == [
        line for line in before.splitlines() if not is_folder(line)]
    assert site.machine.unit(SERVICE)["MainPID"] == running
    assert not site.machine.exists("/etc/evil")

    # And it would start again, too.
    site.machine.run(["systemctl", "restart", SERVICE])
    assert serves(site.machine)


def is_folder(line: str) -> bool:
    return line.split()[0] in (STATE, f"{STATE}/releases", f"{STATE}/downloads")


def test_an_archive_that_the_helper_may_not_read_is_named_with_the_user_who_must(machine):
    machine.write("/root/brought.tar.gz", places.archive().read_bytes(), 0o600)
    configure(machine, APP_ARCHIVE="/root/brought.tar.gz")

    exit_code, status = run_install(machine)

    assert exit_code == PERMISSION_FAULT
    assert "cannot open the archive /root/brought.tar.gz" in status and "commento-app must be able to read it" in status


def test_releases_stay_side_by_side_and_each_can_be_switched_to(site):
    first = current(site.machine)
    second = with_another_file(places.archive().read_bytes(), "js/second.js", b"// the second release\n")
    site.machine.write("/srv/application-v9.9.tar.gz", second)

    def switch(**settings) -> tuple[str, int]:
        site.restart(**settings)
        return current(site.machine), site.comments().get("/js/second.js").status

    site.comments().register()
    site.comments().post_comment("before the switch")
    assert switch(APP_ARCHIVE="/srv/application-v9.9.tar.gz", APP_SHA256=digest(second)) == ("application-9.9", 200)
    assert switch() == (first, 404)

    assert len(site.comments().list_comments()) == 1
    assert releases(site.machine) == sorted([first, "application-9.9"])


def test_the_release_stays_when_its_archive_is_taken_away(site):
    archive = site.settings()["APP_ARCHIVE"]
    site.machine.run(["rm", archive])

    exit_code, status = run_install(site.machine)

    assert exit_code == 0
    assert f"APP_ARCHIVE {archive} is gone" in status


def test_no_secret_gets_into_what_every_user_can_read(site):
    site.machine.write("/etc/commento-stack/secrets.conf", "COMMENTO_SMTP_PASSWORD=hunter2\n", 0o640, "root:commento")
    site.machine.run(["systemctl", "restart", INSTALL, SERVICE])

    assert site.machine.run(["grep", "-r", "hunter2", STATE], check=False).exit_code == 1
    main = site.machine.unit(SERVICE)["MainPID"]
    assert "COMMENTO_SMTP_PASSWORD=hunter2" in site.machine.read(f"/proc/{main}/environ")


# --- a release from the network ---


def test_a_release_is_downloaded_once(machine, server):
    assert run_install(machine)[0] == 0
    exit_code, status = run_install(machine)

    assert (exit_code, current(machine)) == (0, "app-3.1")
    assert "nothing to do" in status
    assert server.ranges == [None]
    assert downloads(machine) == {}


def test_a_download_that_broke_off_is_resumed_where_it_ended(machine, server):
    server.cut_after = 100_000
    exit_code, status = run_install(machine)
    assert exit_code == NETWORK_FAULT
    assert server.url in status and "goes on from there" in status
    assert downloads(machine) == {f"{digest(server.content)}.part": 100_000}
    assert current(machine) == ""

    assert run_install(machine)[0] == 0

    assert server.ranges == [None, "bytes=100000-"]
    assert current(machine) == "app-3.1"
    assert downloads(machine) == {}


def test_a_download_that_was_killed_is_resumed(machine, server):
    server.cut_after = 100_000
    server.held.clear()
    machine.run(["systemctl", "restart", "--no-block", INSTALL])
    machine.wait_until("a part is there", lambda: 0 < sum(downloads(machine).values()) <= 100_000)
    machine.run(["systemctl", "kill", "--signal=KILL", INSTALL])
    machine.wait_until("the unit has failed", lambda: machine.unit(INSTALL)["ActiveState"] == "failed")
    server.held.set()
    had = sum(downloads(machine).values())

    assert run_install(machine)[0] == 0

    assert server.ranges == [None, f"bytes={had}-"]
    assert current(machine) == "app-3.1"


def test_a_server_without_ranges_is_asked_for_all_of_it_again(machine, server):
    server.cut_after, server.knows_ranges = 100_000, False
    assert run_install(machine)[0] == NETWORK_FAULT

    assert run_install(machine)[0] == 0
    assert current(machine) == "app-3.1"


def test_a_part_that_does_not_fit_the_rest_is_thrown_away(machine, server):
    part = f"{STATE}/downloads/{digest(server.content)}.part"
    machine.write(part, b"\0" * 100_000, 0o600, "commento-app:commento-app")
    machine.run(["chown", "commento-app:", f"{STATE}/downloads"])

    assert run_install(machine)[0] == 0

    assert server.ranges == ["bytes=100000-", None]
    assert current(machine) == "app-3.1"


def test_a_download_with_the_wrong_checksum_is_refused_and_not_kept(machine, server):
    server.content = server.content[:-1] + b"?"

    exit_code, status = run_install(machine)

    assert exit_code == RELEASE_FAULT
    assert digest(server.content) in status
    assert downloads(machine) == {}
    assert releases(machine) == []


def test_without_a_network_it_says_which_address_it_did_not_reach(machine):
    configure(machine)

    exit_code, status = run_install(machine)

    assert exit_code == NETWORK_FAULT
    assert "https://github.com/souramoo/commentoplusplus/releases/download/v1.8.7/release.tar.gz" in status
    assert "hint:" in status and "DNS" in status


# --- the service ---


def test_the_service_is_active_only_once_the_database_answers_through_it(site):
    machine = site.machine
    # What a slow migration or a busy server does: the page is served, calls wait.
    lock = machine.popen(["psql", "--no-psqlrc", "--quiet", "--dbname=commento"], user="postgres", stdin=-1, stdout=-1)
    lock.stdin.write(b"BEGIN; LOCK TABLE pages IN ACCESS EXCLUSIVE MODE;\n\\echo locked\n")
    lock.stdin.flush()
    assert lock.stdout.readline() == b"locked\n"

    former = machine.unit(SERVICE)["MainPID"]
    machine.run(["systemctl", "restart", "--no-block", SERVICE])
    page = ["curl", "--silent", "--fail", "--output", "/dev/null", f"http://127.0.0.1:{PORT}/login"]
    machine.wait_until("the page is served", lambda: machine.unit(SERVICE)["MainPID"] not in (former, "0")
                       and machine.run(page, check=False).exit_code == 0)
    assert machine.unit(SERVICE)["ActiveState"] == "activating"

    lock.stdin.close()
    machine.wait_until("the service is active", lambda: machine.unit(SERVICE)["ActiveState"] == "active")
    assert serves(machine)


def wait_for_failed_start(machine: Machine) -> str:
    """Waits until a start of the service has failed; returns what its journal says since boot."""
    return machine.wait_until("a failed start of commento.service", lambda: (
        text := machine.journal(SERVICE)) and f"status={APPLICATION_FAULT}" in text and text, timeout=60)


def test_a_port_that_another_program_took_is_named_and_the_service_back_when_it_is_free(site):
    machine = site.machine
    machine.run(["systemctl", "stop", SERVICE])
    other = machine.popen_beside([sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(PORT)],
                                 stdout=-3, stderr=-3)
    machine.wait_until("the port is taken", lambda: machine.run(
        ["curl", "--silent", f"http://127.0.0.1:{PORT}/"], check=False).exit_code == 0)

    started = machine.run(["systemctl", "start", SERVICE], check=False)

    assert started.exit_code != 0
    said = wait_for_failed_start(machine)
    assert f"port {PORT} is taken by another program, of user" in said
    assert f"ss -ltnp 'sport = :{PORT}'" in said and "COMMENTO_PORT" in said
    processes.stop(other)
    machine.wait_until("the service is back", lambda: machine.unit(SERVICE)["ActiveState"] == "active")
    assert serves(machine)


def test_a_database_that_refuses_stops_the_service_with_the_reason(unstarted_site):
    machine = unstarted_site.machine
    machine.run(["systemctl", "start", "commento-db-provision.service"])

    def sql(statement: str) -> None:
        machine.run(["psql", "--no-psqlrc", f"--command={statement}"], user="postgres")

    sql('ALTER ROLE "commento-db" IN DATABASE commento SET default_transaction_read_only = on')

    machine.run(["systemctl", "enable", "--now", "commento.target"], check=False, timeout=120)

    assert "in a read-only transaction" in wait_for_failed_start(machine)
    assert "the application ended before it answered" in machine.journal(SERVICE)
    sql('ALTER ROLE "commento-db" IN DATABASE commento RESET default_transaction_read_only')
    sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'commento-db'")
    machine.wait_until("the service is back", lambda: machine.unit(SERVICE)["ActiveState"] == "active", timeout=60)
