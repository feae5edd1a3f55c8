"""Reads the schema of a database through SQLAlchemy."""

import sqlite3
from collections.abc import Collection

import psycopg
from sqlalchemy import INTEGER, Connection, create_engine, inspect
from sqlalchemy.engine.interfaces import ReflectedColumn, ReflectedForeignKeyConstraint
from sqlalchemy.pool import StaticPool

from shardgate.split.database.address import DatabaseAddress
from shardgate.split.database.schema import ForeignKey, Schema, Table


def inspected(address: DatabaseAddress, raw: sqlite3.Connection | psycopg.Connection[tuple[object, ...]]) -> Connection:
    """Let SQLAlchemy use an open connection. The connection stays ours: the pool neither resets nor closes it."""
    engine = create_engine(
        f"{address.url.drivername}://",
        creator=lambda: raw,
        poolclass=StaticPool,
        pool_reset_on_return=None,
    )
    return engine.connect()


def read_schema(connection: Connection, hidden: Collection[str]) -> Schema:
    """Every table of the connection's schema, without the hidden ones, sorted by name."""
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


def keys_into_other_schemas(connection: Connection) -> list[str]:
    """One refusal for each foreign key that refers to another schema: a split handles one schema."""
    inspector = inspect(connection)
    return [
        f"{table}: refers to {key['referred_schema']}.{key['referred_table']}, in another schema."
        " Only one schema can be split: move the tables into one schema, or drop the foreign key"
        for (_, table), keys in inspector.get_multi_foreign_keys().items()
        for key in keys
        if key["referred_schema"] is not None
    ]


def _real_names(key: ReflectedForeignKeyConstraint, names: dict[str, str]) -> ReflectedForeignKeyConstraint:
    """SQLite accepts REFERENCES Vendors for the table vendors; later code compares names exactly."""
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
    if "primary_key" in column:  # only SQLite's reflection has this entry; an INTEGER PRIMARY KEY is the rowid
        return isinstance(column["type"], INTEGER)
    return "identity" in column or "nextval(" in str(column.get("default") or "")
