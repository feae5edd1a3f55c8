"""Carries values between SQLite and PostgreSQL: both sides are brought to one plain form.

Hot path of a split between two kinds of database; between two of one kind it is not used.
Holds: the plain form is what SQLAlchemy would store in SQLite, so an application written with it
finds its values on either side. A value equal on both sides has the same plain form.
Never: guesses. A value that does not fit its column's type stops the split, named.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import TypeAlias

from shardgate.split.postgres_read import parse_line
from shardgate.split.rows import Row, Value, Values
from shardgate.split.schema import Kind

Convert: TypeAlias = Callable[[Value], Value]


Kinds: TypeAlias = Mapping[str, Kind]  # of one table: column name -> what it holds


def plain_rows(rows: Sequence[Row], kinds: Kinds) -> list[Row]:
    """Rows as either database gave them, as tuples of plain values."""
    printed = bool(rows) and isinstance(rows[0], bytes)
    table = _FROM_POSTGRES if printed else _FROM_SQLITE
    converts = [table[kind] for kind in kinds.values()]
    tuples = [_parsed(row) if isinstance(row, bytes) else row for row in rows]
    try:
        return [_convert(converts, row) for row in tuples]
    except (ValueError, TypeError, ArithmeticError):
        raise ValueError(_culprit(tuples, kinds, converts)) from None


def _parsed(row: bytes) -> Values:
    """The fields as text, so that bytes are always a SQLite BLOB."""
    return tuple([f.decode() if isinstance(f, bytes) else f for f in parse_line(row)])


def _convert(converts: Sequence[Convert], row: Values) -> Values:
    pairs = zip(converts, row, strict=True)
    return tuple([None if value is None else convert(value) for convert, value in pairs])


def _culprit(rows: Sequence[Values], kinds: Kinds, converts: Sequence[Convert]) -> str:
    """Looks again, slowly, for the value that could not be converted."""
    for row in rows:
        for (name, kind), convert, value in zip(kinds.items(), converts, row, strict=True):
            try:
                _convert([convert], (value,))
            except (ValueError, TypeError, ArithmeticError):
                return f"column {name} holds {value!r}, which is no {kind.value}"
    raise AssertionError("the second look must find what the first one did")


def _text(value: Value) -> str:
    if isinstance(value, str):
        return value
    raise TypeError(value)


def _stored_number(value: Value) -> int | float:
    if isinstance(value, int | float):
        return value
    raise TypeError(value)


def _stored_boolean(value: Value) -> Value:
    if value in (0, 1):
        return int(_stored_number(value))
    raise ValueError(value)


def _printed_boolean(value: Value) -> Value:
    return 1 if value == "t" else 0


def _stored_integer(value: Value) -> Value:
    if isinstance(value, int):
        return value
    raise TypeError(value)


def _decimal(value: Value) -> Value:
    """SQLite keeps a NUMERIC as an integer or a float: 1.50 and 1.5 are the same there."""
    number = Decimal(value if isinstance(value, str) else repr(_stored_number(value)))
    if not number.is_finite():
        raise ValueError(value)
    return f"{number.normalize():f}"


def _bytes(value: Value) -> Value:
    if isinstance(value, bytes):
        return value
    raise TypeError(value)


def _instant(value: Value) -> Value:
    """An instant with an offset becomes UTC: SQLAlchemy's SQLite keeps no offsets."""
    moment = datetime.fromisoformat(_text(value))
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return moment.isoformat(" ", "microseconds")


def _date(value: Value) -> Value:
    return date.fromisoformat(_text(value)).isoformat()


def _time(value: Value) -> Value:
    return time.fromisoformat(_text(value)).isoformat("microseconds")


def _json(value: Value) -> Value:
    """A column declared JSON has SQLite's numeric affinity: a bare number is stored as one."""
    if isinstance(value, int | float) or _text(value)[:1] in "-0123456789":
        return _decimal(value)
    return value


def _uuid(value: Value) -> Value:
    return _text(value).replace("-", "")


_FROM_SQLITE: dict[Kind, Convert] = {
    Kind.BOOLEAN: _stored_boolean,
    Kind.INTEGER: _stored_integer,
    Kind.FLOAT: lambda value: float(_stored_number(value)) + 0.0,  # SQLite knows no -0.0
    Kind.DECIMAL: _decimal,
    Kind.TEXT: _text,
    Kind.BYTES: _bytes,
    Kind.INSTANT: _instant,
    Kind.DATE: _date,
    Kind.TIME: _time,
    Kind.JSON: _json,
    Kind.UUID: _uuid,
}
_FROM_POSTGRES: dict[Kind, Convert] = _FROM_SQLITE | {
    Kind.BOOLEAN: _printed_boolean,
    Kind.INTEGER: lambda value: int(_text(value)),
    Kind.FLOAT: lambda value: float(_text(value)) + 0.0,
    Kind.BYTES: lambda value: bytes.fromhex(_text(value)[2:]),
}
