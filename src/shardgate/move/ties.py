"""Finds the tenants of a shard that have rows in common, such as an order over two of them: they move together only.

Never: writes.
"""

from itertools import combinations, count

from shardgate.move.database import ShardDatabase
from shardgate.move.paths import path_by
from shardgate.move.shards import TenantDivision
from shardgate.move.spellings import TenantNames
from shardgate.split.database.schema import ForeignKey


def tied_tenants(division: TenantDivision, database: ShardDatabase, names: TenantNames) -> list[tuple[str, str]]:
    """Pairs of tenants to which one row belongs, by two of its links."""
    owned = {each.table.name: each for each in division.ownership.owned}
    found: dict[tuple[str, str], None] = {}
    for each in division.ownership.owned:
        ways: list[ForeignKey | None] = [*([None] if len(each.path) == 1 else []), *each.links]
        for one, other in combinations(ways, 2):
            numbers = count()
            first, last = (path_by(each, way, owned, division.by, database.relation, numbers) for way in (one, other))
            source = first.source + last.source.removeprefix(f"{database.relation(each.table.name)} AS t")
            asked = f"SELECT DISTINCT {first.tenant}, {last.tenant} FROM {source} WHERE {first.tenant} <> {last.tenant}"
            found |= {(names.of(mine), names.of(theirs)): None for mine, theirs in database.query(asked)}
    return [*found]
