"""The head of a request: bytes → Request, or a refusal.

Holds: a header block that was validated once is remembered by its exact bytes, with everything that was read from it
(request_fields.py reads it).
Never: looks at the body, or at what the path means.
Hot path: `make bench` shows it as relay CPU; a remembered block costs one look-up instead of 5 µs.
"""

import re
from typing import Final

from shardgate.core.errors import MalformedRequestError, TargetTooLongError
from shardgate.core.excerpt import excerpt
from shardgate.core.http import Field, Request, RequestFields
from shardgate.core.limits import REMEMBERED_BLOCK_BYTES_MAX, REMEMBERED_BLOCKS_MAX, TARGET_BYTES_MAX
from shardgate.core.value import LightValue
from shardgate.core.wire.fields import TOKEN, FieldReader
from shardgate.core.wire.request_fields import (
    ASKS_TRAILERS,
    CONDITIONS,
    DECISIVE,
    connection_options,
    crossing_lines,
    interpret,
    request_id_of,
)

# The query is as RFC 3986 section 3.4 has it, and may have `[` and `]`, which are common and read by all in one way.
# The path is checked where it is matched.
_PATH = rb"[\x21\x22\x24-\x3e\x40-\x7e]*"
_REQUEST_LINE: Final = re.compile(rb"(%s) (?! )(%s(?:\?[!$-;=?-\[\]_a-z~]*)?) HTTP/1\.([01])\r\n" % (TOKEN, _PATH))
_RAW_LINE = re.compile(rb"(%s %s)\?([\x21\x22\x24-\x7e\x80-\xff]*)( HTTP/1\.[01]\r\n)" % (TOKEN, _PATH))
_TARGET = re.compile(rb"%s (.+) HTTP/1\.[01]" % TOKEN)
_UNSENDABLE = re.compile(rb"[\x80-\xff]+|[^!-~]|#")
_RAW = re.compile(rb'["<>\\^`{|}\x80-\xff]')
_ABSOLUTE = re.compile(rb"https?://([^/?]*)(.*)", re.IGNORECASE)

# The usual methods as texts, so that none is made for each request.
_METHODS: Final = {name.encode(): name for name in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")}


class _Shape(LightValue, frozen=True, gc=False):
    """What is the same for all header blocks that differ only in the values of lines that are not decisive."""

    read: RequestFields
    crossing: tuple[int, ...]
    """The numbers of the lines that cross."""
    unconditional: tuple[int, ...]
    """Of those, the ones that a gather sends."""
    tail: bytes
    """What the gateway adds to the lines that cross."""


class RequestHeadParser:
    """Reads request heads, and remembers the header blocks that came twice. Each worker has one."""

    __slots__ = ("_blocks", "_marks", "_reader", "_refuses_raw", "_shapes")

    def __init__(self, *, refuses_raw: bool = False) -> None:
        """`refuses_raw`: a query with characters that must be percent-encoded is refused, not encoded."""
        self._refuses_raw = refuses_raw
        self._reader = FieldReader()
        self._blocks: dict[bytes, RequestFields] = {}
        self._marks: set[int] = set()
        self._shapes: dict[tuple[bytes, ...], _Shape] = {}

    def parse(self, head: bytes) -> Request:
        """Read a head: from the request line to the CRLF of the last field line, without the empty line.

        Raises a ClientError; the connection must then be closed.
        """
        match = _REQUEST_LINE.match(head)
        if match is None or match.end() - 2 > TARGET_BYTES_MAX:
            return self.parse(self._encoded(head))
        method, target, minor = match.groups()
        block = head[match.end() :]
        fields = self._blocks.get(block)
        if fields is None:
            fields = self._read_block(block)
        if minor == b"0":
            fields = _as_http10(fields)
        elif not fields.host:
            raise MalformedRequestError("a request needs exactly one Host field")
        if target[0] != 0x2F:
            target = _origin_form(target, fields.host)
        text = target.decode("ascii")
        path, _, query = text.partition("?")
        return Request(
            _METHODS.get(method) or method.decode("ascii"),
            method,
            target,
            path,
            query,
            fields,
            1 if minor == b"1" else 0,
        )

    def _encoded(self, head: bytes) -> bytes:
        """The head with a query that is as RFC 3986 section 3.4 has it. Raises a ClientError."""
        match = _RAW_LINE.match(head)
        if match is None or match.end() - 2 > TARGET_BYTES_MAX:
            raise _bad_request_line(head)
        raw = _RAW.search(match[2])
        if raw is None:
            raise _bad_request_line(head)
        if self._refuses_raw:
            raise MalformedRequestError(f"the query has `{excerpt(raw[0])}`, which must be percent-encoded")
        line = b"".join((match[1], b"?", _RAW.sub(_escape, match[2]), match[3]))
        if len(line) - 2 > TARGET_BYTES_MAX:
            raise TargetTooLongError(f"the request line is longer than {TARGET_BYTES_MAX} bytes when it is encoded")
        return line + head[match.end() :]

    def _read_block(self, block: bytes) -> RequestFields:
        fields = self._read_fields(self._reader.read(block[:-2]))
        if len(block) <= REMEMBERED_BLOCK_BYTES_MAX and self._came_before(hash(block)):
            if len(self._blocks) >= REMEMBERED_BLOCKS_MAX:
                self._blocks.clear()
            self._blocks[block] = fields
        return fields

    def _came_before(self, mark: int) -> bool:
        """Whether a block was seen before: blocks that are new each time would push all others out of the memory."""
        if mark in self._marks:
            return True
        if len(self._marks) >= REMEMBERED_BLOCKS_MAX:
            self._marks.clear()
        self._marks.add(mark)
        return False

    def _read_fields(self, fields: list[Field]) -> RequestFields:
        """Many clients send one line that is new each time (`traceparent`): the others are not interpreted again."""
        key = tuple([line if name in DECISIVE else name for name, _, line in fields])
        shape = self._shapes.get(key)
        if shape is None:
            read = interpret(fields)
            if not read.repeated:
                if len(self._shapes) >= REMEMBERED_BLOCKS_MAX:
                    self._shapes.clear()
                self._shapes[key] = _shape_of(fields, read)
            return read
        values = {name: value for name, value, _ in fields}
        read = shape.read.copy()
        read.end_to_end = b"".join([fields[place][2] for place in shape.crossing]) + shape.tail
        read.unconditional = b"".join([fields[place][2] for place in shape.unconditional])
        read.values = values
        read.request_id = request_id_of(values.get(b"x-request-id"))
        return read


def _shape_of(fields: list[Field], read: RequestFields) -> _Shape:
    crossing = crossing_lines(fields, connection_options(read.values))
    unconditional = [place for place in crossing if fields[place][0] not in CONDITIONS]
    tail = ASKS_TRAILERS if read.takes_trailers else b""
    return _Shape(read, tuple(crossing), tuple(unconditional), tail)


def _bad_request_line(head: bytes) -> MalformedRequestError | TargetTooLongError:
    line = head.partition(b"\r\n")[0]
    if len(line) > TARGET_BYTES_MAX:
        return TargetTooLongError(f"the request line is longer than {TARGET_BYTES_MAX} bytes")
    target = _TARGET.fullmatch(line)
    raw = None if target is None else _UNSENDABLE.search(target[1])
    if raw is not None:
        return MalformedRequestError(f"the target has `{excerpt(raw[0])}`, which must be percent-encoded")
    return MalformedRequestError("the request line is not `METHOD target HTTP/1.1`")


def _escape(raw: re.Match[bytes]) -> bytes:
    return b"%%%02X" % ord(raw[0])


def _as_http10(fields: RequestFields) -> RequestFields:
    """RFC 9112 section 6.1: a 1.0 message has no transfer coding; section 9.3: its connection closes."""
    if fields.chunked:
        raise MalformedRequestError("HTTP/1.0 has no Transfer-Encoding")
    read = fields.copy()
    read.host, read.keep_alive, read.expects_continue, read.upgrade = fields.host or b"localhost", False, False, b""
    return read


def _origin_form(target: bytes, host: bytes) -> bytes:
    """RFC 9112 section 3.2.2: the absolute form is accepted where its host is the same as Host."""
    if target == b"*":
        return target
    match = _ABSOLUTE.fullmatch(target)
    if match is None or match[1].lower() != host.lower():
        raise MalformedRequestError("the target is neither a path nor an absolute URL of this Host")
    rest: bytes = match[2]
    return rest if rest.startswith(b"/") else b"/" + rest
