"""Looks for rows of tenants on the shards that have nothing to do with the movement.

Never: writes.
"""

from collections.abc import Sequence
from contextlib import closing

from shardgate.core.topology import ShardId
from shardgate.move.database import ShardDatabase
from shardgate.move.errors import MoveRefusedError
from shardgate.move.request import MoveSettings
from shardgate.move.shards import TenantDivision, open_shard
from shardgate.move.tables import MovedTable, moved_tables
from shardgate.split.database import sql
from shardgate.split.database.drivers import DRIVER_ERRORS


def rows_elsewhere(
    settings: MoveSettings, names: tuple[ShardId, ShardId], division: TenantDivision, keys: Sequence[str]
) -> list[str]:
    """One line for each table of another shard that has a row of these tenants, and for each shard not looked at.

    `keys`: of the tenants, as SQL.
    """
    found = []
    for shard in settings.databases:
        if shard in names or shard not in settings.shards:
            continue
        try:
            with closing(open_shard(settings, shard)) as database:
                tables = moved_tables(division.ownership, division.by, keys, database.relation)
                found += rows_of_tenants(shard, database, tables)
        except MoveRefusedError as error:
            found += error.reasons
        except DRIVER_ERRORS as error:
            found.append(f"{shard}: cannot look for rows of the tenant there: {str(error).strip()}")
    return found


def rows_of_tenants(shard: ShardId, database: ShardDatabase, tables: Sequence[MovedTable]) -> list[str]:
    """One line for each table that has a row."""
    found = []
    for each in tables:
        columns = sql.listed(each.key)
        rows = database.query(f"SELECT {columns} FROM {database.relation(each.name)} WHERE {each.where} LIMIT 1")
        found += [
            f"{shard}: {each.name} {', '.join(map(str, row))} is a row of this tenant there already" for row in rows
        ]
    return found
