"""Lists paged by opaque cursors: the client is given a cursor of this gateway, which holds a cursor of every shard.

It also holds the sort keys of the last row that was shown; each shard's cursor is of a page at or before that row. A
cursor of the page before holds the keys of the first row that was shown, up to which every shard is read. Each
shard is read from its cursor, and its rows up to those keys are passed over, so no row is shown twice, whatever was
added meanwhile. Rows that were removed matter as in one instance: a cursor that counts rows then skips others. To go
back, a cursor holds the sort keys of the first row that was shown: each shard is read from its beginning up to them.

Holds: a cursor that was made for other shards, or at another epoch, is followed by its keys alone, from every shard's
beginning: rows may have moved, and a shard's cursor may count them.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from shardgate.core.clients.identity import identity_of
from shardgate.core.contracts import Ask, Listing, Merged, Moment, Page
from shardgate.core.cursors.reader import Backward, Forward, Start
from shardgate.core.cursors.seal import MergedCursor, Seal, digest
from shardgate.core.cursors.walk import CursorDialect, CursorWalk, PageNeighbours
from shardgate.core.errors import BadCursorError, BrokenReplyError, UnreadablePageError
from shardgate.core.excerpt import excerpt
from shardgate.core.http import Reply, Request
from shardgate.core.json.array import with_only
from shardgate.core.order.keyed_rows import KeyedRow, key_of
from shardgate.core.order.order import Order
from shardgate.core.topology import ShardId

_CURSOR_REFUSED = frozenset({400, 404, 410, 422})


class OpaqueCursorDialect(CursorDialect, Protocol):
    """A dialect that pages by opaque cursors."""

    @property
    def seal(self) -> Seal:
        """What signs its cursors."""

    def scope(self, request: Request) -> str:
        """The parameters that choose and sort the rows: a cursor is good for lists with the same ones."""

    @property
    def goes_back(self) -> bool:
        """Whether replies have a cursor of the page before."""

    @property
    def always_next(self) -> bool:
        """Whether the last page has a cursor, too."""

    @property
    def asks_foreign(self) -> bool:
        """Whether shards are asked for a cursor that this gateway did not make, for their refusal."""

    def close_at(self, merged: Merged, neighbours: PageNeighbours) -> Reply:
        """As `close`, with the cursors of the pages around the page."""


class OpaqueCursorWalk(CursorWalk):
    """One request's page: behind a cursor, before one, or from the beginning.

    `sealed`: the reply has a cursor of this gateway, which grows too old.
    """

    def __init__(
        self,
        dialect: OpaqueCursorDialect,
        order: Order | str,
        page: Page,
        cursor: str | None,
        request: Request,
        shards: Sequence[ShardId],
        moment: Moment,
    ) -> None:
        """`order`: a text says why the page cannot be read. Raises BadCursorError."""
        super().__init__(dialect, order, page, request, shards)
        self._opaque = dialect
        self._expires_s = int(moment.at_s) + dialect.seal.lifetime_s
        self._names = tuple(sorted(shards))
        self._map = digest(str(moment.epoch), *self._names)
        self._lacks = b"".join([digest(alias) for alias in sorted(moment.left_out)])
        self._scope = b""
        self._client_cursor: MergedCursor | None = None
        self._came_from: MergedCursor | None = None
        self._client = identity_of(request, dialect.seal.client)
        self._moment = moment
        self.sealed = False
        self._foreign: str | None = None
        if isinstance(order, str):
            return
        self._scope = digest(request.path, dialect.scope(request), repr(order.by))
        if cursor is not None and dialect.asks_foreign and not dialect.seal.signed(cursor, self._client):
            self._foreign = cursor
            return
        opened = None if cursor is None else dialect.seal.open(cursor, moment.at_s, self._client)
        self._client_cursor = self._came_from = opened
        if opened is not None and opened.scope != self._scope:
            raise BadCursorError(
                f"the cursor `{excerpt(cursor or '')}` was made for another path, filter or order; "
                "send it with the parameters of the request that gave it"
            )
        if opened is not None and len(opened.shards) > len(self._map):
            self._check_lacked(opened.lacked)
        self._begin(order, opened, trusted=True)

    def take(self, replies: Mapping[ShardId, Reply]) -> Reply | Sequence[Ask]:
        """As `CursorWalk.take`. Where a shard refuses its own cursor, which may have expired, the keys decide."""
        if self._foreign is not None:
            return self._refused(replies, self._foreign)
        cursor, order = self._client_cursor, self._order
        refused = any(reply.status in _CURSOR_REFUSED for reply in replies.values())
        if not refused or cursor is None or order is None or not any(cursor.places):
            return super().take(replies)
        self._client_cursor = None
        self._begin(order, cursor, trusted=False)
        return self.asks()

    def _begin(self, order: Order, cursor: MergedCursor | None, *, trusted: bool) -> None:
        limit = self._page.limit or 0
        if cursor is None:
            self._streams = {shard: Forward(Start(), None, limit, tells_more=True) for shard in self._shards}
            return
        try:
            key = key_of(order, cursor.key) if cursor.key else None
        except BrokenReplyError as error:
            detail = "the cursor no longer fits this list; request the list without a cursor to begin anew"
            raise BadCursorError(detail, log=error.log) from error
        if cursor.before:
            self._streams = {shard: Backward(Start(), key, limit) for shard in self._shards}
            return
        same = (trusted and cursor.shards == self._map + self._lacks) or key is None
        places = dict(zip(self._names, cursor.places, strict=True)) if same and cursor.places else {}
        self._streams = {
            shard: Forward(Start(places.get(shard)), key, limit, tells_more=True, far=not same)
            for shard in self._shards
        }

    def _check_lacked(self, lacked: frozenset[bytes]) -> None:
        """Raises BadCursorError where the page that gave the cursor lacked a shard that this one has."""
        lacked -= {digest(alias) for alias in self._moment.left_out}
        if lacked:
            error = BadCursorError(
                "the cursor is of a page that lacked shards which did not answer, and this list needs every shard; "
                "request the list without a cursor to begin anew"
            )
            error.lacked = lacked
            raise error

    def _note(self, shard: ShardId, listing: Listing, rows: Sequence[KeyedRow]) -> None:
        """Nothing: a page says by its cursor whether there are rows behind it, however many it has."""

    def _next(self, listing: Listing, rows: Sequence[KeyedRow]) -> str | None:
        return listing.next

    def _refused(self, replies: Mapping[ShardId, Reply], cursor: str) -> Reply | Sequence[Ask]:
        try:
            return super().take(replies)
        except UnreadablePageError:
            self._opaque.seal.open(cursor, self._moment.at_s, self._client)  # raises
            raise

    def _reply(self) -> Reply:
        chosen, more = self._chosen()
        client = self._came_from
        back = client is not None and client.before
        # Where a page is reached backward, there is always the one that the client came from.
        before, behind = (more, True) if back else (client is not None, more and bool(chosen))
        neighbours = PageNeighbours(
            self._cursor_before(chosen) if before and self._opaque.goes_back else None,
            self._cursor_behind(chosen) if behind or self._opaque.always_next else None,
        )
        merged = self._merged(chosen, more=behind, before=before, behind=behind)
        return self._written(self._opaque.close_at(merged, neighbours), chosen)

    def _cursor_behind(self, chosen: Sequence[KeyedRow]) -> str:
        if not chosen:
            came = self._came_from
            return self._sealed(b"" if came is None or came.before else came.key, (), before=False)
        used = dict.fromkeys(self._names, 0)
        for row in chosen:
            used[row.shard] += 1
        streams = [self._streams[shard] for shard in self._names]
        places = [
            stream.position(used[shard])
            for shard, stream in zip(self._names, streams, strict=True)
            if isinstance(stream, Forward)
        ]
        return self._sealed(self._key(chosen[-1]), tuple(places), before=False)

    def _cursor_before(self, chosen: Sequence[KeyedRow]) -> str:
        """Of the page before the first row; where there is no row, of the last page."""
        return self._sealed(self._key(chosen[0]) if chosen else b"", (), before=True)

    def _key(self, row: KeyedRow) -> bytes:
        return with_only(row.raw, [] if self._order is None else self._order.paths)

    def _sealed(self, key: bytes, places: tuple[str | None, ...], *, before: bool) -> str:
        """Without places, the page is found by the key alone."""
        self.sealed = True
        shards = self._map + self._lacks if places or self._lacks else b""
        return self._opaque.seal.close(
            MergedCursor(self._expires_s, self._scope, shards, key, places, before), self._client
        )
