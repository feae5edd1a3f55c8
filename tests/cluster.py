"""A shard that is a real server, answers as told in raw bytes, and keeps what it was sent; and a gateway to put
before it."""

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml

from shardgate.config.load import load
from shardgate.net.listeners import listen
from shardgate.process.wiring import Entrance, Worker


@dataclass
class Asked:
    """One request as it arrived at a shard."""

    head: bytes
    body: bytes
    trailers: bytes = b""

    @property
    def line(self) -> str:
        return self.head.split(b"\r\n")[0].decode()

    def field(self, name: str) -> list[str]:
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        return [line.partition(":")[2].strip() for line in lines if line.lower().startswith(name.lower() + ":")]


async def read_chunked(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """A chunked body and its trailer section; anything unusual raises."""
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


@dataclass
class Shard:
    """A running shard."""

    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


async def until(true: Callable[[], bool], within_s: float = 5.0) -> None:
    """Wait until something is true; a test that waits in vain fails."""
    async with asyncio.timeout(within_s):
        while not true():  # noqa: ASYNC110 - what is awaited happens in other processes
            await asyncio.sleep(0.02)


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


@asynccontextmanager
async def running_shard(answer: Answer | None = None, port: int = 0) -> AsyncIterator[Shard]:
    """Serve one shard, on a free port or where one was before. An answer of b"" closes the connection unanswered."""
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

    server = await asyncio.start_server(serve, "127.0.0.1", port)
    shard.port = server.sockets[0].getsockname()[1]
    try:
        yield shard
    finally:
        server.close()
        for writer in list(writers):
            writer.transport.abort()
        await server.wait_closed()


def leave(writer: asyncio.StreamWriter) -> None:
    """Go at once, as a client that was killed: no word, but a reset."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@dataclass
class Gateway:
    """A running gateway and a client of it."""

    port: int
    client: httpx.AsyncClient
    admin_port: int = 0

    async def admin(self, path: str) -> httpx.Response:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.admin_port}", timeout=10) as client:
            return await client.get(path)

    async def get(self, url: str, **options: Any) -> httpx.Response:
        return await self.client.get(url, **options)

    async def raw(self, data: bytes, *, timeout_s: float = 5.0) -> bytes:
        """Send bytes, and read until the gateway closes or says no more for a moment."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(data)
            await writer.drain()
            received = b""
            while True:
                try:
                    async with asyncio.timeout(timeout_s if not received else 0.2):
                        piece = await reader.read(65536)
                except TimeoutError:
                    return received
                if not piece:
                    return received
                received += piece
        finally:
            writer.close()


@asynccontextmanager
async def running_gateway(config: dict[str, Any], folder: Path) -> AsyncIterator[Gateway]:
    """Serve the gateway in this process, on a free port of loopback."""
    file = folder / "shardgate.yaml"
    file.write_text(yaml.safe_dump({"listen": "127.0.0.1:0", **config}, allow_unicode=True))
    loaded = load(file)
    listening = listen("127.0.0.1", 0)
    port = listening.getsockname()[1]
    admin = listen("127.0.0.1", 0) if "admin" in config else None
    ready, stop = asyncio.Event(), asyncio.Event()
    running = asyncio.get_running_loop().create_task(Worker(loaded).run(Entrance([listening], admin), ready.set, stop))
    waiting = asyncio.get_running_loop().create_task(ready.wait())
    await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
    if running.done():
        await running
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10) as client:
        yield Gateway(port, client, admin.getsockname()[1] if admin else 0)
    stop.set()
    await running
