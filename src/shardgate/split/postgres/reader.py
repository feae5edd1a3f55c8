"""Reads a PostgreSQL database with COPY. A row stays the line that the server prints.

Holds: one REPEATABLE READ, READ ONLY transaction. The settings of `session.py` make the text of a value the same on
every server, so two databases can be compared line by line.
"""

from collections.abc import Iterator, Sequence

from shardgate.split.database import sql
from shardgate.split.database.rows import ColumnValues, RowBatch, RowKey, TableRow
from shardgate.split.postgres.copy_format import parse_field, parse_line
from shardgate.split.postgres.session import PostgresConnection


class PostgresReader:
    """One snapshot of a PostgreSQL database."""

    __slots__ = ("_batch_rows", "_connection")

    def __init__(self, connection: PostgresConnection, batch_rows: int) -> None:
        self._connection = connection
        self._batch_rows = batch_rows

    def values(self, table: str, columns: Sequence[str], weigh: Sequence[str] = ()) -> Iterator[Sequence[ColumnValues]]:
        # The size of the whole row, with values stored out of line: one call a row instead of one a column.
        size = ["pg_column_size(_row.*)"] if weigh else []
        statement = sql.select([*map(sql.quote, columns), *size], f"{sql.quote(table)} AS _row")
        for lines in self._batches(statement):
            yield [parse_line(line) for line in lines]

    def rows(self, table: str, columns: Sequence[str], keys: Sequence[tuple[str, ...]]) -> Iterator[RowBatch]:
        """The key columns are selected a second time, in front of the row: only they have to be parsed."""
        front = [column for key in keys for column in key]
        statement = sql.select_columns(table, [*front, *columns])
        for lines in self._batches(statement):
            if not front:
                yield RowBatch((), lines)
                continue
            parts = [line.split(b"\t", len(front)) for line in lines]
            rows: list[TableRow] = [part.pop() for part in parts]
            yield RowBatch(tuple(_keys(parts, keys)), rows)

    def query(self, statement: str) -> list[tuple[object, ...]]:
        return self._connection.execute(statement.encode()).fetchall()

    def close(self) -> None:
        self._connection.close()

    def _batches(self, statement: str) -> Iterator[list[bytes]]:
        with (
            self._connection.cursor() as cursor,
            cursor.copy(sql.copy_out(statement).encode()) as copy,
        ):
            lines: list[bytes] = []
            for line in copy:  # libpq returns one row at a time
                lines.append(bytes(line))
                if len(lines) == self._batch_rows:
                    yield lines
                    lines = []
            if lines:
                yield lines


def _keys(parts: list[list[bytes]], keys: Sequence[tuple[str, ...]]) -> Iterator[list[RowKey]]:
    start = 0
    for key in keys:
        end = start + len(key)
        if len(key) == 1:
            yield [parse_field(part[start]) for part in parts]
        else:
            yield [tuple(map(parse_field, part[start:end])) for part in parts]
        start = end
