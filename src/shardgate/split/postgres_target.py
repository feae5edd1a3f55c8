"""A PostgreSQL database that becomes a shard, filled by COPY.

Holds: a table's rows and the note that it is finished are committed together.
"""

from collections.abc import Iterable, Sequence
from contextlib import ExitStack

from psycopg import Copy

from shardgate.split import catalogue, sql
from shardgate.split.postgres_read import Connection, PostgresReader, connect, freeze
from shardgate.split.rows import Reader, Row


class PostgresTarget:
    """One shard in one schema of one database."""

    __slots__ = ("_connection", "_conninfo")

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._connection: Connection = connect(conninfo)

    def names(self) -> tuple[str, ...]:
        return tuple(str(name) for (name,) in self.query(catalogue.NAMES))

    def query(self, statement: str) -> list[tuple[object, ...]]:
        with self._connection.transaction():
            return self._connection.execute(statement.encode()).fetchall()

    def run(self, statements: Iterable[str]) -> None:
        with self._connection.transaction():
            for statement in statements:
                self._connection.execute(statement.encode())

    def load(self, table: str, columns: Sequence[str]) -> "PostgresLoading":
        return PostgresLoading(self._connection, sql.copy_in(table, columns))

    def reader(self, batch_rows: int) -> Reader:
        connection = connect(self._conninfo)
        freeze(connection)
        return PostgresReader(connection, batch_rows)

    def rehearse(self, statements: Iterable[str]) -> None:
        with self._connection.transaction(force_rollback=True):
            for statement in statements:
                self._connection.execute(statement.encode())

    def prepare(self, settings: Sequence[str]) -> None:
        """A database is made by its owner; there is nothing to set."""

    def settle(self, settings: Sequence[str]) -> None:
        """Every commit was already safe."""

    def broken_keys(self) -> list[str]:
        """None: the server checked each foreign key when it was made, after the rows."""
        return []

    def erase(self, undo: Sequence[str]) -> None:
        self.run(undo)

    def close(self) -> None:
        self._connection.close()


class PostgresLoading:
    """One table of one database, in one COPY."""

    __slots__ = ("_connection", "_copy", "_stack")

    def __init__(self, connection: Connection, statement: str) -> None:
        self._connection = connection
        self._stack = ExitStack()
        cursor = self._stack.enter_context(connection.cursor())
        self._copy: Copy = self._stack.enter_context(cursor.copy(statement.encode()))

    def write(self, rows: Sequence[Row]) -> None:
        for row in rows:
            if isinstance(row, bytes):
                self._copy.write(row)
            else:
                self._copy.write_row(row)

    def finish(self, statement: str) -> None:
        self._stack.close()
        self._connection.execute(statement.encode())
        self._connection.commit()
