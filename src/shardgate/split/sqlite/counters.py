"""AUTOINCREMENT in SQLite: reading the last id of a table, and setting it."""

from shardgate.split.database import sql
from shardgate.split.database.contracts import RunQuery


def read_sqlite_counter(query: RunQuery, table: str) -> int:
    """The last id that the table's AUTOINCREMENT gave; 0 if it gave none or the table has none."""
    if not has_sqlite_counters(query):
        return 0
    counter = f"sqlite_sequence WHERE name = {sql.literal(table)}"
    rows = query(sql.select(["seq"], counter))
    return int(str(rows[0][0])) if rows else 0


def statements_to_set_sqlite_counter(table: str, last: int) -> tuple[str, str]:
    where = f"WHERE name = {sql.literal(table)}"
    return (
        f"DELETE FROM sqlite_sequence {where}",  # noqa: S608 - a literal
        f"INSERT INTO sqlite_sequence VALUES ({sql.literal(table)}, {last})",  # noqa: S608
    )


def has_sqlite_counters(query: RunQuery) -> bool:
    """SQLite creates sqlite_sequence together with the first table that has AUTOINCREMENT."""
    return bool(query("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'"))


def tables_that_count(query: RunQuery) -> list[str]:
    """The tables with AUTOINCREMENT."""
    counting = "SELECT name FROM sqlite_master WHERE type = 'table' AND upper(sql) LIKE '%AUTOINCREMENT%'"
    return [str(name) for (name,) in query(counting)]
