"""Many at once: unfinished bodies, unread replies, slow uploads, and one client that wants everything."""

import asyncio
import socket
import sys
import time
from collections.abc import AsyncIterator

from proof.hostile.asking import ask, request
from proof.hostile.attack import Attack, Outcome
from proof.hostile.disturbing import OTHERS_PER_S
from proof.hostile.shards import Asked
from proof.hostile.stage import Stage

OTHERS = 5
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
    # In a process of their own: what measures must not be held up by them.
    command = (sys.executable, "-m", "proof.hostile.disturbing", str(stage.gateway.port))
    disturbing = await asyncio.create_subprocess_exec(*command)
    try:
        await asyncio.sleep(2.0)
        disturbed_s = await others.ask(MEASURED_S)
        for _ in range(ATTEMPTS - 1):
            if disturbed_s <= TIMES_MAX * normal_s:
                break
            disturbed_s = min(disturbed_s, await others.ask(MEASURED_S))
    finally:
        disturbing.kill()
        await disturbing.wait()
    times = disturbed_s / normal_s
    findings = [f"p99 {times:.1f} times"] if times > TIMES_MAX else []
    findings += [f"{others.failed} requests of others failed"] if others.failed else []
    return Outcome(f"p99 {normal_s * 1000:.0f} -> {disturbed_s * 1000:.0f} ms, {times:.1f}x", tuple(findings))


CROWDS: dict[str, Attack] = {
    "100 unfinished bodies of 15 MB": Attack("", _unfinished_bodies, many=True),
    "40 large replies with a key, unread": Attack("", _kept_replies, many=True),
    "600 slow uploads and one greedy client": Attack("", _crowd, stage="crowd", slow=True, many=True),
}
