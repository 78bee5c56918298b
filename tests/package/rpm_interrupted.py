"""What befalls an installation of the RPM half-way: dnf killed, a second one at once, no room, a read-only disk, no network."""

import json
import re
import signal
import subprocess

import pytest

from machine import Machine, Pebble, Site, fedora as family, places, processes, roots
from machine.packages import KILLED, PROGRAMS, await_killed, make_rpm_release, mounted, read_only_usr, settle, wrap
from machine.steady import Steady, make_ready

SETTINGS, SECRETS = "/etc/commento-stack/commento-stack.conf", "/etc/commento-stack/secrets.conf"
STATE, SITE = "/var/lib/commento-stack", "/etc/nginx/conf.d/commento-stack.conf"
WITHDRAW = "/usr/libexec/commento-stack/commento-nginx"
VERSION = places.version(places.rpm())
FORMER, PACKAGE = f"commento-stack-{VERSION}-1", "/srv/later.rpm"
URL = "http://127.0.0.1:8089"

# What the package's scriptlets call, in that order, with the words by which calls of one program differ.
STEPS = {"install": ["getent", "groupadd", "systemd-sysusers", "systemd-tmpfiles", "cat", f"mv -f {SETTINGS}", f"mv -f {SECRETS}",
                     "systemctl --no-reload preset"],
         "upgrade": ["getent", "systemd-sysusers", "systemd-tmpfiles", "systemctl is-active", "systemctl daemon-reload",
                     "systemctl --no-block restart"],
         "remove": ["systemctl --no-reload disable", WITHDRAW, "rm"]}


@pytest.fixture(scope="module")
def shared_site(fedora, tmp_path_factory):
    """A host whose repository has two versions of the package."""
    later, folder = make_rpm_release("2", tmp_path_factory.mktemp("later"), "#WEATHER=fair\n"), tmp_path_factory.mktemp("repository")
    family.make_repository([places.rpm(), later], folder)
    with Machine(roots.installed()) as machine:
        machine.send(later, PACKAGE)
        machine.send(places.rpm(), "/srv/present.rpm")
        # rpm gives scriptlets a PATH of its own.
        machine.write("/etc/rpm/macros.tests", f"%_install_script_path {PROGRAMS}:/sbin:/bin:/usr/sbin:/usr/bin\n")
        machine.run(["sed", "--in-place", f"s,^baseurl=.*,baseurl={URL},", "/etc/yum.repos.d/product.repo"])
        site = Site(machine, Pebble(machine))
        site.repository = folder
        start(site)
        make_ready(site)
        yield site


@pytest.fixture
def served(shared_site):
    """The repository answers; until stop() is called on what this gives."""
    machine = shared_site.machine
    server = machine.popen_beside(["/usr/bin/python3", "-m", "http.server", "--bind", "127.0.0.1", "--directory",
                                   str(shared_site.repository), URL.rsplit(":")[-1]],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    machine.wait_until("the web server", lambda: machine.run(["curl", "--silent", "--fail", URL], check=False).exit_code == 0)
    yield server
    processes.stop(server)


@pytest.fixture
def machine(shared_site, served):
    """A host with all that the package builds on, and without the package."""
    shared_site.machine.run(["sh", "-c", f"rm -f /srv/waits {PROGRAMS}/*"])
    take_away(shared_site.machine)
    yield shared_site.machine


@pytest.fixture
def site(shared_site, machine):
    """The site, of the former version, serving a page of comments: the database survives all that is done here."""
    dnf(machine, "install", FORMER)
    start(shared_site)
    yield shared_site


def start(site) -> None:
    site.configure(TRUSTED_PROXIES="0.0.0.0/0")
    site.start()


def dnf(machine, *words: str, check: bool = True):
    return machine.run(["dnf", "--assumeyes", *words], check=check, timeout=120)


def take_away(machine) -> None:
    """With the users, which erasing leaves."""
    machine.run(["sh", "-c", f"! rpm --query --quiet commento-stack || rpm --erase --allmatches commento-stack; rm -rf {STATE} /etc/commento-stack; for user in $(getent passwd | grep -o '^commento[^:]*'); do userdel $user; done; "
                             "! getent group commento || groupdel commento"])


def versions(machine) -> list[str]:
    known = machine.run(["rpm", "--query", "--queryformat=%{VERSION}-%{RELEASE}\\n", "commento-stack"], check=False)
    return known.stdout.split() if known.exit_code == 0 else []


def go_on(machine, event: str) -> None:
    """As docs/fedora.md says of that event; commands that find nothing to do may fail."""
    documented = (places.REPOSITORY / "docs/fedora.md").read_text()
    [line] = re.findall(rf"(?m)^    (dnf .*[^ ]) +# {event}$", documented)
    for command in line.replace("commento-stack-FORMER", FORMER).replace("dnf ", "dnf --assumeyes ").split("; "):
        machine.run(command.split(), check=False, timeout=120)


def look(machine, *checks: str) -> list[dict]:
    return json.loads(machine.run(["commentoctl", "doctor", "--json", *checks], check=False).stdout)["checks"]


def mend(machine, check: str) -> None:
    """What the doctor says, as it stands; the machine's only user is root."""
    [finding] = look(machine, check)
    machine.run(["sh", "-ec", finding["remedy"].replace("sudo ", "")], timeout=120)


def assert_whole(machine, why: str = "") -> None:
    assert versions(machine) == [f"{VERSION}-2"], why
    assert machine.run(["rpm", "--verify", "--noconfig", "commento-stack"], check=False).output == "", why
    assert machine.run(["stat", "--format=%a %U %G", SETTINGS, SECRETS]).stdout.split() == ["644", "root", "root", "640", "root", "commento"], why
    assert [each["found"] for each in look(machine, "files.state", "files.package")] == ["ok", "ok"], why


def kill_at(machine, call: str) -> None:
    """Has the scriptlet of ours that makes this call killed before it, with all above it up to dnf; others get what they call."""
    program, words = (call.split(" ", 1) + [""])[:2]
    machine.run(["rm", "-f", KILLED])
    real = machine.run(["sh", "-c", f"command -v {program}"]).stdout.strip()
    if program == WITHDRAW:  # called by its path
        real = f"{PROGRAMS}/real"
        machine.run(["mv", WITHDRAW, real])
        machine.run(["ln", "-s", f"{PROGRAMS}/commento-nginx", WITHDRAW])
    wrap(machine, program.rsplit("/", 1)[-1], f"""
case "$*" in "{words}"*) ;; *) exec {real} "$@" ;; esac
above= script= process=$PPID
while [ "$process" -gt 1 ]; do
    above="$above $process"
    for word in $(tr '\\0' ' ' < /proc/$process/cmdline); do
        case $word in /var/tmp/rpm-tmp.*) script=$word ;; esac
    done
    process=$(sed -n 's/^PPid:\\t//p' /proc/$process/status)
done
[ -n "$script" ] && grep --quiet commento "$script" || exec {real} "$@"
echo $above $$ > {KILLED}
kill -KILL $above $$
""")


def kill(machine, call: str, *words: str) -> None:
    kill_at(machine, call)
    assert dnf(machine, *words, check=False).exit_code == -signal.SIGKILL, call
    program = call.split()[0].rsplit("/", 1)[-1]
    machine.run(["rm", f"{PROGRAMS}/{program}"])
    if WITHDRAW in call:
        machine.run(["mv", f"{PROGRAMS}/real", WITHDRAW])
    await_killed(machine, f"{words} does not call {call}")


def test_an_install_that_was_killed_at_any_step_is_continued(machine):
    for call in STEPS["install"]:
        again = call not in ("getent", "groupadd")  # after an erase, which leaves the group, too
        if again:
            machine.run(["groupadd", "--system", "commento"])
            machine.write(f"{SETTINGS}.rpmsave", "#mine\n")
            machine.write(f"{SECRETS}.rpmsave", "#mine\n", 0o640, "root:commento")

        kill(machine, call, "install", "commento-stack")
        go_on(machine, "an installation")

        assert_whole(machine, call)
        assert (machine.read(SETTINGS) == machine.read(SECRETS) == "#mine\n") == again, call
        assert machine.unit("commento.target")["UnitFileState"] == "disabled", call
        take_away(machine)


def test_an_upgrade_that_was_killed_at_any_step_is_continued_and_serves_all_the_while(site):
    machine = site.machine
    settings = machine.read(SETTINGS)
    with Steady(site.domain, machine.address, site.pebble.root(), rate=25) as load:
        for call in STEPS["upgrade"]:
            before = machine.unit("commento.service")["MainPID"]

            kill(machine, call, "upgrade", "commento-stack")
            go_on(machine, "an upgrade")
            settle(machine)

            assert_whole(machine, call)
            assert machine.read(SETTINGS) == settings, call
            assert machine.unit("commento.service")["MainPID"] != before, f"{call}: nothing went over to the later version"
            machine.run(["rpm", "--upgrade", "--oldpackage", "--noscripts", "/srv/present.rpm"])
    assert load.failed == []
    assert machine.failed_units() == []


def test_the_doctor_tells_of_an_upgrade_or_a_reinstall_that_was_killed_and_its_remedy_mends_it(machine):
    dnf(machine, "install", FORMER)
    for verb, seen in (("upgrade", f"{VERSION}-1, {VERSION}-2"), ("reinstall", f"{VERSION}-2, {VERSION}-2")):
        kill(machine, "systemd-sysusers", verb, "commento-stack")

        [found] = look(machine, "files.package")
        assert found["found"] == "fault" and seen in found["saw"]
        mend(machine, "files.package")

        assert_whole(machine, verb)


def test_a_removal_that_was_killed_at_any_step_is_continued_and_keeps_settings(site):
    machine = site.machine
    settings = machine.read(SETTINGS)
    for call in STEPS["remove"]:
        kill(machine, call, "remove", "--noautoremove", "commento-stack")
        go_on(machine, "an erase")

        assert versions(machine) == [] and not machine.exists("/usr/bin/commentoctl") and not machine.exists(SITE), call
        assert machine.run(["pgrep", "--exact", "commento"], check=False).stdout == "", call
        assert machine.read(f"{SETTINGS}.rpmsave") == settings, call
        dnf(machine, "install", "commento-stack")
        site.start()
        assert len(site.comments().list_comments()) == 20, call


def test_a_second_install_at_once_waits_for_the_first_which_is_whole(machine, tmp_path):
    wrap(machine, "getent", "touch /srv/waits; while [ -e /srv/waits ]; do sleep 0.05; done; exec /usr/bin/getent \"$@\"\n")
    install, said = ["dnf", "--assumeyes", "install", PACKAGE], tmp_path / "said"
    first = machine.popen(install, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    machine.wait_until("the first one is at work", lambda: machine.exists("/srv/waits"))

    by_rpm = machine.run(["rpm", "--upgrade", PACKAGE], check=False)
    by_dnf = machine.popen(install, stdout=said.open("w"), stderr=subprocess.STDOUT)
    machine.wait_until("the second one waits", lambda: "Waiting for process" in said.read_text())
    machine.run(["rm", f"{PROGRAMS}/getent", "/srv/waits"])

    assert (first.wait(timeout=60), by_dnf.wait(timeout=60)) == (0, 1)
    assert "is already installed" in said.read_text()
    assert by_rpm.exit_code != 0 and "transaction lock" in by_rpm.output
    assert_whole(machine)


@pytest.mark.parametrize("folder", ["/usr/libexec", "/etc/commento-stack"])
def test_an_install_on_a_full_disk_is_refused_before_anything_is_done(machine, folder):
    with mounted(machine, folder):
        refused = dnf(machine, "install", "commento-stack", check=False)
    assert refused.exit_code != 0 and f"more space needed on the {folder} filesystem" in refused.output
    assert versions(machine) == [] and not machine.exists("/usr/share/commento-stack")

    dnf(machine, "install", "commento-stack")

    assert_whole(machine)


def test_an_install_whose_disk_fills_up_meanwhile_takes_back_what_it_unpacked_and_is_continued_with_room(machine):
    """rpm looks how much room there is before the first scriptlet, and counts on it."""
    wrap(machine, "getent", "head --bytes=100M /dev/zero > /usr/libexec/filler\nexec /usr/bin/getent \"$@\"\n")
    with mounted(machine, "/usr/libexec", "size=32m"):
        refused = dnf(machine, "install", "commento-stack", check=False)
        machine.run(["rm", f"{PROGRAMS}/getent"])
        assert refused.exit_code != 0 and "Error unpacking rpm package" in refused.output
        assert machine.run(["ls", "/usr/libexec"]).stdout.split() == ["filler", "full"]
    assert versions(machine) == [] and not machine.exists("/usr/bin/commentoctl")

    go_on(machine, "an installation")

    assert_whole(machine)


def test_an_install_without_room_for_the_state_says_so_and_the_doctor_mends_it_with_room(machine):
    """rpm has no files there, so it does not look."""
    with mounted(machine, STATE):
        done = dnf(machine, "install", "commento-stack")
    assert f'"{STATE}/tls": No space left on device' in done.output
    assert [each["found"] for each in look(machine, "files.state")] == ["fault"]

    mend(machine, "files.state")

    assert_whole(machine)


def test_with_usr_read_only_an_upgrade_is_refused_and_an_installed_stack_serves(site):
    """An rpm without the mending of its issue 3284 takes away secrets.conf, where nobody has edited it: no secrets are lost."""
    machine = site.machine
    settings = machine.read(SETTINGS)
    with read_only_usr(machine):
        refused = dnf(machine, "upgrade", "commento-stack", check=False)
        assert refused.exit_code != 0 and "Error unpacking rpm package" in refused.output
        assert versions(machine) == [f"{VERSION}-1"]
        machine.run(["commentoctl", "restart"], timeout=120)
        machine.run(["systemctl", "restart", "commento.target"], timeout=120)
        assert len(site.comments().list_comments()) == 20
    assert [each["found"] for each in look(machine, "files.package")] == ["ok"]

    go_on(machine, "an upgrade")
    settle(machine)

    assert_whole(machine)
    assert machine.read(SETTINGS) == settings
    assert machine.failed_units() == []


def test_edited_secrets_survive_an_upgrade_that_could_not_unpack_and_what_an_erase_left_long_ago(machine):
    dnf(machine, "install", FORMER)
    for file, text in ((SECRETS, "COMMENTO_SMTP_PASSWORD=mine\n"), (f"{SECRETS}.rpmsave", "COMMENTO_SMTP_PASSWORD=former\n")):
        machine.write(file, text, 0o640, "root:commento")
    with read_only_usr(machine):
        assert dnf(machine, "upgrade", "commento-stack", check=False).exit_code != 0
    go_on(machine, "an upgrade")
    assert_whole(machine)
    assert machine.read(SECRETS) == "COMMENTO_SMTP_PASSWORD=mine\n"


def test_without_a_network_the_repository_is_named_and_a_file_is_installed_all_the_same(machine, served):
    def refuse(*options: str) -> None:
        refused = dnf(machine, *options, "install", "commento-stack", check=False)
        assert refused.exit_code != 0 and URL in refused.output and "Couldn't connect to server" in refused.output
        assert versions(machine) == [] and not machine.exists("/etc/commento-stack")

    dnf(machine, "makecache")
    processes.stop(served)
    refuse("--setopt=product.metadata_expire=3600")  # what there is is known; the package can't be had
    refuse()
    strict = ["--setopt=skip_if_unavailable=False", "--setopt=product.skip_if_unavailable=False"]  # as EL presets it
    refuse(*strict)
    assert "repo 'product'" in dnf(machine, *strict, "install", PACKAGE, check=False).output and versions(machine) == []

    dnf(machine, *strict, "--disablerepo=*", "install", PACKAGE)

    assert_whole(machine)
    dnf(machine, "remove", "--noautoremove", "commento-stack")
    dnf(machine, "install", PACKAGE)  # as Fedora presets it
    assert_whole(machine)
