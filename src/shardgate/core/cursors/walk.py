"""A merged list whose application pages by cursors: each shard is read by its own, and the rows are merged by key.

Two ways to know where a client goes on build on this: by_id.py (the id of a row) and by_cursor.py (a cursor that this
gateway made, with a place for every shard).

Holds: the page is the one that an instance with all the data would give. What a client's page cannot be read from is
passed to the shards as it is, for them to refuse.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec

from shardgate.core.contracts import Ask, Dialect, Listing, Page, as_it_came
from shardgate.core.cursors.reader import Backward, Forward, ListRow, ShardPage, Start
from shardgate.core.errors import BrokenReplyError, UnreadablePageError
from shardgate.core.http import Reply, Request
from shardgate.core.json.array import Rows, cut, join, without
from shardgate.core.limits import CURSOR_ROUNDS_MAX, LEARNED_ROWS_MAX
from shardgate.core.order.ranking import Order, Ranking
from shardgate.core.order.sort_key import SortKey
from shardgate.core.replies.refusals import unite
from shardgate.core.topology import ShardId


class Sorting(msgspec.Struct, frozen=True):
    """How a list is sorted."""

    order: Order
    keys: Mapping[str, SortKey]
    tie: str

    @property
    def places(self) -> list[tuple[str, ...]]:
        """Where the sort keys stand in a row."""
        return [self.keys[name].place(name) for name, _ in self.order]


class CursorDialect(Dialect, Protocol):
    """A dialect that pages by cursors."""

    @property
    def tells_more(self) -> bool:
        """Whether its replies say that there is more behind a page."""

    def ask_at(self, request: Request, page: Page, fields: Sequence[str] | None, place: Start) -> tuple[bytes, bytes]:
        """As `ask`, from a place."""


class CursorWalk(ABC):
    """The rounds of one request; what a client's cursor means is up to those who build on it."""

    def __init__(
        self, dialect: CursorDialect, sorting: Sorting | None, page: Page, request: Request, shards: Sequence[ShardId]
    ) -> None:
        self._dialect = dialect
        self._sorting = sorting
        self._page = page
        self._request = request
        self._shards = shards
        self._streams: dict[ShardId, Forward | Backward] = {}
        self._samples: list[Rows] = []
        self._replies: list[Reply] = []
        self._totals: dict[ShardId, int] = {}
        self._counts: dict[ShardId, int] = {}
        self._rounds = 0
        self._shown: list[tuple[str, ShardId]] = []
        self._added = _missing_fields(sorting, page)

    def asks(self) -> Sequence[Ask]:
        """What each shard is asked next; the client's own request, where its page cannot be read."""
        if not self._streams:
            return as_it_came(self._request, self._shards)
        return [self._ask(shard, self._streams[shard]) for shard in self._wanted()]

    def take(self, replies: Mapping[ShardId, Reply]) -> Reply | Sequence[Ask]:
        """The merged reply, or the next round.

        Raises BrokenReplyError, OrderBrokenError, or UnreadablePageError where the shards accept what the rule cannot
        read.
        """
        asked = [shard for shard in self._shards if shard in replies]
        refusal = unite([replies[shard] for shard in asked], self._dialect.accepted)
        if refusal is not None:
            return refusal
        if self._sorting is None or not self._streams:
            raise UnreadablePageError("a paging or sorting parameter names what the rule does not know")
        for shard in asked:
            self._open(shard, replies[shard], self._sorting)
        self._rounds += 1
        if self._wanted():
            if self._rounds >= CURSOR_ROUNDS_MAX:
                raise UnreadablePageError("the page is too far behind the places that its shards can begin at")
            return self.asks()
        return self._reply()

    def learned(self) -> Sequence[tuple[str, ShardId]]:
        """The tie-breaker of each row of the page, and the shard that the row came from."""
        return self._shown

    def explain(self) -> Sequence[str]:
        """How the page is made."""
        if self._sorting is None:
            return ["nothing: a parameter cannot be read, so the shards are left to refuse it"]
        order = ", ".join(f"{name} {'down' if descends else 'up'}" for name, descends in self._sorting.order)
        said = [f"sorted by {order}", f"{self._page.limit} rows of the merged list are the page"]
        if self._added:
            said.append(f"{', '.join(self._added)}: asked for to sort by, taken out of each row again")
        return said

    @abstractmethod
    def _reply(self) -> Reply:
        """The merged reply."""

    @abstractmethod
    def _next(self, listing: Listing, rows: Sequence[ListRow]) -> str | None:
        """A shard's own cursor behind a page of it; None at its end."""

    def _wanted(self) -> list[ShardId]:
        """The shards to read on: those whose next rows may belong to the page."""
        rows = [row for stream in self._streams.values() for row in stream.rows]
        bound = None
        if (limit := self._page.limit or 0) <= len(rows):
            rows.sort(key=_key)
            bound = rows[limit - 1].key
        return [
            shard
            for shard, stream in self._streams.items()
            if stream.wanted and not (bound is not None and isinstance(stream, Forward) and stream.reaches(bound))
        ]

    def _chosen(self) -> tuple[list[ListRow], bool]:
        """The rows of the page, and whether there are more, in the direction in which the client goes."""
        streams = list(self._streams.values())
        rows = sorted((row for stream in streams for row in stream.rows), key=_key)
        limit = self._page.limit or 0
        back = any(isinstance(stream, Backward) for stream in streams)
        chosen = rows[-limit:] if back else rows[:limit]
        if len(chosen) <= LEARNED_ROWS_MAX:
            self._shown = [(row.name, row.shard) for row in chosen]
        return chosen, len(rows) > len(chosen) or any(stream.more for stream in streams)

    def _body(self, chosen: Sequence[ListRow]) -> bytes:
        raw = [without(row.raw, self._added) if self._added else row.raw for row in chosen]
        return join(raw, self._samples)

    def _total(self) -> int | None:
        """The size of the whole list; None where no shard states one. Raises BrokenReplyError where only some do."""
        if self._totals and len(self._totals) < len(self._shards):
            raise BrokenReplyError("some shards state the size of their list, others do not")
        return sum(self._totals.values()) if self._totals else None

    def _ask(self, shard: ShardId, stream: Forward | Backward) -> Ask:
        page, most = self._page, self._dialect.cover(0, None)[1]
        count = max(most or 0, page.limit or 0) if stream.walking else page.limit
        self._counts[shard] = count or 0
        fields = None if page.fields is None else (*page.fields, *self._added)
        asked = msgspec.structs.replace(page, limit=count, order=self._sorting.order if self._sorting else ())
        return Ask(shard, *self._dialect.ask_at(self._request, asked, fields, stream.place))

    def _open(self, shard: ShardId, reply: Reply, sorting: Sorting) -> None:
        listing = self._dialect.open(reply)
        rows = cut(listing.rows)
        ranking = Ranking(sorting.order, sorting.keys)
        count = ranking.add(rows.body)
        tie = [name for name, _ in sorting.order].index(sorting.tie)
        keys = ranking.comparable(0, count)
        found = [ListRow(keys[n], raw, str(ranking.values[n][tie]), shard) for n, raw in enumerate(rows.raw)]
        full = count >= self._counts[shard]
        self._streams[shard].take(ShardPage(found, self._next(listing, found), listing.more, listing.before, full))
        # What was walked over is not kept: memory is bounded by the page, however far it is.
        if len(self._replies) < len(self._shards):
            self._replies.append(reply)
            self._samples.append(rows)
        if listing.total is not None:
            self._totals.setdefault(shard, listing.total)


def key_of(sorting: Sorting, row: bytes) -> Any:
    """The key of a row, as values that compare in this order. Raises BrokenReplyError."""
    ranking = Ranking(sorting.order, sorting.keys)
    ranking.add(b"[" + row + b"]")
    return ranking.comparable(0, 1)[0]


def _missing_fields(sorting: Sorting | None, page: Page) -> tuple[str, ...]:
    """The properties to ask for besides, to sort by."""
    fields = page.fields
    if sorting is None or fields is None:
        return ()
    wanted = dict.fromkeys(place[0] for place in sorting.places)
    return tuple(name for name in wanted if name not in fields)


def _key(row: ListRow) -> Any:
    return row.key
