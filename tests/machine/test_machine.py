"""Tests of the machines themselves, with a package that holds nothing: python3 -m pytest tests/machine"""

import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from machine import CommandFailed, Machine, Pebble, ScriptedCA, processes, roots  # noqa: E402

SANDBOX = ["ProtectSystem=strict", "ProtectHome=yes", "PrivateTmp=yes", "PrivateDevices=yes", "PrivateNetwork=yes",
           "ProtectKernelTunables=yes", "ProtectKernelModules=yes", "ProtectControlGroups=yes", "ProtectProc=invisible",
           "ProtectClock=yes", "RestrictNamespaces=yes", "SystemCallFilter=@system-service",
           "MemoryDenyWriteExecute=yes", "DynamicUser=yes", "StateDirectory=trial"]


@pytest.fixture(scope="module")
def deb(tmp_path_factory) -> Path:
    """A package of no content, the same bytes each time, so that its templates are made once."""
    tree = tmp_path_factory.mktemp("deb")
    (tree / "DEBIAN").mkdir()
    (tree / "DEBIAN/control").write_text("Package: commento-stack\nVersion: 0\nArchitecture: all\nDescription: empty\n"
                                         "Maintainer: nobody <nobody@example.test>\n")
    made = tree.parent / "commento-stack_0_all.deb"
    processes.run(["dpkg-deb", "--root-owner-group", "--build", str(tree), str(made)],
                  env=os.environ | {"SOURCE_DATE_EPOCH": "0"})
    return made


@pytest.fixture(scope="module", params=["bookworm", "trixie"])
def machine(request, deb):
    with Machine(roots.installed(request.param, deb)) as made:
        yield made


def test_starts_without_a_failed_unit(machine):
    assert machine.failed_units() == []
    assert machine.unit("commento.target")["LoadState"] == "not-found"
    assert "commento-stack" in machine.run(["dpkg-query", "--list", "commento-stack"]).stdout


def test_runs_commands_as_asked(machine):
    assert machine.run(["cat"], input="hello").stdout == "hello"
    assert machine.run(["id", "--user", "--name"], user="nobody").stdout == "nobody\n"
    assert machine.run(["sh", "-c", "exit 3"], check=False).exit_code == 3
    assert machine.run(["pwd"]).stdout == "/\n"
    with pytest.raises(CommandFailed, match="no-such-file"):
        machine.read("/no-such-file")


def test_follows_links_inside_the_machine(machine):
    machine.write("/etc/own/file", "inside\n", mode=0o600)
    machine.run(["ln", "--symbolic", "/etc/own/file", "/srv/link"])
    assert machine.read("/srv/link") == "inside\n"
    assert not Path("/etc/own").exists()


def test_enforces_sandboxes(machine):
    properties = [f"--property={line}" for line in SANDBOX]
    run = ["systemd-run", "--wait", "--pipe", "--quiet"]
    machine.run([*run, *properties, "sh", "-c", "touch /var/lib/trial/file && ! touch /var/file"])
    # Refused would be 7. What a packet filter swallows times out: 28.
    filtered = machine.run([*run, "--property=IPAddressDeny=any", "curl", "--max-time", "1", "http://127.0.0.1:9/"],
                           check=False)
    assert filtered.exit_code == 28


def test_reacts_to_paths(machine):
    machine.write("/etc/systemd/system/trial.path", "[Path]\nPathChanged=/srv/stamp\n")
    machine.write("/etc/systemd/system/trial.service", "[Service]\nType=oneshot\nExecStart=touch /srv/reacted\n")
    machine.run(["systemctl", "daemon-reload"])
    machine.run(["systemctl", "start", "trial.path"])
    machine.write("/srv/stamp", "1")
    machine.wait_until("the path unit's service", lambda: machine.exists("/srv/reacted"))


def test_keeps_its_disk_through_reboot_and_power_cut(machine):
    machine.write("/srv/kept", "kept")
    machine.write("/run/not-kept", "")
    machine.reboot()
    assert machine.read("/srv/kept") == "kept" and not machine.exists("/run/not-kept")
    machine.power_cut()
    assert machine.read("/srv/kept") == "kept"
    machine.power_off()
    assert not machine.is_running and machine.read("/srv/kept") == "kept"
    machine.boot()
    assert machine.journal().count("-- Boot ") == 3


def test_ca_keeps_its_knowledge_while_away(machine):
    pebble = Pebble(machine)

    def ask(seconds: int = 30) -> int:
        return machine.run(["curl", "--silent", "--max-time", str(seconds), "--cacert", pebble.ca_file, pebble.directory],
                           check=False).exit_code

    root = pebble.root()
    assert ask() == 0
    pebble.stop()
    assert ask() == 7, "connections are refused"
    pebble.start()
    pebble.fall_silent()
    assert ask(1) == 28, "nothing is said"
    pebble.start()
    assert ask() == 0
    assert pebble.requests() == ["GET /dir"] * 2 or pebble.requests() == ["GET /dir"] * 3
    assert pebble.root() == root
    pebble.forget()
    assert ask() == 0 and pebble.root() != root


@pytest.mark.parametrize("fault, exit_code, body", [
    ("rateLimited", 0, "urn:ietf:params:acme:error:rateLimited"), ("badNonce", 0, "error:badNonce"),
    ("unauthorized", 0, '"status": 403'), ("serverInternal", 0, '"status": 500'), ("malformed", 0, '"htt'),
    ("html", 0, "<html>"), ("cut", 56, ""), ("silent", 28, "")])
def test_scripted_ca_fails_as_told_then_recovers(scripted, fault, exit_code, body):
    machine, ca = scripted
    ask = ["curl", "--silent", "--include", "--max-time", "1" if fault == "silent" else "30", "--cacert", ca.ca_file, ca.directory]
    before = ca.count("directory")
    ca.fail("directory", fault, times=1, retry_after=77)
    answer = machine.run(ask, check=False)
    assert answer.exit_code == exit_code and body in answer.stdout
    assert fault != "rateLimited" or "Retry-After: 77" in answer.stdout
    assert '"newNonce": "https://localhost:14100/nonce"' in machine.run([*ask, "--max-time", "30"]).stdout
    assert ca.count("directory") == before + 2


@pytest.fixture(scope="module")
def scripted(machine):
    return machine, ScriptedCA(machine)


def test_is_reached_from_this_host(machine):
    with _serve_inside(machine) as answer:
        assert answer.read() == b"from inside"


def _serve_inside(machine):
    machine.popen_beside([sys.executable, "-c", "import http.server as h\n"
                          "class H(h.BaseHTTPRequestHandler):\n"
                          "    def do_GET(s): s.send_response(200); s.end_headers(); s.wfile.write(b'from inside')\n"
                          "h.HTTPServer(('', 80), H).serve_forever()"], stderr=subprocess.DEVNULL)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    return processes.wait_until("the server", lambda: opener.open(f"http://{machine.address}/", timeout=5))


def identity(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_leaves_nothing_behind(deb, number):
    program = ("import signal, sys; from pathlib import Path; from machine import *; from machine import processes\n"
               "processes.end_on_signals()\n"
               "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
               f"with Machine(roots.installed('bookworm', Path({str(deb)!r}))) as m:\n"
               "    Pebble(m); m.announce('left-behind.example.test')\n"
               "    print(m.name, m.directory, flush=True); sys.stdin.read()\n")
    child = subprocess.Popen([sys.executable, "-B", "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL, text=True, cwd=Path(__file__).parents[1])
    name, directory = child.stdout.readline().split()
    # Who runs beside this may take the same name at once: it is these very objects that are to be gone.
    made = {path: identity(path) for path in (Path(directory), Path("/run/netns", name), Path("/sys/class/net", name))}
    child.send_signal(number)
    # Closes its input, too: of a signal that comes right before its read, Python would think only after that.
    child.communicate(timeout=30)
    if number == signal.SIGKILL:
        from machine.machine import clear_abandoned
        clear_abandoned()
    processes.wait_until("what was made is gone", lambda: all(identity(path) != former for path, former in made.items()))
    assert "left-behind" not in Path("/etc/hosts").read_text()
    assert Path(directory).exists() or directory not in Path("/proc/self/mounts").read_text()
