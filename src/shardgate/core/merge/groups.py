"""Reports into one report: rows of the same key become one row.

Sums add, exactly; the least is the least of all; an average does not add, so that it is made again of the sums that it
was made of; other properties must be equal.

Holds: the rows are sorted by their key; properties keep the order in which the application writes them, and their bytes
where nothing is added to them.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from shardgate.core.http import Reply
from shardgate.core.json.array import cut, join
from shardgate.core.json.number import Average, add, least, read_number, write_number
from shardgate.core.json.object import JsonObject
from shardgate.core.merge.combining import Combining, told

_Row = dict[str, msgspec.Raw]
_Key = tuple[Any, ...]
_MEMBERS = msgspec.json.Decoder(_Row)


class Groups(Combining, frozen=True, tag="groups"):
    """United rows: one for each value of `key`."""

    key: str | tuple[str, ...]
    """The property, or the several, by which the application groups."""
    sum: tuple[str, ...] = ()
    min: tuple[str, ...] = ()
    """Numbers, or texts by code point; null is none."""
    max: tuple[str, ...] = ()
    average: Mapping[str, Average] = msgspec.field(default_factory=dict)
    nulls: Literal["first", "last"] | None = None
    """Where the row of the key null stands; None: there is none."""

    def __post_init__(self) -> None:
        """An average is made of sums."""
        for name, average in self.average.items():
            if not {average.of, average.over} <= {*self.sum}:
                raise ValueError(f"the average {name!r} needs {average.of!r} and {average.over!r} under `sum`")

    def combine(self, replies: Sequence[Reply]) -> Reply:
        """The united rows. Raises ValueError, TypeError, LookupError or ArithmeticError where one is not as told."""
        lists = [cut(reply.body) for reply in replies]
        groups: dict[_Key, list[bytes]] = {}
        for row in (bytes(raw) for rows in lists for raw in rows.raw):
            groups.setdefault(self._key(_MEMBERS.decode(row)), []).append(row)
        united = [msgspec.Raw(self._united(groups[key])) for key in sorted(groups)]
        return told(replies[0], join(united, lists))

    def describe(self) -> str:
        """The merge in one line."""
        named = [("sums of", self.sum), ("least", self.min), ("greatest", self.max), ("average", tuple(self.average))]
        what = [f"{word} {', '.join(names)}" for word, names in named if names]
        return ", ".join([f"groups by {' and '.join(self._names)}", *what])

    @property
    def _names(self) -> tuple[str, ...]:
        return (self.key,) if isinstance(self.key, str) else self.key

    def _key(self, row: _Row) -> _Key:
        values = [_value(bytes(row[name])) for name in self._names]
        if self.nulls is None:
            return tuple(values)
        empty = (0 if self.nulls == "first" else 2, 0)
        return tuple(empty if value is None else (1, value) for value in values)

    def _united(self, written: Sequence[bytes]) -> bytes:
        rows = [_MEMBERS.decode(row) for row in written]
        first = rows[0]
        if any(row.keys() != first.keys() for row in rows):
            raise ValueError("a property is missing on some shard")
        texts = {name: [bytes(row[name]) for row in rows] for name in first}
        sums = {name: add(texts[name]) for name in self.sum}
        # A row that one shard has alone keeps its bytes, once its numbers are seen to be such.
        changes: dict[str | None, object] = {name: write_number(total) for name, total in sums.items()}
        changes |= {name: least(texts[name]) for name in self.min}
        changes |= {name: least(texts[name], greatest=True) for name in self.max}
        for name, average in self.average.items():
            if any(read_number(text) is None and average.empty is not None for text in texts[name]):
                raise ValueError(f"{name} is null")
            changes[name] = msgspec.json.encode(average.again(sums[average.of], sums[average.over]))
        for name, values in texts.items():
            if name not in changes and name not in self._names and any(value != values[0] for value in values):
                raise ValueError(f"{name} is not the same on every shard")
        return JsonObject(written[0]).edited(changes) if len(rows) > 1 else written[0]


def _value(text: bytes) -> Any:
    """What a key is equal by, and sorted: numbers exactly."""
    return read_number(text) if text[:1] in b"-0123456789" else msgspec.json.decode(text)
