"""What ./try does, once there is a Python to do it: from the sources to comments over HTTPS."""

import argparse
import contextlib
import os
import signal
import sys

from rich.console import Console

from . import machine as machines
from . import places, processes, roots
from .acme import Pebble
from .machine import Machine
from .processes import CommandFailed
from .site import TARGET, Site, report
from .steps import StepFailed, Steps, run_reporting


def main() -> int:
    arguments = argparse.ArgumentParser()  # ./try has refused what is wrong already
    arguments.add_argument("--check", action="store_true")
    arguments.add_argument("--shell", action="store_true")
    arguments.add_argument("--app")
    given = arguments.parse_args()
    if given.app:
        os.environ["COMMENTO_ARCHIVE"] = given.app
    processes.end_on_signals()
    machines.reporters.append(report)
    console = Console(soft_wrap=True)
    try:
        return _try(console, Steps(console), given)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except (StepFailed, CommandFailed, places.NotBuilt, TimeoutError, OSError, AssertionError, RuntimeError) as error:
        print("\n".join([f"\ntry: {error}", *getattr(error, "__notes__", [])]), file=sys.stderr)
        return 1


def _try(console: Console, steps: Steps, given: argparse.Namespace) -> int:
    _make_package(steps)
    with contextlib.ExitStack() as stack:
        with steps.step(f"make a Debian root ({places.suite()})"):
            template = roots.pristine()
        with steps.step("boot a machine with systemd"):
            machine = stack.enter_context(Machine(template))
        site = _set_up(steps, machine)
        if given.check:
            with steps.step("check: all units, certificate, a comment posted and listed over HTTPS"):
                _check(site)
        _describe(console, steps, site)
        if given.check:
            return 0
        if given.shell:
            console.print("\nThis is a shell in the machine. The machine ends with it.", highlight=False)
            machine.shell()
        else:
            console.print("\nIt stays up until Ctrl-C.", highlight=False)
            with contextlib.suppress(KeyboardInterrupt):
                signal.pause()
            console.print("\nTaking it away.", highlight=False)
    return 0


def _make_package(steps: Steps) -> None:
    """Installs what is needed and builds; a package or an archive named in the environment needs no building."""
    needs = places.REPOSITORY / "tests/needs/install"
    with steps.step("install what building and booting need"):
        run_reporting([str(needs), "build", "machine"], lambda done, total: None)
    wanted = [target for target, variable in (("package", "COMMENTO_DEB"), ("standin_archive", "COMMENTO_ARCHIVE"))
              if not os.environ.get(variable)]
    if wanted:
        with steps.step("build and package commento-stack") as report:
            here = {"cwd": places.REPOSITORY}
            run_reporting(["cmake", "--preset", "package"], report, **here)
            run_reporting(["cmake", "--build", "--preset", "package", "--target", *wanted], report, **here)


def _set_up(steps: Steps, machine: Machine) -> Site:
    """What a user does on a real host, step by step."""
    with steps.step("install the package with apt"):
        machine.install(["commento-stack"])
    with steps.step("start a certificate authority for tests (pebble)"):
        site = Site(machine, Pebble(machine))
    with steps.step("write the settings"):
        site.configure()
    with steps.step(f"systemctl enable --now {TARGET}"):
        site.start()
    return site


def _check(site: Site) -> None:
    state = site.machine.unit(TARGET)["ActiveState"]
    failed = site.machine.failed_units()
    assert state == "active", f"{TARGET} is {state}"
    assert not failed, f"failed units: {' '.join(failed)}"
    comments = site.comments()
    comments.certificate()  # raises unless the authority's root vouches for it
    comments.check()


def _describe(console: Console, steps: Steps, site: Site) -> None:
    """The status, and how to reach it from this machine."""
    machine = site.machine
    ca_file = machine.directory / "root.pem"
    ca_file.write_text(site.pebble.root())
    machine.announce(site.domain)
    address = f"https://{site.domain}/login"
    say = lambda text="": console.print(text, highlight=False, markup=False)
    say(f"\nUp after {steps.total():.1f} s.\n")
    say(site.status())
    say(f"address        {address}  (in this machine's /etc/hosts until it ends)")
    say(f"IP address     {machine.address}")
    say(f"CA file        {ca_file}  (a browser that does not know it will warn)")
    say(f"from here      curl --resolve {site.domain}:443:{machine.address} --cacert {ca_file} {address}")
    _say_what_was_used(console)


def _say_what_was_used(console: Console) -> None:
    if places.is_standin():
        console.print("\nNote: this is the stand-in for the application, made for tests: no release of Commento was\n"
                      "      at hand. With one: ./try --app FILE", highlight=False)
    else:
        console.print(f"\nApplication: {places.archive()}", highlight=False)


if __name__ == "__main__":
    sys.exit(main())
