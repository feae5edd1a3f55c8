"""The conditions of check constraints and partial indexes, from one dialect of SQL to the other.

Holds: the conditions that SQLAlchemy and applications usually write are translated. Text in quotes never changes. Any
other condition stays as it is; if the target does not understand it, the rehearsal fails before anything is written.
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
    """Remove casts, because SQLite converts by the type of the column, and turn arrays into lists."""
    plain = _outside_quotes(condition, lambda part: _CAST.sub("", part))
    return _NONE_OF.sub(r"NOT IN (\2)", _ANY_OF.sub(r"IN (\2)", plain))


def condition_for_postgres(condition: str, booleans: Collection[str]) -> str:
    """Write true and false for 1 and 0: PostgreSQL does not compare a boolean with a number."""
    for column in booleans:
        condition = _outside_quotes(condition, partial(_truth, column))
    return condition


def _outside_quotes(condition: str, change: Callable[[str], str]) -> str:
    parts = _QUOTED.split(condition)  # every second part is in quotes
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
