"""A partner's connection to the gateway: one request at a time, read no further than is needed to know its end."""

import asyncio
import re
from typing import cast

import msgspec

_STATUS = re.compile(rb"HTTP/1\.1 (\d\d\d) ")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CODE = re.compile(rb'"code": ?"(SG\d{4})"')
_PARTIAL = re.compile(rb"\r\nshardgate-partial: *asked=\d+, answered=\d+, missing=\(\"", re.IGNORECASE)
_CLOSES = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)


class Answer(msgspec.Struct, frozen=True):
    """A reply."""

    status: int
    code: str = ""
    is_partial: bool = False
    """It is a list that says that it lacks shards."""


class Connection(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self._received = bytearray()
        self._body_at = -1
        self._size: int | None = None
        self._answer: asyncio.Future[Answer] | None = None
        self._transport: asyncio.Transport | None = None
        self.is_open = True
        """Another request can be sent."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is open."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by its type

    async def ask(self, message: bytes, *, is_last: bool = False) -> Answer:
        """Send a request; the reply. Raises ConnectionError where the connection ends before it.

        `is_last`: our side of the connection ends with the request.
        """
        assert self._transport is not None
        if not self.is_open:
            raise ConnectionResetError
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(message)
        if is_last:
            self._transport.write_eof()
        try:
            return await self._answer
        finally:
            self._answer = None

    def close(self) -> None:
        """It is not needed any more."""
        self.is_open = False
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """More of a reply. Its body is looked at once, when it is whole: a long list comes in many pieces."""
        self._received += data
        if self._body_at < 0 and not self._read_head():
            return
        size = len(self._received) - self._body_at
        is_whole = size >= self._size if self._size is not None else self._received.endswith(b"0\r\n\r\n")
        if not is_whole or self._answer is None:
            return
        received, body_at = bytes(self._received), self._body_at
        self._received, self._body_at = bytearray(), -1
        if _CLOSES.search(received, 0, body_at):
            self.close()
        status = _STATUS.match(received)
        code = _CODE.search(received, body_at) if status is not None and status[1] >= b"400" else None
        if not self._answer.done():
            is_partial = _PARTIAL.search(received, 0, body_at) is not None
            said = code[1].decode() if code else ""
            self._answer.set_result(Answer(int(status[1]) if status else 0, said, is_partial))

    def _read_head(self) -> bool:
        """Whether its end has come."""
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return False
        length = _LENGTH.search(self._received, 0, end)
        self._body_at, self._size = end + 4, int(length[1]) if length else None
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """The gateway has closed it."""
        self.is_open = False
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionResetError())
