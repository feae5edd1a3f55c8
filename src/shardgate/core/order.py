"""The order of rows: what the sort keys of a list are, and where each row stands.

Only the sort keys of a row are decoded, all rows of a shard in one pass.

Holds: the order is total (a tie-breaker ends it) and it is the application's; a shard whose rows are not in it is
found out.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from operator import le
from typing import Any, Literal

import msgspec

from shardgate.core.errors import BrokenReplyError, OrderBrokenError

_TYPES: dict[str, object] = {"text": str, "number": int | float, "boolean": bool}


class SortKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How rows compare by one property. Text compares by code point (binary)."""

    type: Literal["text", "number", "boolean"] = "text"
    nulls: Literal["first", "last"] | None = None
    """Where rows without a value stand when ascending (the other end when descending); None: there are none."""


KeyConfig = Literal["text", "number", "boolean"] | SortKey
"""A sort key as configuration writes it: a type's name, or all of it."""

Order = tuple[tuple[str, bool], ...]
"""Sort keys, most significant first, each with whether it descends."""

_Key = bool | int | float | str | None | tuple[int, bool | int | float | str]


def sort_key(config: KeyConfig) -> SortKey:
    """A key's configuration in full."""
    return config if isinstance(config, SortKey) else SortKey(type=config)


class Ranking:
    """The sort keys of rows, decoded: columns in the order's significance, one value a row."""

    __slots__ = ("_columns", "_order")

    def __init__(self, order: Order) -> None:
        self._order = order
        self._columns: list[list[_Key]] = [[] for _ in order]

    def add(self, body: bytes, keys: Mapping[str, SortKey]) -> int:
        """Take in one shard's rows; returns how many.

        Raises BrokenReplyError where a row lacks a key or has it in another type, OrderBrokenError where the rows
        are not in this order.
        """
        names = tuple(name for name, _ in self._order)
        decoder = _decoder(tuple((name, keys[name]) for name in names))
        try:
            rows = decoder.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise BrokenReplyError(
                "a shard's row lacks a sort key, or has it in another type", log=str(error)
            ) from error
        columns = [
            _nulls_in_place([getattr(row, f"k{n}") for row in rows], keys[name].nulls) for n, name in enumerate(names)
        ]
        _check(columns, self._order)
        for column, more in zip(self._columns, columns, strict=True):
            column.extend(more)
        return len(rows)

    def sorted(self) -> list[int]:
        """The positions of the rows, as they were added, in the merged order.

        Python's sort finds the shards' runs and merges them (timsort); mixed directions sort by each stretch of one
        direction, the least significant first, since it is stable.
        """
        positions = list(range(len(self._columns[0]))) if self._columns else []
        for start, end, descends in reversed(_stretches(self._order)):
            values = _combined(self._columns[start:end])
            positions.sort(key=values.__getitem__, reverse=descends)
        return positions

    def comparable(self, start: int, end: int) -> list[Any]:
        """The keys of rows start to end, as they were added, as values that compare in this order."""
        columns = [
            [_Down(value) for value in column[start:end]] if descends else column[start:end]
            for column, (_, descends) in zip(self._columns, self._order, strict=True)
        ]
        return list(zip(*columns, strict=True))

    def values(self, name: str) -> list[_Key]:
        """The column of one key."""
        return self._columns[[key for key, _ in self._order].index(name)]


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


def _combined(columns: Sequence[list[_Key]]) -> Sequence[Any]:
    return columns[0] if len(columns) == 1 else list(zip(*columns, strict=True))


def _nulls_in_place(column: list[_Key], nulls: str | None) -> list[_Key]:
    if nulls is None:
        return column
    empty = 0 if nulls == "first" else 2
    return [(empty, 0) if value is None else (1, value) for value in column]  # type: ignore[misc]


def _check(columns: list[list[_Key]], order: Order) -> None:
    """Each shard's rows must be in the order that the rule says, or a merge would be silently wrong."""
    stretches = _stretches(order)
    if len(stretches) == 1:
        values = _combined(columns)
        first, second = (values, values[1:]) if not stretches[0][2] else (values[1:], values)
        in_order = all(map(le, first, second))
    else:
        ranking = list(range(len(columns[0])))
        for start, end, descends in reversed(stretches):
            ranking.sort(key=_combined(columns[start:end]).__getitem__, reverse=descends)
        in_order = ranking == list(range(len(columns[0])))
    if not in_order:
        names = ", ".join(f"-{name}" if descends else name for name, descends in order)
        raise OrderBrokenError(f"a shard's rows are not in the order {names} that the rule declares")


@lru_cache(maxsize=256)
def _decoder(keys: tuple[tuple[str, SortKey], ...]) -> msgspec.json.Decoder[list[msgspec.Struct]]:
    """A decoder that reads the sort keys of each row and skips the rest."""
    fields = [
        (f"k{n}", _TYPES[key.type] if key.nulls is None else _TYPES[key.type] | None)  # type: ignore[operator]
        for n, (_, key) in enumerate(keys)
    ]
    renamed = {f"k{n}": name for n, (name, _) in enumerate(keys)}
    row = msgspec.defstruct("SortKeys", fields, rename=renamed, gc=False)
    return msgspec.json.Decoder(list[row])  # type: ignore[valid-type]
