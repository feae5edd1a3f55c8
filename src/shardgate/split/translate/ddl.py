"""The schema from SQLite to PostgreSQL or back: SQLAlchemy reads it and writes it for the other database.

Holds: tables, columns, primary and foreign keys, unique and check constraints, plain and partial indexes, and counters
are translated. Anything else gets a refusal or a warning.
"""

import warnings
from collections.abc import Mapping, Sequence
from typing import cast

from sqlalchemy import Connection, ForeignKeyConstraint
from sqlalchemy import Table as SqlAlchemyTable
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect as SqlAlchemyDialect
from sqlalchemy.schema import AddConstraint, CreateIndex, CreateTable

from shardgate.split.database import sql
from shardgate.split.database.ddl import Ddl
from shardgate.split.database.schema import ColumnKind, Schema
from shardgate.split.translate.counters import statements_to_set_counters
from shardgate.split.translate.tables import TableTranslator
from shardgate.split.translate.untranslated import untranslated


def translate_ddl(
    connection: Connection,
    schema: Schema,
    known: Mapping[tuple[str, str], ColumnKind],
    *,
    to_postgres: bool,
) -> Ddl:
    """The statements that create the schema in a target of the other kind.

    `known` has the columns whose kind the user gave with --type.
    """
    translator = TableTranslator(connection, known, to_postgres=to_postgres)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SQLAlchemy warns of columns that we warn of ourselves
        for table in schema.tables:
            translator.add(table)
    if translator.refusals:
        return Ddl((), (), refusals=tuple(translator.refusals), warnings=tuple(translator.warnings))

    def query(statement: str) -> list[tuple[object, ...]]:
        return [tuple(row) for row in connection.exec_driver_sql(statement)]

    tables = [translator.metadata.tables[table.name] for table in schema.tables]
    before, after = _statements(tables, to_postgres=to_postgres)
    return Ddl(
        before=tuple(before),
        after=(*after, *statements_to_set_counters(query, schema.tables, to_postgres=to_postgres)),
        objects=schema.names(),
        undo=(f"DROP TABLE IF EXISTS {sql.listed(schema.names())}",),
        kinds=translator.kinds,
        warnings=(*translator.warnings, *untranslated(query, from_sqlite=to_postgres)),
    )


def _statements(tables: Sequence[SqlAlchemyTable], *, to_postgres: bool) -> tuple[list[str], list[str]]:
    """CREATE TABLE, and what comes after the rows. SQLite cannot add a foreign key to a table that exists."""
    dialect = cast(SqlAlchemyDialect, postgresql.dialect() if to_postgres else sqlite.dialect())  # type: ignore[no-untyped-call]
    inside: list[ForeignKeyConstraint] | None = [] if to_postgres else None  # None: all foreign keys
    before = [str(CreateTable(t, include_foreign_key_constraints=inside).compile(dialect=dialect)) for t in tables]
    after = [
        str(CreateIndex(index).compile(dialect=dialect))
        for t in tables
        for index in sorted(t.indexes, key=lambda index: str(index.name))
    ]
    if to_postgres:
        after += [
            str(AddConstraint(key).compile(dialect=dialect))
            for t in tables
            for key in sorted(t.foreign_key_constraints, key=lambda key: str(key.column_keys))
        ]
    return before, after
