"""Many readers at once who ask for comments, count them and write some, each over a connection of his own."""

import asyncio
import json
import random
import ssl
from collections import Counter
from dataclasses import dataclass, field

_PATIENCE = 600  # seconds for one answer; nginx ends one that never comes after 60, and the host may have much else to do


@dataclass
class Outcome:
    """What became of the requests: how many of each kind were answered as they have to be, and what the others got."""

    served: Counter = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)


def read_all(name: str, address: str, root: str, *, readers: int, requests: list[tuple[str, dict]]) -> Outcome:
    """Sends all requests, (endpoint, fields) each, by so many readers at once; each reader says that he has another
    address (X-Forwarded-For), which the site has to be told to believe (TRUSTED_PROXIES)."""
    context = ssl.create_default_context(cadata=root)
    outcome = Outcome()
    random.Random(1).shuffle(requests)
    asyncio.run(_read_all(name, address, context, readers, iter(requests), outcome))
    return outcome


async def _read_all(name, address, context, readers, requests, outcome) -> None:
    open_ = [await _open(name, address, context) for _ in range(readers)]
    await asyncio.gather(*(_read(name, number, pair, requests, outcome) for number, pair in enumerate(open_)))


async def _open(name, address, context):
    return await asyncio.open_connection(address, 443, ssl=context, server_hostname=name, limit=1 << 24)


async def _read(name, number, connection, requests, outcome) -> None:
    reader, writer = connection
    for endpoint, fields in requests:
        body = json.dumps(fields).encode()
        writer.write(f"POST /api/{endpoint} HTTP/1.1\r\nHost: {name}\r\nContent-Type: application/json\r\n"
                     f"X-Forwarded-For: 10.0.{number // 250}.{number % 250 + 1}\r\nContent-Length: {len(body)}\r\n\r\n"
                     .encode() + body)
        try:
            status, answer = await asyncio.wait_for(_answer(reader), _PATIENCE)
        except (OSError, EOFError, asyncio.TimeoutError, ValueError) as error:
            outcome.failed.append(f"{endpoint}: {type(error).__name__}: {error}")
            return
        if status == 200 and b'"success":true' in answer:
            outcome.served[endpoint] += 1
        else:
            outcome.failed.append(f"{endpoint}: {status}: {answer[:200]!r}")
    writer.close()


async def _answer(reader) -> tuple[int, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    status = int(head.split()[1])
    length = next((line.split(":")[1] for line in head.splitlines() if line.startswith("content-length:")), None)
    if length is not None:
        return status, await reader.readexactly(int(length))
    body = bytearray()  # grows in place: half of the readers' time was copying
    while size := int(await reader.readline(), 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readline()
    return status, body
