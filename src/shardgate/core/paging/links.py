"""The links of a merged page: the client's own address, with the parameters of another page.

Holds: no address of a shard leaks. Links are made anew from the request, never edited from a reply.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final, Literal, get_args
from urllib.parse import parse_qsl, quote_plus, urlencode

import msgspec

from shardgate.core.contracts import Merged, Page
from shardgate.core.errors import BrokenReplyError
from shardgate.core.excerpt import excerpt
from shardgate.core.http import Request
from shardgate.core.json.object import JsonObject
from shardgate.core.paging.echoes import NO_PAGE_WRITTEN, Echoing, pages_of
from shardgate.core.paging.query import encoded, name_of

_RELATIVE: Final = re.compile(rb'"(?!\\?/\\?/)(?:\.{0,2}\\?/|[^":?#]*\?)')
Rel = Literal["first", "prev", "self", "next", "last"]


class Linked(Echoing, frozen=True):
    """The base of dialects that link pages to each other."""

    origin: str | None = None
    """What links begin with: `https://api.example.com`; null: the client's scheme and Host; empty: links begin with the
    path; `?`: they are the query alone."""
    links_sorted: bool = False
    """The application sorts the parameters of its links by name, and encodes them anew."""
    first_page_bare: bool = False
    """The application's link to the first page has no page number (or offset)."""
    self_as_asked: bool = False
    """The application's link to the page itself is the client's own query; false: it states the page, as others do."""
    links_stated: bool = False
    """The application's links state the page, its size and the order behind all other parameters, also where the client
    did not, and in one spelling: `?author=7&page=0&size=20&sort=name,age,asc`, as Spring does."""

    def links(self, merged: Merged) -> dict[Rel, str | None]:
        """The address of each neighbour of a page; None where there is none."""
        page = merged.page
        offset, limit = page.offset, page.limit or merged.shown
        end = offset + limit
        last = None if merged.known is None or not limit else max(0, merged.known - 1) // limit * limit
        return {
            "first": self._link(merged, 0),
            "prev": self._link(merged, max(0, offset - limit)) if offset else None,
            "self": address(merged.request, self.origin, merged.request.query)
            if self.self_as_asked
            else self._link(merged, offset),
            "next": self._link(merged, end) if merged.more else None,
            "last": None if last is None else self._link(merged, last),
        }

    def named(
        self, merged: Merged, members: Mapping[Rel, str], pages: Mapping[Rel, object]
    ) -> dict[str | None, object]:
        """The members that lead to these pages. Of a list without rows, the first and the last one are as each shard
        writes them: there or not, and if they are numbers, as they stand there."""
        found: dict[str | None, object] = {member: pages[rel] for rel, member in members.items()}
        if merged.total or not members:
            return found
        body = JsonObject(merged.reply.body)
        if merged.known != 0:
            if "last" in members:
                own = body.raw(members["last"])
                pages_of(merged, own, f"member {members['last']}")
                found[members["last"]] = None if own is None or own in NO_PAGE_WRITTEN else pages["last"]
            return found
        for rel in ("first", "last"):
            own = body.raw(members[rel]) if rel in members else None
            if rel in members and (own is None or own in NO_PAGE_WRITTEN or not own.startswith(b'"')):
                found[members[rel]] = None if own is None or own in NO_PAGE_WRITTEN else own
        return found

    def linked(
        self,
        merged: Merged,
        body: bytes,
        member: str,
        links: Mapping[Rel, str | None],
        *,
        absent: bool,
        form: bytes | None = None,
        adds: bool = False,
    ) -> bytes:
        """The body with these links in its object of links, `member`. A body without that object stays as it is, unless
        the application `adds` it where there is a link.

        A link to no page is `null`, or left out where `absent`. Links of the body that are not among these are dropped
        if they are of a page (`Rel`). A link that is an object has its address in `href`; it is written like one of the
        body, or else like `form`. Of a list without rows, it has the first and the last page where the application says
        so. Raises BrokenReplyError where it has a last page, and the size of the list is not known.
        """
        document = JsonObject(body)
        before = document.members(member)
        for rel, own in before.items():
            address_of = JsonObject(own).raw("href") if own.startswith(b"{") else own
            check_begin(self.origin, address_of if rel in links else None, f"member {member}.{rel}")
        if "last" in links and merged.total is None:
            pages_of(merged, before.get("last"), f"member {member}.last")
            links = {**links, "last": links["last"] if before.get("last", b"null") != b"null" else None}
        if merged.is_none:
            ends = [rel for rel in ("first", "last") if before.get(rel, b"null") == b"null"]
            links = {rel: None if rel in ends else link for rel, link in links.items()}
        sample = next((value for name, value in before.items() if name in links and value.startswith(b"{")), form)
        paged: dict[str, bytes] = {
            rel: _link_like(before.get(rel, b""), sample, link)
            for rel, link in links.items()
            if link is not None or not absent
        }
        others = [name for name in before if name not in get_args(Rel)]
        names = list(before)
        first = min((names.index(rel) for rel in links if rel in before), default=len(names))
        leading = {name: before[name] for name in others if names.index(name) < first}
        trailing = {name: before[name] for name in others if name not in leading}
        if not before and not any(links.values()):
            return body
        if document.raw(member) is not None:
            return document.rewritten(member, {**leading, **paged, **trailing})
        if not adds:
            return body
        return document.put(member, {rel: msgspec.Raw(link) for rel, link in paged.items()})

    def _link(self, merged: Merged, offset: int) -> str:
        page = Page(offset, merged.page.limit, merged.page.order, None)
        query = self._with_page(merged.request.query, page)
        return address(merged.request, self.origin, query)

    def _with_page(self, query: str, page: Page) -> str:
        """The client's query with another page: parameters that it has are changed in place, others are appended.

        The size of numbered pages stays as the client wrote it, also where the application cut it.
        """
        values = {name: str(number) for name, number in self.paging(page)}
        place = self.page or self.offset
        if self.links_stated:
            return "&".join(self._others(query) + self._stated(values, place, page.order))
        values.setdefault(place, "0")
        if self.first_page_bare and not page.offset:
            values.pop(place)
        if self.page is not None:
            values.pop(self.limit or "", None)
        paging = [place] if self.page is not None or self.limit is None else [place, self.limit]
        kept = with_values(self.respelled(query), {**values, **{name: None for name in paging if name not in values}})
        return by_name(kept) if self.links_sorted else kept

    def _others(self, query: str) -> list[str]:
        """The parts of the query that neither page nor sort."""
        own = {self.limit, self.page or self.offset, self.order, self.direction}
        return [part for part in self.respelled(query).split("&") if part and name_of(part) not in own]

    def _stated(self, values: Mapping[str, str], place: str, order: Sequence[tuple[str, bool]]) -> list[str]:
        """The place, the size and the order, as parts of a query."""
        named = {place: values.get(place, "0"), **values}
        paging = [f"{encoded(name)}={quote_plus(value)}" for name, value in named.items()]
        return paging + (self.stated(order, folded=self.order_repeats) if order else [])


def check_begin(origin: str | None, own: bytes | None, where: str) -> None:
    """Raises BrokenReplyError where a shard's address of a page is relative, and `origin`, as in Linked, is not said.

    `own`: the address as JSON; a value that is no text is none.
    """
    if origin is None and own is not None and _RELATIVE.match(own):
        raise BrokenReplyError(
            "a shard's addresses of pages are relative, and the rule does not say what they begin with",
            where=where,
            log=f"found `{excerpt(own)}`; write `origin: ''` in the dialect, or `origin: '?'` for the query alone",
        )


def check_begins(origin: str | None, body: JsonObject, *members: str | None) -> None:
    """The same for members of an object."""
    for member in members if origin is None else ():
        if member is not None:
            check_begin(origin, body.raw(member), f"member {member}")


def by_name(query: str) -> str:
    """The parameters of a query sorted by name, and encoded anew."""
    return urlencode(sorted(parse_qsl(query, keep_blank_values=True)))


def address(request: Request, origin: str | None, query: str) -> str:
    """The client's own address with another query; `origin` as in Linked."""
    begin = f"{request.scheme}://{request.fields.host.decode('latin-1')}" if origin is None else origin
    if begin == "?":
        return f"?{query}"
    path = f"{begin.rstrip('/')}{request.path}"
    return f"{path}?{query}" if query else path


def _link_like(own: bytes, other: bytes | None, link: str | None) -> bytes:
    """A link, written as it was before or like another one."""
    sample = own if own.startswith(b"{") else other
    if link is None or sample is None:
        return msgspec.json.encode(link)
    return JsonObject(sample).edited({"href": link})


def with_values(query: str, values: Mapping[str, str | None]) -> str:
    """The query with these values: a parameter that it has is changed in place, another appended; None removes it."""
    left = dict(values)
    named = [(name_of(part), part) for part in query.split("&") if part]
    parts = [part if name not in values else _part(part, left.pop(name, None)) for name, part in named]
    parts += [f"{quote_plus(name)}={quote_plus(value)}" for name, value in left.items() if value is not None]
    return "&".join(part for part in parts if part)


def _part(part: str, value: str | None) -> str:
    """A parameter with another value, its name as the client wrote it; empty where the value is None."""
    return "" if value is None else f"{part.partition('=')[0]}={quote_plus(value)}"
