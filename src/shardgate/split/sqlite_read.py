"""Reads a SQLite database without leaving a trace in it.

Holds: one read transaction, so every table is seen as it was at one instant.
Never: opens the source for writing, but to let SQLite itself tidy its own empty side files away.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from operator import itemgetter
from pathlib import Path
from typing import cast

from shardgate.split import sql
from shardgate.split.rows import Batch, Key, Values


def connect_read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)


class SqliteReader:
    """One read transaction on a SQLite file."""

    __slots__ = ("_batch_rows", "_connection", "_path")

    def __init__(self, path: Path, connection: sqlite3.Connection, batch_rows: int) -> None:
        self._path = path
        self._connection = connection
        self._batch_rows = batch_rows
        connection.execute("BEGIN")
        connection.execute("SELECT 1 FROM sqlite_master").fetchall()  # the instant is now

    def values(self, table: str, columns: Sequence[str], weigh: Sequence[str] = ()) -> Iterator[Sequence[Values]]:
        sizes = " + ".join(f"ifnull(length(CAST({sql.quote(c)} AS BLOB)), 0)" for c in weigh)
        expressions = [*map(sql.quote, columns), *([sizes] if sizes else [])]
        return self._batches(sql.select(expressions, sql.quote(table)))

    def rows(self, table: str, columns: Sequence[str], keys: Sequence[tuple[str, ...]]) -> Iterator[Batch]:
        pick = [itemgetter(*(columns.index(column) for column in key)) for key in keys]
        # NOT INDEXED: in the order of the table, so that the shards' rows keep it.
        source = f"{sql.quote(table)} NOT INDEXED"
        for rows in self._batches(sql.select([sql.quote(c) for c in columns], source)):
            yield Batch(tuple(cast(list[Key], list(map(get, rows))) for get in pick), rows)

    def query(self, statement: str) -> list[tuple[object, ...]]:
        return self._connection.execute(statement).fetchall()

    def close(self) -> None:
        self._connection.close()
        _tidy(self._path)

    def _batches(self, statement: str) -> Iterator[Sequence[Values]]:
        cursor = self._connection.execute(statement)
        while batch := cursor.fetchmany(self._batch_rows):
            yield batch


def _tidy(path: Path) -> None:
    """Take away the empty -wal and -shm that reading a WAL database read-only makes.

    The reader may not remove them. A connection that may write does it when it closes as the last
    one, under SQLite's own locks, so an application that is running is never disturbed. Where the
    -wal holds pages (an application runs, or was killed) all is left as it was.
    """
    log = path.with_name(path.name + "-wal")
    if not log.exists() or log.stat().st_size:
        return
    try:
        address = f"{path.resolve().as_uri()}?mode=rw"
        with closing(sqlite3.connect(address, uri=True)) as connection:
            connection.execute("PRAGMA query_only = 1")
            connection.execute("SELECT 1 FROM sqlite_master").fetchall()
    except sqlite3.Error:
        return  # a read-only folder or a busy application: the files are empty and harm nobody
