"""Makes the database of a new shard: the schema of an existing one, its reference tables, and no tenant.

Holds: a database that has tenants is left alone. Where the schema is there already, the reference tables are copied
again, for what has changed since.
"""

from graphlib import CycleError, TopologicalSorter

from shardgate.core.topology import ShardId
from shardgate.move.database import ShardDatabase
from shardgate.move.errors import MoveFailedError, MoveRefusedError
from shardgate.move.request import MoveSettings
from shardgate.move.shards import address_of, open_shard, read_division
from shardgate.move.tables import MovedTable
from shardgate.move.versions import VERSIONS
from shardgate.split.copying import Copier
from shardgate.split.database.drivers import DRIVER_ERRORS
from shardgate.split.database.inventory import Inventory, differences
from shardgate.split.database.mark import TargetMark, statements_to_mark, statements_to_unmark
from shardgate.split.database.schema import Table
from shardgate.split.errors import SplitError
from shardgate.split.request import SplitRequest
from shardgate.split.source import opened_source
from shardgate.split.targets import ShardTarget, opened_shards


def add_shard(settings: MoveSettings, shard: ShardId, like: ShardId) -> str:
    """Make the shard's database as that of `like` is; returns what was done. Raises MoveError."""
    address_of(settings, shard)
    division = read_division(settings, like)
    kept = [*division.ownership.reference]
    kept += [table for table in division.ownership.empty if table.name in VERSIONS]
    url = settings.databases[shard]
    try:
        with opened_source(address_of(settings, like), 5_000) as source, opened_shards([(shard, url)]) as (target,):
            if target.database.names():
                return _refresh(settings, shard, like, kept)
            request = SplitRequest(
                source=settings.databases[like],
                tenant=settings.tenant,
                targets=((shard, url),),
                directory="",
                space=settings.space,
                reference=settings.reference,
                empty=settings.empty,
            )
            ddl = source.ddl(source.schema().with_equality(), target.address.dialect, request)
            if ddl.refusals:
                raise MoveRefusedError(ddl.refusals)
            target.database.prepare(ddl.opening)
            target.database.run(statements_to_mark(TargetMark("add", "add", shard), target.database.mark_types))
            target.database.run(ddl.before)
            copier = Copier(source.reader, [target.database], [], lambda _: (), {}, lambda _: None)
            for table in kept:
                copier.copy(table, None, {})
            target.database.run(ddl.after)
            target.database.run(statements_to_unmark())
            _require_whole(source.reader.inventory(), target)
            target.database.settle(ddl.closing)
    except SplitError as error:
        raise MoveRefusedError(error.reasons) from error
    except DRIVER_ERRORS as error:
        raise MoveFailedError([f"{shard}: {type(error).__name__}: {error}"]) from error
    return f"{shard}: has the schema of {like} and {len(kept)} tables that every shard has whole"


def _require_whole(wanted: Inventory, target: ShardTarget) -> None:
    missing = differences(wanted, target.database.inventory())
    if missing:
        raise MoveFailedError([f"{target.name}: {each}" for each in missing])


def _refresh(settings: MoveSettings, shard: ShardId, like: ShardId, kept: list[Table]) -> str:
    source, target = open_shard(settings, like), open_shard(settings, shard)
    try:
        found = [f"{shard}: {each}" for each in differences(source.inventory(), target.inventory())]
        tenants = target.query(f"SELECT count(*) FROM {target.relation(settings.tenant)}")
        if tenants != [(0,)]:
            found.append(f"{shard}: {settings.tenant} has rows: it is a shard already")
        if found:
            raise MoveRefusedError(found)
        target.begin()
        try:
            _replace(source, target, kept)
            target.commit()
        except BaseException:
            target.rollback()
            raise
    finally:
        source.close()
        target.close()
    return f"{shard}: the {len(kept)} tables that every shard has whole are as on {like} again"


def _replace(source: ShardDatabase, target: ShardDatabase, kept: list[Table]) -> None:
    tables = [MovedTable(number, table, (), "1 = 1") for number, table in enumerate(_parents_first(kept))]
    for each in reversed(tables):
        target.run(f"DELETE FROM {target.relation(each.name)}")
    for each in tables:
        target.write(each, (row for batch in source.read(each, each.where) for _, row in batch))


def _parents_first(tables: list[Table]) -> list[Table]:
    """In a ring nobody is first; SQLite looks for parents at the end of the transaction."""
    found = {table.name: table for table in tables}
    parents = {table.name: {key.parent for key in table.foreign_keys} - {table.name} for table in tables}
    try:
        return [found[name] for name in TopologicalSorter(parents).static_order() if name in found]
    except CycleError:
        return tables
