"""The client's side, on a raw socket: bytes in pieces, replies read by one strict grammar."""

import asyncio
import json
import re
import socket
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Any

from tests.framing.recording import turns

PATIENCE_S = 10.0
_HEAD = re.compile(rb"HTTP/1\.1 ([1-5]\d\d) [^\r\n]*\r\n((?:[!-9;-~]+: ?[^\r\n]*\r\n)*)\r\n")
_CHUNK = re.compile(rb"([0-9a-f]+)\r\n")


@dataclass
class Read:
    """One reply as a client reads it."""

    status: int
    lines: list[bytes]
    body: bytes
    whole: bool

    def values(self, name: bytes) -> list[bytes]:
        return [line.partition(b":")[2].strip() for line in self.lines if line.lower().startswith(name.lower() + b":")]

    @property
    def code(self) -> Any:
        return json.loads(self.body)["code"]


def piece_size(data: bytes, delivery: str) -> int:
    """Everything at once; or single bytes, and of what is very long about a hundred pieces."""
    if delivery == "whole":
        return max(len(data), 1)
    return 1 if len(data) <= 1000 else len(data) // 97


async def converse(
    port: int, data: bytes, *, piece: int, half_close: bool = False, then: Callable[[], Awaitable[bytes]] | None = None
) -> bytes:
    """Send all, and read until the gateway ends the connection; that it does is part of every verdict.

    `then`: what is waited for, and sent behind it.
    """
    loop = asyncio.get_running_loop()
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.settimeout(0)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        reading = loop.create_task(_read_all(client))
        try:
            for start in range(0, len(data), piece):
                await loop.sock_sendall(client, data[start : start + piece])
                await turns(2)
            if then is not None:
                await loop.sock_sendall(client, await then())
            if half_close:
                client.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the gateway has ended the connection before all was sent
        async with asyncio.timeout(PATIENCE_S):
            return await reading


async def _read_all(client: socket.socket) -> bytes:
    loop, received = asyncio.get_running_loop(), b""
    try:
        while piece := await loop.sock_recv(client, 65536):
            received += piece
    except ConnectionResetError:
        received += RESET
    return received


RESET = b"<reset>"
"""Stands behind what was received where the connection did not end in peace."""


def read_replies(received: bytes, methods: list[bytes], *, interim: Collection[int] = (100,)) -> list[Read]:
    """All final replies. Only the last one may be cut off; whatever is behind is an error."""
    is_reset = received.endswith(RESET)
    rest = received.removesuffix(RESET)
    replies: list[Read] = []
    while rest:
        match = _HEAD.match(rest)
        assert match is not None, f"not a reply: {rest!r} in {received!r}"
        status, lines, rest = int(match[1]), match[2].split(b"\r\n")[:-1], rest[match.end() :]
        if status < 200:
            assert status in interim, received
            continue
        reply = Read(status, lines, b"", whole=True)
        bodiless = status in {204, 304} or methods[len(replies)] == b"HEAD"
        replies.append(reply)
        if not bodiless:
            rest = _read_body(reply, rest, is_reset=is_reset)
    return replies


def _read_body(reply: Read, rest: bytes, *, is_reset: bool) -> bytes:
    lengths, codings = reply.values(b"Content-Length"), reply.values(b"Transfer-Encoding")
    assert len(lengths) + len(codings) <= 1, reply
    if codings:
        assert codings == [b"chunked"], reply
        while (size := _CHUNK.match(rest)) is not None:
            rest, count = rest[size.end() :], int(size[1], 16)
            reply.body += rest[:count]
            reply.whole = rest[count : count + 2] == b"\r\n"
            rest = rest[count + 2 :]
            if not count or not reply.whole:
                return rest
        reply.whole = False
        return rest
    if lengths:
        count = int(lengths[0])
        reply.body, reply.whole = rest[:count], len(rest) >= count
        return rest[count:]
    assert reply.values(b"Connection") == [b"close"], f"a body without framing: {reply}"
    reply.body, reply.whole = rest, not is_reset
    return b""
