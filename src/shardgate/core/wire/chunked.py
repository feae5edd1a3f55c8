"""The chunked coding, read strictly (RFC 9112 section 7.1).

Chunk extensions are checked (section 7.1.1) and ignored. Trailer fields are validated; those that could change the
meaning of a message are dropped (RFC 9110 section 6.5.1).

Holds: a size is hexadecimal digits only; each chunk ends with CRLF; lines have a bound.
Never: accepts a bare LF, a sign, an underscore, or a larger number than a file could have bytes.
"""

import re

from shardgate.core.errors import MalformedRequestError
from shardgate.core.excerpt import excerpt
from shardgate.core.limits import CHUNK_LINE_BYTES_MAX, CHUNKS_AT_ONCE, CHUNKS_BYTES_AT_ONCE, HEAD_BYTES_MAX
from shardgate.core.wire.fields import HOP_BY_HOP, OUR_PREFIXES, OURS, TOKEN, FieldReader

_QUOTED = rb'"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*"'
_EXTENSION = rb"[ \t]*;[ \t]*%s(?:[ \t]*=[ \t]*(?:%s|%s))?" % (TOKEN, TOKEN, _QUOTED)
_SIZE_LINE = re.compile(rb"0*([0-9A-Fa-f]{1,15})(?:%s)*" % _EXTENSION)
# Whole chunks of 1 to 15 bytes without extensions. A run of them is checked at once, and costs 0.2 µs a chunk.
_TINY = b"|".join([rb"[%x%X]\r\n.{%d}\r\n" % (size, size, size) for size in range(1, 16)])
_TINY_CHUNK = re.compile(_TINY, re.DOTALL)
_TINY_CHUNKS = re.compile(rb"(?:%s)++" % _TINY, re.DOTALL)
# RFC 9110 section 6.5.1: framing, routing, authentication, conditions and content metadata may not be trailers.
_NOT_IN_TRAILERS = (
    HOP_BY_HOP
    | OURS
    | {
        b"age",
        b"authorization",
        b"cache-control",
        b"cookie",
        b"date",
        b"expires",
        b"idempotency-key",
        b"location",
        b"max-forwards",
        b"range",
        b"retry-after",
        b"set-cookie",
        b"vary",
        b"via",
        b"www-authenticate",
    }
)
_NOT_IN_TRAILERS_PREFIXES = (*OUR_PREFIXES, b"content-", b"if-", b"x-http-method")


def bytes_at_once(data: bytes) -> int:
    """How many of the bytes are to be decoded in one turn of the loop: all, where they are not very many chunks."""
    size = len(data)
    return CHUNKS_BYTES_AT_ONCE if size > CHUNKS_BYTES_AT_ONCE and data.count(b"\r\n") > CHUNKS_AT_ONCE else size


class ChunkedDecoder:
    """Feed it bytes: it returns the data. `done` says that the message is over; `rest` has the bytes behind it."""

    __slots__ = ("_buffer", "_in_trailer", "_remaining", "done", "rest", "trailers")

    def __init__(self) -> None:
        self._buffer = b""
        self._remaining = 0  # data bytes and the CRLF behind them; 0: a size line is next
        self._in_trailer = False
        self.done = False
        self.rest = b""
        self.trailers = b""
        """The trailer lines that may pass, as they are written. Set when `done`."""

    def feed(self, data: bytes) -> bytes:
        """Decode the next bytes. The result does not depend on how the bytes were cut. Raises a ClientError."""
        buffer = self._buffer + data if self._buffer else data
        out: list[bytes] = []
        position = 0
        while not self.done:
            if self._in_trailer:
                position = self._read_trailer(buffer, position)
                break
            if self._remaining:
                before = position
                position = self._read_data(buffer, position, out)
                if self._remaining:
                    if position == before:
                        break
                    continue
            if tiny := _TINY_CHUNKS.match(buffer, position):
                out += [each[3:-2] for each in _TINY_CHUNK.findall(buffer, position, tiny.end())]
                position = tiny.end()
            end = buffer.find(b"\r\n", position)
            if end < 0:
                if len(buffer) - position > CHUNK_LINE_BYTES_MAX + 1:
                    raise MalformedRequestError(f"a chunk-size line is longer than {CHUNK_LINE_BYTES_MAX} bytes")
                break
            self._start_chunk(buffer[position:end])
            position = end + 2
        if not self.done:
            self._buffer = buffer[position:]
        return b"".join(out) if len(out) != 1 else out[0]

    def _start_chunk(self, line: bytes) -> None:
        match = _SIZE_LINE.fullmatch(line) if len(line) <= CHUNK_LINE_BYTES_MAX else None
        if match is None:
            raise MalformedRequestError(
                f"the chunk size `{excerpt(line)}` is not 1 to 15 hexadecimal digits, then extensions `;name=value`"
            )
        size = int(match[1], 16)
        if size:
            self._remaining = size + 2
        else:
            self._in_trailer = True

    def _read_data(self, buffer: bytes, position: int, out: list[bytes]) -> int:
        end = position + self._remaining
        if buffer.startswith(b"\r\n", end - 2) and self._remaining > 2:
            out.append(buffer[position : end - 2])
            self._remaining = 0
            return end
        available = len(buffer) - position
        wanted = self._remaining - 2
        if wanted > 0 and available:
            taken = min(wanted, available)
            out.append(buffer[position : position + taken])
            self._remaining -= taken
            return position + taken
        if available >= 2:
            if buffer[position : position + 2] != b"\r\n":
                found = excerpt(buffer[position : position + 2])
                raise MalformedRequestError(f"a chunk does not end with CRLF behind its size: `{found}` stands there")
            self._remaining = 0
            return position + 2
        return position

    def _read_trailer(self, buffer: bytes, position: int) -> int:
        if buffer.startswith(b"\r\n", position):
            self._finish(buffer, position + 2)
            return position
        end = buffer.find(b"\r\n\r\n", position)
        if (end if end >= 0 else len(buffer) - 3) - position > HEAD_BYTES_MAX:
            raise MalformedRequestError(f"the trailer section is longer than {HEAD_BYTES_MAX} bytes")
        if end < 0:
            return position
        fields = FieldReader().read(buffer[position:end])
        self.trailers = b"".join([line for name, _, line in fields if _may_trail(name.replace(b"_", b"-"))])
        self._finish(buffer, end + 4)
        return position

    def _finish(self, buffer: bytes, position: int) -> None:
        self.done = True
        self.rest = buffer[position:]
        self._buffer = b""


def _may_trail(name: bytes) -> bool:
    return name not in _NOT_IN_TRAILERS and not name.startswith(_NOT_IN_TRAILERS_PREFIXES)
