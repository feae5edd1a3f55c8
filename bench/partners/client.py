"""A client of HTTP/1.1 for the load: connections that are kept, as many as are needed at once.

Holds: a reply is read to its last byte before it counts. A kept connection that the server closed meanwhile is replaced
once, for a request that no byte of a reply was read of.
"""

import asyncio
import ssl
from urllib.parse import urlsplit

from bench.partners.filling import Request

_LIMIT_BYTES = 16 * 2**20


class Client:
    """A pool of connections to one address."""

    def __init__(self, url: str, token: str, timeout_s: float) -> None:
        address = urlsplit(url)
        if address.hostname is None:
            raise ValueError(f"no address: {url}")
        self._host = address.hostname
        self._tls = ssl.create_default_context() if address.scheme == "https" else None
        self._port = address.port or (443 if self._tls else 80)
        self._timeout_s = timeout_s
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self._head = (
            f"Host: {address.netloc}\r\nAccept: application/json\r\nUser-Agent: partner-sync/4.2\r\n"
            f"Authorization: Bearer {token}\r\n"
        )

    async def ask(self, request: Request) -> int:
        """Send it, read the reply. Returns its status; 0 where there was no whole reply in time."""
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._ask(self._bytes(request))
        except (OSError, asyncio.IncompleteReadError, ValueError, TimeoutError):
            return 0

    async def close(self) -> None:
        """End all connections."""
        for _, writer in self._idle:
            writer.close()
        self._idle.clear()

    def _bytes(self, request: Request) -> bytes:
        head = f"{request.method} {request.target} HTTP/1.1\r\n{self._head}"
        if request.body is None:
            return f"{head}\r\n".encode()
        return (
            f"{head}Content-Type: application/json\r\nContent-Length: {len(request.body)}\r\n\r\n".encode()
            + request.body
        )

    async def _ask(self, data: bytes) -> int:
        while self._idle:
            reader, writer = self._idle.pop()
            if reader.at_eof() or writer.is_closing():
                writer.close()
                continue
            try:
                return await self._exchanged(reader, writer, data)
            except asyncio.IncompleteReadError as error:
                if error.partial:
                    raise
            except ConnectionError:
                pass
            break
        reader, writer = await asyncio.open_connection(self._host, self._port, ssl=self._tls, limit=_LIMIT_BYTES)
        return await self._exchanged(reader, writer, data)

    async def _exchanged(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, data: bytes) -> int:
        try:
            writer.write(data)
            head = await reader.readuntil(b"\r\n\r\n")
            status = int(head[9:12])
            fields = head.lower()
            await _read_body(reader, fields, status)
        except BaseException:
            writer.close()
            raise
        if b"\r\nconnection: close" in fields:
            writer.close()
        else:
            self._idle.append((reader, writer))
        return status


async def _read_body(reader: asyncio.StreamReader, fields: bytes, status: int) -> None:
    if status in {204, 304}:
        return
    _, found, rest = fields.partition(b"\r\ncontent-length:")
    if found:
        await reader.readexactly(int(rest.partition(b"\r\n")[0]))
        return
    if b"\r\ntransfer-encoding: chunked" not in fields:
        await reader.read()
        return
    while size := int((await reader.readuntil(b"\r\n")).partition(b";")[0], 16):
        await reader.readexactly(size + 2)
    while await reader.readuntil(b"\r\n") != b"\r\n":
        pass
