"""The field `Link` of a reply, where it names pages of a list: read from a shard's, and written anew (RFC 8288).

Holds: a relation of a page that the rule does not name is a broken reply, or the page would lack a link in silence.
"""

import re
from collections.abc import Collection, Sequence
from typing import Final, Literal

from shardgate.core.errors import BrokenReplyError
from shardgate.core.http import Reply
from shardgate.core.replies.fields import with_field

PageRel = Literal["self", "first", "prev", "previous", "next"]
"""The relation of a page to the one whose reply names it."""
# A text that does not end goes on to the end of the field, and is read once.
_TEXT: Final = r'"((?:[^"\\]|\\.)*+)"?'
_LINK: Final = re.compile(rf'<([^<>]*)>((?:[^,"]|{_TEXT})*+)')
_PARAMETER: Final = re.compile(rf';\s*+([^\s;,="]++)(?:\s*+=\s*+(?:{_TEXT}|([^\s;,"]*)))?')
_PAGES: Final = frozenset({"self", "first", "prev", "previous", "next", "last"})


def page_links(reply: Reply) -> dict[str, str]:
    """The pages that the fields `Link` of a reply name (RFC 8288 section 3): relation → address.

    The first `rel` of a link counts. A link with an `anchor` is of another resource.
    """
    values = [value.decode("latin-1") for name, value in reply.fields if name.lower() == b"link"]
    found: dict[str, str] = {}
    for match in _LINK.finditer(", ".join(values)):
        said: dict[str, str] = {}
        for name, quoted, plain in _PARAMETER.findall(match[2]):
            said.setdefault(name.lower(), quoted or plain)
        for rel in () if said.get("anchor") else said.get("rel", "").lower().split():
            if rel in _PAGES:
                found.setdefault(rel, match[1])
    return found


def linked_pages(reply: Reply, rels: Collection[str]) -> dict[str, str]:
    """The same. Raises BrokenReplyError where one is of a page, and none of `rels`."""
    found = page_links(reply)
    if strange := sorted(found.keys() - {*rels}):
        log = f"found the relation `{strange[0]}`; name it in `rels` of the dialect, in the application's order"
        raise BrokenReplyError("a shard's Link names a page that the rule does not", where="header Link", log=log)
    return found


def with_links(reply: Reply, links: Sequence[tuple[str, str | None]]) -> None:
    """Write the pages of a list into the field `Link`, behind links of the reply that lead elsewhere."""
    others = [value for name, value in reply.fields if name.lower() == b"link"]
    ours = [f'<{url}>; rel="{rel}"'.encode() for rel, url in links if url]
    with_field(reply, "Link", b", ".join([*others, *ours]) or None)
