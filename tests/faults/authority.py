"""An authority that is down, slow, cuts connections, talks nonsense, or cannot be believed: a clear error with a hint,
in bounded time and memory; what is live is not touched, no challenge stays behind, and the next run is free of it all."""

import glob
import socket
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from machine import ScriptedCA
from workshop import (AUTHORITY, DONE, NAME, NETWORK, STATE, STORE, Run, Workshop, live_files, require, run_all,
                      workshops)

# Not newNonce: this authority gives the first nonce with its directory.
STEPS = ["directory", "newAccount", "newOrder", "authorization", "challenge", "order", "finalize",
         "certificate"]
# Of the others, nothing but status and headers is of use to a client.
WITH_JSON = ["directory", "newOrder", "authorization", "order", "finalize"]
AFTER_THE_ORDER = STEPS[STEPS.index("authorization"):]
MOST_MEMORY = 64 << 20  # bytes; it takes a quarter of that when all is well


@dataclass(frozen=True)
class Fault:
    """What the authority does at a step, what the run has to end with, and words that its message has to hold."""

    step: str
    kind: str
    code: int
    words: tuple[str, ...] = ()
    details: dict = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        return f"{self.kind} at {self.step} {self.details or ''}".rstrip()


QUICK = [
    *(Fault(step, "cut", NETWORK, ("https://localhost:14100/",)) for step in STEPS),
    *(Fault(step, "html", AUTHORITY, ("502", "text/html")) for step in STEPS),
    *(Fault(step, "malformed", AUTHORITY, ("makes no sense",)) for step in WITH_JSON),
    *(Fault(step, "deep", AUTHORITY, ("nested",)) for step in WITH_JSON),
    *(Fault(step, "huge", NETWORK, ("larger than",)) for step in WITH_JSON),
    *(Fault(step, "contentType", AUTHORITY, ("text/plain",), {"type": "text/plain"})
      for step in [*WITH_JSON, "certificate"]),
    *(Fault(step, "redirect", AUTHORITY, ("302",), {"location": "https://localhost:14100/elsewhere"})
      for step in STEPS),
    *(Fault(step, "badNonce", AUTHORITY, ("badNonce",)) for step in STEPS if step != "directory"),
    *(Fault(step, "headers", NETWORK) for step in ("directory", "finalize", "certificate")),
    Fault("authorization", "invalid", AUTHORITY, ("the key authorization file did not match",)),
    *(Fault("authorization", "status", AUTHORITY, (word,), {"status": word})
      for word in ("deactivated", "expired", "revoked", "nonsense")),
    *(Fault(step, "status", AUTHORITY, (word,), {"status": word})
      for step in ("order", "finalize") for word in ("invalid", "revoked", "nonsense")),
    Fault("certificate", "wrongKey", AUTHORITY, ("does not belong", "in place stays")),
    Fault("certificate", "wrongNames", AUTHORITY, ("shop.example.test", "in place stays")),
    Fault("certificate", "wrongOrder", AUTHORITY, ("in place stays",)),
    Fault("certificate", "expired", AUTHORITY, ("expired", "clock")),
]

# Each lasts as long as the program is patient.
SLOW = [Fault(step, kind, NETWORK, ("timed out",))
        for kind in ("silent", "drip") for step in ("directory", "newOrder", "finalize", "certificate")]


def make_ca(workshop: Workshop, **options) -> ScriptedCA:
    ca = ScriptedCA(workshop, **options)
    workshop.begin()
    workshop.configure(ca)
    if not options:
        run = workshop.cert("renew", NAME)
        require(run.exit_code == DONE, f"the first issue without any fault ended with {run.exit_code}:\n{run.output}")
    workshop.keep_state_as("issued")
    return ca


def make_ca_of_old(workshop: Workshop) -> ScriptedCA:
    return make_ca(workshop, expired=True)


@pytest.fixture(scope="module")
def rooms(tmp_path_factory):
    with workshops(tmp_path_factory.mktemp("rooms"), make_ca) as pool:
        yield pool


@pytest.fixture
def many_rooms(tmp_path_factory):
    with workshops(tmp_path_factory.mktemp("rooms"), make_ca, len(SLOW)) as pool:
        yield pool


@pytest.fixture
def room_with_expired_ca(tmp_path_factory):
    with workshops(tmp_path_factory.mktemp("rooms"), make_ca_of_old, 1) as pool:
        yield pool


def prepare(workshop: Workshop, ca: ScriptedCA, **changes: str) -> None:
    """A renewal is due, and also an account to be made, so that every step comes."""
    ca.heal()
    workshop.begin("issued")
    for account in STATE.glob("acme/accounts/*/account.json"):
        account.unlink()
    workshop.configure(ca, "ecdsa-p384", **changes)


def pause_is_over() -> None:
    """As if the time had passed that the failure has to be waited for."""
    for failures in STATE.glob("acme/**/failures.json"):
        failures.unlink()


def check_told(run: Run, code: int, words: tuple[str, ...] = ()) -> None:
    require(run.exit_code == code, f"ended with {run.exit_code} and not {code}:\n{run.output}")
    missing = [word for word in ("hint: ", *words) if word not in run.output]
    require(not missing, f"does not say {missing}:\n{run.output}")
    require(run.peak_memory < MOST_MEMORY, f"took {run.peak_memory >> 20} MiB")


def renew_untouched(workshop: Workshop, code: int, words: tuple[str, ...] = (), **options) -> None:
    """A run that fails, and leaves the store as it was."""
    before = live_files(STORE)
    run = workshop.cert("renew", NAME, **options)
    check_told(run, code, words)
    require(live_files(STORE) == before, f"the store was touched:\n{run.output}")
    workshop.check_no_challenge()
    workshop.check_secret()


def check_recovers(workshop: Workshop, ca: ScriptedCA) -> None:
    ca.heal()
    pause_is_over()
    run = workshop.cert("renew", NAME)
    require(run.exit_code == DONE, f"the next run ended with {run.exit_code}:\n{run.output}")
    workshop.check_complete(STORE, "ecdsa-p384")


def fail(workshop: Workshop, ca: ScriptedCA, fault: Fault) -> None:
    prepare(workshop, ca)
    ca.fail(fault.step, fault.kind, **fault.details)

    renew_untouched(workshop, fault.code, fault.words)

    require(ca.requests()[-1] in STEPS, "it went where it was redirected to")
    check_recovers(workshop, ca)


@pytest.mark.parametrize("kind", sorted({fault.kind for fault in QUICK}))
def test_an_answer_that_is_wrong_is_told_and_changes_nothing(rooms, kind):
    run_all(rooms, fail, [(fault,) for fault in QUICK if fault.kind == kind])


def test_an_authority_that_takes_for_ever_is_given_up(many_rooms):
    run_all(many_rooms, fail, [(fault,) for fault in SLOW])


# --- an authority that cannot be reached or believed ---

def is_down(workshop: Workshop, ca: ScriptedCA) -> None:
    prepare(workshop, ca, ACME_DIRECTORY="https://localhost:14999/directory")
    renew_untouched(workshop, NETWORK, ("localhost:14999",))


def accepts_and_is_mute(workshop: Workshop, ca: ScriptedCA) -> None:
    prepare(workshop, ca, ACME_DIRECTORY="https://localhost:14999/directory")
    with socket.create_server(("127.0.0.1", 14999)):
        renew_untouched(workshop, NETWORK, ("localhost:14999",))


def has_an_unknown_root(workshop: Workshop, ca: ScriptedCA) -> None:
    prepare(workshop, ca, ACME_CA_FILE="")
    renew_untouched(workshop, NETWORK, ("ca-certificates",))


def has_another_name(workshop: Workshop, ca: ScriptedCA) -> None:
    hosts = Path("/etc/hosts")
    if "another.example.test" not in hosts.read_text():
        hosts.write_text(hosts.read_text() + "127.0.0.1 another.example.test\n")
    prepare(workshop, ca, ACME_DIRECTORY="https://another.example.test:14100/directory")
    renew_untouched(workshop, NETWORK, ("another.example.test",))


def is_met_with_a_clock_ahead(workshop: Workshop, ca: ScriptedCA) -> None:
    prepare(workshop, ca)
    renew_untouched(workshop, NETWORK, ("clock",), environment=clock("+1 year"))
    check_recovers(workshop, ca)


def is_met_with_a_clock_behind(workshop: Workshop, ca: ScriptedCA) -> None:
    prepare(workshop, ca)
    renew_untouched(workshop, NETWORK, ("clock",), environment=clock("-1 year"))
    check_recovers(workshop, ca)


def clock(offset: str) -> dict[str, str]:
    [library] = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    return {"LD_PRELOAD": library, "FAKETIME": offset.replace(" year", "y"), "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


@pytest.mark.parametrize("situation", [is_down, accepts_and_is_mute, has_an_unknown_root, has_another_name,
                                       is_met_with_a_clock_ahead, is_met_with_a_clock_behind])
def test_an_authority_that_cannot_be_reached_or_believed_is_told(rooms, situation):
    run_all(rooms, situation, [()])


def test_an_authority_whose_own_certificate_has_expired_is_told(room_with_expired_ca):
    run_all(room_with_expired_ca, has_expired, [()])


def has_expired(workshop: Workshop, ca: ScriptedCA) -> None:
    workshop.configure(ca)
    renew_untouched(workshop, NETWORK, ("expired", "clock"))


# --- a run that ends while the authority is at work ---

def lose_answer(workshop: Workshop, ca: ScriptedCA, step: str) -> None:
    prepare(workshop, ca)
    before = ca.count("newOrder"), ca.count("finalize")
    ca.fail(step, "lost", times=1)
    renew_untouched(workshop, NETWORK)

    check_recovers(workshop, ca)
    spent = ca.count("newOrder") - before[0], ca.count("finalize") - before[1]
    require(spent == (1, 1), f"{spent[0]} orders and {spent[1]} requests for a certificate, and not one each")


def test_an_answer_that_is_lost_costs_no_second_order(rooms):
    run_all(rooms, lose_answer, [(step,) for step in AFTER_THE_ORDER])


def kill_while_waiting(workshop: Workshop, ca: ScriptedCA, step: str) -> None:
    prepare(workshop, ca)
    orders, asked = ca.count("newOrder"), ca.count(step)
    ca.fail(step, "silent")
    before = live_files(STORE)

    run = workshop.cert("renew", NAME, kill_when=lambda: ca.count(step) > asked)

    require(run.exit_code == -9, f"was not killed but ended with {run.exit_code}:\n{run.output}")
    require(live_files(STORE) == before, f"the store was touched:\n{run.output}")
    check_recovers(workshop, ca)
    if step in AFTER_THE_ORDER:
        require(ca.count("newOrder") == orders + 1, "another order was made")


def test_a_run_that_is_killed_while_it_waits_for_an_answer_costs_no_second_order(rooms):
    run_all(rooms, kill_while_waiting, [(step,) for step in STEPS])
