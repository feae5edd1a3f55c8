"""One shard's list, read on and on by the shard's own cursors.

A cursor says where to go on, but only in the shard that made it. So a page of the merged list is found by a key: each
shard is read from the nearest place that it knows, and its rows up to the key are passed over.

Holds: each page of a shard goes on behind the one before, or the reply is broken: nothing is read for ever.
Never: does IO, or decodes a row.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from shardgate.core.errors import BrokenReplyError
from shardgate.core.topology import ShardId


class Start(msgspec.Struct, frozen=True):
    """From where a shard is asked: its own cursor; None: the beginning."""

    cursor: str | None = None
    before: bool = False
    """The rows before the cursor, not those behind it."""
    seek: tuple[str, str] | None = None
    """A filter that begins the list near where it is wanted: a parameter and its value."""


class ListRow(msgspec.Struct, frozen=True, gc=False):
    """A row and where it stands."""

    key: Any
    raw: msgspec.Raw
    name: str
    """The value of the tie-breaker, as text."""
    shard: ShardId


class ShardPage(msgspec.Struct, frozen=True):
    """A page of a shard."""

    rows: Sequence[ListRow]
    next: str | None
    """The cursor behind it."""
    more: bool | None
    """Whether there is more behind it; None: not stated."""
    before: bool | None
    """Whether there is more before it; None: not stated."""
    full: bool
    """It has as many rows as were asked for."""


class Forward:
    """The rows of a shard behind a key (None: behind its place), until there are enough for a page."""

    __slots__ = ("_ended", "_far", "_last", "_starts", "_tells_more", "_want", "behind", "more", "place", "rows")

    def __init__(self, place: Start, behind: Any, want: int, *, tells_more: bool, far: bool = False) -> None:
        self.place = place
        self.behind = behind
        self.rows: list[ListRow] = []
        self.more: bool | None = None
        self._want = want
        self._tells_more = tells_more
        self._far = far
        self._ended = False
        self._last: Any = None
        self._starts: list[tuple[str | None, int]] = []

    @property
    def wanted(self) -> bool:
        """Whether to read on."""
        enough = len(self.rows) - self._want
        certain = self.more is not None or not self._tells_more
        return not (self._ended or enough > 0 or (enough == 0 and certain))

    @property
    def walking(self) -> bool:
        """Whether many rows may be passed over: then larger pages get there sooner."""
        return self._far and not self.rows

    def reaches(self, bound: Any) -> bool:
        """Whether what follows is surely behind this key, and it is known whether anything does."""
        last = self._last
        return last is not None and (bound < last or (last == bound and self.more is not None))

    def take(self, batch: ShardPage) -> None:
        """A page of the shard. Raises BrokenReplyError where it does not go on."""
        rows = batch.rows
        last = self._last
        if last is not None:
            rows = [row for row in rows if last < row.key]
        on = None if batch.more is False else batch.next
        if (batch.rows and not rows) or (not rows and on is not None and on == self.place.cursor):
            raise BrokenReplyError("a shard's next page does not go on behind the one before")
        self._starts.append((self.place.cursor, len(self.rows)))
        if rows:
            self._last = rows[-1].key
        behind = self.behind
        self.rows += rows if behind is None else [row for row in rows if behind < row.key]
        self._ended = on is None or (batch.more is None and not batch.full)
        self.more = False if self._ended else batch.more
        self.place = Start(on, seek=self.place.seek)

    def position(self, used: int) -> str | None:
        """The shard's cursor from which to go on when so many rows were used; some used ones may follow it again."""
        if used == len(self.rows) and not self._ended:
            return self.place.cursor
        return [cursor for cursor, before in self._starts if before <= used][-1]


class Backward:
    """The rows of a shard before a key, as many as a page has: by one request, or by reading up to the key."""

    __slots__ = ("_ended", "_last", "_want", "more", "place", "rows", "until", "walking")

    def __init__(self, place: Start, until: Any, want: int) -> None:
        self.place = place
        self.until = until
        self.rows: list[ListRow] = []
        self.more: bool | None = None
        self.walking = not place.before
        self._want = want
        self._last: Any = None
        self._ended = False

    @property
    def wanted(self) -> bool:
        """Whether to read on."""
        return not self._ended

    def take(self, batch: ShardPage) -> None:
        """A page of the shard. Raises BrokenReplyError where it does not go on."""
        until = self.until
        if not self.walking:
            self.rows = [row for row in batch.rows if until is None or row.key < until]
            self.more = batch.full if batch.before is None else batch.before
            self._ended = True
            return
        rows = [row for row in batch.rows if self._last is None or self._last < row.key]
        if batch.rows and not rows:
            raise BrokenReplyError("a shard's next page does not go on behind the one before")
        before = [row for row in rows if row.key < until]
        on = None if batch.more is False else batch.next
        self._ended = len(before) < len(rows) or on is None or not rows or (batch.more is None and not batch.full)
        self.rows = (self.rows + before)[-self._want - 1 :]
        self.more = len(self.rows) > self._want
        self._last = rows[-1].key if rows else None
        self.place = Start(on)
