"""Everything that speaks against a movement, found before anything is touched.

Never: writes.
"""

from collections.abc import Sequence
from contextlib import closing

from shardgate.core.topology import ShardId
from shardgate.move.database import ShardDatabase
from shardgate.move.elsewhere import rows_of_tenants
from shardgate.move.shards import TenantDivision
from shardgate.move.tables import MovedTable, cut, left_behind, torn
from shardgate.move.unique_indexes import Clash, UniqueIndex
from shardgate.move.versions import schema_objections
from shardgate.split.database.schema import ForeignKey


def objections(
    names: tuple[ShardId, ShardId],
    source: ShardDatabase,
    target: ShardDatabase,
    division: TenantDivision,
    tables: Sequence[MovedTable],
    tenants: Sequence[str],
) -> list[str]:
    """One line for each reason, at most a few of a kind."""
    present = {each.table.name for each in division.ownership.owned} | {
        table.name for table in (*division.ownership.reference, *division.ownership.empty)
    }
    problems = schema_objections(names, source, target, present)
    if problems:
        return problems
    problems = _unknown(names, source, division, tables[0], tenants)
    problems += torn_objections(names[0], source, tables)
    problems += _cut(names, source, division, tables)
    problems += rows_of_tenants(names[1], target, tables)
    problems += _lacking(names, source, target, division, tables)
    return problems or _clashes(names, source, target, tables)


def _unknown(
    names: tuple[ShardId, ShardId],
    source: ShardDatabase,
    division: TenantDivision,
    root: MovedTable,
    tenants: Sequence[str],
) -> list[str]:
    return [
        f"{tenant}: {root.name} of {names[0]} has no such row. Is the directory right about it?"
        for tenant in tenants
        if not source.keys_named(root.name, division.by, tenant)
    ]


def torn_objections(shard: ShardId, source: ShardDatabase, tables: Sequence[MovedTable]) -> list[str]:
    """One line for each link between a row that moves and one that stays."""
    return _found(shard, source, torn(tables, source.relation))


def left_objections(shard: ShardId, source: ShardDatabase, tables: Sequence[MovedTable]) -> list[str]:
    """One line for each link by which a row that stays would lose its parent."""
    return _found(shard, source, left_behind(tables, source.relation))


def _found(shard: ShardId, source: ShardDatabase, queries: Sequence[tuple[MovedTable, ForeignKey, str]]) -> list[str]:
    found = []
    for table, link, query in queries:
        found += [
            f"{shard}: {table.name} {_shown(row)} belongs to a tenant that moves and, by {link}, to one that"
            " stays. Move both together"
            for row in source.query(query)
        ]
    return list(dict.fromkeys(found))


def _cut(
    names: tuple[ShardId, ShardId], source: ShardDatabase, division: TenantDivision, tables: Sequence[MovedTable]
) -> list[str]:
    return [
        f"{names[0]}: {table.name} {_shown(row)} links by {link} a row that moves and a row of a table of"
        " `movements.empty`, which stays. Remove the link, or take the table out of `movements.empty`"
        for table, link, query in cut(tables, division.ownership, source.relation)
        for row in source.query(query)
    ]


def _lacking(
    names: tuple[ShardId, ShardId],
    source: ShardDatabase,
    target: ShardDatabase,
    division: TenantDivision,
    tables: Sequence[MovedTable],
) -> list[str]:
    """Rows of reference tables to which rows that move are linked, and which the target has not got.

    Databases may notice that when the target commits, and not before.
    """
    reference = {
        table.name: MovedTable(number, table, (), "1 = 1") for number, table in enumerate(division.ownership.reference)
    }
    found = []
    for each in tables:
        for link in each.table.foreign_keys:
            if link.parent not in reference or link.by_user:
                continue
            with closing(source.values(each, link.columns, each.where)) as given:
                keys = dict.fromkeys(key for batch in given for key in batch)
            for key in keys:
                if not target.present(reference[link.parent], link.parent_columns, [key]):
                    found.append(
                        f"{names[1]}: {link.parent} has no row with {', '.join(link.parent_columns)} = {_shown(key)},"
                        f" to which {each.name} of {names[0]} is linked by {link}. Reference tables are the same on all"
                        " shards: add it there"
                    )
                    break
    return found


def _clashes(
    names: tuple[ShardId, ShardId], source: ShardDatabase, target: ShardDatabase, tables: Sequence[MovedTable]
) -> list[str]:
    """Rows that the target would refuse: one line for each unique index or exclusion constraint."""
    found = []
    for each in tables:
        for index in source.unique_indexes(each):
            with closing(source.terms(each, index)) as batches:  # the first clash ends the reading
                asked = (target.clash(each, index, batch) for batch in batches)
                clash = next(filter(None, asked), None)
            if clash is not None:
                found.append(_refused(names, each, index, clash))
    return found


def _refused(names: tuple[ShardId, ShardId], table: MovedTable, index: UniqueIndex, clash: Clash) -> str:
    named = f"{', '.join(index.shown)} = {clash.values}"
    there = f"{names[1]}: {table.name} has a row"
    by = f"({table.name} {clash.key} there{f', by {index.name}' if index.name else ''})"
    if index.excludes:
        return (
            f"{there} that its constraint does not allow beside the one with {named} that moves from {names[0]} {by}."
            " Change one of them"
        )
    return f"{there} with {named}, and so has {names[0]}, of the tenant that moves {by}. Change one of them"


def _shown(row: Sequence[object]) -> str:
    return ", ".join(map(str, row))
