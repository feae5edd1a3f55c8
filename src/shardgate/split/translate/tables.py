"""The tables of a target of the other kind, built with SQLAlchemy from the tables of the source.

Never: drops anything silently. A column without a counterpart is refused. A default or an index without one gets a
warning.
"""

from collections.abc import Iterable, Mapping

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
from sqlalchemy.engine.interfaces import ReflectedColumn
from sqlalchemy.engine.reflection import Inspector
from sqlalchemy.schema import Index

from shardgate.split.database import sql
from shardgate.split.database.schema import ColumnKind, Table
from shardgate.split.translate.conditions import condition_for_postgres, condition_for_sqlite
from shardgate.split.translate.types import default_of, kind_of, postgres_type, sqlite_type


class TableTranslator:
    """Translates one table at a time into `metadata`, and collects the refusals and warnings."""

    __slots__ = (
        "_connection",
        "_inspector",
        "_known",
        "_to_postgres",
        "kinds",
        "metadata",
        "refusals",
        "warnings",
    )

    def __init__(
        self, connection: Connection, known: Mapping[tuple[str, str], ColumnKind], *, to_postgres: bool
    ) -> None:
        self.metadata = MetaData()
        self.kinds: dict[str, dict[str, ColumnKind]] = {}  # of each table that was not refused
        self.refusals: list[str] = []
        self.warnings: list[str] = []
        self._known = known
        self._connection = connection
        self._inspector: Inspector = inspect(connection)
        self._to_postgres = to_postgres

    def add(self, table: Table) -> None:
        """Translate the table with its columns, constraints and indexes."""
        columns = self._columns(table)
        if not columns:
            return
        made = SqlAlchemyTable(table.name, self.metadata, *columns, sqlite_autoincrement=table.counts_up)
        for constraint in self._constraints(table):
            made.append_constraint(constraint)
        self._indexes(made)

    def _columns(self, table: Table) -> list[Column[object]]:
        """All columns of the table, or none if one of them is refused."""
        reflected = self._inspector.get_columns(table.name)
        kinds = {each["name"]: self._kind(table.name, each) for each in reflected}
        refused = [name for name, kind in kinds.items() if isinstance(kind, str)]
        self.refusals += [f"{table.name}: column {name} {kinds[name]}" for name in refused]
        if refused:
            return []
        self.kinds[table.name] = {name: kind for name, kind in kinds.items() if isinstance(kind, ColumnKind)}
        return [self._column(table, each, self.kinds[table.name][each["name"]]) for each in reflected]

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
            self.warnings.append(
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
            kinds = self.kinds[table].items()
            booleans = [name for name, kind in kinds if kind is ColumnKind.BOOLEAN]
            return _verbatim(condition_for_postgres(condition, booleans))
        return _verbatim(condition_for_sqlite(condition))

    def _untranslated(self, table: str, index: str) -> None:
        self.warnings.append(
            f"{table}: index {index} is on an expression and is NOT translated. Create it on each shard"
        )

    def _stored_indexes(self, table: str) -> set[str]:
        """The names of a table's indexes in SQLite. SQLAlchemy leaves out those on expressions."""
        if not self._to_postgres:
            return set()
        statement = "SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name = "
        return {str(row[0]) for row in self._connection.exec_driver_sql(statement + sql.literal(table))}


def _verbatim(sql_text: str) -> TextClause:
    """SQL text that SQLAlchemy does not interpret: it would read `:name` as a parameter without the backslash."""
    return text(sql_text.replace(":", r"\:"))
