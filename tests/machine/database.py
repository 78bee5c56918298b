"""Statements for the machine's own PostgreSQL, as an operator would give them."""

from .machine import Machine


def sql(machine: Machine, statement: str, database: str = "commento", user: str = "postgres", port: int = 5432) -> str:
    """What psql prints of it: a line for each row, fields separated by `|`."""
    argv = ["psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1", f"--port={port}",
            f"--dbname={database}", f"--command={statement}"]
    return machine.run(argv, user=user, timeout=120).stdout.strip()
