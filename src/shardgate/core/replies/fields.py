"""Headers of a reply: a count is read, a credential that it gives is found, a header is set.

Holds: a count that is not a plain number is a broken reply, never ignored.
"""

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from shardgate.core.errors import BrokenReplyError
from shardgate.core.excerpt import excerpt
from shardgate.core.http import Reply

SAID_BY_HEAD: Final = ("set-cookie.", "reply-header.")
"""What the names of keys begin with that stand in the head of a reply: `set-cookie.session`, `reply-header.X-Token`."""
_LINK = re.compile(r'<([^>]*)>(?:[^,"]|"(?:[^"\\]|\\.)*")*')
_COUNT = re.compile(r"[0-9]{1,15}")


def read_count(reply: Reply, name: str | None) -> int | None:
    """The count that a reply states in a header; None where it states none. Raises BrokenReplyError."""
    value = None if name is None else reply.field(name.lower().encode())
    if value is None:
        return None
    if not _COUNT.fullmatch(text := value.decode("latin-1")):
        raise BrokenReplyError(
            f"a shard's {name} is not a number",
            where=f"header {name}",
            log=f"found `{excerpt(value)}`, expected a number of at most 15 digits",
        )
    return int(text)


def with_field(reply: Reply, name: str, value: bytes | None) -> None:
    """Set a header: in its place if the reply has it, else at the end; None removes it."""
    lower = name.lower().encode()
    fields = [(field, value if field.lower() == lower else own) for field, own in reply.fields]
    if all(field.lower() != lower for field, _ in fields):
        fields.append((name.encode(), value))
    reply.fields = [(field, own) for field, own in fields if own is not None]


def said_by_head(name: str, fields: Iterable[tuple[bytes, bytes]]) -> str | None:
    """The cookie that a reply sets (`set-cookie.session`), or the value of a field (`reply-header.X-Token`).

    None where there is none, or where the reply takes the cookie back with an empty value. `fields`: names in lower
    case, and values.
    """
    kind, _, wanted = name.partition(".")
    field = b"set-cookie" if kind == "set-cookie" else wanted.lower().encode()
    found: str | None = None
    for own, value in fields:
        if own != field:
            continue
        text = value.decode("latin-1")
        if kind != "set-cookie":
            return text or None
        cookie, _, said = text.partition(";")[0].strip().partition("=")
        if cookie.strip() == wanted:
            found = said.strip().strip('"') or None  # the last one counts (RFC 6265 section 5.3)
    return found


def without_links_to(reply: Reply, path: str) -> Reply:
    """The reply without those links of its Link fields (RFC 8288) that lead to this path: pages of one shard's list."""
    if reply.field(b"link") is None:
        return reply
    fields = []
    for name, value in reply.fields:
        kept = value
        if name.lower() == b"link":
            links = [(match[0].rstrip(), match[1]) for match in _LINK.finditer(value.decode("latin-1"))]
            kept = ", ".join([text for text, url in links if urlsplit(url).path not in {path, ""}]).encode("latin-1")
        if kept:
            fields.append((name, kept))
    return Reply(reply.status, fields, reply.body, reply.reason)
