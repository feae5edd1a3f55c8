"""Lists asked for by POST: the page stands in a JSON body, `{"query": …, "pagination": {"start": 20, "count": 10}}`.

Holds: everything else in the request's body reaches every shard byte for byte.
"""

from collections.abc import Sequence
from typing import ClassVar

import msgspec

from shardgate.core.contracts import UNKNOWN, Listing, Merged, Page, Unknown
from shardgate.core.errors import BrokenReplyError, TooComplexError, UnreadablePageError
from shardgate.core.excerpt import excerpt
from shardgate.core.http import Reply, Request
from shardgate.core.json.object import JsonObject
from shardgate.core.limits import MEMBERS_MAX, SEARCH_BODY_BYTES_MAX
from shardgate.core.paging.echoes import Echoing
from shardgate.core.paging.known_names import OBJECTS, may_page
from shardgate.core.paging.query import pairs_of


class Search(Echoing, frozen=True, tag="search"):
    """The page is in the request's body. `limit`, `offset` and `order` are paths of members: `pagination.count`."""

    posted: ClassVar[bool] = True
    offset_first: int = 0
    """The offset of the first row: 1 where rows are counted from one."""
    items: str = "items"
    """The member of the reply with the list."""
    total: str | None = "total"
    """The member of the reply with the number of all rows. The totals of all shards are added."""
    has_more: str | None = None
    """The member that says whether there are rows behind the page; null: there is no such member."""
    page_count: str | None = None
    """The member with the number of pages; null: there is no such member."""
    page_echo: str | None = None
    """The member with the number of this page; null: there is no such member."""
    limit_echo: str | None = None
    """The member that repeats the limit; null: there is no such member."""
    offset_echo: str | None = None
    """The member that repeats the offset; null: there is no such member."""
    count_echo: str | None = None
    """The member with the number of rows on this page; null: there is no such member."""

    def __post_init__(self) -> None:
        """What a query can say and a body cannot is refused. Raises ValueError."""
        super().__post_init__()
        if self.order_repeats or self.fields is not None:
            raise ValueError("a search knows neither order_repeats nor fields")
        if self.limit_is == "end" and self.offset_first:
            raise ValueError("`limit_is: end` is for rows that are counted from 0; write `offset_first: 0`")

    def read(self, request: Request) -> Page | Unknown:
        """The page that a client asks for; UNKNOWN where the body, or a value, cannot be read.

        Raises UnreadablePageError where a member's name stands in the body in two cases, where the query pages, too,
        and where a member is one of `refuse`.
        """
        try:
            return self._page_of(self.values(request))
        except (BrokenReplyError, msgspec.DecodeError):
            return UNKNOWN

    def values(self, request: Request) -> dict[str, str]:
        """The members of the body that page and sort.

        Raises BrokenReplyError, msgspec.DecodeError, TooComplexError, UnreadablePageError.
        """
        if request.query:
            self._check_query(request.query)
        body = _object(request.body)
        for name in self.refuse:
            if body.has_twin(name) or body.raw(name) is not None:
                detail = f"the JSON member `{name}` is not accepted: the gateway cannot tell how it changes the list"
                raise UnreadablePageError(detail, about={"member": name})
        values = {name: value for name in self._names() if name and (value := _text(body, name)) is not None}
        if self.names != "exact":
            self._check_members(body)
        return values

    def _check_members(self, body: JsonObject) -> None:
        """Raises UnreadablePageError where a member that the rule does not name seems to page the list: at the top, in
        an object in which one that it names stands, and in one that is called so (`page`, `pagination`)."""
        named = [path for path in self._names() if path]
        own = {*named, *self.passes}
        levels = dict.fromkeys([path.rpartition(".")[0] for path in named])
        levels |= dict.fromkeys([name for name in body.level("") or {} if name.lower() in OBJECTS])
        for parent in {"": None, **levels}:
            for name, (start, end) in (body.level(parent) or {}).items():
                path = f"{parent}.{name}" if parent else name
                if path in own or not may_page(name, body.body[start:end].decode("utf-8", "replace").strip('"')):
                    continue
                raise UnreadablePageError(
                    f"the JSON member `{excerpt(path)}` is not accepted: the gateway cannot tell how it pages the list",
                    about={"member": excerpt(path)},
                )

    def _check_query(self, query: str) -> None:
        """Raises UnreadablePageError where the query pages, too: many applications read parameters from both."""
        own = self._names()
        for name, value in pairs_of(query):
            if name in own:
                detail = f"the parameter `{excerpt(name)}` is accepted in the body alone, as the member `{name}`"
                raise UnreadablePageError(detail, about={"parameter": excerpt(name)})
            self._check_name(name, value, own)

    def problem(self, request: Request) -> str:
        """Why `read` gave UNKNOWN."""
        try:
            return super().problem(request)
        except (BrokenReplyError, msgspec.DecodeError):
            return "the body: a JSON object in UTF-8 is accepted"

    def ask(self, request: Request, page: Page, fields: Sequence[str] | None) -> tuple[bytes, bytes]:
        """The client's target and body, with this page."""
        values: dict[str, int | str] = dict(self.paging(page))
        if self.states_order and page.order:
            values |= {name: value for part in self.stated(page.order) for name, value in pairs_of(part)}
        place = self.page or self.offset
        body = request.body
        if place not in values and _object(body).raw(place) is not None:
            values[place] = self.offset_first
        if page.limit is None and self.limit is not None and self.limit not in values:
            body = _object(body).without(self.limit)
        for name, number in values.items():
            body = _put(body, name, number)
        return request.target, body

    def unpaged(self, request: Request) -> str:
        """The list without its page: path, query, and the body with the page's begin set to 0."""
        body = _put(request.body, self.page or self.offset, 0)
        return f"{request.path}?{request.query}#{body.decode('utf-8', 'replace')}"

    def paging(self, page: Page) -> list[tuple[str, int | str]]:
        """The members that ask for these rows."""
        shift = 0 if self.page else self.offset_first
        named = super().paging(page)
        return [(name, n + shift if name == self.offset and isinstance(n, int) else n) for name, n in named]

    @property
    def members(self) -> tuple[str | None, ...]:
        """The members of the reply that it writes anew."""
        own = (self.items, self.total, self.has_more, self.page_count, self.page_echo, self.limit_echo)
        return (*own, self.offset_echo, self.count_echo, *self.echoes)

    def open(self, reply: Reply) -> Listing:
        """The list, its size, and whether there is more. Raises BrokenReplyError."""
        body = JsonObject(reply.body)
        total, more = body.number(self.total), body.flag(self.has_more)
        if total is None and more is None:
            more = self.more_told(body)
        return Listing(body.value(self.items), total, more, document=body)

    def close(self, merged: Merged) -> Reply:
        """The object of a shard, around the merged rows, with the pages of the whole list."""
        page, size = merged.page, merged.size
        changes: dict[str | None, object] = {
            self.items: merged.rows,
            self.total: merged.total,
            **self.counted(merged, self.page_count),
            self.page_echo: page.offset // size + self.page_first,
            self.limit_echo: page.limit,
            self.offset_echo: page.offset + self.offset_first,
            self.count_echo: merged.shown,
        }
        return Reply(200, list(merged.reply.fields), self.led(merged, changes, {self.has_more: merged.more}))

    def _offset(self, values: dict[str, str], limit: int | None) -> int | Unknown:
        offset = super()._offset(values, limit)
        if offset is UNKNOWN or self.page is not None or self.offset not in values:
            return offset
        return offset - self.offset_first if offset >= self.offset_first else UNKNOWN


def _object(body: bytes) -> JsonObject:
    """A client's body. Raises BrokenReplyError, TooComplexError."""
    if len(body) > SEARCH_BODY_BYTES_MAX:
        raise TooComplexError(f"the body of a search is longer than {SEARCH_BODY_BYTES_MAX} bytes")
    return JsonObject(body, MEMBERS_MAX)


def _text(body: JsonObject, path: str) -> str | None:
    """The value of a member, as a query would write it; None where it is missing or null.

    Raises BrokenReplyError, UnreadablePageError, msgspec.DecodeError.
    """
    if body.has_twin(path):
        raise UnreadablePageError(
            f"the JSON member `{path}` also stands in another spelling; write it as it stands here"
        )
    value = body.raw(path)
    if value is None or value == b"null":
        return None
    return msgspec.json.decode(value, type=str) if value.startswith(b'"') else value.decode()


def _put(body: bytes, path: str, value: int | str) -> bytes:
    """The body with a member of this value; its object is made where there is none."""
    parent = path.rpartition(".")[0]
    if parent and _object(body).raw(path) is None and _object(body).raw(parent) in {None, b"null"}:
        body = _object(body).put(parent, {})
    return _object(body).put(path, value)
