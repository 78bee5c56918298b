"""Killed, or without power, at every call that changes the state: nginx can start, and the next run makes all of it good.

Every call is a case of its own, and what the authority knows is in each case what it knew at that moment.
"""

import pytest

from machine import Pebble
from workshop import STATE, Call, Disk, Plan, Survives, Workshop, require, run_all, run_here, tree_of, workshops
from workshop.jobs import JOBS, check_made_good, count_calls, make_pebble, prepare


@pytest.fixture(scope="module")
def rooms(tmp_path_factory):
    with workshops(tmp_path_factory.mktemp("rooms"), make_pebble) as pool:
        yield pool


def interrupt(workshop: Workshop, pebble: Pebble, name: str, call: Call, how: str, survives: Survives) -> None:
    job = JOBS[name]
    before = prepare(workshop, pebble, job)
    there_before = (job.store / "live").is_symlink()
    disk = Disk(STATE)

    killed = workshop.cert(*job.arguments, plan=Plan(call.number, how))
    require(killed.exit_code == -9, f"was not killed but ended with {killed.exit_code}:\n{killed.output}")
    for done in killed.calls:
        disk.apply(done)
    require(disk.tree() == tree_of(STATE), "the calls that were seen are not all that changed the state")
    disk.lay_out(survives)
    workshop.check_loads(job.store, there_before)
    workshop.check_secret()

    check_made_good(workshop, pebble, job, before)
    if survives is Survives.everything:
        workshop.check_no_challenge()


@pytest.mark.parametrize("name", JOBS)
@pytest.mark.parametrize("how, survives", [
    pytest.param("kill-before", Survives.everything, id="killed before"),
    pytest.param("kill-after", Survives.everything, id="killed after"),
    pytest.param("kill-before", Survives.names, id="without power before, names survive"),
    pytest.param("kill-before", Survives.synced, id="without power before, only what was synced survives"),
])
def test_at_every_call_nginx_can_start_and_the_next_run_makes_it_good(rooms, name, how, survives):
    calls = rooms.apply(run_here, (count_calls, JOBS[name]))

    run_all(rooms, interrupt, [(name, call, how, survives) for call in calls])
