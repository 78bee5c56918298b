"""What befalls an installation half-way: dpkg killed, a second one at once, no room, a read-only disk, an odd host."""

import subprocess

import pytest

from machine import Machine, Pebble, Site, places, roots
from machine.packages import KILLED, PROGRAMS, await_killed, mounted, read_only_usr, settle, wrap

SETTINGS = "/etc/commento-stack/commento-stack.conf"
STATE = "/var/lib/commento-stack"
APT = ["apt-get", "--quiet", "--yes", f"--option=DPkg::Path={PROGRAMS}:/usr/sbin:/usr/bin:/sbin:/bin"]
PACKAGE = "/srv/present.deb"

# Has apt and dpkg killed, and the process that called this.
KILL = f"""
trap '' HUP  # apt's terminal goes with it
found=
for name in dpkg frontend apt-get; do
    for process in /proc/[0-9]*; do
        [ "$(cat $process/comm 2>/dev/null)" != $name ] || found="$found ${{process#/proc/}}"
    done
done
echo $found $PPID $$ > {KILLED}
kill -KILL $found $PPID $$
"""

# What the package's scripts call, in that order. Killed before one of them is killed after the one in front of it.
STEPS = {"install": ["systemd-sysusers", "find", "systemd-tmpfiles", "install", "commentoctl", "systemctl"],
         "upgrade": ["cat", "sed", "mv", "systemd-sysusers", "systemctl"],
         "remove": ["deb-systemd-invoke", "systemctl"],
         "purge": ["runuser", "find", "getent", "userdel"]}


@pytest.fixture(scope="module")
def shared_site():
    with Machine(roots.installed()) as machine:
        machine.send(places.deb(), PACKAGE)
        yield Site(machine, Pebble(machine))


@pytest.fixture
def machine(shared_site):
    """A host with all that the package builds on, and without the package."""
    machine = shared_site.machine
    take_away(machine)
    yield machine


@pytest.fixture
def site(shared_site, machine):
    """The site, serving a comment."""
    machine.run([*APT, "install", PACKAGE], timeout=120)
    start(shared_site)
    yield shared_site


def start(site) -> None:
    site.configure()
    site.start()
    site.comments().register()
    site.comments().post_comment("before")


def answer(machine, question: str, kind: str, value: str) -> None:
    machine.run(["debconf-set-selections"], input=f"commento-stack commento-stack/{question} {kind} {value}\n")


def take_away(machine) -> None:
    answer(machine, "delete-comments", "boolean", "true")
    machine.run([*APT, "purge", "commento-stack"], timeout=120)
    machine.run(["rm", "-rf", STATE])


def is_whole(machine) -> bool:
    return (machine.run(["dpkg", "--audit"]).stdout == "" and machine.run(["dpkg", "--verify", "commento-stack"]).output == ""
            and machine.run(["dpkg-query", "--show", "--showformat=${db:Status-Status}", "commento-stack"]).stdout == "installed")


def kill_at(machine, program: str) -> None:
    """Has apt, dpkg and the script that it runs killed when that calls the program; others get what they call."""
    wrap(machine, program, f"""
case $(tr '\\0' ' ' < /proc/$PPID/cmdline) in
*/commento-stack.p* | */tmp.ci/preinst*) ;;
*) exec $(PATH=${{PATH#{PROGRAMS}:}} command -v {program}) "$@" ;;
esac
{KILL}""")


def kill_in_unpacking(machine, program: str) -> None:
    """Has apt and dpkg killed when the package's files lie there under the names that they have meanwhile, and none has its own."""
    wrap(machine, program, f"""
[ "$1" = --fsys-tarfile ] || exec /usr/bin/{program} "$@"
/usr/bin/{program} "$@" | head --bytes=-65536
while [ ! -e /usr/share/commento-stack/secrets.conf.dpkg-new ]; do sleep 0.05; done
{KILL}""")


def kill_and_continue(machine, verb: str, program: str, *continued: list[str], how=kill_at) -> str:
    """What is said after the kill."""
    machine.run(["rm", "-f", KILLED])
    how(machine, program)
    machine.run([*APT, *verb.split(), PACKAGE if "install" in verb else "commento-stack"], check=False, timeout=120)
    machine.run(["rm", f"{PROGRAMS}/{program}"])
    await_killed(machine, f"{verb} does not call {program}")
    return "".join(machine.run(command, timeout=120).output for command in (["dpkg", "--configure", "--pending"], *continued))


def test_an_install_that_was_killed_at_any_step_is_continued(machine):
    for program in STEPS["install"]:
        answer(machine, "domain", "string", "comments.example.test")
        answer(machine, "email", "string", "owner@example.test")
        machine.write(f"{STATE}/backups/kept.zip", "")  # as a purge leaves it: root's

        kill_and_continue(machine, "install", program)

        assert is_whole(machine), program
        owners = machine.run(["stat", "--format=%a %U %G", "/etc/commento-stack/secrets.conf", f"{STATE}/backups/kept.zip"]).stdout
        assert owners.splitlines() == ["640 root commento", "644 commento-backup commento-backup"], program
        assert "\nDOMAIN=comments.example.test\n" in machine.read(SETTINGS), program
        take_away(machine)


def test_an_install_that_was_killed_while_it_unpacked_is_continued_and_knows_no_setting_that_is_new(machine):
    said = kill_and_continue(machine, "install", "dpkg-deb", [*APT, "install", PACKAGE], how=kill_in_unpacking)
    assert is_whole(machine)
    assert "new settings" not in said


def test_an_upgrade_that_was_killed_at_any_step_is_continued_and_serves_all_the_while(site):
    machine = site.machine
    for program in STEPS["upgrade"]:
        said = kill_and_continue(machine, "install --reinstall", program, [*APT, "install", "--reinstall", PACKAGE])
        assert is_whole(machine), program
        assert "new settings" not in said, program
        assert len(site.comments().list_comments()) == 1, program
    settle(machine)
    assert machine.failed_units() == []


def test_a_removal_that_was_killed_at_any_step_is_continued_and_keeps_settings(machine):
    for program in STEPS["remove"]:
        machine.run([*APT, "install", PACKAGE], timeout=120)
        machine.write(SETTINGS, "DOMAIN=mine.example.test\n")

        kill_and_continue(machine, "remove", program, [*APT, "remove", "commento-stack"])

        assert machine.run(["dpkg", "--audit"]).stdout == "" and not machine.exists("/usr/bin/commentoctl"), program
        assert machine.read(SETTINGS) == "DOMAIN=mine.example.test\n", program


def test_a_purge_that_was_killed_at_any_step_is_continued_and_keeps_to_the_answer(machine):
    for program in STEPS["purge"]:
        machine.run([*APT, "install", PACKAGE], timeout=120)
        machine.write(f"{STATE}/backups/mine.zip", "")
        shall_go = program == "runuser"
        answer(machine, "delete-comments", "boolean", "true" if shall_go else "false")

        kill_and_continue(machine, "purge", program, [*APT, "purge", "commento-stack"])

        assert machine.run(["dpkg", "--audit"]).stdout == "" and not machine.exists("/etc/commento-stack"), program
        assert machine.exists(f"{STATE}/backups/mine.zip") != shall_go, program
        assert machine.run(["getent", "passwd", "commento"], check=False).exit_code == 2, program
        machine.run(["rm", "-rf", STATE])


def test_a_second_install_at_once_is_told_to_wait_and_the_first_is_whole(machine):
    wrap(machine, "systemd-sysusers", "touch /srv/waits; while [ -e /srv/waits ]; do sleep 0.05; done; exec /usr/bin/systemd-sysusers \"$@\"\n")
    first = machine.popen([*APT, "install", PACKAGE], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    machine.wait_until("the first one is at work", lambda: machine.exists("/srv/waits"))

    second = machine.run([*APT, "install", PACKAGE], check=False)
    machine.run(["rm", "/srv/waits"])

    assert second.exit_code != 0 and "lock" in second.output
    assert first.wait(timeout=60) == 0
    machine.run(["rm", f"{PROGRAMS}/systemd-sysusers"])
    assert is_whole(machine)


@pytest.mark.parametrize("folder", ["/usr/libexec", "/etc/commento-stack", STATE])
def test_an_install_on_a_full_disk_says_so_and_is_continued_with_room(machine, folder):
    with mounted(machine, folder):
        refused = machine.run([*APT, "install", PACKAGE], check=False, timeout=120)
    assert refused.exit_code != 0 and "No space left" in refused.output

    machine.run([*APT, "--fix-broken", "install"], timeout=120)
    machine.run([*APT, "install", PACKAGE], timeout=120)

    assert is_whole(machine)


def test_with_usr_read_only_an_install_is_refused_whole_and_an_installed_stack_serves(site):
    machine = site.machine
    with read_only_usr(machine):
        refused = machine.run([*APT, "install", "--reinstall", PACKAGE], check=False, timeout=120)
        machine.run(["commentoctl", "restart"], timeout=120)
        machine.run(["systemctl", "restart", "commento.target"], timeout=120)
        assert len(site.comments().list_comments()) == 1
    assert refused.exit_code != 0 and "Read-only file system" in refused.output
    machine.run([*APT, "install", "--reinstall", PACKAGE], timeout=120)
    settle(machine)
    assert is_whole(machine) and machine.failed_units() == []


def test_a_host_without_ipv6_and_without_udev_serves(shared_site, machine):
    """As where the kernel was told ipv6.disable=1: no program gets a socket of that kind, which Debian's own site wants."""
    assert not machine.exists("/run/udev")
    machine.run(["sed", "--in-place=.kept", "/\\[::\\]/d", "/etc/nginx/sites-available/default"])
    for unit in ("nginx", "commento", "commento-"):
        machine.write(f"/etc/systemd/system/{unit}.service.d/zz-no-ipv6.conf", "[Service]\nRestrictAddressFamilies=~AF_INET6\n")
    machine.run(["systemctl", "daemon-reload"])
    try:
        machine.run(["systemctl", "restart", "nginx"], check=False)
        machine.run([*APT, "install", PACKAGE], timeout=120)
        start(shared_site)
        assert "[::]:443" not in machine.run(["ss", "-ltn"]).stdout
        assert len(shared_site.comments().list_comments()) == 1
        assert machine.failed_units() == []
    finally:
        machine.run(["sh", "-c", "rm /etc/systemd/system/*/zz-no-ipv6.conf && systemctl daemon-reload && "
                                 "mv /etc/nginx/sites-available/default.kept /etc/nginx/sites-available/default"])
