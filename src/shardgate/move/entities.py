"""Finds ids of the store of which it cannot be said whether they move: of entities in parts, and of named ones.

The store knows an entity by its id, and not by its table. An id moves if a row that moves has it in a unique column of
its own. Where a row that stays has the same id in another table, either may be meant.

Never: writes.
"""

from collections.abc import Collection, Iterator, Sequence

from shardgate.core.topology import ShardId
from shardgate.move.database import ShardDatabase
from shardgate.move.tables import MovedTable
from shardgate.move.unique_indexes import unique_keys

_ASKED_MAX = 400  # ids in one question


def ambiguous(shard: ShardId, named: Collection[str], source: ShardDatabase, tables: Sequence[MovedTable]) -> list[str]:
    """One line for each id that a row which moves has, and one which stays."""
    if not named:
        return []
    moving = list(_moving(named, source, tables))
    found = []
    for each, column, ids in moving:
        for other, its, own in moving:
            left = sorted(ids - own)
            if other is each:
                continue
            taken = [
                one
                for start in range(0, len(left), _ASKED_MAX)
                for one in source.present(other, (its,), [(one,) for one in left[start : start + _ASKED_MAX]])
            ]
            found += [
                f"{shard}: {one} is the id of an entity in parts, or of one that a client has named; it is"
                f" {each.name}.{column} of the tenant that moves, and {other.name}.{its} of one that stays. Which"
                " of them is meant is not known. Move both tenants together"
                for one in taken[:1]
            ]
    return found


def _moving(
    named: Collection[str], source: ShardDatabase, tables: Sequence[MovedTable]
) -> Iterator[tuple[MovedTable, str, frozenset[str]]]:
    """Table, unique column, and those of the ids that its moving rows have there."""
    wanted = frozenset(named)
    for each in tables:
        for columns in unique_keys(each.key, source.unique_indexes(each)):
            if len(columns) == 1:
                batches = source.values(each, columns, each.where)
                yield each, columns[0], frozenset(row[0] for batch in batches for row in batch if row[0] in wanted)
