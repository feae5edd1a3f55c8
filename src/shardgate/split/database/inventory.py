"""What is in a database, by the database's own catalogue: every object with its definition.

Holds: the inventory of the source is read from its catalogue and not from what the split looked at, so nothing can be
outside of it. Each object of the source is in every target with the same definition, or the plan says that it is not
carried.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Final, TypeAlias

from msgspec import Struct

# A server writes a condition anew once it has read its own text: (x)::text = ANY ((ARRAY['a'::varchar])::text[]).
_REWRITTEN_KINDS: Final = frozenset(
    {"column", "constraint", "index", "materialized view", "policy", "rule", "trigger", "type", "view"}
)
_REWRITTEN: Final = re.compile(
    r"'(?:[^']|'')*'"
    r"|::(?:character varying|double precision|time(?:stamp)? with(?:out)? time zone|\"?[a-z_][\w.\"]*)(?:\([\d, ]+\))?"
    r"(?:\[\])*|[()\s]"
)


class ObjectName(Struct, frozen=True, order=True):
    """The name of one object, unique within its kind."""

    kind: str  # such as "table" or "grant", in the words of the database's manual
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


Inventory: TypeAlias = Mapping[ObjectName, str]  # the definition of each object


class Difference(Struct, frozen=True):
    """An object of the source that a target does not have, or has with another definition."""

    object: ObjectName
    missing: bool

    def __str__(self) -> str:
        return f"{self.object} {'is missing' if self.missing else 'is different'}"


def inventory_of(rows: Iterable[tuple[object, ...]]) -> Inventory:
    """The inventory from rows of kind, name and definition."""
    return {ObjectName(str(kind), str(name)): str(definition or "") for kind, name, definition in rows}


def differences(source: Inventory, target: Inventory, not_carried: Collection[str] = ()) -> list[Difference]:
    """What the target lacks of the source, without the kinds that are not carried. Objects of its own do not count."""
    return [
        Difference(name, missing=name not in target)
        for name, definition in sorted(source.items())
        if name.kind not in not_carried and not _equal(name.kind, definition, target.get(name))
    ]


def left_out(source: Inventory, not_carried: Collection[str]) -> list[ObjectName]:
    """The objects of the kinds that are not carried."""
    return sorted(name for name in source if name.kind in not_carried)


def _equal(kind: str, one: str, other: str | None) -> bool:
    if one == other or other is None or kind not in _REWRITTEN_KINDS:
        return one == other
    return _plain(one) == _plain(other)


def _plain(definition: str) -> str:
    """Without casts, parentheses and spaces, but with all that is in quotes."""
    return _REWRITTEN.sub(lambda found: found[0] if found[0].startswith("'") else "", definition)
