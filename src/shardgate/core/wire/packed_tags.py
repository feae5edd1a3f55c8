"""Entity tags of packed replies: a strong tag leaves as a marked weak one, and comes back as the application wrote it.

A packed reply is another representation than the plain one, so its tag is weak (RFC 9110 section 8.8.1), and no weak
tag passes `If-Match` (section 13.1.1). The mark says that the gateway weakened the tag: `"a"` leaves as
`W/"a-shardgate-gzip"`, and the application is sent `If-Match: "a"`.

Holds: what `packed_tag` makes of a strong tag, `restored` makes that tag again. Tags without the mark stay as they are,
the application's own weak ones too.
Never: restores a tag of `If-Range`: a range of the plain bytes does not continue the packed ones.
"""

import re
from typing import Final

from shardgate.core.http import RequestFields

_MARK: Final = b"-shardgate-gzip"
# Some clients take the `W/` off, as a weak tag passes no `If-Match`; some proxies write it in lower case.
_MARKED = re.compile(rb'(?:[Ww]/)?"([\x21\x23-\x7e\x80-\xff]*)%b"' % _MARK)
_LINES = re.compile(rb"^(if-match|if-none-match|if):[^\r\n]*%b[^\r\n]*" % _MARK, re.IGNORECASE | re.MULTILINE)
# The last one is of WebDAV (RFC 4918 section 10.4).
_CONDITIONS: Final = (b"if-match", b"if-none-match", b"if")


def packed_tag(tag: bytes) -> bytes:
    """The tag of the packed reply. An application's weak tag holds for both."""
    return b'W/%b%b"' % (tag[:-1], _MARK) if tag.startswith(b'"') and tag.endswith(b'"') and len(tag) > 1 else tag


def restored(fields: RequestFields) -> RequestFields:
    """The fields of a request, with the tags in its conditions as the application wrote them; the same object where
    none is marked."""
    marked = [name for name in _CONDITIONS if _MARK in fields.values.get(name, b"")]
    if not marked:
        return fields
    values = dict(fields.values)
    for name in marked:
        values[name] = plain_tags(values[name])
    read = fields.copy()
    read.end_to_end = _LINES.sub(lambda line: plain_tags(line[0]), fields.end_to_end)
    read.unconditional = _LINES.sub(lambda line: plain_tags(line[0]), fields.unconditional)
    read.values = values
    read.packed_tags = frozenset(b'"%b"' % tag for tag in _MARKED.findall(fields.values.get(b"if-none-match", b"")))
    return read


def as_known(fields: list[tuple[bytes, bytes]], packed_tags: frozenset[bytes]) -> list[tuple[bytes, bytes]]:
    """The fields of a 304, with the tag by which the client knows its packed reply (RFC 9111 section 4.3.4)."""
    return [
        (name, packed_tag(value) if value in packed_tags and name.lower() == b"etag" else value)
        for name, value in fields
    ]


def plain_tags(value: bytes) -> bytes:
    """Tags as the application wrote them."""
    return _MARKED.sub(rb'"\1"', value)
