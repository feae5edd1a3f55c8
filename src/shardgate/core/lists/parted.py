"""A sorted list some rows of which are in parts on several shards: each is one row, in its place, and counted once.

Which ids have parts is known. Their parts are read first, then which of them the list's filters let through; then the
shards' rows around the page, the parts among them. The parts are taken out, the whole rows put in where they belong:

    a  P1  b  c  P2  d     the shards' rows, merged: from where no row of the page can be missed
    a  b  c  P  d          without the parts, with the whole; the page is cut out of this

Holds: the page is exact at any depth, if the filters let a part through only where they let the whole through, and
the whole where they let any part through.
"""

from bisect import bisect_left
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, quote_plus

import msgspec

from shardgate.core.contracts import UNKNOWN, Ask, Merged, Merging, Page
from shardgate.core.dialect.offset import Offset
from shardgate.core.errors import BrokenReplyError
from shardgate.core.http import Reply, Request
from shardgate.core.json.array import Rows, cut, join, without
from shardgate.core.lists.rule import ALL_ROWS, ListRule
from shardgate.core.order.ranking import Order, Ranking
from shardgate.core.order.sort_key import sort_key
from shardgate.core.paging.parameters import name_of
from shardgate.core.parts.whole import ListParts
from shardgate.core.replies.refusals import unite
from shardgate.core.topology import ShardId

# 150 ids of 32 characters: a target of 5 KB, which every server takes.
IDS_AT_ONCE = 150

Rounds = Generator[Sequence[Ask], Mapping[ShardId, Reply], Reply]
RowsRead = Generator[Sequence[Ask], Mapping[ShardId, Reply], list["KeyedRow"]]


class KeyedRow(msgspec.Struct, frozen=True):
    """A row, by what it is told apart and by what it is sorted; keys compare."""

    id: str
    shard: ShardId
    key: Any
    raw: msgspec.Raw


class _RefusedError(Exception):
    """The shards refuse: the reply stands for all."""

    def __init__(self, reply: Reply) -> None:
        super().__init__()
        self.reply = reply


class PartedListMerging:
    """One request's list under way. `begin` starts the merge of a list without parts."""

    __slots__ = (
        "_asks",
        "_begin",
        "_order",
        "_page",
        "_parted",
        "_parts",
        "_request",
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
        page = rule.dialect.read(request)
        order = None if page is UNKNOWN else rule.order(page)
        self._rule, self._parts, self._request, self._shards, self._begin = rule, parts, request, shards, begin
        self._page = Page(0, 0, (), None) if page is UNKNOWN or order is None else page
        self._order: Order = order or ()
        self._parted = parted
        # What the rule cannot read, or the application may refuse, goes as it came.
        plain = order is None or self._page.limit == 0 or rule.is_empty(self._page)
        self._rounds = self._run([] if plain else self._wanted(list(parted)))
        self._asks = next(self._rounds)

    def asks(self) -> Sequence[Ask]:
        """The first calls."""
        return self._asks

    def take(self, replies: Mapping[ShardId, Reply]) -> Reply | Sequence[Ask]:
        """The merged reply, or the next round. Raises BrokenReplyError, OrderBrokenError."""
        try:
            return self._rounds.send(replies)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]

    def learned(self) -> Sequence[tuple[str, ShardId]]:
        """Nothing: a row that is in parts has no shard."""
        return ()

    def explain(self) -> Sequence[str]:
        """How the page is made."""
        said = [f"rows of which several shards have parts are read by {self._parts.ids}, and put together first"]
        return [*said, *self._begin(self._request).explain()]

    def _run(self, ids: Sequence[str]) -> Rounds:
        try:
            if self._parts.ids is None and self._order:
                return (yield from self._all_joined())
            if not ids:
                return (yield from self._plainly(self._request))
            page, dialect = self._page, self._rule.dialect
            parts = yield from self._read(ids, self._only_sorted(), self._fields(self._parts.names))
            matched = yield from self._read(ids, self._request, self._fields(()))
            if not matched:
                return (yield from self._plainly(self._request))
            # What other shards have of such an id is left of what was taken back: it is taken out, and nothing put in.
            shown = {row.id for row in matched if self._has(row)}
            wholes = self._wholes([row for row in parts if row.id in shown and self._has(row)])
            start = max(0, page.offset - len(wholes))
            limit = None if page.limit is None else page.limit + page.offset - start + len(matched)
            fields = self._fields(())
            window = Page(start, limit, self._order, fields)
            reply = yield from self._plainly(self._asking(self._request, window, fields))
            return reply if reply.status not in dialect.accepted else self._closed(reply, matched, wholes, window)
        except _RefusedError as error:
            return error.reply
        except (ValueError, TypeError, ArithmeticError) as error:
            raise BrokenReplyError("the parts of a row cannot be put together", log=str(error)) from error

    def _plainly(self, request: Request) -> Rounds:
        """As a list without parts."""
        inner = self._begin(request)
        asks = inner.asks()
        while True:
            outcome = inner.take((yield asks))
            if isinstance(outcome, Reply):
                return outcome
            asks = outcome

    def _all_joined(self) -> Rounds:
        """Every list whole: any of its rows may be in parts."""
        page, dialect, fields = self._page, self._rule.dialect, self._fields(self._parts.names)
        target = self._asking(self._request, Page(0, ALL_ROWS, self._order, fields), fields).target
        replies = yield [Ask(shard, target) for shard in self._shards]
        given = [replies[shard] for shard in self._shards]
        if (refusal := unite(given, dialect.accepted)) is not None:
            return refusal
        listings = [dialect.open(reply) for reply in given]
        tables = [cut(listing.rows) for listing in listings]
        listed = self._wholes([row for table in tables for row in self._keyed(table)])
        total = None if listings[0].total is None else len(listed)
        end = None if page.limit is None else page.offset + page.limit
        return self._told(listed[page.offset : end], tables, total, given[0])

    def _told(self, rows: Sequence[KeyedRow], samples: Sequence[Rows], total: int | None, reply: Reply) -> Reply:
        page, chosen = self._page, [row.raw for row in rows]
        surplus = set(self._fields(self._parts.names) or ()) - set(page.fields or ())
        if surplus:
            chosen = [without(raw, surplus) for raw in chosen]
        more = total is not None and page.offset + len(chosen) < total
        body = join(chosen, samples)
        return self._rule.dialect.close(Merged(self._request, page, body, len(chosen), total, more, reply))

    def _read(self, ids: Sequence[str], request: Request, fields: tuple[str, ...] | None) -> RowsRead:
        """The rows of these ids that the shards have, as the request sorts and filters."""
        found: list[KeyedRow] = []
        for start in range(0, len(ids), IDS_AT_ONCE):
            listed = quote_plus(",".join(ids[start : start + IDS_AT_ONCE]), safe=",")
            kept = [each for each in request.query.split("&") if each and name_of(each) != self._parts.ids]
            asking = msgspec.structs.replace(request, query="&".join([*kept, f"{self._parts.ids}={listed}"]))
            target = self._asking(asking, Page(0, ALL_ROWS, self._order, fields), fields).target
            replies = yield [Ask(shard, target) for shard in self._shards]
            given = [replies[shard] for shard in self._shards]
            if (refusal := unite(given, self._rule.dialect.accepted)) is not None:
                raise _RefusedError(refusal)
            for shard, reply in zip(self._shards, given, strict=True):
                found += self._keyed(cut(self._rule.dialect.open(reply).rows), shard)
        return found

    def _has(self, row: KeyedRow) -> bool:
        return row.shard in self._parted[row.id]

    def _asking(self, request: Request, page: Page, fields: tuple[str, ...] | None) -> Request:
        """The request for another page."""
        target, _ = self._rule.dialect.ask(request, page, fields)
        return msgspec.structs.replace(request, target=target, query=target.decode().partition("?")[2])

    def _only_sorted(self) -> Request:
        """The request without its filters."""
        dialect = self._rule.dialect
        sorting = {dialect.order, dialect.direction} if isinstance(dialect, Offset) else set()
        kept = [each for each in self._request.query.split("&") if name_of(each) in sorting]
        return msgspec.structs.replace(self._request, query="&".join(kept))

    def _wanted(self, parted: Sequence[str]) -> Sequence[str]:
        """The ids with parts that the request may show."""
        pairs = parse_qsl(self._request.query, keep_blank_values=True)
        named = [value.split(",") for name, value in pairs if name == self._parts.ids]
        return parted if len(named) != 1 else [each for each in dict.fromkeys(named[0]) if each in set(parted)]

    def _fields(self, more: Sequence[str]) -> tuple[str, ...] | None:
        """The properties to ask for: the client's, those to sort by, and more."""
        if self._page.fields is None:
            return None
        sorted_by = [self._rule.property(name) for name, _ in self._order]
        return tuple(dict.fromkeys([*self._page.fields, *sorted_by, *more]))

    def _keyed(self, rows: Rows, shard: ShardId = "") -> list[KeyedRow]:
        """Rows in order, with what they are sorted by. Raises BrokenReplyError, OrderBrokenError."""
        ranking = Ranking(self._order, {name: sort_key(self._rule.keys[name]) for name, _ in self._order})
        ranking.add(rows.body)
        tie = [name for name, _ in self._order].index(self._rule.tie)
        keys = ranking.comparable(0, len(rows.raw))
        return [
            KeyedRow(str(values[tie]), shard, key, raw)
            for values, key, raw in zip(ranking.values, keys, rows.raw, strict=True)
        ]

    def _wholes(self, parts: Sequence[KeyedRow]) -> list[KeyedRow]:
        """The parts of each id as one row, sorted as whole rows are."""
        by_id: dict[str, list[bytes]] = {}
        for part in parts:
            by_id.setdefault(part.id, []).append(bytes(part.raw))
        whole = [self._parts.whole(raws) for raws in by_id.values()]
        return sorted([row for raw in whole for row in self._keyed(cut(b"[%b]" % raw))], key=_by_key)

    def _closed(self, reply: Reply, matched: Sequence[KeyedRow], wholes: Sequence[KeyedRow], window: Page) -> Reply:
        """The page out of the rows around it."""
        page, listing = self._page, self._rule.dialect.open(reply)
        around = cut(listing.rows)
        rows, total, skip = self._keyed(around), listing.total, page.offset
        kept = [row for row in rows if row.id not in {each.id for each in matched}]
        if window.offset:
            if not rows:
                kept, wholes = [], []  # all rows are before the page
            else:
                wholes, skip = self._behind(rows, matched, wholes, window.offset)
        if window.limit is not None and len(rows) == window.limit:
            wholes = wholes[: bisect_left(wholes, rows[-1].key, key=_by_key)]  # what is behind is of a later page
        listed = sorted([*kept, *wholes], key=_by_key)
        if total is not None:
            total += len({row.id for row in matched if self._has(row)}) - len(matched)
        end = None if page.limit is None else skip + page.limit
        return self._told(listed[skip:end], [around], total, reply)

    def _behind(
        self, rows: Sequence[KeyedRow], matched: Sequence[KeyedRow], wholes: Sequence[KeyedRow], start: int
    ) -> tuple[Sequence[KeyedRow], int]:
        """The whole rows that are not before the window, and where the page begins among all that is not."""
        first = rows[0].key
        equal = sum(row.key == first for row in matched) - sum(row.key == first for row in rows if row.id == rows[0].id)
        parts_before = sum(row.key < first for row in matched) + max(0, equal)
        before = bisect_left(wholes, first, key=_by_key)
        return wholes[before:], self._page.offset - (start - parts_before) - before


def _by_key(row: KeyedRow) -> Any:
    return row.key
