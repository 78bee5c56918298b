"""Static files on disk through what befalls the application, its releases and the disk."""

import gzip
import hashlib
import io
import tarfile

from machine import Site, places

HELPER = "/usr/libexec/commento-stack/commento-nginx"
UNIT = "commento-nginx-static.service"
APPLICATION = "commento.service"
STATE = "/var/lib/commento-stack"
STATIC = f"{STATE}/static"
SCRIPT = "/js/commento.js"
STYLE = "/css/commento.css"
PERMISSION_FAULT, STORAGE_FAULT = 3, 4


def asked(site: Site, path: str, encoding: str = "identity"):
    return site.comments().request("GET", path, headers={"Accept-Encoding": encoding})


def release_with(archive: bytes, path: str, more: bytes) -> bytes:
    """The archive of another release: the same with something added to one file."""
    made = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(archive)) as old, tarfile.open(fileobj=made, mode="w:gz") as new:
        for entry in old:
            content = old.extractfile(entry).read() if entry.isfile() else b""
            if f"/{entry.name}".endswith(path):
                content += more
            entry.size = len(content)
            new.addfile(entry, io.BytesIO(content))
    return made.getvalue()


def test_a_new_release_is_served_at_once_and_what_stayed_the_same_keeps_its_etag(site):
    more = b"\n// the second release\n"
    release = release_with(places.archive().read_bytes(), SCRIPT, more)
    before = {path: asked(site, path, "gzip") for path in (SCRIPT, STYLE, "/login")}

    site.machine.write("/srv/application-v9.9.tar.gz", release)
    site.restart(APP_ARCHIVE="/srv/application-v9.9.tar.gz", APP_SHA256=hashlib.sha256(release).hexdigest())

    after = {path: asked(site, path, "gzip") for path in before}
    assert gzip.decompress(after[SCRIPT].body) == gzip.decompress(before[SCRIPT].body) + more
    assert after[SCRIPT].headers["ETag"] != before[SCRIPT].headers["ETag"]
    for path in (STYLE, "/login"):
        assert after[path].body == before[path].body
        assert after[path].headers["ETag"] == before[path].headers["ETag"]


def test_files_are_rendered_again_each_time_the_application_is_back_by_itself(site):
    site.machine.run(["rm", "-rf", f"{STATIC}/live", f"{STATIC}/generations"])

    site.machine.run(["systemctl", "kill", "--signal=KILL", "--kill-whom=main", APPLICATION])

    site.machine.wait_until("the files", lambda: site.machine.exists(f"{STATIC}/live/files{SCRIPT}"))
    site.machine.wait_until("the end of the run", lambda: site.machine.has_ended(UNIT))
    assert site.machine.failed_units() == []


def test_without_the_application_the_former_files_stay_and_nothing_fails(site):
    machine = site.machine
    expected = asked(site, SCRIPT).body
    machine.write(f"/run/systemd/system/{APPLICATION}.d/test.conf", "[Unit]\nConditionPathExists=/nonexistent\n")
    machine.run(["systemctl", "daemon-reload"])

    machine.run(["systemctl", "restart", "commento.target"], timeout=120)

    assert machine.unit(APPLICATION)["ActiveState"] == "inactive"
    machine.run(["systemctl", "start", UNIT])
    assert machine.unit(UNIT)["Result"] == "exec-condition"
    assert machine.failed_units() == []
    assert asked(site, SCRIPT).body == expected


def test_a_disk_without_room_for_the_files_hinders_nobody(site):
    machine = site.machine
    expected = asked(site, SCRIPT).body
    owner = machine.run(["stat", "--format=%u", STATIC]).stdout.strip()
    machine.run(["mount", "-t", "tmpfs", "-o", f"size=8k,mode=755,uid={owner}", "tmpfs", STATIC])

    machine.run(["systemctl", "restart", APPLICATION])

    machine.wait_until("the failure", lambda: machine.unit(UNIT)["ActiveState"] == "failed")
    assert machine.unit(UNIT)["ExecMainStatus"] == str(STORAGE_FAULT)
    status = machine.status(UNIT)
    assert "free space" in status and f"df -h {STATIC}" in status
    assert machine.unit(APPLICATION)["ActiveState"] == "active"
    assert asked(site, SCRIPT).body == expected
    assert asked(site, "/login").status == 200

    machine.run(["umount", STATIC])
    machine.run(["systemctl", "start", UNIT])
    assert machine.failed_units() == []
    assert asked(site, SCRIPT).body == expected


def test_it_runs_as_its_own_user_and_root_is_told_to_leave_the_files_to_it(site):
    machine = site.machine
    assert machine.unit(UNIT)["User"] == "commento-nginx"
    owners = machine.run(["find", STATIC, "-printf", "%u\n"]).stdout.split()
    assert set(owners) == {"commento-nginx"}

    done = machine.run([HELPER, "static"], check=False)

    assert done.exit_code == PERMISSION_FAULT
    assert f"systemctl start {UNIT.removesuffix('.service')}" in done.stderr
    again = machine.run([HELPER, "static"], user="commento-nginx")
    assert "nothing to do" in again.output
