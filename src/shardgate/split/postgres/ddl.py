"""The schema from PostgreSQL to PostgreSQL: as pg_dump writes it, or as the server does from its catalogue.

Holds: with pg_dump every object is carried, but those that belong to the server or to its roles. Without it, what the
statements do not make is refused, or named in the plan where it changes no result. A sequence gives the number next, on
every shard, that it would have given next on the source.
"""

from collections.abc import Sequence

from shardgate.split.database import sql
from shardgate.split.database.contracts import RunQuery
from shardgate.split.database.ddl import Ddl
from shardgate.split.postgres import catalogue
from shardgate.split.postgres.dump import DumpTool
from shardgate.split.postgres.inventory import NEVER_CARRIED


def dumped_postgres_ddl(query: RunQuery, tool: DumpTool, conninfo: str, names: Sequence[str]) -> Ddl:
    """The whole schema of the database, written by pg_dump. `names` are those of its tables, views and sequences."""
    ((snapshot,),) = query("SELECT pg_export_snapshot()")
    return Ddl(
        before=(tool.section("pre-data", conninfo, str(snapshot)),),
        after=(
            *_set_sequences(query, _texts(query, catalogue.SEQUENCE_NAMES)),
            "ANALYZE",
            tool.section("post-data", conninfo, str(snapshot)),  # last, because it makes the event triggers
        ),
        objects=tuple(names),
        undo=tuple(_texts(query, catalogue.UNDO)),
        made_by=tool.version,
        not_carried=NEVER_CARRIED,
    )


def read_postgres_ddl(query: RunQuery) -> Ddl:
    """The schema of the connection without pg_dump, in an order in which it can be created."""
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
            *_set_sequences(query, [sql.quote(name) for name, *_ in sequences]),
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
        not_carried=NEVER_CARRIED | {"comment"},
    )


def _rows(query: RunQuery, statement: str) -> list[tuple[str, ...]]:
    return [tuple("" if v is None else str(v) for v in row) for row in query(statement)]


def _texts(query: RunQuery, statement: str) -> list[str]:
    return [row[0] for row in _rows(query, statement)]


def _create_tables(query: RunQuery, tables: Sequence[str]) -> list[str]:
    columns: dict[str, list[str]] = {table: [] for table in tables}
    for table, column in _rows(query, catalogue.COLUMNS):
        columns[table].append(column)
    return [f"CREATE TABLE {sql.quote(table)} (\n  {f',{chr(10)}  '.join(columns[table])}\n)" for table in tables]


def _set_sequences(query: RunQuery, sequences: Sequence[str]) -> list[str]:
    """Set each sequence to the value read from itself: pg_sequences hides a value that was set but not used."""
    statements = []
    for name in sequences:
        ((last, called),) = query(sql.select(["last_value", "is_called"], name))
        statements.append(f"SELECT setval({sql.literal(name)}, {last}, {str(called).lower()})")
    return statements
