"""What one request wants of a list, as its rule reads it: the page, the order, and the requests to shards.

Holds: a sort key that the client did not ask for is asked of the shards, and taken out of each row again. A page that
cannot be read is sent to the shards as it came, for them to refuse.
Never: reads a reply.
Hot path: what follows from the query alone is read once and remembered, bounded: a client that reads the same pages
again, and all clients that read the first one, cost one look-up.
"""

from collections.abc import Sequence
from typing import Final

from shardgate.core.contracts import NO_PAGE, UNKNOWN, Ask, Merged, Page, method_of
from shardgate.core.errors import UnreadablePageError
from shardgate.core.http import Reply, Request
from shardgate.core.json.array import Rows
from shardgate.core.json.object import JsonObject
from shardgate.core.limits import QUERIES_REMEMBERED_MAX, QUERY_REMEMBERED_CHARACTERS_MAX
from shardgate.core.lists.flow import Flow, FlowRule
from shardgate.core.lists.page_search import PageSearch, is_deep
from shardgate.core.lists.rule import ListRule
from shardgate.core.lists.selection import Block
from shardgate.core.lists.short import ShortPage
from shardgate.core.lists.tables import Tables
from shardgate.core.order.order import Order
from shardgate.core.paging.no_rows import without_list
from shardgate.core.paging.parameters import Parameters
from shardgate.core.replies.fields import without_links_to, without_page_fields
from shardgate.core.topology import ShardId
from shardgate.core.value import Value


class Wanted(Value, frozen=True):
    """What one query wants of a list: the same for all requests with it."""

    rule: ListRule
    page: Page
    order: Order | None
    """None: the page or its order cannot be read."""
    added: tuple[str, ...]
    """The properties that shards are asked for, though the client did not ask for them."""
    is_empty: bool
    """No list has rows for this page: shards are sent the client's request as it came."""
    short: ShortPage | None
    """The short way to the page; None: there is none."""


_REMEMBERED: Final[dict[tuple[int, str, str, str], Wanted]] = {}
"""By the rule's identity, method, path and query."""


def wanted(rule: ListRule, request: Request) -> Wanted:
    """What a request wants of a list. Raises UnreadablePageError."""
    known = _REMEMBERED.get((id(rule), request.method, request.path, request.query))
    return known if known is not None and known.rule is rule else _read(rule, request)


def _read(rule: ListRule, request: Request) -> Wanted:
    page = rule.dialect.read(request)
    page = page if page is UNKNOWN else rule.known(page)
    order = "" if page is UNKNOWN else rule.order(page)
    if page is UNKNOWN or isinstance(order, str):
        return Wanted(rule, NO_PAGE, None, (), rule.is_empty(NO_PAGE), None)
    found = Wanted(rule, page, order, rule.added(page, order), rule.is_empty(page), _short(rule, request, page, order))
    if _depends_on_query_alone(rule) and len(request.path) + len(request.query) <= QUERY_REMEMBERED_CHARACTERS_MAX:
        if len(_REMEMBERED) >= QUERIES_REMEMBERED_MAX:
            _REMEMBERED.clear()
        _REMEMBERED[id(rule), request.method, request.path, request.query] = found
    return found


def _depends_on_query_alone(rule: ListRule) -> bool:
    kind = type(rule.dialect)
    return kind.read is Parameters.read and kind.ask is Parameters.ask


def _short(rule: ListRule, request: Request, page: Page, order: Order) -> ShortPage | None:
    """The short way, where the page is read in one round, each row as it comes."""
    if order.tie is None or page.limit == 0 or page.is_last or rule.is_empty(page) or rule.dedupe is not None:
        return None
    if rule.first_pages == "likely" or rule.around.paths or rule.no_rows != "list":
        return None
    if rule.added(page, order) or is_deep(Page(page.offset + (page.limit or 0), page.limit, (), None)):
        return None
    search = PageSearch(rule.dialect, page, ("",))
    if not search.is_one_round:
        return None
    [block] = search.wanted()
    target, body = rule.dialect.ask(request, Page(block.start, block.count, order.by, page.fields), page.fields)
    if body or method_of(request) != b"GET":
        return None
    return ShortPage(rule.dialect, page, order, order.tie, target, rule.surroundings, rule.fields_written)


class ListQuery:
    """The page and the order that a request asks for, and its rule."""

    __slots__ = ("added", "is_empty", "order", "page", "request", "rule", "short")

    def __init__(self, rule: ListRule, request: Request) -> None:
        found = wanted(rule, request)
        self.rule = rule
        self.request = request
        self.page = found.page
        self.order = found.order
        self.added = found.added
        self.is_empty = found.is_empty
        self.short = found.short

    def unreadable(self) -> UnreadablePageError:
        """The error for a page that cannot be read, where the shards accept it: it says which parameter, and why."""
        page = self.rule.dialect.read(self.request)
        problem = self.rule.dialect.problem(self.request) if page is UNKNOWN else self.rule.order(page)
        return UnreadablePageError(f"a paging or sorting parameter cannot be read: {problem}")

    def asks(self, blocks: Sequence[Block], *, narrowing: bool) -> list[Ask]:
        """A request for each block. Several shards that are asked the same share one target."""
        rule, request, order = self.rule, self.request, self.order
        fields = self._fields(narrowing=narrowing)
        by = () if order is None else order.by
        method = method_of(request)
        targets = {(block.start, block.count): (b"", b"") for block in blocks}
        for start, count in targets:
            targets[start, count] = rule.dialect.ask(request, Page(start, count, by, fields), fields)
        return [Ask(block.shard, *targets[block.start, block.count], method) for block in blocks]

    def ranked(self, blocks: Sequence[tuple[Block, Rows]]) -> Tables:
        """The rows of blocks, ranked. Raises BrokenReplyError, OrderBrokenError."""
        if self.order is None:
            raise self.unreadable()
        return Tables(self.order, blocks)

    def flow(self, shards: Sequence[ShardId], promised: int | None, stated: int | None = None) -> Flow:
        """What merges the rows while they arrive. `promised`: how many rows the reply's head says; None: it does not.
        `stated`: how many rows the shards must give; None: nothing is known."""
        if self.order is None:
            raise self.unreadable()
        rule = FlowRule(self.order, self.page.offset, self.page.limit, self.added, promised, stated)
        return Flow(rule, shards)

    def is_past(self, total: int | None) -> bool:
        """Whether the application refuses the page because it begins behind the last row."""
        return self.rule.dialect.past_end is not None and total is not None and 0 < self.page.offset >= total

    def surrounded(self, reply: Reply, documents: Sequence[JsonObject]) -> Reply:
        """A shard's reply with the members around the rows as all shards say them. Raises BrokenReplyError."""
        around = self.rule.surroundings
        return reply if around is None else around.applied(reply, documents, self.request.path)

    def merged(
        self,
        rows: bytes,
        shown: int,
        total: int | None,
        *,
        more: bool,
        reply: Reply,
        extras: tuple[bytes, ...] = (),
        as_list: bool = False,
    ) -> Reply:
        """The merged reply: `shown` rows in an array, written by the dialect around a shard's reply. `as_list`: it is a
        list also where it has no rows."""
        told = without_page_fields(without_links_to(reply, self.request.path), self.rule.fields_written)
        closed = self.rule.dialect.close(Merged(self.request, self.page, rows, shown, total, more, told, extras))
        if shown or as_list or self.rule.no_rows == "list":
            return closed
        return without_list(closed, self.rule.no_rows, self.rule.items)

    def explained(self) -> list[str]:
        """The order and the page, in sentences."""
        page = self.page
        order = "" if self.order is None else self.order.explained()
        end = "the end" if page.limit is None else str(page.offset + page.limit)
        return [f"sorted by {order}", f"rows {page.offset} to {end} of the merged list are the page"]

    def _fields(self, *, narrowing: bool) -> tuple[str, ...] | None:
        """The properties to ask for: the client's, so that a shard refuses an unknown one, and those to sort by."""
        fields = self.page.fields
        if fields is not None:
            return (*fields, *self.added)
        return tuple(self.order.properties) if narrowing and self.order is not None else None
