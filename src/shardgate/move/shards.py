"""Opens the databases of two shards, and reads how their data is divided.

Never: shows a password.
"""

from msgspec import Struct

from shardgate.core.topology import ShardId
from shardgate.move.database import PREFIX, ShardDatabase
from shardgate.move.errors import MoveRefusedError
from shardgate.move.request import MoveSettings
from shardgate.move.sqlite import SqliteShard
from shardgate.split.database.address import DatabaseAddress, SqlDialect, parse_address
from shardgate.split.database.drivers import DRIVER_ERRORS
from shardgate.split.database.schema import Schema
from shardgate.split.decide.links import with_links
from shardgate.split.decide.ownership import Ownership, TableRoles, decide_ownership
from shardgate.split.errors import SplitRefusedError
from shardgate.split.request import expanded
from shardgate.split.source import opened_source


class TenantDivision(Struct, frozen=True):
    """How the data of a shard is divided."""

    ownership: Ownership
    by: str
    """The column that names a tenant."""


def address_of(settings: MoveSettings, shard: ShardId) -> DatabaseAddress:
    """The address of a shard's database. Raises MoveRefusedError."""
    url = settings.databases.get(shard)
    if url is None:
        raise MoveRefusedError([f"{shard}: `movements.databases` does not name its database. Add it there"])
    try:
        address = parse_address(url, f"database of {shard}")
    except SplitRefusedError as error:
        raise MoveRefusedError(error.reasons) from error
    if address.dialect is SqlDialect.MYSQL:
        raise MoveRefusedError([f"{shard} ({address}): tenants in MySQL and MariaDB cannot be moved yet"])
    return address


def open_shard(settings: MoveSettings, shard: ShardId) -> ShardDatabase:
    """The database of a shard. Raises MoveRefusedError where it cannot be opened."""
    address = address_of(settings, shard)
    try:
        if address.dialect is SqlDialect.SQLITE:
            if not address.path.is_file():
                raise MoveRefusedError([f"{shard} ({address}): there is no such file. Correct the path"])
            return SqliteShard(address.path)
        from shardgate.move.postgres import PostgresShard  # noqa: PLC0415 - SQLite alone needs no driver

        return PostgresShard(address)
    except DRIVER_ERRORS as error:
        raise MoveRefusedError([f"{shard} ({address}): cannot open it: {str(error).strip()}"]) from error


def read_division(settings: MoveSettings, shard: ShardId) -> TenantDivision:
    """How the data of a shard is divided. Raises MoveRefusedError."""
    try:
        with opened_source(address_of(settings, shard), 1000) as source:
            # What a movement that was killed has left behind is none of the application's.
            own = Schema(tuple(table for table in source.schema().tables if PREFIX not in table.name))
            schema, problems = with_links(own, settings.links)
    except SplitRefusedError as error:
        raise MoveRefusedError(error.reasons) from error
    schema = schema.with_equality()
    reference, empty = (expanded(names, schema.names()) for names in (settings.reference, settings.empty))
    ownership = decide_ownership(schema, TableRoles(settings.tenant, reference, empty))
    problems += ownership.refusals
    problems += [
        f"{each.table.name}: {link} compares keys that are written differently, which a movement cannot follow"
        for each in ownership.owned
        for link in each.links
        if link.found_by_database
    ]
    if problems or ownership.tenant is None:
        raise MoveRefusedError([f"{shard}: {problem}" for problem in problems])
    return TenantDivision(ownership, settings.by or ownership.tenant.primary_key[0])
