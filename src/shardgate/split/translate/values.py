"""Converts values between SQLite and PostgreSQL: the values of both are brought to one plain form.

Hot path of a split from one kind of database to the other. A split between two of the same kind does not use it.
Holds: the plain form is what SQLAlchemy stores in SQLite, so an application that uses SQLAlchemy reads the same values
from either database. Equal values have the same plain form.
Never: guesses. A value that does not fit the type of its column stops the split, and the message names it.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import TypeAlias

from shardgate.split.database.rows import ColumnValue, ColumnValues, TableRow
from shardgate.split.database.schema import ColumnKind, ColumnKinds, Table
from shardgate.split.errors import SplitFailedError
from shardgate.split.postgres.copy_format import parse_line

ConvertValue: TypeAlias = Callable[[ColumnValue], ColumnValue]


def plain_rows_of(table: Table, rows: Sequence[TableRow], kinds: ColumnKinds) -> Sequence[TableRow]:
    """As `plain_rows`. Raises SplitFailedError, which names the table too."""
    try:
        return plain_rows(rows, kinds)
    except ValueError as error:
        reason = f"{table.name}: {error}. Correct it in the source, then run again with --restart"
        raise SplitFailedError([reason]) from error


def plain_rows(rows: Sequence[TableRow], kinds: ColumnKinds) -> list[TableRow]:
    """Rows of either database as tuples of plain values. Raises ValueError, which names the column and the value."""
    printed = bool(rows) and isinstance(rows[0], bytes)
    table = _FROM_POSTGRES if printed else _FROM_SQLITE
    converts = [table[kind] for kind in kinds.values()]
    tuples = [_parsed(row) if isinstance(row, bytes) else row for row in rows]
    try:
        return [_convert(converts, row) for row in tuples]
    except (ValueError, TypeError, ArithmeticError):
        raise ValueError(_culprit(tuples, kinds, converts)) from None


def _parsed(row: bytes) -> ColumnValues:
    """The fields of a line as text: only a BLOB of SQLite is bytes."""
    return tuple([f.decode() if isinstance(f, bytes) else f for f in parse_line(row)])


def _convert(converts: Sequence[ConvertValue], row: ColumnValues) -> ColumnValues:
    pairs = zip(converts, row, strict=True)
    return tuple([None if value is None else convert(value) for convert, value in pairs])


def _culprit(rows: Sequence[ColumnValues], kinds: ColumnKinds, converts: Sequence[ConvertValue]) -> str:
    """Convert value by value, which is slow, to find the one that cannot be converted."""
    for row in rows:
        for (name, kind), convert, value in zip(kinds.items(), converts, row, strict=True):
            try:
                _convert([convert], (value,))
            except (ValueError, TypeError, ArithmeticError):
                return f"column {name} holds {value!r}, which is not a valid {kind.value}"
    raise AssertionError("a row was rejected, but each of its values can be converted")


def _text(value: ColumnValue) -> str:
    if isinstance(value, str):
        return value
    raise TypeError(value)


def _stored_number(value: ColumnValue) -> int | float:
    if isinstance(value, int | float):
        return value
    raise TypeError(value)


def _stored_boolean(value: ColumnValue) -> ColumnValue:
    if value in (0, 1):
        return int(_stored_number(value))
    raise ValueError(value)


def _printed_boolean(value: ColumnValue) -> ColumnValue:
    return 1 if value == "t" else 0


def _stored_integer(value: ColumnValue) -> ColumnValue:
    if isinstance(value, int):
        return value
    raise TypeError(value)


def _decimal(value: ColumnValue) -> ColumnValue:
    """SQLite stores a NUMERIC as an integer or a float, so 1.50 and 1.5 must have the same form."""
    number = Decimal(value if isinstance(value, str) else repr(_stored_number(value)))
    if not number.is_finite():
        raise ValueError(value)
    return f"{number.normalize():f}"


def _bytes(value: ColumnValue) -> ColumnValue:
    if isinstance(value, bytes):
        return value
    raise TypeError(value)


def _instant(value: ColumnValue) -> ColumnValue:
    """A time with an offset is converted to UTC: SQLAlchemy stores no offset in SQLite."""
    moment = datetime.fromisoformat(_text(value))
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return moment.isoformat(" ", "microseconds")


def _date(value: ColumnValue) -> ColumnValue:
    return date.fromisoformat(_text(value)).isoformat()


def _time(value: ColumnValue) -> ColumnValue:
    return time.fromisoformat(_text(value)).isoformat("microseconds")


def _json(value: ColumnValue) -> ColumnValue:
    """In SQLite, a column declared JSON has numeric affinity: it stores a number as a number, not as text."""
    if isinstance(value, int | float) or _text(value)[:1] in "-0123456789":
        return _decimal(value)
    return value


def _uuid(value: ColumnValue) -> ColumnValue:
    return _text(value).replace("-", "")


_FROM_SQLITE: dict[ColumnKind, ConvertValue] = {
    ColumnKind.BOOLEAN: _stored_boolean,
    ColumnKind.INTEGER: _stored_integer,
    ColumnKind.FLOAT: lambda value: float(_stored_number(value)) + 0.0,  # makes 0.0 of -0.0, which SQLite cannot store
    ColumnKind.DECIMAL: _decimal,
    ColumnKind.TEXT: _text,
    ColumnKind.BYTES: _bytes,
    ColumnKind.INSTANT: _instant,
    ColumnKind.DATE: _date,
    ColumnKind.TIME: _time,
    ColumnKind.JSON: _json,
    ColumnKind.UUID: _uuid,
}
_FROM_POSTGRES: dict[ColumnKind, ConvertValue] = _FROM_SQLITE | {
    ColumnKind.BOOLEAN: _printed_boolean,
    ColumnKind.INTEGER: lambda value: int(_text(value)),
    ColumnKind.FLOAT: lambda value: float(_text(value)) + 0.0,
    ColumnKind.BYTES: lambda value: bytes.fromhex(_text(value)[2:]),
}
