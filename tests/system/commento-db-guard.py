"""Before a release of the application changes the database: a backup; and a change that was cut off is found."""

import io
import json
import tarfile

import pytest

from machine import places
from machine.database import sql

GUARD = "commento-db-guard.service"
DATABASE_FAULT = 9
STEP = "0099-mood.sql"
ADDS_A_COLUMN = "ALTER TABLE comments ADD COLUMN mood text;\n"


def reasons(machine) -> list[str]:
    return [entry["reason"] for entry in json.loads(machine.run(["commentoctl", "backup", "list", "--json"]).stdout)]


def next_release(machine, step: str) -> str:
    """The application's archive with one step more for the database, put into the machine; its path there."""
    made = io.BytesIO()
    with tarfile.open(places.archive()) as source, tarfile.open(fileobj=made, mode="w:gz") as target:
        members = source.getmembers()
        folder = next(each.name for each in members if each.name.endswith(".sql")).rsplit("/", 1)[0]
        for member in members:
            target.addfile(member, source.extractfile(member) if member.isfile() else None)
        added = tarfile.TarInfo(f"{folder}/{STEP}")
        added.size = len(step)
        target.addfile(added, io.BytesIO(step.encode()))
    machine.write("/srv/application/next.tar.gz", made.getvalue())
    return "/srv/application/next.tar.gz"


@pytest.fixture
def blog(site):
    site.comments().register()
    site.comments().post_comment("first")
    return site


def upgrade(site, step: str = ADDS_A_COLUMN) -> None:
    site.restart(APP_ARCHIVE=next_release(site.machine, step), APP_SHA256=None)


def test_a_first_start_and_a_restart_make_no_backup(blog):
    blog.machine.run(["systemctl", "restart", "commento.target"], timeout=120)

    assert reasons(blog.machine) == []


def test_a_new_release_starts_only_after_a_backup_which_leads_back_to_before_it(blog):
    upgrade(blog)

    assert reasons(blog.machine) == ["before-upgrade"]
    assert sql(blog.machine, "SELECT mood IS NULL FROM comments") == "t"
    blog.machine.run(["commentoctl", "backup", "verify", "latest"])
    blog.machine.run(["systemctl", "restart", "commento.target"], timeout=120)
    assert reasons(blog.machine) == ["before-upgrade"]
    assert len(blog.comments().list_comments()) == 1


def test_without_room_for_the_backup_the_new_release_does_not_start_and_the_database_stays_as_it_was(blog):
    machine = blog.machine
    folder = "/var/lib/commento-stack/backups"
    machine.run(["sh", "-c", f"cp -a {folder} /srv/kept && mount -t tmpfs -o size=16k,mode=700 tmpfs {folder} && "
                             f"cp -a /srv/kept/. {folder} && chown commento-backup: {folder}"])
    blog.configure(APP_ARCHIVE=next_release(machine, ADDS_A_COLUMN), APP_SHA256=None)

    machine.run(["systemctl", "restart", "commento.service"], check=False, timeout=120)

    await_status(machine, "No space left")
    assert sql(machine, "SELECT count(*) FROM information_schema.columns WHERE column_name = 'mood'") == "0"
    machine.run(["umount", "--lazy", folder])
    machine.wait_until("the new release is up by itself",
                       lambda: machine.unit("commento.service")["ActiveState"] == "active", timeout=60)
    assert reasons(machine) == ["before-upgrade"]


def await_status(machine, reason: str) -> str:
    """What `commentoctl status` tells when it tells that: systemd tries again and again, and in between there is none."""
    def told() -> str:
        output = machine.run(["commentoctl", "status"], check=False).output
        return output if reason in output else ""

    return machine.wait_until(f"the status tells {reason}", told)


@pytest.mark.parametrize("step", [
    ADDS_A_COLUMN,
    "ALTER TABLE comments RENAME COLUMN markdown TO mood;\nALTER TABLE comments RENAME COLUMN mood TO markdown;\nDROP TABLE exports;\n",
    "INSERT INTO migrations (filename) VALUES ('a row that is there already');\n",
], ids=["makes", "takes away", "adds a row"])
def test_an_upgrade_that_was_cut_off_half_way_is_named_and_the_backup_leads_out(blog, step):
    machine = blog.machine
    upgrade(blog, step)
    machine.run(["systemctl", "stop", "commento.service"])
    sql(machine, f"DELETE FROM migrations WHERE filename = '{STEP}'")

    machine.run(["systemctl", "start", "commento.service"], check=False, timeout=120)

    machine.wait_until("its exit code says so", lambda: machine.unit(GUARD)["ExecMainStatus"] == str(DATABASE_FAULT))
    told = await_status(machine, STEP)
    assert "took effect in the database but is not on record" in told
    hint = next(line for line in machine.journal(GUARD).splitlines() if "commentoctl backup restore" in line)
    name = hint.split("commentoctl backup restore ")[1].split()[0]
    machine.run(["commentoctl", "backup", "restore", name, "--yes"], timeout=120)

    machine.wait_until("the site is up", lambda: machine.unit("commento.service")["ActiveState"] == "active")
    assert len(blog.comments().list_comments()) == 1
    assert sql(machine, f"SELECT count(*) FROM migrations WHERE filename = '{STEP}'") == "1"


def test_a_step_that_was_not_taken_yet_is_left_to_the_application(blog):
    upgrade(blog)
    blog.machine.run(["systemctl", "stop", "commento.service"])
    sql(blog.machine, f"ALTER TABLE comments DROP COLUMN mood; DELETE FROM migrations WHERE filename = '{STEP}'")

    blog.machine.run(["systemctl", "start", "commento.service"], timeout=120)

    assert sql(blog.machine, "SELECT mood IS NULL FROM comments") == "t"


def test_while_postgresql_is_away_the_application_is_started_again_and_again_and_comes_up_with_it(blog):
    machine = blog.machine
    machine.run(["systemctl", "stop", "commento.service", "postgresql"], timeout=120)
    machine.run(["systemctl", "mask", "--runtime", "postgresql.service"])
    machine.run(["systemctl", "start", "--no-block", "commento.service"])
    machine.wait_until("the guard failed", lambda: machine.unit(GUARD)["ActiveState"] == "failed", timeout=120)

    machine.run(["systemctl", "unmask", "--runtime", "postgresql.service"])
    machine.run(["systemctl", "start", "postgresql.service"], timeout=120)

    machine.wait_until("the application is up", lambda: machine.unit("commento.service")["ActiveState"] == "active", timeout=60)
    assert len(blog.comments().list_comments()) == 1
