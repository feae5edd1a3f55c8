"""Which values an application may take for one, though they are written otherwise: what case, accents and spaces hide.

A column without case holds `Bern` and `BERN` for equal; the collations of MySQL hold `Zürich` and `Zurich` for equal,
and many of them `Bern` and `Bern ` with a space behind it.

Holds: what no widespread database takes for one is not alike.
"""

import re
import unicodedata
from typing import Any

_MARKS = re.compile("[\u0300-\u036f]+")


def alike(value: Any) -> Any:
    """A value without case, accents, and spaces at its end; of a tuple, each."""
    if isinstance(value, tuple):
        return tuple(alike(each) for each in value)
    if not isinstance(value, str):
        return value
    if value.isascii():
        return value.rstrip(" ").casefold()
    plain = _MARKS.sub("", unicodedata.normalize("NFD", value))
    return plain.rstrip(" ").casefold()
