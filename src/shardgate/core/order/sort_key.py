"""What rows are sorted by: the type of each key, where it stands in the row, and how its values compare.

Holds: numbers compare exactly, however long and however written; instants compare as instants, whatever their offset.
Never: reads a row (key_reader.py does).
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Literal, get_args

import msgspec

from shardgate.core.order.collation import collation

KeyType = Literal["text", "number", "decimal", "boolean", "time"]

# RFC 3339 section 5.6, whose note lets a space stand for the T.
_TIME = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ]([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)(?:\.(\d+))?"
    r"(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))",
    re.ASCII,
)


class SortKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How rows compare by one property."""

    type: KeyType = "text"
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


KeyConfig = KeyType | SortKey
"""A sort key as configuration writes it: a type's name, or all of it."""


def sort_key(config: KeyConfig) -> SortKey:
    """A key's configuration in full."""
    return config if isinstance(config, SortKey) else _PLAIN[config]


_PLAIN: dict[KeyType, SortKey] = {kind: SortKey(type=kind) for kind in get_args(KeyType)}


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
