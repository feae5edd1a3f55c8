"""Numbers of JSON as they are written: read, added and compared exactly, and written again.

Holds: no sum is rounded. What cannot be told exactly is an ArithmeticError.
"""

import re
from collections.abc import Sequence
from decimal import Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow
from typing import Any

import msgspec

Number = int | Decimal

_NUMBER = re.compile(rb"-?(?:0|[1-9][0-9]*)(?P<fraction>(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)")
# Digits enough for any sum of what applications write; one that needs more is refused, not rounded.
_EXACT = Context(prec=2000, Emax=9999, Emin=-9999, traps=[Inexact, Overflow, InvalidOperation, DivisionByZero])


class Average(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An average, as the application computes it: `round(of / over, decimals)`."""

    of: str
    over: str
    decimals: int = 2
    empty: float | None = 0.0
    """The average of nothing."""

    def again(self, total: Number | None, count: Number | None) -> float | None:
        """The average of all, from the sums that it is made of."""
        if not count or total is None:
            return self.empty
        if isinstance(total, int) and isinstance(count, int):
            return round(total / count, self.decimals)
        return round(float(Decimal(total) / Decimal(count)), self.decimals)


def read_number(text: bytes) -> Number | None:
    """The number that a JSON text is; None for null. Raises ValueError where it is neither."""
    if text == b"null":
        return None
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise ValueError(f"{text[:40]!r} is no number")
    return Decimal(text.decode()) if match["fraction"] else int(text)


def write_number(number: Number | None) -> bytes:
    """A number as JSON."""
    if number is None:
        return b"null"
    if isinstance(number, int) or abs(number.adjusted()) > 20:
        return str(number).encode()
    return format(number, "f").encode()


def add(texts: Sequence[bytes]) -> Number | None:
    """The sum, without the nulls; None where there is nothing else. Raises ValueError, ArithmeticError."""
    numbers = [number for text in texts if (number := read_number(text)) is not None]
    if not numbers:
        return None
    if all(isinstance(number, int) for number in numbers):
        return sum(numbers)
    total = Decimal(0)
    for number in numbers:
        total = _EXACT.add(total, Decimal(number))
    return total


def least(texts: Sequence[bytes], *, greatest: bool = False) -> bytes:
    """The least, or the greatest, of numbers or of texts, as it is written; null where there is nothing else.

    Raises ValueError or TypeError where they are neither, or both.
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
