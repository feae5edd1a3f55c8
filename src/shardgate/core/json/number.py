"""JSON numbers as they are written: read, added and compared exactly, and written again.

Holds: no sum is rounded. A sum that cannot be written exactly is an ArithmeticError.
"""

import re
from collections.abc import Sequence
from decimal import Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow
from typing import Any

import msgspec

from shardgate.core.excerpt import excerpt

Number = int | Decimal

_NUMBER = re.compile(rb"-?(?:0|[1-9][0-9]*)(?P<fraction>(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)")
# Enough digits for any sum of numbers that applications write; a sum that needs more is refused, not rounded.
_EXACT = Context(prec=2000, Emax=9999, Emin=-9999, traps=[Inexact, Overflow, InvalidOperation, DivisionByZero])


class Average(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the application computes an average: `round(of / over, decimals)`, from two sums of the same object."""

    of: str
    """The member with the sum that is divided: `revenue`."""
    over: str
    """The member with the number that it is divided by: `orders`."""
    decimals: int = 2
    """How many decimals the application writes."""
    empty: float | None = 0.0
    """What the application writes where there is nothing to divide by."""

    def again(self, total: Number | None, count: Number | None) -> float | None:
        """The average over all shards, from the sums over all shards."""
        if not count or total is None:
            return self.empty
        if isinstance(total, int) and isinstance(count, int):
            return round(total / count, self.decimals)
        return round(float(Decimal(total) / Decimal(count)), self.decimals)


def read_number(text: bytes) -> Number | None:
    """The number that a JSON text says; None for null. Raises ValueError where it is neither."""
    if text == b"null":
        return None
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise ValueError(f"`{excerpt(text)}` is no number")
    return Decimal(text.decode()) if match["fraction"] else int(text)


def write_number(number: Number | None) -> bytes:
    """A number as JSON."""
    if number is None:
        return b"null"
    if isinstance(number, int) or abs(number.adjusted()) > 20:
        return str(number).encode()
    return format(number, "f").encode()


def write_like(number: Number | None, texts: Sequence[bytes]) -> bytes:
    """A number as the texts are written: in quotes where they stand in quotes, as decimals of many databases do."""
    written = write_number(number)
    return b'"%b"' % written if number is not None and any(text[:1] == b'"' for text in texts) else written


def add(texts: Sequence[bytes]) -> Number | None:
    """The sum of the numbers, without the nulls; None where all are null. Numbers may stand in quotes, all or none.

    Raises ValueError, ArithmeticError.
    """
    stated = [text for text in texts if text != b"null"]
    if stated and all(text[:1] == b'"' for text in stated):
        stated = [text[1:-1] for text in stated]
    numbers = [number for text in stated if (number := read_number(text)) is not None]
    if not numbers:
        return None
    if all(isinstance(number, int) for number in numbers):
        return sum(numbers)
    total = Decimal(0)
    for number in numbers:
        total = _EXACT.add(total, Decimal(number))
    return total


def least(texts: Sequence[bytes], *, greatest: bool = False) -> bytes:
    """The least, or the greatest, of numbers or of texts, as it was written; null where all are null.

    Raises ValueError where a value is neither a number nor a text, TypeError where some are numbers and some texts.
    """
    values: list[tuple[Any, bytes]] = []
    for text in texts:
        value = msgspec.json.decode(text, type=str) if text.startswith(b'"') else read_number(text)
        if value is not None:
            values.append((value, text))
    if not values:
        return b"null"
    choose = max if greatest else min
    return choose(values, key=lambda pair: pair[0])[1]
