"""Finds the end of a request's body (RFC 9112 section 6.3), fed piece by piece.

Holds: the result does not depend on how the bytes were cut. Nothing is kept but the beginning of a chunk's frame.
Never: limits how long a body may be.
"""

from shardgate.core.wire.chunked import ChunkedDecoder


class BodyReader:
    """Feed it bytes: it returns those of the body. `done` says that the body is over; `rest` has the bytes behind
    it."""

    __slots__ = ("_chunked", "_missing", "done", "rest")

    def __init__(self, length: int | None) -> None:
        """`length` in bytes; None: the body is chunked."""
        self._chunked = ChunkedDecoder() if length is None else None
        self._missing = length or 0
        self.done = length == 0
        self.rest = b""

    @property
    def trailers(self) -> bytes:
        """The trailer lines that may pass, as they are written."""
        return self._chunked.trailers if self._chunked is not None else b""

    def feed(self, data: bytes) -> bytes:
        """Those of the bytes that are the body's. Raises a ClientError where the chunked coding is broken."""
        if self._chunked is not None:
            piece = self._chunked.feed(data)
            self.done, self.rest = self._chunked.done, self._chunked.rest
            return piece
        piece = data[: self._missing]
        self.rest = data[self._missing :]
        self._missing -= len(piece)
        self.done = self._missing == 0
        return piece
