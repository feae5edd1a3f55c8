"""Sorted lists into one sorted list, a page at a time.

Which rows of each shard are read is decided in search.py; here requests are written and the page is made of replies.

Holds: the page is the one that an instance with all the data would give. A sort key that the client did not ask for is
asked upstream and taken out again. A page that cannot be read is passed to the shards as it is, for them to refuse.
"""

from collections.abc import Mapping, Sequence

import msgspec

from shardgate.core.contracts import NO_MOMENT, UNKNOWN, Ask, Merged, Merging, Moment, Page, as_it_came, method_of
from shardgate.core.dialect import AnyCursor
from shardgate.core.distinct import Dedupe, distinct
from shardgate.core.errors import BrokenReplyError, UnreadablePageError
from shardgate.core.following import Sorting
from shardgate.core.http import Reply, Request
from shardgate.core.limits import LEARNED_ROWS_MAX
from shardgate.core.list_rule import ListRule
from shardgate.core.order import Order
from shardgate.core.refusals import unite
from shardgate.core.rows import Rows, join, without
from shardgate.core.search import Search
from shardgate.core.selection import Block, ChangedError
from shardgate.core.sort_key import sort_key
from shardgate.core.tables import Tables
from shardgate.core.topology import ShardId


class Listed(ListRule, frozen=True, tag="list"):
    """One list out of many, in one order."""

    def begin(self, request: Request, shards: Sequence[ShardId], moment: Moment = NO_MOMENT) -> Merging:
        """Start the merge of one request."""
        dialect = self.dialect
        if isinstance(dialect, AnyCursor):
            return dialect.begin(request, shards, moment, self._sorting)
        return ListedMerging(self, request, shards)

    def describe(self) -> str:
        """The merge in one line."""
        return f"one list, sorted by {', '.join(self.default_order)} unless the request says otherwise"

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
        "_empty",
        "_order",
        "_page",
        "_past_end",
        "_replies",
        "_request",
        "_rule",
        "_search",
        "_shards",
        "_shown",
    )

    def __init__(self, rule: Listed, request: Request, shards: Sequence[ShardId]) -> None:
        page = rule.dialect.read(request)
        order = None if page is UNKNOWN else rule.order(page)
        self._rule = rule
        self._request = request
        self._shards = shards
        self._page = Page(0, None, (), None) if page is UNKNOWN or order is None else page
        self._order = order
        self._added = () if order is None else rule.added(self._page, order)
        self._beside: list[bytes] = []
        self._past_end = False
        self._replies: dict[ShardId, Reply] = {}
        self._empty = rule.is_empty(self._page)
        self._search = Search(rule.dialect, rule.searched(self._page), shards)
        self._shown: list[tuple[str, ShardId]] = []

    def asks(self) -> Sequence[Ask]:
        """What each shard is asked next: the client's own request, where its page cannot be read or is refused."""
        if self._order is None or self._past_end or self._empty:
            return as_it_came(self._request, self._shards)
        fields = self._fields(self._order)
        # The plain way asks all shards the same: its query is written once.
        blocks = self._search.wanted()
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
                self._replies[shard] = replies[shard]
                listing = self._rule.dialect.open(replies[shard])
                if listing.beside:
                    self._beside.append(listing.beside)
                self._search.take(shard, listing)
            return self._next(self._order)
        except ChangedError:
            self._search.begin_again()
            return self.asks()

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
        if self._search.narrowing:
            said.append("it is deep: blocks like these find where it begins on each shard, before it is fetched")
        if self._rule.dedupe is not None:
            said.append("every list is read whole: a row that several shards have is shown and counted once")
        if self._added:
            said.append(f"{', '.join(self._added)}: asked for to sort by or to compare, taken out of each row again")
        return said

    def _next(self, order: Order) -> Reply | Sequence[Ask]:
        """What follows from all that came. Raises ChangedError, BrokenReplyError, OrderBrokenError."""
        found = self._search.advance(self._rank)
        if found is None:
            return self.asks()
        tables, skip = found
        ranked = tables.ranking.sorted()
        total = self._total()
        if self._rule.dedupe is not None:
            ranked, skip = self._distinct(self._rule.dedupe, tables, ranked), self._page.offset
            total = None if total is None else len(ranked)
        if self._rule.dialect.past_end is not None and total is not None and 0 < self._page.offset >= total:
            self._past_end = True
            return self.asks()
        return self._reply(tables, ranked, skip, total)

    def _distinct(self, dedupe: Dedupe, tables: Tables, ranked: Sequence[int]) -> list[int]:
        try:
            return distinct(dedupe, self._rule.keys, tables, ranked, self._shards)
        except (ValueError, msgspec.DecodeError) as error:
            raise BrokenReplyError("a shard's row lacks what it is told apart by", log=str(error)) from error

    def _rank(self, blocks: Sequence[tuple[Block, Rows]]) -> Tables:
        order = self._order or ()
        return Tables(order, {name: sort_key(self._rule.keys[name]) for name, _ in order}, blocks)

    def _reply(self, tables: Tables, ranked: Sequence[int], skip: int, total: int | None) -> Reply:
        if tables.raw and (self._empty or self._page.limit == 0):
            raise BrokenReplyError("a shard gives rows where the page has none")
        end = None if self._page.limit is None else skip + self._page.limit
        chosen = ranked[skip:end]
        if len(chosen) <= LEARNED_ROWS_MAX:
            keys, tie = tables.ranking.values, [name for name, _ in self._order or ()].index(self._rule.tie)
            self._shown = [(str(keys[n][tie]), tables.owners[n]) for n in chosen]
        rows = [tables.raw[n] for n in chosen]
        if self._added:
            rows = [without(row, self._added) for row in rows]
        if total is None:
            more = self._search.more or (end is not None and len(ranked) > end)
        else:
            more = self._page.offset + len(rows) < total
        reply = next(self._replies[shard] for shard in self._shards if shard in self._replies)
        body = join(rows, tables.samples)
        beside = tuple(self._beside)
        return self._rule.dialect.close(Merged(self._request, self._page, body, len(rows), total, more, reply, beside))

    def _total(self) -> int | None:
        """The size of the whole list; None where no shard states one. Raises BrokenReplyError where only some do."""
        totals = self._search.totals
        if not totals:
            return None
        if len(totals) < len(self._shards):
            raise BrokenReplyError("some shards state the size of their list, others do not")
        return sum(totals.values())

    def _fields(self, order: Order) -> tuple[str, ...] | None:
        """The properties to ask for: those that the client asked for, so that a shard refuses the unknown one."""
        fields = self._page.fields
        if fields is not None:
            return (*fields, *self._added)
        return tuple({self._rule.property(name): None for name, _ in order}) if self._search.narrowing else None
