"""Headers of a reply: a count is read, a credential that it gives is found, a header is set.

Holds: a count that is not a plain number is a broken reply, never ignored.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from typing import Final
from urllib.parse import urljoin, urlsplit

from shardgate.core.errors import BrokenReplyError
from shardgate.core.excerpt import excerpt
from shardgate.core.http import Reply, names_of

_PAGE_FIELD = re.compile(
    rb"(?:wp|pagination|paging|list|query|result)?(?:total(?:count|pages|items|records|results|rows|size)?|contentrange|"
    rb"(?:page|row|rows|item|items|result|results|record)?count|(?:current|next|prev|previous|last|first|numberof|max)?pages?|"
    rb"(?:page|result)(?:number|size|items|index|limit)|(?:items|results)?perpage|limit|(?:next|prev|previous)?offset|"
    rb"has(?:more|next|prev|previous|nextpage|prevpage)|next|prev|previous|(?:next|prev|previous)?(?:page)?(?:cursor|token))|"
    rb"pagination|paging"
)
_LINK = re.compile(r'<([^>]*)>(?:[^,"]|"(?:[^"\\]|\\.)*")*')
SAID_BY_HEAD: Final = ("set-cookie.", "reply-header.")
"""What the names of keys begin with that stand in the head of a reply: `set-cookie.session`, `reply-header.X-Token`."""
_COUNT_DIGITS_MAX: Final = 15


def read_count(reply: Reply, name: str | None) -> int | None:
    """The count that a reply states in a header; None where it states none. Raises BrokenReplyError."""
    return None if name is None else _count_in(reply, name, name.encode(), _lowered(name))


def read_counts(replies: Sequence[Reply], name: str | None) -> list[int | None]:
    """The count that each reply states. Raises BrokenReplyError."""
    if name is None:
        return [None] * len(replies)
    exact, lower = name.encode(), _lowered(name)
    return [_count_in(reply, name, exact, lower) for reply in replies]


def _count_in(reply: Reply, name: str, exact: bytes, lower: bytes) -> int | None:
    """`exact`, `lower`: the name as the configuration has it, and in lower case."""
    size = len(lower)
    for own, value in reply.fields:  # not by `Reply.field`, which is not compiled: each shard of a gather is asked
        if len(own) == size and (own in (lower, exact) or own.lower() == lower):
            return _number(name, value)
    return None


def _number(name: str, value: bytes) -> int:
    if value.isdigit() and len(value) <= _COUNT_DIGITS_MAX:
        return int(value)
    raise BrokenReplyError(
        f"a shard's {name} is not a number",
        where=f"header {name}",
        log=f"found `{excerpt(value)}`, expected a number of at most {_COUNT_DIGITS_MAX} digits",
    )


def with_field(reply: Reply, name: str, value: bytes | None) -> None:
    """Set a header: in its place if the reply has it, else at the end; None removes it."""
    lower = _lowered(name)
    names = names_of(reply.fields)
    fields = [*reply.fields]
    if value is not None and names.count(lower) == 1:
        place = names.index(lower)
        fields[place] = (fields[place][0], value)
    elif value is None:
        fields = [field for field, own in zip(fields, names, strict=True) if own != lower]
    elif lower not in names:
        fields.append((name.encode(), value))
    else:
        fields = [(field[0], value) if own == lower else field for field, own in zip(fields, names, strict=True)]
    reply.fields = fields


@lru_cache(maxsize=256)
def _lowered(name: str) -> bytes:
    """A header's name, as it is looked up. There are only as many as the configuration names."""
    return name.lower().encode()


def without_links_to(reply: Reply, path: str) -> Reply:
    """The reply without those links of its Link fields (RFC 8288) that lead to this path: pages of one shard's list."""
    if reply.field(b"link") is None:
        return reply
    fields = []
    for name, value in reply.fields:
        kept = value
        if name.lower() == b"link":
            links = [(match[0].rstrip(), match[1]) for match in _LINK.finditer(value.decode("latin-1"))]
            kept = ", ".join([text for text, url in links if not _leads_to(url, path)]).encode("latin-1")
        if kept:
            fields.append((name, kept))
    return Reply(reply.status, fields, reply.body, reply.reason)


def _leads_to(url: str, path: str) -> bool:
    """Whether a reference in the reply to this path leads to it again (RFC 3986 section 5)."""
    scheme, _, own, _, _ = urlsplit(url)
    return own in {path, ""} or (not scheme and not own.startswith("/") and urljoin(path, own) == path)


def lowered(*names: str | None) -> frozenset[bytes]:
    """The names of fields, as replies are searched for them."""
    return frozenset([name.lower().encode() for name in names if name])


@lru_cache(maxsize=128)
def page_fields(names: tuple[bytes, ...]) -> frozenset[bytes]:
    """Those of a reply's fields, in lower case, that describe the page of one shard: `x-total-count`."""
    return frozenset([name for name in names if _PAGE_FIELD.fullmatch(name.removeprefix(b"x-").replace(b"-", b""))])


@lru_cache(maxsize=128)
def passes_on(names: tuple[bytes, ...], written: frozenset[bytes]) -> bool:
    """Whether no field (in lower case) is of one shard's page, but for those that the dialect writes anew."""
    return b"link" not in names and page_fields(names) <= written


def without_page_fields(reply: Reply, written: Collection[bytes]) -> Reply:
    """The reply without the fields that describe one shard's page, but for those that the dialect writes anew."""
    foreign = page_fields(names_of(reply.fields)).difference(written)
    if not foreign:
        return reply
    fields = [(name, value) for name, value in reply.fields if name.lower() not in foreign]
    return Reply(reply.status, fields, reply.body, reply.reason)


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
