"""commentoctl doctor: each check on a site that is well, with the thing broken, and mended by the command that it prints."""

import json
import re
from dataclasses import dataclass, field
from typing import Callable

import pytest

from machine import Machine, NameServer, Pebble, Site, Terminal, roots
from machine.site import await_workers, let_rest

SETTINGS = "/etc/commento-stack/commento-stack.conf"
SECRETS = "/etc/commento-stack/secrets.conf"
STATE = "/var/lib/commento-stack"
DOMAIN = "comments.example.test"
FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"


# As with a kernel that has SELinux, and policycoreutils: what they would say.
ENFORCING = ["unshare", "--mount", "sh", "-c", "mount -t tmpfs tmpfs /sys/fs; mkdir /sys/fs/selinux; "
             'echo 1 > /sys/fs/selinux/enforce; exec "$@"', "sh"]
POLICYCOREUTILS = {"getsebool": 'echo "$1 --> $(cat /srv/$1)"', "setsebool": '[ "$1 $3" = "-P 1" ]; echo on > "/srv/$2"',
                   "restorecon": '[ "$2" = -n ] || touch /srv/labelled; [ -e /srv/labelled ] || echo "Would relabel $4"'}


class Patient:
    """A site that all of the checks find well, once each remedy was taken."""

    def __init__(self, machine):
        self.machine = machine
        self.dns = NameServer(machine, {
            "example.test": f"comments A {machine.address}\nfurther A {machine.address}\n",
            # The authority's own name is not there, which is known at once.
            "letsencrypt.org": ""})
        self.pebble = Pebble(machine)
        self.site = Site(machine, self.pebble, DOMAIN)
        self.site.configure()
        machine.write(SECRETS, "", 0o640, "root:commento")
        machine.install(["nftables", "libfaketime"])
        machine.write("/usr/sbin/sendmail", "#!/bin/sh\nexec cat > /dev/null\n", 0o755)
        # Its users have sudo; the machine's only user is root.
        machine.write("/usr/local/bin/sudo", '#!/bin/sh\nexec "$@"\n', 0o755)
        for name, script in POLICYCOREUTILS.items():
            machine.write(f"/usr/sbin/{name}", f"#!/bin/sh -e\n{script}\n", 0o755)
        self.shell("echo on > /srv/httpd_can_network_connect; touch /srv/labelled")
        # Renewals by the timer would mend what a case has just broken.
        let_rest(machine, "commento-cert-renew")
        self.site.start()
        self.site.take_connections()
        machine.write("/usr/local/share/ca-certificates/pebble.crt", self.pebble.root())
        machine.run(["update-ca-certificates"])
        machine.run(["commentoctl", "backup", "now"], timeout=120)
        machine.run(["commentoctl", "backup", "verify", "latest"], timeout=120)

    def look(self, *checks: str, later: str = "", under: list[str] = []) -> list[dict]:
        env = {"LD_PRELOAD": FAKETIME, "FAKETIME": later, "FAKETIME_DONT_FAKE_MONOTONIC": "1"} if later else None
        done = self.machine.run([*under, "commentoctl", "doctor", "--json", *checks], check=False, timeout=120, env=env)
        assert done.stdout.startswith("{"), done.output
        found = json.loads(done.stdout)
        faults = [each["check"] for each in found["checks"] if each["found"] == "fault"]
        assert (done.exit_code, found["healthy"]) == ((12, False) if faults else (0, True)), done.output
        return found["checks"]

    def shell(self, script: str, **options):
        return self.machine.run(["sh", "-ec", script], timeout=120, **options)

    def sql(self, statement: str) -> str:
        return self.machine.run(["psql", "-qAtc", statement], user="postgres").stdout

    def lame(self, verb: str) -> None:
        """Whether the authority's own resolver can't find the further name."""
        self.shell(f"""curl -fsd '{{"host": "further.example.test."}}' {Pebble.hooks}/{verb}-servfail""")

    def set(self, **changes: str | None) -> None:
        self.site.configure(**changes)


@pytest.fixture(scope="module")
def patient():
    with Machine(roots.installed()) as machine:
        yield Patient(machine)


@dataclass
class Case:
    """`found`: what the check finds once the thing is broken. `mend`: what an operator does where no command of this host
    can, or may here; without it, the command that doctor prints, as it stands, and `then` what comes after it. `undo`:
    what else has to be put back. `prints`: the command, where it is not run."""

    check: str
    breaks: Callable[[Patient], object]
    found: str
    saw: str
    mend: Callable[[Patient], object] | None = None
    then: Callable[[Patient], object] = lambda patient: None
    undo: Callable[[Patient], object] = lambda patient: None
    later: str = ""
    name: str = ""
    prints: str = ""
    under: list[str] = field(default_factory=list)


def sh(script: str) -> Callable[[Patient], object]:
    return lambda patient: patient.shell(script)


def settings(**changes: str | None) -> Callable[[Patient], object]:
    return lambda patient: patient.set(**changes)


def record(kind: str, *data: str, name: str = DOMAIN) -> Callable[[Patient], object]:
    return lambda patient: patient.dns.replace(name, kind, *data)


def nothing(patient: Patient) -> None:
    """For what only time breaks."""


def squat(port: int) -> Callable[[Patient], object]:
    """Another program takes nginx' port."""
    return sh(f"systemctl stop nginx; systemd-run --quiet --unit=squatter-{port} -p Type=exec "
              f"systemd-socket-activate --accept -l 0.0.0.0:{port} /bin/cat; "
              f"until ss -Hltn 'sport = :{port}' | grep -q .; do :; done")


def crowd(patient: Patient) -> None:
    """Nearly all of PostgreSQL's connections are taken."""
    patient.sql("ALTER SYSTEM SET max_connections = 25")
    patient.shell("systemctl restart postgresql; systemctl restart commento.target; "
                  "for i in $(seq 21); do systemd-run --quiet --uid=postgres --unit=sleeper-$i psql -c 'SELECT pg_sleep(600)'; done")
    patient.machine.wait_until("no connection is left", lambda: "FATAL" in patient.machine.run(
        ["psql", "-qAtc", "SELECT 1", "commento"], user="commento", check=False).output)


def uncrowd(patient: Patient) -> None:
    patient.shell("systemctl stop 'sleeper-*'")
    patient.sql("ALTER SYSTEM RESET max_connections")
    patient.shell("systemctl restart postgresql; systemctl restart commento.target")


def foreign_certificate(patient: Patient) -> None:
    """Another certificate comes into place, and nobody tells nginx."""
    patient.shell(f"systemctl stop commento-nginx-reload.path; cd {STATE}/tls; cp -rL live foreign; readlink live > former; "
                  f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 9 -subj /CN={DOMAIN} "
                  f"-addext subjectAltName=DNS:{DOMAIN} -keyout foreign/privkey.pem -out foreign/fullchain.pem; "
                  "chown -R commento-cert: foreign; ln -sfn foreign live")


def own_certificate(patient: Patient) -> None:
    patient.shell(f"cd {STATE}/tls; ln -sfn $(cat former) live; rm -r foreign former; "
                  "commentoctl nginx reload; systemctl start commento-nginx-reload.path")


def certificate_of(when: str) -> Callable[[Patient], object]:
    """The one in place was made then, for 90 days."""
    return sh(f"cd {STATE}/tls/live/; export FAKETIME={when}; LD_PRELOAD={FAKETIME} "
              f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 90 -subj /CN={DOMAIN} "
              f"-addext subjectAltName=DNS:{DOMAIN} -keyout privkey.pem -out fullchain.pem; "
              """for date in "not_before -startdate" "not_after -enddate"; do set -- $date; """
              """sed -i 's/"'$1'": [0-9]*/"'$1'": '$(date -d "$(openssl x509 -noout $2 -in fullchain.pem | cut -d= -f2)" +%s)/ info.json; done""")


def old_backup(patient: Patient) -> None:
    """The last one was made three days ago."""
    unit = "commento-db-request.service"
    patient.machine.write(f"/run/systemd/system/{unit}.d/then.conf",
                          f"[Service]\nEnvironment=LD_PRELOAD={FAKETIME} FAKETIME=-3d FAKETIME_DONT_FAKE_MONOTONIC=1\n")
    patient.shell(f"systemctl daemon-reload; rm {STATE}/backups/*.zip; commentoctl backup now; "
                  f"rm /run/systemd/system/{unit}.d/then.conf; systemctl daemon-reload")


CLOSED = ("flush ruleset\ntable inet filter { chain input { type filter hook input priority 0; policy drop; "
          "iif lo accept; ct state established accept; tcp dport { 22, 53, 15000 } accept; udp dport 53 accept; }\n}\n")
OPENED = CLOSED.replace("53, 15000", "53, 80, 443, 15000")

CASES = [
    Case("settings.values", sh(f"echo HTTP_PORT=web >> {SETTINGS}; echo COMMENTO_SMTP_PORT=x >> {SETTINGS}"), "fault", "HTTP_PORT",
         undo=lambda patient: (patient.set(), patient.shell("commentoctl restart"))),
    Case("settings.values", sh(f"echo HTTP_POTR=80 >> {SETTINGS}"), "fault", "HTTP_POTR", settings(), name="unknown",
         undo=sh("commentoctl restart"), prints="mend these lines with an editor; then: sudo commentoctl doctor settings"),
    Case("settings.values", settings(EMAIL=None), "fault", "EMAIL", settings(), name="missing", undo=sh("commentoctl restart"),
         prints="sudo commentoctl setup"),
    Case("settings.modes", sh(f"chmod 0644 {SECRETS}; chown commento {SECRETS}"), "fault", "secrets.conf can be read by others"),
    Case("settings.modes", sh(f"chmod 0666 {SETTINGS}"), "fault", "can be written by others", name="written"),
    Case("settings.applied", sh(f"touch -d '+1 second' {SETTINGS}"), "warning", "changed after what runs had read it"),
    Case("settings.domain", lambda patient: patient.machine.write(f"{STATE}/domain/change.json", json.dumps({
        "former": "", "change": {"from": DOMAIN, "to": "new.example.test", "phase": "certificate", "text": "", "before": dict.fromkeys(
            ["DOMAIN", "TLS_NAMES", "REDIRECT_NAMES", "COMMENTO_ORIGIN", "COMMENTO_CDN_PREFIX"], "")}})),
         "warning", "from comments.example.test to new.example.test was begun and not finished",
         sh(f"rm {STATE}/domain/change.json")),
    Case("messages.way", sh("mv /usr/sbin/sendmail /root"), "warning", "nobody is told", sh("mv /root/sendmail /usr/sbin")),
    Case("dns.resolver", sh("echo nameserver 127.0.0.9 > /etc/resolv.conf"), "fault", "127.0.0.9",
         sh("echo nameserver 127.0.0.1 > /etc/resolv.conf")),
    Case("dns.ipv4", record("A", "10.9.9.9"), "fault", "10.9.9.9, which is not this host",
         lambda patient: patient.dns.replace(DOMAIN, "A", patient.machine.address)),
    Case("dns.ipv4", record("A", "127.0.0.1"), "fault", "127.0.0.1, which is not this host",
         lambda patient: patient.dns.replace(DOMAIN, "A", patient.machine.address), name="loopback"),
    Case("dns.ipv4", record("A"), "fault", "has no address in DNS",
         lambda patient: patient.dns.replace(DOMAIN, "A", patient.machine.address), name="none"),
    Case("dns.ipv6", record("AAAA", "2001:db8::1"), "fault", "2001:db8::1, which is not this host", record("AAAA")),
    Case("dns.names", settings(TLS_NAMES="further.example.test missing.example.test"), "fault", "missing.example.test",
         lambda patient: patient.dns.replace("missing.example.test", "A", patient.machine.address), undo=settings()),
    Case("dns.caa", lambda patient: (patient.set(ACME_DIRECTORY=None),
                                     patient.dns.replace("example.test", "CAA", '0 issue "other.example"')),
         "fault", "CAA records of example.test do not allow letsencrypt.org",
         record("CAA", '0 issue "other.example"', '0 issue "letsencrypt.org"', name="example.test"),
         undo=lambda patient: (patient.set(), patient.dns.replace("example.test", "CAA"))),
    Case("clock.time", nothing, "fault", "ahead of the authority's clock", nothing, later="+10m"),
    Case("clock.time", nothing, "warning", "behind the authority's clock", nothing, later="-30s", name="behind"),
    Case("ports.http", squat(80), "fault", r"squatter-80.service\) listens at port 80", then=sh("systemctl start nginx")),
    Case("ports.https", squat(443), "fault", r"squatter-443.service\) listens at port 443", then=sh("systemctl start nginx")),
    Case("ports.http", sh("systemctl stop nginx"), "fault", "nothing listens at port 80", name="nobody"),
    Case("ports.application", sh("systemctl stop commento.service"), "fault", "nothing listens at port 8080"),
    Case("firewall.ports", lambda patient: patient.machine.run(["nft", "-f", "-"], input=CLOSED), "warning", "nftables seems to hold back",
         lambda patient: patient.machine.run(["nft", "-f", "-"], input=OPENED), undo=sh("nft flush ruleset")),
    Case("disk.space", sh("mount -t tmpfs -o size=10m tmpfs /tmp; head -c 10420000 /dev/zero > /tmp/full"), "fault",
         "where /tmp is", sh("rm /tmp/full"), undo=sh("umount /tmp")),
    Case("disk.inodes", sh("mount -t tmpfs -o nr_inodes=100 tmpfs /tmp; for i in $(seq 94); do : > /tmp/$i; done"), "warning",
         "where /tmp is", sh("rm /tmp/*"), undo=sh("umount /tmp")),
    Case("disk.writable", sh("mount -t tmpfs -o ro tmpfs /tmp"), "fault", "/tmp is mounted read-only", undo=sh("umount /tmp")),
    Case("nginx.running", sh("systemctl stop nginx"), "fault", "nginx.service is inactive"),
    Case("nginx.configuration", sh("echo nonsense > /etc/nginx/conf.d/broken.conf"), "fault", "broken.conf",
         sh("rm /etc/nginx/conf.d/broken.conf")),
    Case("nginx.redirect", sh(": > /etc/nginx/conf.d/commento-stack.conf; systemctl reload nginx; "
                              "while curl -s -o /dev/null -k --resolve comments.example.test:443:127.0.0.1 https://comments.example.test/healthz; do :; done"),
         "fault", "instead of leading to|connect"),
    Case("nginx.page", sh(f"systemctl stop commento; mv {STATE}/static/live {STATE}/static/away"), "fault", "status 503",
         undo=sh(f"rm {STATE}/static/away")),
    Case("nginx.connections", sh("sed -i 's/worker_connections .*/worker_connections 768;/' /etc/nginx/nginx.conf"), "warning",
         "takes 768 connections"),
    Case("tls.served", foreign_certificate, "fault", "instead of", undo=own_certificate),
    Case("tls.trusted", sh("rm /usr/local/share/ca-certificates/pebble.crt; update-ca-certificates --fresh"), "warning",
         "certificate", lambda patient: (
             patient.machine.write("/usr/local/share/ca-certificates/pebble.crt", patient.pebble.root()),
             patient.shell("update-ca-certificates --fresh"))),
    Case("certificate.state", sh(f"mv {STATE}/tls/live {STATE}/tls/away"), "fault", "it is missing",
         undo=sh(f"rm -f {STATE}/tls/away")),
    Case("certificate.validity", certificate_of("-80d"), "warning", "in (9|10) days"),
    Case("certificate.validity", certificate_of("-100d"), "fault", "ended", name="ended"),
    Case("certificate.names", settings(TLS_NAMES="further.example.test"), "fault", "it is not for further.example.test",
         undo=settings()),
    Case("certificate.renewal", sh("systemctl stop commento-cert-renew.timer"), "fault", "nothing is renewed"),
    Case("certificate.further", sh("mkdir -p /etc/commento-stack/certificates; "
                                   "echo DOMAIN=further.example.test > /etc/commento-stack/certificates/further.conf; "
                                   "echo 'server { listen 80; server_name further.example.test; "
                                   "include /usr/share/commento-stack/nginx/acme-challenge.conf; }' > /etc/nginx/conf.d/further.conf; "
                                   "systemctl reload nginx"),
         "fault", r"further \(missing\)", undo=sh("rm /etc/commento-stack/certificates/further.conf "
                                                "/etc/nginx/conf.d/further.conf; systemctl reload nginx")),
    Case("authority.directory", lambda patient: patient.pebble.stop(), "fault", "localhost",
         lambda patient: patient.pebble.start()),
    Case("authority.limits", lambda patient: (patient.lame("set"), patient.set(TLS_NAMES="further.example.test"),
                                              patient.shell("commentoctl restart; ! commentoctl cert renew")),
         "warning", "asked again from .*further.example.test",
         lambda patient: (patient.lame("clear"), patient.shell("commentoctl cert renew --force")), undo=settings()),
    Case("database.answers", sh("systemctl stop postgresql 'postgresql@*'"), "fault", "socket", undo=sh("systemctl restart commento.target")),
    Case("database.parts", lambda patient: patient.sql('REVOKE commento FROM "commento-db"'), "fault", "database's parts are not as"),
    Case("database.connections", crowd, "fault", "all connections", uncrowd),
    Case("database.version", nothing, "warning", "has had no more fixes since", nothing, later="+1460d"),
    Case("application.answers", sh("systemctl stop commento"), "fault", "connect|refused"),
    Case("application.database", sh("systemctl stop commento-db-pool"), "fault", "get at the database|connect|slow|time"),
    Case("application.release", sh(f"cd {STATE}/app; readlink current > /root/former; cp -r $(readlink current) releases/commento-v1.8.0; "
                                   "ln -sfn releases/commento-v1.8.0 current"), "warning", "the project has ended",
         sh(f"cd {STATE}/app; ln -sfn $(cat /root/former) current; rm -r releases/commento-v1.8.0"),
         # It takes a release from the internet, which is not here.
         prints="sudo commentoctl setup --set APP_SHA256= --set APP_ARCHIVE= && sudo commentoctl app upgrade"),
    Case("backups.age", old_backup, "fault", "7[12] hours old", undo=sh("commentoctl backup verify latest")),
    Case("backups.age", sh(f"rm {STATE}/backups/*.zip"), "warning", "no backup yet", name="none",
         undo=sh("commentoctl backup verify latest")),
    Case("backups.verified", sh("commentoctl backup now"), "warning", "not put back for a trial"),
    Case("backups.schedule", sh("systemctl stop commento-db-backup.timer"), "fault", "no backup is made"),
    Case("units.target", sh("systemctl stop commento.target"), "fault", "commento.target is inactive"),
    Case("units.enabled", sh("systemctl disable commento.target"), "fault", "does not start at boot"),
    Case("units.failed", lambda patient: (patient.sql('REVOKE commento FROM "commento-db"'),
                                          patient.shell("systemctl start commento-db-check || :"),
                                          patient.shell("commentoctl db provision")),
         "fault", "commento-db-check.service"),
    Case("units.masked", sh("systemctl mask commento-db-copy.service"), "fault", "commento-db-copy.service"),
    Case("units.stale", sh("mkdir -p /etc/systemd/system/commento.service.d; "
                           "echo '[Service]' > /etc/systemd/system/commento.service.d/ours.conf"), "warning", "commento.service"),
    Case("files.state", sh(f"chown root:root {STATE}/app; chmod 0777 {STATE}/acme"), "fault", "app is root:root"),
    Case("files.keys", sh(f"chmod 0644 {STATE}/tls/live/privkey.pem"), "fault", "privkey.pem"),
    Case("files.package", sh("echo >> /usr/share/commento-stack/secrets.conf"), "fault", "secrets.conf",
         undo=sh("commentoctl restart")),
    Case("selinux.booleans", sh("echo off > /srv/httpd_can_network_connect"), "fault", "may not connect", under=ENFORCING),
    Case("selinux.contexts", sh("rm /srv/labelled"), "fault", "not as the policy has them", under=ENFORCING),
]


@pytest.mark.parametrize("case", CASES, ids=[f"{case.check}{'-' * bool(case.name)}{case.name}" for case in CASES])
def test_a_check_sees_what_is_broken_and_its_remedy_mends_it(patient, case):
    [before] = patient.look(case.check, under=case.under)
    assert before["found"] in ("ok", "skipped"), before

    case.breaks(patient)
    mend = case.mend
    try:
        [finding] = patient.look(case.check, later=case.later, under=case.under)
        assert finding["found"] == case.found and re.search(case.saw, finding["saw"]), finding
        assert finding["remedy"] and (not case.prints or finding["remedy"] == case.prints), finding

        if mend:
            mend(patient)
            mend = None
        else:
            mended = patient.machine.run(["sh", "-c", finding["remedy"]], check=False, timeout=180)
            assert mended.exit_code == 0, (finding["remedy"], mended.output)
            await_workers(patient.machine)
            case.then(patient)
        assert [each["found"] for each in patient.look(case.check, under=case.under)] == ["ok"]
    finally:
        if mend:
            mend(patient)
        case.undo(patient)


def test_every_check_is_broken_above(patient):
    names = {line.split()[0] for line in patient.machine.run(["commentoctl", "doctor", "--list"]).stdout.splitlines()[1:]}

    assert len(names) >= 30
    assert names == {case.check for case in CASES}


def test_the_site_is_well_and_all_checks_take_one_look(patient):
    patient.shell("commentoctl restart")
    patient.look()

    done = patient.machine.run(["commentoctl", "doctor"], check=False, timeout=120)

    assert done.exit_code == 0, done.output
    assert "0 faults" in done.stdout


def test_fix_runs_what_is_safe_and_leaves_the_rest_to_the_operator(patient):
    patient.shell(f"systemctl stop commento-cert-renew.timer; chmod 0644 {SECRETS}; systemctl mask commento-db-copy.service")
    try:
        done = patient.machine.run(["commentoctl", "doctor", "--fix", "--yes", "certificate", "settings", "units"], check=False,
                                   timeout=120)

        assert done.exit_code == 12 and "faults: units.masked" in done.stderr, done.output
        assert [patient.look(check)[0]["found"] for check in ("certificate.renewal", "settings.modes")] == ["ok", "ok"]
    finally:
        patient.shell("systemctl unmask commento-db-copy.service")


def test_fix_asks_before_and_without_a_terminal_says_how_to_agree(patient):
    patient.shell("systemctl stop commento-cert-renew.timer")

    done = patient.machine.run(["commentoctl", "doctor", "--fix", "certificate.renewal"], check=False)

    assert done.exit_code == 2 and "add --yes" in done.stderr
    assert patient.machine.unit("commento-cert-renew.timer")["ActiveState"] == "inactive"
    patient.shell("commentoctl doctor --fix --yes certificate.renewal")


def test_on_a_terminal_fix_runs_what_is_agreed_to_and_nothing_else(patient):
    patient.shell(f"systemctl stop commento-cert-renew.timer; chmod 0644 {SECRETS}")
    terminal = Terminal(patient.machine, ["commentoctl", "doctor", "--fix", "settings.modes", "certificate.renewal"])
    terminal.expect("settings.modes: sudo ")
    terminal.expect("Run it? [Y/n]")
    terminal.type("n")
    terminal.expect("certificate.renewal: sudo systemctl start commento-cert-renew.timer")
    terminal.expect("Run it? [Y/n]")
    terminal.type("y")

    assert terminal.end() == 12
    assert [patient.look(check)[0]["found"] for check in ("settings.modes", "certificate.renewal")] == ["fault", "ok"]
    patient.shell("commentoctl doctor --fix --yes settings.modes")


def test_a_word_that_is_no_check_and_a_user_who_is_not_root_are_told_what_to_do(patient):
    unknown = patient.machine.run(["commentoctl", "doctor", "tls.nothing", "moon"], check=False)
    nobody = patient.machine.run(["commentoctl", "doctor", "dns"], check=False, user="nobody")

    assert unknown.exit_code == 2 and "no check is called moon, tls.nothing" in unknown.stderr
    assert "groups: settings, messages, dns, " in unknown.stderr
    assert nobody.exit_code == 3 and "hint: sudo commentoctl doctor dns" in nobody.stderr
