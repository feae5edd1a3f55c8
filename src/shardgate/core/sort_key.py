"""What rows are sorted by: the type of each key, where it stands in the row, and how its values compare.

Holds: numbers compare exactly, however long and however written; instants compare as instants, whatever their offset.
Never: decodes more of a row than its sort keys.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from operator import attrgetter
from typing import Any, Literal

import msgspec
from msgspec.structs import astuple

from shardgate.core.collation import collation

Kind = Literal["text", "number", "decimal", "boolean", "time"]
Values = tuple[Any, ...]
"""The sort keys of one row."""

_JSON: dict[Kind, Any] = {
    "text": str,
    "number": int | float,
    "decimal": int | Decimal,
    "boolean": bool,
    "time": str,
}
# RFC 3339 section 5.6, whose note lets a space stand for the T.
_TIME = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ]([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)(?:\.(\d+))?"
    r"(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))",
    re.ASCII,
)


class SortKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How rows compare by one property."""

    type: Kind = "text"
    """`decimal` is a number that may be written as text; `time` an RFC 3339 time with its offset."""
    nulls: Literal["first", "last"] | None = None
    """Where rows without a value stand when ascending (the other end when descending); None: there are none."""
    collation: str = "binary"
    """How text compares."""
    path: str | tuple[str, ...] | None = None
    """Where the value stands in the row: `vendor.name`, or a list where names have dots; None: where the key's name
    says."""

    def __post_init__(self) -> None:
        """A collation is known, and text's alone."""
        if self.collation != "binary" and self.type != "text":
            raise ValueError("only text has a collation")
        collation(self.collation)

    def place(self, name: str) -> tuple[str, ...]:
        """The members that lead to the value."""
        path = name if self.path is None else self.path
        return tuple(path.split(".")) if isinstance(path, str) else path


KeyConfig = Kind | SortKey
"""A sort key as configuration writes it: a type's name, or all of it."""


def sort_key(config: KeyConfig) -> SortKey:
    """A key's configuration in full."""
    return config if isinstance(config, SortKey) else SortKey(type=config)


def clash(keys: Mapping[str, SortKey]) -> str | None:
    """Why these cannot be the keys of one row; None where they can."""
    places = {name: key.place(name) for name, key in keys.items()}
    for name, place in places.items():
        for other, longer in places.items():
            if len(place) < len(longer) and longer[: len(place)] == place:
                return f"the sort key {name!r} stands where {other!r} goes deeper"
            if place == longer and keys[name].type != keys[other].type:
                return f"the sort keys {name!r} and {other!r} are the same value, in different types"
    return None


def transform(key: SortKey) -> Callable[[Any], Any] | None:
    """What makes a value comparable; None where it is. The function raises ValueError for a value that is none."""
    if key.type == "time":
        return instant
    if key.type == "decimal":
        return _finite
    return collation(key.collation) if key.type == "text" else None


def instant(text: str) -> tuple[int, str]:
    """Seconds and decimals of a second: compares as the time does, to any precision. Raises ValueError."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError("it is no RFC 3339 time with an offset")
    day, hour, minute, second, decimals, sign, ahead_h, ahead_min = match.groups()
    seconds = ((date.fromisoformat(day).toordinal() * 24 + int(hour)) * 60 + int(minute)) * 60 + int(second)
    if sign is not None:
        ahead = (int(ahead_h) * 60 + int(ahead_min)) * 60
        seconds += ahead if sign == "-" else -ahead
    return seconds, (decimals or "").rstrip("0")


def _finite(value: int | Decimal) -> int | Decimal:
    if isinstance(value, Decimal) and not value.is_finite():
        raise ValueError("it is no number")
    return value


class KeyReader:
    """Reads the sort keys of each row of a list, and skips the rest."""

    __slots__ = ("_decoder", "_exact", "_numbers", "_values")

    def __init__(self, keys: Sequence[tuple[str, SortKey]]) -> None:
        places = [key.place(name) for name, key in keys]
        self._numbers = [n for n, (_, key) in enumerate(keys) if key.type == "number"]
        self._decoder = _decoder(places, [(_JSON[key.type], key.nulls is not None) for _, key in keys])
        exact = [(int | Decimal if key.type == "number" else _JSON[key.type], key.nulls is not None) for _, key in keys]
        self._exact = _decoder(places, exact)
        self._values = _values(places, [key.nulls is not None for _, key in keys])

    def read(self, body: bytes) -> list[Values]:
        """The keys of each row. Raises msgspec.DecodeError where a row lacks one, or has it in another type."""
        rows = list(map(self._values, self._decoder.decode(body)))
        # A float is a number rounded: what was written is read again, exactly (the first reading refused all texts).
        if any(float in {type(row[n]) for row in rows} for n in self._numbers):
            rows = list(map(self._values, self._exact.decode(body)))
        return rows


@lru_cache(maxsize=256)
def reader(keys: tuple[tuple[str, SortKey], ...]) -> KeyReader:
    """The reader of these keys, made once."""
    return KeyReader(keys)


def _decoder(places: Sequence[tuple[str, ...]], types: Sequence[tuple[Any, bool]]) -> msgspec.json.Decoder[list[Any]]:
    leaves = [(place, kind, empty) for place, (kind, empty) in zip(places, types, strict=True)]
    return msgspec.json.Decoder(list[_row(leaves)])  # type: ignore[misc]


def _row(leaves: Sequence[tuple[tuple[str, ...], Any, bool]]) -> Any:
    """A struct with the members that lead to values; one that leads to a value that may be missing may be null."""
    below: dict[str, list[tuple[tuple[str, ...], Any, bool]]] = {}
    for place, kind, empty in leaves:
        below.setdefault(place[0], []).append((place[1:], kind, empty))
    fields: list[tuple[str, Any]] = []
    for n, inner in enumerate(below.values()):
        place, kind, _ = inner[0]
        if place:
            kind = _row(inner)
        fields.append((f"k{n}", kind | None if any(empty for *_, empty in inner) else kind))
    renamed = {f"k{n}": name for n, name in enumerate(below)}
    return msgspec.defstruct("SortKeys", fields, rename=renamed, gc=False)


def _values(places: Sequence[tuple[str, ...]], empty: Sequence[bool]) -> Callable[[Any], Values]:
    """Takes the values out of a decoded row, in the order of the keys."""
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
    """The value at the end of the steps; None where one of them leads to nothing."""

    def get(row: Any) -> Any:
        for step in steps:
            row = None if row is None else getattr(row, step)
        return row

    return get
