"""Lists that go on behind a row: `starting_after=tr_7` → `{"data": [...], "has_more": true}`."""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from shardgate.core.contracts import UNKNOWN, Listing, Merged, Merging, Moment, Page
from shardgate.core.cursors.by_id import Anchor, IdCursorWalk, PageNeighbours
from shardgate.core.cursors.reader import Start
from shardgate.core.cursors.walk import Sorting
from shardgate.core.http import Reply, Request
from shardgate.core.json.object import JsonObject
from shardgate.core.paging.links import address, with_values
from shardgate.core.paging.parameters import Parameters, name_of


class Seek(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The parameters that filter by a sort key, the value included: where a list begins near a row."""

    up: str | None = None
    """At least the value: for a list that ascends by it."""
    down: str | None = None
    """At most the value: for a list that descends by it."""


class IdCursor(Parameters, frozen=True, tag="id_cursor"):
    """The id of a row, after or before which the page is. Members are named by path: `links.next`."""

    after: str = "starting_after"
    before: str | None = "ending_before"
    row: str | None = None
    """The path of one row, `/rows/{id}`, in applications that refuse an id that they do not have; null: they compare
    it, and go on where it would stand."""
    seeks: Mapping[str, Seek] = msgspec.field(default_factory=dict)
    """Sort key → the filters by which a list begins near a value of it."""
    items: str | None = "data"
    """The list; null: the body is the list."""
    has_more: str | None = "has_more"
    """Whether there is more in the direction of the request."""
    total: str | None = None
    next: str | None = None
    """The link to the next page."""
    previous: str | None = None
    origin: str | None = None
    """What links begin with, as in other dialects with links."""

    def __post_init__(self) -> None:
        """Pages have a size, rows a place."""
        super().__post_init__()
        if not self.limit_default:
            raise ValueError("a list with cursors needs limit_default")
        if self.row is not None and not (self.row.startswith("/") and "{id}" in self.row):
            raise ValueError("row is a path with {id} in it")
        if self.seeks and self.total is not None:
            raise ValueError("a list that is begun by a filter (seeks) does not state its total")

    @property
    def tells_more(self) -> bool:
        """Whether its replies say that there is more behind a page."""
        return self.has_more is not None or self.next is not None

    def begin(
        self, request: Request, shards: Sequence[str], moment: Moment, sorting: Callable[[Page], Sorting | None]
    ) -> Merging:
        """Start the merge of one request."""
        values = self._own(request.query)
        page = self._page_of(values)
        anchors = [Anchor(values[name], name == self.before) for name in (self.after, self.before) if name in values]
        known = None if page is UNKNOWN else sorting(page)
        if page is UNKNOWN or not page.limit or len(anchors) > 1 or any(not anchor.name for anchor in anchors):
            return IdCursorWalk(self, None, Page(0, None, (), None), None, request, shards)
        return IdCursorWalk(self, known, page, anchors[0] if anchors else None, request, shards)

    def seek(self, key: str, *, descends: bool) -> str | None:
        """The parameter that begins a list, sorted by this key, at a value."""
        seek = self.seeks.get(key, Seek())
        return seek.down if descends else seek.up

    def ask_at(self, request: Request, page: Page, fields: Sequence[str] | None, place: Start) -> tuple[bytes, bytes]:
        """As `ask`, behind or before a row of the shard."""
        cursor = {self.before if place.before else self.after: place.cursor}
        values = {name: cursor.get(name) for name in (self.after, self.before) if name is not None}
        query = self.write_query(with_values(request.query, values), page=page, fields=fields)
        # Where the client filters by it already, its list begins where it says.
        if place.seek is not None and place.seek[0] not in map(name_of, query.split("&")):
            query = with_values(query, dict([place.seek]))
        return f"{request.path}?{query}".encode(), b""

    def open(self, reply: Reply) -> Listing:
        """The list under its path, and what stands beside it. Raises BrokenReplyError."""
        if self.items is None:
            return Listing(reply.body)
        body = JsonObject(reply.body)
        said = body.flag(self.has_more)
        more = _links_on(body, self.next) if said is None else said
        before = _links_on(body, self.previous) if said is None else said
        return Listing(body.array(self.items), body.number(self.total), more, before)

    def close(self, merged: Merged) -> Reply:
        """The object of a shard, around the merged rows."""
        return self.close_at(merged, PageNeighbours(None, None))

    def close_at(self, merged: Merged, turned: PageNeighbours) -> Reply:
        """The object of a shard, around the merged rows, with links of the client's own address."""
        fields = list(merged.reply.fields)
        if self.items is None:
            return Reply(200, fields, merged.rows)
        changes: dict[str | None, object] = {
            self.items: merged.rows,
            self.total: merged.total,
            self.has_more: merged.more,
            self.next: self._link(merged, self.after, turned.next),
            self.previous: self._link(merged, self.before, turned.previous),
        }
        return Reply(200, fields, JsonObject(merged.reply.body).edited(changes))

    def _names(self) -> set[str | None]:
        return super()._names() | {self.after, self.before}

    def _link(self, merged: Merged, parameter: str | None, name: str | None) -> str | None:
        if parameter is None or name is None:
            return None
        other = self.before if parameter == self.after else self.after
        values = {parameter: name, **({} if other is None else {other: None})}
        return address(merged.request, self.origin, with_values(merged.request.query, values))


def _links_on(body: JsonObject, member: str | None) -> bool | None:
    return None if member is None else body.raw(member) not in {None, b"null"}
