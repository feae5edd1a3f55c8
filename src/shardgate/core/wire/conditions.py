"""A request with other conditions: those of a cache in the place of the client's (RFC 9111 section 4.3.1)."""

import re
from typing import Final

from shardgate.core.http import Request

_LINES: Final = re.compile(rb"^(?:if-none-match|if-modified-since):[^\r\n]*\r\n", re.IGNORECASE | re.MULTILINE)
_NAMES: Final = frozenset({b"if-none-match", b"if-modified-since"})


def conditional(request: Request, lines: bytes) -> Request:
    """The request with these header lines as its only conditions."""
    fields = request.fields.copy()
    values = {name: value for name, value in fields.values.items() if name not in _NAMES}
    for line in lines.split(b"\r\n")[:-1]:
        name, _, value = line.partition(b":")
        values[name.lower()] = value.strip()
    fields.end_to_end = _LINES.sub(b"", fields.end_to_end) + lines
    fields.values = values
    fields.repeated -= _NAMES
    fields.packed_tags = frozenset()
    return request.asking(fields=fields)
