"""Counts the rows of every tenant of a shard.

Never: writes.
"""

from collections.abc import Mapping
from itertools import count

from shardgate.core.topology import ShardId
from shardgate.move.balance import TenantLoad
from shardgate.move.database import ShardDatabase
from shardgate.move.request import MoveSettings
from shardgate.move.shards import TenantDivision, open_shard, read_division
from shardgate.split.database import sql
from shardgate.split.decide.ownership import OwnedTable


def tenant_loads(settings: MoveSettings, homes: Mapping[str, ShardId]) -> list[TenantLoad]:
    """Every tenant of the directory with its rows. Raises MoveRefusedError where a database cannot be opened."""
    loads = []
    for shard in dict.fromkeys(homes.values()):
        division, database = read_division(settings, shard), open_shard(settings, shard)
        try:
            rows = _rows_by_tenant(division, database)
        finally:
            database.close()
        loads += [TenantLoad(tenant, shard, rows.get(tenant, 0)) for tenant, home in homes.items() if home == shard]
    return loads


def _rows_by_tenant(division: TenantDivision, database: ShardDatabase) -> dict[str, int]:
    owned = {each.table.name: each for each in division.ownership.owned}
    found: dict[str, int] = {}
    for each in division.ownership.owned:
        for tenant, rows in database.query(_counted(each, owned, division.by, database)):
            found[str(tenant)] = found.get(str(tenant), 0) + int(str(rows))
    return found


def _counted(table: OwnedTable, owned: Mapping[str, OwnedTable], by: str, database: ShardDatabase) -> str:
    """Count the rows of a table by the tenant at the end of its path."""
    numbers = count(1)
    alias, source = "t0", f"{database.relation(table.table.name)} AS t0"
    while len(table.path) > 1:
        link = table.links[0]
        parent = f"t{next(numbers)}"
        same = " AND ".join(
            f"{parent}.{sql.quote(theirs)} = {alias}.{sql.quote(mine)}"
            for mine, theirs in zip(link.columns, link.parent_columns, strict=True)
        )
        source += f" JOIN {database.relation(link.parent)} AS {parent} ON {same}"
        table, alias = owned[link.parent], parent
    return f"SELECT {alias}.{sql.quote(by)}, count(*) FROM {source} GROUP BY 1"
