"""The sequence of a serial or identity column in PostgreSQL: reading its last number, and setting it."""

from shardgate.split.database import sql
from shardgate.split.database.contracts import RunQuery


def read_postgres_counter(query: RunQuery, table: str, column: str) -> int:
    """The last number that the column's sequence gave; 0 if the column has no sequence."""
    (sequence,) = query(f"SELECT {_sequence(table, column)}")[0]
    if sequence is None:
        return 0
    ((last, called),) = query(sql.select(["last_value", "is_called"], str(sequence)))
    return int(str(last)) if called else int(str(last)) - 1


def statement_to_set_postgres_counter(table: str, column: str, last: int) -> str:
    return f"SELECT setval({_sequence(table, column)}, {last})"


def _sequence(table: str, column: str) -> str:
    return f"pg_get_serial_sequence({sql.literal(sql.quote(table))}, {sql.literal(column)})"
