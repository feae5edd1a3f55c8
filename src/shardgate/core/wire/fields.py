"""Header lines: one strict grammar, and each distinct line is parsed once.

A connection sends nearly the same lines again and again, so a validated line is remembered by its exact bytes: no line
passes that was not validated. Strict means RFC 9110 section 5: no folding, no space before the colon, no control
characters, no bare CR or LF.

Holds: the memory is bounded. A line is written anew as `name: value`, whatever spaces it came with.
Never: decides what a field means (request_head.py and reply_head.py do).
Hot path: `read` costs one dictionary look-up a line.
"""

import re
from collections.abc import Sequence

from shardgate.core.errors import HeadTooLargeError, MalformedRequestError
from shardgate.core.excerpt import excerpt
from shardgate.core.http import Field
from shardgate.core.limits import FIELDS_MAX, REMEMBERED_LINE_BYTES_MAX, REMEMBERED_LINES_MAX

TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_VISIBLE = rb"[\x21-\x7e\x80-\xff]"
# Possessive: a long run of spaces that does not match must not be tried at each of its lengths.
_LINE = re.compile(rb"(%s):[ \t]*+(|%s(?:[\t\x20-\x7e\x80-\xff]*%s)?)[ \t]*" % (TOKEN, _VISIBLE, _VISIBLE))
_NAMED = re.compile(rb"(%s)[ \t]*:" % TOKEN)

# RFC 9110 section 7.6.1, with the two that old proxies still send.
HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)

# Written anew by the gateway, or not for a client to set. Names with `_` count too: many applications read it as `-`.
OURS = frozenset(
    {
        b"content-length",
        b"expect",
        b"forwarded",
        b"host",
        b"proxy",
        b"x-original-url",
        b"x-real-ip",
        b"x-request-id",
        b"x-rewrite-url",
    }
)
OUR_PREFIXES = (b"proxy-", b"shardgate-", b"x-forwarded-")


def as_fields(pairs: Sequence[tuple[bytes, bytes]]) -> list[Field]:
    """Fields out of names and values, with the lines that write them."""
    return [(name.lower(), value, b"%b: %b\r\n" % (name, value)) for name, value in pairs]


class FieldReader:
    """Cuts header sections into fields, and remembers the lines that it has seen. Each worker has one."""

    __slots__ = ("_memory",)

    def __init__(self) -> None:
        self._memory: dict[bytes, Field] = {}

    def read(self, section: bytes) -> list[Field]:
        """The fields of a header section: lines joined by CRLF, without the empty line at the end.

        Raises a ClientError; the reader of replies makes a BrokenReplyError of it.
        """
        if not section:
            return []
        lines = section.split(b"\r\n")
        if len(lines) > FIELDS_MAX:
            raise HeadTooLargeError(f"there are {len(lines)} header fields; at most {FIELDS_MAX} are accepted")
        memory = self._memory
        return [memory.get(line) or self._parse(line) for line in lines]

    def _parse(self, line: bytes) -> Field:
        match = _LINE.fullmatch(line)
        if match is None:
            raise _malformed(line)
        name, value = match.groups()
        field = (name.lower(), value, b"%s: %s\r\n" % (name, value))
        if len(line) <= REMEMBERED_LINE_BYTES_MAX:
            if len(self._memory) >= REMEMBERED_LINES_MAX:
                self._memory.clear()
            self._memory[line] = field
        return field


def _malformed(line: bytes) -> MalformedRequestError:
    """Names the field where it has a name, and never shows a value: it may be a credential."""
    named = _NAMED.match(line)
    which = "a header line" if named is None else f"the header line `{excerpt(named[1])}`"
    return MalformedRequestError(f"{which} is not `name: value` as RFC 9110 section 5 says")
