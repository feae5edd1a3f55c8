"""Grouped reports merged into one: rows with the same key become one row.

Sums add exactly, the least is the least of all, and an average is computed again from the sums over all shards. Other
properties must be equal.

Holds: rows are sorted by their key. Properties keep the order in which the application writes them; a row that only one
shard has keeps its bytes.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from shardgate.core.excerpt import excerpt
from shardgate.core.http import Reply
from shardgate.core.json.array import cut, join
from shardgate.core.json.number import Average, add, least, read_number, write_number
from shardgate.core.json.object import JsonObject
from shardgate.core.merge.combining import Combining, with_body
from shardgate.core.paging.bounds import check_whole

_Row = dict[str, msgspec.Raw]
_Key = tuple[Any, ...]
_MEMBERS = msgspec.json.Decoder(_Row)


class Groups(Combining, frozen=True, tag="groups"):
    """One row for each value of `key`: `[{"city": "Porto", "orders": 3}]`."""

    key: str | tuple[str, ...]
    """The property, or the several properties, by which the application groups."""
    sum: tuple[str, ...] = ()
    """Properties that add up."""
    min: tuple[str, ...] = ()
    """Properties of which the least counts, of numbers or of texts (by code point); null counts as no value."""
    max: tuple[str, ...] = ()
    """Properties of which the greatest counts, of numbers or of texts (by code point); null counts as no value."""
    average: Mapping[str, Average] = msgspec.field(default_factory=dict)
    """Properties that are averages → the two sums that each is computed from, which must be under `sum`."""
    nulls: Literal["first", "last"] | None = None
    """Where the row whose key is null stands; null: there is no such row."""

    def __post_init__(self) -> None:
        """An average is computed from sums. Raises ValueError."""
        for name, average in self.average.items():
            if not {average.of, average.over} <= {*self.sum}:
                raise ValueError(f"the average {name!r} needs {average.of!r} and {average.over!r} under `sum`")

    def combine(self, replies: Sequence[Reply]) -> Reply:
        """The merged rows. Raises BrokenReplyError, ValueError, TypeError, LookupError, ArithmeticError."""
        lists = [cut(reply.body) for reply in replies]
        check_whole(sum(len(rows.raw) for rows in lists))
        groups: dict[_Key, list[bytes]] = {}
        for row in (bytes(raw) for rows in lists for raw in rows.raw):
            groups.setdefault(self._key(_MEMBERS.decode(row)), []).append(row)
        merged = [msgspec.Raw(self._merged(groups[key])) for key in sorted(groups)]
        return with_body(replies[0], join(merged, lists))

    def describe(self) -> str:
        """The merge in one line."""
        named = [("sums of", self.sum), ("least", self.min), ("greatest", self.max), ("average", tuple(self.average))]
        what = [f"{word} {', '.join(names)}" for word, names in named if names]
        return ", ".join([f"groups by {' and '.join(self._names)}", *what])

    @property
    def _names(self) -> tuple[str, ...]:
        return (self.key,) if isinstance(self.key, str) else self.key

    def _key(self, row: _Row) -> _Key:
        if missing := [name for name in self._names if name not in row]:
            raise ValueError(f"a row lacks {', '.join(missing)}; it has {excerpt(', '.join(row))}")
        values = [_value(bytes(row[name])) for name in self._names]
        if self.nulls is None:
            return tuple(values)
        empty = (0 if self.nulls == "first" else 2, 0)
        return tuple(empty if value is None else (1, value) for value in values)

    def _merged(self, written: Sequence[bytes]) -> bytes:
        rows = [_MEMBERS.decode(row) for row in written]
        first = rows[0]
        if any(row.keys() != first.keys() for row in rows):
            lacks = next(row for row in rows if row.keys() != first.keys())
            names = ", ".join(sorted(first.keys() ^ lacks.keys()))
            raise ValueError(f"not all rows of one key have {excerpt(names)}")
        if missing := [name for name in (*self.sum, *self.min, *self.max, *self.average) if name not in first]:
            raise ValueError(f"a row lacks {', '.join(missing)}; it has {excerpt(', '.join(first))}")
        texts = {name: [bytes(row[name]) for row in rows] for name in first}
        sums = {name: add(texts[name]) for name in self.sum}
        # A row that only one shard has keeps its bytes, but its numbers are checked.
        changes: dict[str | None, object] = {name: write_number(total) for name, total in sums.items()}
        changes |= {name: least(texts[name]) for name in self.min}
        changes |= {name: least(texts[name], greatest=True) for name in self.max}
        for name, average in self.average.items():
            if any(read_number(text) is None and average.empty is not None for text in texts[name]):
                raise ValueError(f"the average {name} is null, and `empty` says {average.empty} is written instead")
            changes[name] = msgspec.json.encode(average.again(sums[average.of], sums[average.over]))
        for name, values in texts.items():
            if name not in changes and name not in self._names and any(value != values[0] for value in values):
                other = next(value for value in values if value != values[0])
                raise ValueError(f"{name} is `{excerpt(values[0])}` on one shard, and `{excerpt(other)}` on another")
        return JsonObject(written[0]).edited(changes) if len(rows) > 1 else written[0]


def _value(text: bytes) -> Any:
    """The value that rows are grouped and sorted by; numbers compare exactly."""
    return read_number(text) if text[:1] in b"-0123456789" else msgspec.json.decode(text)
