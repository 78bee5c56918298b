"""Other releases of the application: the one under test with something more in it, or with something of it broken."""

import hashlib
import io
import tarfile

from . import places
from .machine import Machine

HANGS = "#!/bin/sh\nexec sleep infinity\n"
ENDS = "#!/bin/sh\necho 'fatal error: no such thing as a moose'\nexit 1\n"
# Answers every page and every call, but says no to each of these.
REFUSES = """#!/usr/bin/perl
use IO::Socket::INET;
my $server = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $ENV{COMMENTO_PORT}, Listen => 9, ReuseAddr => 1) or die;
while (my $client = $server->accept) {
    while (my $line = <$client>) { last if $line =~ /^\\r?$/ }
    my $body = '{"success":false,"message":"an internal error occurred"}';
    print $client "HTTP/1.1 200 OK\\r\\nContent-Length: " . length($body) . "\\r\\nConnection: close\\r\\n\\r\\n$body";
    close $client;
}
"""


def make_release(machine: Machine, version: str, *, step: str | None = None, program: str | None = None) -> tuple[str, str]:
    """Puts the archive of a release into the machine: its path there, and its SHA-256. `step` is one more for the
    database; `program` takes the program's place."""
    made = io.BytesIO()
    with tarfile.open(places.archive()) as source, tarfile.open(fileobj=made, mode="w:gz") as target:
        members = source.getmembers()
        folder = next(each.name for each in members if each.name.endswith(".sql")).rsplit("/db/", 1)[0]
        folder = "" if folder.startswith("db/") else folder + "/"
        for member in members:
            if program is not None and member.name.split("/")[-1] == "commento":
                _add(target, member.name, program, 0o755)
            else:
                target.addfile(member, source.extractfile(member) if member.isfile() else None)
        _add(target, f"{folder}js/version.js", f"// {version}\n")
        if step is not None:
            _add(target, f"{folder}db/9{version.replace('.', '')}-step.sql", step)
    path = f"/srv/application/application-v{version}.tar.gz"
    machine.write(path, made.getvalue())
    return path, hashlib.sha256(made.getvalue()).hexdigest()


def _add(archive: tarfile.TarFile, name: str, content: str, mode: int = 0o644) -> None:
    added = tarfile.TarInfo(name)
    added.size, added.mode = len(content.encode()), mode
    archive.addfile(added, io.BytesIO(content.encode()))
