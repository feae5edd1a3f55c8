"""The mark of a target, written to a database and read back."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from shardgate.split.database.mark import (
    FINISHED,
    MARK,
    TargetMark,
    foreign_names,
    read_finished,
    read_mark,
    statement_to_mark_done,
    statement_to_mark_finished,
    statements_to_mark,
    statements_to_unmark,
)
from shardgate.split.database.rows import TableDigest

WRITTEN = TargetMark("r1", "p1", "no'rth", objects=("vendors", 'a "b"'), undo=("DROP TABLE vendors",))


@pytest.fixture
def target() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as connection:
        yield connection


def run(target: sqlite3.Connection, *statements: str) -> None:
    for statement in statements:
        target.execute(statement)


def read(target: sqlite3.Connection) -> TargetMark | None:
    names = [name for (name,) in target.execute("SELECT name FROM sqlite_master")]
    return read_mark(names, lambda statement: target.execute(statement).fetchall())


def test_a_mark_is_read_as_it_was_written(target: sqlite3.Connection) -> None:
    assert read(target) is None
    run(target, *statements_to_mark(WRITTEN))
    assert read(target) == WRITTEN
    run(target, statement_to_mark_done())
    done = read(target)
    assert done is not None
    assert done.state == "done"
    run(target, *statements_to_unmark())
    assert read(target) is None


def test_a_finished_table_is_recorded_with_its_digest(target: sqlite3.Connection) -> None:
    digest = TableDigest(3, (1 << 128) - 1)
    run(target, *statements_to_mark(WRITTEN), statement_to_mark_finished("vendors", digest))
    assert read_finished(lambda statement: target.execute(statement).fetchall()) == {"vendors": digest}


def test_tables_that_the_run_did_not_make_are_foreign() -> None:
    assert foreign_names([MARK, FINISHED, "vendors", "backup"], WRITTEN) == ["backup"]
