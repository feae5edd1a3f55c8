"""One entity in parts on several shards: the parts, as the shards show them, become the whole.

A part is an object with the members of the whole. Most members are the same in all parts; the rule names the others.

Holds: numbers add exactly. Every byte of a member that the rule does not name is the first part's.
Never: decides which shards have parts.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from shardgate.core.json.array import cut, join, value_at
from shardgate.core.json.number import add, least, write_number
from shardgate.core.json.object import JsonObject


class Parts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the members of parts become those of the whole. A member that is not named here is the first part's."""

    sum: tuple[str, ...] = ()
    """Members with numbers that add up: `price`."""
    min: tuple[str, ...] = ()
    """Members of which the whole has the least value, of numbers or of texts: `created_at`."""
    max: tuple[str, ...] = ()
    """Members of which the whole has the greatest value: `updated_at`."""
    shared: tuple[str, ...] = ()
    """Members that are null in the whole where the parts differ: `vendor_id`."""
    lists: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    """Members with lists that are joined → the members that the items are sorted by, all texts or all numbers:
    `items: [id]`."""
    first_of: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    """Members with one of several words → these words; the whole has the first of them that any part has:
    `status: [open, paid]` is `open` while one part is open."""

    @property
    def names(self) -> tuple[str, ...]:
        """The members that the rule names."""
        return (*self.sum, *self.min, *self.max, *self.shared, *self.lists, *self.first_of)

    def whole(self, parts: Sequence[bytes]) -> bytes:
        """One object of all parts. Raises BrokenReplyError, ValueError, TypeError, ArithmeticError."""
        if len(parts) == 1:
            return parts[0]
        documents = [JsonObject(part) for part in parts]
        changes: dict[str | None, object] = {}
        for name in self.names:
            values = [value for document in documents if (value := document.raw(name)) is not None]
            if not values:
                continue  # the client asked for other members
            if len(values) < len(documents):
                raise ValueError(f"{len(values)} of {len(documents)} parts have {name!r}, the others do not")
            changes[name] = self._put_together(name, values)
        return documents[0].edited(changes)

    def _put_together(self, name: str, values: Sequence[bytes]) -> bytes:
        if name in self.sum:
            return write_number(add(values))
        if name in self.min or name in self.max:
            return least(values, greatest=name in self.max)
        if name in self.shared:
            return values[0] if len(set(values)) == 1 else b"null"
        if name in self.lists:
            return _joined(values, self.lists[name])
        words = {msgspec.json.decode(value): value for value in values}
        return next((words[word] for word in self.first_of[name] if word in words), values[0])


class ListParts(Parts, frozen=True, kw_only=True):
    """How the rows of a list that are in parts become whole rows."""

    locate: str | None = None
    """The name of the locator chain for the rows' ids, in whose space it is recorded which ids have parts. Null: any
    row may be in parts, and every list is read whole."""
    ids: str | None = None
    """The parameter of the list that keeps only the rows with these ids: `ids=7,8`. Null: every list is read whole."""


def _joined(values: Sequence[bytes], keys: Sequence[str]) -> bytes:
    samples = [cut(value) for value in values]
    items = [item for sample in samples for item in sample.raw]
    return join(sorted(items, key=lambda item: _key(bytes(item), keys)), samples)


def _key(item: bytes, keys: Sequence[str]) -> list[Any]:
    values = [value_at(item, (key,)) for key in keys]
    return [msgspec.json.decode(value) if value is not None else "" for value in values]
