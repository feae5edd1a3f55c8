"""Lists that go on where an opaque cursor says: `cursor=x` → `{"items": [...], "next_cursor": "y"}`, or in a field."""

from collections.abc import Callable, Sequence
from typing import Literal
from urllib.parse import parse_qsl, urlsplit

import msgspec

from shardgate.core.contracts import UNKNOWN, Listing, Merged, Merging, Moment, Page
from shardgate.core.cursors.by_cursor import OpaqueCursorWalk
from shardgate.core.cursors.reader import Start
from shardgate.core.cursors.seal import Seal
from shardgate.core.cursors.walk import Sorting
from shardgate.core.errors import BrokenReplyError
from shardgate.core.http import Reply, Request
from shardgate.core.json.object import JsonObject
from shardgate.core.paging.links import address, with_values
from shardgate.core.paging.parameters import Parameters
from shardgate.core.replies.fields import read_count, with_field


class Cursor(Parameters, frozen=True, kw_only=True, tag="cursor"):
    """A cursor behind each page but the last. Members are named by path: `meta.next`."""

    seal: Seal
    """Comes from `cursors` in the configuration."""
    cursor: str = "cursor"
    """The parameter."""
    items: str | None = "items"
    """The list; null: the body is the list."""
    next: str | None = "next_cursor"
    """The member with the cursor of the next page."""
    next_header: str | None = None
    """The reply field with it."""
    next_is: Literal["cursor", "link"] = "cursor"
    """Whether the application writes the cursor alone, or the address of the next page."""
    at_end: Literal["null", "absent", "empty"] = "null"
    """How the last page writes `next`."""
    has_more: str | None = None
    total: str | None = None
    count_header: str | None = None
    """The reply field with the size of the whole collection."""
    origin: str | None = None
    """What links begin with, as in other dialects with links."""

    def __post_init__(self) -> None:
        """Pages have a size, and a next one."""
        super().__post_init__()
        if not self.limit_default:
            raise ValueError("a list with cursors needs limit_default")
        if (self.next if self.items is not None else None) is None and self.next_header is None:
            raise ValueError("a list with cursors needs next or next_header")

    @property
    def tells_more(self) -> bool:
        """Whether its replies say that there is more behind a page."""
        return True

    def begin(
        self, request: Request, shards: Sequence[str], moment: Moment, sorting: Callable[[Page], Sorting | None]
    ) -> Merging:
        """Start the merge of one request. Raises BadCursorError."""
        values = self._own(request.query)
        page, cursor = self._page_of(values), values.get(self.cursor)
        if page is UNKNOWN or not page.limit or cursor == "":
            return OpaqueCursorWalk(self, None, Page(0, None, (), None), None, request, shards, moment)
        return OpaqueCursorWalk(self, sorting(page), page, cursor, request, shards, moment)

    def scope(self, request: Request) -> str:
        """What a cursor is good for: the parameters that choose and sort the rows."""
        pairs = parse_qsl(request.query, keep_blank_values=True)
        return repr(sorted(pair for pair in pairs if pair[0] not in {self.cursor, self.limit, self.fields}))

    def ask_at(self, request: Request, page: Page, fields: Sequence[str] | None, place: Start) -> tuple[bytes, bytes]:
        """As `ask`, from a cursor of the shard."""
        query = with_values(request.query, {self.cursor: place.cursor})
        return f"{request.path}?{self.write_query(query, page=page, fields=fields)}".encode(), b""

    def open(self, reply: Reply) -> Listing:
        """The list, and the shard's cursor behind it. Raises BrokenReplyError."""
        total = read_count(reply, self.count_header)
        said = None
        rows = reply.body
        if self.next_header is not None:
            field = reply.field(self.next_header.lower().encode())
            said = None if field is None else field.decode("latin-1")
        if self.items is not None:
            body = JsonObject(reply.body)
            rows = body.array(self.items)
            total = body.number(self.total) if total is None else total
            said = _text(body.raw(self.next)) if self.next_header is None and self.next is not None else said
        following = self._cursor_of(said) if said else None
        return Listing(rows, total, following is not None, next=following)

    def close(self, merged: Merged) -> Reply:
        """The reply of a shard, around the merged rows, as a last page."""
        return self.close_at(merged, None)

    def close_at(self, merged: Merged, cursor: str | None) -> Reply:
        """The reply of a shard, around the merged rows, with the cursor behind them."""
        said = cursor
        if cursor is not None and self.next_is == "link":
            query = with_values(merged.request.query, {self.cursor: cursor})
            said = address(merged.request, self.origin, query)
        body = merged.rows if self.items is None else self._body(merged, said)
        reply = Reply(200, list(merged.reply.fields), body)
        if self.next_header is not None:
            with_field(reply, self.next_header, None if said is None else said.encode())
        if merged.total is not None and self.count_header is not None:
            with_field(reply, self.count_header, b"%d" % merged.total)
        return reply

    def _body(self, merged: Merged, said: str | None) -> bytes:
        changes: dict[str | None, object] = {
            self.items: merged.rows,
            self.total: merged.total,
            self.has_more: said is not None,
        }
        body = JsonObject(merged.reply.body).edited(changes)
        if self.next is None or self.next_header is not None:
            return body
        if said is None and self.at_end == "absent":
            return JsonObject(body).without(self.next)
        return JsonObject(body).put(self.next, said if said is not None or self.at_end == "null" else "")

    def _names(self) -> set[str | None]:
        return super()._names() | {self.cursor}

    def _cursor_of(self, said: str) -> str:
        if self.next_is == "cursor":
            return said
        found = [value for name, value in parse_qsl(urlsplit(said).query) if name == self.cursor]
        if len(found) != 1:
            raise BrokenReplyError(f"a shard's link to its next page has no {self.cursor}")
        return found[0]


def _text(value: bytes | None) -> str | None:
    """A cursor is text, or a number, as the application writes it."""
    if value is None or value == b"null":
        return None
    if not value.startswith(b'"'):
        return value.decode()
    try:
        return msgspec.json.decode(value, type=str)
    except msgspec.DecodeError as error:
        raise BrokenReplyError("a shard's cursor cannot be read") from error
