"""Reads a SQLite database and changes nothing in it.

Holds: one read transaction, so every table is read as it was at one instant.
Never: opens the file for writing, with one exception: SQLite itself may then remove its own empty side files.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from operator import itemgetter
from pathlib import Path
from typing import ClassVar, Final, cast

from shardgate.split.database import sql
from shardgate.split.database.inventory import Inventory
from shardgate.split.database.mark import FINISHED, MARK
from shardgate.split.database.rows import ColumnValues, RowBatch, RowKey
from shardgate.split.database.schema import KeyColumn
from shardgate.split.sqlite.inventory import read_inventory


def connect_read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)


_TABLES: Final = (
    "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table'"  # noqa: S608
    f" AND name NOT LIKE 'sqlite~_%' ESCAPE '~' AND name NOT IN ('{MARK}', '{FINISHED}')"
)


class SqliteReader:
    """One read transaction on a SQLite file."""

    prints_values: ClassVar[bool] = False

    __slots__ = ("_batch_rows", "_connection", "_path")

    def __init__(self, path: Path, connection: sqlite3.Connection, batch_rows: int) -> None:
        self._path = path
        self._connection = connection
        self._batch_rows = batch_rows
        connection.execute("BEGIN")
        connection.execute("SELECT 1 FROM sqlite_master").fetchall()  # BEGIN alone takes no snapshot; a read does

    def values(
        self, table: str, columns: Sequence[KeyColumn], weigh: Sequence[str] = ()
    ) -> Iterator[Sequence[ColumnValues]]:
        sizes = " + ".join(f"ifnull(length(CAST({sql.quote(c)} AS BLOB)), 0)" for c in weigh)
        expressions = [*(_expression(column) for column in columns), *([sizes] if sizes else [])]
        return self._batches(sql.select(expressions, f"{sql.quote(table)} AS _row"))

    def rows(self, table: str, columns: Sequence[str], keys: Sequence[tuple[KeyColumn, ...]]) -> Iterator[RowBatch]:
        # Beside the columns that are copied: those that the database finds, and generated ones.
        found = [column for key in keys for column in key if column not in columns]
        read: list[KeyColumn] = [*columns, *found]
        pick = [itemgetter(*(read.index(column) for column in key)) for key in keys]
        # NOT INDEXED: rows come in the order of the table, and the shards keep that order.
        source = f"{sql.quote(table)} AS _row NOT INDEXED"
        for rows in self._batches(sql.select([_expression(column) for column in read], source)):
            of_keys = tuple(cast(list[RowKey], list(map(get, rows))) for get in pick)
            yield RowBatch(of_keys, [row[: len(columns)] for row in rows] if found else rows)

    def count(self, table: str, linked: Sequence[str] = ()) -> int:
        return int(str(self.query(sql.count_linked(sql.quote(table), linked))[0][0]))

    def tables(self) -> list[str]:
        return [str(name) for (name,) in self.query(_TABLES)]

    def query(self, statement: str) -> list[tuple[object, ...]]:
        return self._connection.execute(statement).fetchall()

    def inventory(self) -> Inventory:
        return read_inventory(self.query)

    def close(self) -> None:
        self._connection.close()
        _remove_side_files(self._path)

    def _batches(self, statement: str) -> Iterator[Sequence[ColumnValues]]:
        cursor = self._connection.execute(statement)
        while batch := cursor.fetchmany(self._batch_rows):
            yield batch


def _expression(column: KeyColumn) -> str:
    """A plus takes the child's affinity and collation away, so that the parent's decide, as in a foreign key."""
    if isinstance(column, str):
        return f"_row.{sql.quote(column)}"
    key = column.key
    same = " AND ".join(
        f"_parent.{sql.quote(theirs)} = +_row.{sql.quote(mine)}"
        for mine, theirs in zip(key.columns, key.parent_columns, strict=True)
    )
    found = sql.select([f"_parent.{sql.quote(column.column)}"], f"{sql.quote(key.parent)} AS _parent WHERE {same}")
    return f"ifnull(({found} LIMIT 1), _row.{sql.quote(column.own)})"


def _remove_side_files(path: Path) -> None:
    """Remove the empty -wal and -shm files that reading a database in WAL mode creates.

    A read-only connection may not remove them. A connection that may write removes them when it is the last one to
    close, under SQLite's own locks, so a running application is never disturbed. If the -wal file has content, an
    application is running or was killed: then everything is left as it is.
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
        return  # the folder is read-only or the application is busy: the empty files do no harm
