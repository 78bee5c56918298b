"""Messages to the operator: of what fails, by whom and when, and what is never in them."""

import json
import re

import pytest

from machine import started_site
from machine.inbox import HOOKS, MAIL, PASSWORD, USER, WEBHOOK, Inbox, parse, text_of

FOLDER = "/var/lib/commento-stack/notify"
SECRETS = "/etc/commento-stack/secrets.conf"
SETTINGS_FAULT, NETWORK_FAULT, DATABASE_FAULT, WEB_FAULT = 2, 5, 9, 8
AKISMET, RESTIC = "akismet/key+of=mine", "restic-secret-of-mine"
BY_SMTP = {"NOTIFY_EMAIL": "ops@example.test, deputy@example.test", "NOTIFY_SMTP_URL": f"smtp://{MAIL}",
           "NOTIFY_SMTP_USER": USER}


@pytest.fixture(scope="module")
def the_site():
    with started_site() as site:
        site.inbox = Inbox(site.machine)
        yield site


@pytest.fixture
def site(the_site):
    """With a mail server and a webhook, and nothing that was ever told."""
    the_site.inbox.start_mail()
    the_site.inbox.start_hooks()
    configure(the_site, **BY_SMTP)
    write_secrets(the_site)
    yield the_site
    machine = the_site.machine
    for name in machine.run(["ls", "/run/systemd/system"]).stdout.split():
        if name.endswith(".d") or name.startswith("commento-try"):
            machine.run(["rm", "-rf", f"/run/systemd/system/{name}"])
    machine.run(["systemctl", "daemon-reload"])
    forget(the_site)


def configure(site, **changes):
    site.configure(**changes)


def write_secrets(site, **more: str | None) -> None:
    values = {"NOTIFY_SMTP_PASSWORD": PASSWORD, "NOTIFY_WEBHOOK": WEBHOOK, "COMMENTO_AKISMET_KEY": AKISMET} | more
    site.machine.write(SECRETS, "".join(f"{key}={value}\n" for key, value in values.items() if value), 0o640,
                       "root:commento")


def forget(site) -> None:
    """As if nothing had ever failed."""
    machine = site.machine
    machine.run(["systemctl", "stop", "commento-notify*"])
    machine.run(["systemctl", "reset-failed"])
    machine.run(["find", FOLDER, "-type", "f", "-delete"])
    site.inbox.clear()


def fail(site, unit: str = "commento-app-install", says: str = "error words", status: int = NETWORK_FAULT,
         command: str | None = None) -> None:
    """Has a unit fail as a program of ours does: what it says at the level of errors, and its status."""
    lines = " ".join(quoted(line) for line in says.splitlines())
    command = command or f"printf '<3>%s\\n' {lines}; exit {status}"
    program(site, unit, command)
    site.machine.run(["systemctl", "start", unit], check=False)
    settle(site, unit)


def succeed(site, unit: str = "commento-app-install") -> None:
    program(site, unit, "exit 0")
    site.machine.run(["systemctl", "start", unit])
    settle(site, unit)


def quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def program(site, unit: str, command: str) -> None:
    site.machine.write("/srv/try.sh", f"#!/bin/sh\n{command}\n", 0o755)
    site.machine.write(f"/run/systemd/system/{unit}.service.d/zz-try.conf",
                       "[Service]\nExecStart=\nExecStart=/srv/try.sh\nExecStopPost=\nStandardOutput=journal\n")
    site.machine.run(["systemctl", "daemon-reload"])


def settle(site, unit: str) -> None:
    """Until nobody is about to tell anything of that unit any more. Between two tries a teller is in auto-restart."""
    def is_done() -> bool:
        jobs = site.machine.run(["systemctl", "list-jobs", "--no-legend", "--full"]).stdout
        tellers = [f"commento-notify@{unit}", f"commento-notify-well@{unit}", f"commento-notify-sendmail@{unit}"]
        return "commento-notify" not in jobs and all(
            site.machine.unit(f"{teller}.service")["SubState"] in ("dead", "failed", "auto-restart") for teller in tellers)

    site.machine.wait_until(f"{unit} is told of", is_done, timeout=90)


class Journal:
    """What is logged from now on."""

    def __init__(self, site):
        self._machine = site.machine
        told = self._machine.run(["journalctl", "--lines=1", "--show-cursor", "--quiet"]).stdout
        self._cursor = told.rsplit("-- cursor: ", 1)[1].strip()

    def of(self, unit: str) -> str:
        return self._machine.journal(unit, options=[f"--after-cursor={self._cursor}"])


def subjects(site) -> list[str]:
    return [letter["letter"]["Subject"] for letter in site.inbox.letters()]


def test_a_failed_unit_reaches_the_operator_by_mail_and_webhook(site):
    fail(site, says="the authority is on holiday\nhint: wait until it is back")

    [taken], [call] = site.inbox.letters(), site.inbox.calls()
    assert taken["to"] == ["ops@example.test", "deputy@example.test"]
    assert taken["tls"] and taken["authenticated"]
    letter, text = taken["letter"], taken["text"]
    assert letter["Subject"] == "[https://comments.example.test] commento-app-install failed"
    assert letter["Auto-Submitted"] == "auto-generated"
    for words in ("commento-app-install.service failed on machine", "the authority is on holiday",
                  "hint: wait until it is back", "exit status 5: A server could not be reached",
                  "journalctl -u commento-app-install.service", "commentoctl status"):
        assert words in text
    assert call["type"] == "application/json"
    told = call["told"]
    assert told["state"] == "failed" and told["unit"] == "commento-app-install.service"
    assert told["exit_status"] == NETWORK_FAULT and told["message"] == "the authority is on holiday"
    assert told["hint"] == "wait until it is back" and told["host"] == "machine"
    assert "on holiday" in told["text"]


@pytest.fixture(params=["info", "notice"])
def quiet(site, request):
    """By the latter, systemd does not tell where a run begins."""
    site.machine.write("/run/systemd/system/commento-app-install.service.d/level.conf", f"[Service]\nLogLevelMax={request.param}\n")
    fail(site, says="words of an earlier run\nhint: an earlier one")
    return site


def assert_told_without_run(site) -> None:
    entries = site.machine.run(["journalctl", "--output=json", "MESSAGE=late words"]).stdout
    assert "_SYSTEMD_INVOCATION_ID" not in json.loads(entries.splitlines()[-1]), "else this test shows nothing"
    told = site.inbox.calls()[-1]["told"]
    assert (told["message"], told["hint"]) == ("late words", "a late one")


def test_words_that_the_journal_gets_when_their_unit_is_gone_are_told(quiet):
    machine = quiet.machine
    program(quiet, "commento-app-install", f"printf '<3>late words\\n<3>hint: a late one\\n'; exit {NETWORK_FAULT}")
    machine.run(["systemctl", "kill", "--signal=STOP", "systemd-journald"])
    try:
        machine.run(["systemctl", "start", "commento-app-install"], check=False)
    finally:
        machine.run(["systemctl", "kill", "--signal=CONT", "systemd-journald"])
    settle(quiet, "commento-app-install")

    assert_told_without_run(quiet)


def test_words_whose_run_the_journal_does_not_know_are_told_where_they_come_before_those_of_its_end(quiet):
    quiet.machine.write("/run/systemd/system/commento-app-install.service.d/unknown.conf",
                        "[Service]\nExecStartPre=+rm /run/systemd/units/invocation:%n\n")
    fail(quiet, says="late words\nhint: a late one")

    assert_told_without_run(quiet)


def test_the_same_failure_is_told_once_and_another_one_at_once(site):
    for moment in ("10:00", "10:10"):
        fail(site, says=f"the authority did not answer at {moment}")
    assert len(site.inbox.letters()) == len(site.inbox.calls()) == 1
    fail(site, says="the disk is full")
    assert len(site.inbox.letters()) == 2
    assert "failed 3 times on end" in site.inbox.letters()[1]["text"]


def test_a_unit_that_fails_in_ever_new_ways_is_no_flood(site):
    for word in ("alpha", "beta", "gamma", "delta", "epsilon", "zeta"):
        fail(site, says=word)
    assert len(site.inbox.letters()) == 4


def test_after_six_hours_it_is_told_again(site):
    fail(site)
    record = json.loads(site.machine.read(f"{FOLDER}/commento-app-install.json"))
    for told in record["told"]:
        told["at"] -= 6 * 3600
    site.machine.write(f"{FOLDER}/commento-app-install.json", json.dumps(record), 0o600,
                       "commento-notify:commento-notify")
    fail(site)
    assert len(site.inbox.letters()) == 2


def test_a_record_that_was_cut_off_is_begun_anew(site):
    fail(site)
    site.machine.write(f"{FOLDER}/commento-app-install.json", '{"since": 12, "to', 0o600, "commento-notify:commento-notify")
    fail(site)
    assert len(site.inbox.letters()) == 2


def test_the_end_of_a_failure_is_told_once(site):
    fail(site)
    fail(site)
    succeed(site)
    assert subjects(site)[1:] == ["[https://comments.example.test] commento-app-install is well again"]
    assert "It had failed since" in site.inbox.letters()[1]["text"] and "2 times" in site.inbox.letters()[1]["text"]
    assert [call["told"]["state"] for call in site.inbox.calls()] == ["failed", "well"]
    succeed(site)
    assert len(site.inbox.letters()) == 2


def test_what_fails_and_is_well_in_turn_is_no_flood(site):
    for _ in range(3):
        fail(site)
        succeed(site)
    assert len(site.inbox.letters()) == 2


def test_success_starts_no_process_where_nothing_failed(site):
    succeed(site)
    assert site.machine.unit("commento-notify-well@commento-app-install.service")["ConditionResult"] == "no"


def test_what_was_told_survives_a_power_cut(site):
    fail(site)
    site.machine.power_cut()
    site.machine.wait_until("commento.target", lambda: site.machine.unit("commento.target")["ActiveState"] == "active")
    settle(site, "commento-app-install")
    # /run is new, and what failed by our doing started well.
    assert [subject.split("] ")[1] for subject in subjects(site)] == ["commento-app-install failed",
                                                                     "commento-app-install is well again"]


def test_a_pause_that_the_authority_demands_is_no_failure_of_its_own(site):
    fail(site, says="the authority is down")
    fail(site, says="the authority must not be asked before tomorrow", status=7)
    assert len(site.inbox.letters()) == 1


def test_no_secret_is_ever_in_a_message(site):
    log = Journal(site)
    site.machine.write("/etc/commento-stack/backup-copy.env", f"RESTIC_PASSWORD={RESTIC}\n", 0o600)
    secrets = [PASSWORD, WEBHOOK, "T0KEN-of-the-hook", AKISMET, "akismet%2Fkey%2Bof%3Dmine", RESTIC]
    said = " ".join(secrets) + " postgresql://user:hunter2@db.example.test/x"
    fail(site, says=f"{said}\nhint: {said}")

    [taken], [call] = site.inbox.letters(), site.inbox.calls()
    for secret in [*secrets, "hunter2"]:
        for form in (taken["text"], str(taken["letter"]), call["body"]):
            assert secret not in form
    assert "postgresql://user:***@db.example.test/x" in taken["text"]
    assert not [secret for secret in secrets if secret in log.of("commento-notify@*")]


def test_hostile_words_stay_words(site):
    fail(site, command="printf '<3>x\\r\\n<3>Bcc: victim@example.test\\033[2J\\302\\233\\377\\n<3>.\\n<3>Subject: mine\\n'; exit 5")
    [taken] = site.inbox.letters()
    letter, text = taken["letter"], taken["text"]
    assert letter["Bcc"] is None and letter.get_all("Subject") == ["[https://comments.example.test] commento-app-install failed"]
    assert taken["to"] == ["ops@example.test", "deputy@example.test"]
    assert "Bcc: victim@example.test" in text and "Site: https" in text
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", text)


def test_a_message_of_a_megabyte_becomes_a_short_one(site):
    fail(site, command="{ printf '<3>'; head -c 1000000 /dev/zero | tr '\\0' x; echo; } ; exit 5")
    [taken] = site.inbox.letters()
    assert len(taken["content"]) < 60000 and "xxx..." in taken["text"]


def test_what_takes_mail_no_more_is_tried_again_and_nothing_told_twice(site):
    site.inbox.stop("mail")
    log = Journal(site)
    fail(site)
    teller = "commento-notify@commento-app-install.service"
    assert site.machine.unit(teller)["SubState"] == "auto-restart"
    assert f"mail server {MAIL}:587 did not take the mail" in log.of(teller)
    assert len(site.inbox.calls()) == 1

    site.inbox.start_mail()
    site.machine.run(["systemctl", "restart", teller])
    settle(site, "commento-app-install")
    assert len(site.inbox.letters()) == 1 and len(site.inbox.calls()) == 1


@pytest.mark.parametrize("behaviour, words", [("hang", "imed out"), ("refuse", "550"), ("no-tls", "STARTTLS")])
def test_a_mail_server_that_does_not_take_it_holds_nobody_up(site, behaviour, words):
    site.inbox.start_mail(behaviour)
    log = Journal(site)
    fail(site)
    assert words in log.of("commento-notify@commento-app-install.service")
    assert len(site.inbox.calls()) == 1 and site.inbox.letters() == []


def test_a_mistyped_recipient_keeps_nothing_from_the_others(site):
    configure(site, **BY_SMTP | {"NOTIFY_EMAIL": "nobody@example.test ops@example.test"})
    fail(site)
    [taken] = site.inbox.letters()
    assert taken["to"] == ["ops@example.test"]
    told = site.machine.run(["commentoctl", "notify", "test"], check=False)
    assert told.exit_code == NETWORK_FAULT and "550" in told.output


def test_what_was_stopped_did_not_fail(site):
    program(site, "commento-cert-renew", "exec sleep 600")
    site.machine.run(["systemctl", "start", "--no-block", "commento-cert-renew"])
    site.machine.wait_until("it runs", lambda: site.machine.unit("commento-cert-renew")["ActiveState"] == "activating")
    site.machine.run(["systemctl", "stop", "commento-cert-renew"], check=False)
    settle(site, "commento-cert-renew")
    assert site.inbox.letters() == []


def test_a_run_that_takes_too_long_is_told(site):
    program(site, "commento-app-install", "exec sleep 600")
    site.machine.write("/run/systemd/system/commento-app-install.service.d/zz-time.conf", "[Service]\nTimeoutStartSec=1s\n")
    site.machine.run(["systemctl", "daemon-reload"])
    site.machine.run(["systemctl", "start", "commento-app-install"], check=False)
    settle(site, "commento-app-install")
    assert "It ended with timeout" in site.inbox.letters()[0]["text"]


# --- the ways ---

def test_the_applications_mail_server_is_used_where_nothing_else_is_said(site):
    configure(site, COMMENTO_SMTP_HOST=MAIL, COMMENTO_SMTP_PORT="587", COMMENTO_SMTP_USERNAME=USER,
              COMMENTO_SMTP_FROM_ADDRESS="comments@example.test")
    write_secrets(site, NOTIFY_SMTP_PASSWORD=None, COMMENTO_SMTP_PASSWORD=PASSWORD, NOTIFY_WEBHOOK=None)
    said = site.machine.run(["commentoctl", "notify", "test"]).stdout
    [taken] = site.inbox.letters()
    assert f"mail to owner@example.test by {MAIL}:587" in said
    assert taken["to"] == ["owner@example.test"] and taken["from"] == "comments@example.test" and taken["tls"]
    assert "This is a test" in taken["text"]


def test_mail_goes_over_tls_from_the_first_byte_with_smtps(site):
    configure(site, **BY_SMTP | {"NOTIFY_SMTP_URL": f"smtps://{MAIL}"})
    site.machine.run(["commentoctl", "notify", "test"])
    assert site.inbox.letters()[0]["tls"] and site.inbox.letters()[0]["authenticated"]


def test_a_wrong_password_is_named_and_not_shown(site):
    write_secrets(site, NOTIFY_SMTP_PASSWORD="wrong-horse")
    told = site.machine.run(["commentoctl", "notify", "test"], check=False)
    assert told.exit_code == NETWORK_FAULT
    assert "check user and password" in told.output and "wrong-horse" not in told.output


def test_a_webhook_that_refuses_is_named_without_its_address(site):
    site.inbox.start_hooks(status=403)
    told = site.machine.run(["commentoctl", "notify", "test"], check=False)
    assert told.exit_code == NETWORK_FAULT and f"{HOOKS}:8443" in told.output and "status 403" in told.output
    assert "T0KEN" not in told.output
    site.inbox.stop("hooks")
    told = site.machine.run(["commentoctl", "notify", "test"], check=False)
    assert "T0KEN" not in told.output and "did not take the message" in told.output


def test_without_any_way_the_journal_says_so_once_and_nothing_fails(site):
    configure(site)
    write_secrets(site, NOTIFY_SMTP_PASSWORD=None, NOTIFY_WEBHOOK=None)
    log = Journal(site)
    fail(site)
    fail(site)
    assert log.of("commento-notify@commento-app-install.service").count("no way to the operator is set") == 1
    assert site.machine.unit("commento-notify@commento-app-install.service")["Result"] == "success"
    told = site.machine.run(["commentoctl", "notify", "test"], check=False)
    assert told.exit_code == SETTINGS_FAULT and "NOTIFY_WEBHOOK" in told.output


def test_faulty_settings_are_told_by_what_is_usable_of_them(site):
    configure(site, **BY_SMTP | {"DATABASE_PORT": "none", "NOTIFY_SMTP_URL": f"smtp://{MAIL}"})
    site.machine.run(["systemctl", "start", "commento-nginx-render"], check=False)
    settle(site, "commento-nginx-render")
    assert "DATABASE_PORT" in site.inbox.letters()[0]["text"]
    assert "exit status 2" in site.inbox.letters()[0]["text"]


_RECORDER = """#!/bin/sh
{ printf '%s\\n' "$*"; id -un; env; echo; } > /var/spool/recorded.head
cat > /var/spool/recorded.eml
"""


@pytest.fixture
def sendmail(site):
    """A host with a mail program and no setting."""
    configure(site)
    write_secrets(site, NOTIFY_SMTP_PASSWORD=None, NOTIFY_WEBHOOK=None)
    site.machine.write("/usr/sbin/sendmail", _RECORDER, 0o755)
    yield site
    site.machine.run(["sh", "-c", "rm -f /usr/sbin/sendmail /var/spool/recorded.*"])


def test_the_hosts_sendmail_is_used_where_no_server_is_set(sendmail):
    fail(sendmail)
    settle(sendmail, "commento-app-install")
    arguments, _, *environment = sendmail.machine.read("/var/spool/recorded.head").splitlines()
    letter = parse(sendmail.machine.read("/var/spool/recorded.eml").encode())
    assert arguments == "-oi -f commento-stack@comments.example.test -- owner@example.test"
    assert letter["Subject"].endswith("commento-app-install failed") and "error words" in text_of(letter)
    assert {line.split("=")[0] for line in environment if line} <= {"PATH", "LC_ALL", "PWD", "SHLVL", "_", "OLDPWD"}
    assert sendmail.machine.run(["ls", f"{FOLDER}/outbox"]).stdout == ""
    said = sendmail.machine.run(["commentoctl", "notify", "test"]).stdout
    assert "/usr/sbin/sendmail has taken the mail to owner@example.test" in said


def test_a_sendmail_that_fails_keeps_the_mail_for_later(sendmail):
    log = Journal(sendmail)
    sendmail.machine.write("/usr/sbin/sendmail", "#!/bin/sh\ncat >/dev/null; echo no queue >&2; exit 75\n", 0o755)
    fail(sendmail)
    sender = "commento-notify-sendmail@commento-app-install.service"
    assert sendmail.machine.unit(sender)["SubState"] == "auto-restart"
    assert "status 75: no queue" in log.of(sender)
    assert sendmail.machine.run(["ls", f"{FOLDER}/outbox"]).stdout.strip() == "commento-app-install.eml"


def test_a_link_in_the_outbox_leads_sendmail_to_no_other_file(sendmail):
    sendmail.machine.run(["ln", "-s", "/etc/shadow", f"{FOLDER}/outbox/x.eml"], user="commento-notify")
    sendmail.machine.run(["systemctl", "start", "commento-notify-sendmail@x"], check=False)
    sendmail.machine.run(["systemctl", "stop", "commento-notify-sendmail@x"], check=False)
    assert not sendmail.machine.exists("/var/spool/recorded.eml")
    sendmail.machine.run(["rm", f"{FOLDER}/outbox/x.eml"])


@pytest.mark.parametrize("server, packages", [("exim4-daemon-light", ["exim4-base", "exim4-config"]), ("postfix", ["postfix"])],
                         ids=["exim", "postfix"])
def test_a_real_mail_server_takes_it_though_its_program_needs_rights_of_its_own(site, server, packages):
    """Exim's becomes root or another user, Postfix's takes the rights of a group; both deliver after it has ended."""
    machine = site.machine
    configure(site, NOTIFY_EMAIL="root@machine.example.test")
    write_secrets(site, NOTIFY_SMTP_PASSWORD=None, NOTIFY_WEBHOOK=None)
    machine.write("/etc/mailname", "machine.example.test\n")
    machine.install([server], "--no-install-recommends")
    try:
        fail(site)
        letter = machine.wait_until("the mail is in root's mailbox, as a whole", lambda: arrived(machine, "error words"))
        assert "Subject: [https://comments.example.test] commento-app-install failed" in letter
        assert "return-path: <commento-stack@comments.example.test>" in letter.lower() and "error words" in letter
    finally:
        machine.run(["apt-get", "purge", "--yes", "--autoremove", *packages], timeout=120)
        machine.run(["sh", "-c", "rm -f /var/mail/*"])


def arrived(machine, words: str) -> str:
    text = mailbox(machine)
    return text if words in text else ""


def mailbox(machine) -> str:
    """Where Debian's exim and Postfix put mail for root while nobody else is to get it."""
    return machine.run(["sh", "-c", "cat /var/mail/mail /var/mail/root"], check=False).stdout


# --- what really fails ---

def test_a_renewal_with_the_authority_down_is_told_and_so_is_its_end(site):
    site.machine.run(["sh", "-c", "rm -rf /var/lib/commento-stack/tls/* /var/lib/commento-stack/acme/certificates"])
    configure(site, **BY_SMTP | {"ACME_DIRECTORY": "https://authority.example.test/directory"})
    site.machine.run(["systemctl", "start", "commento-cert-bootstrap"])
    site.machine.run(["systemctl", "start", "commento-cert-renew"], check=False, timeout=120)
    settle(site, "commento-cert-renew")
    assert subjects(site) == ["[https://comments.example.test] commento-cert-renew failed"]
    assert "authority.example.test" in site.inbox.letters()[0]["text"]

    configure(site, **BY_SMTP)
    site.machine.run(["systemctl", "start", "commento-cert-renew"], timeout=120)
    settle(site, "commento-cert-renew")
    assert subjects(site)[1:] == ["[https://comments.example.test] commento-cert-renew is well again"]


def test_a_stopped_database_is_told_by_backup_and_check_and_a_stopped_target_is_not(site):
    machine = site.machine
    machine.run(["systemctl", "stop", "postgresql@15-main"])
    try:
        machine.run(["systemctl", "start", "commento-db-backup"], check=False, timeout=120)
        machine.run(["systemctl", "start", "commento-app-check"], check=False, timeout=120)
        for unit in ("commento-db-backup", "commento-app-check"):
            settle(site, unit)
    finally:
        machine.run(["systemctl", "start", "postgresql@15-main"])
    told = {call["told"]["unit"]: call["told"] for call in site.inbox.calls()}
    assert told["commento-db-backup.service"]["exit_status"] == DATABASE_FAULT
    assert told["commento-app-check.service"]["exit_status"] == DATABASE_FAULT
    assert "its database does not" in told["commento-app-check.service"]["message"]

    machine.run(["systemctl", "start", "commento-app-check"])
    settle(site, "commento-app-check")
    assert site.inbox.calls()[-1]["told"]["state"] == "well"

    site.inbox.clear()
    assert machine.unit("commento-app-check.timer")["ActiveState"] == "active"
    machine.run(["systemctl", "stop", "commento.target"])
    machine.wait_until("its end", lambda: machine.has_ended("commento-app-check.timer"))
    assert site.inbox.letters() == []
    machine.run(["systemctl", "start", "commento.target"], timeout=120)



def test_a_front_that_does_not_run_is_told(site):
    site.machine.run(["systemctl", "stop", "nginx"])
    try:
        site.machine.run(["systemctl", "start", "commento-app-check"], check=False, timeout=120)
        settle(site, "commento-app-check")
    finally:
        site.machine.run(["systemctl", "start", "nginx"])
    [call] = site.inbox.calls()
    assert call["told"]["exit_status"] == WEB_FAULT and "nginx.service is inactive" in call["told"]["message"]


def test_a_backup_onto_a_full_disk_is_told(site):
    machine = site.machine
    machine.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=0700", "tmpfs", "/var/lib/commento-stack/backups"])
    try:
        machine.run(["chown", "commento-backup:commento-backup", "/var/lib/commento-stack/backups"])
        machine.run(["sh", "-c", "head -c 60k /dev/zero > /var/lib/commento-stack/backups/filler"])
        machine.run(["systemctl", "start", "commento-db-backup"], check=False, timeout=120)
        settle(site, "commento-db-backup")
    finally:
        machine.run(["umount", "/var/lib/commento-stack/backups"])
    assert "No space left on device" in site.inbox.letters()[0]["text"]
