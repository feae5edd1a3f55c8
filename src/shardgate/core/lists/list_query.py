"""What one request wants of a list, as its rule reads it: the page, the order, and the requests to shards.

Holds: a sort key that the client did not ask for is asked of the shards, and taken out of each row again. A page that
cannot be read is sent to the shards as it came, for them to refuse.
Never: reads a reply.
Hot path: one is made for each request of a list.
"""

from collections.abc import Sequence

from shardgate.core.contracts import NO_PAGE, UNKNOWN, Ask, Merged, Page, method_of
from shardgate.core.errors import UnreadablePageError
from shardgate.core.http import Reply, Request
from shardgate.core.json.array import Rows
from shardgate.core.lists.flow import Flow, FlowRule
from shardgate.core.lists.rule import ListRule
from shardgate.core.lists.selection import Block
from shardgate.core.lists.tables import Tables
from shardgate.core.order.order import Order
from shardgate.core.replies.fields import without_links_to
from shardgate.core.topology import ShardId


class ListQuery:
    """The page and the order that a request asks for, and its rule."""

    __slots__ = ("added", "is_empty", "order", "page", "request", "rule")

    def __init__(self, rule: ListRule, request: Request) -> None:
        page = rule.dialect.read(request)
        page = page if page is UNKNOWN else rule.known(page)
        order = "" if page is UNKNOWN else rule.order(page)
        self.rule = rule
        self.request = request
        self.page = NO_PAGE if page is UNKNOWN or isinstance(order, str) else page
        self.order: Order | None = None if isinstance(order, str) else order
        """None: the page or its order cannot be read."""
        self.added = () if self.order is None else rule.added(self.page, self.order)
        """The properties that shards are asked for, though the client did not ask for them."""
        self.is_empty = rule.is_empty(self.page)
        """No list has rows for this page: shards are sent the client's request as it came."""

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

    def flow(self, shards: Sequence[ShardId], promised: int | None) -> Flow:
        """What merges the rows while they arrive. `promised`: how many rows the reply's head says; None: it does
        not."""
        if self.order is None:
            raise self.unreadable()
        rule = FlowRule(self.order, self.page.offset, self.page.limit, self.added, promised)
        return Flow(rule, shards)

    def is_past(self, total: int | None) -> bool:
        """Whether the application refuses the page because it begins behind the last row."""
        return self.rule.dialect.past_end is not None and total is not None and 0 < self.page.offset >= total

    def merged(
        self, rows: bytes, shown: int, total: int | None, *, more: bool, reply: Reply, extras: tuple[bytes, ...] = ()
    ) -> Reply:
        """The merged reply: `shown` rows in an array, written by the dialect around a shard's reply."""
        told = without_links_to(reply, self.request.path)
        return self.rule.dialect.close(Merged(self.request, self.page, rows, shown, total, more, told, extras))

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
