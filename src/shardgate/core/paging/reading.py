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
# Python reads no longer numbers (sys.set_int_max_str_digits). A longer one is read as the smallest of this length.
_DIGITS_MAX = 4000


class Reading(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the application does with one parameter's value."""

    bad: Literal["refuse", "default", "ignore"] = "refuse"
    """With a text that is no number, or an order that names an unknown key. `refuse`: it refuses the request.
    `default`: it reads the parameter as if it were not there. `ignore`, for an order: it leaves out unknown keys."""
    below: Literal["refuse", "default", "least"] = "refuse"
    """With a number below the least: `refuse`, take the `default`, or take the `least`."""
    least: int | None = None
    """The least number that it takes; null: 0 of a limit or an offset, 1 of the size of a numbered page, and
    `page_first` of a page's number."""
    words: Mapping[str, int | Literal["all"]] = msgspec.field(default_factory=dict)
    """Words that stand for numbers: `{none: 0, all: all}`; `all` means all rows."""

    def __post_init__(self) -> None:
        """A word that is a number would never be read. Raises ValueError."""
        numbers = [word for word in self.words if _NUMBER.fullmatch(word)]
        if numbers:
            raise ValueError(f"the word {numbers[0]!r} is a number; remove it from `words`")


PLAIN: Final = Reading()


def read_number(text: str, reading: Reading, *, default: int | None, least: int) -> int | Unknown | None:
    """The number that the application reads; None: all rows. UNKNOWN where it refuses the value."""
    if text in reading.words:
        word = reading.words[text]
        return None if word == "all" else word
    if _NUMBER.fullmatch(text) is None:
        return default if reading.bad == "default" else UNKNOWN
    number = int(text) if len(text) <= _DIGITS_MAX else 10**_DIGITS_MAX * (-1 if text.startswith("-") else 1)
    least = least if reading.least is None else reading.least
    if number >= least:
        return number
    if reading.below == "refuse":
        return UNKNOWN
    return least if reading.below == "least" else default
