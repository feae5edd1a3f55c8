"""When SQLite takes two keys for equal: by the affinity and the collation of the parent's column.

Holds: a column whose values are equal to others that are written differently, such as one with COLLATE NOCASE, has the
word UNLIKE.
"""

from typing import Final

from msgspec.structs import replace

from shardgate.split.database.contracts import RunQuery
from shardgate.split.database.schema import UNLIKE, Schema, Table

_COLUMNS: Final = (
    "SELECT m.name, x.name, x.type FROM sqlite_master m, pragma_table_xinfo(m.name) x WHERE m.type = 'table'"
)
_COLLATED: Final = (
    "SELECT DISTINCT m.name, k.name FROM sqlite_master m, pragma_index_list(m.name) i, pragma_index_xinfo(i.name) k"
    " WHERE m.type = 'table' AND k.key = 1 AND k.coll <> 'BINARY'"
)


def with_equality(schema: Schema, query: RunQuery) -> Schema:
    """The schema with the words for equality of every column."""
    words: dict[str, dict[str, str]] = {}
    for table, column, declared in query(_COLUMNS):
        words.setdefault(str(table), {})[str(column)] = affinity(str(declared))
    for table, column in query(_COLLATED):
        words[str(table)][str(column)] = UNLIKE
    return Schema(tuple(_with_words(table, words) for table in schema.tables))


def affinity(declared: str) -> str:
    """Whether a column converts what is stored in it: `number`, `text`, or `none` (sqlite.org/datatype3.html 3.1)."""
    upper = declared.upper()
    if "INT" in upper:
        return "number"
    if any(word in upper for word in ("CHAR", "CLOB", "TEXT")):
        return "text"
    return "none" if not upper or "BLOB" in upper else "number"


def _with_words(table: Table, words: dict[str, dict[str, str]]) -> Table:
    return replace(table, equality=words.get(table.name, {}))
