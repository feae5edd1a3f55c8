"""Gives each shard ids of its own: a start and a step, or a range, so that no id is given on two shards.

Holds: no id is given that a row of the source has. A database that cannot do it is named, with what to do instead.
"""

from collections.abc import Collection, Sequence

from msgspec import Struct

from shardgate.split.database.address import SqlDialect
from shardgate.split.database.contracts import RunQuery
from shardgate.split.database.schema import Table
from shardgate.split.mysql.counters import greatest_id, read_mysql_counter, statement_to_set_mysql_counter
from shardgate.split.postgres.counters import Sequence as PostgresSequence
from shardgate.split.postgres.counters import read_postgres_sequences, statements_to_restart_sequence
from shardgate.split.request import IdRule
from shardgate.split.sqlite.counters import read_sqlite_counter, statements_to_set_sqlite_counter, tables_that_count


class IdPlan(Struct, frozen=True):
    """The statements that give each shard its ids, and what was found while they were written."""

    statements: tuple[tuple[str, ...], ...] = ()  # by shard
    tables: frozenset[str] = frozenset()  # the tables whose ids no longer clash
    refusals: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()  # what the user should know


def plan_ids(
    rule: IdRule, query: RunQuery, tables: Sequence[Table], kinds: tuple[SqlDialect, SqlDialect], shards: int
) -> IdPlan:
    """The plan for the tables whose rows differ between the shards. `kinds` are those of the source and the targets."""
    source, target = kinds
    if source is not target:
        return IdPlan(refusals=("--ids: needs a source and shards of the same kind of database. Leave it out",))
    if target is SqlDialect.MYSQL:
        return _for_mysql(rule, query, tables, shards)
    if target is SqlDialect.SQLITE:
        return _for_sqlite(rule, query, {table.name for table in tables}, shards)
    return _for_postgres(rule, query, tables, shards)


def _for_postgres(rule: IdRule, query: RunQuery, tables: Sequence[Table], shards: int) -> IdPlan:
    statements: list[list[str]] = [[] for _ in range(shards)]
    refusals: list[str] = []
    notes: list[str] = []
    done: set[str] = set()
    for sequence in read_postgres_sequences(query):
        if sequence.tables and not {table.name for table in tables}.intersection(sequence.tables):
            continue  # of tables that every shard has whole
        if sequence.cycles:
            notes.append(
                f"--ids: the sequence {sequence.name} begins again at its end, and stays as it is on each shard"
            )
            continue
        done.update(sequence.tables)
        parts = [_part_of(sequence, rule.range_size, shard, shards) for shard in range(shards)]
        if any(sequence.passes(start) or sequence.passes(last) for start, _, last in parts):
            refusals.append(_too_small(sequence, rule.range_size, shards))
            continue
        for shard, part in enumerate(parts):
            statements[shard] += statements_to_restart_sequence(sequence.name, *part)
    return IdPlan(tuple(map(tuple, statements)), frozenset(done), tuple(refusals), tuple(notes))


def _part_of(sequence: PostgresSequence, size: int | None, shard: int, shards: int) -> tuple[int, int, int]:
    """The start, the step and the end of the numbers of one shard."""
    if size is None:
        return sequence.next + sequence.step * shard, sequence.step * shards, sequence.last
    way = -1 if sequence.step < 0 else 1
    start = sequence.next + way * size * shard
    return start, sequence.step, start + way * (size - 1)


def _too_small(sequence: PostgresSequence, size: int | None, shards: int) -> str:
    end = f"--ids: the sequence {sequence.name} ends at {sequence.last}, which is too small for {shards}"
    longer = f"let it end later (ALTER SEQUENCE {sequence.name} AS bigint, and its column bigint)"
    if size is None:
        return f"{end} shards: the next number is {sequence.next}. First {longer}"
    return f"{end} ranges. Give a smaller range, or first {longer}"


def _for_mysql(rule: IdRule, query: RunQuery, tables: Sequence[Table], shards: int) -> IdPlan:
    """The step of AUTO_INCREMENT is of a server or a session, not of a table."""
    if rule.range_size is None:
        reason = (
            f"--ids step: MySQL and MariaDB count in the server's steps. Give --ids range=1000000000, or set"
            f" auto_increment_increment = {shards} and auto_increment_offset = 1, 2, … on the server of each shard and"
            " leave it out"
        )
        return IdPlan(refusals=(reason,))
    counting = [table.name for table in tables if table.counts_up]
    statements: list[list[str]] = [[] for _ in range(shards)]
    refusals: list[str] = []
    for name in counting:
        following = read_mysql_counter(query, name)
        if following + rule.range_size * shards > (greatest := greatest_id(query, name)):
            refusals.append(
                f"--ids: the ids of {name} end at {greatest}, which is too small for {shards} ranges. Give a smaller"
                " range, or make its column BIGINT first"
            )
        for shard in range(shards):
            statements[shard].append(statement_to_set_mysql_counter(name, following + rule.range_size * shard))
    return IdPlan(tuple(map(tuple, statements)), frozenset(counting), tuple(refusals))


def _for_sqlite(rule: IdRule, query: RunQuery, tables: Collection[str], shards: int) -> IdPlan:
    if rule.range_size is None:
        reason = "--ids step: SQLite counts in steps of 1 only. Give --ids range=1000000000, or leave it out"
        return IdPlan(refusals=(reason,))
    counting = [name for name in tables_that_count(query) if name in tables]
    statements: list[list[str]] = [[] for _ in range(shards)]
    for name in counting:
        last = read_sqlite_counter(query, name)
        for shard in range(shards):
            statements[shard] += statements_to_set_sqlite_counter(name, last + rule.range_size * shard)
    return IdPlan(tuple(map(tuple, statements)), frozenset(counting))
