"""Fills a schema that nobody here wrote with rows, so that it can be split: some for each tenant, some for everybody.

Holds: every foreign key of a row leads to rows of its own tenant, or to a table of everybody. The same schema and seed
always give the same rows. A row that a check of the application rejects is left out.
"""

from itertools import count
from typing import Final

import psycopg
from msgspec import Struct, convert
from psycopg import sql

from shardgate.split.database.schema import ForeignKey, Table
from shardgate.split.decide.ownership import Ownership
from shardgate.split.postgres.names import relation

EVERYBODY: Final = -1
_TRIES: Final = 3  # of a row, with other values: a check may want one of a few

_COLUMNS: Final = """
SELECT a.attname, t.typname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.atthasdef OR a.attidentity <> '',
  information_schema._pg_char_max_length(a.atttypid, a.atttypmod),
  (SELECT array_agg(enumlabel::text ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid), t.typcategory
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''"""

_BY_TYPE: Final = {
    "bool": "false", "json": "{}", "jsonb": "{}", "date": "2030-01-01", "timestamp": "2030-01-01 10:00",
    "timestamptz": "2030-01-01 10:00Z", "time": "10:00", "interval": "1 day", "bytea": r"\x00ff", "inet": "10.0.0.1",
    "hstore": "", "point": "(1,2)", "tsvector": "a", "xml": "<a/>",
}  # fmt: skip


_BY_CATEGORY: Final = {"A": "{}", "N": "", "R": "empty"}  # arrays, numbers, ranges


class _Column(Struct, frozen=True, array_like=True):
    name: str
    type: str
    declared: str
    needed: bool
    has_default: bool
    length_max: int | None
    words: list[str] | None
    category: str


class Filler:
    """Fills one database. The tables must be in the order in which parents come before children."""

    __slots__ = ("_connection", "_keys", "_numbers", "rejected")

    def __init__(self, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        self._connection = connection
        self._numbers = count(1)
        # By table and columns: the values of those columns in the rows of each tenant.
        self._keys: dict[tuple[str, tuple[str, ...]], dict[int, list[tuple[object, ...]]]] = {}
        self.rejected = 0

    def fill(self, ownership: Ownership, tenants: int, rows: int) -> None:
        """Give each reference table `rows` rows, and each divided table `rows` for each tenant."""
        wanted = self._wanted_keys([*ownership.reference, *(each.table for each in ownership.owned)])
        for table in ownership.reference:
            for _ in range(rows):
                self._row(table, EVERYBODY, wanted[table.name])
        for owned in ownership.owned:
            for tenant in range(tenants):
                for _ in range(1 if owned.table == ownership.tenant else rows):
                    self._row(owned.table, tenant, wanted[owned.table.name])

    def _wanted_keys(self, tables: list[Table]) -> dict[str, set[tuple[str, ...]]]:
        wanted: dict[str, set[tuple[str, ...]]] = {table.name: set() for table in tables}
        for table in tables:
            for key in table.foreign_keys:
                wanted.setdefault(key.parent, set()).add(key.parent_columns)
        return wanted

    def _row(self, table: Table, tenant: int, wanted: set[tuple[str, ...]]) -> None:
        target = relation(table.name)
        columns = [convert(list(row), _Column) for row in self._connection.execute(_COLUMNS, [target])]
        for _ in range(_TRIES):
            values = self._values(table, tenant, columns)
            if values is None:
                break
            back = list(dict.fromkeys(column for key in wanted for column in key))
            statement = sql.SQL("INSERT INTO {} ({}) VALUES ({}) RETURNING {}").format(
                sql.SQL(target),
                sql.SQL(", ").join(map(sql.Identifier, values)),
                sql.SQL(", ").join(sql.Placeholder() * len(values)),
                sql.SQL(", ").join(map(sql.Identifier, back)) if back else sql.SQL("1"),
            )
            try:
                with self._connection.transaction():
                    row = self._connection.execute(statement, [*values.values()]).fetchone()
            except psycopg.Error:
                continue
            found = dict(zip(back, row or (), strict=False))
            for key in wanted:
                self._keys.setdefault((table.name, key), {}).setdefault(tenant, []).append(
                    tuple(found[column] for column in key)
                )
            return
        self.rejected += 1

    def _values(self, table: Table, tenant: int, columns: list[_Column]) -> dict[str, object] | None:
        """The values of one row, or None if a parent that it needs has no row."""
        number = next(self._numbers)
        values: dict[str, object] = {}
        for key in table.foreign_keys:
            parent = self._parent(key, tenant, number)
            if parent is None and not key.nullable:
                return None
            values.update(dict(zip(key.columns, parent or [None] * len(key.columns), strict=True)))
        for column in columns:
            if column.name in values or (column.has_default and column.name not in table.primary_key):
                continue
            if column.has_default or not (column.needed or number % 2):
                continue
            values[column.name] = _value(column, number)
        return values

    def _parent(self, key: ForeignKey, tenant: int, number: int) -> tuple[object, ...] | None:
        by_tenant = self._keys.get((key.parent, key.parent_columns), {})
        known = by_tenant.get(tenant) or by_tenant.get(EVERYBODY)
        return known[number % len(known)] if known else None


def _value(column: _Column, number: int) -> object:
    if column.words:
        return column.words[number % len(column.words)]
    if column.category in _BY_CATEGORY:
        return number % 10 if column.category == "N" else _BY_CATEGORY[column.category]
    if column.type == "uuid":
        return f"{number:032x}"
    if column.type in _BY_TYPE:
        return _BY_TYPE[column.type]
    text = f"{column.name[:3]} {number} é"
    return text[-column.length_max :] if column.length_max else text
