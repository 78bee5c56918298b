"""Backups: made, verified, put back and taken back again, whatever comes in between."""

import base64
import contextlib
import hashlib
import io
import json
import zipfile

import pytest

from machine import Machine, Pebble, Site, roots
from machine.database import sql
from machine.site import let_rest

FOLDER = "/var/lib/commento-stack/backups"
REQUEST = "commento-db-request.service"
DATABASE_FAULT, SETTINGS_FAULT, NO_RIGHTS, STORAGE_FAULT, BAD_BACKUP = 9, 2, 3, 4, 13
SECRET = "a-very-secret-password"


def ctl(site_or_machine, *words: str, check: bool = True, user: str | None = None):
    machine = getattr(site_or_machine, "machine", site_or_machine)
    return machine.run(["commentoctl", "backup", *words], check=check, timeout=180, user=user)


def backups(machine) -> list[dict]:
    return json.loads(ctl(machine, "list", "--json").stdout)


def content(machine, name: str) -> bytes:
    """The file of a backup: through base64, since what a command prints is text."""

    return base64.b64decode(machine.run(["base64", f"{FOLDER}/{name}.zip"], timeout=120).stdout)


def databases(machine) -> set[str]:
    return set(sql(machine, "SELECT datname FROM pg_database WHERE datname ~ '^commento'", "postgres").splitlines())


def leftovers(machine) -> list[str]:
    names = machine.run(["find", FOLDER, "-mindepth", "1", "-printf", "%f\n"]).stdout.split()
    return [name for name in names if not name.endswith((".zip", ".verified")) and name not in ("lock", "release")]


def fill(machine, comments: int = 20000) -> None:
    """So many copies of the comment that is there: what is done with them takes its time."""
    sql(machine, "SET session_replication_role = replica; INSERT INTO comments SELECT (jsonb_populate_record(first, "
                 "jsonb_build_object('commenthex', md5(n::text) || md5((-n)::text), 'markdown', repeat(md5(n::text), 10)))).* "
                 f"FROM comments AS first, generate_series(1, {comments}) AS n")


@pytest.fixture
def blog(site):
    """A site with one comment, `first`, and a secret in its settings."""
    let_rest(site.machine, "commento-db-backup")
    site.machine.write("/etc/commento-stack/secrets.conf", f"COMMENTO_SMTP_PASSWORD={SECRET}\n", 0o640, "root:commento")
    site.comments().register()
    site.comments().post_comment("first")
    return site


@contextlib.contextmanager
def locked_comments(blog):
    """The table of comments is locked: whoever dumps it waits, until the end of the block."""
    holder = blog.machine.popen(["psql", "--no-psqlrc", "--quiet", "--dbname=commento"], user="postgres", stdin=-1, stdout=-1)
    holder.stdin.write(b"BEGIN; LOCK TABLE comments; SELECT 'locked';\n")
    holder.stdin.flush()
    while b"locked" not in holder.stdout.readline():
        pass

    try:
        yield
    finally:
        holder.stdin.close()
        holder.wait(30)


def await_dump(blog) -> None:
    blog.machine.wait_until("the dump waits for the table",
                            lambda: sql(blog.machine, "SELECT count(*) FROM pg_locks WHERE NOT granted") != "0")


def test_a_backup_holds_comments_settings_secrets_keys_and_a_manifest_that_fits(blog):
    ctl(blog, "now")

    entry = backups(blog.machine)[0]
    packed = zipfile.ZipFile(io.BytesIO(content(blog.machine, entry["name"])))
    manifest = json.loads(packed.read("manifest.json"))
    assert packed.namelist() == ["database.dump", "host.tar", "manifest.json"]
    for part in manifest["parts"]:
        data = packed.read(part["name"])
        assert (len(data), hashlib.sha256(data).hexdigest()) == (part["bytes"], part["sha256"])
    assert {"name": "comments", "rows": 1} == {key: value for table in manifest["tables"] if table["name"] == "comments"
                                               for key, value in table.items() if key != "checksum"}
    assert manifest["domain"] == blog.domain and manifest["versions"]["postgresql"].startswith("15.")
    assert packed.read("database.dump").startswith(b"PGDMP")
    assert SECRET.encode() in packed.read("host.tar")
    assert entry["reason"] == "manual" and entry["fault"] is None
    owner = blog.machine.run(["stat", "--format=%U %a", FOLDER, f"{FOLDER}/{entry['name']}.zip"]).stdout.splitlines()
    assert owner == ["commento-backup 750", "commento-backup 600"]
    assert leftovers(blog.machine) == []


def test_what_was_written_while_it_was_made_is_in_it_as_a_whole_or_not_at_all(blog):
    with locked_comments(blog):
        making = blog.machine.popen(["commentoctl", "backup", "now"])
        await_dump(blog)
    assert making.wait(60) == 0

    ctl(blog, "verify")


def test_a_verified_backup_is_marked_and_its_scratch_database_is_gone(blog):
    ctl(blog, "now")
    fill(blog.machine, 2000)
    ctl(blog, "now")

    told = ctl(blog, "verify").stdout

    first, second = backups(blog.machine)
    assert "gives back what it was made from" in told
    assert first["verified"] is None and second["verified"] is not None
    assert databases(blog.machine) == {"commento"}
    assert "verified" in ctl(blog, "list").stdout


def damage_truncated(data: bytes) -> bytes:
    return data[:len(data) // 2]


def damage_without_its_end(data: bytes) -> bytes:
    return data[:-1]


def damage_one_bit(data: bytes) -> bytes:
    at = len(data) // 3
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


def damage_other_rows(data: bytes) -> bytes:
    """Not damaged, but of another manifest: as if the dump had lost a comment."""
    packed, out = zipfile.ZipFile(io.BytesIO(data)), io.BytesIO()
    with zipfile.ZipFile(out, "w") as changed:
        for name in packed.namelist():
            part = packed.read(name)
            if name == "manifest.json":
                manifest = json.loads(part)
                next(table for table in manifest["tables"] if table["name"] == "comments")["rows"] += 1
                part = json.dumps(manifest).encode()
            changed.writestr(name, part)
    return out.getvalue()


@pytest.mark.parametrize("damage", [damage_truncated, damage_without_its_end, damage_one_bit, damage_other_rows])
def test_a_damaged_backup_is_found_and_never_put_back(blog, damage):
    ctl(blog, "now")
    name = backups(blog.machine)[0]["name"]
    blog.machine.write(f"{FOLDER}/{name}.zip", damage(content(blog.machine, name)), 0o600, "commento-backup:commento-backup")
    blog.comments().post_comment("second")

    verified, restored = ctl(blog, "verify", name, check=False), ctl(blog, "restore", name, "--yes", check=False)

    for done in (verified, restored):
        assert done.exit_code == BAD_BACKUP
        assert name in done.stderr and "hint:" in done.stderr
    assert databases(blog.machine) == {"commento"}
    assert len(blog.comments().list_comments()) == 2


def test_a_restore_brings_the_comments_back_keeps_what_came_since_and_can_be_undone(blog):
    ctl(blog, "now")
    name = backups(blog.machine)[0]["name"]
    blog.comments().post_comment("second")

    told = ctl(blog, "restore", name, "--yes").stdout

    assert "commentoctl backup undo" in told
    assert blog.comments().list_comments() == ["<p>first</p>\n"]
    assert [entry["reason"] for entry in backups(blog.machine)] == ["manual", "before-restore"]
    blog.comments().post_comment("third")
    ctl(blog, "undo")
    assert len(blog.comments().list_comments()) == 2 and "second" in blog.comments().list_comments()[1]
    ctl(blog, "undo")
    assert len(blog.comments().list_comments()) == 2 and "third" in blog.comments().list_comments()[1]
    assert blog.machine.failed_units() == []
    assert blog.machine.run(["commentoctl", "db", "check"], check=False).exit_code == 0


def test_a_database_that_can_not_be_read_any_more_is_kept_and_a_backup_takes_its_place(blog):
    ctl(blog, "now")
    sql(blog.machine, "ALTER TABLE comments OWNER TO postgres")

    told = ctl(blog, "restore", "latest", "--yes").output

    assert "permission denied" in told and "commento_replaced" in told
    assert blog.comments().list_comments() == ["<p>first</p>\n"]
    assert sql(blog.machine, "SELECT markdown FROM comments", "commento_replaced") == "first"


def test_a_new_host_gets_comments_settings_and_certificate_from_a_backup(blog):
    ctl(blog, "now")
    name = backups(blog.machine)[0]["name"]
    archive, root = content(blog.machine, name), blog.pebble.root()
    serial = blog.comments().certificate()["serialNumber"]

    with Machine(roots.installed()) as machine:
        site = Site(machine, Pebble(machine))
        site.give_archive()
        machine.write(f"{FOLDER}/{name}.zip", archive, 0o600)
        ctl(machine, "export", "latest", "/root/backup")
        machine.run(["tar", "--extract", "--directory=/", "--file=/root/backup/host.tar"])
        ctl(machine, "restore", "latest", "--yes")
        machine.run(["systemctl", "restart", "commento.target"], timeout=120)

        site.pebble.root = lambda: root
        assert site.comments().list_comments() == ["<p>first</p>\n"]
        assert site.comments().certificate()["serialNumber"] == serial
        assert SECRET in machine.read("/etc/commento-stack/secrets.conf")


def test_export_writes_sql_that_any_server_takes(blog):
    ctl(blog, "now")

    ctl(blog, "export", "latest", "/root/out")

    blog.machine.run(["createdb", "elsewhere"], user="postgres")
    blog.machine.run(["sh", "-c", "runuser --user postgres -- psql --quiet --set=ON_ERROR_STOP=1 elsewhere < /root/out/database.sql"])
    assert sql(blog.machine, "SELECT markdown FROM comments", "elsewhere") == "first"
    assert "settings" not in ctl(blog, "list").stderr
    again = ctl(blog, "export", "latest", "/root/out", check=False)
    assert again.exit_code == SETTINGS_FAULT and "not empty" in again.stderr


def test_code_that_the_applications_role_left_in_the_database_runs_with_no_more_rights_than_it_has(blog):
    sql(blog.machine, "CREATE FUNCTION public.trick(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN "
                      "BEGIN EXECUTE 'SET ROLE NONE'; EXCEPTION WHEN OTHERS THEN END; "
                      "BEGIN EXECUTE 'ALTER ROLE commento SUPERUSER'; EXCEPTION WHEN OTHERS THEN END; RETURN $1; END $$; "
                      "CREATE INDEX trick ON comments (public.trick(markdown))", user="commento")
    ctl(blog, "now")

    ctl(blog, "verify")
    ctl(blog, "restore", "latest", "--yes")

    assert sql(blog.machine, "SELECT rolsuper FROM pg_roles WHERE rolname = 'commento'") == "f"
    assert sql(blog.machine, "SELECT count(*) FROM pg_indexes WHERE indexname = 'trick'") == "1"


@pytest.mark.parametrize("words, makes", [
    (["now"], "a file"),
    (["verify", "latest"], "commento_verify"),
    (["restore", "latest", "--yes"], "commento_restored"),
])
def test_killed_at_work_nothing_is_lost_and_nothing_stays_behind(blog, words, makes):
    rows = 20000 if makes == "a file" else 80000  # nothing holds up the other two until they are seen at work
    fill(blog.machine, rows)
    ctl(blog, "now")
    before = [entry["name"] for entry in backups(blog.machine)]
    with locked_comments(blog) if makes == "a file" else contextlib.nullcontext():
        running = blog.machine.popen(["commentoctl", "backup", *words])
        blog.machine.wait_until("it is at work", lambda: leftovers(blog.machine) if makes == "a file"
                                else makes in databases(blog.machine))

        blog.machine.run(["systemctl", "kill", "--signal=KILL", REQUEST])

        assert running.wait(60) != 0
    blog.machine.wait_until("the unit has ended", lambda: blog.machine.unit(REQUEST)["ActiveState"] == "failed")
    assert databases(blog.machine) == {"commento"}
    assert leftovers(blog.machine) == []
    assert {*before} <= {entry["name"] for entry in backups(blog.machine) if entry["fault"] is None}
    assert sql(blog.machine, "SELECT count(*) FROM comments") == str(rows + 1)
    assert blog.comments().list_comments(path="/other") == []
    ctl(blog, *words)


def test_a_power_cut_in_the_middle_leaves_the_former_backups_and_the_next_run_clears_up(blog):
    fill(blog.machine)
    ctl(blog, "now")
    blog.machine.popen(["commentoctl", "backup", "verify", "latest"])
    blog.machine.wait_until("it is at work", lambda: "commento_verify" in databases(blog.machine))

    blog.machine.power_cut()

    blog.machine.wait_until("the cluster answers", lambda: "commento" in databases(blog.machine))
    ctl(blog, "verify", "latest")
    assert databases(blog.machine) == {"commento"}
    assert leftovers(blog.machine) == []


def test_a_dump_that_finds_no_room_leaves_the_former_backups(blog):
    machine = blog.machine
    ctl(blog, "now")
    fill(machine)
    machine.run(["sh", "-c", f"cp -a {FOLDER} /srv/kept && mount -t tmpfs -o size=600k,mode=700 tmpfs {FOLDER} && "
                             f"cp -a /srv/kept/. {FOLDER} && chown commento-backup: {FOLDER}"])

    done = ctl(blog, "now", check=False)

    assert done.exit_code == STORAGE_FAULT
    assert "No space left" in done.stderr and "df -h" in done.stderr
    assert leftovers(machine) == []
    ctl(blog, "verify", "latest")


def test_a_restore_that_finds_no_room_leaves_the_comments_as_they_are(blog):
    machine = blog.machine
    fill(machine)
    ctl(blog, "now")
    base = machine.run(["sh", "-c", "echo /var/lib/postgresql/*/main/base"]).stdout.strip()
    used = int(machine.run(["du", "--summarize", "--block-size=1M", base]).stdout.split()[0])
    machine.run(["systemctl", "stop", "commento.target", "postgresql", "postgresql@*"], timeout=120)
    machine.run(["sh", "-c", f"cp -a {base} /srv/base && mount -t tmpfs -o size={used + 12}m,mode=700 tmpfs {base} && "
                             f"cp -a /srv/base/. {base} && chown postgres: {base}"])
    machine.run(["systemctl", "start", "commento.target"], timeout=120)

    done = ctl(blog, "restore", "latest", "--yes", check=False)

    assert done.exit_code == DATABASE_FAULT
    assert "No space left on device" in done.stderr
    assert databases(machine) == {"commento"}
    assert sql(machine, "SELECT count(*) FROM comments") == "20001"
    blog.comments().post_comment("there is room again", path="/other")


def test_with_the_cluster_down_the_timers_run_says_so_and_keeps_what_there_is(blog):
    ctl(blog, "now")
    blog.machine.run(["systemctl", "stop", "commento.target", "postgresql", "postgresql@*"], timeout=120)

    blog.machine.run(["systemctl", "start", "commento-db-backup.service"], check=False)

    assert blog.machine.unit("commento-db-backup.service")["ExecMainStatus"] == str(DATABASE_FAULT)
    assert "/var/run/postgresql/.s.PGSQL.5432" in blog.machine.journal("commento-db-backup.service")
    assert blog.machine.unit("postgresql.service")["ActiveState"] == "inactive"
    assert len(backups(blog.machine)) == 1 and leftovers(blog.machine) == []


def test_a_connection_that_breaks_in_the_middle_is_an_error_and_leaves_nothing(blog):
    with locked_comments(blog):
        running = blog.machine.popen(["commentoctl", "backup", "now"], stderr=-1)
        await_dump(blog)

        sql(blog.machine, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'commento-backup'", "postgres")

        assert running.wait(60) == DATABASE_FAULT
    assert backups(blog.machine) == [] and leftovers(blog.machine) == []


def test_a_restore_while_somebody_is_connected_changes_nothing_and_the_site_comes_back(blog):
    ctl(blog, "now")
    blog.comments().post_comment("second")
    holder = blog.machine.popen(["psql", "--no-psqlrc", "--quiet", "--dbname=commento"], user="postgres", stdin=-1)
    blog.machine.wait_until("psql is connected", lambda: sql(
        blog.machine, "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'psql'", "postgres") == "2")

    done = ctl(blog, "restore", "latest", "--yes", check=False)

    assert done.exit_code == DATABASE_FAULT
    assert "being accessed by other users" in done.stderr and "pg_stat_activity" in done.stderr
    blog.machine.wait_until("the site is back", lambda: len(blog.comments().list_comments()) == 2)
    holder.stdin.close()


def test_the_timers_run_makes_one_verifies_it_once_a_week_and_removes_old_ones(blog):
    machine = blog.machine
    assert machine.unit("commento-db-backup.timer")["ActiveState"] == "active"
    ctl(blog, "now")
    newest = backups(machine)[0]["name"]
    old = [f"2020-{month:02}-{day:02}T030000Z" for month in range(1, 13) for day in (5, 15)]
    for name in old:
        machine.run(["cp", "--archive", f"{FOLDER}/{newest}.zip", f"{FOLDER}/{name}.zip"])

    machine.run(["systemctl", "start", "commento-db-backup.service"], timeout=120)

    kept = backups(machine)
    assert [entry["name"] for entry in kept[:-2]] == [name for name in old if name in (
        "2020-08-15T030000Z", "2020-09-15T030000Z", "2020-10-05T030000Z", "2020-10-15T030000Z", "2020-11-05T030000Z", "2020-11-15T030000Z",
        "2020-12-05T030000Z", "2020-12-15T030000Z")]
    assert kept[-1]["reason"] == "scheduled" and kept[-1]["verified"] is not None
    machine.run(["systemctl", "start", "commento-db-backup.service"], timeout=120)
    assert backups(machine)[-1]["verified"] is None


@pytest.mark.parametrize("kind", ["age", "gpg"])
def test_secrets_are_encrypted_to_whom_the_settings_name_and_the_backup_can_still_be_verified(blog, kind):
    machine = blog.machine
    if kind == "age":
        machine.install(["age"])
        machine.run(["age-keygen", "--output", "/root/key"])
        machine.run(["sh", "-c", "age-keygen -y /root/key > /srv/recipient"])
        decrypt = "age --decrypt --identity /root/key"
    else:
        machine.install(["gnupg"])
        machine.run(["gpg", "--batch", "--quick-generate-key", "--passphrase", "", "owner@example.test"], timeout=180)
        machine.run(["sh", "-c", "gpg --armor --export owner@example.test > /srv/recipient"])
        decrypt = "gpg --batch --decrypt"
    blog.configure(BACKUP_RECIPIENT_FILE="/srv/recipient")

    ctl(blog, "now")

    data = content(machine, backups(machine)[0]["name"])
    assert f"host.tar.{kind}" in zipfile.ZipFile(io.BytesIO(data)).namelist()
    assert SECRET.encode() not in data and b"PRIVATE KEY" not in data
    ctl(blog, "verify")
    ctl(blog, "export", "latest", "/root/out")
    listed = machine.run(["sh", "-c", f"{decrypt} /root/out/host.tar.{kind} | tar --list"]).stdout
    assert "etc/commento-stack/secrets.conf" in listed


def test_a_private_key_or_rubbish_as_recipient_is_refused_before_anything_is_written(blog):
    for text in ("AGE-SECRET-KEY-1QQQQ\n", "rubbish\n"):
        blog.machine.write("/srv/recipient", text)
        blog.configure(BACKUP_RECIPIENT_FILE="/srv/recipient")

        done = ctl(blog, "now", check=False)

        assert done.exit_code == SETTINGS_FAULT and "/srv/recipient" in done.stderr
    assert backups(blog.machine) == [] and leftovers(blog.machine) == []


def test_each_new_backup_is_copied_by_the_operators_command_and_its_failure_is_told(blog):
    machine = blog.machine
    machine.write("/etc/commento-stack/backup-copy.env", "TARGET=/var/cache/commento-backup\n", 0o600)
    machine.write("/usr/local/bin/copy-away", '#!/bin/sh\ncp "$2" "$TARGET/$1"\n', 0o755)
    blog.configure(BACKUP_COPY_COMMAND="/usr/local/bin/copy-away copied.zip {}")

    ctl(blog, "now")

    assert machine.run(["cmp", "/var/cache/commento-backup/copied.zip",
                        f"{FOLDER}/{backups(machine)[-1]['name']}.zip"]).exit_code == 0
    machine.write("/usr/local/bin/copy-away", '#!/bin/sh\necho no route to the store; exit 7\n', 0o755)
    done = ctl(blog, "now", check=False)
    assert done.exit_code == BAD_BACKUP
    assert "status 7" in done.stderr and "no route to the store" in done.stderr
    assert len(backups(machine)) == 2


def test_wrong_words_and_missing_rights_are_named(blog):
    unknown = ctl(blog, "restore", "2020-01-01T000000Z", "--yes", check=False)
    assert unknown.exit_code == BAD_BACKUP and "there is no backup 2020-01-01T000000Z" in unknown.stderr
    outside = ctl(blog, "verify", "../../../etc/passwd", check=False)
    assert outside.exit_code == BAD_BACKUP
    nothing = ctl(blog, "undo", check=False)
    assert nothing.exit_code == BAD_BACKUP and "no former database is kept" in nothing.stderr
    unsure = ctl(blog, "restore", "latest", check=False)
    assert unsure.exit_code == SETTINGS_FAULT and "--yes" in unsure.stderr
    denied = ctl(blog, "now", check=False, user="nobody")
    assert denied.exit_code == NO_RIGHTS and "sudo commentoctl backup now" in denied.stderr
    assert len(blog.comments().list_comments()) == 1


def test_a_later_postgresql_compresses_better_and_gives_all_back_as_well():
    with Machine(roots.installed("trixie")) as machine:
        site = Site(machine, Pebble(machine))
        site.configure()
        site.start()
        site.comments().register()
        site.comments().post_comment("first")
        fill(machine)
        ctl(machine, "now")
        site.comments().post_comment("second", path="/other")

        ctl(machine, "verify")
        ctl(machine, "restore", "latest", "--yes")

        assert site.comments().list_comments(path="/other") == []
        assert sql(machine, "SELECT count(*) FROM comments") == "20001"
        ctl(machine, "export", "latest", "/root/out")
        packed = zipfile.ZipFile(io.BytesIO(content(machine, backups(machine)[0]["name"])))
        assert json.loads(packed.read("manifest.json"))["versions"]["postgresql"].startswith("17.")
        assert b"\x28\xb5\x2f\xfd" in packed.read("database.dump")  # how data of zstd begins (RFC 8878, 3.1.1)
