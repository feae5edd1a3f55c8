"""One request's list under way: rounds that find where the page begins, if it is deep, and one that fetches it.

Which rows of each shard are read is decided in search.py; here requests are written and the page is made of replies.

Holds: the page is the one that an instance with all the data would give. A sort key that the client did not ask for is
asked upstream and taken out again. A page that cannot be read is passed to the shards as it is, for them to refuse.
Hot path: with cutting, weighing and joining (rows.py, tables.py) it is most of what a gather costs.
"""

from collections.abc import Generator, Mapping, Sequence

import msgspec

from shardgate.core.contracts import (
    UNKNOWN,
    Ask,
    Merged,
    Page,
    PageMemory,
    as_it_came,
    method_of,
)
from shardgate.core.errors import BrokenReplyError, UnreadablePageError
from shardgate.core.http import Reply, Request
from shardgate.core.json.array import Rows, join, without
from shardgate.core.limits import FLOW_ROWS_MIN, LEARNED_ROWS_MAX
from shardgate.core.lists.distinct import Dedupe, distinct
from shardgate.core.lists.flow import Flow, FlowRule
from shardgate.core.lists.page_search import PageSearch, is_deep
from shardgate.core.lists.rule import ListRule
from shardgate.core.lists.selection import Block, ChangedError
from shardgate.core.lists.tables import Tables
from shardgate.core.order.ranking import Order
from shardgate.core.order.sort_key import sort_key
from shardgate.core.replies.refusals import unite
from shardgate.core.topology import ShardId


class ListMerging:
    """One request's list under way: rounds that find where the page begins, if it is deep, and one that fetches it."""

    __slots__ = (
        "_added",
        "_beside",
        "_empty",
        "_flow",
        "_order",
        "_page",
        "_pages",
        "_past_end",
        "_replies",
        "_request",
        "_rule",
        "_search",
        "_shards",
        "_shown",
    )

    def __init__(self, rule: ListRule, request: Request, shards: Sequence[ShardId], pages: PageMemory | None) -> None:
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
        self._pages = None if rule.dedupe is not None else pages
        searched = rule.searched(self._page)
        guess = self._pages.recall(self._listed(), searched.offset) if self._pages and is_deep(searched) else None
        self._search = PageSearch(rule.dialect, searched, shards, guess)
        self._flow: Flow | None = None
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

    @property
    def may_flow(self) -> bool:
        """Whether the rows may pass while they come, as far as it is known before the shards are asked."""
        limit = self._page.limit
        is_short = limit is not None and self._page.offset + limit < FLOW_ROWS_MIN
        return not is_short and self._rule.dialect.ahead != "never" and self._is_plain

    @property
    def trims(self) -> bool:
        """Whether members are taken out of each row."""
        return bool(self._added)

    def flow(self, heads: Mapping[ShardId, Reply]) -> tuple[Reply, Flow] | None:
        """The merged reply's head, and what makes its body while the shards' come; None: only the whole tells.

        Raises BrokenReplyError.
        """
        dialect, page = self._rule.dialect, self._page
        if any(head.status not in dialect.accepted for head in heads.values()):
            return None
        for shard, head in heads.items():
            if (stated := dialect.open(head).total) is not None:
                self._search.totals[shard] = stated
        total = self._total()
        shown = 0 if total is None else max(0, min(total - page.offset, total if page.limit is None else page.limit))
        if self._is_past(total) or (total is None and dialect.ahead != "always"):
            return None
        more = total is not None and page.offset + shown < total
        first = heads[self._shards[0]]
        reply = dialect.close(Merged(self._request, page, b"", shown, total, more, first))
        self._flow = self._begin_flow(shown if dialect.ahead == "counted" else None)
        return reply, self._flow

    def take_in_steps(self, replies: Mapping[ShardId, Reply]) -> Generator[None, None, Reply | Sequence[Ask]]:
        """The same as `take`, where the replies are long: other work can be done between two steps.

        What an object around the rows takes to read and to write is a step of its own, however long.
        """
        dialect, page = self._rule.dialect, self._page
        if not self._is_plain or any(reply.status not in dialect.accepted for reply in replies.values()):
            return self.take(replies)
        flow, more, written, beside = self._begin_flow(None), False, list[bytes](), list[bytes]()
        for shard in self._shards:
            listing = dialect.open(replies[shard])
            if listing.total is not None:
                self._search.totals[shard] = listing.total
            more = more or bool(listing.more)
            if listing.beside:
                beside.append(listing.beside)
            flow.feed(shard, listing.rows)
            flow.end(shard)
            yield
        total = self._total()
        if self._is_past(total):
            return self.take(replies)
        while (data := flow.advance()) is not None:
            written.append(data)
            yield
        self._flow = flow
        self.flowed()
        if total is not None:
            more = page.offset + flow.written < total
        else:
            more = more or (page.limit is not None and flow.read > page.offset + page.limit)
        first, body = replies[self._shards[0]], b"".join(written)
        return dialect.close(Merged(self._request, page, body, flow.written, total, more, first, tuple(beside)))

    def flowed(self) -> None:
        """All rows have passed: where the next page begins is known."""
        flow, limit = self._flow, self._page.limit
        if flow is not None and limit is not None and flow.read > self._page.offset + limit and self._remembers:
            self._remember(flow.passed)

    def learned(self) -> Sequence[tuple[str, ShardId]]:
        """The tie-breaker of each row of the page, and the shard that the row came from."""
        return self._shown if self._flow is None else self._flow.learned

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
        if self._is_past(total):
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
        if end is not None and len(ranked) > end and self._remembers:
            positions = tables.starts()
            for n in ranked[:end]:
                positions[tables.owners[n]] += 1
            self._remember(positions)
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

    @property
    def _remembers(self) -> bool:
        """Whether it is worth knowing where the next page begins: it is deep."""
        offset, limit = self._page.offset, self._page.limit
        return self._pages is not None and is_deep(Page(offset + (limit or 0), limit, (), None))

    def _remember(self, positions: Mapping[ShardId, int]) -> None:
        """Where the next page begins: behind so many rows of each shard."""
        if self._pages is not None:
            self._pages.learn(self._listed(), self._page.offset + (self._page.limit or 0), positions)

    def _listed(self) -> str:
        """What a list is known by: the request without its page."""
        return self._rule.dialect.unpaged(self._request)

    @property
    def _is_plain(self) -> bool:
        """Whether one request of each shard gives all rows of the page, and nothing is to be refused."""
        return (
            self._order is not None
            and not (self._empty or self._past_end)
            and self._page.limit != 0
            and self._rule.dedupe is None
            and self._search.plain
            and self._rule.dialect.cover(0, None) == (0, None)
        )

    def _is_past(self, total: int | None) -> bool:
        """Whether the application refuses the page, since it begins behind the last row."""
        return self._rule.dialect.past_end is not None and total is not None and 0 < self._page.offset >= total

    def _begin_flow(self, promised: int | None) -> Flow:
        page, order = self._page, self._order or ()
        keys = {name: sort_key(self._rule.keys[name]) for name, _ in order}
        rule = FlowRule(order, keys, self._rule.tie, page.offset, page.limit, self._added, promised)
        return Flow(rule, self._shards)

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
