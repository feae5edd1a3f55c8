"""The order of rows: what the sort keys of a list are, and where each row stands.

Only the sort keys of a row are decoded, all rows of a shard in one pass.

Holds: the order is total (a tie-breaker ends it) and it is the application's; a shard whose rows are not in it is
found out.
"""

from collections.abc import Mapping
from functools import lru_cache
from operator import le
from typing import Any, Literal

import msgspec
from msgspec.structs import astuple

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
    """The sort keys of rows, decoded: one tuple a row, in the order's significance."""

    __slots__ = ("_decoder", "_nulls", "_order", "_stretches", "rows")

    def __init__(self, order: Order, keys: Mapping[str, SortKey]) -> None:
        self._order = order
        self._decoder = _decoder(tuple((name, keys[name]) for name, _ in order))
        self._nulls = tuple(keys[name].nulls for name, _ in order)
        self._stretches = _stretches(order)
        self.rows: list[tuple[_Key, ...]] = []

    def add(self, body: bytes) -> int:
        """Take in one shard's rows; returns how many.

        Raises BrokenReplyError where a row lacks a key or has it in another type, OrderBrokenError where the rows
        are not in this order.
        """
        try:
            rows = list(map(astuple, self._decoder.decode(body)))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise BrokenReplyError(
                "a shard's row lacks a sort key, or has it in another type", log=str(error)
            ) from error
        if any(self._nulls):
            rows = [_nulls_in_place(row, self._nulls) for row in rows]
        self._check(rows)
        self.rows += rows
        return len(rows)

    def sorted(self) -> list[int]:
        """The positions of the rows, as they were added, in the merged order."""
        return self._sort(self.rows)

    def comparable(self, start: int, end: int) -> list[Any]:
        """The keys of rows start to end, as they were added, as values that compare in this order."""
        down = [descends for _, descends in self._order]
        if not any(down):
            return self.rows[start:end]
        return [
            tuple(_Down(value) if descends else value for value, descends in zip(row, down, strict=True))
            for row in self.rows[start:end]
        ]

    def _sort(self, rows: list[tuple[_Key, ...]]) -> list[int]:
        """Python's sort finds the shards' runs and merges them (timsort).

        Mixed directions sort by each stretch of one direction, the least significant first, since it is stable.
        """
        positions = list(range(len(rows)))
        for start, end, descends in reversed(self._stretches):
            part = rows if len(self._stretches) == 1 else [row[start:end] for row in rows]
            positions.sort(key=part.__getitem__, reverse=descends)
        return positions

    def _check(self, rows: list[tuple[_Key, ...]]) -> None:
        """Each shard's rows must be in the order that the rule says, or a merge would be silently wrong."""
        if len(self._stretches) == 1:
            first, second = (rows[1:], rows) if self._stretches[0][2] else (rows, rows[1:])
            in_order = all(map(le, first, second))
        else:
            in_order = self._sort(rows) == list(range(len(rows)))
        if not in_order:
            names = ", ".join(f"-{name}" if descends else name for name, descends in self._order)
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


def _nulls_in_place(row: tuple[_Key, ...], nulls: tuple[str | None, ...]) -> tuple[_Key, ...]:
    """A key that may be null becomes a pair, whose first value says where it stands among the others."""
    placed: list[Any] = list(row)
    for n, where in enumerate(nulls):
        if where is not None:
            empty = (0 if where == "first" else 2, 0)
            placed[n] = empty if row[n] is None else (1, row[n])
    return tuple(placed)


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
