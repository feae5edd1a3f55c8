"""A SQLite file that becomes a shard.

Holds: a process may be killed at any moment; SQLite then rolls the file back to its last finished table. Pages are
flushed to disk once, at the end, before the shard is marked as done. A power failure before that can damage the file.
"""

import os
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import ClassVar, Final

from shardgate.split.database import sql
from shardgate.split.database.contracts import DatabaseReader
from shardgate.split.database.inventory import Inventory
from shardgate.split.database.rows import TableRow
from shardgate.split.sqlite.inventory import read_inventory
from shardgate.split.sqlite.reader import SqliteReader, connect_read_only

_CACHE_KIB: Final = 65_536  # an index on text is filled in random order: keep it in memory
_NAMES: Final = "SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite~_%' ESCAPE '~'"
_BROKEN_MAX: Final = 5


class SqliteTarget:
    """One shard in one file."""

    mark_types: ClassVar[tuple[str, str]] = ("TEXT", "TEXT")

    __slots__ = ("_open", "_settled", "path")

    def __init__(self, path: Path) -> None:
        self.path = path
        self._open: sqlite3.Connection | None = None
        self._settled = False

    def names(self) -> tuple[str, ...]:
        if not self.path.exists():
            return ()
        return tuple(str(name) for (name,) in self.query(_NAMES))

    def query(self, statement: str) -> list[tuple[object, ...]]:
        return self._connection().execute(statement).fetchall()

    def run(self, statements: Iterable[str]) -> None:
        connection = self._connection()
        connection.execute("BEGIN IMMEDIATE")
        try:
            for statement in statements:
                connection.execute(statement)
        except BaseException:
            connection.rollback()
            raise
        connection.execute("COMMIT")

    def load(self, table: str, columns: Sequence[str]) -> "SqliteTableLoad":
        return SqliteTableLoad(self._connection(), sql.insert(table, columns))

    def reader(self, batch_rows: int) -> DatabaseReader:
        return SqliteReader(self.path, connect_read_only(self.path), batch_rows)

    def rehearse(self, statements: Iterable[str]) -> Inventory:
        with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
            for statement in statements:
                connection.execute(statement)
            return read_inventory(lambda each: connection.execute(each).fetchall())

    def inventory(self) -> Inventory:
        return read_inventory(self.query)

    def prepare(self, settings: Sequence[str]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        for setting in settings:
            self._connection().execute(setting)

    def settle(self, settings: Sequence[str]) -> None:
        """Also flushes the folder, so that the file's name is on disk too."""
        for setting in settings:
            self._connection().execute(setting).fetchall()
        self.close()
        for path in (self.path, self.path.parent):
            descriptor = os.open(path, os.O_RDONLY)
            os.fsync(descriptor)
            os.close(descriptor)
        self._settled = True

    def broken_keys(self) -> list[str]:
        broken = self.query(f"SELECT * FROM pragma_foreign_key_check LIMIT {_BROKEN_MAX}")  # noqa: S608
        cure = "Correct it in the source, then run again with --restart"
        return [f"{table}: row {row} refers to no row of {parent}. {cure}" for table, row, parent, _ in broken]

    def erase(self, undo: Sequence[str]) -> None:
        self.close()
        for ending in ("", "-journal", "-wal", "-shm"):
            self.path.with_name(self.path.name + ending).unlink(missing_ok=True)

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None

    def _connection(self) -> sqlite3.Connection:
        if self._open is None:
            self._open = sqlite3.connect(self.path, isolation_level=None)
            # OFF is safe if the process is killed, not if the power fails. `settle` flushes, then it is FULL.
            self._open.execute(f"PRAGMA synchronous = {'FULL' if self._settled else 'OFF'}")
            self._open.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            self._open.execute("PRAGMA foreign_keys = OFF")  # all are checked together at the end
        return self._open


class SqliteTableLoad:
    """Fills one table with INSERTs."""

    __slots__ = ("_connection", "_insert")

    def __init__(self, connection: sqlite3.Connection, insert: str) -> None:
        self._connection = connection
        self._insert = insert
        connection.execute("BEGIN IMMEDIATE")

    def write(self, rows: Sequence[TableRow]) -> None:
        self._connection.executemany(self._insert, rows)

    def finish(self, statement: str) -> None:
        self._connection.execute(statement)
        self._connection.execute("COMMIT")
