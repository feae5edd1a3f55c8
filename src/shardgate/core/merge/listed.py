"""Sorted lists into one sorted list, a page at a time.

A shallow page is read plainly: the first offset + limit rows of each shard hold it, whatever shard its rows are on.
Where a deep page begins on each shard is found first, by small blocks (selection.py).

Holds: the page is the one that an instance with all the data would give. A sort key that the client did not ask for is
asked upstream and taken out again. A page that cannot be read is passed to the shards as it is, for them to refuse.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from shardgate.core.contracts import UNKNOWN, Ask, Page, Strategy
from shardgate.core.dialect import AnyDialect
from shardgate.core.errors import BrokenReplyError, UnreadablePageError
from shardgate.core.http import Reply, Request
from shardgate.core.limits import LEARNED_ROWS_MAX
from shardgate.core.order import KeyConfig, Order, Ranking, SortKey, sort_key
from shardgate.core.refusals import unite
from shardgate.core.rows import Rows, cut, join, without
from shardgate.core.selection import Block, ChangedError, Selection
from shardgate.core.topology import ShardId

# So many rows of each shard cost less to read than two more rounds to find where a page begins.
PLAIN_ROWS_MAX = 500
# A list that keeps changing is read in one round, however deep.
CHANGES_MAX = 2


class Listed(Strategy, frozen=True, tag="list"):
    """One list out of many, in one order."""

    dialect: AnyDialect
    keys: Mapping[str, KeyConfig]
    """The properties that rows can be sorted by."""
    default_order: tuple[str, ...] = ("id",)
    """The order without a parameter; `-name` descends."""
    tie: str = "id"
    """The unique property that the application ends every order with."""

    def begin(self, request: Request, shards: Sequence[ShardId]) -> "ListedMerging":
        """Start the merge of one request."""
        return ListedMerging(self, request, shards)

    def describe(self) -> str:
        """The merge in one line."""
        return f"one list, sorted by {', '.join(self.default_order)} unless the request says otherwise"

    def order(self, page: Page) -> Order | None:
        """The total order of a page; None where it names a property that is no sort key."""
        order = page.order or tuple((name.removeprefix("-"), name.startswith("-")) for name in self.default_order)
        names = [name for name, _ in order]
        if len(set(names)) < len(names) or not all(name in self.keys for name in names):
            return None
        return order if self.tie in names else (*order, (self.tie, False))


class ListedMerging:
    """One request's list under way: rounds that find where the page begins, if it is deep, and one that fetches it."""

    __slots__ = (
        "_added",
        "_blocks",
        "_changes",
        "_order",
        "_page",
        "_request",
        "_rule",
        "_selection",
        "_shards",
        "_shown",
    )

    def __init__(self, rule: Listed, request: Request, shards: Sequence[ShardId]) -> None:
        page = rule.dialect.read_page(request.query)
        order = None if page is UNKNOWN else rule.order(page)
        self._rule = rule
        self._request = request
        self._shards = shards
        self._page = Page(0, None, (), None) if page is UNKNOWN or order is None else page
        self._order = order
        self._added = self._missing_fields()
        self._changes = 0
        self._selection = self._select()
        self._blocks = self._next_blocks()
        self._shown: list[tuple[str, ShardId]] = []

    def asks(self) -> Sequence[Ask]:
        """What each shard is asked next: the client's own request, where its page cannot be read."""
        if self._order is None:
            return [Ask(shard, self._request.target) for shard in self._shards]
        fields = tuple(name for name, _ in self._order) if self._searching else self._fields()
        # The plain way asks all shards the same: its query is written once.
        targets = {(block.start, block.count): b"" for block in self._blocks}
        for start, count in targets:
            targets[start, count] = self._target(Page(start, count, self._order, fields), fields)
        return [Ask(block.shard, targets[block.start, block.count]) for block in self._blocks]

    def take(self, replies: Mapping[ShardId, Reply]) -> Reply | Sequence[Ask]:
        """The merged reply, or the next round.

        Raises BrokenReplyError, OrderBrokenError, or UnreadablePageError where the shards accept what the rule
        cannot read.
        """
        refusal = unite([replies[shard] for shard in self._shards if shard in replies])
        if refusal is not None:
            return refusal
        if self._order is None:
            raise UnreadablePageError("a paging or sorting parameter names what the rule does not know")
        tables = _Tables(self._rule, self._order, [(block, replies[block.shard].body) for block in self._blocks])
        try:
            if self._selection is None:
                skip = self._page.offset
            elif self._searching:
                self._selection.take(tables.keys())
                self._blocks = self._next_blocks()
                return self.asks()
            else:
                skip = self._selection.skip(tables.keys())
        except ChangedError:
            return self._again()
        rows = self._cut_page(tables, skip)
        return self._reply(rows, tables, replies)

    def learned(self) -> Sequence[tuple[str, ShardId]]:
        """The tie-breaker of each row of the page, and the shard that the row came from."""
        return self._shown

    def explain(self) -> Sequence[str]:
        """How the page is made."""
        if self._order is None:
            return ["nothing: a parameter cannot be read, so the shards are left to refuse it"]
        page = self._page
        order = ", ".join(f"{name} {'down' if descends else 'up'}" for name, descends in self._order)
        end = "the end" if page.limit is None else str(page.offset + page.limit)
        said = [f"sorted by {order}", f"rows {page.offset} to {end} of the merged list are the page"]
        if self._searching:
            said.append("it is deep: blocks like these find where it begins on each shard, before it is fetched")
        if self._added:
            said.append(f"{', '.join(self._added)}: asked for to sort by, taken out of each row again")
        return said

    def _select(self) -> Selection | None:
        """A deep page is worth looking for; None where to read all that comes before it costs less."""
        page = self._page
        if page.limit is None or page.offset <= max(PLAIN_ROWS_MAX, page.limit) or self._changes > CHANGES_MAX:
            return None
        return Selection(self._shards, page.offset, page.limit)

    def _again(self) -> Sequence[Ask]:
        """Rows changed between two rounds: begin anew; at last in one round, of which each shard is consistent."""
        self._changes += 1
        self._selection = self._select()
        self._blocks = self._next_blocks()
        return self.asks()

    @property
    def _searching(self) -> bool:
        return self._selection is not None and not self._selection.narrow_enough

    def _next_blocks(self) -> Sequence[Block]:
        if self._selection is not None:
            return self._selection.blocks() if self._searching else self._selection.page_blocks()
        count = None if self._page.limit is None else self._page.offset + self._page.limit
        return [Block(shard, 0, count) for shard in self._shards]

    def _target(self, page: Page, fields: tuple[str, ...] | None) -> bytes:
        query = self._rule.dialect.write_query(self._request.query, page=page, fields=fields)
        return (f"{self._request.path}?{query}" if query else self._request.path).encode()

    def _cut_page(self, tables: "_Tables", skip: int) -> list[msgspec.Raw]:
        end = None if self._page.limit is None else skip + self._page.limit
        chosen = tables.ranking.sorted()[skip:end]
        if len(chosen) <= LEARNED_ROWS_MAX:
            keys, tie = tables.ranking.rows, tables.tie
            self._shown = [(str(keys[n][tie]), tables.owners[n]) for n in chosen]
        return [tables.raw[n] for n in chosen]

    def _reply(self, rows: list[msgspec.Raw], tables: "_Tables", replies: Mapping[ShardId, Reply]) -> Reply:
        if self._added:
            rows = [without(row, self._added) for row in rows]
        first = replies[self._shards[0]]
        reply = Reply(200, list(first.fields), join(rows, tables.samples))
        totals = [self._rule.dialect.total(replies[shard]) for shard in self._shards]
        stated = [total for total in totals if total is not None]
        if not stated:
            return reply
        if len(stated) < len(totals):
            raise BrokenReplyError("some shards state the size of their list, others do not")
        return self._rule.dialect.with_total(reply, sum(stated))

    def _fields(self) -> tuple[str, ...] | None:
        fields = self._page.fields
        return None if fields is None else (*fields, *self._added)

    def _missing_fields(self) -> tuple[str, ...]:
        fields = self._page.fields
        if fields is None or self._order is None:
            return ()
        return tuple(name for name, _ in self._order if name not in fields)


class _Tables:
    """The rows of one round: raw, each with its shard, and ranked."""

    __slots__ = ("_ends", "owners", "ranking", "raw", "samples", "tie")

    def __init__(self, rule: Listed, order: Order, bodies: Sequence[tuple[Block, bytes]]) -> None:
        keys: dict[str, SortKey] = {name: sort_key(rule.keys[name]) for name, _ in order}
        self.ranking = Ranking(order, keys)
        self.tie = [name for name, _ in order].index(rule.tie)
        self.samples: list[Rows] = []
        self.raw: list[msgspec.Raw] = []
        self.owners: list[ShardId] = []
        self._ends: list[tuple[Block, int]] = []
        for block, body in bodies:
            rows = cut(body)
            self.samples.append(rows)
            self.raw += rows.raw
            self.owners += [block.shard] * self.ranking.add(body)
            self._ends.append((block, len(self.raw)))

    def keys(self) -> dict[Block, list[Any]]:
        """The sort keys of each block's rows."""
        keys: dict[Block, list[Any]] = {}
        start = 0
        for block, end in self._ends:
            keys[block] = self.ranking.comparable(start, end)
            start = end
        return keys
