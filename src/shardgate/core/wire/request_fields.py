"""What a request's header section says: its framing, its Host, and which of its lines are passed on to shards.

Whatever two parsers could read differently is refused (RFC 9112 sections 3, 5 and 6): repeated or signed
Content-Length, Content-Length together with Transfer-Encoding, codings other than `chunked`, a second Host.

Holds: a line that Connection names, or that only the gateway may write, is not passed on.
Never: reads bytes of a connection (request_head.py does), or looks at the body.
"""

import re
from collections.abc import Container

from shardgate.core.errors import MalformedRequestError, UnsupportedCodingError
from shardgate.core.excerpt import excerpt
from shardgate.core.http import Field, RequestFields
from shardgate.core.wire.fields import HOP_BY_HOP, OUR_PREFIXES, OURS

# RFC 3986 section 3.2.2 `reg-name`, without escapes: a NUL may hide in one.
_HOST = re.compile(rb"[A-Za-z0-9.\-_~!$&'()*+,;=]+(?::\d{1,5})?|\[[0-9A-Fa-f:.]+\](?::\d{1,5})?")
_LENGTH = re.compile(rb"0*(\d{1,18})")
# The gateway passes trailers on, so it may ask shards for them (RFC 9110 section 10.1.4).
ASKS_TRAILERS = b"TE: trailers\r\nConnection: TE\r\n"
_TRAILERS = re.compile(rb"(?:^|,)[ \t]*trailers[ \t]*(?:$|,)", re.IGNORECASE)
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._\-]{1,128}")

_DROPPED = HOP_BY_HOP | OURS
# What a gather does not send: a condition, a range or a coding of the whole list means nothing for a part of it.
CONDITIONS = frozenset(
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
# Frameworks read the method that a POST stands for from any of these.
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
# The lines that decide how a head is read; all others only cross, or do not.
DECISIVE = _METHOD_OVERRIDES | {
    b"connection",
    b"content-length",
    b"expect",
    b"host",
    b"te",
    b"transfer-encoding",
    b"upgrade",
}


def interpret(fields: list[Field]) -> RequestFields:
    """What validated lines say. Raises MalformedRequestError, UnsupportedCodingError."""
    values: dict[bytes, bytes] = {}
    repeated: set[bytes] = set()
    for name, value, _ in fields:
        if name in values:
            repeated.add(name)
            values[name] = values[name] + b", " + value
        else:
            values[name] = value
    options = connection_options(values)
    crossing = [fields[place] for place in crossing_lines(fields, options)]
    length, chunked = _framing(values, repeated)
    end_to_end = b"".join([line for _, _, line in crossing])
    takes_trailers = b"te" in options and _TRAILERS.search(values.get(b"te", b"")) is not None
    if takes_trailers:
        end_to_end += ASKS_TRAILERS
    read = RequestFields(values, frozenset(repeated))
    read.host, read.content_length, read.chunked = _host(values, repeated), length, chunked
    read.keep_alive = b"close" not in options
    read.expects_continue = values.get(b"expect", b"").lower() == b"100-continue"
    read.end_to_end = end_to_end
    read.unconditional = b"".join([line for name, _, line in crossing if name not in CONDITIONS])
    read.request_id = request_id_of(values.get(b"x-request-id"))
    read.upgrade = values.get(b"upgrade", b"").lower() if b"upgrade" in options else b""
    read.takes_trailers = takes_trailers
    read.has_body = chunked or b"content-length" in values
    read.method_override = _method_override(values, repeated, options)
    return read


def _method_override(
    values: dict[bytes, bytes], repeated: set[bytes], options: Container[bytes]
) -> tuple[bytes, bytes] | None:
    """The header that names another method, and that method; both empty where it is not clear which header counts."""
    named = [name for name in values if name.replace(b"_", b"-") in _METHOD_OVERRIDES]
    if not named:
        return None
    plain = len(named) == 1 and named[0] not in repeated and named[0] not in options and b"_" not in named[0]
    return (named[0], values[named[0]]) if plain else (b"", b"")


def crossing_lines(fields: list[Field], options: frozenset[bytes]) -> list[int]:
    """The numbers of the lines that are passed on; `options`: the names that Connection lists."""
    return [
        place for place, (name, _, _) in enumerate(fields) if name not in options and _crosses(name.replace(b"_", b"-"))
    ]


def request_id_of(value: bytes | None) -> bytes | None:
    """The request's id, where it is one that a log can show; else None."""
    return value if value and _REQUEST_ID.fullmatch(value) else None


def _crosses(name: bytes) -> bool:
    return name not in _DROPPED and not name.startswith(OUR_PREFIXES)


def _host(values: dict[bytes, bytes], repeated: set[bytes]) -> bytes:
    host = values.get(b"host")
    if host is None:
        return b""  # HTTP/1.0 may leave it out
    if b"host" in repeated or _HOST.fullmatch(host) is None:
        raise MalformedRequestError(f"a request needs exactly one valid Host field; found `{excerpt(host)}`")
    return host


def _framing(values: dict[bytes, bytes], repeated: set[bytes]) -> tuple[int, bool]:
    """Content-Length and whether the body is chunked (RFC 9112 section 6)."""
    length = values.get(b"content-length")
    coding = values.get(b"transfer-encoding")
    if coding is not None:
        if length is not None:
            raise MalformedRequestError("Content-Length and Transfer-Encoding exclude each other")
        if coding.lower() != b"chunked":
            raise UnsupportedCodingError(f"the transfer coding `{excerpt(coding)}` is not known; `chunked` is")
        return 0, True
    if length is None:
        return 0, False
    digits = _LENGTH.fullmatch(length)
    if b"content-length" in repeated or digits is None:
        raise MalformedRequestError(
            f"Content-Length is `{excerpt(length)}`; one number of at most 18 digits is accepted"
        )
    return int(digits[1]), False


def connection_options(values: dict[bytes, bytes]) -> frozenset[bytes]:
    """The names that Connection lists, in lower case. Raises MalformedRequestError."""
    named = values.get(b"connection")
    if named is None:
        return frozenset()
    options = frozenset(option.strip().lower() for option in named.split(b","))
    if never := options & _NEVER_NOMINATED:
        names = excerpt(b", ".join(sorted(never)))
        raise MalformedRequestError(f"Connection names `{names}`, which is meant for all recipients")
    return options
