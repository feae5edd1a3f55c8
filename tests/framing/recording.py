"""A shard that records exactly the bytes it receives, and answers with its own idea of what it was asked, or as told.

It reads only one plain framing. What it cannot read so stays in `unread`, and no case allows that.
"""

import asyncio
import contextlib
import re
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import cast

from tests.waiting import one_turn

_LENGTH = re.compile(rb"\r\nContent-Length: (\d+)(?=\r\n)", re.IGNORECASE)
_CODING = re.compile(rb"\r\nTransfer-Encoding:", re.IGNORECASE)
_CHUNK = re.compile(rb"([0-9a-fA-F]+)\r\n")


@dataclass
class Arrived:
    """One whole request, as it came."""

    head: bytes
    body: bytes
    connection: "ShardConnection"

    @property
    def line(self) -> bytes:
        return self.head.partition(b" HTTP/1.1\r\n")[0]


Script = Callable[["ShardConnection"], Awaitable[None]]


@dataclass
class RecordingShard:
    """What arrived, in its order."""

    arrived: list[Arrived] = field(default_factory=list)
    connections: list["ShardConnection"] = field(default_factory=list)
    script: Script | None = None
    answers_early: bool = False
    """The script runs as soon as the head of a request has come."""
    running: list[asyncio.Task[None]] = field(default_factory=list)
    played: list["ShardConnection"] = field(default_factory=list)
    """The connections on which a script ran."""

    def forget(self) -> None:
        """Begin a new case."""
        self.arrived.clear()
        self.connections = [connection for connection in self.connections if not connection.closed]
        self.played.clear()
        self.script = None
        self.answers_early = False

    async def said_all(self) -> None:
        """All scripts have run to their end."""
        while self.running:
            await self.running.pop()


class ShardConnection(asyncio.Protocol):
    """One connection of the gateway."""

    def __init__(self, shard: RecordingShard) -> None:
        self.shard = shard
        self.unread = b""
        self.closed = False
        self.transport: asyncio.Transport
        self._answered_early = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.shard.connections.append(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True

    def data_received(self, data: bytes) -> None:
        self.unread += data
        if self.shard.answers_early and b" /scripted" in self.unread and b"\r\n\r\n" in self.unread:
            if not self._answered_early:
                self._answered_early = True
                self._answer(b"")
            return
        while (found := take_request(self.unread)) is not None:
            head, body, self.unread = found
            arrived = Arrived(head, body, self)
            self.shard.arrived.append(arrived)
            self._answer(arrived.line)

    def _answer(self, line: bytes) -> None:
        if self.shard.script is not None and (not line or b" /scripted" in line):
            self.shard.played.append(self)
            self.shard.running.append(asyncio.get_running_loop().create_task(self._play(self.shard.script)))
            return
        said = b"" if line.startswith(b"HEAD ") else line
        self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(line), said))

    async def _play(self, script: Script) -> None:
        with contextlib.suppress(ConnectionError):
            await script(self)

    async def say(self, data: bytes, *, piece: int) -> None:
        """Write in pieces, each on a way of its own; stop when the gateway has gone."""
        for start in range(0, len(data), piece):
            if self.closed:
                return
            self.transport.write(data[start : start + piece])
            await turns(3)

    def reset(self) -> None:
        """End the connection the hard way."""
        linger = struct.pack("ii", 1, 0)
        self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.transport.abort()


async def turns(count: int) -> None:
    """Let everything that is ready in this loop run, so many times."""
    for _ in range(count):
        await one_turn()


def take_request(data: bytes) -> tuple[bytes, bytes, bytes] | None:
    """Head, body and what is behind them, if a whole request is there."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    head, rest = data[: end + 4], data[end + 4 :]
    lengths = _LENGTH.findall(head)
    if _CODING.search(head):
        decoded = None if lengths else take_chunks(rest)
        return None if decoded is None else (head, *decoded)
    length = int(lengths[0]) if lengths else 0
    return None if len(rest) < length or len(lengths) > 1 else (head, rest[:length], rest[length:])


def take_chunks(data: bytes) -> tuple[bytes, bytes] | None:
    """The data of a whole chunked body, and what is behind it; no extensions and no trailers."""
    body = b""
    while (size := _CHUNK.match(data)) is not None:
        data, count = data[size.end() :], int(size[1], 16)
        piece, data, mark = data[:count], data[count + 2 :], data[count : count + 2]
        if mark != b"\r\n":
            return None
        if not count:
            return body, data
        body += piece
    return None
