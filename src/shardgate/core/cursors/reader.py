"""One shard's list, read page by page by the shard's own cursors.

A cursor means something only to the shard that made it. So a page of the merged list is found by a key: each shard is
read from the nearest cursor that is known, and its rows up to the key are passed over.

Holds: each page of a shard goes on behind the one before, or the reply is broken: nothing is read for ever.
Never: does IO, or decodes a row.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from shardgate.core.errors import BrokenReplyError
from shardgate.core.excerpt import excerpt
from shardgate.core.order.keyed_rows import KeyedRow


class Start(msgspec.Struct, frozen=True):
    """Where a shard's list is read from."""

    cursor: str | None = None
    """The shard's own cursor; None: its beginning."""
    before: bool = False
    """The rows before the cursor are read, not those behind it."""
    seek: tuple[str, str] | None = None
    """A filter that begins the list near the wanted row: a parameter and its value."""


class ShardPage(msgspec.Struct, frozen=True):
    """One page of a shard's list."""

    rows: Sequence[KeyedRow]
    next: str | None
    """The shard's cursor behind the page; None: the list ends here."""
    more: bool | None
    """Whether there are rows behind the page; None: not stated."""
    before: bool | None
    """Whether there are rows before the page; None: not stated."""
    full: bool
    """The page has as many rows as were asked for."""


class Forward:
    """The rows of a shard behind a key (None: behind where it starts), until there are enough for a page."""

    __slots__ = ("_ended", "_far", "_last", "_starts", "_tells_more", "_want", "behind", "more", "place", "rows")

    def __init__(self, place: Start, behind: Any, want: int, *, tells_more: bool, far: bool = False) -> None:
        self.place = place
        self.behind = behind
        self.rows: list[KeyedRow] = []
        self.more: bool | None = None
        self._want = want
        self._tells_more = tells_more
        self._far = far
        self._ended = False
        self._last: Any = None
        self._starts: list[tuple[str | None, int]] = []

    @property
    def wanted(self) -> bool:
        """Whether more rows must be read."""
        surplus = len(self.rows) - self._want
        certain = self.more is not None or not self._tells_more
        return not (self._ended or surplus > 0 or (surplus == 0 and certain))

    @property
    def walking(self) -> bool:
        """Whether many rows may have to be passed over: larger pages then take fewer rounds."""
        return self._far and not self.rows

    def reaches(self, bound: Any) -> bool:
        """Whether all rows that follow are behind this key, and it is known whether any follow."""
        last = self._last
        return last is not None and (bound < last or (last == bound and self.more is not None))

    def take(self, batch: ShardPage) -> None:
        """Take in the next page. Raises BrokenReplyError where it does not go on behind the one before."""
        rows = batch.rows
        last = self._last
        if last is not None:
            rows = [row for row in rows if last < row.key]
        following = None if batch.more is False else batch.next
        if (batch.rows and not rows) or (not rows and following is not None and following == self.place.cursor):
            raise _stuck(batch, self.place)
        self._starts.append((self.place.cursor, len(self.rows)))
        if rows:
            self._last = rows[-1].key
        behind = self.behind
        self.rows += rows if behind is None else [row for row in rows if behind < row.key]
        self._ended = following is None or (batch.more is None and not batch.full)
        self.more = False if self._ended else batch.more
        self.place = Start(following, seek=self.place.seek)

    def position(self, used: int) -> str | None:
        """The shard's cursor behind the first `used` rows, or the nearest one before: some used rows may follow it."""
        if used == len(self.rows) and not self._ended:
            return self.place.cursor
        return [cursor for cursor, before in self._starts if before <= used][-1]


class Backward:
    """The rows of a shard before a key (None: before its end), as many as a page has: at once, or by reading on."""

    __slots__ = ("_ended", "_last", "_want", "more", "place", "rows", "until", "walking")

    def __init__(self, place: Start, until: Any, want: int) -> None:
        self.place = place
        self.until = until
        self.rows: list[KeyedRow] = []
        self.more: bool | None = None
        self.walking = not place.before
        self._want = want
        self._last: Any = None
        self._ended = False

    @property
    def wanted(self) -> bool:
        """Whether more rows must be read."""
        return not self._ended

    def take(self, batch: ShardPage) -> None:
        """Take in the next page. Raises BrokenReplyError where it does not go on behind the one before."""
        until = self.until
        if not self.walking:
            self.rows = [row for row in batch.rows if until is None or row.key < until]
            self.more = batch.full if batch.before is None else batch.before
            self._ended = True
            return
        rows = [row for row in batch.rows if self._last is None or self._last < row.key]
        if batch.rows and not rows:
            raise _stuck(batch, self.place)
        before = rows if until is None else [row for row in rows if row.key < until]
        following = None if batch.more is False else batch.next
        is_last = following is None or not rows or (batch.more is None and not batch.full)
        self._ended = len(before) < len(rows) or is_last
        self.rows = (self.rows + before)[-self._want - 1 :]
        self.more = len(self.rows) > self._want
        self._last = rows[-1].key if rows else None
        self.place = Start(following)


def _stuck(batch: ShardPage, start: Start) -> BrokenReplyError:
    first = f", the first with the tie-breaker `{excerpt(batch.rows[0].id)}`" if batch.rows else ""
    return BrokenReplyError(
        "a shard's next page does not go on behind the one before",
        where="row 0, counted from 0",
        log=f"asked from cursor `{excerpt(start.cursor or 'none')}`: {len(batch.rows)} rows{first}",
    )
