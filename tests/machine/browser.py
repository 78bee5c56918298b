"""A real browser without a screen, driven over a pipe by its own protocol (Chrome DevTools Protocol)."""

import base64
import contextlib
import json
import os
import select
import subprocess
import tempfile
import time
from pathlib import Path

from . import processes
from .network import Network

_PATIENCE = 60

# It reads commands from descriptor 3 and writes to 4. The copies keep either from being in the other's way.
_ON_PIPES = 'exec {read}<&"$1" {write}>&"$2"; shift 2; exec "$@" 3<&"$read" 4>&"$write"'


class Browser:
    """Chromium with a profile of its own, from `with` to the end of the block; it shows one page.

    It lives in a machine's network: on this host's, each other machine that comes or goes would break its connections
    (net::ERR_NETWORK_CHANGED).

    names      where names lead to, in place of the DNS: {"blog.example.test:443": "192.0.2.1:8443"}
    roots      certificates in PEM that it trusts beside its own
    complaints what it found wrong on the page: lines of its console, exceptions, requests that failed, mixed content
    sockets    the status of each WebSocket's handshake
    requests   addresses of all that it asked for, of inline images too
    """

    def __init__(self, network: Network, names: dict[str, str], roots: list[str]):
        self._network, self._names, self._roots = network, names, roots
        self.complaints: list[str] = []
        self.sockets: list[int] = []
        self.requests: list[str] = []

    def __enter__(self) -> "Browser":
        self._undo = contextlib.ExitStack()
        try:
            home = Path(self._undo.enter_context(tempfile.TemporaryDirectory(prefix="browser-",
                                                                             ignore_cleanup_errors=True)))
            self._trust(home)
            self._start(home)
        except BaseException:
            self._undo.close()
            raise
        return self

    def __exit__(self, *_) -> None:
        self._undo.close()

    def show(self, address: str) -> None:
        """Goes to an address. What is loaded later is not waited for: `wait_for` it."""
        answer = self._ask("Page.navigate", url=address)
        if "errorText" in answer:
            raise AssertionError(f"{address}: {answer['errorText']}")

    def wait_for(self, expression: str):
        """Returns the first true value of an expression in JavaScript."""
        return processes.wait_until(f"the page's {expression}", lambda: self.value(expression), _PATIENCE)

    def value(self, expression: str):
        """An expression's value on the page as it is now; None where it raises, or where the page goes elsewhere meanwhile."""
        try:
            answer = self._ask("Runtime.evaluate", expression=expression, returnByValue=True)
        except RuntimeError:
            return None
        return None if "exceptionDetails" in answer else answer["result"].get("value")

    def look(self, width: int, height: int, *, dark: bool = False) -> None:
        """From now on it is a screen of this size, and its user wants dark pages or light ones."""
        self._ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        self._ask("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def picture(self) -> bytes:
        """What the screen shows, as PNG."""
        return base64.b64decode(self._ask("Page.captureScreenshot", format="png")["data"])

    def _trust(self, home: Path) -> None:
        store = home / ".pki/nssdb"
        store.mkdir(parents=True)
        database = ["certutil", "-d", f"sql:{store}"]
        processes.run([*database, "-N", "--empty-password"])
        for number, root in enumerate(self._roots):
            processes.run([*database, "-A", "-n", f"root {number}", "-t", "C,,"], input=root)

    def _start(self, home: Path) -> None:
        commands, self._commands = os.pipe()
        self._events, events = os.pipe()
        self._undo.callback(os.close, self._commands)
        self._undo.callback(os.close, self._events)

        rules = ", ".join(f"MAP {name} {target}" for name, target in self._names.items())
        # As root it has no sandbox; it sees the tests' own pages only. Where /dev/shm is small, it does without.
        argv = ["bash", "-c", _ON_PIPES, "bash", str(commands), str(events), "chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                "--no-first-run", "--disable-background-networking", "--disable-component-update", "--no-proxy-server",
                f"--user-data-dir={home / 'profile'}", f"--host-resolver-rules={rules}", "--remote-debugging-pipe",
                "about:blank"]
        environment = os.environ | {"HOME": str(home), "XDG_CONFIG_HOME": str(home), "XDG_CACHE_HOME": str(home)}
        self._log = home / "log"
        with open(self._log, "wb") as log:
            program = processes.start(self._network.enter(argv), pass_fds=(commands, events), env=environment,
                                      stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self._undo.callback(processes.stop, program)
        os.close(commands)
        os.close(events)
        self._number, self._session, self._unread = 0, None, b""
        pages = [target for target in self._ask("Target.getTargets")["targetInfos"] if target["type"] == "page"]
        page = pages[0]["targetId"] if pages else self._ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._ask("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._ask(f"{domain}.enable")

    def _ask(self, method: str, **parameters) -> dict:
        """One command, and what happened until its answer."""
        self._number += 1
        command = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            command["sessionId"] = self._session
        os.write(self._commands, json.dumps(command).encode() + b"\0")
        while True:
            message = self._read()
            if message.get("id") == self._number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                return message["result"]
            self._note(message.get("method", ""), message.get("params", {}))

    def _read(self) -> dict:
        deadline = time.monotonic() + _PATIENCE
        while b"\0" not in self._unread:
            if not select.select([self._events], [], [], max(0.0, deadline - time.monotonic()))[0]:
                raise TimeoutError(f"the browser says nothing; its log:\n{self._log.read_text(errors='replace')}")
            more = os.read(self._events, 1 << 20)
            if not more:
                raise RuntimeError(f"the browser ended; its log:\n{self._log.read_text(errors='replace')}")
            self._unread += more
        line, self._unread = self._unread.split(b"\0", 1)
        return json.loads(line)

    def _note(self, event: str, what: dict) -> None:
        if event == "Network.requestWillBeSent":
            self.requests.append(what["request"]["url"])
        if event == "Runtime.consoleAPICalled" and what["type"] in ("error", "warning", "assert"):
            self.complaints.append(f"console: {[argument.get('value') for argument in what['args']]}")
        elif event == "Runtime.exceptionThrown":
            self.complaints.append(f"exception: {what['exceptionDetails']}")
        elif event == "Log.entryAdded" and what["entry"]["level"] in ("error", "warning"):
            self.complaints.append(f"{what['entry']['source']}: {what['entry']['text']} {what['entry'].get('url', '')}")
        # Who goes elsewhere meanwhile gives up what is under way.
        elif event == "Network.loadingFailed" and what.get("errorText") != "net::ERR_ABORTED":
            self.complaints.append(f"a request failed: {what}")
        elif event == "Network.requestWillBeSent" and what["request"].get("mixedContentType", "none") != "none":
            self.complaints.append(f"mixed content: {what['request']['url']}")
        elif event == "Network.webSocketHandshakeResponseReceived":
            self.sockets.append(what["response"]["status"])
