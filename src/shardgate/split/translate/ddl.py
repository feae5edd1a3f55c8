"""The schema from SQLite to PostgreSQL or back: SQLAlchemy reads it and writes it for the other database.

Holds: tables, columns, primary and foreign keys, unique and check constraints, plain and partial indexes, and counters
are translated.
Never: drops anything silently. A column type without a counterpart is refused; anything else gets a warning.
"""

import warnings
from collections.abc import Iterable, Mapping
from typing import cast

from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    Constraint,
    ForeignKeyConstraint,
    Identity,
    MetaData,
    PrimaryKeyConstraint,
    TextClause,
    UniqueConstraint,
    inspect,
    text,
)
from sqlalchemy import Table as SqlAlchemyTable
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect as SqlAlchemyDialect
from sqlalchemy.engine.interfaces import ReflectedColumn
from sqlalchemy.engine.reflection import Inspector
from sqlalchemy.schema import AddConstraint, CreateIndex, CreateTable, Index

from shardgate.split.database import sql
from shardgate.split.database.ddl import Ddl
from shardgate.split.database.schema import ColumnKind, Schema, Table
from shardgate.split.translate.conditions import condition_for_postgres, condition_for_sqlite
from shardgate.split.translate.counters import statements_to_set_counters
from shardgate.split.translate.types import default_of, kind_of, postgres_type, sqlite_type
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
    translation = _Translation(connection, known, to_postgres=to_postgres)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SQLAlchemy warns of columns that we warn of ourselves
        for table in schema.tables:
            translation.add(table)
    return translation.ddl(schema)


class _Translation:
    """Builds the tables of the target one by one, and collects refusals and warnings."""

    __slots__ = (
        "_connection",
        "_inspector",
        "_kinds",
        "_known",
        "_metadata",
        "_refusals",
        "_to_postgres",
        "_warnings",
    )

    def __init__(
        self, connection: Connection, known: Mapping[tuple[str, str], ColumnKind], *, to_postgres: bool
    ) -> None:
        self._known = known
        self._connection = connection
        self._inspector: Inspector = inspect(connection)
        self._to_postgres = to_postgres
        self._metadata = MetaData()
        self._kinds: dict[str, dict[str, ColumnKind]] = {}
        self._refusals: list[str] = []
        self._warnings: list[str] = []

    def add(self, table: Table) -> None:
        columns = self._columns(table)
        if not columns:
            return
        made = SqlAlchemyTable(table.name, self._metadata, *columns, sqlite_autoincrement=table.counts_up)
        for constraint in self._constraints(table):
            made.append_constraint(constraint)
        self._indexes(made)

    def ddl(self, schema: Schema) -> Ddl:
        dialect = cast(SqlAlchemyDialect, postgresql.dialect() if self._to_postgres else sqlite.dialect())  # type: ignore[no-untyped-call]
        if self._refusals:
            return Ddl((), (), refusals=tuple(self._refusals), warnings=tuple(self._warnings))
        tables = [self._metadata.tables[table.name] for table in schema.tables]
        late: list[ForeignKeyConstraint] | None
        late = [] if self._to_postgres else None  # None: CREATE TABLE contains all foreign keys
        before = [str(CreateTable(t, include_foreign_key_constraints=late).compile(dialect=dialect)) for t in tables]
        after = [
            str(CreateIndex(index).compile(dialect=dialect))
            for t in tables
            for index in sorted(t.indexes, key=lambda index: str(index.name))
        ]
        if self._to_postgres:
            after += [
                str(AddConstraint(key).compile(dialect=dialect))
                for t in tables
                for key in sorted(t.foreign_key_constraints, key=lambda key: str(key.column_keys))
            ]
        return Ddl(
            before=tuple(before),
            after=(*after, *statements_to_set_counters(self._query, schema.tables, to_postgres=self._to_postgres)),
            objects=schema.names(),
            undo=(f"DROP TABLE IF EXISTS {sql.listed(schema.names())}",),
            kinds=self._kinds,
            warnings=(*self._warnings, *untranslated(self._query, from_sqlite=self._to_postgres)),
        )

    def _columns(self, table: Table) -> list[Column[object]]:
        """All columns of the table, or none if one of them is refused."""
        reflected = self._inspector.get_columns(table.name)
        kinds = {each["name"]: self._kind(table.name, each) for each in reflected}
        refused = [name for name, kind in kinds.items() if isinstance(kind, str)]
        self._refusals += [f"{table.name}: column {name} {kinds[name]}" for name in refused]
        if refused:
            return []
        self._kinds[table.name] = {name: kind for name, kind in kinds.items() if isinstance(kind, ColumnKind)}
        return [self._column(table, each, self._kinds[table.name][each["name"]]) for each in reflected]

    def _kind(self, table: str, column: ReflectedColumn) -> ColumnKind | str:
        """The kind of the column, or the reason why it cannot be translated."""
        if "computed" in column:
            return "is a generated column, which cannot be translated. Split into databases of the source's kind"
        kind = self._known.get((table, column["name"])) or kind_of(column["type"])
        if kind is None:
            return (
                f"is of type {column['type']!r}, which the other database does not have. Split into databases of the"
                " source's kind"
            )
        return kind

    def _column(self, table: Table, column: ReflectedColumn, kind: ColumnKind) -> Column[object]:
        translate = postgres_type if self._to_postgres else sqlite_type
        counts = table.counts_up and column["name"] in table.primary_key
        return Column(
            column["name"],
            translate(column["type"], kind),
            *([Identity(always=False)] if counts and self._to_postgres else []),
            nullable=column["nullable"] and column["name"] not in table.primary_key,
            autoincrement=counts,
            server_default=None if counts else self._default(table, column, kind),
        )

    def _default(self, table: Table, column: ReflectedColumn, kind: ColumnKind) -> TextClause | None:
        default = column["default"]
        translated = default_of(default, kind, to_postgres=self._to_postgres)
        if translated is None:
            self._warnings.append(
                f"{table.name}: the default of {column['name']}, {default}, is NOT translated. Set it on each shard"
            )
        return _verbatim(translated) if translated else None

    def _constraints(self, table: Table) -> Iterable[Constraint]:
        find = self._inspector
        if table.primary_key:
            name = find.get_pk_constraint(table.name)["name"]
            yield PrimaryKeyConstraint(*table.primary_key, name=name)
        for unique in find.get_unique_constraints(table.name):
            yield UniqueConstraint(*unique["column_names"], name=unique["name"])
        for check in find.get_check_constraints(table.name):
            condition = self._condition(table.name, check["sqltext"])
            yield CheckConstraint(condition, name=check["name"])
        for key in find.get_foreign_keys(table.name):
            yield ForeignKeyConstraint(
                key["constrained_columns"],
                [f"{key['referred_table']}.{column}" for column in key["referred_columns"]],
                name=key["name"],
                **key.get("options", {}),
                link_to_name=True,
            )

    def _indexes(self, table: SqlAlchemyTable) -> None:
        found = self._inspector.get_indexes(table.name)
        names = {str(index["name"]) for index in found}
        for missed in sorted(self._stored_indexes(table.name) - names):
            self._untranslated(table.name, missed)
        for index in found:
            if "expressions" in index:
                self._untranslated(table.name, str(index["name"]))
            elif "duplicates_constraint" not in index:
                options = index.get("dialect_options", {})
                where = options.get("postgresql_where") or options.get("sqlite_where")
                condition = self._condition(table.name, str(where)) if where is not None else None
                Index(
                    index["name"],
                    *(table.c[str(column)] for column in index["column_names"]),
                    unique=bool(index["unique"]),
                    postgresql_where=condition,
                    sqlite_where=condition,
                )

    def _condition(self, table: str, condition: str) -> TextClause:
        if self._to_postgres:
            kinds = self._kinds[table].items()
            booleans = [name for name, kind in kinds if kind is ColumnKind.BOOLEAN]
            return _verbatim(condition_for_postgres(condition, booleans))
        return _verbatim(condition_for_sqlite(condition))

    def _untranslated(self, table: str, index: str) -> None:
        self._warnings.append(
            f"{table}: index {index} is on an expression and is NOT translated. Create it on each shard"
        )

    def _stored_indexes(self, table: str) -> set[str]:
        """The names of a table's indexes in SQLite. SQLAlchemy leaves out those on expressions."""
        if not self._to_postgres:
            return set()
        statement = "SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name = "
        return {str(row[0]) for row in self._query(statement + sql.literal(table))}

    def _query(self, statement: str) -> list[tuple[object, ...]]:
        return [tuple(row) for row in self._connection.exec_driver_sql(statement)]


def _verbatim(sql_text: str) -> TextClause:
    """SQL text that SQLAlchemy does not interpret: it would read `:name` as a parameter without the backslash."""
    return text(sql_text.replace(":", r"\:"))
