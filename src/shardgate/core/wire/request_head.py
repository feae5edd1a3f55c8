"""The head of a request: bytes → Request, or a refusal.

Whatever two parsers could read differently is refused (RFC 9112 sections 3, 5 and 6): repeated or signed
Content-Length, Content-Length beside Transfer-Encoding, codings other than `chunked`, a missing or second Host.

Holds: a header block that was validated once is remembered by its exact bytes, with all that was read from it.
Never: looks at the body, or at what the path means.
Hot path: `make bench` shows it as relay CPU; a remembered block costs one look-up instead of 5 µs.
"""

import re
from collections.abc import Container

import msgspec

from shardgate.core.errors import (
    MalformedRequestError,
    TargetTooLongError,
    UnsupportedCodingError,
)
from shardgate.core.http import Field, Request, RequestFields
from shardgate.core.limits import (
    REMEMBERED_BLOCK_BYTES_MAX,
    REMEMBERED_BLOCKS_MAX,
    TARGET_BYTES_MAX,
)
from shardgate.core.value import LightValue
from shardgate.core.wire.fields import HOP_BY_HOP, OUR_PREFIXES, OURS, TOKEN, FieldReader

_REQUEST_LINE = re.compile(rb"(%s) ([\x21\x22\x24-\x7e]+) HTTP/1\.([01])\r\n" % TOKEN)
_ABSOLUTE = re.compile(rb"https?://([^/?]*)(.*)", re.IGNORECASE)
_HOST = re.compile(rb"[A-Za-z0-9.\-_]+(?::\d{1,5})?|\[[0-9A-Fa-f:.]+\](?::\d{1,5})?")
_LENGTH = re.compile(rb"\d{1,18}")
_ASKS_TRAILERS = b"TE: trailers\r\nConnection: TE\r\n"
_TRAILERS = re.compile(rb"(?:^|,)[ \t]*trailers[ \t]*(?:$|,)", re.IGNORECASE)
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._\-]{1,128}")

_DROPPED = HOP_BY_HOP | OURS
_CONDITIONS = frozenset(
    {
        b"accept-encoding",
        b"if-match",
        b"if-modified-since",
        b"if-none-match",
        b"if-range",
        b"if-unmodified-since",
        b"range",
    }
)
# Frameworks take any of these for the method that a POST stands for.
METHOD_OVERRIDES = ("x-http-method-override", "x-http-method", "x-method-override")
_METHOD_OVERRIDES = frozenset(name.encode() for name in METHOD_OVERRIDES)
# RFC 9110 section 7.6.1: a connection option must not name a field meant for all recipients.
_NEVER_NOMINATED = OURS | {
    b"authorization",
    b"content-type",
    b"cookie",
    b"idempotency-key",
    b"via",
    b"x-forwarded-for",
    b"x-forwarded-proto",
}


# The usual ones, so that no text is made of them each time.
_METHODS = {name.encode(): name for name in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")}

# What these say decides how a head is read; all others only cross, or do not.
_DECISIVE = _METHOD_OVERRIDES | {
    b"connection",
    b"content-length",
    b"expect",
    b"host",
    b"te",
    b"transfer-encoding",
    b"upgrade",
}


class _Shape(LightValue, frozen=True, gc=False):
    """What header blocks have in common whose decisive lines are the same, and whose other names are."""

    read: RequestFields
    crossing: tuple[int, ...]
    """The places of the lines that cross."""
    unconditional: tuple[int, ...]
    tail: bytes
    """What the gateway adds to the lines that cross."""


class RequestHeadParser:
    """Reads request heads. One a worker; it remembers the header blocks that it has seen."""

    __slots__ = ("_blocks", "_marks", "_reader", "_shapes")

    def __init__(self) -> None:
        self._reader = FieldReader()
        self._blocks: dict[bytes, RequestFields] = {}
        self._marks: set[int] = set()
        self._shapes: dict[tuple[bytes, ...], _Shape] = {}

    def parse(self, head: bytes) -> Request:
        """Read a head: from the request line to the CRLF of the last field line, the empty line left out.

        Raises a ClientError; the connection cannot go on after it.
        """
        match = _REQUEST_LINE.match(head)
        if match is None or match.end() - 2 > TARGET_BYTES_MAX:
            raise _bad_request_line(head)
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

    def _read_block(self, block: bytes) -> RequestFields:
        fields = self._read_fields(self._reader.read(block[:-2]))
        if len(block) <= REMEMBERED_BLOCK_BYTES_MAX and self._came_before(hash(block)):
            if len(self._blocks) >= REMEMBERED_BLOCKS_MAX:
                self._blocks.clear()
            self._blocks[block] = fields
        return fields

    def _came_before(self, mark: int) -> bool:
        """Only what comes twice is kept: blocks that are new each time would push all others out, and cost more."""
        if mark in self._marks:
            return True
        if len(self._marks) >= REMEMBERED_BLOCKS_MAX:
            self._marks.clear()
        self._marks.add(mark)
        return False

    def _read_fields(self, fields: list[Field]) -> RequestFields:
        """Many clients send one line that is new each time (`traceparent`): the rest is not taken apart again."""
        key = tuple([line if name in _DECISIVE else name for name, _, line in fields])
        shape = self._shapes.get(key)
        if shape is None:
            read = interpret(fields)
            if not read.repeated:
                if len(self._shapes) >= REMEMBERED_BLOCKS_MAX:
                    self._shapes.clear()
                self._shapes[key] = _shape_of(fields, read)
            return read
        values = {name: value for name, value, _ in fields}
        return msgspec.structs.replace(
            shape.read,
            end_to_end=b"".join([fields[place][2] for place in shape.crossing]) + shape.tail,
            unconditional=b"".join([fields[place][2] for place in shape.unconditional]),
            values=values,
            request_id=_request_id(values.get(b"x-request-id")),
        )


def interpret(fields: list[Field]) -> RequestFields:
    """Read from validated lines what the gateway needs to know, and decide what crosses."""
    values: dict[bytes, bytes] = {}
    repeated: set[bytes] = set()
    for name, value, _ in fields:
        if name in values:
            repeated.add(name)
            values[name] = values[name] + b", " + value
        else:
            values[name] = value
    options = _connection_options(values)
    crossing = [fields[place] for place in _crossing(fields, options)]
    length, chunked = _framing(values, repeated)
    end_to_end = b"".join([line for _, _, line in crossing])
    takes_trailers = b"te" in options and _TRAILERS.search(values.get(b"te", b"")) is not None
    if takes_trailers:  # RFC 9110 section 10.1.4: we pass them on, so we may ask for them
        end_to_end += _ASKS_TRAILERS
    return RequestFields(
        host=_host(values, repeated),
        content_length=length,
        chunked=chunked,
        keep_alive=b"close" not in options,
        expects_continue=values.get(b"expect", b"").lower() == b"100-continue",
        end_to_end=end_to_end,
        unconditional=b"".join([line for name, _, line in crossing if name not in _CONDITIONS]),
        values=values,
        repeated=frozenset(repeated),
        request_id=_request_id(values.get(b"x-request-id")),
        upgrade=values.get(b"upgrade", b"").lower() if b"upgrade" in options else b"",
        takes_trailers=takes_trailers,
        has_body=chunked or b"content-length" in values,
        method_override=_method_override(values, repeated, options),
    )


def _method_override(
    values: dict[bytes, bytes], repeated: set[bytes], options: Container[bytes]
) -> tuple[bytes, bytes] | None:
    """The header that names another method; one without a name where it is not plain which one, or what it names."""
    named = [name for name in values if name.replace(b"_", b"-") in _METHOD_OVERRIDES]
    if not named:
        return None
    plain = len(named) == 1 and named[0] not in repeated and named[0] not in options and b"_" not in named[0]
    return (named[0], values[named[0]]) if plain else (b"", b"")


def _crossing(fields: list[Field], options: frozenset[bytes]) -> list[int]:
    return [
        place for place, (name, _, _) in enumerate(fields) if name not in options and _crosses(name.replace(b"_", b"-"))
    ]


def _shape_of(fields: list[Field], read: RequestFields) -> _Shape:
    crossing = _crossing(fields, _connection_options(read.values))
    unconditional = [place for place in crossing if fields[place][0] not in _CONDITIONS]
    tail = _ASKS_TRAILERS if read.takes_trailers else b""
    return _Shape(read, tuple(crossing), tuple(unconditional), tail)


def _request_id(value: bytes | None) -> bytes | None:
    return value if value and _REQUEST_ID.fullmatch(value) else None


def _crosses(name: bytes) -> bool:
    return name not in _DROPPED and not name.startswith(OUR_PREFIXES)


def _bad_request_line(head: bytes) -> MalformedRequestError | TargetTooLongError:
    line = head.partition(b"\r\n")[0]
    if len(line) > TARGET_BYTES_MAX:
        return TargetTooLongError(f"the request line is longer than {TARGET_BYTES_MAX} bytes")
    return MalformedRequestError("the request line is not `METHOD target HTTP/1.1`")


def _host(values: dict[bytes, bytes], repeated: set[bytes]) -> bytes:
    host = values.get(b"host")
    if host is None:
        return b""  # HTTP/1.0 may leave it out
    if b"host" in repeated or _HOST.fullmatch(host) is None:
        raise MalformedRequestError("a request needs exactly one valid Host field")
    return host


def _framing(values: dict[bytes, bytes], repeated: set[bytes]) -> tuple[int, bool]:
    """Content-Length and whether the body is chunked (RFC 9112 section 6)."""
    length = values.get(b"content-length")
    coding = values.get(b"transfer-encoding")
    if coding is not None:
        if length is not None:
            raise MalformedRequestError("Content-Length and Transfer-Encoding exclude each other")
        if coding.lower() != b"chunked":
            raise UnsupportedCodingError("the only transfer coding understood is `chunked`")
        return 0, True
    if length is None:
        return 0, False
    if b"content-length" in repeated or _LENGTH.fullmatch(length) is None:
        raise MalformedRequestError("Content-Length is not one plain number")
    return int(length), False


def _connection_options(values: dict[bytes, bytes]) -> frozenset[bytes]:
    named = values.get(b"connection")
    if named is None:
        return frozenset()
    options = frozenset(option.strip().lower() for option in named.split(b","))
    if options & _NEVER_NOMINATED:
        raise MalformedRequestError("Connection names a field that is meant for all recipients")
    return options


def _as_http10(fields: RequestFields) -> RequestFields:
    """RFC 9112 section 6.1: a 1.0 message has no transfer coding; section 9.3: its connection may close."""
    if fields.chunked:
        raise MalformedRequestError("HTTP/1.0 has no Transfer-Encoding")
    return msgspec.structs.replace(
        fields, host=fields.host or b"localhost", keep_alive=False, expects_continue=False, upgrade=b""
    )


def _origin_form(target: bytes, host: bytes) -> bytes:
    """RFC 9112 section 3.2.2: the absolute form is read where it says the same as Host."""
    if target == b"*":
        return target
    match = _ABSOLUTE.fullmatch(target)
    if match is None or match[1].lower() != host.lower():
        raise MalformedRequestError("the target is neither a path nor an absolute URL of this Host")
    rest: bytes = match[2]
    return rest if rest.startswith(b"/") else b"/" + rest
