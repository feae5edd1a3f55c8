"""Opens the databases of the shards, and reads what is in them before the run."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager

from msgspec import Struct

from shardgate.split.database.address import DatabaseAddress, SqlDialect, parse_address
from shardgate.split.database.contracts import TargetDatabase
from shardgate.split.database.drivers import DRIVER_ERRORS
from shardgate.split.database.mark import read_finished, read_mark
from shardgate.split.database.rows import TableDigest
from shardgate.split.decide.start import TargetContents
from shardgate.split.errors import SplitRefusedError
from shardgate.split.postgres.session import conninfo
from shardgate.split.postgres.target import PostgresTarget
from shardgate.split.servers import identity_query
from shardgate.split.sqlite.target import SqliteTarget


class ShardTarget(Struct, frozen=True):
    """One shard: its name, and the database that will hold it."""

    name: str
    address: DatabaseAddress
    database: TargetDatabase

    def contents(self) -> TargetContents:
        names = self.database.names()
        return TargetContents(self.name, str(self.address), names, read_mark(names, self.database.query))

    def finished(self) -> dict[str, TableDigest]:
        """The digest of each finished table. The target must carry a mark."""
        return read_finished(self.database.query)

    def identity(self) -> tuple[object, ...]:
        """A value that two connections have in common if and only if they see the same schema of the same database."""
        if self.address.dialect is SqlDialect.SQLITE:
            return (self.address.path.resolve(),)
        return self.database.query(identity_query(self.address.dialect))[0]


@contextmanager
def opened_shards(targets: Sequence[tuple[str, str]]) -> Iterator[tuple[ShardTarget, ...]]:
    """Open the targets, given as names and URLs. Raises SplitRefusedError with all that cannot be opened."""
    with ExitStack() as stack:
        shards: list[ShardTarget] = []
        problems: list[str] = []
        for name, url in targets:
            shown = "--into"  # the URL may contain a password: do not show it before it is parsed
            try:
                address = parse_address(url, "--into")
                shown = f"--into {address}"
                shard = _open(name, address)
                stack.enter_context(closing(shard.database))
                shard.contents()
                shards.append(shard)
            except SplitRefusedError as refused:
                problems += refused.reasons
            except DRIVER_ERRORS as error:
                problems.append(f"{shown}: cannot open it: {str(error).strip()}")
        if problems:
            raise SplitRefusedError(problems)
        yield tuple(shards)


def _open(name: str, address: DatabaseAddress) -> ShardTarget:
    if address.dialect is SqlDialect.SQLITE:
        return ShardTarget(name, address, SqliteTarget(address.path))
    if address.dialect is SqlDialect.MYSQL:
        from shardgate.split.mysql.target import MysqlTarget  # noqa: PLC0415 - its driver may be missing

        return ShardTarget(name, address, MysqlTarget(address))
    return ShardTarget(name, address, PostgresTarget(conninfo(address)))


def targets_given_twice(source: tuple[object, ...], shards: Sequence[ShardTarget]) -> list[str]:
    """One reason for each target that is the source, or the same database as an earlier target."""
    problems, seen = [], {source: "the source itself"}
    for shard in shards:
        if (other := seen.get(shard.identity())) is not None:
            problems.append(f"{shard.name} ({shard.address}): is {other}. Give another database")
        seen[shard.identity()] = f"the same database as {shard.name}"
    return problems
