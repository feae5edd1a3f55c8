"""Reads a MySQL or MariaDB database. A value stays the text that the server writes.

Holds: one REPEATABLE READ, READ ONLY transaction, which is one instant for tables of InnoDB. Rows are streamed.
"""

from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import ClassVar, cast

from pymysql.cursors import SSCursor

from shardgate.split.database import sql
from shardgate.split.database.address import DatabaseAddress
from shardgate.split.database.inventory import Inventory
from shardgate.split.database.rows import ColumnValues, RowBatch, RowKey
from shardgate.split.database.schema import KeyColumn
from shardgate.split.mysql import catalogue
from shardgate.split.mysql.inventory import read_inventory
from shardgate.split.mysql.session import MysqlConnection, connect, freeze, run


class MysqlReader:
    """One snapshot of a database."""

    prints_values: ClassVar[bool] = False

    __slots__ = ("_batch_rows", "_connection", "_floats")

    def __init__(self, connection: MysqlConnection, batch_rows: int) -> None:
        self._connection = connection
        self._batch_rows = batch_rows
        self._floats: frozenset[tuple[str, str]] | None = None

    def values(
        self, table: str, columns: Sequence[KeyColumn], weigh: Sequence[str] = ()
    ) -> Iterator[Sequence[ColumnValues]]:
        sizes = " + ".join(f"ifnull(octet_length({sql.quote(c)}), 0)" for c in weigh)
        expressions = [*(self._expression(table, c) for c in columns), *([sizes] if sizes else [])]
        return self._batches(sql.select(expressions, f"{sql.quote(table)} AS _row"))

    def rows(self, table: str, columns: Sequence[str], keys: Sequence[tuple[KeyColumn, ...]]) -> Iterator[RowBatch]:
        # Beside the columns that are copied: those that the database finds, and generated ones.
        found = [column for key in keys for column in key if column not in columns]
        read: list[KeyColumn] = [*columns, *found]
        pick = [itemgetter(*(read.index(column) for column in key)) for key in keys]
        expressions = [self._expression(table, column) for column in read]
        for rows in self._batches(sql.select(expressions, f"{sql.quote(table)} AS _row")):
            of_keys = tuple(cast(list[RowKey], list(map(get, rows))) for get in pick)
            yield RowBatch(of_keys, [row[: len(columns)] for row in rows] if found else rows)

    def count(self, table: str, linked: Sequence[str] = ()) -> int:
        return int(str(self.query(sql.count_linked(sql.quote(table), linked))[0][0]))

    def tables(self) -> list[str]:
        return [str(name) for name, kind, _ in self.query(catalogue.TABLES) if kind not in ("VIEW", "SEQUENCE")]

    def query(self, statement: str) -> list[tuple[object, ...]]:
        return run(self._connection, statement)

    def inventory(self) -> Inventory:
        return read_inventory(self.query)

    def close(self) -> None:
        self._connection.close()

    def _expression(self, table: str, column: KeyColumn) -> str:
        if isinstance(column, str):
            name = f"_row.{sql.quote(column)}"
            # A FLOAT is written with six digits, which are not all that it has. As a DOUBLE it has all of them.
            return f"({name} + 0E0)" if (table, column) in self._float_columns() else name
        key = column.key
        same = " AND ".join(
            f"_parent.{sql.quote(theirs)} = _row.{sql.quote(mine)}"
            for mine, theirs in zip(key.columns, key.parent_columns, strict=True)
        )
        # concat writes a value as the server would by itself: 007 of a ZEROFILL column, which ifnull makes 7.
        written = f"concat(_parent.{sql.quote(column.column)})"
        found = sql.select([written], f"{sql.quote(key.parent)} AS _parent WHERE {same}")
        return f"ifnull(({found} LIMIT 1), concat(_row.{sql.quote(column.own)}))"

    def _float_columns(self) -> frozenset[tuple[str, str]]:
        if self._floats is None:
            columns = self.query(catalogue.COLUMNS)
            self._floats = frozenset((str(t), str(c)) for t, c, kind, *_ in columns if str(kind) == "float")
        return self._floats

    def _batches(self, statement: str) -> Iterator[Sequence[ColumnValues]]:
        self._float_columns()  # no other statement may run while rows are streamed
        with self._connection.cursor(SSCursor) as cursor:
            cursor.execute(statement)
            while batch := cursor.fetchmany(self._batch_rows):
                yield batch


def open_reader(address: DatabaseAddress, batch_rows: int) -> MysqlReader:
    """Connect and take a snapshot."""
    connection = connect(address)
    freeze(connection)
    return MysqlReader(connection, batch_rows)
