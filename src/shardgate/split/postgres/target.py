"""A PostgreSQL database that becomes a shard. It is filled with COPY.

Holds: the rows of a table, and the record in the mark that the table is finished, are committed together.
"""

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from typing import ClassVar

from psycopg import Copy

from shardgate.split.database import sql
from shardgate.split.database.contracts import DatabaseReader
from shardgate.split.database.inventory import Inventory
from shardgate.split.database.rows import TableRow
from shardgate.split.postgres import catalogue
from shardgate.split.postgres.inventory import read_inventory
from shardgate.split.postgres.names import relation, table_name
from shardgate.split.postgres.reader import PostgresReader
from shardgate.split.postgres.session import PostgresConnection, connect, freeze


class PostgresTarget:
    """One shard in one schema of one database."""

    mark_types: ClassVar[tuple[str, str]] = ("TEXT", "TEXT")

    __slots__ = ("_connection", "_conninfo")

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._connection: PostgresConnection = connect(conninfo)

    def names(self) -> tuple[str, ...]:
        """Every table, view and sequence of the current schema. A sequence of a column counts as its table."""
        found = self.query(catalogue.NAMES)
        return tuple(
            table_name(str(schema), str(name), str(current)) for schema, name, current in found if schema == current
        )

    def query(self, statement: str) -> list[tuple[object, ...]]:
        with self._connection.transaction():
            return self._connection.execute(statement.encode()).fetchall()

    def run(self, statements: Iterable[str]) -> None:
        with self._connection.transaction():
            self._quiet_event_triggers()
            for statement in statements:
                self._connection.execute(statement.encode())

    def load(self, table: str, columns: Sequence[str]) -> "PostgresTableLoad":
        return PostgresTableLoad(self._connection, sql.copy_in(relation(table), columns))

    def reader(self, batch_rows: int) -> DatabaseReader:
        connection = connect(self._conninfo)
        freeze(connection)
        return PostgresReader(connection, batch_rows)

    def rehearse(self, statements: Iterable[str]) -> Inventory:
        with self._connection.transaction(force_rollback=True):
            for statement in statements:
                self._connection.execute(statement.encode())
            return read_inventory(lambda each: self._connection.execute(each.encode()).fetchall())

    def inventory(self) -> Inventory:
        with self._connection.transaction():
            return read_inventory(lambda each: self._connection.execute(each.encode()).fetchall())

    def prepare(self, settings: Sequence[str]) -> None:
        """Does nothing: the user has created the database, and there are no settings."""

    def settle(self, settings: Sequence[str]) -> None:
        """Does nothing: every commit is on disk already, and there are no settings."""

    def broken_keys(self) -> list[str]:
        """None: the server checked all rows when each foreign key was created."""
        return []

    def erase(self, undo: Sequence[str]) -> None:
        self.run(undo)

    def close(self) -> None:
        self._connection.close()

    def _quiet_event_triggers(self) -> None:
        """The application's event triggers must not act on what the split does. Who made them may switch them off."""
        allowed = "SELECT 1 FROM pg_event_trigger WHERE current_setting('is_superuser') = 'on' LIMIT 1"
        if self._connection.execute(allowed).fetchone():
            self._connection.execute("SET LOCAL session_replication_role = replica")


class PostgresTableLoad:
    """Fills one table with one COPY."""

    __slots__ = ("_connection", "_copy", "_stack")

    def __init__(self, connection: PostgresConnection, statement: str) -> None:
        self._connection = connection
        self._stack = ExitStack()
        cursor = self._stack.enter_context(connection.cursor())
        self._copy: Copy = self._stack.enter_context(cursor.copy(statement.encode()))

    def write(self, rows: Sequence[TableRow]) -> None:
        for row in rows:
            if isinstance(row, bytes):
                self._copy.write(row)
            else:
                self._copy.write_row(row)

    def finish(self, statement: str) -> None:
        self._stack.close()
        self._connection.execute(statement.encode())
        self._connection.commit()
