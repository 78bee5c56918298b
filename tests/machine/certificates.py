"""What the tests of commento-cert have in common: its runs, what it keeps, and what nginx serves."""

import json
import re
import socket
import ssl

from . import processes
from .machine import Machine
from .processes import Result
from .site import Site, await_workers

BOOTSTRAP = "commento-cert-bootstrap.service"
RENEW = "commento-cert-renew.service"
RELOAD_PATH = "commento-nginx-reload.path"
STATE = "/var/lib/commento-stack"
CHALLENGES = f"{STATE}/acme/webroot/.well-known/acme-challenge"
DOMAIN = "comments.example.test"

DONE, SETTINGS, PERMISSION, NETWORK, AUTHORITY, LATER, WEB = 0, 2, 3, 5, 6, 7, 8


# --- runs ---

def start_front(site: Site) -> None:
    """Starts what certificates need: nginx with the site and its reload, and a run of commento-cert. Database and
    application, which take the longest, stay down."""
    site.machine.run(["systemctl", "start", BOOTSTRAP, "commento-nginx-render", "commento-nginx-reload", RELOAD_PATH])
    run_unit(site.machine)


def run_unit(machine: Machine, unit: str = RENEW) -> tuple[int, str]:
    """Starts a unit that runs once; returns the exit code of its program and what `systemctl status` shows."""
    machine.run(["systemctl", "start", unit], check=False, timeout=150)
    status = machine.status(unit)
    await_workers(machine)
    return int(machine.unit(unit)["ExecMainStatus"]), status


def cert(machine: Machine, *words: str) -> Result:
    """`commentoctl cert …`, by root."""
    done = machine.run(["commentoctl", "cert", *words], check=False, timeout=150)
    await_workers(machine)
    return done


def renew(machine: Machine, *words: str) -> Result:
    """A renewal that has to end well."""
    done = cert(machine, "renew", *words)
    assert done.exit_code == DONE, done.output
    return done


# --- what it knows and keeps ---

def show(machine: Machine, name: str = "main") -> dict:
    """What `commentoctl cert list --json` tells of a certificate."""
    [described] = json.loads(machine.run(["commentoctl", "cert", "list", "--json", name]).stdout)
    return described


def account(machine: Machine) -> dict:
    """The only account, as `commentoctl cert account show --json` tells it."""
    [described] = json.loads(machine.run(["commentoctl", "cert", "account", "show", "--json"]).stdout)
    return described


def failures(machine: Machine, name: str = "main") -> list[dict]:
    path = _failures_of(name)
    return json.loads(machine.read(path))["failures"] if machine.exists(path) else []


def let_pause_pass(machine: Machine, name: str = "main") -> None:
    """As if the time had come to ask again."""
    known = [failure | {"next_try": failure["failed_at"]} for failure in failures(machine, name)]
    keep(machine, _failures_of(name), {"failures": known})


def keep(machine: Machine, path: str, content: dict) -> None:
    """Writes what commento-cert remembers in a file."""
    machine.write(path, json.dumps(content), owner="commento-cert:commento-cert")


def _failures_of(name: str) -> str:
    return f"{STATE}/acme/certificates/{name}/failures.json"


def files(machine: Machine) -> str:
    """Every file of the state with inode, times and mode: whatever is written to shows."""
    return machine.run(["find", STATE, "-path", f"{STATE}/metrics*", "-prune", "-o", "-printf", "%p %i %T@ %C@ %m\n"]).stdout


# --- what is served ---

def served(machine: Machine, name: str = DOMAIN, port: int = 443) -> str:
    """The certificate that is served for a name, in PEM, whoever signed it."""
    return served_chain(machine, name, port)[0]


def served_chain(machine: Machine, name: str = DOMAIN, port: int = 443) -> list[str]:
    """The same with what comes after it."""
    argv = ["openssl", "s_client", "-connect", f"{machine.address}:{port}", "-servername", name, "-showcerts"]
    shown = processes.run(argv, input="").stdout
    return re.findall(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", shown, re.DOTALL)


def is_trusted(site: Site, name: str) -> bool:
    """Whether a visitor who trusts the authority's root accepts what is served for a host name or IP address."""
    context = ssl.create_default_context(cadata=site.pebble.root())
    with socket.create_connection((site.machine.address, 443), timeout=10) as plain:
        with context.wrap_socket(plain, server_hostname=name) as connection:
            return bool(connection.getpeercert())


def describe(certificate: str, *options: str) -> str:
    return processes.run(["openssl", "x509", "-noout", *options], input=certificate).stdout


def names_on(certificate: str) -> set[str]:
    return set(re.findall(r"(?:DNS|IP Address):([^\s,]+)", describe(certificate, "-ext", "subjectAltName")))


def serial_of(certificate: str) -> str:
    return describe(certificate, "-serial").strip().removeprefix("serial=")


def key_of(certificate: str) -> str:
    return describe(certificate, "-pubkey")


def issuer_of(certificate: str) -> str:
    """The common name of who signed it."""
    return describe(certificate, "-issuer", "-nameopt", "multiline").split("commonName")[1].split("= ")[1].strip()
