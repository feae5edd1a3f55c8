"""Lists paged by opaque cursors: `cursor=x` → `{"items": [...], "next_cursor": "y"}`, or the cursor in a header."""

from collections.abc import Callable, Sequence
from typing import Final, Literal
from urllib.parse import parse_qsl, urlsplit

import msgspec

from shardgate.core.contracts import NO_PAGE, UNKNOWN, Listing, Merged, Moment, Page
from shardgate.core.cursors.by_cursor import OpaqueCursorWalk
from shardgate.core.cursors.reader import Start
from shardgate.core.cursors.seal import Seal
from shardgate.core.cursors.walk import PageNeighbours
from shardgate.core.errors import BrokenReplyError
from shardgate.core.excerpt import excerpt
from shardgate.core.http import Reply, Request
from shardgate.core.json.object import JsonObject
from shardgate.core.order.order import Order
from shardgate.core.paging.echoes import Echoing
from shardgate.core.paging.links import address, by_name, check_begin, with_values
from shardgate.core.paging.query import pairs_of
from shardgate.core.replies.fields import lowered, read_count, with_field
from shardgate.core.replies.page_links import PageRel, linked_pages, with_links

_END: Final[dict[str, tuple[bytes, object]]] = {
    "empty": (b'""', ""),
    "false": (b"false", msgspec.Raw(b"false")),
    "zero": (b"0", 0),
}
"""How a last page writes its cursor, where it is neither null nor missing: as it stands there, and as it is put in."""


class Cursor(Echoing, frozen=True, kw_only=True, tag="cursor"):
    """Each page but the last gives a cursor for the next one. Members are named by path: `meta.next`."""

    seal: Seal
    """Set by the gateway from `cursors` in the configuration; not written in a rule."""
    cursor: str = "cursor"
    """The parameter with the cursor."""
    items: str | None = "items"
    """The member with the list; null: the body is the list."""
    next: str | None = "next_cursor"
    """The member with the cursor of the next page."""
    next_header: str | None = None
    """The header field with the cursor of the next page, instead of a member. `Link` has addresses of pages (RFC 8288),
    each with its relation: `<https://…?cursor=x>; rel="next"`; it needs `next_is: link`."""
    rels: tuple[PageRel, ...] = ("next",)
    """The relations of the pages that the field `Link` names, in the application's order, where `next_header` is
    `Link`."""
    next_is: Literal["cursor", "link"] = "cursor"
    """`link`: the application writes the address of the next page, which has the parameter in it. `cursor`: the cursor
    alone."""
    at_end: Literal["null", "absent", "empty", "false", "zero", "cursor"] = "null"
    """How the last page writes `next`: as `null`, not at all (`absent`), as an `empty` text, as `false`, or as 0
    (`zero`). `cursor`: every page has one, and `has_more` says which is the last; rows that are added later stand
    behind it."""
    has_more: str | None = None
    """The member that says whether there is a next page; null: there is no such member."""
    total: str | None = None
    """The member with the size of the whole list; null: there is no such member."""
    count_header: str | None = None
    """The reply header with the size of the whole list; null: there is no such header."""
    previous: str | None = None
    """The member with the cursor of the page before, written as `next` is; null: there is no such member."""
    links_sorted: bool = False
    """The application sorts the parameters of its links by name, and encodes them anew."""
    empty_cursor: Literal["first", "refuse"] = "refuse"
    """What becomes of an empty cursor, `cursor=`: `refuse` it, or give the `first` page, as the application does."""
    foreign: Literal["ask", "refuse"] = "refuse"
    """What becomes of a cursor that this gateway did not make: `refuse` it (SG1015), or `ask` the shards, so that they
    refuse it in the application's words; where they do not, it is refused all the same."""
    origin: str | None = None
    """What links begin with: `https://api.example.com`; null: the client's scheme and Host; empty: links begin with the
    path; `?`: they are the query alone."""

    def __post_init__(self) -> None:
        """Pages have a size, and a next one."""
        super().__post_init__()
        self.check_unnumbered()
        if not self.limit_default:
            raise ValueError("a list with cursors needs limit_default")
        if (self.next if self.items is not None else None) is None and self.next_header is None:
            raise ValueError("a list with cursors needs next or next_header")
        if self.previous is not None and self.items is None:
            raise ValueError("previous is a member of the body, which is the list itself where items is null")
        if self.at_end == "cursor" and (self.has_more is None or self.items is None):
            raise ValueError("`at_end: cursor` needs has_more, which says that a page is the last one")
        if self._is_linked and (self.next_is != "link" or self.previous is not None or "next" not in self.rels):
            raise ValueError("the field Link has addresses; write `next_is: link`, and in `rels` which, with `next`")
        if not self._is_linked and self.rels != ("next",):
            raise ValueError("`rels` speaks of the field Link; write `next_header: Link`, or remove it")

    @property
    def tells_more(self) -> bool:
        """Whether its replies say that there is more behind a page."""
        return True

    @property
    def goes_back(self) -> bool:
        """Whether replies have a cursor of the page before."""
        return self.previous is not None or bool({"prev", "previous"} & {*self.rels})

    @property
    def always_next(self) -> bool:
        """Whether the last page has a cursor, too."""
        return self.at_end == "cursor"

    @property
    def reversed_back(self) -> bool:
        """Whether a page before a cursor has its rows the other way round: none has."""
        return False

    @property
    def asks_foreign(self) -> bool:
        """Whether shards are asked for a cursor that this gateway did not make, for their refusal."""
        return self.foreign == "ask"

    def begin(
        self, request: Request, shards: Sequence[str], moment: Moment, sorting: Callable[[Page], Order | str]
    ) -> OpaqueCursorWalk:
        """Start the merge of one request. Raises BadCursorError."""
        values = self.values(request)
        page, cursor = self._page_of(values), values.get(self.cursor)
        if page is UNKNOWN:
            order: Order | str = self.problem(request)
        elif not page.limit:
            order = f"`{self.limit}=0`: a page has at least one row"
        elif cursor == "" and self.empty_cursor == "refuse":
            order = f"`{self.cursor}=`: the cursor is empty; leave it out for the first page"
        else:
            order = sorting(page)
        if page is UNKNOWN or isinstance(order, str):
            return OpaqueCursorWalk(self, order, NO_PAGE, None, request, shards, moment)
        return OpaqueCursorWalk(self, order, page, cursor or None, request, shards, moment)

    def scope(self, request: Request) -> str:
        """The parameters that choose and sort the rows: a cursor is good for lists with the same ones."""
        pairs = pairs_of(request.query)
        return repr(sorted(pair for pair in pairs if pair[0] not in {self.cursor, self.limit, self.fields}))

    def ask_at(self, request: Request, page: Page, fields: Sequence[str] | None, place: Start) -> tuple[bytes, bytes]:
        """As `ask`, from a cursor of the shard."""
        query = with_values(request.query, {self.cursor: place.cursor})
        return f"{request.path}?{self.write_query(query, page=page, fields=fields)}".encode(), b""

    @property
    def members(self) -> tuple[str | None, ...]:
        """The members of the reply that it writes anew."""
        own = (self.items, self.total, self.has_more, self.next, self.previous, *self.echoes)
        return () if self.items is None else own

    @property
    def fields_written(self) -> frozenset[bytes]:
        """The fields of the reply's head that it writes anew."""
        return lowered(self.count_header, self.next_header)

    def open(self, reply: Reply) -> Listing:
        """The list, and the shard's cursor behind it. Raises BrokenReplyError."""
        total = read_count(reply, self.count_header)
        text, more = None, None
        rows, body = reply.body, None
        if self.next_header is not None:
            text = self._in_head(reply, self.next_header)
        if self.items is not None:
            body = JsonObject(reply.body)
            rows = body.value(self.items)
            total = body.number(self.total) if total is None else total
            more = body.flag(self.has_more)
            if self.next_header is None and self.next is not None:
                text = self._text(body.raw(self.next), self.next)
        if text and self.next_is == "link":
            check_begin(self.origin, b'"%b' % text.encode(), f"{self.next_header or self.next}")
        following = self._cursor_of(text) if text else None
        if more and following is None:
            raise _no_cursor(self.has_more, self.next_header or self.next)
        more = following is not None if more is None else more
        return Listing(rows, total, more, next=following, document=body)

    @property
    def _is_linked(self) -> bool:
        return self.next_header is not None and self.next_header.lower() == "link"

    def _in_head(self, reply: Reply, name: str) -> str | None:
        """The next page's cursor, or its address, in the head. Raises BrokenReplyError."""
        field = reply.field(name.lower().encode())
        if not self._is_linked:
            return None if field is None else field.decode("latin-1")
        return linked_pages(reply, self.rels).get("next")

    def close(self, merged: Merged) -> Reply:
        """The reply of a shard, around the merged rows, as a last page."""
        return self.close_at(merged, PageNeighbours(None, None))

    def close_at(self, merged: Merged, neighbours: PageNeighbours) -> Reply:
        """The reply of a shard, around the merged rows, with the cursors of the pages around the page."""
        following = self._written(merged.request, neighbours.next)
        if self.items is None:
            body = merged.rows
        else:
            body = self._body(merged, following, self._written(merged.request, neighbours.previous))
        reply = Reply(200, list(merged.reply.fields), body)
        if self._is_linked:
            with_links(reply, self._links(merged.request, neighbours))
        elif self.next_header is not None:
            with_field(reply, self.next_header, None if following is None else following.encode())
        if merged.total is not None and self.count_header is not None:
            with_field(reply, self.count_header, b"%d" % merged.total)
        return reply

    def _links(self, request: Request, neighbours: PageNeighbours) -> list[tuple[str, str | None]]:
        """The pages that the field `Link` names, in its order."""
        previous = self._written(request, neighbours.previous)
        urls = {
            "self": address(request, self.origin, request.query),
            "first": address(request, self.origin, with_values(request.query, {self.cursor: None})),
            "next": self._written(request, neighbours.next),
        }
        return [(rel, urls.get(rel, previous)) for rel in self.rels]

    def _written(self, request: Request, cursor: str | None) -> str | None:
        """A cursor as the application writes it: alone, or in a link."""
        if cursor is None or self.next_is == "cursor":
            return cursor
        query = with_values(request.query, {self.cursor: cursor})
        return address(request, self.origin, by_name(query) if self.links_sorted else query)

    def _body(self, merged: Merged, following: str | None, previous: str | None) -> bytes:
        changes: dict[str | None, object] = {
            self.items: merged.rows,
            self.total: merged.total,
        }
        body = self.led(merged, changes, {self.has_more: merged.more})
        if self.previous is not None:
            body = self._with(body, self.previous, previous)
        if self.next is None or self.next_header is not None:
            return body
        return self._with(body, self.next, following)

    def _with(self, body: bytes, member: str, cursor: str | None) -> bytes:
        if cursor is None and self.at_end == "absent":
            return JsonObject(body).without(member)
        return JsonObject(body).put(member, _END.get(self.at_end, (b"", None))[1] if cursor is None else cursor)

    def _names(self) -> set[str | None]:
        return super()._names() | {self.cursor}

    def _text(self, value: bytes | None, member: str) -> str | None:
        """A cursor, which is a text or a number; None where the page is the last one. Raises BrokenReplyError."""
        if value is None or value == b"null" or value == _END.get(self.at_end, (b"", None))[0]:
            return None
        log = f"found `{excerpt(value)}`, expected a text; `at_end` says how a last page writes it"
        if not value.startswith(b'"') and value != b"0" and value[:1] not in b"tf[{":
            return value.decode()
        try:
            return msgspec.json.decode(value, type=str)
        except msgspec.DecodeError as error:
            raise BrokenReplyError("a shard's cursor cannot be read", where=f"member {member}", log=log) from error

    def _cursor_of(self, text: str) -> str:
        if self.next_is == "cursor":
            return text
        found = [value for name, value in parse_qsl(urlsplit(text).query) if name == self.cursor]
        if len(found) != 1:
            where = f"header {self.next_header}" if self.next_header is not None else f"member {self.next}"
            detail = f"a shard's link to its next page has no {self.cursor}"
            raise BrokenReplyError(detail, where=where, log=f"found `{excerpt(text)}`")
        return found[0]


def _no_cursor(has_more: str | None, name: str | None) -> BrokenReplyError:
    detail = f"a shard's {has_more} says that there is a next page, and its reply has no cursor for it"
    log = f"`{has_more}` is true, and `{name}` says that this is the last page; is it where the application writes it?"
    return BrokenReplyError(detail, where=f"member {has_more}", log=log)
