"""One machine with the product set up on it, its peers beside it, and the programs that load them."""

import contextlib
import hashlib
import os
import re
import shutil
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from machine import Machine, Pebble, Site, processes, roots
from machine.filling import BLOG, fill_page
from machine.processes import wait_until

from . import application, fronts
from .fronts import Front

APPLICATION = 8080
_LOCAL = "127.0.0.1"  # the kernel uses ports on it again at once, while it would keep those of any other address for a minute


@dataclass(frozen=True)
class Cost:
    """What a load came to."""

    count: int
    failed: int
    seconds: float
    p50: float  # seconds
    p99: float
    cpu: float     # seconds of the front
    memory: float  # MiB of the front, half-way
    bytes: float | None = None
    connections: int = 0
    not_modified: int = 0
    http_version: int = 1


class Lab:
    """From `with` to the end of the block."""

    def __enter__(self) -> "Lab":
        self._undo = contextlib.ExitStack()
        try:
            self._make()
        except BaseException as error:
            self._undo.__exit__(type(error), error, error.__traceback__)
            raise
        return self

    def __exit__(self, kind=None, error=None, trace=None) -> None:
        self._undo.__exit__(kind, error, trace)

    def _make(self) -> None:
        self._place = Path(tempfile.mkdtemp(prefix="commento-bench-", dir="/var/tmp"))
        self._undo.callback(shutil.rmtree, self._place, True)
        self._compile("connections", "-lssl", "-lcrypto")
        self._compile("pages", "-lcurl", "-lpthread")
        # Everything that is started from here on, the machine included, inherits this.
        everyones = sorted(os.sched_getaffinity(0))
        self.processor = everyones[0]
        os.sched_setaffinity(0, everyones[1:] or everyones)
        self._undo.callback(os.sched_setaffinity, 0, everyones)

        archive = application.archive_for_bench(self._place)
        self.files = application.widget_files(archive)
        self.machine = self._undo.enter_context(Machine(roots.installed()))
        self.site = Site(self.machine, Pebble(self.machine))
        self._set_up_site(archive)
        self.fronts: list[Front] = [
            fronts.Commento(self.machine, self.site.domain),
            fronts.Replaced(self.machine, self.site.domain, APPLICATION, self.processor),
            fronts.Caddy(self.machine, self.site.domain, APPLICATION, self.processor)]
        for front in self.fronts:
            self.await_front(front)

    def _compile(self, name: str, *libraries: str) -> None:
        source = Path(__file__).with_name(f"{name}.cpp")
        processes.run(["g++", "-std=c++20", "-O2", "-Wall", "-Wextra", "-o", str(self._place / name), str(source), *libraries],
                      timeout=120)

    def _set_up_site(self, archive: Path) -> None:
        machine, site = self.machine, self.site
        inside = site.give_archive(archive)
        digest = hashlib.sha256(archive.read_bytes()).hexdigest()
        # One address asks for everything here, more than one reader may.
        settings = {"APP_ARCHIVE": inside, "APP_SHA256": digest, "COMMENTO_PORT": str(APPLICATION), "RATE_LIMITS": "false"}
        site.configure(**settings, TLS_KEY_TYPE="rsa-4096")
        machine.write("/etc/systemd/system/nginx.service.d/bench.conf",
                      f"[Service]\nCPUAffinity={self.processor}\nLimitNOFILE={fronts.FILES}\n")
        machine.run(["systemctl", "daemon-reload"])
        machine.run(["systemctl", "stop", "nginx.service"])  # to start on its processor
        site.start()
        # The same authority's chain for everyone: the first pair is for the replaced set-up, the second for the others.
        machine.run(["mkdir", "--parents", fronts.CONFIGURATION])
        machine.run(["cp", "--recursive", "--dereference", fronts.LIVE, fronts.FORMER])
        site.configure(**settings)
        machine.run(["systemctl", "start", "commento-cert-renew.service"], timeout=120)
        machine.announce(site.domain)
        self.root = self._place / "root.pem"
        self.root.write_text(site.pebble.root())
        comments = site.comments()
        comments.register(BLOG)
        fill_page(machine, application.LONG_PAGE, application.LONG, comments)
        fill_page(machine, application.USUAL_PAGE, application.USUAL, comments)

    def await_front(self, front: Front) -> None:
        """Returns when it answers."""
        try:
            wait_until(front.title, lambda: " 200" in self.head(front, application.SCRIPT).split("\n")[0])
        except TimeoutError as error:
            error.add_note(self.machine.run(["systemctl", "status", "--full", "--lines=20", front.unit], check=False).output)
            raise

    # --- looking ---

    def head(self, front: Front, path: str, *options: str) -> str:
        """The head of an answer to a GET, on a connection like those of wrk."""
        return processes.run(self._beside([
            "curl", "--silent", "--show-error", "--noproxy", "*", "--http1.1", "--cacert", str(self.root), "--output", "/dev/null",
            "--dump-header", "-", *options, front.url + path])).stdout

    def encoding(self, front: Front, path: str, *options: str) -> str:
        found = re.search(r"^content-encoding: *(\S+)", self.head(front, path, *options), re.M | re.I)
        return found[1] if found else "identity"

    # --- loading: each returns what it came to; a failed answer never ends a bench, it is counted ---

    def handshakes(self, front: Front, parallel: int, seconds: float) -> Cost:
        line, cpu, memory = self._measured(front, seconds, [
            str(self._place / "connections"), "handshakes", _LOCAL, str(front.port), front.domain, str(parallel), str(seconds)])
        count, failed, took, p50, p99 = map(float, line.split())
        return Cost(int(count), int(failed), took, p50 / 1e6, p99 / 1e6, cpu, memory)

    def requests(self, front: Front, path: str, connections: int, seconds: float, *, headers: tuple[str, ...] = (),
                 body: str = "") -> Cost:
        """On connections that are kept, by wrk. With a body they are API calls."""
        content = []
        if body:
            (self._place / "body").write_text(body)
            content = ["--", str(self._place / "body")]
        options = [word for header in headers for word in ("--header", header)]
        said, cpu, memory = self._measured(front, seconds, [
            "wrk", "--threads", "1", "--connections", str(connections), "--duration", f"{seconds:g}s", "--timeout", "10s",
            "--latency", "--script", str(Path(__file__).with_name("wrk.lua")), *options, front.url + path, *content])
        numbers = re.search(r"^WRK (.*)$", said, re.M)[1]
        count, took, size, p50, p99, failed = map(float, numbers.split())
        return Cost(int(count), int(failed), took, p50 / 1e6, p99 / 1e6, cpu, memory, size / max(count, 1), connections)

    def pages(self, front: Front, mode: str, readers: int, seconds: float) -> Cost:
        line, cpu, memory = self._measured(front, seconds, [
            str(self._place / "pages"), mode, f"https://{front.domain}:{front.port}", _LOCAL, str(self.root), str(seconds),
            str(readers), *self.files, application.list_body(application.USUAL_PAGE)])
        count, failed, took, p50, p99, sent, received, connections, not_modified, version = map(float, line.split())
        return Cost(int(count), int(failed), took, p50 / 1e6, p99 / 1e6, cpu, memory, sent + received, int(connections),
                    int(not_modified), int(version))

    @contextlib.contextmanager
    def sockets(self, front: Front, count: int):
        """WebSockets that are open and idle until the end of the block; yields how many, and how many were refused."""
        argv = [str(self._place / "connections"), "sockets", _LOCAL, str(front.port), front.domain, str(count)]
        errors = self._place / "sockets"
        with open(errors, "wb") as output:
            process = processes.start(self._beside(argv), stdin=-1, stdout=-1, stderr=output, text=True)
            try:
                line = process.stdout.readline()
                if not line:
                    raise RuntimeError(f"sockets: {errors.read_text()}")
                yield tuple(map(int, line.split()))
            finally:
                process.stdin.close()
                processes.stop(process)
                process.stdout.close()

    def _measured(self, front: Front, seconds: float, argv: list[str]) -> tuple[str, float, float]:
        """Runs a load; returns what it said, and the front's seconds of processor time and memory."""
        memory = []
        sample = threading.Timer(seconds / 2, lambda: memory.append(front.memory()))
        before = front.cpu()
        sample.start()
        done = processes.run(self._beside(argv), timeout=seconds * 3 + 60)
        sample.join()
        if done.stderr:
            print(f"{front.name}: {done.stderr}", end="", flush=True)
        return done.stdout, front.cpu() - before, memory[0]

    def _beside(self, argv: list[str]) -> list[str]:
        """A program of this host that reaches the machine without a cable."""
        return self.machine.network.enter(argv)

    # --- how undisturbed ---

    def used(self) -> float:
        """Seconds of processor time that this bench has had, the machine included."""
        own = os.times()
        return fronts.cpu_of(fronts.control_groups(self.machine)) + sum(own[:4])


class Neighbours:
    """How much of this host others use while something is measured."""

    def __init__(self, lab: Lab):
        self._lab = lab
        self._begin = self._look()

    def share(self) -> float:
        """Of all processors' time, since the beginning."""
        wall, busy, ours = (now - before for now, before in zip(self._look(), self._begin))
        return max(0.0, (busy - ours) / (wall * (os.cpu_count() or 1)))

    def _look(self) -> tuple[float, float, float]:
        user, nice, system, idle, waiting, *others = map(int, Path("/proc/stat").read_text().split("\n")[0].split()[1:9])
        busy = (user + nice + system + sum(others)) / os.sysconf("SC_CLK_TCK")
        return time.monotonic(), busy, self._lab.used()
