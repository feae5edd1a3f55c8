"""Many at once: unfinished bodies, unread replies, slow uploads, and one client that wants everything."""

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator

from proof.hostile.asking import ask, request
from proof.hostile.attack import Attack, Outcome
from proof.hostile.shards import Asked
from proof.hostile.stage import Stage

SLOW_CLIENTS, SLOW_PAUSE_S = 600, 20.0
OTHERS, OTHERS_PER_S = 5, 20
FLOOD_TIMES = 100
MEASURED_S = 8.0
TIMES_MAX = 5.0
"""Others' p99 while they are disturbed, over their p99 before."""
ATTEMPTS = 3


async def _unfinished_bodies(stage: Stage) -> Outcome:
    """A hundred bodies of 15 MB that lack their last byte."""
    size = 15 * 1024 * 1024
    head = (
        request("POST", "/things").removesuffix(b"\r\n")
        + b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % size
    )
    body = b'{"id":"n-1","a":"' + b"x" * (size - 18)

    async def unfinished() -> AsyncIterator[bytes]:
        yield head
        for at in range(0, len(body), 262_144):
            yield body[at : at + 262_144]
        await asyncio.Event().wait()

    answers = await asyncio.gather(*(stage.ask(unfinished()) for _ in range(100)))
    late = sum(answer.ended == "silent" for answer in answers)
    words = sorted({answer.word for answer in answers})
    return Outcome(" ".join(words), (f"{late} not refused in time",) if late else ())


async def _kept_replies(stage: Stage) -> Outcome:
    """Forty large replies to requests with a key, to clients that do not read."""
    piece = b"x" * 65_536

    async def large(_: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (64 * 1024 * 1024))
        for _n in range(1024):
            writer.write(piece)
            await writer.drain()

    stage.hostile.behaviour = large
    clients = []
    for number in range(40):
        raw = socket.socket()
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.connect(("127.0.0.1", stage.gateway.port))
        line = f'Idempotency-Key: "large-{stage.chance.randrange(10**9)}-{number}"'
        raw.sendall(request("POST", "/things", line, "Authorization: c", body=b'{"id":"s-1"}'))
        clients.append(raw)
    await asyncio.sleep(4.0)
    for raw in clients:
        raw.close()
    return Outcome("40 large replies with a key")


class Others:
    """Clients that ask at their pace, each over a connection for each request, from an address of its own."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.times_s: list[float] = []
        self.failed = 0

    async def ask(self, during_s: float) -> float:
        """Their p99 in seconds."""
        self.times_s.clear()
        await asyncio.gather(*(self._client(f"127.0.2.{n + 1}", during_s) for n in range(OTHERS)))
        return sorted(self.times_s)[int(len(self.times_s) * 0.99)]

    async def _client(self, address: str, during_s: float) -> None:
        end_at = time.monotonic() + during_s
        while time.monotonic() < end_at:
            answer = await ask(self._port, request("GET", "/things/n-1"), within_s=10.0, address=address)
            self.times_s.append(answer.took_s)
            self.failed += answer.status != 200
            await asyncio.sleep(1 / OTHERS_PER_S)


async def _crowd(stage: Stage) -> Outcome:
    """600 slow uploads to every shard, and one client at a hundred times its share."""
    others = Others(stage.gateway.port)
    normal_s = await others.ask(MEASURED_S / 2)
    loop = asyncio.get_running_loop()
    slow = [loop.create_task(_slow_upload(stage.gateway.port, n)) for n in range(SLOW_CLIENTS)]
    await asyncio.sleep(1.0)
    flood = loop.create_task(_flood(stage.gateway.port))
    disturbed_s = await others.ask(MEASURED_S)
    for _ in range(ATTEMPTS - 1):
        if disturbed_s <= TIMES_MAX * normal_s:
            break
        disturbed_s = min(disturbed_s, await others.ask(MEASURED_S))
    for task in (*slow, flood):
        task.cancel()
    await asyncio.gather(*slow, flood, return_exceptions=True)
    times = disturbed_s / normal_s
    findings = [f"p99 {times:.1f} times"] if times > TIMES_MAX else []
    findings += [f"{others.failed} requests of others failed"] if others.failed else []
    return Outcome(f"p99 {normal_s * 1000:.0f} -> {disturbed_s * 1000:.0f} ms, {times:.1f}x", tuple(findings))


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


CROWDS: dict[str, Attack] = {
    "100 unfinished bodies of 15 MB": Attack("", _unfinished_bodies, many=True),
    "40 large replies with a key, unread": Attack("", _kept_replies, many=True),
    "600 slow uploads and one greedy client": Attack("", _crowd, stage="crowd", slow=True, many=True),
}
