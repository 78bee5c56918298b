"""A machine on which the product is set up as its user would: settings, a CA, `systemctl enable --now …`."""

import contextlib
import hashlib
import os
from pathlib import Path
from typing import Iterator

from . import places, roots
from .acme import Pebble
from .flow import Comments
from .machine import Machine

SETTINGS = "/etc/commento-stack/commento-stack.conf"
TARGET = "commento.target"
OUR_UNITS = ["commento*", "nginx*", "postgresql*", "pgbouncer*"]


def report(machine: Machine) -> str:
    """What a reader needs when something went wrong: failed units and the last lines of our units' journal."""
    units = machine.run(["systemctl", "list-units", "--failed", "--plain"], check=False, timeout=20).output
    journal = machine.journal(*OUR_UNITS, options=["--lines=100"])
    return f"failed units:\n{units}\njournal:\n{journal}\nconsole:\n{machine.console_tail(10)}"


class Site:
    """The product on one machine."""

    def __init__(self, machine: Machine, pebble: Pebble, domain: str = "comments.example.test"):
        self.machine, self.pebble, self.domain = machine, pebble, domain

    def settings(self, **changes: str | None) -> dict[str, str]:
        """The settings of a site that works; `changes` replace some, None leaves one out."""
        archive = self.give_archive()
        usual = {"DOMAIN": self.domain, "EMAIL": "owner@example.test", "ACME_DIRECTORY": self.pebble.directory,
                 "ACME_CA_FILE": self.pebble.ca_file, "APP_ARCHIVE": archive, "APP_SHA256": self._archive_digest}
        return {key: value for key, value in (usual | changes).items() if value is not None}

    def configure(self, **changes: str | None) -> None:
        """Writes the settings file."""
        lines = [f"{key}={value}\n" for key, value in self.settings(**changes).items()]
        self.machine.write(SETTINGS, "".join(lines))

    def give_archive(self, archive: Path | None = None) -> str:
        """Puts the application's archive into the machine, as an operator without a network would."""
        archive = archive or places.archive()
        inside = f"/srv/application/{archive.name}"
        self._archive_digest = hashlib.sha256(archive.read_bytes()).hexdigest()
        if not self.machine.exists(inside):
            self.machine.send(archive, inside)
        return inside

    def start(self, timeout: float = 120) -> None:
        """Enables and starts everything; returns when visitors get the certificate that there is by then."""
        self.machine.run(["systemctl", "enable", "--now", TARGET], timeout=timeout)
        await_workers(self.machine)

    def restart(self, **changes: str | None) -> None:
        """All of it again, with the settings of a site that works and these changes; returns as start() does."""
        self.configure(**changes)
        self.machine.run(["systemctl", "restart", TARGET], timeout=120)
        await_workers(self.machine)

    def take_connections(self, count: int = 16384) -> None:
        """Has each worker of nginx take so many; what is preset is as many as `commento-nginx render` advises."""
        self.machine.run(["sed", "--in-place", f"s/worker_connections .*/worker_connections {count};/", "/etc/nginx/nginx.conf"])
        self.machine.run(["systemctl", "restart", "nginx"])

    def comments(self) -> Comments:
        """A client that trusts the CA's root and nothing else."""
        return Comments(self.domain, self.machine.address, self.pebble.root())

    def status(self, *options: str) -> str:
        return self.machine.run(["commentoctl", "status", *options], check=False).output


def await_workers(machine: Machine) -> None:
    """For some moments after a reload, nginx's former workers answer beside the new ones, of which one at least has
    answered. By Debian's configuration there are as many as processors."""
    machine.wait_until("nginx's former workers are gone", lambda: len(nginx_workers(machine)) <= len(os.sched_getaffinity(0)))


def reload_nginx(machine: Machine) -> None:
    """As the operator does after an edit; returns when no former worker answers any more."""
    former = nginx_workers(machine)
    machine.run(["systemctl", "reload", "nginx"])
    machine.wait_until("nginx's former workers are gone", lambda: not former & nginx_workers(machine))


def let_rest(machine: Machine, *timers: str) -> None:
    """Has timers, which stay active, begin nothing by themselves that would come into a test's way."""
    for timer in timers:
        machine.write(f"/etc/systemd/system/{timer}.timer.d/rarely.conf", "[Timer]\nOnCalendar=\nOnCalendar=yearly\n")
    machine.run(["systemctl", "daemon-reload"])


def nginx_workers(machine: Machine) -> set[str]:
    """Process ids, those that are about to end among them."""
    main = machine.unit("nginx")["MainPID"]
    return set(machine.run(["cat", f"/proc/{main}/task/{main}/children"], check=False).stdout.split())


@contextlib.contextmanager
def started_site(**changes: str | None) -> Iterator[Site]:
    """The product, up and serving on a machine of its own, until the end of the block: for all tests of a file."""
    with Machine(roots.installed()) as machine:
        site = Site(machine, Pebble(machine))
        site.configure(**changes)
        site.start()
        yield site
