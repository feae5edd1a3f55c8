"""Lists that go on where an opaque cursor says: the client is given one of ours, with a place for every shard.

It holds the sort keys of the last row that was shown, and each shard's own cursor of a page at or before it. Each shard
is read from there, and its rows up to those keys are passed over: no row is shown twice, whatever came in between. Rows
that went are as far as the shard's own cursors bear them: one that counts rows skips others, here as in one instance.

Holds: a cursor of other shards, or of another epoch, is followed by its keys alone, from every shard's beginning: rows
may have moved, and a shard's own cursor may count them.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from shardgate.core.contracts import Ask, Listing, Merged, Moment, Page
from shardgate.core.cursors.reader import Forward, ListRow, Start
from shardgate.core.cursors.seal import Composite, Seal, digest
from shardgate.core.cursors.walk import CursorDialect, CursorWalk, Sorting, key_of
from shardgate.core.errors import BadCursorError, BrokenReplyError
from shardgate.core.http import Reply, Request
from shardgate.core.json.array import excerpt
from shardgate.core.topology import ShardId

_CURSOR_REFUSED = frozenset({400, 404, 410, 422})


class OpaqueCursorDialect(CursorDialect, Protocol):
    """A dialect that pages by opaque cursors."""

    @property
    def seal(self) -> Seal:
        """What signs its cursors."""

    def scope(self, request: Request) -> str:
        """What a cursor is good for: the parameters that choose the rows."""

    def close_at(self, merged: Merged, cursor: str | None) -> Reply:
        """As `close`, with the cursor behind the page; None: it is the last."""


class OpaqueCursorWalk(CursorWalk):
    """One request's page: from the places of a cursor, or from the beginning."""

    def __init__(
        self,
        dialect: OpaqueCursorDialect,
        sorting: Sorting | None,
        page: Page,
        cursor: str | None,
        request: Request,
        shards: Sequence[ShardId],
        moment: Moment,
    ) -> None:
        """Raises BadCursorError."""
        super().__init__(dialect, sorting, page, request, shards)
        self._opaque = dialect
        self._expires_s = int(moment.at_s) + dialect.seal.lifetime_s
        self._names = tuple(sorted(shards))
        self._map = digest(str(moment.epoch), *self._names)
        self._scope = b""
        self._composite: Composite | None = None
        if sorting is None:
            return
        self._scope = digest(request.path, dialect.scope(request), repr(sorting.order))
        composite = None if cursor is None else dialect.seal.open(cursor, moment.at_s)
        self._composite = composite
        if composite is not None and composite.scope != self._scope:
            raise BadCursorError("the cursor belongs to another list, or to other parameters of it")
        self._begin(sorting, composite, trusted=True)

    def take(self, replies: Mapping[ShardId, Reply]) -> Reply | Sequence[Ask]:
        """As `CursorWalk.take`; where a shard refuses its own cursor, which may have ended there, the keys decide."""
        composite, sorting = self._composite, self._sorting
        refused = any(reply.status in _CURSOR_REFUSED for reply in replies.values())
        if not refused or composite is None or sorting is None or not any(composite.places):
            return super().take(replies)
        self._composite = None
        self._begin(sorting, composite, trusted=False)
        return self.asks()

    def _begin(self, sorting: Sorting, composite: Composite | None, *, trusted: bool) -> None:
        limit = self._page.limit or 0
        if composite is None:
            self._streams = {shard: Forward(Start(), None, limit, tells_more=True) for shard in self._shards}
            return
        try:
            key = key_of(sorting, composite.key)
        except BrokenReplyError as error:
            raise BadCursorError("the cursor does not fit this list any more: begin it anew") from error
        same = trusted and composite.shards == self._map
        places = dict(zip(self._names, composite.places, strict=True)) if same else {}
        self._streams = {
            shard: Forward(Start(places.get(shard)), key, limit, tells_more=True, far=not same)
            for shard in self._shards
        }

    def _next(self, listing: Listing, rows: Sequence[ListRow]) -> str | None:
        return listing.next

    def _reply(self) -> Reply:
        chosen, more = self._chosen()
        merged = Merged(
            self._request, self._page, self._body(chosen), len(chosen), self._total(), more, self._replies[0]
        )
        return self._opaque.close_at(merged, self._cursor(chosen) if more and chosen else None)

    def _cursor(self, chosen: Sequence[ListRow]) -> str:
        used = dict.fromkeys(self._names, 0)
        for row in chosen:
            used[row.shard] += 1
        places = [
            stream.position(used[shard]) if isinstance(stream := self._streams[shard], Forward) else None
            for shard in self._names
        ]
        key = excerpt(chosen[-1].raw, [] if self._sorting is None else self._sorting.places)
        return self._opaque.seal.close(Composite(self._expires_s, self._scope, self._map, key, tuple(places)))
