"""How the members of one object of every shard become those of the object of all: sums, extremes, averages.

Holds: a member that nothing is said of must be the same on every shard; its bytes are the first shard's.
"""

from collections.abc import Mapping, Sequence

import msgspec

from shardgate.core.excerpt import excerpt
from shardgate.core.json.number import Average, add, least, read_number, write_number
from shardgate.core.json.object import JsonObject


class Totals(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The members around the rows of a report or a list. Members are named by path: `meta.revenue`."""

    sum: tuple[str, ...] = ()
    """Members that add up."""
    min: tuple[str, ...] = ()
    """Members of which the least counts, of numbers or of texts (by code point); null counts as no value."""
    max: tuple[str, ...] = ()
    """Members of which the greatest counts, of numbers or of texts (by code point); null counts as no value."""
    average: Mapping[str, Average] = msgspec.field(default_factory=dict)
    """Members that are averages → the two sums that each is computed from, which must be under `sum`."""
    first_of: tuple[str, ...] = ()
    """Members that may differ, and are the first shard's: `meta.generated_at`."""

    def __post_init__(self) -> None:
        """An average is computed from sums. Raises ValueError."""
        check_averages(self.average, self.sum)

    @property
    def paths(self) -> list[str]:
        """The members that something is said of."""
        return [*self.sum, *self.min, *self.max, *self.average, *self.first_of]

    def merged(self, documents: Sequence[JsonObject], also: Mapping[str, bytes]) -> bytes:
        """The first object with the members of all. `also`: members that were merged already.

        Raises BrokenReplyError, ValueError, TypeError, ArithmeticError.
        """
        changes = self.changes(documents)
        for path, value in also.items():
            changes[path] = value
        _check_same([document.edited(dict.fromkeys((*changes, *self.first_of), b"0")) for document in documents])
        return documents[0].edited(changes)

    def changes(self, documents: Sequence[JsonObject]) -> dict[str | None, object]:
        """The merged members, by their paths. Raises BrokenReplyError, ValueError, TypeError, ArithmeticError."""
        sums = {path: add(_values(documents, path)) for path in self.sum}
        changes: dict[str | None, object] = {path: write_number(total) for path, total in sums.items()}
        changes |= {path: least(_values(documents, path)) for path in self.min}
        changes |= {path: least(_values(documents, path), greatest=True) for path in self.max}
        for path, average in self.average.items():
            _values(documents, path)
            changes[path] = average.again(sums[average.of], sums[average.over])
        return changes


def check_averages(average: Mapping[str, Average], sums: Sequence[str]) -> None:
    """Raises ValueError where an average is computed from what does not add up."""
    for name, each in average.items():
        if not {each.of, each.over} <= {*sums}:
            raise ValueError(f"the average {name!r} needs {each.of!r} and {each.over!r} under `sum`")


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
