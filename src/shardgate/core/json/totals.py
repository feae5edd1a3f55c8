"""How the members of one object of every shard become those of the object of all: sums, extremes, averages.

Holds: a member that nothing is said of must be the same on every shard; its bytes are the first shard's.
"""

from collections.abc import Mapping, Sequence

import msgspec

from shardgate.core.excerpt import excerpt
from shardgate.core.json.number import Average, add, least, read_number, write_like
from shardgate.core.json.object import JsonObject


class Totals(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The members around the rows of a report or a list. Members are named by path: `meta.revenue`."""

    sum: tuple[str, ...] = ()
    """Members that add up. `*` stands for every member of an object: `facets.city.*` of `{"Bern": 3, "Ulm": 2}`; one
    that a shard lacks counts as none."""
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
        if any("*" in path.split(".") for path in (*self.average, *self.first_of)):
            raise ValueError("`*` stands for members that are added, or of which the least or the greatest counts")
        if any(_is_at_root(path) for path in self.paths) and not all(_is_at_root(path) for path in self.paths):
            raise ValueError("`*` as the first name stands for all members; name none of them beside it")

    @property
    def paths(self) -> list[str]:
        """The members that something is said of."""
        return [*self.sum, *self.min, *self.max, *self.average, *self.first_of]

    def merged(self, documents: Sequence[JsonObject], also: Mapping[str, bytes]) -> bytes:
        """The first object with the members of all. `also`: members that were merged already.

        Raises BrokenReplyError, ValueError, TypeError, ArithmeticError.
        """
        if any(_is_at_root(path) for path in self.paths):
            return _unwrapped(self._below("", _ROOT).merged([JsonObject(_wrapped(each)) for each in documents], {}))
        changes = self.changes(documents)
        for path, value in also.items():
            changes[path] = value
        _check_same([document.edited(dict.fromkeys((*changes, *self.first_of), b"0")) for document in documents])
        return documents[0].edited(changes)

    def changes(self, documents: Sequence[JsonObject]) -> dict[str | None, object]:
        """The merged members, by their paths. Raises BrokenReplyError, ValueError, TypeError, ArithmeticError."""
        sums = {path: add(_values(documents, path)) for path in self.sum if "*" not in path}
        changes: dict[str | None, object] = {
            path: write_like(total, _values(documents, path)) for path, total in sums.items()
        }
        changes |= {path: least(_values(documents, path)) for path in self.min if "*" not in path}
        changes |= {path: least(_values(documents, path), greatest=True) for path in self.max if "*" not in path}
        for parent in dict.fromkeys([path.partition(".*")[0] for path in self.paths if ".*" in path]):
            changes[parent] = self._every(documents, parent)
        for path, average in self.average.items():
            _values(documents, path)
            changes[path] = average.again(sums[average.of], sums[average.over])
        return changes

    def _below(self, parent: str, instead: str = "") -> "Totals":
        """What is said of the members below a path, each named from there on."""
        added, lowest, highest = [
            tuple([instead + path.removeprefix(parent) for path in paths if path.startswith(parent)])
            for paths in (self.sum, self.min, self.max)
        ]
        return Totals(sum=added, min=lowest, max=highest)

    def _every(self, documents: Sequence[JsonObject], parent: str) -> bytes:
        """The object at a path with the members of all shards, each merged."""
        found = [document.members(parent) for document in documents if document.raw(parent) is not None]
        names = dict.fromkeys([name for members in found for name in members])
        if all([*members] == sorted(members) for members in found):
            names = dict.fromkeys(sorted(names))
        inner = self._below(f"{parent}.*.")
        merged: dict[str, bytes] = {}
        for name in names:
            values = [members[name] for members in found if name in members]
            if f"{parent}.*" in self.sum:
                merged[name] = write_like(add(values), values)
            elif f"{parent}.*" in (*self.min, *self.max):
                merged[name] = least(values, greatest=f"{parent}.*" in self.max)
            else:
                merged[name] = inner.merged([JsonObject(value) for value in values], {})
        first = next((document for document in documents if document.raw(parent) is not None), None)
        if first is None:
            raise ValueError(f"no shard's reply has {parent}")
        return JsonObject(first.rewritten(parent, merged)).value(parent)


_ROOT = "all."


def _is_at_root(path: str) -> bool:
    return path.partition(".")[0] == "*"


def _wrapped(document: JsonObject) -> bytes:
    return b'{"all":%b}' % document.body


def _unwrapped(body: bytes) -> bytes:
    return JsonObject(body).value("all")


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
