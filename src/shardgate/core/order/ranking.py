"""Ranks the rows of several shards: where each row stands in the merged order.

Only the sort keys of a row are decoded, all rows of a shard in one pass.

Holds: rows of a shard that are not in the order are an error, never merged.
Hot path: what follows from an order alone is made once and kept (`Sorter`).
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from operator import le
from typing import Any

from shardgate.core.order.fault import misplaced, unreadable
from shardgate.core.order.key_reader import KeyReader, KeyValues, reader
from shardgate.core.order.order import Order
from shardgate.core.order.sort_key import null_place


class Sorter:
    """Reads and sorts the sort keys of one order."""

    __slots__ = ("_changes", "_descends", "_stretches", "changes", "read_all")

    def __init__(self, order: Order) -> None:
        keys = reader(order.keys)
        self.read_all: Callable[[Sequence[bytes]], list[KeyValues]] = keys.read_all
        """The sort keys of each row of these arrays. Raises ValueError, RecursionError."""
        self._stretches = _stretches(order.by)
        self._descends = self._stretches[0][2] if len(self._stretches) == 1 else None
        self._changes = _changes(keys, order)
        self.changes = bool(self._changes)
        """Whether a value that compares is another than the one that was read."""

    def compared(self, values: list[KeyValues]) -> list[KeyValues]:
        """The same, as values that compare. Raises ValueError."""
        changes = self._changes
        return [_comparable(row, changes) for row in values] if changes else values

    def sorted(self, rows: list[KeyValues]) -> list[int]:
        """The numbers of the rows in the order; of equal rows the first stands first.

        Python's sort (timsort) finds the shards' runs and merges them. Where directions are mixed, it sorts by each
        stretch of one direction, the least significant first: it is stable.
        """
        if (descends := self._descends) is not None:
            return sorted(range(len(rows)), key=rows.__getitem__, reverse=descends)
        positions = list(range(len(rows)))
        for start, end, down in reversed(self._stretches):
            positions.sort(key=[row[start:end] for row in rows].__getitem__, reverse=down)
        return positions

    def are_sorted(self, rows: list[KeyValues]) -> bool:
        """Whether the rows stand in the order."""
        if (descends := self._descends) is None:
            return self.sorted(rows) == list(range(len(rows)))
        first, second = (rows[1:], rows) if descends else (rows, rows[1:])
        return all(map(le, first, second))


@lru_cache(maxsize=256)
def sorter(order: Order) -> Sorter:
    """The sorter of this order, made once."""
    return Sorter(order)


class Ranking:
    """The sort keys of rows, decoded: one tuple a row, in the order of significance."""

    __slots__ = ("_order", "_sorter", "rows", "values")

    def __init__(self, order: Order) -> None:
        self._order = order
        self._sorter = sorter(order)
        self.rows: list[KeyValues] = []
        """The sort keys of each row, as values that compare."""
        self.values: list[KeyValues] = [] if self._sorter.changes else self.rows
        """The sort keys of each row, as they were read."""

    def add(self, body: bytes, before: int = 0) -> int:
        """Take in one shard's rows, an array; returns how many.

        `before`: how many rows of the shard stand before these, for errors. Raises BrokenReplyError where a row lacks a
        sort key or has it in another type, OrderBrokenError where the rows are not in this order.
        """
        try:
            values = self._sorter.read_all((body,))
            rows = self._sorter.compared(values)
        except (ValueError, RecursionError) as error:
            raise unreadable(self._order, body, error, before, self._compared) from error
        self._check(rows, values, before)
        self.rows += rows
        if rows is not values:
            self.values += values
        return len(rows)

    def sorted(self) -> list[int]:
        """The numbers of the rows, counted as they were added, in the merged order."""
        return self._sorter.sorted(self.rows)

    def follow(self, last: KeyValues, before: int) -> None:
        """Check that the rows stand behind this row of the same shard. Raises OrderBrokenError.

        `before`: how many rows of the shard stand before the first one here.
        """
        if self.rows:
            pair = [last, self.rows[0]]
            self._check(pair, pair, before - 1)

    def comparable(self, start: int, end: int) -> list[Any]:
        """The keys of the rows from start to end, as they were added: one value a row that compares in the order."""
        return self._directed(self.rows[start:end])

    def _directed(self, rows: list[KeyValues]) -> list[Any]:
        down = [descends for _, descends in self._order.by]
        if not any(down):
            return rows
        return [
            tuple(Down(value) if descends else value for value, descends in zip(row, down, strict=True)) for row in rows
        ]

    def _compared(self, body: bytes) -> list[KeyValues]:
        return self._sorter.compared(self._sorter.read_all((body,)))

    def _check(self, rows: list[KeyValues], values: list[KeyValues], before: int) -> None:
        """A shard's rows must be in the order that the rule declares, or the merge would be silently wrong."""
        if not self._sorter.are_sorted(rows):
            raise misplaced(self._order, values, self._directed(rows), before)


class Down:
    """A key that compares the other way round."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __lt__(self, other: "Down") -> bool:
        return bool(other.value < self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Down) and other.value == self.value

    def __hash__(self) -> int:
        return hash(self.value)


def _stretches(order: Sequence[tuple[str, bool]]) -> list[tuple[int, int, bool]]:
    """The keys in stretches of one direction: the first key, the end, and whether the stretch descends."""
    stretches: list[tuple[int, int, bool]] = []
    for n, (_, descends) in enumerate(order):
        if stretches and stretches[-1][2] == descends:
            stretches[-1] = (stretches[-1][0], n + 1, descends)
        else:
            stretches.append((n, n + 1, descends))
    return stretches


_Change = tuple[int, Callable[[Any], Any] | None, tuple[int, int] | None]
"""How to make a value comparable: its number in the row, the function, and what a missing one compares as."""


def _changes(read: KeyReader, order: Order) -> list[_Change]:
    if not read.changes:
        return _NO_CHANGES
    return [
        (n, change, None if nulls is None else null_place(nulls, descends=order.by[n][1]))
        for n, change, nulls in read.changes
    ]


_NO_CHANGES: list[_Change] = []


def _comparable(row: KeyValues, changes: Sequence[_Change]) -> KeyValues:
    """The row with each value made comparable. One that may be missing becomes a pair that puts those first or last.

    Raises ValueError where a value cannot be compared.
    """
    placed = list(row)
    for n, change, missing in changes:
        value = row[n]
        if value is not None and change is not None:
            value = change(value)
        if missing is not None:
            value = missing if value is None else (1, value)
        placed[n] = value
    return tuple(placed)
