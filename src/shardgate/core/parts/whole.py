"""One entity that is kept in parts on several shards: its parts, as the shards show them, become the whole.

A part is an object with the members of the whole. Most are the same in all parts; the rule names the others.

Holds: numbers add exactly; every byte that is not put together is the first part's. The whole has the members that the
parts have, also where a list shows only some.
Never: decides which shards have parts.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from shardgate.core.json.array import cut, join, value_at
from shardgate.core.json.number import add, least, write_number
from shardgate.core.json.object import JsonObject


class Parts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the members of parts become those of the whole. What is not named is the first part's."""

    sum: tuple[str, ...] = ()
    """Numbers that add up."""
    min: tuple[str, ...] = ()
    """The least of numbers or of texts: when it was made."""
    max: tuple[str, ...] = ()
    """The greatest: when it was changed last."""
    shared: tuple[str, ...] = ()
    """What is null where the parts differ: whose it is."""
    lists: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    """Lists that are joined → the members that their items are ordered by, all texts or all numbers."""
    first_of: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    """Words of which the first that any part has is the whole's: `status: [open, paid]`."""

    @property
    def names(self) -> tuple[str, ...]:
        """The members that are put together."""
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
                continue  # a list that was asked for other members
            if len(values) < len(documents):
                raise ValueError(f"some parts have {name!r}, others do not")
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
    """The same of the rows of a list."""

    locate: str | None = None
    """The locator chain of the rows' ids, by its name: the space in which it is known which of them have parts. Null:
    any row may have, and every list is read whole."""
    ids: str | None = None
    """The filter that keeps only the ids that it names, with commas between them."""


def _joined(values: Sequence[bytes], keys: Sequence[str]) -> bytes:
    samples = [cut(value) for value in values]
    items = [item for sample in samples for item in sample.raw]
    return join(sorted(items, key=lambda item: _key(bytes(item), keys)), samples)


def _key(item: bytes, keys: Sequence[str]) -> list[Any]:
    values = [value_at(item, (key,)) for key in keys]
    return [msgspec.json.decode(value) if value is not None else "" for value in values]
