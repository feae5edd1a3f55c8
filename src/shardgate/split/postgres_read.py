"""Reads a PostgreSQL database by COPY, each row as the line the server prints.

Holds: one REPEATABLE READ, READ ONLY transaction; the session's settings make the same value the
same text on every server, so two databases can be compared line by line.
"""

from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

import psycopg
from psycopg import IsolationLevel
from psycopg import sql as names

from shardgate.split import sql
from shardgate.split.rows import Batch, Key, Row, Value, Values

Connection: TypeAlias = psycopg.Connection[tuple[object, ...]]

SETTINGS: Final = (
    ("client_encoding", "UTF8"),
    ("datestyle", "ISO, YMD"),
    ("intervalstyle", "postgres"),
    ("timezone", "UTC"),
    ("extra_float_digits", "3"),
    ("bytea_output", "hex"),
    ("lc_monetary", "C"),
    ("row_security", "off"),  # an error instead of rows that are silently left out
    ("synchronize_seqscans", "off"),  # from the first row on, so that shards keep the order
    ("check_function_bodies", "off"),  # functions are made before the tables they speak of
    ("statement_timeout", "0"),
    ("idle_in_transaction_session_timeout", "0"),
)
_ESCAPES: Final = {
    b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v", b"\\": b"\\",
}  # fmt: skip


def connect(conninfo: str) -> Connection:
    """A session in which the same value is the same text on every server."""
    connection: Connection = psycopg.connect(conninfo, autocommit=True)
    for name, value in SETTINGS:
        connection.execute(names.SQL("SET {} = {}").format(names.Identifier(name), value))
    connection.autocommit = False
    return connection


def freeze(connection: Connection) -> None:
    """From the next statement on this connection sees one instant, and writes nothing."""
    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    connection.read_only = True


class PostgresReader:
    """One snapshot of a PostgreSQL database."""

    __slots__ = ("_batch_rows", "_connection")

    def __init__(self, connection: Connection, batch_rows: int) -> None:
        self._connection = connection
        self._batch_rows = batch_rows

    def values(self, table: str, columns: Sequence[str], weigh: Sequence[str] = ()) -> Iterator[Sequence[Values]]:
        # The whole row, with what is stored out of line: one call instead of one a column.
        size = ["pg_column_size(_row.*)"] if weigh else []
        statement = sql.select([*map(sql.quote, columns), *size], f"{sql.quote(table)} AS _row")
        for lines in self._batches(statement):
            yield [parse_line(line) for line in lines]

    def rows(self, table: str, columns: Sequence[str], keys: Sequence[tuple[str, ...]]) -> Iterator[Batch]:
        """The key columns are asked for once more, in front: only they are taken apart."""
        front = [column for key in keys for column in key]
        statement = sql.select_columns(table, [*front, *columns])
        for lines in self._batches(statement):
            if not front:
                yield Batch((), lines)
                continue
            parts = [line.split(b"\t", len(front)) for line in lines]
            rows: list[Row] = [part.pop() for part in parts]
            yield Batch(tuple(_keys(parts, front, keys)), rows)

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
            for line in copy:  # libpq hands over one row at a time
                lines.append(bytes(line))
                if len(lines) == self._batch_rows:
                    yield lines
                    lines = []
            if lines:
                yield lines


def parse_line(line: bytes) -> Values:
    """A line of COPY's text format as its fields, each as the server prints it."""
    return tuple(map(_field, line.rstrip(b"\n").split(b"\t")))


def _keys(parts: list[list[bytes]], front: list[str], keys: Sequence[tuple[str, ...]]) -> Iterator[list[Key]]:
    start = 0
    for key in keys:
        end = start + len(key)
        if len(key) == 1:
            yield [_field(part[start]) for part in parts]
        else:
            yield [tuple(map(_field, part[start:end])) for part in parts]
        start = end


def _field(field: bytes) -> Value:
    if b"\\" not in field:
        return field
    if field == rb"\N":
        return None
    first, *rest = field.replace(rb"\\", b"\0").split(b"\\")  # \0 cannot occur in PostgreSQL's text
    return b"".join([first, *(_ESCAPES[part[:1]] + part[1:] for part in rest)]).replace(b"\0", b"\\")
