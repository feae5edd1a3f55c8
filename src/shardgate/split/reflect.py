"""Reads a database's schema through SQLAlchemy into what the decisions need."""

from collections.abc import Collection, Iterable

from sqlalchemy import INTEGER, Connection, inspect
from sqlalchemy.engine.interfaces import ReflectedColumn, ReflectedForeignKeyConstraint

from shardgate.split.schema import ForeignKey, Link, Schema, Table, nearest


def read_schema(connection: Connection, hidden: Collection[str]) -> Schema:
    """Every table of the connection's schema but the hidden ones."""
    inspector = inspect(connection)
    names = {name.lower(): name for name in inspector.get_table_names() if name not in hidden}
    columns = inspector.get_multi_columns()
    primary = inspector.get_multi_pk_constraint()
    foreign = inspector.get_multi_foreign_keys()
    return Schema(
        tuple(
            _table(
                name,
                columns[None, name],
                tuple(primary[None, name]["constrained_columns"]),
                [_real_names(key, names) for key in foreign[None, name]],
            )
            for name in sorted(names.values())
        )
    )


def other_schemas(connection: Connection) -> list[str]:
    """Foreign keys that leave the schema, as refusals: one schema is split at a time."""
    inspector = inspect(connection)
    return [
        f"{table}: refers to {key['referred_schema']}.{key['referred_table']}, in another schema."
        " Only one schema can be split"
        for (_, table), keys in inspector.get_multi_foreign_keys().items()
        for key in keys
        if key["referred_schema"] is not None
    ]


def with_links(schema: Schema, links: Iterable[Link]) -> tuple[Schema, list[str]]:
    """The schema with the person's own foreign keys, and what is wrong with these."""
    problems: list[str] = []
    tables = {table.name: table for table in schema.tables}
    for link in links:
        wrong = _wrong_names(tables, link)
        problems += wrong
        if not wrong:
            child = tables[link.table]
            key = ForeignKey(link.columns, link.parent, link.parent_columns, nullable=True)
            tables[link.table] = Table(
                child.name,
                child.columns,
                child.primary_key,
                (*child.foreign_keys, key),
                child.counts_up,
            )
    return Schema(tuple(tables.values())), problems


def _wrong_names(tables: dict[str, Table], link: Link) -> list[str]:
    problems = []
    for name, columns in ((link.table, link.columns), (link.parent, link.parent_columns)):
        if name not in tables:
            problems.append(f"--link: there is no table {name}.{nearest(name, tables)}")
            continue
        known = tables[name].columns
        problems += [
            f"--link: {name} has no column {column}.{nearest(column, known)}"
            for column in columns
            if column not in known
        ]
    return problems


def _real_names(key: ReflectedForeignKeyConstraint, names: dict[str, str]) -> ReflectedForeignKeyConstraint:
    """SQLite takes REFERENCES Vendors for the table vendors; the decisions compare exactly."""
    parent = key["referred_table"]
    key["referred_table"] = names.get(parent.lower(), parent)
    return key


def _table(
    name: str,
    columns: list[ReflectedColumn],
    primary_key: tuple[str, ...],
    foreign_keys: list[ReflectedForeignKeyConstraint],
) -> Table:
    nullable = {column["name"] for column in columns if column["nullable"]}
    keys = [
        ForeignKey(
            tuple(key["constrained_columns"]),
            key["referred_table"],
            tuple(key["referred_columns"]),
            nullable=bool(nullable.intersection(key["constrained_columns"])),
        )
        for key in foreign_keys
        if key["referred_schema"] is None
    ]
    return Table(
        name=name,
        columns=tuple(column["name"] for column in columns if "computed" not in column),
        primary_key=primary_key,
        foreign_keys=tuple(dict.fromkeys(keys)),
        counts_up=any(_counts_up(column, primary_key) for column in columns),
    )


def _counts_up(column: ReflectedColumn, primary_key: tuple[str, ...]) -> bool:
    if primary_key != (column["name"],):
        return False
    if "primary_key" in column:  # only SQLite says this; its INTEGER PRIMARY KEY is the row's number
        return isinstance(column["type"], INTEGER)
    return "identity" in column or "nextval(" in str(column.get("default") or "")
