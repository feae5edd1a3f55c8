"""The order of rows: what the sort keys of a list are, and where each row stands.

Only the sort keys of a row are decoded, all rows of a shard in one pass.

Holds: the order is total (a tie-breaker ends it) and it is the application's; a shard whose rows are not in it is
found out.
"""

from collections.abc import Callable, Mapping, Sequence
from operator import le
from typing import Any

from shardgate.core.errors import BrokenReplyError, OrderBrokenError
from shardgate.core.order.key_reader import KeyValues, reader
from shardgate.core.order.sort_key import SortKey

Order = tuple[tuple[str, bool], ...]
"""Sort keys, most significant first, each with whether it descends."""


class Ranking:
    """The sort keys of rows, decoded: one tuple a row, in the order's significance."""

    __slots__ = ("_keys", "_order", "_reader", "_stretches", "rows", "values")

    def __init__(self, order: Order, keys: Mapping[str, SortKey]) -> None:
        chosen = tuple((name, keys[name]) for name, _ in order)
        self._order = order
        self._reader = reader(chosen)
        self._keys = keys
        self._stretches = _stretches(order)
        self.rows: list[KeyValues] = []
        """Of each row, what compares."""
        self.values: list[KeyValues] = [] if self._reader.changes else self.rows
        """Of each row, the values as they were read."""

    def add(self, body: bytes) -> int:
        """Take in one shard's rows; returns how many.

        Raises BrokenReplyError where a row lacks a key or has it in another type, OrderBrokenError where the rows
        are not in this order.
        """
        try:
            values = self._reader.read(body)
            changes = self._reader.changes
            rows = [_comparable(row, changes) for row in values] if changes else values
        except (ValueError, RecursionError) as error:
            raise BrokenReplyError(
                "a shard's row lacks a sort key, or has it in another type", log=str(error)
            ) from error
        self._check(rows)
        self.rows += rows
        if changes:
            self.values += values
        return len(rows)

    def sorted(self) -> list[int]:
        """The positions of the rows, as they were added, in the merged order."""
        return self._sort(self.rows)

    def go_on_behind(self, last: KeyValues) -> None:
        """The rows, if any, follow this one of the same shard. Raises OrderBrokenError."""
        if self.rows:
            self._check([last, self.rows[0]])

    def comparable(self, start: int, end: int) -> list[Any]:
        """The keys of rows start to end, as they were added, as values that compare in this order."""
        down = [descends for _, descends in self._order]
        if not any(down):
            return self.rows[start:end]
        return [
            tuple(_Down(value) if descends else value for value, descends in zip(row, down, strict=True))
            for row in self.rows[start:end]
        ]

    def _sort(self, rows: list[KeyValues]) -> list[int]:
        """Python's sort finds the shards' runs and merges them (timsort).

        Mixed directions sort by each stretch of one direction, the least significant first, since it is stable.
        """
        positions = list(range(len(rows)))
        for start, end, descends in reversed(self._stretches):
            part = rows if len(self._stretches) == 1 else [row[start:end] for row in rows]
            positions.sort(key=part.__getitem__, reverse=descends)
        return positions

    def _check(self, rows: list[KeyValues]) -> None:
        """Each shard's rows must be in the order that the rule says, or a merge would be silently wrong."""
        if len(self._stretches) == 1:
            first, second = (rows[1:], rows) if self._stretches[0][2] else (rows, rows[1:])
            in_order = all(map(le, first, second))
        else:
            in_order = self._sort(rows) == list(range(len(rows)))
        if not in_order:
            names = ", ".join([_described(name, self._keys[name], descends) for name, descends in self._order])
            raise OrderBrokenError(f"a shard's rows are not in the order {names} that the rule declares")


class _Down:
    """A key that compares the other way round."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __lt__(self, other: "_Down") -> bool:
        return bool(other.value < self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Down) and other.value == self.value

    def __hash__(self) -> int:
        return hash(self.value)


def _stretches(order: Order) -> list[tuple[int, int, bool]]:
    stretches: list[tuple[int, int, bool]] = []
    for n, (_, descends) in enumerate(order):
        if stretches and stretches[-1][2] == descends:
            stretches[-1] = (stretches[-1][0], n + 1, descends)
        else:
            stretches.append((n, n + 1, descends))
    return stretches


def _comparable(row: KeyValues, places: Sequence[tuple[int, Callable[[Any], Any] | None, str | None]]) -> KeyValues:
    """The row with each value made comparable; one that may be null becomes a pair, whose first says where it stands.

    Raises ValueError.
    """
    placed = list(row)
    for n, change, nulls in places:
        value = row[n]
        if value is not None and change is not None:
            value = change(value)
        if nulls is not None:
            value = (0 if nulls == "first" else 2, 0) if value is None else (1, value)
        placed[n] = value
    return tuple(placed)


def _described(name: str, key: SortKey, descends: bool) -> str:
    how = f"by {key.collation}" if key.collation != "binary" else "as a time" if key.type == "time" else ""
    return " ".join([f"-{name}" if descends else name, how]).rstrip()
