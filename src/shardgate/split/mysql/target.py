"""A MySQL or MariaDB database that becomes a shard. It is filled with INSERTs of many rows.

Holds: the rows of a table, and the record in the mark that the table is finished, are committed together. CREATE
commits at once in these databases, so a run that continues makes what is missing again.
"""

import secrets
from collections.abc import Iterable, Sequence
from typing import ClassVar, Final

import pymysql

from shardgate.split.database import sql
from shardgate.split.database.address import DatabaseAddress
from shardgate.split.database.contracts import DatabaseReader
from shardgate.split.database.inventory import Inventory
from shardgate.split.database.rows import ColumnValue, ColumnValues, TableRow
from shardgate.split.mysql import catalogue
from shardgate.split.mysql.catalogue import LOADING_MODE, SQL_MODE
from shardgate.split.mysql.inventory import read_inventory
from shardgate.split.mysql.reader import open_reader
from shardgate.split.mysql.schema import read_schema
from shardgate.split.mysql.session import MysqlConnection, connect, run

_STATEMENT_CHARACTERS: Final = 500_000  # half of the smallest max_allowed_packet that servers begin with
_BROKEN_MAX: Final = 5
_NOT_ALLOWED: Final = frozenset({1044, 1045, 1142, 1227})  # access denied, in its forms


class MysqlTarget:
    """One shard in one database."""

    mark_types: ClassVar[tuple[str, str]] = ("VARCHAR(512) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", "LONGTEXT")

    __slots__ = ("_address", "_connection")

    def __init__(self, address: DatabaseAddress) -> None:
        self._address = address
        self._connection: MysqlConnection = connect(address)

    def names(self) -> tuple[str, ...]:
        here = "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()"
        return tuple(str(name) for (name,) in self.query(here))

    def query(self, statement: str) -> list[tuple[object, ...]]:
        return run(self._connection, statement)

    def run(self, statements: Iterable[str]) -> None:
        run(self._connection, "START TRANSACTION")
        try:
            for statement in statements:
                run(self._connection, statement)
        except BaseException:
            self._connection.rollback()
            run(self._connection, f"SET SESSION sql_mode = '{SQL_MODE}'")
            raise
        self._connection.commit()

    def load(self, table: str, columns: Sequence[str]) -> "MysqlTableLoad":
        return MysqlTableLoad(self._connection, table, columns)

    def reader(self, batch_rows: int) -> DatabaseReader:
        return open_reader(self._address, batch_rows)

    def rehearse(self, statements: Iterable[str]) -> Inventory | None:
        """In a database of its own beside the target, which is dropped again. None if the user may not make one."""
        ((charset, collation),) = self.query(catalogue.DEFAULTS)
        ((here,),) = self.query("SELECT DATABASE()")
        scratch = f"_shardgate_{secrets.token_hex(8)}"
        try:
            self.query(f"CREATE DATABASE {scratch} CHARACTER SET {charset} COLLATE {collation}")
        except pymysql.MySQLError as error:
            if error.args and error.args[0] in _NOT_ALLOWED:
                return None
            raise
        try:
            self.query(f"USE {scratch}")
            self.run(statements)
            return read_inventory(self.query)
        finally:
            self.query(f"DROP DATABASE {scratch}")
            self.query(f"USE {sql.quote(str(here))}")

    def inventory(self) -> Inventory:
        return read_inventory(self.query)

    def prepare(self, settings: Sequence[str]) -> None:
        """Does nothing: the user has created the database, and there are no settings."""

    def settle(self, settings: Sequence[str]) -> None:
        """Switches the events on."""
        self.run(settings)

    def broken_keys(self) -> list[str]:
        """The server did not check them while the rows came in."""
        broken = []
        for table in read_schema(self.query).tables:
            for key in table.foreign_keys:
                same = " AND ".join(
                    f"p.{sql.quote(theirs)} = c.{sql.quote(own)}"
                    for own, theirs in zip(key.columns, key.parent_columns, strict=True)
                )
                there = " AND ".join(f"c.{sql.quote(own)} IS NOT NULL" for own in key.columns)
                lost = sql.select(
                    ["1"],
                    f"{sql.quote(table.name)} AS c WHERE {there} AND NOT EXISTS"  # noqa: S608
                    f" (SELECT 1 FROM {sql.quote(key.parent)} AS p WHERE {same}) LIMIT 1",
                )
                if self.query(lost):
                    broken.append(
                        f"{table.name}: a row refers by {key} to no row. Correct it in the source, then --restart"
                    )
        return broken[:_BROKEN_MAX]

    def erase(self, undo: Sequence[str]) -> None:
        self.run(undo)

    def close(self) -> None:
        self._connection.close()


class MysqlTableLoad:
    """Fills one table with INSERTs of many rows. What a killed run left in a table without transactions is deleted."""

    __slots__ = ("_connection", "_insert")

    def __init__(self, connection: MysqlConnection, table: str, columns: Sequence[str]) -> None:
        self._connection = connection
        self._insert = f"INSERT INTO {sql.quote(table)} ({sql.listed(columns)}) VALUES "  # noqa: S608
        run(connection, f"SET SESSION sql_mode = '{LOADING_MODE}'")
        run(connection, "START TRANSACTION")
        run(connection, f"DELETE FROM {sql.quote(table)}")  # noqa: S608 - a quoted name

    def write(self, rows: Sequence[TableRow]) -> None:
        parts: list[str] = []
        size = 0
        for row in rows:
            text = "(" + ",".join(map(_literal, _values(row))) + ")"
            if parts and size + len(text) > _STATEMENT_CHARACTERS:
                run(self._connection, self._insert + ",".join(parts))
                parts, size = [], 0
            parts.append(text)
            size += len(text)
        if parts:
            run(self._connection, self._insert + ",".join(parts))

    def finish(self, statement: str) -> None:
        run(self._connection, statement)
        self._connection.commit()
        run(self._connection, f"SET SESSION sql_mode = '{SQL_MODE}'")


def _values(row: TableRow) -> ColumnValues:
    if isinstance(row, bytes):
        raise TypeError(row)  # a line of PostgreSQL's COPY: the split refuses that pair of databases
    return row


def _literal(value: ColumnValue) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f"x'{value.hex()}'"
    return sql.literal(value) if isinstance(value, str) else repr(value)
