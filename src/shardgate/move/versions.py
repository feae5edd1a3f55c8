"""Compares the schemas of two shards: whether both are of the same version of the application.

Holds: what belongs to one server or to its roles, and where a counter begins and ends, is no difference.
Never: writes.
"""

import re
from collections.abc import Collection, Iterable
from typing import Final

from shardgate.core.topology import ShardId
from shardgate.move.database import ShardDatabase
from shardgate.split.database.inventory import Difference, Inventory, ObjectName, differences
from shardgate.split.postgres.inventory import NEVER_CARRIED

VERSIONS: Final = frozenset(
    {"alembic_version", "django_migrations", "schema_migrations", "ar_internal_metadata", "flyway_schema_history"}
)
"""The tables in which migration tools keep the version of a schema."""
_NAMED_MAX: Final = 10
_OF_ONE_SHARD: Final = NEVER_CARRIED | {"comment", "steps of sequence"}
_PAGES: Final = frozenset({ObjectName("setting", "page_size"), ObjectName("setting", "auto_vacuum")})
_START: Final = re.compile(r"\bstart -?\d+; ")
_CURE: Final = "Migrate both to the same version of the application first"


def schema_objections(
    names: tuple[ShardId, ShardId], source: ShardDatabase, target: ShardDatabase, tables: Collection[str]
) -> list[str]:
    """One line for each object that one of the two lacks or has otherwise. `tables`: those that both must have."""
    if type(source) is not type(target):
        return [f"{names[0]} and {names[1]} are databases of different kinds: tenants move between equal ones only"]
    ours, theirs = (_comparable(each.inventory()) for each in (source, target))
    if not any(name.kind == "table" for name in theirs):
        return [f"{names[1]}: its database has no tables. Make them first: shardgate shard add {names[1]}"]
    both = f"by the catalogues of {names[0]} and {names[1]}. {_CURE}"
    found = [f"{names[1]}: {each} there, {both}" for each in _whole(differences(ours, theirs))]
    more = [each for each in _whole(differences(theirs, ours)) if each.missing]
    found += [f"{names[1]}: {each.object} is there, and not on {names[0]}, {both}" for each in more]
    for table in sorted(VERSIONS.intersection(tables)) if not found else ():
        versions = [sorted(map(str, each.query(f"SELECT * FROM {each.relation(table)}"))) for each in (source, target)]
        if versions[0] != versions[1]:
            other = sorted({*versions[0]}.symmetric_difference(versions[1]))[0]
            found.append(f"{names[1]}: {table} has other rows than on {names[0]}, such as {other}. {_CURE}")
    rest = len(found) - _NAMED_MAX
    return found[:_NAMED_MAX] + ([f"{names[1]}: {rest} more objects like these"] if rest > 0 else [])


def _comparable(inventory: Inventory) -> Inventory:
    return {
        name: _START.sub("", definition) if name.kind == "sequence" else definition
        for name, definition in inventory.items()
        if name.kind not in _OF_ONE_SHARD and name not in _PAGES
    }


def _whole(found: Iterable[Difference]) -> list[Difference]:
    """Missing tables first, and without what belongs to them."""
    ordered = sorted(found, key=lambda each: (each.object.kind != "table", each.object))
    tables = tuple(f"{each.object.name}." for each in ordered if each.missing and each.object.kind == "table")
    return [each for each in ordered if not each.object.name.startswith(tables)] if tables else ordered
