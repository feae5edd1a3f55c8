"""Header lines: one strict grammar, each distinct line taken apart once.

A partner's connection sends nearly the same lines again and again, so what was validated is remembered
by its exact bytes: no line passes that was not validated. Strict means RFC 9110 section 5: no folding, no space before
the colon, no control characters, no bare CR or LF.

Holds: the memory is bounded; a line is rewritten as `name: value`, whatever spaces it came with.
Never: decides what a field means (request_head.py and reply_head.py do).
Hot path: `read` costs one dictionary look-up a line.
"""

import re

from shardgate.core.errors import HeadTooLargeError, MalformedRequestError
from shardgate.core.http import Field
from shardgate.core.limits import FIELDS_MAX, REMEMBERED_LINE_BYTES_MAX, REMEMBERED_LINES_MAX

TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_VISIBLE = rb"[\x21-\x7e\x80-\xff]"
# Possessive: where a long run of spaces is refused, it must not be tried at each of its lengths.
_LINE = re.compile(rb"(%s):[ \t]*+(|%s(?:[\t\x20-\x7e\x80-\xff]*%s)?)[ \t]*" % (TOKEN, _VISIBLE, _VISIBLE))

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

# Written anew by the gateway, or not a client's to say. `_` twins count too: many applications fold `_` into `-`.
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


class FieldReader:
    """Cuts header sections into fields. One a worker; it remembers the lines that it has seen."""

    __slots__ = ("_memory",)

    def __init__(self) -> None:
        self._memory: dict[bytes, Field] = {}

    def read(self, section: bytes) -> list[Field]:
        """The fields of a section: lines without the empty one at its end, joined by CRLF.

        Raises a ClientError; a reply's reader turns it into a broken reply.
        """
        if not section:
            return []
        lines = section.split(b"\r\n")
        if len(lines) > FIELDS_MAX:
            raise HeadTooLargeError(f"more than {FIELDS_MAX} header fields")
        memory = self._memory
        return [memory.get(line) or self._parse(line) for line in lines]

    def _parse(self, line: bytes) -> Field:
        match = _LINE.fullmatch(line)
        if match is None:
            raise MalformedRequestError("a header line is not `name: value` as RFC 9110 section 5 says")
        name, value = match.groups()
        field = (name.lower(), value, b"%s: %s\r\n" % (name, value))
        if len(line) <= REMEMBERED_LINE_BYTES_MAX:
            if len(self._memory) >= REMEMBERED_LINES_MAX:
                self._memory.clear()
            self._memory[line] = field
        return field
