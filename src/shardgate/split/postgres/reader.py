"""Reads a PostgreSQL database with COPY. A row stays the line that the server prints.

Holds: one REPEATABLE READ, READ ONLY transaction. The settings of `session.py` make the text of a value the same on
every server, so two databases can be compared line by line.
"""

from collections.abc import Iterator, Sequence
from typing import ClassVar, Final

from shardgate.split.database import sql
from shardgate.split.database.inventory import Inventory
from shardgate.split.database.mark import FINISHED, MARK
from shardgate.split.database.rows import ColumnValues, RowBatch, RowKey, TableRow
from shardgate.split.database.schema import KeyColumn
from shardgate.split.postgres.copy_format import parse_field, parse_line
from shardgate.split.postgres.inventory import read_inventory
from shardgate.split.postgres.names import relation, table_name
from shardgate.split.postgres.session import PostgresConnection

_TABLES: Final = (
    "SELECT n.nspname, c.relname, current_schema()"  # noqa: S608
    " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.oid >= 16384 AND n.nspname !~ '^pg_(toast|temp)'"
    f" AND c.relname NOT IN ('{MARK}', '{FINISHED}') AND NOT EXISTS (SELECT FROM pg_depend e"
    " WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')"
)
_PARTITIONED: Final = (
    "SELECT n.nspname, c.relname, current_schema() FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE c.relkind = 'p'"
)


class PostgresReader:
    """One snapshot of a PostgreSQL database."""

    prints_values: ClassVar[bool] = True

    __slots__ = ("_batch_rows", "_connection", "_partitioned")

    def __init__(self, connection: PostgresConnection, batch_rows: int) -> None:
        self._connection = connection
        self._batch_rows = batch_rows
        self._partitioned: frozenset[str] | None = None

    def values(
        self, table: str, columns: Sequence[KeyColumn], weigh: Sequence[str] = ()
    ) -> Iterator[Sequence[ColumnValues]]:
        # The size of the whole row, with values stored out of line: one call a row instead of one a column.
        size = ["pg_column_size(_row.*)"] if weigh else []
        statement = sql.select([*map(self._expression, columns), *size], f"{self._source(table)} AS _row")
        for lines in self._batches(statement):
            yield [parse_line(line) for line in lines]

    def rows(self, table: str, columns: Sequence[str], keys: Sequence[tuple[KeyColumn, ...]]) -> Iterator[RowBatch]:
        """The key columns are selected a second time, in front of the row: only they have to be parsed."""
        front = [column for key in keys for column in key]
        statement = sql.select([*map(self._expression, [*front, *columns])], f"{self._source(table)} AS _row")
        for lines in self._batches(statement):
            if not front:
                yield RowBatch((), lines)
                continue
            parts = [line.split(b"\t", len(front)) for line in lines]
            rows: list[TableRow] = [part.pop() for part in parts]
            yield RowBatch(tuple(_keys(parts, keys)), rows)

    def count(self, table: str, linked: Sequence[str] = ()) -> int:
        return int(str(self.query(sql.count_linked(self._source(table), linked))[0][0]))

    def tables(self) -> list[str]:
        return [table_name(str(schema), str(name), str(current)) for schema, name, current in self.query(_TABLES)]

    def query(self, statement: str) -> list[tuple[object, ...]]:
        return self._connection.execute(statement.encode()).fetchall()

    def inventory(self) -> Inventory:
        return read_inventory(self.query)

    def close(self) -> None:
        self._connection.close()

    def _source(self, table: str) -> str:
        """Without the rows of tables that inherit from it, which have entries of their own; with its partitions."""
        if self._partitioned is None:
            self._partitioned = frozenset(
                table_name(str(schema), str(name), str(current)) for schema, name, current in self.query(_PARTITIONED)
            )
        return relation(table) if table in self._partitioned else f"ONLY {relation(table)}"

    def _expression(self, column: KeyColumn) -> str:
        """`format` prints a value as COPY does, which a cast to text does not."""
        if isinstance(column, str):
            return f"_row.{sql.quote(column)}"
        own = f"_row.{sql.quote(column.own)}"
        source = self._source(column.key.parent)
        found = sql.select([f"format('%s', _parent.{sql.quote(column.column)})"], f"{source} AS _parent")
        same = " AND ".join(
            f"_parent.{sql.quote(theirs)} = _row.{sql.quote(mine)}"
            for mine, theirs in zip(column.key.columns, column.key.parent_columns, strict=True)
        )
        written = f"CASE WHEN {own} IS NOT NULL THEN format('%s', {own}) END"
        return f"coalesce(({found} WHERE {same} LIMIT 1), {written})"

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


def _keys(parts: list[list[bytes]], keys: Sequence[tuple[KeyColumn, ...]]) -> Iterator[list[RowKey]]:
    start = 0
    for key in keys:
        end = start + len(key)
        if len(key) == 1:
            yield [parse_field(part[start]) for part in parts]
        else:
            yield [tuple(map(parse_field, part[start:end])) for part in parts]
        start = end
