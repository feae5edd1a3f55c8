"""Clients that ask a gateway without a pause, as a process: `python -m tests.process.load PORT CLIENTS`.

They go on until standard input ends. Twenty times a second, and at the end, it tells how many were answered, and what
failed. Every second client keeps its connection, the others open one for each request.

Holds: a client never stands still. In the process of the tests it would, for a second, while that collects garbage; and
a gateway that drains closes connections on which nothing comes.
"""

import asyncio
import json
import sys
from contextlib import suppress

TOLD_S = 0.05


class Clients:
    """All of them."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._ended = asyncio.Event()
        self.answered = 0
        self.failed: list[str] = []

    async def run(self, clients: int) -> None:
        """Ask until standard input ends."""
        asking = [asyncio.ensure_future(self._ask(stays=number % 2 == 0)) for number in range(clients)]
        telling = asyncio.ensure_future(self._tell())
        await asyncio.to_thread(sys.stdin.read)
        self._ended.set()
        await asyncio.gather(*asking, telling)

    async def _tell(self) -> None:
        is_over = False
        while not is_over:
            is_over = self._ended.is_set()
            print(json.dumps({"answered": self.answered, "failed": self.failed}), flush=True)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), TOLD_S)

    async def _ask(self, *, stays: bool) -> None:
        reader = writer = None
        while not self._ended.is_set():
            try:
                if writer is None or reader is None:
                    reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
                writer.write(b"GET /any HTTP/1.1\r\nHost: a\r\n\r\n")
                head = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0]))
                assert head.startswith(b"HTTP/1.1 200")
                self.answered += 1
                if not stays or b"Connection: close" in head:
                    writer.close()
                    writer = None
            except Exception as error:
                self.failed.append(repr(error))
                writer = None
        if writer is not None:
            writer.close()


async def main() -> None:
    """Ask, and tell."""
    clients = Clients(int(sys.argv[1]))
    await clients.run(int(sys.argv[2]))
    print(json.dumps({"answered": clients.answered, "failed": clients.failed}), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
