"""Sorted lists into one sorted list, a page at a time.

A shallow page is read plainly: the first offset + limit rows of each shard hold it, whatever shard its rows are on.
Where a deep page begins on each shard is found first, by small blocks (selection.py). How many requests a block takes
is up to the application's pages (reading.py).

Holds: the page is the one that an instance with all the data would give. A sort key that the client did not ask for is
asked upstream and taken out again. A page that cannot be read is passed to the shards as it is, for them to refuse.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from shardgate.core.contracts import (
    NO_MOMENT,
    UNKNOWN,
    Ask,
    Merged,
    Merging,
    Moment,
    Page,
    Strategy,
    as_it_came,
    method_of,
)
from shardgate.core.dialect import AnyCursor, AnyDialect
from shardgate.core.errors import BrokenReplyError, UnreadablePageError
from shardgate.core.following import Sorting
from shardgate.core.http import Reply, Request
from shardgate.core.limits import LEARNED_ROWS_MAX
from shardgate.core.order import KeyConfig, Order, Ranking, SortKey, sort_key
from shardgate.core.reading import InPieces, Reading, read
from shardgate.core.refusals import unite
from shardgate.core.rows import Rows, join, without
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

    def begin(self, request: Request, shards: Sequence[ShardId], moment: Moment = NO_MOMENT) -> Merging:
        """Start the merge of one request."""
        dialect = self.dialect
        if isinstance(dialect, AnyCursor):
            return dialect.begin(request, shards, moment, self._sorting)
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

    def _sorting(self, page: Page) -> Sorting | None:
        order = self.order(page)
        if order is None:
            return None
        return Sorting(order, {name: sort_key(self.keys[name]) for name, _ in order}, self.tie)


class ListedMerging:
    """One request's list under way: rounds that find where the page begins, if it is deep, and one that fetches it."""

    __slots__ = (
        "_added",
        "_beside",
        "_changes",
        "_order",
        "_page",
        "_past_end",
        "_reading",
        "_replies",
        "_request",
        "_rule",
        "_selection",
        "_shards",
        "_shown",
        "_sizing",
        "_totals",
    )

    def __init__(self, rule: Listed, request: Request, shards: Sequence[ShardId]) -> None:
        page = rule.dialect.read(request)
        order = None if page is UNKNOWN else rule.order(page)
        self._rule = rule
        self._request = request
        self._shards = shards
        self._page = Page(0, None, (), None) if page is UNKNOWN or order is None else page
        self._order = order
        self._added = self._missing_fields()
        self._beside: list[bytes] = []
        self._changes = 0
        self._past_end = False
        self._replies: dict[ShardId, Reply] = {}
        self._totals: dict[ShardId, int] = {}
        self._selection = self._select()
        self._sizing = self._selection is not None and rule.dialect.past_end is not None
        self._reading = self._read()
        self._shown: list[tuple[str, ShardId]] = []

    def asks(self) -> Sequence[Ask]:
        """What each shard is asked next: the client's own request, where its page cannot be read or is refused."""
        # A limit of 0 is passed as it is: offset + 0 rows would hide from an application what it may refuse.
        if self._order is None or self._past_end or (self._page.limit == 0 and self._page.offset):
            return as_it_came(self._request, self._shards)
        fields = tuple(name for name, _ in self._order) if self._searching else self._fields()
        # The plain way asks all shards the same: its query is written once.
        blocks = self._reading.wanted()
        request, method = self._request, method_of(self._request)
        asked = {(block.start, block.count): (b"", b"") for block in blocks}
        for start, count in asked:
            asked[start, count] = self._rule.dialect.ask(request, Page(start, count, self._order, fields), fields)
        return [Ask(block.shard, *asked[block.start, block.count], method) for block in blocks]

    def take(self, replies: Mapping[ShardId, Reply]) -> Reply | Sequence[Ask]:
        """The merged reply, or the next round.

        Raises BrokenReplyError, OrderBrokenError, or UnreadablePageError where the shards accept what the rule
        cannot read.
        """
        asked = [shard for shard in self._shards if shard in replies]
        refusal = unite([replies[shard] for shard in asked], self._rule.dialect.accepted)
        if refusal is not None:
            total = self._total() if self._past_end else None
            return refusal if total is None else self._rule.dialect.refused(refusal, total)
        if self._order is None:
            raise UnreadablePageError("a paging or sorting parameter names what the rule does not know")
        if self._past_end:
            raise BrokenReplyError("a shard gives a page that is behind the end of the whole list")
        try:
            for shard in asked:
                listing = self._rule.dialect.open(replies[shard])
                self._replies[shard] = replies[shard]
                if listing.beside:
                    self._beside.append(listing.beside)
                if listing.total is not None:
                    self._totals[shard] = listing.total
                self._reading.take(shard, listing)
            return self._next(self._order)
        except ChangedError:
            return self._again()

    def _next(self, order: Order) -> Reply | Sequence[Ask]:
        """What follows from all that came. Raises ChangedError, BrokenReplyError, OrderBrokenError."""
        if self._reading.wanted():
            return self.asks()
        if self._sizing:
            self._sizing = False
            self._reading = self._read()
            return self._next(order)
        tables = _Tables(self._rule, order, self._reading.blocks())
        skip = self._page.offset
        if self._selection is not None:
            if self._searching:
                self._selection.take(tables.keys())
                self._reading = self._read()
                return self._next(order)
            skip = self._selection.skip(tables.keys())
        total = self._total()
        if self._rule.dialect.past_end is not None and total is not None and 0 < self._page.offset >= total:
            self._past_end = True
            return self.asks()
        return self._reply(tables, skip, total)

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
        if page.limit is None or page.offset <= page.limit:
            return None
        most = self._request_max
        if page.offset <= (PLAIN_ROWS_MAX if most is None else min(PLAIN_ROWS_MAX, most)):
            return None
        if self._changes > CHANGES_MAX and most is None:
            return None
        return Selection(self._shards, page.offset, page.limit)

    def _again(self) -> Sequence[Ask]:
        """Rows changed between two requests: begin anew; at last in one round, of which each shard is consistent."""
        self._changes += 1
        if self._changes > CHANGES_MAX and self._request_max is not None:
            raise BrokenReplyError("the list changes faster than the application's pages let it be read")
        self._selection = self._select()
        self._reading = self._read()
        return self.asks()

    @property
    def _request_max(self) -> int | None:
        """The most rows that one request can give; None: any number."""
        return self._rule.dialect.cover(0, None)[1]

    @property
    def _searching(self) -> bool:
        return self._selection is not None and not self._selection.narrow_enough

    def _read(self) -> Reading | InPieces:
        return read(self._rule.dialect, self._next_blocks(), self._totals)

    def _next_blocks(self) -> Sequence[Block]:
        page = self._page
        if self._sizing:
            return [Block(shard, 0, 1) for shard in self._shards]
        if self._selection is not None:
            return self._selection.blocks() if self._searching else self._selection.page_blocks()
        return [Block(shard, 0, None if page.limit is None else page.offset + page.limit) for shard in self._shards]

    def _reply(self, tables: "_Tables", skip: int, total: int | None) -> Reply:
        end = None if self._page.limit is None else skip + self._page.limit
        chosen = tables.ranking.sorted()[skip:end]
        if len(chosen) <= LEARNED_ROWS_MAX:
            keys, tie = tables.ranking.rows, tables.tie
            self._shown = [(str(keys[n][tie]), tables.owners[n]) for n in chosen]
        rows = [tables.raw[n] for n in chosen]
        if self._added:
            rows = [without(row, self._added) for row in rows]
        if total is None:
            more = self._reading.more or (end is not None and len(tables.raw) > end)
        else:
            more = self._page.offset + len(rows) < total
        reply = next(self._replies[shard] for shard in self._shards if shard in self._replies)
        body = join(rows, tables.samples)
        beside = tuple(self._beside)
        return self._rule.dialect.close(Merged(self._request, self._page, body, len(rows), total, more, reply, beside))

    def _total(self) -> int | None:
        """The size of the whole list; None where no shard states one. Raises BrokenReplyError where only some do."""
        if not self._totals:
            return None
        if len(self._totals) < len(self._shards):
            raise BrokenReplyError("some shards state the size of their list, others do not")
        return sum(self._totals.values())

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

    def __init__(self, rule: Listed, order: Order, blocks: Sequence[tuple[Block, Rows]]) -> None:
        keys: dict[str, SortKey] = {name: sort_key(rule.keys[name]) for name, _ in order}
        self.ranking = Ranking(order, keys)
        self.tie = [name for name, _ in order].index(rule.tie)
        self.samples: list[Rows] = []
        self.raw: list[msgspec.Raw] = []
        self.owners: list[ShardId] = []
        self._ends: list[tuple[Block, int]] = []
        for block, rows in blocks:
            self.samples.append(rows)
            self.raw += rows.raw
            self.owners += [block.shard] * self.ranking.add(rows.body)
            self._ends.append((block, len(self.raw)))

    def keys(self) -> dict[Block, list[Any]]:
        """The sort keys of each block's rows."""
        keys: dict[Block, list[Any]] = {}
        start = 0
        for block, end in self._ends:
            keys[block] = self.ranking.comparable(start, end)
            start = end
        return keys
