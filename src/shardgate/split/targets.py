"""Opens the targets and looks what stands in them."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager

import psycopg
from msgspec import Struct

from shardgate.split import catalogue
from shardgate.split.database import Address, Dialect, conninfo, parse_address
from shardgate.split.errors import RefusedError
from shardgate.split.marker import read_finished, read_marker
from shardgate.split.postgres_target import PostgresTarget
from shardgate.split.rows import Content
from shardgate.split.sqlite_target import SqliteTarget
from shardgate.split.start import Found
from shardgate.split.target import Target


class Shard(Struct, frozen=True):
    """A target with its name and address."""

    name: str
    address: Address
    target: Target

    def look(self) -> Found:
        names = self.target.names()
        marker = read_marker(names, self.target.query)
        return Found(self.name, str(self.address), names, marker)

    def finished(self) -> dict[str, Content]:
        return read_finished(self.target.query)

    def identity(self) -> tuple[object, ...]:
        if self.address.dialect is Dialect.SQLITE:
            return (self.address.path.resolve(),)
        return self.target.query(catalogue.IDENTITY)[0]


@contextmanager
def opened_shards(targets: Sequence[tuple[str, str]]) -> Iterator[tuple[Shard, ...]]:
    """All of them, or every reason why one cannot be opened."""
    with ExitStack() as stack:
        shards: list[Shard] = []
        problems: list[str] = []
        for name, url in targets:
            shown = "--into"
            try:
                address = parse_address(url, "--into")
                shown = f"--into {address}"  # from here on without its password
                shard = _open(name, address)
                stack.enter_context(closing(shard.target))
                shard.look()
                shards.append(shard)
            except RefusedError as refused:
                problems += refused.reasons
            except (sqlite3.Error, psycopg.Error) as error:
                problems.append(f"{shown}: {str(error).strip()}")
        if problems:
            raise RefusedError(problems)
        yield tuple(shards)


def _open(name: str, address: Address) -> Shard:
    if address.dialect is Dialect.SQLITE:
        return Shard(name, address, SqliteTarget(address.path))
    return Shard(name, address, PostgresTarget(conninfo(address)))


def refuse_same(source: tuple[object, ...], shards: Sequence[Shard]) -> list[str]:
    """A target that is the source, or another target under a second name."""
    problems, seen = [], {source: "the source itself"}
    for shard in shards:
        if (other := seen.get(shard.identity())) is not None:
            problems.append(f"{shard.name} ({shard.address}): is {other}. Give another database")
        seen[shard.identity()] = f"the same database as {shard.name}"
    return problems
