"""Decides which tables belong to a tenant, and by which path of foreign keys.

Holds: a path prefers keys that cannot be NULL, then the fewest steps. Every other foreign key
into a tenant's table must lead to the same tenant; the survey holds each row to that.
Never: reads a database.
"""

import heapq
from collections.abc import Collection, Mapping

from msgspec import Struct

from shardgate.split.schema import ForeignKey, Schema, Table, nearest


class Roles(Struct, frozen=True):
    """What the person says of the tables."""

    tenant: str
    reference: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()


class Owned(Struct, frozen=True):
    """A table whose rows belong to a tenant each."""

    table: Table
    path: tuple[str, ...]  # from this table to the tenant's, both named
    links: tuple[ForeignKey, ...]  # every foreign key into a tenant's table, the path's first


class Ownership(Struct, frozen=True):
    """Every table in its place; `refusals` tells what has none."""

    tenant: Table | None
    owned: tuple[Owned, ...]  # parents before children, the tenant's own table first
    reference: tuple[Table, ...]
    empty: tuple[Table, ...]
    must_be_null: tuple[tuple[Table, ForeignKey], ...]  # keys into tables that will be empty
    refusals: tuple[str, ...]
    warnings: tuple[str, ...]

    def copied(self) -> tuple[Table, ...]:
        return (*self.reference, *(owned.table for owned in self.owned))


def decide_ownership(schema: Schema, roles: Roles) -> Ownership:
    """Give every table of the schema its role, or a reason why it has none."""
    refusals = _unknown_names(schema, roles) + _two_roles(roles)
    declared = {*roles.reference, *roles.empty} - {roles.tenant}
    candidates = {table.name: table for table in schema.tables if table.name not in declared}
    paths = _paths(candidates, roles.tenant)
    owned = _in_order({name: candidates[name] for name in paths}, paths)
    reference = tuple(table for table in schema.tables if table.name in set(roles.reference))
    empty = tuple(table for table in schema.tables if table.name in set(roles.empty))
    kept = (*reference, *(each.table for each in owned))
    into_empty = _keys_into(kept, {table.name for table in empty})
    refusals += _reference_into_tenant(reference, paths)
    refusals += [
        f"{each.table.name}: has no primary key. A tenant's table needs one: add it"
        for each in owned
        if not each.table.primary_key
    ]
    refusals += [
        f"{table.name}: {key} can never be NULL, and {key.parent} is --empty."
        f" Take {key.parent} out of --empty, or put {table.name} in"
        for table, key in into_empty
        if not key.nullable
    ]
    if roles.tenant in candidates:
        refusals += [_no_path(name, roles.tenant) for name in candidates if name not in paths]
    return Ownership(
        tenant=candidates.get(roles.tenant),
        owned=owned,
        reference=reference,
        empty=empty,
        must_be_null=tuple((table, key) for table, key in into_empty if key.nullable),
        refusals=tuple(refusals),
        warnings=tuple(_clashes(owned)),
    )


def _unknown_names(schema: Schema, roles: Roles) -> list[str]:
    names = schema.names()
    asked = (
        ("--tenant", (roles.tenant,)),
        ("--reference", roles.reference),
        ("--empty", roles.empty),
    )
    return [
        f"{option} {name}: the source has no such table.{nearest(name, names)}"
        for option, values in asked
        for name in values
        if name not in names
    ]


def _two_roles(roles: Roles) -> list[str]:
    twice = sorted(set(roles.reference) & set(roles.empty))
    clashes = [f"{name}: is given as --reference and as --empty. Choose one" for name in twice]
    if roles.tenant in {*roles.reference, *roles.empty}:
        clashes.append(f"{roles.tenant}: the --tenant table can be neither --reference nor --empty")
    return clashes


def _no_path(name: str, tenant: str) -> str:
    return (
        f"{name}: no foreign key leads from it to {tenant}. Declare it --reference {name} (copied"
        f" whole to every shard) or --empty {name} (made without rows), or name the missing key"
        f" with --link {name}.COLUMN=PARENT.COLUMN"
    )


def _reference_into_tenant(reference: tuple[Table, ...], paths: Mapping[str, tuple[str, ...]]) -> list[str]:
    return [
        f"{table.name}: is --reference, but {key} leads to {key.parent}, whose rows are divided."
        f" Take {table.name} out of --reference: it belongs to the tenant"
        for table, key in _keys_into(reference, paths.keys())
    ]


def _keys_into(tables: tuple[Table, ...], parents: Collection[str]) -> list[tuple[Table, ForeignKey]]:
    return [(t, key) for t in tables for key in t.foreign_keys if key.parent in parents]


def _clashes(owned: tuple[Owned, ...]) -> list[str]:
    return [
        f"{each.table.name}: its key {', '.join(each.table.primary_key)} counts up by itself, so"
        " rows made later on two shards can get the same one. Let the gateway find its rows by"
        " their tenant too, or use ids that are unique everywhere"
        for each in owned
        if each.table.counts_up
    ]


def _paths(tables: Mapping[str, Table], tenant: str) -> dict[str, tuple[str, ...]]:
    """The best path of each table that has one (Dijkstra from the tenant, against the keys)."""
    if tenant not in tables:
        return {}
    best: dict[str, tuple[str, ...]] = {}
    queue: list[tuple[int, int, tuple[str, ...]]] = [(0, 1, (tenant,))]
    while queue:
        nullable, steps, path = heapq.heappop(queue)
        if path[0] in best:
            continue
        best[path[0]] = path
        for name, table in tables.items():
            keys = [key for key in table.foreign_keys if key.parent == path[0]]
            if keys and name not in best:
                optional = all(key.nullable for key in keys)
                heapq.heappush(queue, (nullable + optional, steps + 1, (name, *path)))
    return best


def _links(table: Table, path: tuple[str, ...], owned: Collection[str]) -> tuple[ForeignKey, ...]:
    keys = [key for key in table.foreign_keys if key.parent in owned]
    step = path[1] if len(path) > 1 else None
    return tuple(sorted(keys, key=lambda key: (key.parent != step, key.nullable)))


def _in_order(tables: Mapping[str, Table], paths: Mapping[str, tuple[str, ...]]) -> tuple[Owned, ...]:
    """Parents before children; in a ring of tables, the parent on the path before the child."""
    waiting = [
        Owned(tables[name], path, _links(tables[name], path, paths.keys()))
        for name, path in sorted(paths.items(), key=lambda item: (len(item[1]), item[0]))
    ]
    done: dict[str, Owned] = {}
    while waiting:
        free = (each for each in waiting if _parents(each) <= done.keys())
        ring = (each for each in waiting if set(each.path[1:2]) <= done.keys())
        chosen = next(free, None) or next(ring)
        waiting.remove(chosen)
        done[chosen.table.name] = chosen
    return tuple(done.values())


def _parents(owned: Owned) -> set[str]:
    return {key.parent for key in owned.links} - {owned.table.name}
