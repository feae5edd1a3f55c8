"""Lists paged by the ids of rows: `starting_after=tr_7` → `{"data": [...], "has_more": true}`."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from shardgate.core.contracts import NO_PAGE, UNKNOWN, Listing, Merged, Moment, Page
from shardgate.core.cursors.by_id import Anchor, IdCursorWalk
from shardgate.core.cursors.reader import Start
from shardgate.core.cursors.walk import PageNeighbours
from shardgate.core.http import Reply, Request
from shardgate.core.json.object import JsonObject
from shardgate.core.order.order import Order
from shardgate.core.paging.echoes import NO_PAGE_WRITTEN, Echoing, NoPage
from shardgate.core.paging.links import address, check_begin, check_begins, with_values
from shardgate.core.paging.query import name_of
from shardgate.core.replies.page_links import PageRel, linked_pages, with_links


class Seek(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The filters by which a list can be begun near a row: both include the value."""

    up: str | None = None
    """The parameter that keeps rows with at least a value, for a list that ascends by the key: `created[gte]`."""
    down: str | None = None
    """The parameter that keeps rows with at most a value, for a list that descends by the key: `created[lte]`."""


class IdCursor(Echoing, frozen=True, tag="id_cursor"):
    """A page begins behind a row, or ends before one, named by its id. Members are named by path: `links.next`."""

    after: str = "starting_after"
    """The parameter with the id that the page begins behind."""
    before: str | None = "ending_before"
    """The parameter with the id that the page ends before; null: there is no such parameter."""
    row: str | None = None
    """The path of one row, `/rows/{id}`, where the application refuses an id that it does not have: the gateway then
    asks which shard has the row. Null: the application compares the id, and begins where such a row would stand."""
    seeks: Mapping[str, Seek] = msgspec.field(default_factory=dict)
    """Sort key → the filters by which a list can be begun near a value of it; without them shards are read from their
    beginning."""
    items: str | None = "data"
    """The member with the list; null: the body is the list."""
    has_more: str | None = "has_more"
    """The member that says whether there is more in the direction of the request; null: there is no such member."""
    total: str | None = None
    """The member with the number of all rows. It cannot be used with `seeks`, which would change it."""
    next: str | None = None
    """The member with the link to the next page; null: there is no such member."""
    previous: str | None = None
    """The member with the link to the page before; null: there is no such member."""
    first_id: str | None = None
    """The member with the id of the page's first row, null where it is empty; null: there is no such member."""
    last_id: str | None = None
    """The member with the id of the page's last row, as `first_id`; null: there is no such member."""
    rels: tuple[PageRel, ...] = ()
    """The relations of the pages that the field `Link` of the head names (RFC 8288), in the application's order:
    `[next, prev]`; empty: there is no such field."""
    links_always: bool = False
    """Every page that has rows links to one behind it and one before it, also the last page and the first."""
    no_page: NoPage = "null"
    """How the address or number of a page that does not exist is written, where a shard's own reply does not show it:
    `null`, `zero`, `text` (an empty one), `false`; `absent`: it is left out."""
    reversed_back: bool = False
    """A page that ends before a row has its rows the other way round: the nearest row first."""
    origin: str | None = None
    """What links begin with: `https://api.example.com`; null: the client's scheme and Host; empty: links begin with the
    path; `?`: they are the query alone."""

    def __post_init__(self) -> None:
        """A page has a size, and a row a path. Raises ValueError."""
        super().__post_init__()
        self.check_unnumbered()
        if not self.limit_default:
            raise ValueError("a list with cursors needs limit_default")
        if self.row is not None and not (self.row.startswith("/") and "{id}" in self.row):
            raise ValueError("row is a path with {id} in it")
        if self.seeks and self.total is not None:
            raise ValueError("a list that is begun by a filter (seeks) does not state its total")

    @property
    def tells_more(self) -> bool:
        """Whether its replies say that there is more behind a page."""
        if self.links_always:
            return self.items is not None and self.has_more is not None
        named = (self.has_more, self.next, *self.rels)
        return any(named) or not _TELLING.isdisjoint(self.echoes.values())

    def begin(
        self, request: Request, shards: Sequence[str], moment: Moment, sorting: Callable[[Page], Order | str]
    ) -> IdCursorWalk:
        """Start the merge of one request."""
        values = self.values(request)
        page = self._page_of(values)
        names = [name for name in (self.after, self.before) if name in values]
        if page is UNKNOWN:
            order: Order | str = self.problem(request)
        elif not page.limit:
            order = f"`{self.limit}=0`: a page has at least one row"
        elif len(names) > 1:
            order = f"`{names[0]}` and `{names[1]}`: a page is behind one row, or before one; leave one of them out"
        elif names and not values[names[0]]:
            order = f"`{names[0]}=`: the id is empty; leave the parameter out for the first page"
        else:
            order = sorting(page)
        if page is UNKNOWN or isinstance(order, str):
            return IdCursorWalk(self, order, NO_PAGE, None, request, shards)
        anchor = Anchor(values[names[0]], names[0] == self.before) if names else None
        return IdCursorWalk(self, order, page, anchor, request, shards)

    def seek(self, key: str, *, descends: bool) -> str | None:
        """The filter that begins a list, sorted by this key, at a value; None where there is none."""
        seek = self.seeks.get(key, Seek())
        return seek.down if descends else seek.up

    def ask_at(self, request: Request, page: Page, fields: Sequence[str] | None, place: Start) -> tuple[bytes, bytes]:
        """As `ask`, behind or before a row of the shard."""
        cursor = {self.before if place.before else self.after: place.cursor}
        values = {name: cursor.get(name) for name in (self.after, self.before) if name is not None}
        query = self.write_query(with_values(request.query, values), page=page, fields=fields)
        # A filter that the client set itself stays: its list begins there.
        if place.seek is not None and place.seek[0] not in map(name_of, query.split("&")):
            query = with_values(query, dict([place.seek]))
        return f"{request.path}?{query}".encode(), b""

    @property
    def members(self) -> tuple[str | None, ...]:
        """The members of the reply that it writes anew."""
        own = (self.items, self.total, self.has_more, self.next, self.previous, self.first_id, self.last_id)
        return () if self.items is None else (*own, *self.echoes)

    def open(self, reply: Reply) -> Listing:
        """The list, its size, and whether there is more. Raises BrokenReplyError."""
        pages = linked_pages(reply, self.rels) if self.rels else {}
        for url in pages.values():
            check_begin(self.origin, b'"%b' % url.encode("latin-1"), "header Link")
        tells = () if self.links_always else self.rels
        linked = (
            "next" in pages if "next" in tells else None,
            not {"prev", "previous"}.isdisjoint(pages) if {"prev", "previous"} & {*tells} else None,
        )
        if self.items is None:
            return Listing(reply.body, more=linked[0], before=linked[1])
        body = JsonObject(reply.body)
        check_begins(self.origin, body, self.next, self.previous)
        has_more = body.flag(self.has_more)
        is_said = has_more is not None or self.links_always
        more = has_more if is_said else self.more_told(body, self.next)
        before = has_more if is_said else _has_link(body, self.previous)
        return Listing(body.value(self.items), body.number(self.total), more, before, document=body)

    def close(self, merged: Merged) -> Reply:
        """The object of a shard, around the merged rows."""
        return self.close_at(merged, PageNeighbours(None, None))

    def close_at(self, merged: Merged, neighbours: PageNeighbours) -> Reply:
        """The object of a shard, around the merged rows, with links of the client's own address."""
        reply = Reply(200, list(merged.reply.fields), merged.rows)
        if self.rels:
            with_links(reply, self._links(merged, neighbours))
        if self.items is None:
            return reply
        ends = neighbours.ends or (b"null", b"null")
        changes: dict[str | None, object] = {
            self.items: merged.rows,
            self.total: merged.total,
            self.first_id: ends[0],
            self.last_id: ends[1],
        }
        pages = {
            self.has_more: merged.more,
            self.next: self._link(merged, self.after, neighbours.next),
            self.previous: self._link(merged, self.before, neighbours.previous),
        }
        reply.body = self.led(merged, changes, pages, no_page=self.no_page)
        return reply

    def _links(self, merged: Merged, neighbours: PageNeighbours) -> list[tuple[str, str | None]]:
        """The pages that the field `Link` names, in its order."""
        request, previous = merged.request, self._link(merged, self.before, neighbours.previous)
        without = {name: None for name in (self.after, self.before) if name is not None}
        urls = {
            "self": address(request, self.origin, request.query),
            "first": address(request, self.origin, with_values(request.query, without)),
            "next": self._link(merged, self.after, neighbours.next),
        }
        return [(rel, urls.get(rel, previous)) for rel in self.rels]

    def _names(self) -> set[str | None]:
        return super()._names() | {self.after, self.before}

    def _link(self, merged: Merged, parameter: str | None, name: str | None) -> str | None:
        if parameter is None or name is None:
            return None
        other = self.before if parameter == self.after else self.after
        values = {parameter: name, **({} if other is None else {other: None})}
        return address(merged.request, self.origin, with_values(merged.request.query, values))


_TELLING: Final = frozenset({"has_next", "is_last"})
"""What `echoes` may name by which a reply says whether there is a next page."""


def _has_link(body: JsonObject, member: str | None) -> bool | None:
    return None if member is None else body.raw(member) not in {None, *NO_PAGE_WRITTEN}
