"""The site in the host's nginx: beside other sites, through every change and fault, and what it lets through."""

import contextlib
import http.client
import socket
import ssl
import subprocess
import sys
import threading

import pytest

from machine import Comments, Machine, Pebble, Site, processes
from machine.recorder import Recorder, values_of
from machine.site import nginx_workers

HELPER = "/usr/libexec/commento-stack/commento-nginx"
RENDER = "commento-nginx-render.service"
SITE_FILE = "/etc/nginx/conf.d/commento-stack.conf"
FORMER = "/var/lib/commento-stack/nginx/former.conf"
TEMPLATE = "/usr/share/commento-stack/nginx/commento-stack.conf.in"
CHALLENGES = "/.well-known/acme-challenge"
MARK = f"{CHALLENGES}/commento-stack-site"
WEBROOT = f"/var/lib/commento-stack/acme/webroot{CHALLENGES}"
WEB_FAULT = 8

OTHER_NAME = "other.example.test"
OTHER_SITE = """server {
    listen 80;
    listen 443 ssl;
    server_name other.example.test;
    ssl_certificate /etc/ssl/test/other.pem;
    ssl_certificate_key /etc/ssl/test/other.key;
    return 200 "the other site\\n";
}
"""


def ask(machine: Machine, path: str, host: str, *, method: str = "GET", port: int = 80):
    """One plain HTTP request, its path sent as it stands; the answer's body is in `.body`."""
    connection = http.client.HTTPConnection(machine.address, port, timeout=10)
    with contextlib.closing(connection):
        connection.request(method, path, headers={"Host": host})
        answer = connection.getresponse()
        answer.body = answer.read()
        return answer


def run_unit(machine: Machine, unit: str = RENDER) -> tuple[int, str]:
    """Starts a unit that runs once; returns the exit code of its program and what `systemctl status` shows."""
    machine.run(["systemctl", "restart", unit], check=False)
    return int(machine.unit(unit)["ExecMainStatus"]), machine.status(unit)


def own_certificate(machine: Machine, name: str) -> tuple[str, str]:
    """A self-signed certificate and its key, in PEM."""
    made = processes.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                          "-days", "9", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-keyout", "-"])
    key, certificate = made.stdout.split("-----BEGIN CERTIFICATE-----")
    return "-----BEGIN CERTIFICATE-----" + certificate, key


def served_certificate(machine: Machine, name: str, port: int = 443) -> str:
    """The certificate that is served for a name, in PEM, whoever signed it."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection((machine.address, port), timeout=10) as plain:
        with context.wrap_socket(plain, server_hostname=name) as connection:
            return ssl.DER_cert_to_PEM_cert(connection.getpeercert(binary_form=True))


def reloads(machine: Machine) -> int:
    """How often nginx has been reloaded since the machine was made."""
    return machine.journal("nginx.service").count("Reloaded nginx.service")


def is_default_site(answer) -> bool:
    return answer.status == 200 and b"Welcome to nginx!" in answer.body


def is_other_site(answer) -> bool:
    return answer.status == 200 and answer.body == b"the other site\n"


# --- living with others ---

@pytest.fixture
def busy_host(pristine):
    """A host whose nginx serves Debian's default site and another one, over HTTP and HTTPS, since before us."""
    certificate, key = own_certificate(pristine, OTHER_NAME)
    pristine.write("/etc/ssl/test/other.pem", certificate)
    pristine.write("/etc/ssl/test/other.key", key, 0o600)
    pristine.install(["nginx", "libnginx-mod-http-brotli-static"])
    pristine.write("/etc/nginx/sites-available/other", OTHER_SITE)
    pristine.run(["ln", "-s", "../sites-available/other", "/etc/nginx/sites-enabled/other"])
    pristine.run(["systemctl", "reload", "nginx"])
    pristine.wait_until("the other site", lambda: is_other_site(ask(pristine, "/", OTHER_NAME)))
    return pristine


class Watch:
    """Asks the host's own sites without pause, from `with` to the end of the block; `failures` are what went wrong."""

    def __init__(self, machine: Machine):
        self.machine = machine
        self.failures, self.answers = [], 0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._end.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._end.wait(0.005):
            for host, is_right in (("unknown.example.test", is_default_site), (OTHER_NAME, is_other_site)):
                try:
                    answer = ask(self.machine, "/", host)
                    if not is_right(answer):
                        self.failures.append(f"{host}: status {answer.status}")
                except OSError as error:
                    self.failures.append(f"{host}: {error!r}")
                self.answers += 1


def test_the_hosts_own_sites_stay_as_they_are_and_answer_all_the_while(busy_host):
    files = ["find", "/etc/nginx", "!", "-path", SITE_FILE, "!", "-path", "/etc/nginx/conf.d", "-printf", "%p %y %m %u %s %T@ %l\n"]
    before = busy_host.run(files).stdout
    certificate = served_certificate(busy_host, OTHER_NAME)
    site = Site(busy_host, Pebble(busy_host))

    with Watch(busy_host) as watch:
        busy_host.install(["commento-stack"])
        site.configure()
        site.start()
        site.comments().check()
        busy_host.run(["systemctl", "restart", "commento.target"], timeout=120)
        assert busy_host.run(files).stdout == before
        assert served_certificate(busy_host, OTHER_NAME) == certificate
        busy_host.run(["apt-get", "remove", "--quiet", "--yes", "commento-stack"], timeout=120)

    assert watch.failures == [] and watch.answers > 100
    assert busy_host.run(files).stdout == before
    assert not busy_host.exists(SITE_FILE)
    busy_host.wait_until("the default site", lambda: is_default_site(ask(busy_host, "/", site.domain)))
    assert served_certificate(busy_host, site.domain) == certificate


def test_a_port_that_another_program_holds_is_named_and_nothing_is_written(unstarted_site):
    machine = unstarted_site.machine
    machine.run(["systemctl", "stop", "nginx"])
    listen = "import signal, socket; s = socket.create_server(('', 80)); print(flush=True); signal.pause()"
    program = machine.popen_beside([sys.executable, "-c", listen], stdout=subprocess.PIPE)
    program.stdout.readline()

    unstarted_site.start()

    code, status = run_unit(machine)
    assert code == WEB_FAULT
    assert "another program than nginx listens on port 80" in status
    assert "ss -lntup 'sport = :80'" in status
    assert not machine.exists(SITE_FILE) and not machine.exists(FORMER)

    processes.stop(program)
    unstarted_site.restart()
    unstarted_site.comments().check()


# --- sites that nginx refuses ---

def test_a_template_that_nginx_refuses_leaves_the_former_site_served(site):
    machine = site.machine
    former = machine.read(SITE_FILE)
    good = machine.read(TEMPLATE)
    site.comments().register()
    machine.write(TEMPLATE, good + "nonsense on;\n")

    code, status = run_unit(machine)

    assert code == WEB_FAULT
    assert 'unknown directive "nonsense"' in status and SITE_FILE in status
    assert "does not accept the site of commento-stack" in status
    assert machine.read(SITE_FILE) == former and not machine.exists(FORMER)
    site.comments().post_comment("nginx has not been restarted")

    machine.run(["systemctl", "restart", "nginx"])
    site.comments().post_comment("nginx has been restarted")

    machine.write(TEMPLATE, good)
    assert run_unit(machine)[0] == 0
    assert machine.failed_units() == []


def test_another_site_that_nginx_refuses_is_named_and_ours_goes_on_being_served(site):
    machine = site.machine
    former = machine.read(SITE_FILE)
    machine.write("/etc/nginx/sites-enabled/broken", "server { listen 80; server_name broken.test; nonsense on; }\n")
    site.configure(COMMENTO_PORT="8090")

    code, status = run_unit(machine)

    assert code == WEB_FAULT
    assert "/etc/nginx/sites-enabled/broken:1" in status and "is not at fault" in status
    assert machine.read(SITE_FILE) == former
    assert site.comments().get("/login").status == 200

    machine.run(["rm", "/etc/nginx/sites-enabled/broken"])
    machine.run(["systemctl", "restart", "commento.target"], timeout=120)
    assert "127.0.0.1:8090 " in machine.read(SITE_FILE)
    site.comments().check()


def test_a_certificate_does_not_get_through_while_another_site_is_broken_and_gets_through_afterwards(site):
    machine = site.machine
    before = served_certificate(machine, site.domain)
    machine.write("/etc/nginx/sites-enabled/broken", "nonsense on;\n")
    certificate = put_in_place(machine, site.domain)
    machine.wait_until("the refusal", lambda: machine.unit("commento-nginx-reload.service")["Result"] == "exit-code")

    assert machine.unit("commento-nginx-reload.service")["ExecMainStatus"] == str(WEB_FAULT)
    assert "goes on serving" in machine.status("commento-nginx-reload")
    assert served_certificate(machine, site.domain) == before

    machine.run(["rm", "/etc/nginx/sites-enabled/broken"])
    assert run_unit(machine, "commento-nginx-reload.service")[0] == 0
    assert served_certificate(machine, site.domain) == certificate


def test_a_site_that_a_power_cut_left_unproven_is_taken_back_at_boot(site):
    machine = site.machine
    former = machine.read(SITE_FILE)
    site.comments().register()
    machine.write(FORMER, former)
    machine.write(SITE_FILE, former + "nonsense on;\n")
    machine.run(["sync"])

    machine.power_cut()

    machine.wait_until("commento.target", lambda: machine.unit("commento.target")["ActiveState"] == "active")
    assert machine.read(SITE_FILE) == former and not machine.exists(FORMER)
    assert "the former one is back in place" in machine.journal(RENDER)
    site.comments().post_comment("after the power cut")


# --- changes ---

def test_changed_ports_are_served_after_a_restart_of_the_target(site):
    site.configure(HTTP_PORT="8081", HTTPS_PORT="8443")

    site.machine.run(["systemctl", "restart", "commento.target"], timeout=120)

    Comments(site.domain, site.machine.address, site.pebble.root(), 8443).check()
    assert ask(site.machine, "/a", site.domain, port=8081).headers["Location"] == f"https://{site.domain}:8443/a"
    assert is_default_site(ask(site.machine, "/", site.domain))
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((site.machine.address, 443), timeout=10)


def put_in_place(machine: Machine, name: str, number: int = 9999) -> str:
    """A new certificate, as commento-cert puts it in place; returns it."""
    certificate, key = own_certificate(machine, name)
    folder = f"/var/lib/commento-stack/tls/generations/{number}"
    machine.write(f"{folder}/fullchain.pem", certificate, 0o644, "commento-cert:commento-cert")
    machine.write(f"{folder}/privkey.pem", key, 0o600, "commento-cert:commento-cert")
    machine.run(["ln", "-sfn", f"generations/{number}", "/var/lib/commento-stack/tls/live.new"])
    machine.run(["mv", "-T", "/var/lib/commento-stack/tls/live.new", "/var/lib/commento-stack/tls/live"])
    machine.write("/var/lib/commento-stack/tls/changed", "", 0o644, "commento-cert:commento-cert")
    return certificate


def test_a_new_certificate_is_served_by_itself_on_ipv4_and_ipv6(site):
    certificate = put_in_place(site.machine, site.domain)

    site.machine.wait_until("the new certificate", lambda: served_certificate(site.machine, site.domain) == certificate)

    site.machine.wait_until("the end of the reload",
                            lambda: site.machine.unit("commento-nginx-reload.service")["ActiveState"] == "inactive")
    assert site.machine.unit("commento-nginx-reload.service")["Result"] == "success"
    site.machine.write("/etc/ssl/test/new.pem", certificate)
    for address in ("127.0.0.1", "[::1]"):
        site.machine.run(["curl", "--silent", "--show-error", "--fail", "--cacert", "/etc/ssl/test/new.pem", "--resolve",
                          f"{site.domain}:443:{address}", f"https://{site.domain}/login"])


def test_a_burst_of_fifty_certificates_ends_with_the_last_one_served(site):
    machine = site.machine
    for number in range(9000, 9050):
        last = put_in_place(machine, site.domain, number)

    machine.wait_until("the last certificate", lambda: served_certificate(machine, site.domain) == last)
    machine.wait_until("the end of the reloads",
                       lambda: machine.unit("commento-nginx-reload.service")["ActiveState"] == "inactive")
    assert machine.unit("commento-nginx-reload.path")["ActiveState"] == "active"
    assert machine.failed_units() == []
    machine.wait_until("a further one", lambda again=put_in_place(machine, site.domain, 9050): served_certificate(
        machine, site.domain) == again)


def test_a_reload_that_is_over_has_left_none_of_the_workers_that_render_saw_leaving(site):
    machine = site.machine
    workers = nginx_workers(machine)
    machine.write("/run/commento-stack/nginx-leaving", " ".join(workers))

    still = machine.run([HELPER, "reload"], check=False)
    assert still.exit_code == WEB_FAULT and "workers from before the reload take connections" in still.output

    machine.write("/run/commento-stack/nginx-leaving", " ".join(workers))
    machine.run(["systemctl", "reload", "nginx"])
    assert "nothing to do" in machine.run([HELPER, "reload"]).output
    assert not workers & nginx_workers(machine)
    assert not machine.exists("/run/commento-stack/nginx-leaving")


def test_a_second_run_of_every_verb_changes_nothing_and_says_so(site):
    machine = site.machine
    machine.run([HELPER, "reload"])
    files = ["find", "/etc/nginx", "/var/lib/commento-stack/nginx", "-printf", "%p %i %T@ %C@\n"]
    before = machine.run(files).stdout
    reloaded = reloads(machine)

    assert "nothing to do" in machine.run([HELPER, "render"]).output
    assert "nothing to do" in machine.run([HELPER, "reload"]).output

    assert machine.run(files).stdout == before
    assert reloads(machine) == reloaded

    machine.run([HELPER, "withdraw"])
    assert "nothing to do" in machine.run([HELPER, "withdraw"]).output
    assert not machine.exists(SITE_FILE)
    machine.wait_until("the default site", lambda: is_default_site(ask(machine, "/", site.domain)))


def test_reload_brings_in_a_site_that_nginx_has_not_loaded(site):
    machine = site.machine
    machine.write(SITE_FILE, machine.read(SITE_FILE).replace("client_max_body_size 256k", "client_max_body_size 300k")
                  .replace(ask(machine, MARK, site.domain).body.decode().strip(), "0123456789abcdef"))

    output = machine.run([HELPER, "reload"]).output

    assert "serves another rendering" in output and "reloaded nginx" in output
    assert ask(machine, MARK, site.domain).body == b"0123456789abcdef\n"


def test_without_ipv6_the_site_is_served_over_ipv4_alone(site):
    machine = site.machine
    processes.run(machine.network.enter(["sysctl", "--quiet", "net.ipv6.conf.all.disable_ipv6=1"]))

    machine.run(["systemctl", "restart", "commento.target"], timeout=120)

    assert "[::]" not in machine.read(SITE_FILE)
    assert machine.failed_units() == []
    site.comments().check()


def test_nginx_is_back_by_itself_after_it_was_killed(site):
    site.comments().register()
    first = site.machine.unit("nginx.service")["MainPID"]

    site.machine.run(["systemctl", "kill", "--signal=KILL", "nginx.service"])

    site.machine.wait_until("another nginx", lambda: site.machine.unit("nginx.service")["MainPID"] not in ("0", first))
    site.machine.wait_until("the site", lambda: site.comments().get("/login").status == 200)
    site.comments().post_comment("after the kill")


def test_no_request_fails_in_a_hundred_reloads(site):
    failures, ended = [], threading.Event()
    comments = site.comments()
    site.restart(RATE_LIMITS="false")

    def read() -> None:
        while not ended.is_set():
            try:
                if any(comments.get(path).status != 200 for path in ("/login", "/js/commento.js")):
                    failures.append("not 200")
                comments.call("comment/count", domain="blog.example.test", paths=["/"])
            except (OSError, AssertionError) as error:
                failures.append(repr(error))

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for _ in range(100):
        site.machine.run(["systemctl", "reload", "nginx"])
    ended.set()
    for reader in readers:
        reader.join()

    assert failures == []


# --- faults of the caller ---

def test_reload_says_that_nginx_is_not_running(site):
    site.machine.run(["systemctl", "stop", "nginx"])

    done = site.machine.run([HELPER, "reload"], check=False)

    assert done.exit_code == WEB_FAULT
    assert "nginx is not running" in done.output and "journalctl -u nginx" in done.output


def test_without_a_certificate_render_says_how_to_make_one(unstarted_site):
    done = unstarted_site.machine.run([HELPER, "render"], check=False)

    assert done.exit_code == WEB_FAULT
    assert "systemctl start commento-cert-bootstrap" in done.output
    assert not unstarted_site.machine.exists(SITE_FILE)


def test_all_wrong_settings_are_named_at_once_and_the_former_site_goes_on(site):
    former = site.machine.read(SITE_FILE)
    site.configure(DOMAIN="http://comments.example.test", HTTP_PORT="eighty", HTTPS_PORT="0")

    code, status = run_unit(site.machine)

    assert code == 2
    assert all(key in status for key in ("DOMAIN", "HTTP_PORT", "HTTPS_PORT"))
    assert site.machine.read(SITE_FILE) == former
    assert site.comments().get("/login").status == 200


@pytest.mark.parametrize("verb", ["render", "withdraw"])
def test_who_is_not_root_is_told_so(site, verb):
    done = site.machine.run([HELPER, verb], user="nobody", check=False)

    assert done.exit_code == 3
    assert "run as root" in done.output
    assert site.machine.exists(SITE_FILE)


# --- what the site lets through ---

def test_plain_http_is_sent_to_https_with_path_and_query(site):
    answer = ask(site.machine, "/some/page?a=b&c=%20d", site.domain)

    assert answer.status == 301
    assert answer.headers["Location"] == f"https://{site.domain}/some/page?a=b&c=%20d"
    assert "/" not in answer.headers["Server"]


def test_challenges_are_served_as_they_are_and_nothing_beside_them(site):
    machine = site.machine
    machine.write(f"{WEBROOT}/token-1.html", "token-1.thumbprint", 0o644, "commento-cert:commento-cert")
    machine.run(["ln", "-s", "/etc/passwd", f"{WEBROOT}/link"])
    machine.run(["ln", "-s", "/etc", f"{WEBROOT}/folder"])

    answer = ask(machine, f"{CHALLENGES}/token-1.html", site.domain)
    assert (answer.status, answer.body) == (200, b"token-1.thumbprint")
    assert answer.headers["Content-Type"] == "text/plain"

    for path in (f"{CHALLENGES}/", f"{CHALLENGES}/link", f"{CHALLENGES}/folder/passwd", f"{CHALLENGES}/missing",
                 f"{CHALLENGES}/../../../account.json", f"{CHALLENGES}/..%2f..%2f..%2f..%2fstamp",
                 f"{CHALLENGES}/%2e%2e/%2e%2e/%2e%2e/", f"{CHALLENGES}//..//..//../webroot", f"{CHALLENGES}/./token%00"):
        answer = ask(machine, path, site.domain)
        assert answer.status in (301, 400, 403, 404), path
        assert answer.status != 301 or answer.headers["Location"].startswith(f"https://{site.domain}/"), path
    assert ask(machine, f"{CHALLENGES}/token-1.html", site.domain, method="POST").status == 405


def test_bodies_are_limited(site):
    assert site.comments().request("POST", "/api/comment/count", b" " * (256 * 1024 + 1)).status == 413
    assert site.comments().request("POST", "/api/comment/count", b" " * (256 * 1024)).status == 200


def test_the_application_learns_who_asks_from_nginx_alone(site):
    forged = {name: "203.0.113.77" for name in ("X-Forwarded-For", "X-Real-IP", "X-Forwarded-Proto")}
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade"}
    reader = [site.machine.network.host_address]

    with Recorder(site) as recorder:
        for path in ("/seen", "/ws"):
            site.comments().request("GET", path, headers=forged)
            [seen] = recorder.requests()
            assert values_of(seen, "x-forwarded-for") == values_of(seen, "x-real-ip") == reader
            assert values_of(seen, "x-forwarded-proto") == ["https"]
            assert values_of(seen, "host") == [site.domain]

        for path, expected in (("/seen", []), ("/ws", ["websocket"])):
            site.comments().request("GET", path, headers=upgrade)
            [seen] = recorder.requests()
            assert values_of(seen, "upgrade") == expected


def test_a_websocket_reaches_the_application(site):
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
               "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}  # RFC 6455, 1.3

    answer = site.comments().request("GET", "/ws", headers=upgrade)

    assert answer.status == 101
    assert answer.headers["Sec-WebSocket-Accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
