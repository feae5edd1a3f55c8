"""PostgreSQL to PostgreSQL: the schema out of the server's catalogue, in the server's own words.

Holds: types, collations, identity, generated columns and constraints come back as they were
declared, and a sequence gives on every shard the number it would have given on the source.
Never: copies owners, grants, comments or storage parameters; a policy or a rule gets a warning.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from shardgate.split import catalogue, sql
from shardgate.split.ddl import Ddl

Query: TypeAlias = Callable[[str], list[tuple[object, ...]]]


def read_postgres_ddl(query: Query) -> Ddl:
    """Everything of the connection's schema, in an order in which it can be made."""
    tables = list(dict.fromkeys(_texts(query, catalogue.TABLES)))
    sequences = _rows(query, catalogue.SEQUENCES)
    views = _rows(query, catalogue.VIEWS)
    functions = _rows(query, catalogue.FUNCTIONS)
    types = _rows(query, catalogue.TYPES)
    return Ddl(
        before=(
            *_texts(query, catalogue.EXTENSIONS),
            *(make for _, make, _ in types),
            *(make for _, make, _, owned in sequences if owned != "identity"),
            *(make for _, make, _ in functions),
            *_create_tables(query, tables),
        ),
        after=(
            *(text for _, text in _rows(query, catalogue.INDEXES)),
            *_texts(query, catalogue.CONSTRAINTS),
            *(owner for _, _, owner, _ in sequences if owner),
            *_positions(query, [name for name, *_ in sequences]),
            *(make for _, make, _ in views),
            *_texts(query, catalogue.TRIGGERS),
            "ANALYZE",
        ),
        objects=(
            *tables,
            *(name for name, *_ in sequences),
            *(name for name, *_ in views),
        ),
        undo=(
            *(drop for _, _, drop in reversed(views)),
            *([f"DROP TABLE IF EXISTS {sql.listed(tables)}"] if tables else []),
            *(f"DROP SEQUENCE IF EXISTS {sql.quote(name)}" for name, _, _, owned in sequences if owned != "identity"),
            *(drop for _, _, drop in functions),
            *(drop for _, _, drop in types),
        ),
        refusals=tuple(_texts(query, catalogue.REFUSED)),
        warnings=tuple(_texts(query, catalogue.NOT_CARRIED)),
    )


def _rows(query: Query, statement: str) -> list[tuple[str, ...]]:
    return [tuple("" if v is None else str(v) for v in row) for row in query(statement)]


def _texts(query: Query, statement: str) -> list[str]:
    return [row[0] for row in _rows(query, statement)]


def _create_tables(query: Query, tables: Sequence[str]) -> list[str]:
    columns: dict[str, list[str]] = {table: [] for table in tables}
    for table, column in _rows(query, catalogue.COLUMNS):
        columns[table].append(column)
    return [f"CREATE TABLE {sql.quote(table)} (\n  {f',{chr(10)}  '.join(columns[table])}\n)" for table in tables]


def _positions(query: Query, sequences: Sequence[str]) -> list[str]:
    """Each sequence's place, read from itself: the catalogue forgets one that was set, not used."""
    positions = []
    for name in sequences:
        ((last, called),) = query(sql.select(["last_value", "is_called"], sql.quote(name)))
        quoted = sql.literal(sql.quote(name))
        positions.append(f"SELECT setval({quoted}, {last}, {str(called).lower()})")
    return positions
