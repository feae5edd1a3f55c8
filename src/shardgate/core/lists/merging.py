"""One request's list under way: the page is made of the rows of each shard: at once, in steps, or while they arrive.

rounds.py decides which requests are sent, until the rows are there.

Holds: the page is the one that one instance with all the data would give.
Hot path: with cutting, ranking and joining (json/array.py, tables.py) it is most of what a gather costs.
"""

from collections.abc import Generator, Mapping, Sequence

from shardgate.core.contracts import Ask, Page, PageMemory
from shardgate.core.errors import BrokenReplyError
from shardgate.core.failures.of_shard import of_shard
from shardgate.core.http import Reply, Request
from shardgate.core.json.array import cut, join, without
from shardgate.core.limits import (
    FLOW_BYTES_MIN,
    FLOW_ROWS_MIN,
    LEARNED_ROWS_MAX,
    TRIMMED_FLOW_BYTES_MIN,
    WHOLE_ROWS_MAX,
)
from shardgate.core.lists.blocks import NOT_ASKED
from shardgate.core.lists.cut_short import may_have_more
from shardgate.core.lists.empties import seen
from shardgate.core.lists.flow import Flow
from shardgate.core.lists.list_query import ListQuery
from shardgate.core.lists.rounds import ListRounds, PageRows
from shardgate.core.lists.rule import ListRule
from shardgate.core.lists.selection import Block
from shardgate.core.topology import ShardId


class ListMerging:
    """One request's list under way."""

    __slots__ = ("_flow", "_made", "_page", "_pages", "_query", "_rule", "_shards", "_short", "_shown")

    def __init__(self, rule: ListRule, request: Request, shards: Sequence[ShardId], pages: PageMemory | None) -> None:
        query = ListQuery(rule, request)
        self._query = query
        self._rule = rule
        self._page = query.page
        self._shards = shards
        self._pages = pages
        self._short = query.short
        self._made: ListRounds | None = None
        self._flow: Flow | None = None
        self._shown: list[tuple[str, ShardId]] = []

    @property
    def _rounds(self) -> ListRounds:
        """Which requests are sent; made where the short way does not lead to the page."""
        if self._made is None:
            self._made = ListRounds(self._query, self._shards, self._pages)
        return self._made

    def asks(self) -> Sequence[Ask]:
        """The next request to each shard: the client's own, where its page cannot be read or is to be refused."""
        if self._short is not None and self._made is None:
            return self._short.asks(self._shards)
        return self._rounds.asks()

    def ahead(self) -> Sequence[Ask]:
        """The requests that follow those of `asks`, as far as they are known already: all can be sent at once."""
        return () if self._made is None else self._made.ahead()

    def take(self, replies: Mapping[ShardId, Reply]) -> Reply | Sequence[Ask]:
        """The merged reply, or the next round.

        Raises BrokenReplyError, OrderBrokenError, or UnreadablePageError where the shards accept what the rule
        cannot read.
        """
        if (reply := self.at_once(replies)) is not None:
            return reply
        outcome = self._rounds.take(replies)
        return self._written(outcome) if isinstance(outcome, PageRows) else outcome

    @property
    def rows_asked(self) -> int:
        """How many rows all shards together were asked for; 0: all rows, or none."""
        if self._made is None and self._short is not None:
            return min(self._short.rows, WHOLE_ROWS_MAX) * len(self._shards)
        return 0 if self._page.limit is None else self._rounds.rows_asked

    @property
    def is_short(self) -> bool:
        """Whether one round probably gives the page, which is merged at once where the replies are not long."""
        return self._short is not None and self._made is None

    def at_once(self, replies: Mapping[ShardId, Reply]) -> Reply | None:
        """The merged reply by the short way; None: `take` decides."""
        if self._short is None or self._made is not None:
            return None
        merged = self._short.merged(self._query.request, self._shards, replies)
        if merged is None:
            self._made = ListRounds(self._query, self._shards, self._pages)  # nobody tries the same replies again
            return None
        reply, self._shown = merged
        return reply

    @property
    def page(self) -> Page:
        """The page that the request asks for."""
        return self._page

    @property
    def total(self) -> int | None:
        """The size of the whole list, once it was stated; None: not stated. Raises BrokenReplyError."""
        return self._rounds.total

    @property
    def is_past_end(self) -> bool:
        """Whether the page begins behind the last row, and the application does not give an empty page then."""
        return self._made is not None and self._made.past_end

    @property
    def was_searched(self) -> bool:
        """Whether the rows that were read depend on what was known of the list: the page is searched for."""
        return self._made is not None and self._made.is_searched

    @property
    def may_flow(self) -> bool:
        """Whether the rows may pass while they arrive, as far as it is known before the shards are asked."""
        return self.flow_bytes_min is not None

    @property
    def flow_bytes_min(self) -> int | None:
        """From how many bytes of replies on the rows pass while they arrive; None: they never do."""
        limit = self._page.limit
        if limit is not None and self._page.offset + limit < FLOW_ROWS_MIN:
            return None
        rule, query = self._rule, self._query
        if rule.no_rows != "list" or rule.dialect.streamable == "never" or query.request.sent_method == b"HEAD":
            return None
        if not self.is_plain:
            return None
        return TRIMMED_FLOW_BYTES_MIN if query.added else FLOW_BYTES_MIN

    def flow(self, heads: Mapping[ShardId, Reply]) -> tuple[Reply, Flow] | None:
        """The head of the merged reply, and the flow that makes its body while those of the shards arrive.

        None where the replies must be whole first. Raises BrokenReplyError.
        """
        dialect, page, rounds = self._rule.dialect, self._page, self._rounds
        totals = rounds.search.totals
        if any(head.status not in dialect.accepted for head in heads.values()):
            return None
        extras: list[bytes] = []
        for shard, head in heads.items():
            with of_shard(shard):
                opened = dialect.open(head)
            stated = opened.total
            extras += [opened.extra] if opened.extra else []
            if stated is not None:
                totals[shard] = stated
        if 0 < len(totals) < len(self._shards):  # one without rows may state no size
            return None
        total = rounds.total
        shown = 0 if total is None else max(0, min(total - page.offset, total if page.limit is None else page.limit))
        if total is None and dialect.streamable != "always":
            return None
        if total is not None and not shown:  # nothing shows yet how an empty list is written
            return None
        more = total is not None and page.offset + shown < total
        end = None if page.limit is None else page.offset + page.limit
        sizes = totals.values()
        stated = sum([size if end is None else min(size, end) for size in sizes]) if sizes else None
        reply = self._query.merged(b"", shown, total, more=more, reply=heads[self._shards[0]], extras=tuple(extras))
        promised = shown if dialect.streamable == "with_total" else None
        self._flow = self._query.flow(self._shards, promised, stated)
        return reply, self._flow

    def take_in_steps(self, replies: Mapping[ShardId, Reply]) -> Generator[None, None, Reply | Sequence[Ask]]:
        """The same as `take`, for long replies: other work can be done between two steps.

        Reading the object around the rows is one step, however long it is, and so is writing it.
        """
        dialect, page, rounds = self._rule.dialect, self._page, self._rounds
        if (
            not self.is_plain
            or self._rule.no_rows != "list"
            or any(reply.status not in dialect.accepted for reply in replies.values())
        ):
            return self.take(replies)
        flow = self._query.flow(self._shards, None)
        told: dict[ShardId, bool] = {}
        written: list[bytes] = []
        yield from self._opened(replies, flow, told)
        total = rounds.total
        if self._query.is_past(total):
            return self._taken_whole(replies)
        while (data := flow.advance()) is not None:
            written.append(data)
            yield
        end = None if page.limit is None else page.offset + page.limit
        given = [(Block(shard, 0, end), count) for shard, count in flow.counts.items()]
        if (not flow.written and page.limit != 0) or may_have_more(given, rounds.search.totals, told):
            return self._taken_whole(replies)
        self._flow = flow
        self.flowed()
        if total is not None:
            more = page.offset + flow.written < total
        else:
            more = True in told.values() or (page.limit is not None and flow.read > page.offset + page.limit)
        heard = rounds.heard
        shown_by = heard.shown_by(self._shards, has_rows=bool(flow.written))
        first = self._query.surrounded(replies[shown_by], heard.documents)
        rows = b"".join(written)
        return self._query.merged(rows, flow.written, total, more=more, reply=first, extras=tuple(heard.extras))

    def _taken_whole(self, replies: Mapping[ShardId, Reply]) -> Reply | Sequence[Ask]:
        """As `take`, of replies that were looked into already."""
        self._rounds.heard.extras.clear()
        return self.take(replies)

    def _opened(
        self, replies: Mapping[ShardId, Reply], flow: Flow, told: dict[ShardId, bool]
    ) -> Generator[None, None, None]:
        """Give each reply's rows to the flow, and note what else it says: a reply is one step."""
        dialect, rounds = self._rule.dialect, self._rounds
        for shard in self._shards:
            with of_shard(shard):
                listing = dialect.open(replies[shard])
            if listing.total is not None:
                rounds.search.totals[shard] = listing.total
            if listing.more is not None:
                told[shard] = listing.more
            rounds.heard.note(shard, listing)
            flow.feed(shard, listing.rows)
            flow.end(shard)
            yield

    def flowed(self) -> None:
        """All rows have passed: remember where the next page begins."""
        flow, limit = self._flow, self._page.limit
        if flow is not None and limit is not None and flow.read > self._page.offset + limit:
            places = self._rounds.places
            if places.are_kept:
                places.passed(flow.passed)

    @property
    def has_copies(self) -> bool:
        """Whether several shards may have a row."""
        return self._rule.dedupe is not None

    def learned(self) -> Sequence[tuple[str, ShardId]]:
        """The tie-breaker of each row of the page, and the shard that the row came from."""
        return self._shown if self._flow is None else self._flow.learned

    def explain(self) -> Sequence[str]:
        """How the page is made."""
        if self._query.order is None:
            return ["nothing: a parameter cannot be read, so the shards are left to refuse it"]
        lines = self._query.explained()
        search = self._rounds.search
        if search.narrowing:
            lines.append("it is deep: blocks like these find where it begins on each shard, before it is fetched")
        lines.append(search.cost())
        if self._rule.dedupe is not None:
            lines.append("every list is read whole: a row that several shards have is shown and counted once")
        if self._query.added:
            added = ", ".join(self._query.added)
            lines.append(f"{added}: asked for to sort by or to compare, taken out of each row again")
        return lines

    def _written(self, found: PageRows) -> Reply | Sequence[Ask]:
        """The page of these rows; the next round, where it is not known how an empty one is written."""
        query, page, rounds = self._query, self._page, self._rounds
        tables, ranked, skip, total = found
        heard = rounds.heard
        if tables.raw and (query.is_empty or page.limit == 0):
            log = f"{len(tables.raw)} rows, expected none at offset {page.offset} with limit {page.limit}"
            raise BrokenReplyError("a shard gives rows where the page has none", log=log)
        end = None if page.limit is None else skip + page.limit
        chosen = ranked[skip:end]
        tie = None if query.order is None else query.order.tie
        if tie is not None and len(chosen) <= LEARNED_ROWS_MAX:
            values = tables.ranking.values
            self._shown = [(str(values[n][tie]), tables.owners[n]) for n in chosen]
        if end is not None and rounds.places.are_kept:
            rounds.places.learn(rounds.search, tables, ranked, skip, end)
        rows = [tables.raw[n] for n in chosen]
        if query.added:
            rows = [without(row, query.added) for row in rows]
        if total is None:
            more = rounds.search.more or (end is not None and len(ranked) > end)
        else:
            more = page.offset + len(rows) < total
        if not heard.replies:  # no shard has a list: what the first of them says
            return heard.nothing
        reply = heard.replies[heard.shown_by(heard.with_lists(), has_rows=bool(rows))]
        samples = tables.samples
        if not rows:
            samples = [sample for sample in samples if sample is not NOT_ASKED]
            if not samples:
                samples = [cut(self._rule.dialect.open(reply).rows)]
            written = seen(self._rule, samples)
            # An application that says by its status that there is nothing may say so of an empty page, too.
            says_so = bool(self._rule.not_here) or (self._rule.no_rows != "list" and heard.as_list is None)
            if (written is None or (says_so and not heard.knows_empty)) and page.limit != 0:
                return rounds.ask_how_empty(found)
            samples = samples if written is None else [written]
        body, reply = join(rows, samples), query.surrounded(reply, heard.documents)
        extras, as_list = tuple(heard.extras), bool(heard.as_list)
        return query.merged(body, len(rows), total, more=more, reply=reply, extras=extras, as_list=as_list)

    @property
    def is_plain(self) -> bool:
        """Whether one request to each shard gives all rows of the page, and nothing is to be refused."""
        if self._short is not None and self._made is None:
            return True
        if self._query.order is None or self._query.is_empty or self._page.limit == 0 or self.is_past_end:
            return False
        if self._rule.dedupe is not None or self._rule.tie is None:
            return False
        search = self._rounds.search
        return search.plain and not search.asks_on and self._rule.dialect.cover(0, None) == (0, None)
