"""Numbers of an object: sums add, the least is the least of all, an average is made again of what it was made of.

Holds: what is not named must be the same on every shard; every other byte is the first shard's.
"""

from collections.abc import Mapping, Sequence

import msgspec

from shardgate.core.http import Reply
from shardgate.core.json.number import Average, add, least, read_number, write_number
from shardgate.core.json.object import JsonObject
from shardgate.core.merge.combining import Combining, told


class Numbers(Combining, frozen=True, tag="numbers"):
    """`{"orders": 12, "revenue": 99.50, "largest": 40.00}`, members named by path: `totals.revenue`."""

    sum: tuple[str, ...] = ()
    min: tuple[str, ...] = ()
    """Numbers, or texts by code point; null is none."""
    max: tuple[str, ...] = ()
    average: Mapping[str, Average] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        """An average is made of sums."""
        for name, average in self.average.items():
            if not {average.of, average.over} <= {*self.sum}:
                raise ValueError(f"the average {name!r} needs {average.of!r} and {average.over!r} under `sum`")

    def combine(self, replies: Sequence[Reply]) -> Reply:
        """One object of all. Raises BrokenReplyError, ValueError, TypeError, ArithmeticError."""
        documents = [JsonObject(reply.body) for reply in replies]
        sums = {path: add(_values(documents, path)) for path in self.sum}
        changes: dict[str | None, object] = {path: write_number(total) for path, total in sums.items()}
        changes |= {path: least(_values(documents, path)) for path in self.min}
        changes |= {path: least(_values(documents, path), greatest=True) for path in self.max}
        for path, average in self.average.items():
            _values(documents, path)
            changes[path] = average.again(sums[average.of], sums[average.over])
        if len({document.edited(dict.fromkeys(changes, b"0")) for document in documents}) > 1:
            raise ValueError("a member that the rule does not name is not the same on every shard")
        return told(replies[0], documents[0].edited(changes))

    def describe(self) -> str:
        """The merge in one line."""
        named = [("sums of", self.sum), ("least", self.min), ("greatest", self.max), ("average", tuple(self.average))]
        return "one object: " + "; ".join(f"{what} {', '.join(paths)}" for what, paths in named if paths)


def _values(documents: Sequence[JsonObject], path: str) -> list[bytes]:
    values = [document.value(path) for document in documents]
    for value in values:
        if value[:1] not in {b'"', b"n"}:
            read_number(value)
    return values
