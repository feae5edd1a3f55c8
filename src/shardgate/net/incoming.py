"""A request body that has not come whole: held until it has, or handed on piece by piece.

Holds: no more than the bound is taken, whatever the client announced.
Never: touches a socket: the connection feeds it.
"""

from typing import Protocol

from shardgate.core.errors import BodyTooLargeError
from shardgate.core.http import RequestFields
from shardgate.core.wire.body import BodyReader


class BodyTaker(Protocol):
    """Whoever takes a body while it comes."""

    def body_data(self, data: bytes) -> None:
        """A piece, freed of its framing."""

    def body_end(self, trailers: bytes) -> None:
        """The body is whole."""


class IncomingBody:
    """The body of one request, on its way in."""

    __slots__ = ("_bytes_max", "_held", "_reader", "_size", "_taker")

    def __init__(self, fields: RequestFields, bytes_max: int) -> None:
        self._reader = BodyReader(None if fields.chunked else fields.content_length)
        self._bytes_max = bytes_max
        self._held: list[bytes] = []
        self._size = 0
        self._taker: BodyTaker | None = None

    @property
    def has_begun(self) -> bool:
        """Whether any of it has come."""
        return self._size > 0

    @property
    def is_whole(self) -> bool:
        """Whether all of it has come."""
        return self._reader.done

    @property
    def is_undecided(self) -> bool:
        """Whether nobody takes it yet."""
        return self._taker is None

    @property
    def rest(self) -> bytes:
        """What came behind its end."""
        return self._reader.rest

    def feed(self, data: bytes) -> bool:
        """Take what came; whether any of it was the body's. Raises a ClientError."""
        piece = self._reader.feed(data)
        self._size += len(piece)
        if self._size > self._bytes_max:
            raise too_large(self._bytes_max)
        if self._taker is None:
            self._held.append(piece)
        else:
            self._give(self._taker, piece)
        return bool(piece)

    def hold_at_most(self, bytes_max: int) -> None:
        """From now on the bound is this one."""
        self._bytes_max = bytes_max

    def hand_to(self, taker: BodyTaker) -> None:
        """From now on every piece goes on as it comes; what was held goes at once."""
        self._taker = taker
        held, self._held = b"".join(self._held), []
        self._give(taker, held)

    def whole(self) -> bytes:
        """All of it."""
        return self._held[0] if len(self._held) == 1 else b"".join(self._held)

    def _give(self, taker: BodyTaker, piece: bytes) -> None:
        if piece:
            taker.body_data(piece)
        if self._reader.done:
            taker.body_end(self._reader.trailers)


def too_large(bytes_max: int) -> BodyTooLargeError:
    """The refusal of a longer body."""
    return BodyTooLargeError(f"the request body is larger than {bytes_max} bytes")
