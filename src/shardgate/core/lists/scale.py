"""Puts sort keys on a line of numbers, so that it can be estimated how many rows stand between two keys.

Two keys of a list say which comes first. To interpolate between rows, one must also know how far they are apart. The
numbers here say that as well as the keys tell: numbers and times as they are, texts as digits of the alphabet that is
seen. Rows with equal first keys are told apart by the next ones.

Holds: only an estimate is made of it. A page is proved by keys that compare, never by these numbers.
Never: fails on a key; one that cannot be measured counts as 0.
"""

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from itertools import pairwise
from math import isfinite
from typing import Any, Final, Literal

from shardgate.core.order.ranking import Down

# So many characters behind what all texts begin with: the rest is less than the estimate can tell.
_CHARACTERS_MAX: Final = 10
_DIGITS, _LETTERS = "0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
# In which ids and codes are written: decimal, hexadecimal, base 32 (RFC 4648 section 6, and Crockford's), 36, 62, 64.
_ALPHABETS: Final = tuple(
    map(
        frozenset,
        (
            _DIGITS,
            f"{_DIGITS}abcdef",
            f"{_DIGITS}ABCDEF",
            f"{_DIGITS}ABCDEFGHJKMNPQRSTVWXYZ",
            f"{_DIGITS}abcdefghjkmnpqrstvwxyz",
            f"{_LETTERS}234567",
            f"{_DIGITS}{_LETTERS}",
            f"{_DIGITS}{_LETTERS.lower()}",
            f"{_DIGITS}{_LETTERS}{_LETTERS.lower()}",
            f"{_DIGITS}{_LETTERS}{_LETTERS.lower()}-_+/",
        ),
    )
)
_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d(?:\.\d{1,9})?))?)?", re.ASCII)


Trust = Literal["even", "lumpy", "poor"]
EVEN: Final = "even"
"""Rows are spread about evenly along the numbers."""
LUMPY: Final = "lumpy"
"""Many rows share their first key."""
POOR: Final = "poor"
"""The keys are texts of a language: rows are spread unevenly."""


def measured(keys: Sequence[Any]) -> tuple[list[float], Trust]:
    """A number for each key, and how far they can be trusted.

    They rise about as the keys do, and as far as the keys are apart.
    """
    rows = [_flat(key, 1, []) for key in keys]
    return _along(rows, 0, min(map(len, rows), default=0))


def _flat(key: Any, sign: int, found: list[tuple[int, Any]]) -> list[tuple[int, Any]]:
    """The values of a key, one after the other, each with its direction."""
    if isinstance(key, Down):
        return _flat(key.value, -sign, found)
    if isinstance(key, tuple):
        for each in key:
            _flat(each, sign, found)
    else:
        found.append((sign, key))
    return found


def _along(rows: Sequence[Sequence[tuple[int, Any]]], first: int, width: int) -> tuple[list[float], Trust]:
    """The rows by their values from the `first` on: those of the first that differs, and the rest between two."""
    while first < width and len({repr(row[first]) for row in rows}) == 1:
        first += 1
    if first >= width:
        return [0.0] * len(rows), POOR
    numbers, is_even = _numbers([row[first][1] for row in rows])
    numbers = [number * row[first][0] for number, row in zip(numbers, rows, strict=True)]
    levels = sorted(set(numbers))
    if len(levels) == len(rows) or first + 1 >= width or not is_even:
        return numbers, EVEN if is_even else POOR
    gap = min([high - low for low, high in pairwise(levels)], default=1.0)
    rest, trust = _along(rows, first + 1, width)
    least, most = min(rest), max(rest)
    if 0.0 <= least <= most <= 1.0:
        least, most = 0.0, 1.0  # fractions
    far = (most - least) or 1.0
    together = [number + gap * (each - least) / far for number, each in zip(numbers, rest, strict=True)]
    return together, LUMPY if trust == EVEN else POOR


def _numbers(values: Sequence[Any]) -> tuple[list[float], bool]:
    """A number for each value, and whether values are spread evenly along them, as far as their kind tells."""
    if all(isinstance(value, str) for value in values):
        times = [_TIME.match(value) for value in values]
        return ([_seconds(time) for time in times if time], True) if all(times) else _fractions(values)
    if all(isinstance(value, bytes) for value in values):
        return _fractions([value.decode("latin-1") for value in values])
    return [_number(value) for value in values], True


def _number(value: Any) -> float:
    if isinstance(value, (int, float, Decimal)):
        try:
            number = float(value)
        except OverflowError:
            return 0.0
        return number if isfinite(number) else 0.0
    return 0.0


def _seconds(time: re.Match[str]) -> float:
    day, hour, minute, second = time.groups("0")
    try:
        days = date.fromisoformat(day).toordinal()
    except ValueError:
        return 0.0
    return ((days * 24 + int(hour)) * 60 + int(minute)) * 60 + float(second)


def _fractions(texts: Sequence[str]) -> tuple[list[float], bool]:
    """Texts as fractions between 0 and 1, read behind what all begin with, and whether they are codes.

    Codes are as long as each other, and their characters are digits of an alphabet.
    """
    least, most = min(texts), max(texts)
    before = next((n for n, letter in enumerate(least) if letter != most[n]), len(least))
    columns = [{text[place : place + 1] for text in texts} for place in range(before, before + _CHARACTERS_MAX)]
    seen = frozenset().union(*[column for column in columns if len(column) > 1])
    alphabet = next((each for each in _ALPHABETS if seen <= each), None)
    digits = {letter: n for n, letter in enumerate(sorted(alphabet or seen))}
    fractions = [0.0] * len(texts)
    weight = 1.0
    for place, column in enumerate(columns, before):
        if len(column) > 1:
            weight /= len(digits)
            for n, text in enumerate(texts):
                fractions[n] += weight * digits[text[place : place + 1]]
    return fractions, alphabet is not None and len(set(map(len, texts))) == 1
