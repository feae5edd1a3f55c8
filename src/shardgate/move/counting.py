"""Finds the ids that two shards would give twice after a movement: those that their databases count themselves.

A database counts on from where it is. A row with a greater id lets SQLite count on behind it, and PostgreSQL must be
let, or it comes to that id itself. If the source counts there, too, both shards give the same ids from then on.

Holds: a counter that goes on where no other one counts is no objection.
Never: writes.
"""

from collections.abc import Collection, Sequence

from shardgate.core.topology import ShardId
from shardgate.move.database import Counter, ShardDatabase
from shardgate.move.tables import MovedTable
from shardgate.split.database import sql

_CURE = (
    "Move the tenant to a shard that counts behind these ids, give the table ids that are unique everywhere (UUIDs), or"
    " name it in `movements.local_ids` if nobody outside of a shard knows its ids"
)


def counting_objections(
    names: tuple[ShardId, ShardId],
    source: ShardDatabase,
    target: ShardDatabase,
    tables: Sequence[MovedTable],
    local_ids: Collection[str],
) -> list[str]:
    """One line for each counter that would give ids of the other shard. `local_ids`: tables whose ids may be equal."""
    found = []
    for each in tables:
        if each.name in local_ids:
            continue
        counters = {counter.column: counter for counter in source.counters(each)}
        for theirs in target.counters(each):
            ours = counters.get(theirs.column)
            greatest = reached(source, each, theirs)
            if ours is not None and greatest is not None and _meet(ours, theirs, greatest):
                found.append(
                    f"{names[1]}: {each.name} gives {theirs.column} {theirs.next} next; the row with {theirs.column}"
                    f" {greatest} of {names[0]} would let it count on from there, where {names[0]} counts. {_CURE}"
                )
        found += [
            f"{names[0]}: {each.name} would give {ours.column} {greatest} once more when the row that has it is on"
            f" {names[1]}, as it counts on from its greatest row. Declare the column AUTOINCREMENT, or: {_CURE}"
            for ours in counters.values()
            if not ours.remembers and (greatest := _last_one(source, each, ours)) is not None
        ]
    return found


def reached(database: ShardDatabase, table: MovedTable, counter: Counter) -> int | None:
    """The greatest number of the rows that move to which the counter would come by itself."""
    column = sql.quote(counter.column)
    to_come = f"{column} >= {counter.next} AND {column} <= {counter.last}"
    in_step = "" if counter.step == 1 else f" AND ({column} - {counter.next}) % {counter.step} = 0"
    return _number(database, table, f"max({column})", f"{table.where} AND {to_come}{in_step}")


def _meet(ours: Counter, theirs: Counter, greatest: int) -> bool:
    """Whether the source gives a number that the target gives behind the greatest one."""
    first = max(ours.next, greatest + 1)
    if first > min(ours.last, theirs.last):
        return False
    return ours.step != theirs.step or (ours.next - theirs.next) % ours.step == 0


def _last_one(source: ShardDatabase, table: MovedTable, counter: Counter) -> int | None:
    """The number of the table's last row, if that row moves."""
    column = sql.quote(counter.column)
    return _number(source, table, f"max({column})", f"{table.where} AND {column} = {counter.next - counter.step}")


def _number(database: ShardDatabase, table: MovedTable, wanted: str, where: str) -> int | None:
    ((value,),) = database.query(f"{sql.select([wanted], database.relation(table.name))} WHERE {where}")
    return None if value is None else int(str(value))
