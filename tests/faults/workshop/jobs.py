"""What is interrupted and hindered: runs of commento-cert, with pebble as the authority."""

from dataclasses import dataclass
from pathlib import Path

from machine import Pebble

from .calls import STATE, Call, Plan
from .workshop import DONE, NAME, STORE, Workshop, require


@dataclass(frozen=True)
class Job:
    """What is interrupted: a run of commento-cert that finds the state as `begin` names it."""

    arguments: tuple[str, ...]
    begin: str
    store: Path
    key_type: str
    issues: int  # certificates that the authority has to issue for it


JOBS = {
    "first issue": Job(("renew", NAME), "", STORE, "ecdsa-p256", 1),
    "renewal": Job(("renew", NAME), "issued", STORE, "ecdsa-p384", 1),
    "bootstrap": Job(("bootstrap",), "", STATE / "tls", "ecdsa-p256", 0),
}


def make_pebble(workshop: Workshop) -> Pebble:
    """It validates each time anew, so that each run makes the same calls."""
    pebble = Pebble(workshop)
    workshop.begin()
    workshop.configure(pebble)
    run = workshop.cert("renew", NAME)
    require(run.exit_code == DONE, f"the first issue without any fault ended with {run.exit_code}:\n{run.output}")
    workshop.keep_state_as("issued")
    return pebble


def prepare(workshop: Workshop, pebble: Pebble, job: Job) -> int:
    """Returns how many certificates the authority has issued so far."""
    workshop.begin(job.begin)
    workshop.configure(pebble, job.key_type)
    return issued(pebble)


def issued(pebble: Pebble) -> int:
    return pebble.log().count("Issued certificate serial")


def count_calls(workshop: Workshop, pebble: Pebble, job: Job) -> list[Call]:
    """The calls of a run that is not interrupted and that changed something."""
    prepare(workshop, pebble, job)
    run = workshop.cert(*job.arguments, plan=Plan())
    require(run.exit_code == DONE, f"without any fault it ended with {run.exit_code}:\n{run.output}")
    return [call for call in run.calls if not call.error]


def check_made_good(workshop: Workshop, pebble: Pebble, job: Job, issued_before: int) -> None:
    """The next run, with nothing in its way, gets what was wanted, and no certificate was spent twice."""
    run = workshop.cert(*job.arguments)
    require(run.exit_code == DONE, f"the next run ended with {run.exit_code}:\n{run.output}")
    workshop.check_complete(job.store, job.key_type)
    workshop.check_nothing_due(*job.arguments)
    spent = issued(pebble) - issued_before
    require(spent == job.issues, f"{spent} certificates were issued, and not {job.issues}")
