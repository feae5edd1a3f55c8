"""Lists that go on behind a row of a given id, or before it: the row is on one shard, the list on all.

Where the application compares the id, whether it has the row or not, all shards are asked the same. Where it refuses an
id that it does not know, the shards are asked who has the row; its sort keys say where the others go on: near it by a
filter of the application, or from their beginning.

Holds: an id that no shard has is refused by the application itself.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol
from urllib.parse import quote

import msgspec

from shardgate.core.contracts import Ask, Listing, Merged, Page
from shardgate.core.cursors.reader import Backward, Forward, ListRow, Start
from shardgate.core.cursors.walk import CursorDialect, CursorWalk, Sorting, key_of
from shardgate.core.errors import KeyOnTwoShardsError
from shardgate.core.http import Reply, Request
from shardgate.core.json.array import value_at
from shardgate.core.topology import ShardId


class Anchor(msgspec.Struct, frozen=True):
    """The row that a client's page begins behind, or ends before."""

    name: str
    before: bool


class PageNeighbours(msgspec.Struct, frozen=True):
    """Where the neighbours of a page begin; None: there is none."""

    previous: str | None
    next: str | None


class IdCursorDialect(CursorDialect, Protocol):
    """A dialect that pages by the ids of rows."""

    @property
    def row(self) -> str | None:
        """The path of one row, with `{id}`; None where an application compares ids that it does not know."""

    def seek(self, key: str, *, descends: bool) -> str | None:
        """The parameter that begins a list, sorted by this key, at a value."""

    def close_at(self, merged: Merged, turned: PageNeighbours) -> Reply:
        """As `close`, with the neighbours of the page."""


class IdCursorWalk(CursorWalk):
    """One request's page: who has the row, then the rows of every shard behind or before it."""

    def __init__(
        self,
        dialect: IdCursorDialect,
        sorting: Sorting | None,
        page: Page,
        anchor: Anchor | None,
        request: Request,
        shards: Sequence[ShardId],
    ) -> None:
        super().__init__(dialect, sorting, page, request, shards)
        self._by_id = dialect
        self._anchor = anchor
        self._finding = sorting is not None and anchor is not None and dialect.row is not None
        if sorting is not None and not self._finding:
            self._begin({}, None)

    def asks(self) -> Sequence[Ask]:
        """Who has the row; then its page."""
        if self._finding and self._anchor is not None:
            path = (self._by_id.row or "").replace("{id}", quote(self._anchor.name, safe=""))
            return [Ask(shard, path.encode()) for shard in self._shards]
        return super().asks()

    def take(self, replies: Mapping[ShardId, Reply]) -> Reply | Sequence[Ask]:
        """As `CursorWalk.take`. Raises KeyOnTwoShardsError, too."""
        if not self._finding:
            return super().take(replies)
        self._finding = False
        owners = [shard for shard in self._shards if replies[shard].status == 200]
        if len(owners) > 1:
            log = f"row {self._anchor.name if self._anchor else ''!r} is on {', '.join(owners)}"
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

    def _begin(self, row: Mapping[ShardId, bytes], owner: ShardId | None) -> None:
        anchor, sorting = self._anchor, self._sorting
        body = next(iter(row.values()), None)
        key = None if sorting is None or body is None else key_of(sorting, body)
        limit, tells = self._page.limit or 0, self._dialect.tells_more
        for shard in self._shards:
            if anchor is None:
                self._streams[shard] = Forward(Start(), None, limit, tells_more=tells)
            elif owner in {None, shard}:
                place = Start(anchor.name, anchor.before)
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
        """The filter that begins a list near a row: by its most significant sort key."""
        if self._sorting is None:
            return None
        name, descends = self._sorting.order[0]
        parameter = self._by_id.seek(name, descends=descends)
        value = value_at(row, self._sorting.places[0])
        if parameter is None or value is None:
            return None
        return parameter, msgspec.json.decode(value, type=str) if value.startswith(b'"') else value.decode()

    def _next(self, listing: Listing, rows: Sequence[ListRow]) -> str | None:
        return rows[-1].name if rows else None

    def _reply(self) -> Reply:
        chosen, more = self._chosen()
        anchor = self._anchor
        before, behind = (more, bool(chosen)) if anchor and anchor.before else (anchor is not None, more)
        turned = PageNeighbours(
            chosen[0].name if before and chosen else None, chosen[-1].name if behind and chosen else None
        )
        merged = Merged(
            self._request, self._page, self._body(chosen), len(chosen), self._total(), more, self._replies[0]
        )
        return self._by_id.close_at(merged, turned)
