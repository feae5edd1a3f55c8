"""Which round of requests comes next, until the rows of a page are there.

page_search.py decides which rows of each shard are read, list_query.py writes the requests, list_replies.py takes in
the replies. Here stands what else may follow: the client's own request, where its page cannot be read, is behind the
end or is redirected; a request that shows how an empty list is written; a search that begins anew.

Holds: a page that cannot be read is sent to the shards as it came, for them to refuse.
Never: makes a page (merging.py does).
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from shardgate.core.contracts import Ask, PageMemory, as_it_came
from shardgate.core.errors import BrokenReplyError
from shardgate.core.http import Reply
from shardgate.core.json.array import cut
from shardgate.core.limits import WHOLE_ROWS_MAX
from shardgate.core.lists.distinct import Dedupe, distinct
from shardgate.core.lists.empties import seen
from shardgate.core.lists.list_query import ListQuery
from shardgate.core.lists.list_replies import ListReplies
from shardgate.core.lists.page_search import PageSearch
from shardgate.core.lists.places import Places
from shardgate.core.lists.selection import ChangedError
from shardgate.core.lists.tables import Tables
from shardgate.core.paging.bounds import check_whole
from shardgate.core.replies.refusals import is_redirect, redirect, unite
from shardgate.core.topology import ShardId


class PageRows(NamedTuple):
    """The rows that hold a page."""

    tables: Tables
    ranked: Sequence[int]
    """The numbers of the rows, in the merged order."""
    skip: int
    """How many of them stand before the page."""
    total: int | None
    """The size of the whole list; None: not stated."""


class ListRounds:
    """The rounds of one request."""

    __slots__ = (
        "_asks_sizes",
        "_behind",
        "_made",
        "_query",
        "_redirected",
        "_shards",
        "heard",
        "past_end",
        "places",
        "rows_asked",
    )

    def __init__(self, query: ListQuery, shards: Sequence[ShardId], pages: PageMemory | None) -> None:
        rule = query.rule
        self._query = query
        self._shards = shards
        self._asks_sizes = query.is_empty and query.page.limit == 0 and isinstance(rule.dialect.past_end, int)
        self._behind: PageRows | None = None
        self._redirected = False
        self._made: PageSearch | None = None
        self.heard = ListReplies(rule, shards)
        self.places = Places(rule.dialect, query.request, query.page, None if rule.dedupe is not None else pages)
        self.past_end = False
        """Whether the page begins behind the last row, and the application does not give an empty page then."""
        self.rows_asked = 0
        """How many rows all shards together were asked for."""

    @property
    def search(self) -> PageSearch:
        """Where the page is."""
        if self._made is None:
            rule = self._query.rule
            searched = rule.searched(self._query.page)
            guess, near = self.places.known(searched)
            is_total, likely = rule.tie is not None, rule.first_pages == "likely"
            self._made = PageSearch(
                rule.dialect, searched, self._shards, guess, near=near, is_total=is_total, likely=likely
            )
        return self._made

    @property
    def is_searched(self) -> bool:
        """Whether the rows that were read depend on what was known of the list."""
        return self._made is not None and not self._made.plain

    @property
    def total(self) -> int | None:
        """The size of the whole list, once it was stated; None: not stated. Raises BrokenReplyError."""
        return self.heard.total(self.search.totals)

    def asks(self) -> Sequence[Ask]:
        """The next request to each shard: the client's own, where its page cannot be read or is to be refused."""
        query = self._query
        if self._behind is not None:
            return as_it_came(query.request, self.heard.with_lists()[:1])
        if query.order is None or self.past_end or self._redirected or (query.is_empty and not self._asks_sizes):
            return as_it_came(query.request, self._shards)
        search = self.search
        wanted = search.wanted()
        # A client may name any limit: what no list has counts as the most that is merged, or the sum would overflow.
        self.rows_asked += sum([min(block.count or 0, WHOLE_ROWS_MAX) for block in wanted])
        return query.asks(wanted, narrowing=search.narrowing)

    def ahead(self) -> Sequence[Ask]:
        """The requests that follow those of `asks`, as far as they are known already: all can be sent at once."""
        if self._made is None or self._made.plain or not self._made.narrowing or self._redirected or self.past_end:
            return ()
        return self._query.asks(self._made.ahead(), narrowing=True)

    def take(self, replies: Mapping[ShardId, Reply]) -> Reply | Sequence[Ask] | PageRows:
        """A refusal, the next round, or the rows that hold the page.

        Raises BrokenReplyError, OrderBrokenError, or UnreadablePageError where the shards accept what the rule
        cannot read.
        """
        answered = [shard for shard in self._shards if shard in replies]
        query = self._query
        rule, page = query.rule, query.page
        given = [replies[shard] for shard in answered]
        if self._redirected:
            return redirect(given, rule.dialect.accepted, answered)
        refusal = unite(given, rule.dialect.accepted, rule.not_here, answered)
        if refusal is not None:
            return self._refused(refusal)
        if query.order is None:
            raise query.unreadable()
        if self._behind is not None:
            return self._told(self._behind, given[0])
        if self.past_end:
            log = f"offset {page.offset}, size of the whole list {self.total}, expected a refusal"
            raise BrokenReplyError("a shard gives a page that is behind the end of the whole list", log=log)
        try:
            self.heard.read(self.search, answered, replies, sized=page.limit != 0)
            return self._next()
        except ChangedError:
            return self._begin_again()

    def ask_how_empty(self, found: PageRows) -> Sequence[Ask]:
        """Ask one shard: the page is behind the last row, and nothing shows how an empty list is written."""
        self._behind = found
        return self.asks()

    def _begin_again(self) -> Sequence[Ask]:
        self.search.begin_again()
        return self.asks()

    def _refused(self, refusal: Reply) -> Reply | Sequence[Ask]:
        if is_redirect(refusal) and not (self._query.order is None or self.past_end or self._query.is_empty):
            self._redirected = True
            return self.asks()
        total = self.total if self.past_end else None
        return refusal if total is None else self._query.rule.dialect.refused(refusal, total)

    def _next(self) -> Sequence[Ask] | PageRows:
        """What follows from the replies so far. Raises ChangedError, BrokenReplyError, OrderBrokenError."""
        query = self._query
        found = self.search.advance(query.ranked)
        if found is None:
            return self.asks()
        tables, skip = found
        ranked = tables.ranking.sorted()
        total, dedupe = self.total, query.rule.dedupe
        if dedupe is not None:
            ranked, skip = self._distinct(dedupe, tables, ranked), query.page.offset
            total = None if total is None else len(ranked)
        if query.is_past(total):
            self.past_end = True
            return self.asks()
        if self._asks_sizes and total is None:  # only the shards can tell whether the page is behind the end
            self._asks_sizes = False
            return self.asks()
        return PageRows(tables, ranked, skip, total)

    def _distinct(self, dedupe: Dedupe, tables: Tables, ranked: Sequence[int]) -> list[int]:
        check_whole(len(ranked))
        try:
            return distinct(dedupe, self._query.rule.sort_keys, tables, ranked, self._shards)
        except (ValueError, msgspec.DecodeError) as error:
            names = " or ".join(dedupe.names)
            log = f"{error}; expected {names}, by which rows of several shards are compared"
            raise BrokenReplyError(
                "a shard's row lacks a property that copies of rows are found by", log=log
            ) from error

    def _told(self, behind: PageRows, reply: Reply) -> Reply | Sequence[Ask] | PageRows:
        """The page behind the last row, now that a shard has written an empty one. Raises BrokenReplyError."""
        self._behind = None
        rule, heard = self._query.rule, self.heard
        heard.knows_empty = True
        if rule.no_rows != "list":
            if heard.has_nothing(reply):
                return reply
            reply = heard.listed_in(reply)
        if seen(rule, [cut(rule.dialect.open(reply).rows)]) is None:  # rows have come meanwhile
            heard.knows_empty = False
            return self._begin_again()
        return behind
