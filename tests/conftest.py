"""Fixtures of the system tests: machines, and what to show when a test on them fails.

COMMENTO_DEB      the package under test; else the newest under build/package
COMMENTO_ARCHIVE  the application's archive, a real release; else the stand-in's
COMMENTO_SUITE    bookworm (default) or trixie
"""

import os
import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[0]))

from machine import Machine, Pebble, Site, machine as machines, processes, roots  # noqa: E402
from machine.site import report  # noqa: E402

_CRASH = re.compile(r"(Address|Leak|Thread|UndefinedBehavior|Memory)Sanitizer|runtime error:|terminate called|"
                    r"Assertion .* failed|code=dumped|segfault at|stack smashing|double free|free\(\): |malloc\(\): |"
                    r"status=(4/ILL|6/ABRT|7/BUS|8/FPE|11/SEGV|31/SYS)")


def pytest_configure(config):
    processes.end_on_signals()
    if os.geteuid() != 0:
        pytest.exit("the system tests boot machines, which only root can", returncode=1)
    machines.inspectors.append(_find_crashes)
    machines.reporters.append(report)


def _find_crashes(machine):
    crashes = [line for line in machine.journal().splitlines() if _CRASH.search(line)]
    assert not crashes, f"the journal of {machine.name} tells of crashes:\n" + "\n".join(crashes)


@pytest.fixture(scope="module")
def fedora():
    """The file's machines are in the shape of a Fedora host, with the RPM."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMMENTO_FAMILY", "fedora")
        yield


@pytest.fixture
def pristine():
    """A fresh Debian; the package is in its repository, not installed."""
    with Machine(roots.pristine()) as made:
        yield made


@pytest.fixture
def machine():
    """A Debian with the package installed and not set up."""
    with Machine(roots.installed()) as made:
        yield made


@pytest.fixture
def pebble(machine):
    """A working certificate authority in the machine's network."""
    return Pebble(machine)


@pytest.fixture
def unstarted_site(machine, pebble):
    """The package installed, its settings written, a certificate authority up; the target is not started."""
    site = Site(machine, pebble)
    site.configure()
    return site


@pytest.fixture
def site(unstarted_site):
    """The product, up and serving."""
    unstarted_site.start()
    return unstarted_site


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Adds to a failure what the machine had to say, while there still is one."""
    outcome = yield
    result = outcome.get_result()
    if result.failed and call.when != "teardown":
        for made in machines.alive:
            result.sections.append((f"machine {made.name}", report(made)))
