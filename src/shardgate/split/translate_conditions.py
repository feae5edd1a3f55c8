"""The conditions of checks and partial indexes, from one SQL to the other.

Holds: what SQLAlchemy and people usually write there; text in quotes stays as it is. A condition
that is not understood shows when the schema is rehearsed, before anything is written.
"""

import re
from collections.abc import Callable, Collection
from functools import partial
from typing import Final

_QUOTED: Final = re.compile(r"('(?:[^']|'')*')")
_CAST: Final = re.compile(
    r"::(?:character varying|double precision|time(?:stamp)? with(?:out)? time zone|[a-z_]\w*)"
    r"(?:\([\d, ]+\))?(?:\[\])?"
)
_LIST: Final = r"\((\()?ARRAY\[((?:'(?:[^']|'')*'|[^\]'])*)\](?(1)\))\)"  # (ARRAY[…]), ((ARRAY[…]))
_ANY_OF: Final = re.compile("= ANY " + _LIST)
_NONE_OF: Final = re.compile("<> ALL " + _LIST)
_TRUTH: Final = {"0": "false", "1": "true"}
_OPERATORS: Final = {"==": "="}


def condition_for_sqlite(condition: str) -> str:
    """Casts go (SQLite's columns convert by themselves), and arrays become lists."""
    plain = _outside_quotes(condition, lambda part: _CAST.sub("", part))
    return _NONE_OF.sub(r"NOT IN (\2)", _ANY_OF.sub(r"IN (\2)", plain))


def condition_for_postgres(condition: str, booleans: Collection[str]) -> str:
    """SQLite's truth is 1 and 0; PostgreSQL does not compare it with numbers."""
    for column in booleans:
        condition = _outside_quotes(condition, partial(_truth, column))
    return condition


def _outside_quotes(condition: str, change: Callable[[str], str]) -> str:
    parts = _QUOTED.split(condition)  # every second one is quoted
    parts[::2] = map(change, parts[::2])
    return "".join(parts)


def _truth(column: str, part: str) -> str:
    name = rf'(?<![\w"])("?{re.escape(column)}"?)'
    part = re.sub(
        rf"{name}\s*(==|=|!=|<>|IS NOT|IS)\s*([01])\b",
        lambda found: f"{found[1]} {_OPERATORS.get(found[2], found[2])} {_TRUTH[found[3]]}",
        part,
        flags=re.IGNORECASE,
    )
    return re.sub(rf"{name}\s+IN\s*\(\s*0\s*,\s*1\s*\)", r"\1 IN (false, true)", part, flags=re.I)
