"""A client that sends any bytes: in one piece, in many, slowly, or half of them.

Holds: it reads while it sends, so that an early refusal is seen; and it ends at its deadline, whatever the server does.
"""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from typing import Literal

import msgspec

KEPT_BYTES_MAX = 1024 * 1024
PIECE_BYTES = 256 * 1024
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)

Message = bytes | Iterable[bytes] | AsyncIterator[bytes]


class Answer(msgspec.Struct, frozen=True):
    """What came back over one connection."""

    status: int
    """Of the first final reply; 0 where there was none."""
    received: bytes
    """The first and the last of what was read."""
    size: int
    took_s: float
    ended: Literal["whole", "closed", "reset", "silent"]
    """`closed`: by the server; `silent`: the deadline came first."""

    @property
    def word(self) -> str:
        """The outcome in one word."""
        if self.ended == "silent":
            return f"{self.status or ''}silent"
        return str(self.status) if self.status else self.ended


async def ask(
    port: int,
    message: Message,
    *,
    within_s: float,
    address: str = "127.0.0.1",
    tls: ssl.SSLContext | None = None,
    half_close: bool = False,
) -> Answer:
    """Send a message, read until the server closes or its only reply is whole."""
    loop = asyncio.get_running_loop()
    began_at = loop.time()
    name = "localhost" if tls is not None else None
    try:
        async with asyncio.timeout(within_s):
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", port, local_addr=(address, 0), ssl=tls, server_hostname=name, limit=PIECE_BYTES
            )
    except (OSError, TimeoutError):
        return Answer(0, b"", 0, loop.time() - began_at, "reset")
    sending = loop.create_task(_send(writer, message, half_close))
    kept, size, ended = bytearray(), 0, "silent"
    try:
        async with asyncio.timeout(began_at + within_s - loop.time()):
            while piece := await reader.read(PIECE_BYTES):
                size += len(piece)
                kept += piece
                if len(kept) > 2 * KEPT_BYTES_MAX:
                    del kept[KEPT_BYTES_MAX : len(kept) - KEPT_BYTES_MAX // 2]
                if _is_whole(kept, size):
                    ended = "whole"
                    break
            else:
                ended = "closed"
    except TimeoutError:
        pass
    except OSError:
        ended = "reset"
    finally:
        sending.cancel()
        with suppress(asyncio.CancelledError, OSError):
            await sending
        writer.transport.abort()
    received = bytes(kept)
    return Answer(_status(received), received, size, loop.time() - began_at, ended)  # type: ignore[arg-type]


async def _send(writer: asyncio.StreamWriter, message: Message, half_close: bool) -> None:
    if isinstance(message, AsyncIterator):
        async for piece in message:
            writer.write(piece)
            await writer.drain()
    else:
        for piece in _pieces(message) if isinstance(message, bytes) else message:
            writer.write(piece)
            await writer.drain()
    if half_close:
        writer.write_eof()


def _pieces(data: bytes) -> Iterable[bytes]:
    return (data[at : at + PIECE_BYTES] for at in range(0, len(data), PIECE_BYTES))


def _status(received: bytes) -> int:
    for match in re.finditer(rb"(?:^|\r\n)HTTP/1\.[01] ([1-9]\d\d) ", received):
        if match[1][:1] != b"1" or match[1] == b"101":
            return int(match[1])
    return 0


def _is_whole(kept: bytearray, size: int) -> bool:
    """Whether a single reply with a length is here; other replies end with the connection."""
    if size != len(kept) or b"\r\n\r\n" not in kept[:65536]:
        return False
    head, _, body = bytes(kept[:65536]).partition(b"\r\n\r\n")
    if b"\r\nconnection: close" not in head.lower() or head.startswith(b"HTTP/1.1 1"):
        return False
    length = _LENGTH.search(head + b"\r\n")
    return length is not None and size - len(head) - 4 >= int(length[1]) and bool(body or not int(length[1]))


def request(method: str, target: str, *lines: str, body: bytes | None = None, kind: str = "application/json") -> bytes:
    """A whole request, after which the connection closes."""
    fields = [f"{method} {target} HTTP/1.1", "Host: api.example.com", "Connection: close", *lines]
    if body is not None:
        fields += [f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
    return ("\r\n".join(fields) + "\r\n\r\n").encode("latin-1") + (body or b"")
