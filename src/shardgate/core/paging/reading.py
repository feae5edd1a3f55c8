"""How an application reads the value of one parameter that pages or sorts: what it does with a bad one.

Applications differ: one refuses `limit=0`, another takes its default, a third gives no rows. Where nothing is said, a
value that is not plainly right is left to the shards, and refused where they accept it.

Never: reads a name; parameters.py does.
"""

import re
from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from shardgate.core.contracts import UNKNOWN, Unknown

# Stricter than Python's int(): "+5", " 5" and "5_0" mean different things to different servers.
_NUMBER = re.compile(r"-?[0-9]+", re.ASCII)
_PYTHON = r"\s*([-+]?[0-9]+(?:_[0-9]+)*){}\s*"
_SPELLED = {
    "whole": _NUMBER,
    "signed": re.compile(r"[-+]?[0-9]+", re.ASCII),
    "spaced": re.compile(r"[ \t\n\r\f\v]*([-+]?[0-9]+)[ \t\n\r\f\v]*", re.ASCII),
    "python": re.compile(_PYTHON.format("")),
    "javascript": re.compile(r"[ \t\n\r\f\v]*(?:([-+]?[0-9]+)(?:\.0*)?)?[ \t\n\r\f\v]*", re.ASCII),
    "pydantic": re.compile(_PYTHON.format(r"(?:\.0*)?")),
}
# Where a number begins the text; "0x10" and "1e3" are different numbers to different parsers.
_LEADING = re.compile(r"[ \t\n\r\f\v]*([-+]?(?!0[xX])[0-9]+)(?![0-9]|[eE][-+]?[0-9]|\.[0-9]*[eE][-+]?[0-9])", re.ASCII)
# `to_i` stops at everything but digits, and `_` between two of them.
_RUBY = re.compile(r"[ \t\n\r\f\v]*([-+]?[0-9]+(?:_[0-9]+)*)", re.ASCII)
# Where another parser may find one: JavaScript skips the spaces of every script, and a byte order mark.
_BEGINS = {"leading": _LEADING, "ruby": _RUBY}
_PERHAPS_LEADING = re.compile(r"[\s\ufeff]*[-+]?\d")
# What `Number` of JavaScript reads, and lists make different things of.
_PERHAPS_JAVASCRIPT = re.compile(
    r"[\s\ufeff]*(?:[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|Infinity)|0[xXoObB][\da-fA-F]+)?[\s\ufeff]*"
)
# Python reads no longer numbers (sys.set_int_max_str_digits). A longer one is read as the smallest of this length.
_DIGITS_MAX = 4000

LAST: Final = -1
"""Stands for the number of the last page, which only the size of the list tells."""


class Reading(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the application does with one parameter's value."""

    number: Literal["whole", "signed", "spaced", "python", "pydantic", "javascript", "leading", "ruby"] = "whole"
    """What a number is. `whole`: digits alone. `signed`: a `+` may stand before them, as for `strconv.Atoi` in Go and
    `parseInt` in Java. `spaced`: and spaces around, as for `int.Parse` in .NET. `python`: and `_` between digits, as
    for `int`; `pydantic`: and zeros behind a point (`2.0`). `javascript`: spaces around, zeros behind a point, and
    nothing at all is 0, as for `Number`. `leading`: what the text begins with; spaces before it and all behind it do
    not count, as for `parseInt` in JavaScript: `5x` is 5. `ruby`: the same, with `_` between digits, as for `to_i`."""
    most: int | None = None
    """The greatest number that it can read, 2147483647 where it reads 32 bits: a greater one is as bad as a text.
    Null: any."""
    bad: Literal["refuse", "default", "zero", "ignore"] = "refuse"
    """With a text that is no number, or an order that names an unknown key. `refuse`: it refuses the request.
    `default`: it reads the parameter as if it were not there. `zero`: it reads 0, as Go's `strconv.Atoi` gives and
    PHP's `intval`. `ignore`, for an order: it leaves out unknown keys."""
    zero: Literal["number", "default", "all"] = "number"
    """What 0 is: a `number` like others; the `default`, as for `parseInt(text) || 20` in JavaScript; of a limit, `all`
    rows."""
    below: Literal["refuse", "default", "least", "last", "all"] = "refuse"
    """With a number below the least: `refuse`, take the `default`, or take the `least`; of a page, take the `last`
    page; of a limit, give `all` rows."""
    least: int | None = None
    """The least number that it takes; null: 0 of a limit or an offset, 1 of the size of a numbered page, and
    `page_first` of a page's number."""
    words: Mapping[str, int | str] = msgspec.field(default_factory=dict)
    """Words that stand for other values. Of a limit: a number, `default`, or `all`, which means all rows: `{none: 0,
    "": default}`. Of a page: a number, `default`, or `last`, which means the last page. Of an order: sort keys,
    `{newest: "-created"}`, or `default`."""

    def __post_init__(self) -> None:
        """A word that is a number would never be read. Raises ValueError."""
        numbers = [word for word in self.words if _NUMBER.fullmatch(word)]
        if numbers:
            raise ValueError(f"the word {numbers[0]!r} is a number; remove it from `words`")
        if any(isinstance(each, int) and each < 0 for each in (self.least, *self.words.values())):
            raise ValueError("`least`, and the numbers that words stand for, are 0 or more")

    @property
    def takes_last(self) -> bool:
        """Whether a value may mean the last page."""
        return self.below == "last" or "last" in self.words.values()

    @property
    def takes_all(self) -> bool:
        """Whether a value may mean all rows."""
        return "all" in {self.below, self.zero, *self.words.values()}

    @property
    def all_rows(self) -> int | str | None:
        """A value that means all rows; None: there is none."""
        word = next((word for word, meaning in self.words.items() if meaning == "all"), None)
        if word is not None:
            return word
        if self.zero == "all":
            return 0
        return (self.least or 0) - 1 if self.below == "all" else None

    @property
    def is_of_number(self) -> bool:
        """Whether it says anything that can be said of numbers only."""
        has_numbers = any(isinstance(each, int) for each in self.words.values())
        return (
            self.number != "whole"
            or self.zero != "number"
            or self.below != "refuse"
            or self.least is not None
            or self.most is not None
            or has_numbers
        )

    def strange(self, *known: str) -> str | None:
        """A word's value that is no number and none of those; None where all can be read."""
        return next((text for text in self.words.values() if isinstance(text, str) and text not in known), None)


PLAIN: Final = Reading()


def read_number(text: str, reading: Reading, *, default: int | None, least: int) -> int | Unknown | None:
    """The number that the application reads; None: all rows; LAST: the last page; UNKNOWN: it refuses the value."""
    if text in reading.words:
        return _meant(reading.words[text], default)
    number = _whole(text, reading)
    if reading.most is not None and number is not None and number is not UNKNOWN and number > reading.most:
        number = 0 if reading.bad == "zero" else None
    if number is None:
        return default if reading.bad == "default" else UNKNOWN
    if number == 0 and reading.zero != "number":
        return _meant(reading.zero, default)
    least = least if reading.least is None else reading.least
    if number is UNKNOWN or number >= least:
        return number
    if reading.below == "refuse":
        return UNKNOWN
    return least if reading.below == "least" else _meant(reading.below, default)


def order_of(text: str) -> tuple[tuple[str, bool], ...]:
    """The sort keys that a configuration names, `-created,id`, each with whether it descends."""
    return tuple([(name.removeprefix("-"), name.startswith("-")) for name in text.split(",")])


def _whole(text: str, reading: Reading) -> int | Unknown | None:
    """The number of a text; None where it is none; UNKNOWN where parsers differ: `0x10`, `1e3`."""
    begins = _BEGINS.get(reading.number)
    match = _SPELLED[reading.number].fullmatch(text) if begins is None else begins.match(text)
    if match is not None:
        digits = (match[0] if match.lastindex is None else match[1]).strip().replace("_", "") or "0"
        return int(digits) if len(digits) <= _DIGITS_MAX else 10**_DIGITS_MAX * (-1 if digits[0] == "-" else 1)
    if reading.number in {"python", "pydantic"} and any(each.isdigit() and not each.isascii() for each in text):
        return UNKNOWN  # `int` reads the digits of every script
    if reading.number == "javascript" and _PERHAPS_JAVASCRIPT.fullmatch(text):
        return UNKNOWN
    if begins is not None and _PERHAPS_LEADING.match(text):
        return UNKNOWN
    return 0 if reading.bad == "zero" else None


def _meant(word: int | str, default: int | None) -> int | None:
    if isinstance(word, int):
        return word
    return {"all": None, "last": LAST}.get(word, default)
