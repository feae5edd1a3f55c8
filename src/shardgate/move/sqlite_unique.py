"""The unique indexes of a SQLite table, read from its catalogue, with their expressions, conditions and collations.

Holds: an expression stands in the text of CREATE INDEX alone, which is cut at its commas; nothing of it is changed.
Never: writes.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from shardgate.move.unique_indexes import UniqueIndex, plain_key
from shardgate.split.database import sql
from shardgate.split.database.contracts import RunQuery

_SAME: Final = "="
_EXPRESSION: Final = -2  # the number of a column that is none
_TOKEN: Final = re.compile(
    r"""'(?:[^']|'')*' | "(?:[^"]|"")*" | `(?:[^`]|``)*` | \[[^\]]*\] | --[^\n]* | /\*.*?(?:\*/|$) | \w+ | \s+ | .""",
    re.DOTALL | re.VERBOSE,
)
_ORDER: Final = re.compile(r"\s+(?:ASC|DESC)\s*$", re.IGNORECASE)


def sqlite_unique_indexes(query: RunQuery, table: str, key: Sequence[str]) -> list[UniqueIndex]:
    """Of one table, the primary key first. `key`: its columns."""
    found = [
        _index(query, str(name))
        for (name,) in query(f'SELECT name FROM pragma_index_list({sql.literal(table)}) WHERE "unique" ORDER BY seq')
    ]
    has_key = any(sorted(each.shown) == sorted(key) and not each.where for each in found)
    return found if has_key else [plain_key(key, _SAME), *found]


def _index(query: RunQuery, name: str) -> UniqueIndex:
    columns = query(f"SELECT cid, name, coll FROM pragma_index_xinfo({sql.literal(name)}) WHERE key ORDER BY seqno")
    text = "".join(str(found or "") for (found,) in query(_text_of(name)))  # none of a constraint's own index
    parts, where = index_parts(text) if text else ([], "")
    shown, terms = [], []
    for place, (number, column, collation) in enumerate(columns):
        term = parts[place] if number == _EXPRESSION else sql.quote(str(column))
        shown.append(term if number == _EXPRESSION else str(column))
        terms.append(f"({term}) COLLATE {sql.quote(str(collation))}")
    plain = () if any(number == _EXPRESSION for number, _, _ in columns) else tuple(shown)
    return UniqueIndex(name, tuple(shown), tuple(terms), (_SAME,) * len(terms), where, columns=plain)


def _text_of(name: str) -> str:
    return f"SELECT sql FROM sqlite_master WHERE type = 'index' AND name = {sql.literal(name)}"


def index_parts(text: str) -> tuple[list[str], str]:
    """What the parentheses of CREATE INDEX list, without ASC and DESC; and the condition behind them, or nothing."""
    parts, depth = [""], 0
    found = _tokens(text)
    for each in found:
        depth += (each == "(") - (each == ")")
        if each == "(" and depth == 1:
            continue
        if each == ")" and not depth:
            break
        if each == "," and depth == 1:
            parts.append("")
        elif depth:
            parts[-1] += each
    rest = "".join(found).strip()
    return [_ORDER.sub("", part).strip() for part in parts], rest[len("WHERE") :].strip()


def _tokens(text: str) -> Iterator[str]:
    """Comments are spaces."""
    for found in _TOKEN.finditer(text):
        yield " " if found[0].startswith(("--", "/*")) else found[0]
