"""Column types and defaults from SQLite to PostgreSQL or back, as SQLAlchemy declares them.

Holds: SQLite's INTEGER has 64 bits, so PostgreSQL gets BIGINT and no value is too large. SQLite compares text byte by
byte, so PostgreSQL gets COLLATE "C" and every list keeps its order.
"""

import re
from typing import Any, Final, TypeAlias

from sqlalchemy import types
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine

from shardgate.split.database.schema import ColumnKind

SqlAlchemyType: TypeAlias = TypeEngine[Any]  # Any: this module does not use the Python type of the values

# The first match decides. A subclass comes before its base class.
_KINDS: Final[tuple[tuple[type[SqlAlchemyType], ColumnKind], ...]] = (
    (types.Boolean, ColumnKind.BOOLEAN),
    (types.Integer, ColumnKind.INTEGER),
    (types.Float, ColumnKind.FLOAT),
    (types.Numeric, ColumnKind.DECIMAL),
    (types.DateTime, ColumnKind.INSTANT),
    (types.Date, ColumnKind.DATE),
    (types.Time, ColumnKind.TIME),
    (types.JSON, ColumnKind.JSON),
    (types.Uuid, ColumnKind.UUID),
    (types.LargeBinary, ColumnKind.BYTES),
    (postgresql.ENUM, ColumnKind.TEXT),
    (types.String, ColumnKind.TEXT),
)
_LITERAL: Final = re.compile(r"('(?:[^']|'')*'|-?\d+(?:\.\d+)?|true|false)(?:::[\w\" .()\[\]]+)?", re.I)
_NOW: Final = re.compile(r"\(?(?:now\(\)|CURRENT_TIMESTAMP|datetime\('now'\))\)?", re.I)


def kind_of(column_type: SqlAlchemyType) -> ColumnKind | None:
    """The kind of a column of this type, or None if the other database has no such type."""
    if isinstance(column_type, postgresql.DOMAIN):
        return kind_of(column_type.data_type)
    if isinstance(column_type, types.Time) and column_type.timezone:
        return None
    for known, kind in _KINDS:
        if isinstance(column_type, known):
            return kind
    return None


def postgres_type(column_type: SqlAlchemyType, kind: ColumnKind) -> SqlAlchemyType:
    """The type in PostgreSQL for a column of SQLite."""
    match kind:
        case ColumnKind.INTEGER:
            return types.BigInteger()
        case ColumnKind.FLOAT:
            return types.Double()
        case ColumnKind.INSTANT:
            return types.DateTime()
        case ColumnKind.TEXT if _length(column_type):
            return types.String(_length(column_type), collation="C")
        case ColumnKind.TEXT:
            return types.Text(collation="C")
        case _:
            return _plain_type(column_type, kind)


def sqlite_type(column_type: SqlAlchemyType, kind: ColumnKind) -> SqlAlchemyType:
    """The type in SQLite for a column of PostgreSQL."""
    match kind:
        case ColumnKind.INTEGER:
            return types.Integer()
        case ColumnKind.TEXT if _length(column_type):
            return types.String(_length(column_type))
        case ColumnKind.UUID:
            return types.CHAR(32)  # as SQLAlchemy stores a Uuid in SQLite: hexadecimal digits without dashes
        case _:
            return _plain_type(column_type, kind)


def default_of(text: str | None, kind: ColumnKind, *, to_postgres: bool) -> str | None:
    """A column's DEFAULT for the other database: "" if it has none, None if it cannot be translated."""
    if text is None:
        return ""
    if _NOW.fullmatch(text):
        return "CURRENT_TIMESTAMP"
    found = _LITERAL.fullmatch(text)
    if found is None:
        return None
    value = found[1]
    if kind is ColumnKind.BOOLEAN:
        true = value.strip("'").lower() in ("1", "true", "t")
        return str(true).lower() if to_postgres else str(int(true))
    return value


def _plain_type(column_type: SqlAlchemyType, kind: ColumnKind) -> SqlAlchemyType:
    plain: dict[ColumnKind, SqlAlchemyType] = {
        ColumnKind.BOOLEAN: types.Boolean(),
        ColumnKind.FLOAT: types.Float(),
        ColumnKind.DECIMAL: _numeric(column_type),
        ColumnKind.TEXT: types.Text(),
        ColumnKind.BYTES: types.LargeBinary(),
        ColumnKind.INSTANT: types.DateTime(),
        ColumnKind.DATE: types.Date(),
        ColumnKind.TIME: types.Time(),
        ColumnKind.JSON: types.JSON(),
        ColumnKind.UUID: types.Uuid(),
    }
    return plain[kind]


def _numeric(column_type: SqlAlchemyType) -> SqlAlchemyType:
    if isinstance(column_type, types.Numeric):
        return types.Numeric(column_type.precision, column_type.scale)
    return types.Numeric()


def _length(column_type: SqlAlchemyType) -> int | None:
    if isinstance(column_type, postgresql.DOMAIN):
        return _length(column_type.data_type)
    return column_type.length if isinstance(column_type, types.String) else None
