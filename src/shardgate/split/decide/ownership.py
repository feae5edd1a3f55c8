"""Decides which tables are divided, and which path of foreign keys leads from each of them to its tenant.

Holds: a path prefers foreign keys that cannot be NULL, then the fewest steps. Every other foreign key into a divided
table must lead to the same tenant; the survey checks that for each row.
Never: reads a database.
"""

import heapq
from collections.abc import Collection, Mapping

from msgspec import Struct

from shardgate.split.database.schema import ForeignKey, Schema, Table
from shardgate.split.spelling import nearest


class TableRoles(Struct, frozen=True):
    """The roles of tables that the user gave with --tenant, --reference and --empty."""

    tenant: str
    reference: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()


class OwnedTable(Struct, frozen=True):
    """A divided table: each of its rows belongs to one tenant."""

    table: Table
    path: tuple[str, ...]  # table names, from this table to the --tenant table, both included
    links: tuple[ForeignKey, ...]  # every foreign key into a divided table; the first step of the path comes first


class Ownership(Struct, frozen=True):
    """The role of every table. `refusals` has a reason for each table that has no valid role."""

    tenant: Table | None
    owned: tuple[OwnedTable, ...]  # parents before children, the --tenant table first
    reference: tuple[Table, ...]
    empty: tuple[Table, ...]
    must_be_null: tuple[tuple[Table, ForeignKey], ...]  # foreign keys into empty tables: no row may use one
    refusals: tuple[str, ...]

    def copied(self) -> tuple[Table, ...]:
        """All tables whose rows are copied, in the order in which that happens."""
        return (*self.reference, *(owned.table for owned in self.owned))


def decide_ownership(schema: Schema, roles: TableRoles) -> Ownership:
    """The role of every table of the schema, or a reason why a table has none."""
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
        f"{each.table.name}: has no primary key. The --tenant table needs one: add it"
        for each in owned[:1]
        if not each.table.primary_key
    ]
    refusals += [
        f"{table.name}: {key} cannot be NULL, but {key.parent} is --empty and will have no rows."
        f" Remove {key.parent} from --empty, or add {table.name} to --empty"
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
    )


def _unknown_names(schema: Schema, roles: TableRoles) -> list[str]:
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


def _two_roles(roles: TableRoles) -> list[str]:
    twice = sorted(set(roles.reference) & set(roles.empty))
    clashes = [f"{name}: is given with --reference and with --empty. Choose one of them" for name in twice]
    if roles.tenant in {*roles.reference, *roles.empty}:
        clashes.append(f"{roles.tenant}: the --tenant table can be neither --reference nor --empty. Remove it there")
    return clashes


def _no_path(name: str, tenant: str) -> str:
    return (
        f"{name}: no foreign key leads from it to {tenant}. Give --reference {name} to copy the whole table to every"
        f" shard, --empty {name} to create it without rows, or --link {name}.COLUMN=PARENT.COLUMN to declare the"
        " missing foreign key"
    )


def _reference_into_tenant(reference: tuple[Table, ...], paths: Mapping[str, tuple[str, ...]]) -> list[str]:
    return [
        f"{table.name}: is --reference, but {key} leads to {key.parent}, whose rows are divided."
        f" Remove {table.name} from --reference: its rows will be divided too"
        for table, key in _keys_into(reference, paths.keys())
    ]


def _keys_into(tables: tuple[Table, ...], parents: Collection[str]) -> list[tuple[Table, ForeignKey]]:
    return [(t, key) for t in tables for key in t.foreign_keys if key.parent in parents]


def clashing_ids(ownership: Ownership, safe: Collection[str]) -> list[str]:
    """One warning for each divided table whose ids count up on every shard, but for the safe ones."""
    return [
        f"{each.table.name}: the database counts up its ids, so two shards can give the same id to two new rows. Give"
        " each shard ids of its own with --ids, use ids that are unique on all shards, or configure the gateway to find"
        " these rows by tenant"
        for each in ownership.owned
        if each.table.counts_up and each.table.name not in safe
    ]


def _paths(tables: Mapping[str, Table], tenant: str) -> dict[str, tuple[str, ...]]:
    """The best path of each table that has one: Dijkstra's search from the tenant, against the foreign keys."""
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


def _in_order(tables: Mapping[str, Table], paths: Mapping[str, tuple[str, ...]]) -> tuple[OwnedTable, ...]:
    """Parents before children. Where foreign keys form a ring, only the parent on the path is sure to come before."""
    waiting = [
        OwnedTable(tables[name], path, _links(tables[name], path, paths.keys()))
        for name, path in sorted(paths.items(), key=lambda item: (len(item[1]), item[0]))
    ]
    done: dict[str, OwnedTable] = {}
    while waiting:
        free = (each for each in waiting if _parents(each) <= done.keys())
        ring = (each for each in waiting if set(each.path[1:2]) <= done.keys())
        chosen = next(free, None) or next(ring)
        waiting.remove(chosen)
        done[chosen.table.name] = chosen
    return tuple(done.values())


def _parents(owned: OwnedTable) -> set[str]:
    return {key.parent for key in owned.links} - {owned.table.name}
