"""PostgreSQL servers that are not the host's own: reached by name, over TLS and with a password only.

They are clusters on the machine itself, each with an address of its own on its loopback, which the stack's units do not
see unless they are let out of their own network.
"""

import contextlib
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Iterator

from .database import sql
from .identity import Root
from .machine import Machine

CA_FILE = "/etc/ssl/test/databases.pem"
ADMIN, ADMIN_PASSWORD = "admin", "admin's own: password"
PASSWORD = "it's a 100% secret / pass:word"


class Server:
    """A cluster, running: `name` is the server's name to its clients."""

    def __init__(self, machine: Machine, root: Root, name: str, address: str, port: int, primary: "Server | None" = None):
        """`primary`: the one that this one is a standby of."""
        self.machine, self.name, self.port = machine, name, port
        self._root, self._address, self._cluster = root, address, name.split(".")[0]
        self._version = machine.run(["ls", "/usr/lib/postgresql"]).stdout.split()[-1]
        machine.run(["pg_createcluster", f"--port={port}", self._version, self._cluster])
        machine.run(["sh", "-c", f"echo {address} {name} >> /etc/hosts"])
        self.certify()
        self._configure()
        if primary:
            self._copy(primary)
        self.ctl("start")

    def certify(self, *names: str, root: Root | None = None, expired: bool = False) -> None:
        """Gives it another certificate, for its own name unless said otherwise. It counts from its next start on."""
        files = (root or self._root).certify(*(names or [f"DNS:{self.name}"]), file=self._cluster, expired=expired)
        for kind, file in zip(("crt", "key"), files):
            self.machine.write(f"/etc/ssl/test/{self._cluster}.{kind}", file.read_text(), 0o600, "postgres:postgres")

    def ctl(self, *words: str) -> None:
        """`pg_ctlcluster`, such as `stop` or `restart`."""
        self.machine.run(["pg_ctlcluster", *words[1:], self._version, self._cluster, words[0]])

    def sql(self, statement: str, database: str = "postgres") -> str:
        return sql(self.machine, statement, database, port=self.port)

    @contextlib.contextmanager
    def holding_table(self, table: str, database: str) -> Iterator[None]:
        """As long as the block lasts, nobody else can read that table."""
        psql = self.machine.popen(["psql", "--no-psqlrc", f"--port={self.port}", database], user="postgres",
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        psql.stdin.write(f"BEGIN; LOCK TABLE {table};\n\\echo held\n")
        psql.stdin.flush()
        while "held" not in psql.stdout.readline():
            pass
        try:
            yield
        finally:
            psql.stdin.close()
            psql.wait(30)

    def log(self) -> str:
        return self.machine.read(f"/var/log/postgresql/postgresql-{self._version}-{self._cluster}.log")

    def make_admin(self) -> None:
        """A role like those that providers give: it makes roles and databases, and is no superuser."""
        self.sql(f"CREATE ROLE {ADMIN} LOGIN CREATEROLE CREATEDB PASSWORD {_literal(ADMIN_PASSWORD)}")

    def make_role(self, name: str = "comments", options: str = "") -> None:
        self.sql(f"CREATE ROLE {name} LOGIN {options} PASSWORD {_literal(PASSWORD)}")

    def _configure(self) -> None:
        folder = f"/etc/postgresql/{self._version}/{self._cluster}"
        settings = {"listen_addresses": f"'{self._address}'", "ssl": "on", "log_connections": "on", "log_statement": "all",
                    "ssl_cert_file": f"'/etc/ssl/test/{self._cluster}.crt'", "ssl_key_file": f"'/etc/ssl/test/{self._cluster}.key'"}
        self.machine.write(f"{folder}/conf.d/test.conf", "".join(f"{key} = {value}\n" for key, value in settings.items()))
        rules = ["local all,replication postgres peer", "hostssl all,replication all 0.0.0.0/0 scram-sha-256"]
        self.machine.write(f"{folder}/pg_hba.conf", "\n".join(rules) + "\n", 0o640, "postgres:postgres")

    def _copy(self, primary: "Server") -> None:
        data = f"/var/lib/postgresql/{self._version}/{self._cluster}"
        self.machine.run(["find", data, "-mindepth", "1", "-delete"])
        self.machine.run(["pg_basebackup", f"--pgdata={data}", "--write-recovery-conf", "--checkpoint=fast",
                          f"--port={primary.port}"], user="postgres", timeout=120)


def make_root(machine: Machine) -> Root:
    """A root for servers of that machine, which the machine has as CA_FILE."""
    directory = Path(tempfile.mkdtemp(prefix="databases-", dir=machine.directory))
    machine.on_exit(shutil.rmtree, directory, True)
    root = Root(directory)
    machine.send(root.file, CA_FILE)
    return root


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
