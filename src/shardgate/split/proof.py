"""Proves against the catalogues that nothing of the source is missing: no table, and no object of the schema.

Holds: the tables and objects are read from the catalogue of each database, not taken from the plan.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from shardgate.split.database.inventory import Inventory, ObjectName, differences, left_out

_NAMED_MAX: Final = 20  # objects: enough to see what they have in common


def tables_outside(catalogue: Sequence[str], planned: Collection[str]) -> list[str]:
    """One refusal for each table of the catalogue that the plan does not have."""
    return [
        f"{name}: is in the catalogue of the source, but the plan does not have it. This is a defect of shardgate:"
        " please report it"
        for name in catalogue
        if name not in planned
    ]


def objects_not_made(source: Inventory, made: Inventory, not_carried: Collection[str], *, cure: str) -> list[str]:
    """One refusal for each object that the statements of the plan do not make, or make otherwise."""
    return [f"{found}: the split cannot carry it. {cure}".rstrip() for found in differences(source, made, not_carried)]


def objects_missing(source: Inventory, shards: Mapping[str, Inventory], not_carried: Collection[str]) -> list[str]:
    """One line for each object that a shard lacks. At most a few are named."""
    found = [
        f"{shard}: {difference} on this shard, by the catalogues of both databases. Begin again with --restart"
        for shard, made in shards.items()
        for difference in differences(source, made, not_carried)
    ]
    more = len(found) - _NAMED_MAX
    return found[:_NAMED_MAX] + ([f"{more} more objects like these"] if more > 0 else [])


def notes_of_left_out(source: Inventory, not_carried: Collection[str]) -> list[str]:
    """One note for each object that the shards do not get."""
    return [_note(name) for name in left_out(source, not_carried)]


def _note(name: ObjectName) -> str:
    return f"{name.name}: this {name.kind} is NOT carried to the shards. Make it there if the application needs it"
