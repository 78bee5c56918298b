"""A disk that is full, out of files, out of quota, read-only or broken, at every call that changes the state: the run
says so, what is live stays live, and once the disk is well again the next run makes all of it good."""

import errno
import os

import pytest

from machine import Pebble
from workshop import DONE, STATE, STORAGE, Call, Plan, Run, Workshop, require, run_all, run_here, workshops
from workshop.jobs import JOBS, check_made_good, count_calls, make_pebble, prepare

CREATE = "open mkdir symlink link"
ALWAYS = 1000000

# What fails, and how often: a disk stays full, but a program that ends well by chance of a retry hides a fault.
FAULTS = {
    "full from there on": (errno.ENOSPC, f"{CREATE} write rename", ALWAYS),
    "full for one call": (errno.ENOSPC, f"{CREATE} write rename", 1),
    "out of files from there on": (errno.ENOSPC, CREATE, ALWAYS),
    "out of quota from there on": (errno.EDQUOT, f"{CREATE} write", ALWAYS),
    "read-only from there on": (errno.EROFS, f"{CREATE} rename unlink chmod chown truncate", ALWAYS),
    "broken, which the sync tells": (errno.EIO, "fsync", 1),
    "broken from there on": (errno.EIO, "write fsync rename unlink", ALWAYS),
}


@pytest.fixture(scope="module")
def rooms(tmp_path_factory):
    with workshops(tmp_path_factory.mktemp("rooms"), make_pebble) as pool:
        yield pool


def check_told(run: Run) -> None:
    """A fault that hinders nothing that matters may be passed over; any other is told, with what to do."""
    require(run.exit_code in (DONE, STORAGE), f"ended with {run.exit_code}:\n{run.output}")
    require(run.exit_code == DONE or "hint: " in run.output, f"no hint:\n{run.output}")


def hinder(workshop: Workshop, pebble: Pebble, name: str, call: Call, fault: str) -> None:
    job = JOBS[name]
    number, calls, times = FAULTS[fault]
    before = prepare(workshop, pebble, job)
    there_before = (job.store / "live").is_symlink()

    run = workshop.cert(*job.arguments, plan=Plan(call.number, number, calls, times))

    require(any(done.error == number for done in run.calls), "no call failed")
    check_told(run)
    workshop.check_loads(job.store, there_before)
    workshop.check_secret()
    check_made_good(workshop, pebble, job, before)


@pytest.mark.parametrize("name", JOBS)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_disk_that_fails_at_any_call_is_told_and_what_is_live_stays(rooms, name, fault):
    calls = [call for call in rooms.apply(run_here, (count_calls, JOBS[name])) if call.name in FAULTS[fault][1].split()]

    run_all(rooms, hinder, [(name, call, fault) for call in calls])


# --- real disks ---

def limit_room(workshop: Workshop, pebble: Pebble, **left: int) -> None:
    """Runs a renewal on a disk that has so many pages or files left."""
    job = JOBS["renewal"]
    before = prepare(workshop, pebble, job)
    use = os.statvfs(STATE)
    limits = {"pages": ("nr_blocks", use.f_blocks - use.f_bfree), "files": ("nr_inodes", use.f_files - use.f_ffree)}
    options = [f"{limits[kind][0]}={limits[kind][1] + number}" for kind, number in left.items()]
    workshop.remount_state(*options)

    run = workshop.cert(*job.arguments)

    check_told(run)
    workshop.check_loads(job.store, there_before=True)
    workshop.remount_state(*(f"{option}=0" for option, _ in limits.values()))
    check_made_good(workshop, pebble, job, before)


def limit_pages(workshop: Workshop, pebble: Pebble, pages: int) -> None:
    limit_room(workshop, pebble, pages=pages)


def limit_files(workshop: Workshop, pebble: Pebble, files: int) -> None:
    limit_room(workshop, pebble, files=files)


def test_a_disk_with_few_pages_left_is_told_and_what_is_live_stays(rooms):
    run_all(rooms, limit_pages, [(pages,) for pages in range(40)])


def test_a_disk_with_few_files_left_is_told_and_what_is_live_stays(rooms):
    run_all(rooms, limit_files, [(files,) for files in range(16)])


def renew_read_only(workshop: Workshop, pebble: Pebble, name: str) -> None:
    job = JOBS[name]
    before = prepare(workshop, pebble, job)
    there_before = (job.store / "live").is_symlink()
    workshop.remount_state("ro")
    try:
        run = workshop.cert(*job.arguments)
    finally:
        workshop.remount_state("rw")

    check_told(run)
    require(run.exit_code == STORAGE and "read-only" in run.output, f"ended with {run.exit_code}:\n{run.output}")
    workshop.check_loads(job.store, there_before)
    check_made_good(workshop, pebble, job, before)


def test_a_read_only_disk_is_told(rooms):
    run_all(rooms, renew_read_only, [(name,) for name in JOBS])
