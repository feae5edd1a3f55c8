"""Real servers on loopback for the tests: shards, and a gateway in front of them.

A shard (`running_shard`) answers with the raw bytes that a test gives, and keeps every request that it got. A gateway
(`running_gateway`) is a whole worker in the process of the test: a test reads its replies from a socket, and looks at
its counters directly.

Holds: every server listens on a free port and ends with its block, so tests may run beside each other.
"""

import asyncio
import errno
import json
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml

from shardgate.config.load import load
from shardgate.net.clock import now
from shardgate.net.listeners import listen
from shardgate.process.generation import Entrance
from shardgate.process.worker import Worker
from tests.waiting import one_turn
from tests.waiting import until as until

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For `verify` of a client of plain HTTP: without it each client reads the machine's certificates (20 ms)."""

_QUIET_S = 0.02


@dataclass
class Asked:
    """One request, as the shard got it."""

    head: bytes
    body: bytes
    trailers: bytes = b""

    @property
    def line(self) -> str:
        """The request line."""
        return self.head.split(b"\r\n")[0].decode()

    def field(self, name: str) -> list[str]:
        """The values of a header field, one for each line."""
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        return [line.partition(":")[2].strip() for line in lines if line.lower().startswith(name.lower() + ":")]


async def read_chunked(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Read a chunked body and its trailer section. Raises where it is not written in the plainest form."""
    body = b""
    while True:
        line = await reader.readuntil(b"\r\n")
        size = int(line[:-2].decode("ascii"), 16)
        assert line == b"%x\r\n" % size, line
        if size == 0:
            break
        body += await reader.readexactly(size)
        assert await reader.readexactly(2) == b"\r\n"
    trailers = b""
    while (line := await reader.readuntil(b"\r\n")) != b"\r\n":
        trailers += line
    return body, trailers


Answer = Callable[[Asked], bytes | Awaitable[bytes]]
"""Gives the raw bytes of a reply; b"" closes the connection without one."""


@dataclass
class Shard:
    """A running shard: what it was asked, and over how many connections."""

    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    kill: Callable[[], None] = lambda: None
    """Ends it as a process that is killed: nobody listens, and its connections break."""
    refuse: Callable[[], None] = lambda: None
    """Nobody listens any more; its connections stay."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def reply(body: bytes | str = b"", *, status: str = "200 OK", fields: str = "") -> bytes:
    """A reply in bytes: `reply("[]", fields="X: 1\\r\\n")`."""
    data = body.encode() if isinstance(body, str) else body
    return (
        f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n{fields}Content-Length: {len(data)}\r\n\r\n".encode()
        + data
    )


def rows(*items: Any, fields: str = "") -> bytes:
    """A list reply in compact JSON."""
    return reply(json.dumps(items, separators=(",", ":"), ensure_ascii=False), fields=fields)


async def no_answer(_: Asked) -> bytes:
    """The answer of a shard that never answers."""
    await asyncio.Event().wait()
    raise AssertionError


@asynccontextmanager
async def running_shard(answer: Answer | None = None, port: int = 0, host: str = "127.0.0.1") -> AsyncIterator[Shard]:
    """Serve one shard, on a free port or on a given one."""
    shard = Shard()
    writers: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        shard.connections += 1
        writers.add(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                asked = Asked(head, b"")
                length = asked.field("content-length")
                if length:
                    asked.body = await reader.readexactly(int(length[0]))
                elif asked.field("transfer-encoding"):
                    asked.body, asked.trailers = await read_chunked(reader)
                shard.asked.append(asked)
                said = answer(asked) if answer else reply("{}")
                data = said if isinstance(said, bytes) else await said
                writer.write(data)
                await writer.drain()
                if not data or b"Connection: close" in data[:1000]:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writers.discard(writer)
            writer.close()

    server = await asyncio.start_server(serve, host, port)
    shard.port = server.sockets[0].getsockname()[1]

    def kill() -> None:
        server.close()
        for writer in list(writers):
            writer.transport.abort()

    shard.kill, shard.refuse = kill, server.close
    try:
        yield shard
    finally:
        kill()
        await server.wait_closed()


def leave(writer: asyncio.StreamWriter) -> None:
    """Leave as a client that was killed: the connection ends with a reset."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@dataclass
class Gateway:
    """A running gateway and a client of it."""

    worker: Worker
    port: int
    client: httpx.AsyncClient
    admin_port: int = 0

    @property
    def in_flight(self) -> int:
        """The requests that are under way in the gateway."""
        return self.worker.built.observer.meter.in_flight

    @property
    def connections(self) -> int:
        """The connections of clients that are open in the gateway."""
        return len(self.worker.built.gateway._connections.open)

    def refuses_connections(self) -> bool:
        """Whether the gateway listens no more."""
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == errno.ECONNREFUSED

    def tick(self) -> None:
        """Do now what the gateway does four times a second: write metrics and the access log."""
        self.worker.built.observer.expire()

    async def admin(self, path: str) -> httpx.Response:
        url = f"http://127.0.0.1:{self.admin_port}"
        async with httpx.AsyncClient(base_url=url, timeout=30, verify=NO_TLS) as client:
            return await client.get(path)

    async def get(self, url: str, **options: Any) -> httpx.Response:
        return await self.client.get(url, **options)

    async def until_state(self, link: str, state: str, **options: Any) -> None:
        """Wait until a change has a state; `link` is its status link, `options` are of the request for it."""

        async def has_it() -> bool:
            return bool((await self.get(link, **options)).json()["state"] == state)

        await until(has_it)

    async def raw(self, data: bytes, *, timeout_s: float = 5.0) -> bytes:
        """Send bytes, and read until the gateway closes, or has answered all requests that it got.

        Where it waits for more of a request, it is taken to have said all after 0.3 s of silence, and after
        `timeout_s` where it has said nothing.
        """
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(data)
            await writer.drain()
            received, silent_s, began_at = b"", 0.0, asyncio.get_running_loop().time()
            while True:
                try:
                    async with asyncio.timeout(_QUIET_S):
                        piece = await reader.read(65536)
                except TimeoutError:
                    silent_s += _QUIET_S
                    if received and silent_s > (_QUIET_S if self.in_flight == 0 else 0.3):
                        return received
                    if not received and asyncio.get_running_loop().time() - began_at > timeout_s:
                        return received
                    continue
                if not piece:
                    return received
                received, silent_s = received + piece, 0.0
        finally:
            writer.close()


@asynccontextmanager
async def running_gateway(
    config: dict[str, Any], folder: Path, clock: Callable[[], float] = now
) -> AsyncIterator[Gateway]:
    """Serve the gateway in this process, on a free port of loopback. Its deadlines are read on the clock."""
    file = folder / "shardgate.yaml"
    # A busy machine may take longer than a second to connect to a shard that runs in this very process.
    timeouts = {"connect_timeout_s": 20, **config.get("timeouts", {})}
    file.write_text(yaml.safe_dump({"listen": "127.0.0.1:0", **config, "timeouts": timeouts}, allow_unicode=True))
    worker = Worker(load(file), clock=clock)
    listening = listen("127.0.0.1", 0)
    port = listening.getsockname()[1]
    admin = listen("127.0.0.1", 0) if "admin" in config else None
    ready, stop = asyncio.Event(), asyncio.Event()
    running = asyncio.get_running_loop().create_task(worker.run(Entrance([listening], admin), ready.set, stop))
    waiting = asyncio.get_running_loop().create_task(ready.wait())
    await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
    if running.done():
        await running
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30, verify=NO_TLS) as client:
        yield Gateway(worker, port, client, admin.getsockname()[1] if admin else 0)
    await one_turn()  # the gateway sees that its client has left; else its end waits for the client
    stop.set()
    await running
