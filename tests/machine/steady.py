"""Readers who come at a steady rate, whatever becomes of those before them: pages, comments read, counted and written."""

import asyncio
import contextlib
import json
import ssl
import threading
import time
from collections import Counter
from typing import Iterator

from .filling import BLOG, fill_page
from .machine import Machine
from .site import Site, started_site

_PATIENCE = 30  # seconds for one answer, from the moment when the reader came
_FRESH = 4      # every so manyth reader comes over a connection of his own; the others take one that is open
_ADDRESSES = 4000
_PATHS = 500
_PAGE = "/first-post"


def make_ready(site: Site) -> None:
    """Gives a site that was just started what the readers below ask for, and connections for all of them."""
    site.take_connections()
    site.comments().register()
    fill_page(site.machine, _PAGE, 20, site.comments())


@contextlib.contextmanager
def ready_site() -> Iterator[Site]:
    """A site of its own machine that is made ready, and believes the readers below their addresses."""
    with started_site(TRUSTED_PROXIES="0.0.0.0/0") as site:
        make_ready(site)
        yield site


class Steady:
    """From `with` to the end of the block, `rate` requests a second over HTTPS/1.1. Each reader says that he has another
    address (X-Forwarded-For), which the site has to be told to believe (TRUSTED_PROXIES).

    served   how many of each kind were answered as they have to be: status 200, and of the API "success":true
    failed   what the others got
    resent   how many were sent again, once and over a new connection, because the server closed one that was open
             already without a byte of an answer: what browsers do by themselves (RFC 9112, 9.3.1), for nginx closes
             idle connections when it is reloaded
    longest  seconds that the slowest answer took
    """

    def __init__(self, name: str, address: str, root: str, rate: int = 200):
        self._name, self._address, self._rate = name, address, rate
        self._context = ssl.create_default_context(cadata=root)
        self._idle: list = []
        self._end = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._come()), daemon=True)
        self.served, self.failed, self.resent, self.longest = Counter(), [], 0, 0.0

    def __enter__(self) -> "Steady":
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._end.set()
        self._thread.join()

    @property
    def requests(self) -> int:
        return self.served.total() + len(self.failed)

    def await_more(self, machine: Machine, count: int = 200) -> None:
        """Waits until more than so many readers came from now on."""
        seen = self.requests
        machine.wait_until("readers come", lambda: self.requests > seen + count)

    async def _come(self) -> None:
        begin, readers, number = time.monotonic(), set(), 0
        while not self._end.is_set():
            due = begin + number / self._rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            reader = asyncio.create_task(self._read(number, due))
            readers.add(reader)
            reader.add_done_callback(readers.discard)
            number += 1
        await asyncio.gather(*readers)
        for _, writer in self._idle:
            writer.close()

    async def _read(self, number: int, due: float) -> None:
        kind, request = self._request(number)
        try:
            status, answer = await asyncio.wait_for(self._ask(request, number % _FRESH == 0), _PATIENCE)
        except (OSError, EOFError, asyncio.TimeoutError, ValueError) as error:
            self.failed.append(f"{kind}: {type(error).__name__}: {error}")
            return
        self.longest = max(self.longest, time.monotonic() - due)
        if status == 200 and (kind == "page" or b'"success":true' in answer):
            self.served[kind] += 1
        else:
            self.failed.append(f"{kind}: {status}: {answer[:200]!r}")

    def _request(self, number: int) -> tuple[str, bytes]:
        kind = ["page", "comment/list", "comment/count", "comment/list", "page", "comment/new", "comment/list",
                "comment/count", "page", "comment/list"][number % 10]
        address = number % _ADDRESSES
        head = f"Host: {self._name}\r\nX-Forwarded-For: 10.1.{address // 250}.{address % 250 + 1}\r\n"
        if kind == "page":
            return kind, f"GET {('/login', '/js/commento.js')[number % 4 // 2]} HTTP/1.1\r\n{head}\r\n".encode()
        path = f"/post-{number % _PATHS}" if kind == "comment/new" else _PAGE
        fields = {"domain": BLOG, "path": path, "paths": [path], "commenterToken": "anonymous", "anonName": "",
                  "parentHex": "root", "markdown": f"comment {number}"}
        body = json.dumps(fields).encode()
        return kind, (f"POST /api/{kind} HTTP/1.1\r\n{head}Content-Type: application/json\r\n"
                      f"Content-Length: {len(body)}\r\n\r\n").encode() + body

    async def _ask(self, request: bytes, fresh: bool) -> tuple[int, bytes]:
        while not fresh and self._idle:
            pair = self._idle.pop()
            if pair[0].at_eof():
                pair[1].close()
                continue
            try:
                return await self._exchange(pair, request)
            except _Unanswered:
                self.resent += 1
                break
        return await self._exchange(await self._open(), request, keep=not fresh)

    async def _open(self):
        return await asyncio.open_connection(self._address, 443, ssl=self._context, server_hostname=self._name,
                                             limit=1 << 24)

    async def _exchange(self, pair, request: bytes, keep: bool = True) -> tuple[int, bytes]:
        reader, writer = pair
        try:
            writer.write(request)
            first = await reader.read(1)
            if not first:
                raise _Unanswered("closed without an answer")
        except OSError as error:
            writer.close()
            raise _Unanswered(str(error)) from None
        status, body, closes = await _answer(first, reader)
        if keep and not closes:
            self._idle.append(pair)
        else:
            writer.close()
        return status, body


class _Unanswered(ConnectionError):
    """The server closed the connection before the first byte of an answer."""


async def _answer(first: bytes, reader) -> tuple[int, bytes, bool]:
    head = (first + await reader.readuntil(b"\r\n\r\n")).decode().lower()
    lines = head.splitlines()
    closes = "connection: close" in lines
    length = next((line.split(":")[1] for line in lines if line.startswith("content-length:")), None)
    if length is not None:
        return int(lines[0].split()[1]), await reader.readexactly(int(length)), closes
    body = b""
    while size := int(await reader.readline(), 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readline()
    return int(lines[0].split()[1]), body, closes
