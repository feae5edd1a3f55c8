"""Lists paged by the ids of rows: a page is behind a row, or before it. The row is on one shard, the list on all.

Where the application compares the id, whether it has the row or not, all shards are asked the same. Where it refuses an
id that it does not have, the shards are asked which has the row. Its sort keys say where the other shards are read
from: near the row, by a filter of the application, or from their beginning.

Shards that gave fewer rows than they were asked for are asked on where they may have more (core/paging/bounds.py). A
row that is found behind them may have come meanwhile: the first request is sent once more.

Holds: an id that no shard has is refused by the application itself. No page is made of rows that a shard is known to
have cut short. A row that is appended meanwhile fails no page.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

import msgspec

from shardgate.core.contracts import Ask, Listing, Merged, Page
from shardgate.core.cursors.reader import Backward, Forward, Start
from shardgate.core.cursors.walk import CursorDialect, CursorWalk, PageNeighbours
from shardgate.core.errors import KeyOnTwoShardsError
from shardgate.core.excerpt import excerpt
from shardgate.core.failures.of_shard import of_shard
from shardgate.core.http import Reply, Request
from shardgate.core.json.array import value_at
from shardgate.core.order.keyed_rows import KeyedRow, key_of
from shardgate.core.order.order import Order
from shardgate.core.paging.bounds import cut_short, likely_limit
from shardgate.core.replies.refusals import unite
from shardgate.core.topology import ShardId
from shardgate.core.wire.path import filled


class Anchor(msgspec.Struct, frozen=True):
    """The row that a client's page begins behind, or ends before."""

    id: str
    before: bool
    """The page ends before the row; false: it begins behind it."""


class IdCursorDialect(CursorDialect, Protocol):
    """A dialect that pages by the ids of rows."""

    @property
    def row(self) -> str | None:
        """The path of one row, with `{id}`; None where the application compares ids that it does not have."""

    @property
    def links_always(self) -> bool:
        """Whether every page with rows links to one behind it and one before it."""

    def seek(self, key: str, *, descends: bool) -> str | None:
        """The filter that begins a list, sorted by this key, at a value; None where there is none."""

    def close_at(self, merged: Merged, neighbours: PageNeighbours) -> Reply:
        """As `close`, with the pages around the page."""


class _Short(NamedTuple):
    """A page of a shard that has fewer rows than were asked for, and does not say whether there are more."""

    asked: int
    given: int
    began: Start
    """Where the page began."""
    goes_on: Start
    """Where the shard's list goes on."""
    has_next: bool = False
    """A row is there: the page is asked for once more."""


class IdCursorWalk(CursorWalk):
    """One request's page: which shard has the row, then the rows of every shard behind or before it."""

    def __init__(
        self,
        dialect: IdCursorDialect,
        order: Order | str,
        page: Page,
        anchor: Anchor | None,
        request: Request,
        shards: Sequence[ShardId],
    ) -> None:
        """`order`: a text says why the page cannot be read."""
        super().__init__(dialect, order, page, request, shards)
        self._by_id = dialect
        self._anchor = anchor
        looks = self._order is not None and anchor is not None and dialect.row is not None
        # An id that cannot be a segment is no row's: the application refuses it.
        self._row = filled(dialect.row or "", {"id": anchor.id}) if looks and anchor is not None else None
        self._finding = self._row is not None
        self._short: dict[ShardId, _Short] = {}
        self._given_max = 0
        self._made: Reply | None = None
        if self._order is not None and not looks:
            self._begin({}, None)

    def asks(self) -> Sequence[Ask]:
        """Which shard has the row; then the page."""
        if self._finding and self._row is not None:
            return [Ask(shard, self._row.encode()) for shard in self._shards]
        if self._made is not None:
            return [
                self._ask(shard, short.began if short.has_next else short.goes_on, short.asked)
                for shard, short in self._short.items()
            ]
        return super().asks()

    def take(self, replies: Mapping[ShardId, Reply]) -> Reply | Sequence[Ask]:
        """As `CursorWalk.take`. Also raises KeyOnTwoShardsError."""
        if self._made is not None:
            return self._asked_on(self._made, replies)
        if not self._finding:
            return self._unless_cut(super().take(replies))
        self._finding = False
        owners = [shard for shard in self._shards if replies[shard].status == 200]
        if len(owners) > 1:
            log = f"row `{excerpt(self._anchor.id if self._anchor else '')}` is on {', '.join(owners)}"
            raise KeyOnTwoShardsError("two shards say that they have the row", log=log)
        if owners:
            self._begin({owners[0]: replies[owners[0]].body}, owners[0])
        return self.asks()

    def explain(self) -> Sequence[str]:
        """How the page is made."""
        if not self._finding or self._anchor is None:
            return super().explain()
        where = "before" if self._anchor.before else "behind"
        return [f"the shard that has the row shows its sort keys; each is read {where} them", *super().explain()]

    def _note(self, shard: ShardId, listing: Listing, rows: Sequence[KeyedRow]) -> None:
        """Whether the shard may have more than it gave, though it was asked for more. Raises BrokenReplyError."""
        stream, asked, given = self._streams[shard], self._counts[shard], len(rows)
        place = stream.place
        is_first = place.cursor is None and place.seek is None
        before = isinstance(stream, Backward) and not stream.walking
        more = listing.before if before else listing.more
        if more is None and is_first and listing.total is not None:
            more = listing.total > given
        if more and not stream.walking and 0 < given < asked:
            raise cut_short(asked, 0, given, "its reply says that there are more")
        self._short.pop(shard, None)
        if more is None and 1 < given < asked:
            goes_on = Start(rows[0].id, before=True) if before else Start(rows[-1].id, seek=place.seek)
            self._short[shard] = _Short(asked, given, place, goes_on)
        else:
            self._given_max = max(self._given_max, given)

    def _unless_cut(self, outcome: Reply | Sequence[Ask]) -> Reply | Sequence[Ask]:
        """The merged reply, or the next round: shards that may have more than they gave are asked on first."""
        if not isinstance(outcome, Reply) or outcome.status not in self._by_id.accepted:
            return outcome
        counts = [short.given for short in self._short.values()]
        likely = likely_limit(counts, self._given_max)
        self._short = {shard: short for shard, short in self._short.items() if short.given == likely}
        if not self._short:
            return outcome
        self._made = outcome
        return self.asks()

    def _asked_on(self, made: Reply, replies: Mapping[ShardId, Reply]) -> Reply | Sequence[Ask]:
        """The merged reply, or the next round. Raises BrokenReplyError where a shard has more than it gave."""
        answered = [shard for shard in self._shards if shard in replies]
        refusal = unite([replies[shard] for shard in answered], self._by_id.accepted, self.not_here, answered)
        if refusal is not None:
            return refusal
        with_next: dict[ShardId, _Short] = {}
        for shard in answered:
            short = self._short[shard]
            with of_shard(shard):
                given = len(self._listed(replies[shard])[1].raw)
                if short.has_next and given <= short.given:
                    found = "it gives a row behind them when it is asked on"
                    raise cut_short(short.asked, 0, short.given, found)
            if given and not short.has_next:
                with_next[shard] = short._replace(has_next=True)
        self._short = with_next
        return self.asks() if with_next else made

    def _begin(self, row: Mapping[ShardId, bytes], owner: ShardId | None) -> None:
        anchor, order = self._anchor, self._order
        body = next(iter(row.values()), None)
        key = None if order is None or body is None else key_of(order, body)
        limit, tells = self._page.limit or 0, self._dialect.tells_more
        for shard in self._shards:
            if anchor is None:
                self._streams[shard] = Forward(Start(), None, limit, tells_more=tells)
            elif owner in {None, shard}:
                place = Start(anchor.id, anchor.before)
                back = anchor.before
                self._streams[shard] = (
                    Backward(place, key, limit) if back else Forward(place, key, limit, tells_more=tells)
                )
            elif anchor.before:
                self._streams[shard] = Backward(Start(), key, limit)
            else:
                place = Start(seek=None if body is None else self._seek(body))
                self._streams[shard] = Forward(place, key, limit, tells_more=tells, far=place.seek is None)

    def _seek(self, row: bytes) -> tuple[str, str] | None:
        """The filter that begins a list near a row, by its most significant sort key; None where there is none."""
        if self._order is None:
            return None
        name, descends = self._order.by[0]
        parameter = self._by_id.seek(name, descends=descends)
        value = value_at(row, self._order.paths[0])
        if parameter is None or value is None:
            return None
        return parameter, msgspec.json.decode(value, type=str) if value.startswith(b'"') else value.decode()

    def _next(self, listing: Listing, rows: Sequence[KeyedRow]) -> str | None:
        return rows[-1].id if rows else None

    def _ends(self, chosen: Sequence[KeyedRow]) -> tuple[bytes, bytes] | None:
        shown, order = self._in_order(chosen), self._order
        if not shown or order is None or order.tie is None:
            return None
        first, last = (value_at(bytes(row.raw), order.paths[order.tie]) for row in (shown[0], shown[-1]))
        return first or b"null", last or b"null"

    def _reply(self) -> Reply:
        chosen, more = self._chosen()
        anchor = self._anchor
        before, behind = (more, True) if anchor and anchor.before else (anchor is not None, more)
        always = self._by_id.links_always
        neighbours = PageNeighbours(
            chosen[0].id if chosen and (before or always) else None,
            chosen[-1].id if chosen and (behind or always) else None,
            self._ends(chosen),
        )
        merged = self._merged(chosen, more=more, before=before, behind=behind)
        return self._written(self._by_id.close_at(merged, neighbours), chosen)
