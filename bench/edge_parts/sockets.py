"""In the place of the application: takes WebSockets at a port, and leaves them alone. The stand-in would need a thread and four
descriptors for each.
"""

import asyncio
import sys


async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
    await reader.read()
    writer.close()


async def main(port: int) -> None:
    server = await asyncio.start_server(take, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


asyncio.run(main(int(sys.argv[1])))
