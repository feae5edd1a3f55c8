"""An object with numbers: sums add, the least is the least of all, an average is computed again from the sums.

Holds: a member that the rule does not name must be the same on every shard; its bytes are the first shard's.
"""

from collections.abc import Mapping, Sequence

import msgspec

from shardgate.core.excerpt import excerpt
from shardgate.core.http import Reply
from shardgate.core.json.number import Average, add, least, read_number, write_number
from shardgate.core.json.object import JsonObject
from shardgate.core.merge.combining import Aggregating, with_body


class Numbers(Aggregating, frozen=True, tag="numbers"):
    """`{"orders": 12, "revenue": 99.50, "largest": 40.00}`. Members are named by path: `totals.revenue`."""

    sum: tuple[str, ...] = ()
    """Members that add up."""
    min: tuple[str, ...] = ()
    """Members of which the least counts, of numbers or of texts (by code point); null counts as no value."""
    max: tuple[str, ...] = ()
    """Members of which the greatest counts, of numbers or of texts (by code point); null counts as no value."""
    average: Mapping[str, Average] = msgspec.field(default_factory=dict)
    """Members that are averages → the two sums that each is computed from, which must be under `sum`."""

    def __post_init__(self) -> None:
        """An average is computed from sums. Raises ValueError."""
        for name, average in self.average.items():
            if not {average.of, average.over} <= {*self.sum}:
                raise ValueError(f"the average {name!r} needs {average.of!r} and {average.over!r} under `sum`")

    def combine(self, replies: Sequence[Reply]) -> Reply:
        """The merged object. Raises BrokenReplyError, ValueError, TypeError, ArithmeticError."""
        documents = [JsonObject(reply.body) for reply in replies]
        sums = {path: add(_values(documents, path)) for path in self.sum}
        changes: dict[str | None, object] = {path: write_number(total) for path, total in sums.items()}
        changes |= {path: least(_values(documents, path)) for path in self.min}
        changes |= {path: least(_values(documents, path), greatest=True) for path in self.max}
        for path, average in self.average.items():
            _values(documents, path)
            changes[path] = average.again(sums[average.of], sums[average.over])
        _check_same([document.edited(dict.fromkeys(changes, b"0")) for document in documents])
        return with_body(replies[0], documents[0].edited(changes))

    def describe(self) -> str:
        """The merge in one line."""
        named = [("sums of", self.sum), ("least", self.min), ("greatest", self.max), ("average", tuple(self.average))]
        return "one object: " + "; ".join(f"{what} {', '.join(paths)}" for what, paths in named if paths)


def _check_same(rests: Sequence[bytes]) -> None:
    """Without the members that the rule names, all objects must be the same. Raises ValueError."""
    first = rests[0]
    other = next((rest for rest in rests if rest != first), None)
    if other is not None:
        at = next((n for n, (one, two) in enumerate(zip(first, other, strict=False)) if one != two), len(first))
        found = f"`{excerpt(first, at)}` on one shard, `{excerpt(other, at)}` on another"
        raise ValueError(f"a member that the rule does not name is not the same on every shard: {found}")


def _values(documents: Sequence[JsonObject], path: str) -> list[bytes]:
    values = [document.value(path) for document in documents]
    for value in values:
        if value[:1] not in {b'"', b"n"}:
            read_number(value)
    return values
