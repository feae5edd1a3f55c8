"""Between SQLite and PostgreSQL: where each counter goes on, and what is left behind.

Holds: the next id is on every shard what it would have been on the source.
"""

from collections.abc import Callable, Iterable
from typing import Final, TypeAlias

from shardgate.split import sql
from shardgate.split.schema import Table

Query: TypeAlias = Callable[[str], list[tuple[object, ...]]]

_PROGRAMS_SQLITE: Final = (
    "SELECT type, name FROM sqlite_master WHERE type IN ('view', 'trigger')"
    " UNION ALL SELECT 'collation of', name FROM sqlite_master WHERE type = 'table'"
    " AND (upper(sql) LIKE '%COLLATE NOCASE%' OR upper(sql) LIKE '%COLLATE RTRIM%')"
)
_PROGRAMS_POSTGRES: Final = (
    "SELECT CASE relkind WHEN 'v' THEN 'view' ELSE 'materialized view' END, relname"
    " FROM pg_class WHERE relkind IN ('v', 'm')"
    " AND relnamespace = current_schema()::regnamespace"
    " UNION ALL SELECT 'trigger', t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
    " WHERE NOT t.tgisinternal AND c.relnamespace = current_schema()::regnamespace"
)


def counters(query: Query, tables: Iterable[Table], *, to_postgres: bool) -> list[str]:
    """The statements that set every counter of the target to where the source's stands."""
    statements = []
    for table in (table for table in tables if table.counts_up):
        column, name = table.primary_key[0], table.name
        used = query(sql.select([f"max({sql.quote(column)})"], sql.quote(name)))[0][0]
        counted = _sqlite_counter(query, name) if to_postgres else _sequence(query, name, column)
        last = max(int(str(used or 0)), counted)
        if to_postgres and last:
            statements.append(f"SELECT setval({_serial(name, column)}, {last})")
        elif last:
            statements += sqlite_counter(name, last)
    return statements


def sqlite_counter(name: str, last: int) -> tuple[str, str]:
    where = f"WHERE name = {sql.literal(name)}"
    return (
        f"DELETE FROM sqlite_sequence {where}",  # noqa: S608 - a literal
        f"INSERT INTO sqlite_sequence VALUES ({sql.literal(name)}, {last})",  # noqa: S608
    )


def left_behind(query: Query, *, from_sqlite: bool) -> list[str]:
    """Views and triggers are programs in a dialect: nobody can translate them safely."""
    found = query(_PROGRAMS_SQLITE if from_sqlite else _PROGRAMS_POSTGRES)
    return [f"{kind} {name} is NOT carried over: make it on each shard" for kind, name in found]


def _sqlite_counter(query: Query, name: str) -> int:
    if not query("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'"):
        return 0
    counter = f"sqlite_sequence WHERE name = {sql.literal(name)}"
    rows = query(sql.select(["seq"], counter))
    return int(str(rows[0][0])) if rows else 0


def _sequence(query: Query, name: str, column: str) -> int:
    (sequence,) = query(f"SELECT {_serial(name, column)}")[0]
    if sequence is None:
        return 0
    ((last, called),) = query(sql.select(["last_value", "is_called"], str(sequence)))
    return int(str(last)) if called else int(str(last)) - 1


def _serial(name: str, column: str) -> str:
    return f"pg_get_serial_sequence({sql.literal(sql.quote(name))}, {sql.literal(column)})"
