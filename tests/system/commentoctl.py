"""The operator's command: setup, status, show-config and the verbs of the helpers, on the installed package."""

import contextlib
import json
import os
import re
import subprocess
import threading

import pytest

from machine import Machine, NameServer, Site, Terminal, roots
from machine.site import await_workers, started_site
from machine.certificates import served
from machine.terminal import in_russian

SETTINGS = "/etc/commento-stack/commento-stack.conf"
SECRETS = "/etc/commento-stack/secrets.conf"
TEMPLATE = "/usr/share/commento-stack/commento-stack.conf"
NAMES = ["--domain", "comments.example.test", "--email", "owner@example.test"]
HELPER_VERBS = [["app", "install"], ["cert", "bootstrap"], ["cert", "renew"], ["db", "provision"], ["nginx", "reload"],
                ["nginx", "render"]]


def ctl(machine, *arguments, **options):
    return machine.run(["commentoctl", *arguments], check=False, timeout=150, **options)


def flags(settings: dict[str, str]) -> list[str]:
    return [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]


def parts(machine) -> dict:
    return json.loads(ctl(machine, "status", "--json").stdout)["parts"]


def unwell(machine) -> set[str]:
    return {name for name, part in parts(machine).items() if part["health"] == "unwell"}


def identity(machine, *paths: str) -> str:
    """Changes with every write."""
    return machine.run(["stat", "--format=%n %i %Y %Z %a %U:%G", *paths]).stdout


def edit(machine, **changes: str) -> None:
    """Changes lines of the settings file as an operator with an editor does."""
    text = machine.read(SETTINGS)
    for key, value in changes.items():
        text, count = re.subn(rf"^#?{key}=.*$", f"{key}={value}", text, flags=re.M)
        text += "" if count else f"{key}={value}\n"
    machine.write(SETTINGS, text)


@pytest.fixture(scope="module")
def shared_machine():
    """One machine for all: each test writes the whole file anew, or nothing."""
    with Machine(roots.installed()) as made:
        yield made


# --- setup ---

def test_setup_by_flags_changes_only_the_lines_it_is_asked_to_change(machine):
    done = ctl(machine, "setup", *NAMES, "--set", "COMMENTO_SMTP_PASSWORD=s3 cret")

    assert done.exit_code == 0, done.output
    before, after = machine.read(TEMPLATE).splitlines(), machine.read(SETTINGS).splitlines()
    assert [(old, new) for old, new in zip(before, after, strict=True) if old != new] == [
        ("DOMAIN=", "DOMAIN=comments.example.test"), ("EMAIL=", "EMAIL=owner@example.test")]
    assert 'COMMENTO_SMTP_PASSWORD="s3 cret"' in machine.read(SECRETS).splitlines()
    assert "s3 cret" not in done.output
    assert "DOMAIN: (not set) -> comments.example.test" in done.stdout
    assert machine.run(["stat", "--format=%a %U:%G", SETTINGS, SECRETS]).stdout == "644 root:root\n640 root:commento\n"


def test_setup_says_what_becomes_of_a_name_that_it_gives_up(machine):
    ctl(machine, "setup", "--offline", *NAMES)
    said = ctl(machine, "setup", "--offline", "--domain", "new.example.test").stdout
    assert "commentoctl setup --set REDIRECT_NAMES=comments.example.test" in said
    assert "given up" not in ctl(machine, "setup", "--offline", "--set", "REDIRECT_NAMES=comments.example.test").stdout


def test_setup_makes_missing_files_from_their_templates(machine):
    machine.run(["rm", "-r", "/etc/commento-stack"])

    done = ctl(machine, "setup", *NAMES)

    assert done.exit_code == 0, done.output
    assert "# ---- Certificate ----" in machine.read(SETTINGS)
    assert machine.run(["stat", "--format=%a %U:%G", SETTINGS, SECRETS]).stdout == "644 root:root\n640 root:commento\n"


def test_setup_writes_nothing_when_nothing_is_due(machine):
    ctl(machine, "setup", *NAMES)
    before = identity(machine, "/etc/commento-stack", SETTINGS, SECRETS)

    done = ctl(machine, "setup", *NAMES)

    assert (done.exit_code, done.stdout) == (0, "the settings are so already; nothing is changed\n")
    assert identity(machine, "/etc/commento-stack", SETTINGS, SECRETS) == before


def test_setup_names_all_faults_at_once_and_leaves_the_site_up(site):
    before = identity(site.machine, "/etc/commento-stack", SETTINGS, SECRETS)

    done = ctl(site.machine, "setup", "--domain", "localhost", "--email", "nobody", "--set", "HTTP_PORT=web",
               "--set", "TLS_KEY_TYPE=rsa-1024", "--set", "DOMIAN=x", "--set", "COMMENTO_SMTP_PASSWORD=a\tb", "--start")

    assert done.exit_code == 2
    for fault in ('--domain: DOMAIN "localhost" has no dot', '--email: EMAIL "nobody" is no e-mail address',
                  '--set: HTTP_PORT "web" is no port', '--set: TLS_KEY_TYPE "rsa-1024" is not one of',
                  "--set: DOMIAN is no key of commento-stack; did you mean DOMAIN?",
                  "--set: COMMENTO_SMTP_PASSWORD holds a control character"):
        assert fault in done.stderr
    assert "hint: nothing is changed" in done.stderr
    assert identity(site.machine, "/etc/commento-stack", SETTINGS, SECRETS) == before
    site.comments().check()


def test_setup_on_a_fresh_host_says_what_is_still_missing(machine):
    before = identity(machine, SETTINGS)

    done = ctl(machine, "setup", "--domain", "comments.example.test")

    assert done.exit_code == 2
    assert "EMAIL is not set" in done.stderr and "DOMAIN" not in done.stderr
    assert identity(machine, SETTINGS) == before


def test_setup_with_start_ends_with_a_site_that_serves(machine, pebble):
    site = Site(machine, pebble)

    done = ctl(machine, "setup", *flags(site.settings()), "--start")

    assert done.exit_code == 0, done.output
    assert "https://comments.example.test" in done.stdout.splitlines()
    assert machine.unit("commento.target")["UnitFileState"] == "enabled"
    await_workers(machine)
    site.comments().check()


def test_setup_with_start_has_a_running_site_take_new_settings(site):
    first = site.machine.unit("commento.service")["MainPID"]

    done = ctl(site.machine, "setup", "--set", "COMMENTO_PORT=8090", "--start")

    assert done.exit_code == 0, done.output
    assert "COMMENTO_PORT: 8080 -> 8090" in done.stdout
    second = site.machine.unit("commento.service")["MainPID"]
    assert second != first
    site.comments().check()
    assert ctl(site.machine, "setup", "--start").exit_code == 0
    assert site.machine.unit("commento.service")["MainPID"] == second


def test_setup_asks_on_a_terminal_until_the_answers_are_right(machine):
    terminal = Terminal(machine, ["commentoctl", "setup"])
    terminal.expect("DOMAIN: ")
    terminal.type("localhost")
    terminal.expect('"localhost" has no dot')
    terminal.type("comments.example.test")
    terminal.expect("EMAIL: ")
    terminal.type("owner@example.test")
    terminal.expect("Start the comment server now? [Y/n] ")
    terminal.type("n")
    assert terminal.end() == 0
    assert "DOMAIN=comments.example.test" in machine.read(SETTINGS)

    again = Terminal(machine, ["commentoctl", "setup"])
    again.expect("DOMAIN [comments.example.test]: ")
    again.type("")
    again.expect("EMAIL [owner@example.test]: ")
    os.write(again.master, b"\x04")  # Ctrl-D
    assert again.end() == 2
    assert "nothing is changed" in again.shown


def test_setup_without_flags_and_terminal_says_which_flags_to_give(machine):
    done = ctl(machine, "setup")
    assert done.exit_code == 2
    assert "hint: commentoctl setup --domain NAME --email ADDRESS" in done.stderr


def test_answers_given_to_debconf_beforehand_become_settings(pristine):
    pristine.run(["debconf-set-selections"], input="commento-stack commento-stack/domain string comments.example.test\n"
                                                   "commento-stack commento-stack/email string owner@example.test\n")
    pristine.install(["commento-stack"])
    assert "DOMAIN=comments.example.test" in pristine.read(SETTINGS)
    assert "EMAIL=owner@example.test" in pristine.read(SETTINGS)
    assert ctl(pristine, "show-config").exit_code == 0


# --- setup looks at the world ---

def test_setup_shows_what_would_not_work_before_anything_is_started(machine):
    NameServer(machine, {"example.test": "elsewhere A 10.9.9.9\nelsewhere AAAA 2001:db8::9\n@ CAA 0 issue \"other.example\"\n",
                         "letsencrypt.org": ""})
    machine.run(["systemctl", "stop", "nginx"])
    machine.run(["systemd-run", "--quiet", "--unit=squatter", "systemd-socket-activate", "--accept", "-l", "0.0.0.0:80", "/bin/cat"])
    machine.wait_until("the squatter", lambda: ":80 " in machine.run(["ss", "-Hltn"]).stdout)

    done = ctl(machine, "setup", "--domain", "elsewhere.example.test", "--email", "owner@example.test")

    assert done.exit_code == 0, done.output  # DNS may follow
    for seen in ("! elsewhere.example.test leads to 10.9.9.9, which is not this host",
                 "! elsewhere.example.test leads to 2001:db8::9, which is not this host",
                 "! the CAA records of example.test do not allow letsencrypt.org to issue for elsewhere.example.test",
                 "(squatter.service) listens at port 80", "sudo systemctl disable --now squatter.service",
                 "+ port 443 is free"):
        assert seen in done.stdout, seen
    assert "DOMAIN=elsewhere.example.test" in machine.read(SETTINGS)


def test_setup_on_a_terminal_asks_again_where_the_name_does_not_lead_here(machine):
    NameServer(machine, {"example.test": f"elsewhere A 10.9.9.9\ncomments A {machine.address}\n", "letsencrypt.org": ""})
    terminal = Terminal(machine, ["commentoctl", "setup"])
    terminal.expect("DOMAIN: ")
    terminal.type("elsewhere.example.test")
    terminal.expect("Take it nevertheless? [Y/n]")
    terminal.type("n")
    terminal.expect("DOMAIN: ")
    terminal.type("comments.example.test")
    terminal.expect("+ comments.example.test leads here")
    terminal.expect("EMAIL: ")
    terminal.type("owner@example.test")
    terminal.expect("Start the comment server now?")
    terminal.type("n")

    assert terminal.end() == 0, terminal.shown
    assert "DOMAIN=comments.example.test" in machine.read(SETTINGS)


def test_setup_offline_asks_nobody(machine):
    done = ctl(machine, "setup", "--offline", *NAMES)

    assert done.exit_code == 0 and "  ! " not in done.stdout


def test_setup_starts_shows_what_the_parts_log_and_ends_with_what_to_paste(unstarted_site):
    done = ctl(unstarted_site.machine, "setup", "--offline", "--set", "BACKUP_KEEP_DAILY=6", "--start")

    assert done.exit_code == 0, done.output
    assert re.search("current release: ", done.stdout) and "PART" in done.stdout
    assert done.stdout.endswith('<script defer src="https://comments.example.test/js/commento.js"></script>\n')


# --- version, watch, completion ---

def test_version_tells_each_part_and_what_is_known_to_be_out_of_date(site):
    machine = site.machine
    told = json.loads(ctl(machine, "version", "--json").stdout)
    table = ctl(machine, "version")

    assert set(told) == {"commento-stack", "application", "nginx", "PostgreSQL", "PgBouncer", "OpenSSL", "systemd", "distribution"}
    assert all(part["version"] for part in told.values()), told
    assert told["nginx"]["version"] in machine.run(["nginx", "-v"]).stderr
    assert told["commento-stack"]["outdated"] is None
    assert table.exit_code == 0 and "OUT OF DATE" in table.stdout
    machine.run(["sh", "-ec", "cd /var/lib/commento-stack/app; cp -r $(readlink current) releases/commento-v1.8.0; "
                 "ln -sfn releases/commento-v1.8.0 current"])
    assert "the project has ended" in json.loads(ctl(machine, "version", "--json").stdout)["application"]["outdated"]


def test_status_is_watched_on_a_terminal_until_q(site):
    terminal = Terminal(site.machine, ["commentoctl", "status", "--watch"], env={"TERM": "xterm"})
    terminal.expect("q and Enter: end")
    assert "application" in terminal.shown and "\x1b[2J" in terminal.shown
    site.machine.run(["systemctl", "stop", "commento.service"])
    terminal.expect("inactive")
    site.machine.run(["systemctl", "start", "commento.service"])
    terminal.type("q")
    terminal.end()

    piped = ctl(site.machine, "status", "--watch")
    assert piped.exit_code == 2 and "--watch needs a terminal" in piped.stderr


def test_shells_complete_verbs_options_and_words(machine):
    machine.install(["bash-completion", "zsh", "fish"])
    bash = ("source /usr/share/bash-completion/bash_completion; source /usr/share/bash-completion/completions/commentoctl; "
            "COMP_WORDS=(commentoctl backup ve); COMP_CWORD=2; _commentoctl; echo ${COMPREPLY[@]}; "
            "COMP_WORDS=(commentoctl logs d); COMP_CWORD=2; _commentoctl; echo ${COMPREPLY[@]}; "
            "COMP_WORDS=(commentoctl status --); COMP_CWORD=2; _commentoctl; echo ${COMPREPLY[@]}")
    assert machine.run(["bash", "-c", bash]).stdout.splitlines() == ["verify", "database", "--help --json --watch"]

    fish = machine.run(["fish", "-c", "complete --do-complete 'commentoctl backup v'; complete --do-complete 'commentoctl sta'"])
    assert "verify\t" in fish.stdout and "status\tShow each part" in fish.stdout

    zsh = machine.run(["zsh", "-fc", "autoload -U compinit; compinit -u; echo $_comps[commentoctl]; "
                       "autoload +X _commentoctl; _describe() { print -l $candidates }; "
                       "words=(commentoctl backup v); CURRENT=3; _commentoctl"])
    assert zsh.stdout.splitlines()[0] == "_commentoctl" and "verify:" in zsh.stdout


# --- status ---

def test_status_of_a_healthy_site(site):
    done = ctl(site.machine, "status")

    assert done.exit_code == 0, done.output
    assert done.stderr == "" and "\x1b" not in done.stdout
    rows = {line.split("  ")[0].strip(): line for line in done.stdout.splitlines()}
    assert re.search(r"application +active .*; answers in [0-9.]+ ms", done.stdout)
    assert re.search(r"database +active .* [0-9.]+ MB", done.stdout)
    assert re.search(r"certificate +valid .* comments.example.test by Pebble Intermediate CA .* days left", done.stdout)
    assert "https://comments.example.test" in rows


def test_status_for_programs(site):
    done = ctl(site.machine, "status", "--json")

    assert done.exit_code == 0, done.output
    status = json.loads(done.stdout)
    assert status["healthy"] is True and status["address"] == "https://comments.example.test"
    assert {part["health"] for part in status["parts"].values()} == {"well"}
    served = site.comments().certificate()
    assert int(status["parts"]["certificate"]["serial"], 16) == int(served["serialNumber"], 16)
    assert status["parts"]["certificate"]["names"] == ["comments.example.test"]
    assert status["parts"]["application"]["release"] in site.machine.run(["readlink", "/var/lib/commento-stack/app/current"]).stdout
    size = site.machine.run(["psql", "-XAtc", "SELECT pg_database_size('commento')"], user="postgres").stdout
    assert abs(status["parts"]["database"]["size_bytes"] - int(size)) < 1_000_000
    assert status["parts"]["renewal"]["last_result"] == "success" and status["parts"]["renewal"]["next_run"]


def test_status_is_coloured_on_a_terminal_unless_the_reader_does_not_want_that(site):
    terminal = Terminal(site.machine, ["commentoctl", "status"], env={"TERM": "xterm"})
    assert terminal.end() == 0
    assert "\x1b[32m" in terminal.shown
    plain = Terminal(site.machine, ["commentoctl", "status"], env={"TERM": "xterm", "NO_COLOR": "1"})
    assert plain.end() == 0
    assert "\x1b[3" not in plain.shown


def test_status_for_a_user_who_is_not_root(site):
    done = ctl(site.machine, "status", "--json", user="nobody")

    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)["parts"]
    assert found["database"]["health"] == "unknown" and "sudo commentoctl status" in found["database"]["detail"]
    assert {name for name, part in found.items() if part["health"] != "well"} == {"database"}


@pytest.mark.parametrize("stopped, part", [("nginx.service", "web_front"), ("commento.service", "application"),
                                           ("postgresql.service", "database"), ("commento-cert-renew.timer", "renewal")])
def test_status_names_the_part_that_is_down(site, stopped, part):
    site.machine.run(["systemctl", "stop", stopped])
    # Debian's postgresql.service is stopped before its clusters are.
    site.machine.wait_until(f"{part} is down", lambda: unwell(site.machine) == {part})

    done = ctl(site.machine, "status")

    assert done.exit_code == 12
    assert f"not well: {part.replace('_', ' ')}\n" in done.stderr and "hint: " in done.stderr
    site.machine.run(["systemctl", "start", stopped])
    site.machine.wait_until("all is well again", lambda: ctl(site.machine, "status").exit_code == 0)


def test_status_shows_the_placeholder_and_why_there_is_no_certificate(unstarted_site):
    machine = unstarted_site.machine
    unstarted_site.pebble.stop()
    unstarted_site.start()

    done = ctl(machine, "status")

    assert done.exit_code == 12
    found = parts(machine)
    assert found["certificate"]["state"] == "placeholder" and found["certificate"]["placeholder"] is True
    assert found["renewal"]["state"] == "failed" and "localhost:14000" in found["renewal"]["detail"]
    assert unwell(machine) == {"certificate", "renewal"}


def test_status_sees_that_nginx_serves_another_certificate(site):
    site.machine.run(["systemctl", "stop", "commento-nginx-reload.path"])
    live = "/var/lib/commento-stack/tls/live/fullchain.pem"
    site.machine.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "9",
                      "-subj", "/CN=other", "-keyout", "/dev/null", "-out", live])
    assert "web_front" in unwell(site.machine)
    assert parts(site.machine)["web_front"]["hint"] == "sudo commentoctl nginx reload"


# --- show-config and faults in the files ---

def test_show_config_shows_values_and_origins_but_no_secret(machine):
    ctl(machine, "setup", *NAMES, "--set", "COMMENTO_SMTP_PASSWORD=hush")

    root, nobody = ctl(machine, "show-config"), ctl(machine, "show-config", user="nobody")

    assert root.exit_code == nobody.exit_code == 0
    assert re.search(rf"^DOMAIN +comments.example.test +{SETTINGS}:[0-9]+$", root.stdout, re.M)
    assert re.search(r"^HTTPS_PORT +443 +default$", root.stdout, re.M)
    assert re.search(rf"^COMMENTO_SMTP_PASSWORD +\(set\) +{SECRETS}:[0-9]+$", root.stdout, re.M)
    assert re.search(r"^COMMENTO_SMTP_PASSWORD +\(only root can see\)", nobody.stdout, re.M)
    assert "hush" not in root.output + nobody.output


def test_faults_in_the_settings_are_all_named_and_leave_the_site_up(site):
    machine = site.machine
    edit(machine, DOMAIN="https://comments.example.test/", EMAIL="nobody", HTTP_PORT="0", TLS_KEY_TYPE="rsa-1024",
         COMMENTO_SMTP_HSOT="mail")
    faults = ["DOMAIN \"https://comments.example.test/\" is an address", "EMAIL \"nobody\" is no e-mail address",
              "HTTP_PORT \"0\" is no port", "TLS_KEY_TYPE \"rsa-1024\" is not one of",
              "COMMENTO_SMTP_HSOT is no key of commento-stack; did you mean COMMENTO_SMTP_HOST?"]

    shown = ctl(machine, "show-config")
    assert shown.exit_code == 2 and shown.stdout.startswith("KEY ")
    for verb in HELPER_VERBS:
        done = ctl(machine, *verb)
        assert done.exit_code == 2, verb
        for fault in faults:
            assert re.search(rf"^(error: )?{re.escape(SETTINGS)}:[0-9]+: {re.escape(fault)}", done.stderr, re.M), done.stderr
            assert fault in shown.stderr
    assert "DOMAIN" in machine.status("commento-cert-renew.service")
    assert ctl(machine, "status").exit_code == 12 and "settings" in unwell(machine)
    site.comments().check()


@pytest.mark.parametrize("line", ['plain', ' spaced  out ', '"a b"', "'a\\b'", '"\\"\\\\\\`\\$\\x"', 'a"b c"', '"a" \'b\' c d ', 'a\\ b\\\\c',
                                  'joined\\\nline', '"joined\\\nline"', 'ends\\ ', '"a"b"c"', "it's", 'a#b ;c', 'grün'])
def test_a_line_means_what_systemd_takes_it_for(line, shared_machine):
    machine = shared_machine
    machine.write(SETTINGS, f"DOMAIN=a.example\nEMAIL=a@b.example\nCOMMENTO_SMTP_HOST={line}\n")
    taken = machine.run(["systemd-run", "--quiet", "--wait", "--pipe", f"--property=EnvironmentFile={SETTINGS}",
                         "/usr/bin/printenv", "COMMENTO_SMTP_HOST"]).stdout.removesuffix("\n")
    shown = ctl(machine, "show-config", env={"LC_ALL": "C.UTF-8"})
    assert shown.exit_code == 0, shown.stderr
    assert re.search(rf"^COMMENTO_SMTP_HOST +{re.escape(taken)} +{SETTINGS}:3$", shown.stdout, re.M), (taken, shown.stdout)


# --- the verbs of the helpers ---

def test_helper_verbs_change_nothing_when_nothing_is_due(site):
    site.take_connections()
    files = ["find", "/etc", "/var/lib/commento-stack", "-path", "/var/lib/commento-stack/metrics*", "-prune", "-o",
             "-printf", "%p %i %T@ %C@\n"]
    for verb in HELPER_VERBS:
        ctl(site.machine, *verb)
    before = site.machine.run(files).stdout
    for verb in HELPER_VERBS:
        done = ctl(site.machine, *verb)
        assert done.exit_code == 0, done.output
        assert len(done.stdout.splitlines()) == 1 and done.stderr == "", done.output
    assert site.machine.run(files).stdout == before


def test_a_helper_verb_ends_with_the_error_and_the_exit_status_of_the_helper(site):
    edit(site.machine, APP_SHA256="0" * 64)

    done = ctl(site.machine, "app", "install")

    assert done.exit_code == 10
    assert done.stderr.startswith("error: ") and done.stderr.count("error: ") == 1 and "\nhint: " in done.stderr
    assert site.machine.unit("commento-app-install.service")["ExecMainStatus"] == "10"
    site.comments().check()


def test_a_helper_verb_tells_every_time_why_it_failed(machine):
    """Its program lives for some milliseconds: the journal must have its words all the same."""
    for _ in range(25):
        done = ctl(machine, "cert", "bootstrap")
        assert done.exit_code == 2 and "DOMAIN is not set" in done.stderr, done.output


def test_a_helper_verb_shows_what_it_does(unstarted_site):
    done = ctl(unstarted_site.machine, "app", "install")
    assert done.exit_code == 0, done.output
    assert "install" in done.stdout


def test_helper_verbs_work_without_the_bus(site):
    site.machine.run(["systemctl", "stop", "dbus.socket", "dbus.service"])
    assert ctl(site.machine, "cert", "renew").exit_code == 0
    assert ctl(site.machine, "status").exit_code == 0


# --- for every day ---

def test_logs_join_the_journal_of_all_parts_or_show_one(site):
    everything = ctl(site.machine, "logs").stdout
    of_certificates = ctl(site.machine, "logs", "certificate").stdout

    assert all(name in everything for name in ("commento-cert[", "commento-db[", "commento-nginx[", "nginx[", "postgresql"))
    assert "commento-cert[" in of_certificates and "commento-db[" not in of_certificates
    done = ctl(site.machine, "logs", "frob")
    assert done.exit_code == 2 and "application" in done.stderr


def test_logs_are_for_those_who_may_read_the_journal(shared_machine):
    ctl(shared_machine, "cert", "bootstrap")  # leaves a line there
    for group in ("systemd-journal", "adm"):
        shared_machine.run(["useradd", "--groups", group, f"of-{group}"])
        done = ctl(shared_machine, "logs", "certificate", user=f"of-{group}")
        assert done.exit_code == 0 and "commento-cert[" in done.stdout, done.output
    for words in ("logs", "logs --follow certificate"):
        done = ctl(shared_machine, *words.split(), user="nobody")
        assert (done.exit_code, done.stdout) == (3, "")
        assert done.stderr == f"error: this user may not read the system's journal\nhint: sudo commentoctl {words}\n"


def test_logs_go_on_with_what_comes(site):
    shown = site.machine.popen(["commentoctl", "logs", "-f", "database"], stdout=subprocess.PIPE, text=True)
    seen = []
    reader = threading.Thread(target=lambda: seen.extend(iter(shown.stdout.readline, "")), daemon=True)
    reader.start()
    site.machine.wait_until("it shows what there was", lambda: any("commento-db" in line for line in seen))
    before = len(seen)

    ctl(site.machine, "db", "check")

    site.machine.wait_until("it shows what came", lambda: any("are as they should be" in line for line in seen[before:]))


def test_what_to_paste_is_printed_for_every_user(site):
    assert ctl(site.machine, "open", user="nobody").stdout == f"https://{site.domain}\n"
    snippet = ctl(site.machine, "embed", user="nobody").stdout
    address = re.search(r'src="([^"]+)"', snippet)[1]
    assert '<div id="commento"></div>' in snippet
    assert site.comments().get(address.removeprefix(f"https://{site.domain}")).status == 200


def test_restart_has_all_parts_take_new_settings(site):
    before = site.machine.unit("commento.service")["MainPID"]
    site.configure(COMMENTO_PORT="8090")

    assert ctl(site.machine, "restart").exit_code == 0

    assert site.machine.unit("commento.service")["MainPID"] != before
    assert "8090" in site.machine.run(["ss", "-ltn"]).stdout
    assert site.comments().get("/login").status == 200


def test_reload_has_the_web_front_take_new_settings_and_nothing_restart(site):
    before = {unit: site.machine.unit(unit)["MainPID"] for unit in ("commento.service", "nginx.service")}
    site.configure(HSTS_SECONDS="600")

    assert ctl(site.machine, "reload").exit_code == 0
    await_workers(site.machine)

    assert site.comments().get("/login").headers["Strict-Transport-Security"] == "max-age=600"
    assert before == {unit: site.machine.unit(unit)["MainPID"] for unit in before}


# --- the command line ---

# glibc takes LANGUAGE for every locale but C itself, so that none has to be made.
RUSSIAN = {"LC_ALL": "C.UTF-8", "LANGUAGE": "ru"}


# Verbs that draw one, on any host.
TABLES = ("status", "show-config", "version")

# What verbs need to be given. These may be run by everybody, as far as what they show is for everybody.
WORDS = {"cert show": ["main"], "app remove": ["commento-1"], "backup restore": ["latest"], "backup export": ["latest", "/nowhere"], "cert issue": ["other.example.test"],
         "cert remove": ["other"], "cert revoke": ["main"], "cert import": ["certbot"], "cert export": ["/nowhere"], "domain change": ["other.example.test"]}
OPEN = {"status", "show-config", "version", "open", "embed", "app list", "cert list", "cert show"}
# How those end that do without settings: some look at something else first, some find nothing to do on a host where nothing runs.
WITHOUT_SETTINGS = {"setup": 2, "status": 12, "doctor": 12, "logs": 0, "restart": 0, "version": 0, "cert remove": 2, "cert account show": 0, "backup list": 0,
                    "backup restore": 2, "backup export": 13, "app list": 0, "app rollback": 10, "app remove": 10, "domain undo": 2}

# Programs of the stack, and what their verbs need.
HELPERS = "/usr/libexec/commento-stack"
HELPER_WORDS = {"changeover": ["commento-1"], "remove": ["commento-1"], "revoke": ["main"], "forget": ["other"], "import": ["certbot"], "export": ["/nowhere"],
                "backup export": ["latest", "/nowhere"], "failed": ["commento.service"], "well": ["commento.service"], "sendmail": ["commento.service"]}


def all_verbs(machine, *above: str, program: str = "commentoctl") -> list[list[str]]:
    """Every verb, as the program's own completion names them: verbs have a help, other words have none."""
    candidates = machine.run([program, "__complete", *above, ""]).stdout.splitlines()
    below = [line.split("\t")[0] for line in candidates if not line.endswith("\t")]
    return [verb for word in below for verb in all_verbs(machine, *above, word, program=program)] if below else [list(above)]


def all_programs(machine) -> list[str]:
    found = ["commentoctl", *machine.run(["sh", "-c", f"ls {HELPERS}/commento-*"]).stdout.split()]
    assert {program.removeprefix(f"{HELPERS}/commento-") for program in found} >= {"app", "cert", "db", "metrics", "nginx", "notify"}
    return found


@pytest.mark.parametrize("language", [{}, RUSSIAN], ids=["English", "Russian"])
def test_help_fits_80_columns_and_goes_to_stdout(language, shared_machine):
    wide = []
    for program in all_programs(shared_machine):
        verbs = all_verbs(shared_machine, program=program)
        for words in [[], *verbs, *[list(group) for group in {tuple(verb[:-1]) for verb in verbs} - {()}]]:
            done = shared_machine.run([program, *words, "--help"], env=language)
            assert done.stdout and done.stderr == ""
            wide += [(program, *words, line) for line in done.stdout.splitlines() if len(line) > 80]
    assert wide == []
    assert ctl(shared_machine, "--version").stdout.startswith("commentoctl ")


def test_every_verb_refuses_a_flag_that_it_does_not_know_and_names_its_own_help(shared_machine):
    for program in all_programs(shared_machine):
        name = program.removeprefix(f"{HELPERS}/")
        for verb in all_verbs(shared_machine, program=program):
            words = (WORDS if program == "commentoctl" else HELPER_WORDS).get(" ".join(verb), [])
            done = shared_machine.run([program, *verb, *words, "--frob"], check=False)
            assert done.exit_code == 2 and "--frob" in done.stderr and done.stdout == "", done.output
            assert f"hint: see {' '.join([name, *verb])} --help" in done.stderr.splitlines(), done.output


def test_every_verb_that_is_not_for_everybody_says_which_command_is(shared_machine):
    ctl(shared_machine, "setup", "--offline", *NAMES)
    said = {}
    for verb in all_verbs(shared_machine):
        name = " ".join(verb)
        said[name] = ctl(shared_machine, *verb, *WORDS.get(name, []), user="nobody")
    assert {name for name, done in said.items() if done.exit_code in (0, 12)} == OPEN
    assert [name for name, done in said.items() if name not in OPEN
            and not (done.exit_code == 3 and f"hint: sudo commentoctl {name}" in done.stderr)] == []


def test_every_verb_names_settings_that_are_missing(shared_machine):
    shared_machine.run(["rm", "--force", SETTINGS])
    said = {" ".join(verb): ctl(shared_machine, *verb, *WORDS.get(" ".join(verb), []), input="") for verb in all_verbs(shared_machine)}
    assert {name: said[name].exit_code for name in WITHOUT_SETTINGS} == WITHOUT_SETTINGS
    for name, done in said.items():
        assert done.stderr.count("error: ") == (0 if done.exit_code == 0 else 1), done.output
        if name not in WITHOUT_SETTINGS:
            assert done.exit_code == 2 and SETTINGS in done.stderr and "hint: sudo commentoctl setup" in done.stderr, (name, done.output)
    assert "sudo commentoctl setup" in said["status"].stderr and SETTINGS in said["status"].stdout


def test_a_terminal_that_is_broken_or_closed_is_no_fault(shared_machine):
    ctl(shared_machine, "setup", "--offline", *NAMES)
    for verb in (*TABLES, "doctor --list"):
        for around in ("TERM= COLUMNS=frob commentoctl {}", "TERM=frob commentoctl {} < /dev/null", "commentoctl {} <&-", "commentoctl {} 2>&-"):
            done = shared_machine.run(["bash", "-c", around.format(verb)], check=False)
            assert done.exit_code in (0, 12) and done.stdout, done.output
        closed = shared_machine.run(["bash", "-c", f"commentoctl {verb} >&-"], check=False)
        assert closed.exit_code == 12 or (closed.exit_code == 4 and "cannot write to stdout" in closed.stderr), closed.output


@pytest.mark.parametrize("kind", ["TERM=dumb", "TERM=", "--unset=TERM"])
def test_a_terminal_that_obeys_no_control_sequences_gets_none(kind, shared_machine):
    ctl(shared_machine, "setup", "--offline", *NAMES)
    for verb in (*TABLES, "doctor settings"):
        terminal = Terminal(shared_machine, ["env", kind, "commentoctl", *verb.split()])
        assert terminal.end() in (0, 12) and terminal.shown
        assert "\x1b" not in terminal.shown, terminal.shown
    watched = Terminal(shared_machine, ["env", kind, "commentoctl", "status", "--watch"])
    watched.expect("q and Enter: end\r\n\r\nPART")  # drawn below what was before
    watched.type("q")
    assert watched.end() == 12 and "\x1b" not in watched.shown


@pytest.mark.parametrize("words", [[], ["frob"], ["cert"], ["cert", "frob"], ["--frob"], ["status", "--frob"], ["status", "frob"],
                                   ["setup", "--set"], ["setup", "--set", "KEY"]])
def test_a_wrong_command_line_ends_with_2_and_a_hint(words, shared_machine):
    done = ctl(shared_machine, *words)
    assert done.exit_code == 2
    assert done.stderr.startswith("error: ") and done.stdout == ""
    assert "frob" in done.stderr or "frob" not in " ".join(words)


def test_a_reader_that_goes_away_is_no_fault_but_a_full_disk_is(machine):
    ctl(machine, "setup", *NAMES)
    gone = machine.run(["bash", "-c", "commentoctl show-config | true; echo ${PIPESTATUS[0]}"])
    assert (gone.stdout, gone.stderr) == ("0\n", "")
    full = machine.run(["bash", "-c", "commentoctl show-config > /dev/full"], check=False)
    assert full.exit_code == 4 and "cannot write to stdout" in full.stderr


# --- the operator's language ---

def test_the_operator_is_told_in_russian_what_programs_read_stays_and_so_does_the_journal(site):
    table = ctl(site.machine, "status", env=RUSSIAN).stdout
    assert table.startswith("ЧАСТЬ") and "веб-сервер" in table and "web front" not in table
    assert set(json.loads(ctl(site.machine, "status", "--json", env=RUSSIAN).stdout)["parts"]) == set(parts(site.machine))
    assert "Показать версии всех частей" in ctl(site.machine, "--help", env=RUSSIAN).stdout

    for words, wrong in ((["cert", "show"], "не указано: NAME"), (["logs", "frob"], 'PART: недопустимое значение "frob"; возможные: application, '),
                         (["setup", "--set"], "--set: нужно значение: KEY=VALUE"), (["status", "--frob"], "Лишний аргумент: --frob")):
        assert ctl(site.machine, *words, env=RUSSIAN).stderr.startswith(f"ошибка: {wrong}")
    assert "name NAME ОБЯЗАТЕЛЬНО" in ctl(site.machine, "cert", "show", "--help", env=RUSSIAN).stdout

    site.configure(HTTP_PORT="0")
    refused = ctl(site.machine, "show-config", env=RUSSIAN).stderr
    assert refused.startswith("ошибка: ") and 'HTTP_PORT "0" не порт; целое число' in refused and "\nподсказка: " in refused
    assert ctl(site.machine, "nginx", "render", env=RUSSIAN).exit_code == 2
    assert 'HTTP_PORT "0" is no port' in site.machine.run(["journalctl", "--unit=commento-nginx-render.service"]).stdout


def test_questions_take_yes_and_no_as_the_operator_s_language_has_them(machine):
    terminal = Terminal(machine, ["commentoctl", "setup", "--offline"], env=in_russian(machine))
    terminal.expect("DOMAIN:")
    terminal.type("comments.example.test")
    terminal.expect("EMAIL:")
    terminal.type("owner@example.test")
    terminal.expect("[Д/н]")
    terminal.type("может быть")
    terminal.expect("[Д/н]")
    terminal.type("нет")
    assert terminal.end() == 0
    assert machine.unit("commento.target")["ActiveState"] == "inactive"


# --- Ctrl-C ---

BACKUPS, CERTIFICATES = "commento-db-request.service", "commento-cert-request.service"


@pytest.fixture(scope="module")
def busy_site():
    """A site with one comment and a backup, for all that is interrupted."""
    with started_site() as site:
        site.comments().register()
        site.comments().post_comment("first")
        assert ctl(site.machine, "backup", "now").exit_code == 0
        yield site


@contextlib.contextmanager
def held(machine, unit: str):
    """A unit waits before its program begins, until the end of the block."""
    machine.run(["mkfifo", "/run/held"])
    machine.write(f"/run/systemd/system/{unit}.d/held.conf", "[Service]\nExecStartPre=+/bin/sh -c '[ ! -p /run/held ] || read line < /run/held'\n")
    machine.run(["systemctl", "daemon-reload"])
    try:
        yield
    finally:
        machine.run(["rm", "-r", f"/run/systemd/system/{unit}.d"])
        machine.run(["sh", "-c", "echo on > /run/held; rm /run/held"])
        machine.run(["systemctl", "daemon-reload"])


def interrupt(machine, words: list[str], waits_for) -> None:
    """Presses Ctrl-C once the command is so far."""
    terminal = Terminal(machine, ["commentoctl", *words])
    waits_for(terminal)
    terminal.interrupt()
    assert terminal.end() != 0
    assert machine.run(["pidof", "commentoctl"], check=False).stdout == ""


def is_whole(site, settings: str) -> None:
    """Nothing waits to be carried out, all parts are well, readers are served."""
    machine = site.machine
    left = machine.run(["find", "/run/commento-stack", "-maxdepth", "1", "-name", "*-*", "-not", "-name", "*.lock"]).stdout.split()
    assert [path for path in left if machine.exists(f"/usr/lib/systemd/system/commento-{os.path.basename(path)}.service")] == []
    assert identity(machine, SETTINGS, SECRETS) == settings
    assert ctl(machine, "status").exit_code == 0
    assert site.comments().list_comments() == ["<p>first</p>\n"]


def listed_backups(machine) -> list[dict]:
    return json.loads(ctl(machine, "backup", "list", "--json").stdout)


@pytest.mark.parametrize("words, unit", [
    (["backup", "now"], BACKUPS),
    (["backup", "restore", "latest", "--yes"], BACKUPS),
    (["cert", "renew", "--force"], CERTIFICATES),
])
def test_ctrl_c_leaves_what_was_begun_to_its_end_and_no_request_behind(busy_site, words, unit):
    machine = busy_site.machine
    settings, backups, certificate = identity(machine, SETTINGS, SECRETS), listed_backups(machine), served(machine)

    with held(machine, unit):
        interrupt(machine, words, lambda _: machine.wait_until("it waits", lambda: machine.unit(unit)["SubState"] == "start-pre"))
        assert machine.unit(unit)["ActiveState"] == "activating"
    machine.wait_until("its end", lambda: machine.has_ended(unit), 120)

    assert machine.unit(unit)["Result"] == "success"
    await_workers(machine)
    is_whole(busy_site, settings)
    assert (served(machine) != certificate) == (unit == CERTIFICATES)
    after = listed_backups(machine)
    assert len(after) - len(backups) == (1 if unit == BACKUPS else 0) and not any(entry["fault"] for entry in after)
    again = ctl(machine, *words)
    assert again.exit_code == 0, again.output
    is_whole(busy_site, settings)


def test_the_next_command_waits_for_what_an_interrupted_one_began_and_is_carried_out_itself(busy_site):
    machine, settings, before = busy_site.machine, identity(busy_site.machine, SETTINGS, SECRETS), listed_backups(busy_site.machine)

    with held(machine, BACKUPS):
        interrupt(machine, ["backup", "now"],
                  lambda _: machine.wait_until("it waits", lambda: machine.unit(BACKUPS)["SubState"] == "start-pre"))
        second = Terminal(machine, ["commentoctl", "backup", "verify", before[0]["name"]])
        second.expect(f"waiting for {BACKUPS}")

    assert second.end() == 0, second.shown
    assert "gives back what it was made from" in second.shown
    assert len(listed_backups(machine)) == len(before) + 1
    is_whole(busy_site, settings)


def test_ctrl_c_at_a_question_or_while_it_watches_changes_nothing(busy_site):
    machine, settings = busy_site.machine, identity(busy_site.machine, SETTINGS, SECRETS)
    machine.run(["systemctl", "stop", "commento-cert-renew.timer"])
    interrupt(machine, ["doctor", "--fix", "certificate.renewal"], lambda terminal: terminal.expect("Run it?"))
    assert machine.unit("commento-cert-renew.timer")["ActiveState"] == "inactive"
    machine.run(["systemctl", "start", "commento-cert-renew.timer"])

    def answer_one(terminal):
        terminal.expect(f"DOMAIN [{busy_site.domain}]: ")
        terminal.type("other.example.test")
        terminal.expect("EMAIL [")

    interrupt(machine, ["setup"], answer_one)
    interrupt(machine, ["status", "--watch"], lambda terminal: terminal.expect("q and Enter: end"))
    is_whole(busy_site, settings)
