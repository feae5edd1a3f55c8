"""A client of HTTP/1.1 for loads, that costs little: a load must be carried also where the machine has much else to do.

*Holds:* a request is sent once. A reply counts once its last byte was read.
"""

import asyncio
import ssl
from typing import Final
from urllib.parse import urlsplit

import msgspec

BODY_BYTES_MAX: Final = 16 * 1024 * 1024
_Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Answer(msgspec.Struct, frozen=True):
    """A whole reply."""

    status: int
    body: bytes


class Client:
    """As many connections to one address as are needed at once; they are kept."""

    def __init__(self, url: str, token: str, timeout_s: float) -> None:
        """Raises ValueError where the URL has no host."""
        address = urlsplit(url)
        if address.hostname is None:
            raise ValueError(f"no address: {url}")
        self._host = address.hostname
        self._tls = ssl.create_default_context() if address.scheme == "https" else None
        self._port = address.port or (443 if self._tls else 80)
        self._timeout_s = timeout_s
        self._head = f"Host: {address.netloc}\r\nAccept: application/json\r\nAuthorization: Bearer {token}\r\n"
        self._idle: list[_Connection] = []

    async def ask(self, method: str, target: str, body: bytes | None = None) -> Answer:
        """Send a request. Raises OSError, TimeoutError, EOFError, ValueError where no whole reply came in time."""
        head = f"{method} {target} HTTP/1.1\r\n{self._head}"
        if body is not None:
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        async with asyncio.timeout(self._timeout_s):
            return await self._exchanged(await self._connection(), f"{head}\r\n".encode() + (body or b""))

    def close(self) -> None:
        """End all connections."""
        while self._idle:
            self._idle.pop()[1].close()

    async def _connection(self) -> _Connection:
        """A kept one that the server has not closed, or a new one."""
        while self._idle:
            reader, writer = self._idle.pop()
            if not reader.at_eof() and not writer.is_closing():
                return reader, writer
            writer.close()
        return await asyncio.open_connection(self._host, self._port, ssl=self._tls, limit=BODY_BYTES_MAX)

    async def _exchanged(self, connection: _Connection, message: bytes) -> Answer:
        reader, writer = connection
        try:
            writer.write(message)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            status = int(head[9:12])
            body = await _body(reader, head, status)
        except BaseException:
            writer.close()
            raise
        if b"\r\nconnection: close" in head:
            writer.close()
        else:
            self._idle.append(connection)
        return Answer(status, body)


async def _body(reader: asyncio.StreamReader, head: bytes, status: int) -> bytes:
    """Raises ValueError where its length is not known: where it ends could not be told from where it broke off."""
    if status in {204, 304}:
        return b""
    _, found, rest = head.partition(b"\r\ncontent-length:")
    if found:
        return await reader.readexactly(int(rest.partition(b"\r\n")[0]))
    if b"\r\ntransfer-encoding: chunked" not in head:
        raise ValueError("a reply without a length")
    body = bytearray()
    while size := int((await reader.readuntil(b"\r\n")).partition(b";")[0], 16):
        body += (await reader.readexactly(size + 2))[:-2]
    while await reader.readuntil(b"\r\n") != b"\r\n":
        pass
    return bytes(body)
