"""Disturbs a gateway until it is killed: 600 slow uploads, and one client at a hundred times its share.

`python -m proof.hostile.disturbing PORT`
"""

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator

import uvloop

from proof.hostile.asking import ask, request

SLOW_CLIENTS, SLOW_PAUSE_S = 600, 20.0
OTHERS_PER_S = 20
"""The pace of each other client: its share."""
FLOOD_TIMES = 100


async def _disturb(port: int) -> None:
    await asyncio.gather(_flood(port), *(_slow_upload(port, number) for number in range(SLOW_CLIENTS)))


async def _slow_upload(port: int, number: int) -> None:
    """A byte every 20 s, again when it was refused."""
    shard = "nsw"[number % 3]
    put = number % 2 == 0
    head = request("PUT", f"/things/{shard}-1") if put else request("POST", "/things")
    head = head.removesuffix(b"\r\n") + b"Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n"

    async def dripped() -> AsyncIterator[bytes]:
        yield head + b'{"id":"' + shard.encode()
        while True:
            await asyncio.sleep(SLOW_PAUSE_S)
            yield b"x"

    while True:
        await ask(port, dripped(), within_s=300.0, address=f"127.0.1.{number % 250 + 1}")
        await asyncio.sleep(1.0)


async def _flood(port: int) -> None:
    """One address, at so many times the pace of each other client."""
    message = request("GET", "/things/n-2")
    pause_s = 1 / (OTHERS_PER_S * FLOOD_TIMES)
    loop = asyncio.get_running_loop()
    asking: set[asyncio.Task[object]] = set()
    next_at = time.monotonic()
    with contextlib.suppress(asyncio.CancelledError):
        while True:
            next_at += pause_s * 20
            for _ in range(20):
                if len(asking) < 400:
                    task: asyncio.Task[object] = loop.create_task(ask(port, message, within_s=5.0, address="127.0.0.9"))
                    asking.add(task)
                    task.add_done_callback(asking.discard)
            await asyncio.sleep(max(0.0, next_at - time.monotonic()))
    for task in asking:
        task.cancel()


if __name__ == "__main__":
    uvloop.run(_disturb(int(sys.argv[1])))
