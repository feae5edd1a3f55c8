"""A sorted list in which rows may be in parts on several shards: each is shown as one row, in its place, counted once.

The ids with parts are known. Their parts are read first; then which of them pass the list's filters; then the shards'
rows around the page, parts among them, from which parted_page.py makes the page.

Holds: rows of an id on shards that have no part of it are leftovers of an undone change: they are taken out.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from urllib.parse import quote_plus

from shardgate.core.contracts import Ask, Listing, Merging, Page, as_it_came
from shardgate.core.dialect.offset import Offset
from shardgate.core.errors import BrokenReplyError
from shardgate.core.failures.of_shard import of_shard
from shardgate.core.http import Reply, Request
from shardgate.core.json.array import Rows, cut, join, without
from shardgate.core.lists.cut_short import refuse_cut
from shardgate.core.lists.list_query import ListQuery
from shardgate.core.lists.parted_page import page_out_of, window_of
from shardgate.core.lists.rule import ALL_ROWS, ListRule
from shardgate.core.lists.selection import Block
from shardgate.core.order.keyed_rows import KeyedRow, by_key, keyed
from shardgate.core.order.order import Order
from shardgate.core.paging.query import name_of, pairs_of
from shardgate.core.parts.whole import ListParts
from shardgate.core.replies.refusals import is_redirect, redirect, unite
from shardgate.core.topology import ShardId

# 150 ids of 32 characters: a target of 5 KB, which every server takes.
IDS_AT_ONCE = 150

Rounds = Generator[Sequence[Ask], Mapping[ShardId, Reply], Reply]
RowsRead = Generator[Sequence[Ask], Mapping[ShardId, Reply], list[KeyedRow]]


class _RefusedError(Exception):
    """The shards refuse: one reply stands for all."""

    def __init__(self, reply: Reply) -> None:
        super().__init__()
        self.reply = reply


class PartedListMerging:
    """One request's list under way."""

    __slots__ = (
        "_asks",
        "_begin",
        "_page",
        "_parted",
        "_parts",
        "_query",
        "_redirected",
        "_rounds",
        "_rule",
        "_shards",
    )

    def __init__(
        self,
        rule: ListRule,
        parts: ListParts,
        request: Request,
        shards: Sequence[ShardId],
        parted: Mapping[str, Sequence[ShardId]],
        begin: Callable[[Request], Merging],
    ) -> None:
        """`parted`: the ids with parts → the shards that may have one. `begin` merges a list without parts."""
        query = ListQuery(rule, request)
        self._query, self._rule, self._parts, self._shards, self._begin = query, rule, parts, shards, begin
        self._page = query.page
        self._redirected = False
        self._parted = parted
        self._rounds = self._run(query.order)
        self._asks = next(self._rounds)

    def asks(self) -> Sequence[Ask]:
        """The first calls."""
        return self._asks

    def take(self, replies: Mapping[ShardId, Reply]) -> Reply | Sequence[Ask]:
        """The merged reply, or the next round. Raises BrokenReplyError, OrderBrokenError."""
        if self._redirected:
            answered = [shard for shard in self._shards if shard in replies]
            return redirect([replies[shard] for shard in answered], self._rule.dialect.accepted, answered)
        try:
            return self._rounds.send(replies)
        except StopIteration as end:
            reply: Reply = end.value
        if reply.status >= 300 and is_redirect(reply):
            self._redirected = True
            return as_it_came(self._query.request, self._shards)
        return reply

    def learned(self) -> Sequence[tuple[str, ShardId]]:
        """Nothing: a row in parts belongs to several shards."""
        return ()

    def explain(self) -> Sequence[str]:
        """How the page is made."""
        by = self._parts.ids or "whole lists"
        first = f"rows in parts are read by {by}, and put together first"
        return [first, *self._begin(self._query.request).explain()]

    def _run(self, order: Order | None) -> Rounds:
        """All rounds: each `yield` gives the calls to make, and takes their replies."""
        request = self._query.request
        try:
            if self._parts.ids is None and order is not None:
                return (yield from self._all_joined(order))
            # A page that cannot be read, or that the application may refuse, is sent as it came.
            plain = order is None or self._page.limit == 0 or self._query.is_empty
            ids = [] if plain else self._wanted(list(self._parted))
            if order is None or not ids:
                return (yield from self._plainly(request))
            parts = yield from self._read(order, ids, self._only_sorted(), self._fields(order, self._parts.names))
            matched = yield from self._read(order, ids, request, self._fields(order, ()))
            if not matched:
                return (yield from self._plainly(request))
            shown = {row.id for row in matched if self._has_part(row)}
            wholes = self._wholes(order, [row for row in parts if row.id in shown and self._has_part(row)])
            start, count = window_of(self._page, len(wholes), len(matched))
            fields = self._fields(order, ())
            window = Page(start, count, order.by, fields)
            reply = yield from self._plainly(self._for_page(request, window, fields))
            if reply.status not in self._rule.dialect.accepted:
                return reply
            listing = self._rule.dialect.open(reply)
            rows = cut(listing.rows)
            page = page_out_of(self._page, window, keyed(order, rows), matched, wholes, listing.total)
            return self._reply(order, page.rows, [rows], page.total, reply)
        except _RefusedError as error:
            return error.reply
        except (ValueError, TypeError, ArithmeticError) as error:
            raise BrokenReplyError("the parts of a row cannot be put together", log=str(error)) from error

    def _plainly(self, request: Request) -> Rounds:
        """The list as one without parts."""
        inner = self._begin(request)
        asks = inner.asks()
        while True:
            outcome = inner.take((yield asks))
            if isinstance(outcome, Reply):
                return outcome
            asks = outcome

    def _all_joined(self, order: Order) -> Rounds:
        """Every list is read whole: any of its rows may be in parts."""
        page, dialect, fields = self._page, self._rule.dialect, self._fields(order, self._parts.names)
        whole = self._for_page(self._query.request, Page(0, ALL_ROWS, order.by, fields), fields)
        replies = yield [Ask(shard, whole.target) for shard in self._shards]
        ordered = [replies[shard] for shard in self._shards]
        if (refusal := unite(ordered, dialect.accepted)) is not None:
            return refusal
        listings, tables, parts = list[Listing](), list[Rows](), list[KeyedRow]()
        for shard, reply in zip(self._shards, ordered, strict=True):
            with of_shard(shard):
                listings.append(dialect.open(reply))
                tables.append(_all_of(shard, listings[-1]))
                parts += keyed(order, tables[-1], shard)
        rows = self._wholes(order, parts)
        total = None if listings[0].total is None else len(rows)
        end = None if page.limit is None else page.offset + page.limit
        return self._reply(order, rows[page.offset : end], tables, total, ordered[0])

    def _reply(
        self, order: Order, rows: Sequence[KeyedRow], samples: Sequence[Rows], total: int | None, reply: Reply
    ) -> Reply:
        page, chosen = self._page, [row.raw for row in rows]
        shown = {*(page.fields or ()), *self._rule.dialect.fields_always}
        surplus = set(self._fields(order, self._parts.names) or ()) - shown
        if surplus:
            chosen = [without(raw, surplus) for raw in chosen]
        more = total is not None and page.offset + len(chosen) < total
        return self._query.merged(join(chosen, samples), len(chosen), total, more=more, reply=reply)

    def _read(self, order: Order, ids: Sequence[str], request: Request, fields: tuple[str, ...] | None) -> RowsRead:
        """The rows of these ids on all shards, sorted and filtered as the request says."""
        found: list[KeyedRow] = []
        for start in range(0, len(ids), IDS_AT_ONCE):
            named = quote_plus(",".join(ids[start : start + IDS_AT_ONCE]), safe=",")
            kept = [each for each in request.query.split("&") if each and name_of(each) != self._parts.ids]
            filtered = request.asking(query="&".join([*kept, f"{self._parts.ids}={named}"]))
            target = self._for_page(filtered, Page(0, ALL_ROWS, order.by, fields), fields).target
            replies = yield [Ask(shard, target) for shard in self._shards]
            ordered = [replies[shard] for shard in self._shards]
            if (refusal := unite(ordered, self._rule.dialect.accepted)) is not None:
                raise _RefusedError(refusal)
            for shard, reply in zip(self._shards, ordered, strict=True):
                with of_shard(shard):
                    found += keyed(order, _all_of(shard, self._rule.dialect.open(reply)), shard)
        return found

    def _has_part(self, row: KeyedRow) -> bool:
        return row.shard in self._parted[row.id]

    def _for_page(self, request: Request, page: Page, fields: tuple[str, ...] | None) -> Request:
        """The request for another page."""
        target, _ = self._rule.dialect.ask(request, page, fields)
        return request.asking(target=target, query=target.decode().partition("?")[2])

    def _only_sorted(self) -> Request:
        """The request without its filters."""
        dialect, request = self._rule.dialect, self._query.request
        sorting = {dialect.order, dialect.direction} if isinstance(dialect, Offset) else set()
        kept = [each for each in request.query.split("&") if name_of(each) in sorting]
        return request.asking(query="&".join(kept))

    def _wanted(self, parted: Sequence[str]) -> Sequence[str]:
        """The ids with parts that the request may show."""
        pairs = pairs_of(self._query.request.query)
        named = [value.split(",") for name, value in pairs if name == self._parts.ids]
        known = set(parted)
        return parted if len(named) != 1 else [each for each in dict.fromkeys(named[0]) if each in known]

    def _fields(self, order: Order, more: Sequence[str]) -> tuple[str, ...] | None:
        """The properties to ask for: the client's, those to sort by, and more; None: all."""
        if self._page.fields is None:
            return None
        return tuple(dict.fromkeys([*self._page.fields, *order.properties, *more]))

    def _wholes(self, order: Order, parts: Sequence[KeyedRow]) -> list[KeyedRow]:
        """The parts of each id as one row, in the order of the list."""
        by_id: dict[str, list[bytes]] = {}
        for part in parts:
            by_id.setdefault(part.id, []).append(bytes(part.raw))
        whole = [self._parts.whole(raws) for raws in by_id.values()]
        return sorted([row for raw in whole for row in keyed(order, cut(b"[%b]" % raw))], key=by_key)


def _all_of(shard: ShardId, listing: Listing) -> Rows:
    """The rows of a reply that must have all rows. Raises BrokenReplyError where it says that it has not."""
    rows = cut(listing.rows)
    refuse_cut(Block(shard, 0, ALL_ROWS), len(rows.raw), listing)
    return rows
