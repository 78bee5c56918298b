"""What nginx passes on to the application, written down by a server in its place."""

import json
import sys
import tempfile
from pathlib import Path

from . import processes
from .site import Site

# They would be recorded, too.
_ASKING = ["commento-metrics.timer", "commento-app-check.timer"]
# Runs that have begun and are yet to ask.
_UNDER_WAY = ["commento-metrics.service", "commento-app-check.service", "commento-nginx-static.service"]

_PROGRAM = """
import http.server, json
class Recorder(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        # Head and body as they came: several headers of one name would be seen.
        seen = {"line": self.requestline, "headers": [[k.lower(), v] for k, v in self.headers.items()],
                "body": body.decode("latin-1")}
        print(json.dumps(seen), flush=True)
        self.send_response(200)
        self.send_header("Content-Length", "9")
        self.end_headers()
        self.wfile.write(b"recorded\\n")
    def __getattr__(self, name):
        if name.startswith("do_"):
            return self.answer
        raise AttributeError(name)
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 8080), Recorder)
print(flush=True)
server.serve_forever()
"""


class Recorder:
    """A server in the application's place, from `with` to the end of the block, that writes down what it gets."""

    def __init__(self, site: Site):
        self._site = site

    def __enter__(self) -> "Recorder":
        machine = self._site.machine
        machine.run(["systemctl", "stop", "commento.service", *_ASKING, *_UNDER_WAY])
        self._file = Path(tempfile.mkstemp(prefix="recorded-", dir=machine.directory)[1])
        with open(self._file, "wb") as output:
            self._program = machine.popen_beside([sys.executable, "-c", _PROGRAM], stdout=output)
        machine.wait_until("the recorder", self._file.read_bytes)
        self._read = 0
        return self

    def __exit__(self, *_) -> None:
        processes.stop(self._program)
        self._file.unlink()
        # However often a test file does this: timers have a limit of starts.
        self._site.machine.run(["systemctl", "reset-failed", *_ASKING], check=False)
        self._site.machine.run(["systemctl", "start", "commento.service", *_ASKING])

    def requests(self) -> list[dict]:
        """What it got since this was asked last. It writes before it answers."""
        lines = self._file.read_text().splitlines()
        new, self._read = lines[self._read:], len(lines)
        return [json.loads(line) for line in new if line]


def values_of(request: dict, name: str) -> list[str]:
    """The values of a header (name in lower case) that a request had."""
    return [value for key, value in request["headers"] if key == name]
