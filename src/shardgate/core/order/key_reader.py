"""Reads the sort keys of a list's rows, all rows of a shard in one pass, and skips everything else.

Holds: a number is read as it is written, never rounded to a float.
Never: decodes more of a row than its sort keys.
Hot path: one reader for each order that was asked for, kept; a number with a point costs 0.4 µs more than another.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import lru_cache
from itertools import chain
from operator import attrgetter
from typing import Any

import msgspec
from msgspec.structs import astuple

from shardgate.core.json.surrogates import decoded
from shardgate.core.order.sort_key import KeyType, SortKey, transform

KeyValues = tuple[Any, ...]
"""The sort keys of one row."""

_JSON: dict[KeyType, Any] = {
    "text": str,
    "number": Any,  # a float would be rounded: the decoder's hook makes a Decimal of a number with a point or exponent
    "decimal": int | Decimal,
    "boolean": bool,
    "time": str,
    "any": Any,
}
_NUMBERS = frozenset({int, Decimal})


class KeyReader:
    """Reads the sort keys of each row of an array, and skips the rest."""

    __slots__ = ("_decode", "_decoder", "_numbers", "_values", "changes")

    def __init__(self, keys: Sequence[tuple[str, SortKey]]) -> None:
        places = [key.place(name) for name, key in keys]
        self._numbers = [
            (n, _NUMBERS | {type(None)} if key.nulls else _NUMBERS)
            for n, (_, key) in enumerate(keys)
            if key.type == "number"
        ]
        self._decoder = _decoder(places, [(_JSON[key.type], key.nulls is not None) for _, key in keys])
        self._decode = self._decoder.decode
        self._values = _values(places, [key.nulls is not None for _, key in keys])
        self.changes = [
            (n, change, key.nulls)
            for n, (_, key) in enumerate(keys)
            if (change := transform(key)) is not None or key.nulls is not None
        ]
        """How to make a row's values comparable: the number of the value, the function, and where a null belongs."""

    def read(self, body: bytes) -> list[KeyValues]:
        """The keys of each row of an array. Raises ValueError as `read_all` does."""
        return self.read_all((body,))

    def read_all(self, bodies: Sequence[bytes]) -> list[KeyValues]:
        """The keys of each row of these arrays. Raises ValueError where a row lacks one, or has it in another type."""
        try:
            rows = list(map(self._values, chain.from_iterable(map(self._decode, bodies))))
        except (msgspec.DecodeError, ArithmeticError):
            rows = list(chain.from_iterable(map(self._read_again, bodies)))
        for n, types in self._numbers:
            if not {type(row[n]) for row in rows} <= types:
                raise ValueError("a value is no number")
        return rows

    def _read_again(self, body: bytes) -> list[KeyValues]:
        """The same for rows that the decoder refused: a text with half a surrogate pair may be read over."""
        try:
            decoded_rows, read = decoded(self._decoder, body)
            rows = list(map(self._values, decoded_rows))
        except ArithmeticError as error:
            raise ValueError("a number has an exponent beyond all bounds") from error
        if read is not body and any("\ufffd" in value for row in rows for value in row if isinstance(value, str)):
            raise ValueError("a text that is compared has half a surrogate pair")
        return rows


@lru_cache(maxsize=256)
def reader(keys: tuple[tuple[str, SortKey], ...]) -> KeyReader:
    """The reader of these keys, made once."""
    return KeyReader(keys)


def _decoder(places: Sequence[tuple[str, ...]], types: Sequence[tuple[Any, bool]]) -> msgspec.json.Decoder[list[Any]]:
    leaves = [(place, kind, empty) for place, (kind, empty) in zip(places, types, strict=True)]
    return msgspec.json.Decoder(list[_row(leaves)], float_hook=Decimal)  # type: ignore[misc]


def _row(leaves: Sequence[tuple[tuple[str, ...], Any, bool]]) -> Any:
    """A struct with the members on the paths to values. A member may be null or missing where a value below it may."""
    below: dict[str, list[tuple[tuple[str, ...], Any, bool]]] = {}
    for place, kind, empty in leaves:
        below.setdefault(place[0], []).append((place[1:], kind, empty))
    fields: list[Any] = []
    for n, inner in enumerate(below.values()):
        place, kind, _ = inner[0]
        if place:
            kind = _row(inner)
        fields.append((f"k{n}", kind | None, None) if any(empty for *_, empty in inner) else (f"k{n}", kind))
    renamed = {f"k{n}": name for n, name in enumerate(below)}
    return msgspec.defstruct("SortKeys", fields, rename=renamed, gc=False, kw_only=True)


def _values(places: Sequence[tuple[str, ...]], empty: Sequence[bool]) -> Callable[[Any], KeyValues]:
    """The function that takes the values out of a decoded row, in the order of the keys."""
    if all(len(place) == 1 for place in places) and len(set(places)) == len(places):
        return astuple
    numbers: dict[tuple[str, ...], dict[str, int]] = {}
    getters = []
    for place, may_be_empty in zip(places, empty, strict=True):
        steps = []
        for depth, name in enumerate(place):
            level = numbers.setdefault(place[:depth], {})
            steps.append(f"k{level.setdefault(name, len(level))}")
        getters.append(_reached(steps) if may_be_empty else attrgetter(".".join(steps)))
    return lambda row: tuple([get(row) for get in getters])


def _reached(steps: Sequence[str]) -> Callable[[Any], Any]:
    """The function that follows the steps to a value; it gives None where a step leads to nothing."""

    def get(row: Any) -> Any:
        for step in steps:
            row = None if row is None else getattr(row, step)
        return row

    return get
