"""Column types from one kind of database to the other: what SQLAlchemy would declare there.

Holds: SQLite's INTEGER has 64 bits and its text is compared byte by byte, so PostgreSQL gets
BIGINT and COLLATE "C": no value is too large, and every list keeps its order.
"""

import re
from typing import Any, Final, TypeAlias

from sqlalchemy import types
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine

from shardgate.split.schema import Kind

SqlType: TypeAlias = TypeEngine[Any]  # the type of a column's values is nobody's business here

# The first that matches; narrower types stand before those they derive from.
_KINDS: Final[tuple[tuple[type[SqlType], Kind], ...]] = (
    (types.Boolean, Kind.BOOLEAN),
    (types.Integer, Kind.INTEGER),
    (types.Float, Kind.FLOAT),
    (types.Numeric, Kind.DECIMAL),
    (types.DateTime, Kind.INSTANT),
    (types.Date, Kind.DATE),
    (types.Time, Kind.TIME),
    (types.JSON, Kind.JSON),
    (types.Uuid, Kind.UUID),
    (types.LargeBinary, Kind.BYTES),
    (postgresql.ENUM, Kind.TEXT),
    (types.String, Kind.TEXT),
)
_LITERAL: Final = re.compile(r"('(?:[^']|'')*'|-?\d+(?:\.\d+)?|true|false)(?:::[\w\" .()\[\]]+)?", re.I)
_NOW: Final = re.compile(r"\(?(?:now\(\)|CURRENT_TIMESTAMP|datetime\('now'\))\)?", re.I)


def kind_of(column_type: SqlType) -> Kind | None:
    """What a reflected column holds, or None for a type only its own database has."""
    if isinstance(column_type, postgresql.DOMAIN):
        return kind_of(column_type.data_type)
    if isinstance(column_type, types.Time) and column_type.timezone:
        return None
    for known, kind in _KINDS:
        if isinstance(column_type, known):
            return kind
    return None


def postgres_type(column_type: SqlType, kind: Kind) -> SqlType:
    """The type of a SQLite column in PostgreSQL."""
    match kind:
        case Kind.INTEGER:
            return types.BigInteger()
        case Kind.FLOAT:
            return types.Double()
        case Kind.INSTANT:
            return types.DateTime()
        case Kind.TEXT if _length(column_type):
            return types.String(_length(column_type), collation="C")
        case Kind.TEXT:
            return types.Text(collation="C")
        case _:
            return _plain_type(column_type, kind)


def sqlite_type(column_type: SqlType, kind: Kind) -> SqlType:
    """The type of a PostgreSQL column in SQLite."""
    match kind:
        case Kind.INTEGER:
            return types.Integer()
        case Kind.TEXT if _length(column_type):
            return types.String(_length(column_type))
        case Kind.UUID:
            return types.CHAR(32)  # as SQLAlchemy keeps a Uuid in SQLite: hexadecimal, no dashes
        case _:
            return _plain_type(column_type, kind)


def default_of(text: str | None, kind: Kind, *, to_postgres: bool) -> str | None:
    """A column's DEFAULT for the other database; "" where it has none to carry over."""
    if text is None:
        return ""
    if _NOW.fullmatch(text):
        return "CURRENT_TIMESTAMP"
    found = _LITERAL.fullmatch(text)
    if found is None:
        return None
    value = found[1]
    if kind is Kind.BOOLEAN:
        true = value.strip("'").lower() in ("1", "true", "t")
        return str(true).lower() if to_postgres else str(int(true))
    return value


def _plain_type(column_type: SqlType, kind: Kind) -> SqlType:
    plain: dict[Kind, SqlType] = {
        Kind.BOOLEAN: types.Boolean(),
        Kind.FLOAT: types.Float(),
        Kind.DECIMAL: _numeric(column_type),
        Kind.TEXT: types.Text(),
        Kind.BYTES: types.LargeBinary(),
        Kind.INSTANT: types.DateTime(),
        Kind.DATE: types.Date(),
        Kind.TIME: types.Time(),
        Kind.JSON: types.JSON(),
        Kind.UUID: types.Uuid(),
    }
    return plain[kind]


def _numeric(column_type: SqlType) -> SqlType:
    if isinstance(column_type, types.Numeric):
        return types.Numeric(column_type.precision, column_type.scale)
    return types.Numeric()


def _length(column_type: SqlType) -> int | None:
    if isinstance(column_type, postgresql.DOMAIN):
        return _length(column_type.data_type)
    return column_type.length if isinstance(column_type, types.String) else None
