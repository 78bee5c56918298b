"""How each client is driven: http-01 through nginx's webroot, P-256, and nothing beside what that needs.

    first(name)  argv of the first issue, with an empty store: account and certificate
    again(name)  argv that renews it now, though it is not due
    idle()       argv that renews what is due, which is nothing
    fill(name, count)   makes the store, which holds one certificate, hold `count`, none of them due
    reset()      empties the store, accounts too

`issue` and `look` run these and say what it cost.
"""

import shlex
import shutil
import time
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Iterable

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from machine import processes

from .lab import CHALLENGES, WEBROOT, Cost, Lab
from .namespaces import STATE

_EMAIL = "owner@example.test"


class Unsuccessful(Exception):
    def __init__(self, client: "Client", cost: Cost):
        super().__init__(f"{client.name} ended with {cost.exit_code}: {cost.output[-2000:]}")


class Client:
    name: str
    is_quick = False       # so that it can run as often as ours
    idle_exit_code = 0
    most_certificates = 1000  # that it can look through in seconds

    def __init__(self, lab: Lab):
        self.lab = lab
        self.folder = lab.directory / self.name
        self.environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "HOME": str(self.folder)}
        self.reset()

    def reset(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()

    @property
    def directory(self) -> str:
        return self.lab.pebble.direct

    def issue(self, argv: list[str]) -> Cost:
        cost = self.lab.measure(argv, self.environment, timeout=150)
        return replace(cost, succeeded=cost.exit_code == 0 and cost.fetched_a_certificate)

    def look(self) -> Cost:
        """A run with nothing due. It has to succeed for its time to mean something."""
        cost = self.lab.measure(self.idle(), self.environment, timeout=900)
        if cost.exit_code != self.idle_exit_code:
            raise Unsuccessful(self, cost)
        return replace(cost, succeeded=True)

    def issue_for_sure(self, argv: list[str]) -> Cost:
        cost = self.issue(argv)
        if not cost.succeeded:
            raise Unsuccessful(self, cost)
        return cost

    def _one_after_another(self, commands: Iterable[list[str]]) -> list[str]:
        """One alone needs no shell, whose costs would be taken for the client's."""
        commands = list(commands)
        if len(commands) == 1:
            return commands[0]
        script = self.folder.with_suffix(".sh")
        script.write_text("\n".join(map(shlex.join, commands)))
        return ["sh", str(script)]


class Commento(Client):
    """As a further certificate of the host, since nginx does not have to serve one of these before the run ends."""

    name = "commento"
    is_quick = True
    program: Path

    _SETTINGS = Path("/etc/commento-stack")

    def reset(self) -> None:
        super().reset()
        for folder in (STATE / "tls", STATE / "acme", self._SETTINGS):
            shutil.rmtree(folder, ignore_errors=True)
        for folder in (CHALLENGES, STATE / "tls", self._SETTINGS / "certificates"):
            folder.mkdir(parents=True)
        (self._SETTINGS / "commento-stack.conf").write_text(
            f"DOMAIN=comments.example.test\nEMAIL={_EMAIL}\nTLS_MODE=selfsigned\nACME_DIRECTORY={self.directory}\n")
        processes.run([str(self.program), "bootstrap"], env=self.environment)

    def first(self, name):
        self._ask_for(name)
        return [str(self.program), "renew", name]

    def again(self, name):
        return [str(self.program), "renew", "--force", name]

    def idle(self):
        return [str(self.program), "renew"]

    def fill(self, name, count):
        stores, states = STATE / "tls/further", STATE / "acme/certificates"
        for other in _others(count):
            self._ask_for(other)
            shutil.copytree(stores / name, stores / other, symlinks=True)
            for info in (stores / other).glob("generations/*/info.json"):
                _rename_in(info, name, other)
            if (states / name).exists():
                shutil.copytree(states / name, states / other)

    def _ask_for(self, name):
        (self._SETTINGS / f"certificates/{name}.conf").write_text(f"DOMAIN={name}\n")


class Certbot(Client):
    name = "certbot"

    def first(self, name):
        return self._argv("certonly", "--webroot", "--webroot-path", str(WEBROOT), "--domain", name, "--agree-tos", "--email",
                          _EMAIL, "--no-eff-email", "--key-type", "ecdsa", "--elliptic-curve", "secp256r1", "--server",
                          self.directory)

    def again(self, name):
        return self._argv("renew", "--no-random-sleep-on-renew", "--force-renewal", "--cert-name", name)

    def idle(self):
        return self._argv("renew", "--no-random-sleep-on-renew")

    def fill(self, name, count):
        for other in _others(count):
            for part in ("live", "archive"):
                shutil.copytree(self.folder / part / name, self.folder / part / other, symlinks=True)
            for link in (self.folder / "live" / other).iterdir():
                if link.is_symlink():
                    target = str(link.readlink()).replace(name, other)
                    link.unlink()
                    link.symlink_to(target)
            settings = self.folder / f"renewal/{other}.conf"
            shutil.copy(self.folder / f"renewal/{name}.conf", settings)
            _rename_in(settings, name, other)

    def _argv(self, verb, *options):
        places = [f"--{kind}-dir={self.folder}" for kind in ("config", "work", "logs")]
        return ["certbot", verb, "--non-interactive", *places, *options]


class Lego(Client):
    """It knows no store as a whole: one run for each certificate."""

    name = "lego"
    most_certificates = 100

    def first(self, name):
        return [*self._argv(name), "run"]

    def again(self, name):
        return [*self._argv(name), "renew", "--no-random-sleep", "--days", "5000"]  # pebble's last for 5 years

    def idle(self):
        return self._one_after_another([*self._argv(name), "renew", "--no-random-sleep"] for name in self._names())

    def fill(self, name, count):
        store = self.folder / "certificates"
        files = [path for path in store.iterdir() if path.name.startswith(name)]
        for other in _others(count):
            for path in files:
                copy = shutil.copy(path, store / path.name.replace(name, other))
                if path.suffix == ".json":
                    _rename_in(Path(copy), name, other)

    def _names(self):
        return sorted(path.stem for path in (self.folder / "certificates").glob("*.key"))

    def _argv(self, name):
        return ["lego", "--path", str(self.folder), "--server", self.directory, "--accept-tos", "--email", _EMAIL, "--key-type",
                "ec256", "--http", "--http.webroot", str(WEBROOT), "--domains", name]


class Uacme(Client):
    """It knows no store as a whole: one run for each certificate, which ends with 1 where nothing is due."""

    name = "uacme"
    is_quick = True
    idle_exit_code = 1
    most_certificates = 100

    def __init__(self, lab):
        super().__init__(lab)
        self.environment["UACME_CHALLENGE_PATH"] = str(CHALLENGES)

    def first(self, name):
        return _both([*self._argv(), "--yes", "new", _EMAIL], self._issue(name))

    def again(self, name):
        time.sleep(1)  # it names the former certificate by the second, and fails where there is one with that name
        return self._issue(name, "--force")

    def idle(self):
        return self._one_after_another(self._issue(name) for name in self._names())

    def fill(self, name, count):
        for other in _others(count):
            shutil.copytree(self.folder / name, self.folder / other)
            shutil.copytree(self.folder / "private" / name, self.folder / "private" / other)
            (self.folder / other / "cert.pem").write_bytes(_certificate_for(other))  # it looks at the names in it

    def _names(self):
        return sorted(path.name for path in self.folder.iterdir() if path.name != "private")

    def _issue(self, name, *options):
        return [*self._argv(), "--hook", "/usr/share/uacme/uacme.sh", "--type", "EC", "--bits", "256", *options, "issue", name]

    def _argv(self):
        return ["uacme", "--confdir", str(self.folder), "--acme-url", self.directory]


class Dehydrated(Client):
    name = "dehydrated"
    most_certificates = 100

    def reset(self):
        super().reset()
        (self.folder / "config").write_text(f"BASEDIR={self.folder}\nCA={self.directory}\nWELLKNOWN={CHALLENGES}\n"
                                            f"CONTACT_EMAIL={_EMAIL}\nKEY_ALGO=prime256v1\n")

    def first(self, name):
        (self.folder / "domains.txt").write_text(f"{name}\n")
        return _both([*self._argv(), "--register", "--accept-terms"], [*self._argv(), "--cron"])

    def again(self, name):
        return [*self._argv(), "--cron", "--force", "--domain", name]

    def idle(self):
        return [*self._argv(), "--cron"]

    def fill(self, name, count):
        others = _others(count)
        for other in others:
            shutil.copytree(self.folder / "certs" / name, self.folder / "certs" / other, symlinks=True)
            (self.folder / "certs" / other / "cert.pem").write_bytes(_certificate_for(other))  # it looks at the names in it
        (self.folder / "domains.txt").write_text("".join(f"{each}\n" for each in [name, *others]))

    def _argv(self):
        return ["dehydrated", "--config", str(self.folder / "config")]


ALL = [Commento, Certbot, Lego, Uacme, Dehydrated]


def _others(count: int) -> list[str]:
    return [f"n{number:04}.example.test" for number in range(1, count)]


def _certificate_for(name: str) -> bytes:
    """One that is not due for long, PEM."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(timezone.utc)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    draft = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=900))
    names = x509.SubjectAlternativeName([x509.DNSName(name)])
    return draft.add_extension(names, critical=False).sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


def _rename_in(file: Path, name: str, other: str) -> None:
    file.write_text(file.read_text().replace(name, other))


def _both(first: list[str], second: list[str]) -> list[str]:
    return ["sh", "-c", f"{shlex.join(first)} && {shlex.join(second)}"]
