"""One request's list under way: rounds that find where the page begins, if it is deep, and one that fetches it.

page_search.py decides which rows of each shard are read, list_query.py writes the requests; here the page is made of
the replies: at once, in steps, or while they arrive.

Holds: the page is the one that one instance with all the data would give. A page that cannot be read is sent to the
shards as it came, for them to refuse.
Hot path: with cutting, ranking and joining (json/array.py, tables.py) it is most of what a gather costs.
"""

from collections.abc import Generator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from shardgate.core.contracts import NO_ROWS, Ask, Listing, Page, PageMemory, Waymark, as_it_came
from shardgate.core.errors import BrokenReplyError, UpstreamError
from shardgate.core.failures.of_shard import of_shard
from shardgate.core.http import Reply, Request
from shardgate.core.json.array import cut, join, without
from shardgate.core.json.object import JsonObject
from shardgate.core.limits import FLOW_ROWS_MIN, LEARNED_ROWS_MAX, WHOLE_ROWS_MAX
from shardgate.core.lists.blocks import NOT_ASKED
from shardgate.core.lists.cut_short import may_have_more
from shardgate.core.lists.distinct import Dedupe, distinct
from shardgate.core.lists.empties import seen
from shardgate.core.lists.flow import Flow
from shardgate.core.lists.list_query import ListQuery
from shardgate.core.lists.page_search import PageSearch, is_deep
from shardgate.core.lists.rule import ListRule
from shardgate.core.lists.selection import Block, ChangedError
from shardgate.core.lists.tables import Tables
from shardgate.core.order.order import Order
from shardgate.core.paging.bounds import check_whole
from shardgate.core.paging.no_rows import is_bodiless, with_list
from shardgate.core.replies.refusals import is_redirect, redirect, unite
from shardgate.core.replies.totals import whole_total
from shardgate.core.topology import ShardId


class _Behind(NamedTuple):
    """What a page behind the last row is made of, once it is known how the application writes an empty list."""

    order: Order
    tables: Tables
    ranked: Sequence[int]
    skip: int
    total: int | None


class _Notes:
    """What the replies of a list say besides rows, where it is not made by the short way."""

    __slots__ = ("as_list", "completed", "documents", "knows_empty", "nothing", "rowless", "with_extra")

    def __init__(self) -> None:
        self.documents: dict[ShardId, JsonObject] = {}
        """The objects around the rows."""
        self.nothing = Reply(200, [], b"")
        """The last reply that says that there is nothing."""
        self.with_extra: set[ShardId] = set()
        """The shards whose reply has more that the dialect needs: of some, only where it has rows."""
        self.rowless: set[ShardId] = set()
        """The shards that have no row, and state no size."""
        self.completed: set[ShardId] = set()
        """The shards whose reply was given the list that it lacked."""
        self.as_list: bool | None = None
        """Whether the application writes this empty page as a list; None: not seen."""
        self.knows_empty = False
        """A shard was asked how it writes an empty page."""


class ListMerging:
    """One request's list under way."""

    __slots__ = (
        "_asks_sizes",
        "_behind",
        "_empty",
        "_extras",
        "_flow",
        "_made",
        "_noted",
        "_page",
        "_pages",
        "_past_end",
        "_query",
        "_redirected",
        "_replies",
        "_rows_asked",
        "_rule",
        "_shards",
        "_short",
        "_shown",
    )

    def __init__(self, rule: ListRule, request: Request, shards: Sequence[ShardId], pages: PageMemory | None) -> None:
        query = ListQuery(rule, request)
        self._query = query
        self._rule = rule
        self._page = query.page
        self._shards = shards
        self._extras: list[bytes] = []
        self._empty: Sequence[ShardId] = ()
        self._past_end = False
        self._asks_sizes = query.is_empty and query.page.limit == 0 and isinstance(rule.dialect.past_end, int)
        self._behind: _Behind | None = None
        self._redirected = False
        self._rows_asked = 0
        self._replies: dict[ShardId, Reply] = {}
        self._pages = None if rule.dedupe is not None else pages
        self._short = query.short
        self._made: PageSearch | None = None
        self._noted: _Notes | None = None
        self._flow: Flow | None = None
        self._shown: list[tuple[str, ShardId]] = []

    @property
    def _notes(self) -> _Notes:
        if self._noted is None:
            self._noted = _Notes()
        return self._noted

    @property
    def _search(self) -> PageSearch:
        """Where the page is; made where the short way does not lead to it."""
        if self._made is None:
            searched = self._rule.searched(self._page)
            pages, guess = self._pages, None
            near: tuple[Waymark | None, Waymark | None] = (None, None)
            if pages is not None and is_deep(searched):
                guess = pages.recall(self._listed(), searched.offset)
                near = pages.near(self._listed(), searched.offset) if guess is None else near
            rule = self._rule
            self._made = PageSearch(
                rule.dialect,
                searched,
                self._shards,
                guess,
                near=near,
                is_total=rule.tie is not None,
                likely=rule.first_pages == "likely",
            )
        return self._made

    def asks(self) -> Sequence[Ask]:
        """The next request to each shard: the client's own, where its page cannot be read or is to be refused."""
        if self._short is not None and self._made is None:
            return self._short.asks(self._shards)
        query = self._query
        if self._behind is not None:
            return as_it_came(query.request, self._with_lists()[:1])
        if query.order is None or self._past_end or self._redirected or (query.is_empty and not self._asks_sizes):
            return as_it_came(query.request, self._shards)
        wanted = self._search.wanted()
        # A client may name any limit: what no list has counts as the most that is merged, or the sum would overflow.
        self._rows_asked += sum([min(block.count or 0, WHOLE_ROWS_MAX) for block in wanted])
        return query.asks(wanted, narrowing=self._search.narrowing)

    def ahead(self) -> Sequence[Ask]:
        """The requests that follow those of `asks`, as far as they are known already: all can be sent at once."""
        if self._made is None or self._made.plain or not self._made.narrowing or self._redirected or self._past_end:
            return ()
        return self._query.asks(self._made.ahead(), narrowing=True)

    def take(self, replies: Mapping[ShardId, Reply]) -> Reply | Sequence[Ask]:
        """The merged reply, or the next round.

        Raises BrokenReplyError, OrderBrokenError, or UnreadablePageError where the shards accept what the rule
        cannot read.
        """
        if (reply := self.at_once(replies)) is not None:
            return reply
        answered = [shard for shard in self._shards if shard in replies]
        rule = self._rule
        if self._redirected:
            return redirect([replies[shard] for shard in answered], rule.dialect.accepted, answered)
        refusal = unite([replies[shard] for shard in answered], rule.dialect.accepted, rule.not_here, answered)
        if refusal is not None:
            return self._refused(refusal)
        order = self._query.order
        if order is None:
            raise self._query.unreadable()
        if self._behind is not None:
            return self._written_behind(self._behind, replies[answered[0]])
        if self._past_end:
            log = f"offset {self._page.offset}, size of the whole list {self._total()}, expected a refusal"
            raise BrokenReplyError("a shard gives a page that is behind the end of the whole list", log=log)
        try:
            self._read(answered, replies)
            return self._next(order)
        except ChangedError:
            self._search.begin_again()
            return self.asks()

    def _refused(self, refusal: Reply) -> Reply | Sequence[Ask]:
        if is_redirect(refusal) and not (self._query.order is None or self._past_end or self._query.is_empty):
            self._redirected, self._short = True, None
            return self.asks()
        total = self._total() if self._past_end else None
        return refusal if total is None else self._rule.dialect.refused(refusal, total)

    @property
    def rows_asked(self) -> int:
        """How many rows all shards together were asked for; 0: all rows, or none."""
        if self._made is None and self._short is not None:
            return min(self._short.rows, WHOLE_ROWS_MAX) * len(self._shards)
        return self._rows_asked if self._page.limit is not None else 0

    @property
    def is_short(self) -> bool:
        """Whether one round probably gives the page, and it is short enough to be merged at once."""
        return self._short is not None and self._made is None and not self.may_flow

    def at_once(self, replies: Mapping[ShardId, Reply]) -> Reply | None:
        """The merged reply by the short way; None: `take` decides."""
        if self._short is None or self._made is not None:
            return None
        merged = self._short.merged(self._query.request, self._shards, replies)
        if merged is None:
            return None
        reply, self._shown = merged
        return reply

    def _read(self, answered: Sequence[ShardId], replies: Mapping[ShardId, Reply]) -> None:
        """Take in each shard's rows. Raises ChangedError, and BrokenReplyError, which then names the shard."""
        shard: ShardId = ""
        dialect, nothing, unlisted = self._rule.dialect, self._rule.not_here, self._rule.no_rows != "list"
        asked_on = self._search.asks_on
        try:
            for shard in answered:
                reply = replies[shard]
                if asked_on:  # the page is made of the replies before
                    has_nothing = (nothing or unlisted) and self._has_nothing(reply)
                    self._search.take(shard, NO_ROWS if has_nothing else dialect.open(reply))
                    continue
                if (nothing or unlisted) and self._has_nothing(reply):
                    self._empty, self._notes.nothing = [*self._empty, shard], reply
                    self._search.take(shard, NO_ROWS)
                    continue
                self._replies[shard] = reply
                if unlisted:
                    self._replies[shard] = reply = self._listed_in(reply)
                    (self._notes.completed.discard if reply is replies[shard] else self._notes.completed.add)(shard)
                listing = dialect.open(reply)
                if listing.total is None and not listing.rows.strip(b" \t\r\n[]nul") and self._has_no_rows(listing):
                    self._notes.rowless.add(shard)
                if listing.extra:
                    self._extras.append(listing.extra)
                    self._notes.with_extra.add(shard)
                elif self._noted is not None:
                    self._noted.with_extra.discard(shard)
                if listing.document is not None:
                    self._notes.documents[shard] = listing.document
                self._search.take(shard, listing)
        except UpstreamError as error:
            error.shard = shard
            raise

    def _has_nothing(self, reply: Reply) -> bool:
        """Whether the shard says that it has no rows, by its status or without a body."""
        if reply.status not in self._rule.dialect.accepted:
            return reply.status in self._rule.not_here
        return self._rule.no_rows != "list" and is_bodiless(reply, self._rule.no_rows, self._rule.items)

    def _listed_in(self, reply: Reply) -> Reply:
        """The reply with a list, whichever way the application writes one without rows."""
        found = with_list(reply, self._rule.no_rows, self._rule.items)
        if found is not reply:
            self._notes.as_list = self._notes.as_list or False
        elif not self._rule.dialect.open(reply).rows.strip(b" \t\r\n[]nul"):
            self._notes.as_list = True
        return found

    def _has_no_rows(self, listing: Listing) -> bool:
        """Whether a shard that gives no row, and states no size, has none: it was asked from its first row on, or it
        writes `null` for the size that others state."""
        total = self._rule.members[1] if listing.document is not None and self._rule.members else None
        is_null = total is not None and listing.document.raw(total) == b"null"
        return is_null or (self._page.limit != 0 and self._search.plain)

    def _with_lists(self) -> Sequence[ShardId]:
        """The shards that have answered with a list, first those that wrote one; all, before any has."""
        found = [shard for shard in self._shards if shard in self._replies] or self._shards
        return sorted(found, key=self._notes.completed.__contains__) if self._notes.completed else found

    def _shown_by(self, shards: Sequence[ShardId], *, has_rows: bool) -> ShardId:
        """The shard around whose reply the page is written: where it has rows, one that shows how those are."""
        if has_rows and self._noted is not None:
            return next((shard for shard in shards if shard in self._notes.with_extra), shards[0])
        return shards[0]

    @property
    def page(self) -> Page:
        """The page that the request asks for."""
        return self._page

    @property
    def total(self) -> int | None:
        """The size of the whole list, once it was stated; None: not stated. Raises BrokenReplyError."""
        return self._total()

    @property
    def is_past_end(self) -> bool:
        """Whether the page begins behind the last row, and the application does not give an empty page then."""
        return self._past_end

    @property
    def was_searched(self) -> bool:
        """Whether the rows that were read depend on what was known of the list: the page is searched for."""
        return self._made is not None and not self._made.plain

    @property
    def may_flow(self) -> bool:
        """Whether the rows may pass while they arrive, as far as it is known before the shards are query."""
        limit = self._page.limit
        if self._rule.no_rows != "list":
            return False
        is_short = limit is not None and self._page.offset + limit < FLOW_ROWS_MIN
        return not is_short and self._rule.dialect.streamable != "never" and self.is_plain

    @property
    def trims(self) -> bool:
        """Whether members are taken out of each row."""
        return bool(self._query.added)

    def flow(self, heads: Mapping[ShardId, Reply]) -> tuple[Reply, Flow] | None:
        """The head of the merged reply, and the flow that makes its body while those of the shards arrive.

        None where the replies must be whole first. Raises BrokenReplyError.
        """
        dialect, page = self._rule.dialect, self._page
        if any(head.status not in dialect.accepted for head in heads.values()):
            return None
        for shard, head in heads.items():
            with of_shard(shard):
                stated = dialect.open(head).total
            if stated is not None:
                self._search.totals[shard] = stated
        if 0 < len(self._search.totals) < len(self._shards):  # one without rows may state no size
            return None
        total = self._total()
        shown = 0 if total is None else max(0, min(total - page.offset, total if page.limit is None else page.limit))
        if total is None and dialect.streamable != "always":
            return None
        if total is not None and not shown:  # nothing shows yet how an empty list is written
            return None
        more = total is not None and page.offset + shown < total
        end = None if page.limit is None else page.offset + page.limit
        sizes = self._search.totals.values()
        stated = sum([size if end is None else min(size, end) for size in sizes]) if sizes else None
        reply = self._query.merged(b"", shown, total, more=more, reply=heads[self._shards[0]])
        promised = shown if dialect.streamable == "with_total" else None
        self._flow = self._query.flow(self._shards, promised, stated)
        return reply, self._flow

    def take_in_steps(self, replies: Mapping[ShardId, Reply]) -> Generator[None, None, Reply | Sequence[Ask]]:
        """The same as `take`, for long replies: other work can be done between two steps.

        Reading the object around the rows is one step, however long it is, and so is writing it.
        """
        dialect, page = self._rule.dialect, self._page
        if (
            not self.is_plain
            or self._rule.no_rows != "list"
            or any(reply.status not in dialect.accepted for reply in replies.values())
        ):
            return self.take(replies)
        flow, written, extras = self._query.flow(self._shards, None), list[bytes](), list[bytes]()
        told: dict[ShardId, bool] = {}
        yield from self._opened(replies, flow, told, extras)
        total = self._total()
        if self._query.is_past(total):
            return self.take(replies)
        while (data := flow.advance()) is not None:
            written.append(data)
            yield
        end = None if page.limit is None else page.offset + page.limit
        given = [(Block(shard, 0, end), count) for shard, count in flow.counts.items()]
        if (not flow.written and page.limit != 0) or may_have_more(given, self._search.totals, told):
            return self.take(replies)
        more = True in told.values()
        self._flow = flow
        self.flowed()
        if total is not None:
            more = page.offset + flow.written < total
        else:
            more = more or (page.limit is not None and flow.read > page.offset + page.limit)
        shown_by = self._shown_by(self._shards, has_rows=bool(flow.written))
        first = self._query.surrounded(replies[shown_by], self._around)
        rows = b"".join(written)
        return self._query.merged(rows, flow.written, total, more=more, reply=first, extras=tuple(extras))

    def _opened(
        self, replies: Mapping[ShardId, Reply], flow: Flow, told: dict[ShardId, bool], extras: list[bytes]
    ) -> Generator[None, None, None]:
        """Give each reply's rows to the flow, and note what else it says: a reply is one step."""
        dialect = self._rule.dialect
        for shard in self._shards:
            with of_shard(shard):
                listing = dialect.open(replies[shard])
            if listing.total is not None:
                self._search.totals[shard] = listing.total
            if listing.more is not None:
                told[shard] = listing.more
            if listing.extra:
                extras.append(listing.extra)
                self._notes.with_extra.add(shard)
            if listing.document is not None:
                self._notes.documents[shard] = listing.document
            flow.feed(shard, listing.rows)
            flow.end(shard)
            yield

    def flowed(self) -> None:
        """All rows have passed: remember where the next page begins."""
        flow, limit = self._flow, self._page.limit
        if flow is not None and limit is not None and flow.read > self._page.offset + limit and self._remembers:
            self._remember(flow.passed)

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
        if self._search.narrowing:
            lines.append("it is deep: blocks like these find where it begins on each shard, before it is fetched")
        lines.append(self._search.cost())
        if self._rule.dedupe is not None:
            lines.append("every list is read whole: a row that several shards have is shown and counted once")
        if self.trims:
            added = ", ".join(self._query.added)
            lines.append(f"{added}: asked for to sort by or to compare, taken out of each row again")
        return lines

    def _next(self, order: Order) -> Reply | Sequence[Ask]:
        """What follows from the replies so far. Raises ChangedError, BrokenReplyError, OrderBrokenError."""
        found = self._search.advance(self._query.ranked)
        if found is None:
            return self.asks()
        tables, skip = found
        ranked = tables.ranking.sorted()
        total = self._total()
        if self._rule.dedupe is not None:
            ranked, skip = self._distinct(self._rule.dedupe, tables, ranked), self._page.offset
            total = None if total is None else len(ranked)
        if self._query.is_past(total):
            self._past_end = True
            return self.asks()
        if self._asks_sizes and total is None:  # only the shards can tell whether the page is behind the end
            self._asks_sizes = False
            return self.asks()
        return self._reply(order, tables, ranked, skip, total)

    def _distinct(self, dedupe: Dedupe, tables: Tables, ranked: Sequence[int]) -> list[int]:
        check_whole(len(ranked))
        try:
            return distinct(dedupe, self._rule.sort_keys, tables, ranked, self._shards)
        except (ValueError, msgspec.DecodeError) as error:
            names = " or ".join(dedupe.names)
            log = f"{error}; expected {names}, by which rows of several shards are compared"
            raise BrokenReplyError(
                "a shard's row lacks a property that copies of rows are found by", log=log
            ) from error

    def _written_behind(self, behind: "_Behind", reply: Reply) -> Reply | Sequence[Ask]:
        """The page behind the last row, empty as a shard writes it. Raises BrokenReplyError."""
        self._behind = None
        self._notes.knows_empty = True
        if self._rule.no_rows != "list":
            if self._has_nothing(reply):
                return reply
            reply = self._listed_in(reply)
        if seen(self._rule, [cut(self._rule.dialect.open(reply).rows)]) is None:  # rows have come meanwhile
            self._notes.knows_empty = False
            self._search.begin_again()
            return self.asks()
        return self._reply(*behind)

    def _reply(
        self, order: Order, tables: Tables, ranked: Sequence[int], skip: int, total: int | None
    ) -> Reply | Sequence[Ask]:
        query, page = self._query, self._page
        if tables.raw and (query.is_empty or page.limit == 0):
            log = f"{len(tables.raw)} rows, expected none at offset {page.offset} with limit {page.limit}"
            raise BrokenReplyError("a shard gives rows where the page has none", log=log)
        end = None if page.limit is None else skip + page.limit
        chosen = ranked[skip:end]
        tie = order.tie
        if tie is not None and len(chosen) <= LEARNED_ROWS_MAX:
            values = tables.ranking.values
            self._shown = [(str(values[n][tie]), tables.owners[n]) for n in chosen]
        if end is not None and self._remembers:
            self._learn_places(tables, ranked, skip, end)
        rows = [tables.raw[n] for n in chosen]
        if query.added:
            rows = [without(row, query.added) for row in rows]
        if total is None:
            more = self._search.more or (end is not None and len(ranked) > end)
        else:
            more = page.offset + len(rows) < total
        if not self._replies:  # no shard has a list: what the first of them says
            return self._notes.nothing
        reply = self._replies[self._shown_by(self._with_lists(), has_rows=bool(rows))]
        samples = tables.samples
        if not rows:
            samples = [sample for sample in samples if sample is not NOT_ASKED]
            if not samples:
                samples = [cut(self._rule.dialect.open(reply).rows)]
            written = seen(self._rule, samples)
            # An application that says by its status that there is nothing may say so of an empty page, too.
            says_so = bool(self._rule.not_here) or (self._rule.no_rows != "list" and self._notes.as_list is None)
            if (written is None or (says_so and not self._notes.knows_empty)) and page.limit != 0:
                self._behind = _Behind(order, tables, ranked, skip, total)
                return self.asks()
            samples = samples if written is None else [written]
        body, reply = join(rows, samples), query.surrounded(reply, self._around)
        extras, as_list = tuple(self._extras), bool(self._notes.as_list)
        return query.merged(body, len(rows), total, more=more, reply=reply, extras=extras, as_list=as_list)

    @property
    def _around(self) -> list[JsonObject]:
        """The objects around the rows, as the shards wrote them."""
        return [self._notes.documents[shard] for shard in self._shards if shard in self._notes.documents]

    def _learn_places(self, tables: Tables, ranked: Sequence[int], skip: int, end: int) -> None:
        """Remember where the page began, if it was searched for, and where the next one begins."""
        search, pages, listed = self._search, self._pages, self._listed()
        if pages is None:
            return
        if search.was_wrong:
            pages.forget(listed, self._page.offset)
        positions = tables.starts()
        for n in ranked[:skip]:
            positions[tables.owners[n]] += 1
        if search.searched and len(ranked) > skip:
            pages.learn(listed, self._page.offset, positions)
        if len(ranked) > end:
            for n in ranked[skip:end]:
                positions[tables.owners[n]] += 1
            self._remember(positions)

    @property
    def _remembers(self) -> bool:
        """Whether it is worth remembering where the next page begins: it is deep."""
        offset, limit = self._page.offset, self._page.limit
        return self._pages is not None and is_deep(Page(offset + (limit or 0), limit, (), None))

    def _remember(self, positions: Mapping[ShardId, int]) -> None:
        """The next page begins behind so many rows of each shard."""
        if self._pages is not None:
            self._pages.learn(self._listed(), self._page.offset + (self._page.limit or 0), positions)

    def _listed(self) -> str:
        return self._rule.dialect.unpaged(self._query.request)

    @property
    def is_plain(self) -> bool:
        """Whether one request to each shard gives all rows of the page, and nothing is to be refused."""
        if self._short is not None and self._made is None:
            return True
        return (
            self._query.order is not None
            and not (self._query.is_empty or self._past_end)
            and self._page.limit != 0
            and self._rule.dedupe is None
            and self._rule.tie is not None
            and self._search.plain
            and not self._search.asks_on
            and self._rule.dialect.cover(0, None) == (0, None)
        )

    def _total(self) -> int | None:
        if self._notes.rowless and self._search.totals:
            for shard in self._notes.rowless:
                self._search.totals.setdefault(shard, 0)
        if not self._empty:
            return whole_total(self._search.totals, self._shards)
        # A shard that has nothing states no size, also where the application does.
        asked = [shard for shard in self._shards if shard not in self._empty]
        return whole_total(
            {shard: self._search.totals[shard] for shard in asked if shard in self._search.totals}, asked
        )
