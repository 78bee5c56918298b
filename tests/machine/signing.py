"""Keys of those who publish, and what is published with them."""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import Iterator

from . import places
from .processes import run

USER = "releases@example.test"
URL = "http://127.0.0.1:8088"  # where the repositories are served


class Key:
    """Of somebody who signs: a folder of gpg's."""

    def __init__(self, folder: Path):
        self.env = os.environ | {"GNUPGHOME": str(folder)}
        run(["gpg", "--batch", "--quiet", "--passphrase", "", "--quick-gen-key", USER, "rsa3072", "sign", "never"], env=self.env)

    def publish(self, program: str, folder: Path, *packages: Path) -> None:
        """Runs a program of release/, as the operator who has the key would."""
        run(["/usr/bin/python3", "-B", str(places.REPOSITORY / "release" / program), str(folder), "--url", URL, "--key", USER,
             *map(str, packages)], env=self.env, timeout=120)

    def sign(self, file: Path) -> None:
        run(["gpg", "--batch", "--yes", "--armor", "--detach-sign", str(file)], env=self.env)

    def accepts(self, signature: Path, file: Path) -> bool:
        return run(["gpg", "--batch", "--verify", str(signature), str(file)], env=self.env, check=False).exit_code == 0


@contextlib.contextmanager
def new_key() -> Iterator[Key]:
    # gpg-agent's socket has to have a short path.
    folder = tempfile.mkdtemp()
    key = Key(Path(folder))
    try:
        yield key
    finally:
        run(["gpgconf", "--kill", "all"], env=key.env, check=False)
        shutil.rmtree(folder, ignore_errors=True)
