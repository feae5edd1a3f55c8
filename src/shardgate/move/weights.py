"""Counts the rows of every tenant of a shard.

Never: writes.
"""

from collections.abc import Mapping

from shardgate.core.topology import ShardId
from shardgate.move.balance import TenantLoad
from shardgate.move.database import ShardDatabase
from shardgate.move.paths import tenant_paths
from shardgate.move.request import MoveSettings
from shardgate.move.shards import TenantDivision, open_shard, read_division
from shardgate.move.spellings import TenantNames


def tenant_loads(settings: MoveSettings, homes: Mapping[str, ShardId]) -> list[TenantLoad]:
    """Every tenant of the directory with its rows. Raises MoveRefusedError where a database cannot be opened."""
    loads = []
    names = TenantNames(homes)
    for shard in dict.fromkeys(homes.values()):
        division, database = read_division(settings, shard), open_shard(settings, shard)
        try:
            rows = _rows_by_tenant(division, database, names)
        finally:
            database.close()
        loads += [TenantLoad(tenant, shard, rows.get(tenant, 0)) for tenant, home in homes.items() if home == shard]
    return loads


def _rows_by_tenant(division: TenantDivision, database: ShardDatabase, names: TenantNames) -> dict[str, int]:
    found: dict[str, int] = {}
    for each in tenant_paths(division.ownership, division.by, database.relation):
        for tenant, rows in database.query(f"SELECT {each.tenant}, count(*) FROM {each.source} GROUP BY 1"):
            name = names.of(tenant)
            found[name] = found.get(name, 0) + int(str(rows))
    return found
