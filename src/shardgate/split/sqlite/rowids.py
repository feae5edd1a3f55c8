"""The rowids of SQLite: a table without INTEGER PRIMARY KEY numbers its rows by itself, and shows that as `rowid`.

Views, triggers, full-text indexes and applications use them as keys, so that the shards keep those of the source.
"""

import re
from typing import Final

from shardgate.split.database import sql
from shardgate.split.database.contracts import RunQuery

_NAMES: Final = ("rowid", "_rowid_", "oid")
_TABLES: Final = (
    "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND NOT wr"
    " AND name NOT LIKE 'sqlite~_%' ESCAPE '~'"
)
_INDEXED: Final = "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND sql LIKE 'CREATE VIRTUAL TABLE%'"
_CONTENT: Final = re.compile(r"\bUSING\s+fts[45]\b.*?\bcontent\s*=\s*(?:'([^']+)'|\"([^\"]+)\"|(\w+))", re.I | re.S)


def hidden_rowids(query: RunQuery) -> dict[str, str]:
    """Table → the name by which its rowid is read and written, where no column of its own is the rowid."""
    found = {}
    for (table,) in query(_TABLES):
        name = sql.literal(str(table))
        columns = query(sql.select(["lower(name)", "pk"], f"pragma_table_xinfo({name})"))
        # An INTEGER PRIMARY KEY is the rowid itself, and has no index.
        has_index = bool(query(sql.select(["1"], f"pragma_index_list({name}) WHERE origin = 'pk'")))
        is_column = sum(bool(pk) for _, pk in columns) == 1 and not has_index
        free = [each for each in _NAMES if each not in {column for column, _ in columns}]
        if free and not is_column:
            found[str(table)] = free[0]
    return found


def indexed_tables(query: RunQuery) -> dict[str, str]:
    """Full-text index → the table whose rows it finds, where that table has the texts."""
    tables = {str(table).lower() for (table,) in query("SELECT name FROM sqlite_master WHERE type = 'table'")}
    found = {}
    for name, text in query(_INDEXED):
        match = _CONTENT.search(str(text))
        content = next((each for each in match.groups() if each), "") if match else ""
        if content.lower() in tables:
            found[str(name)] = content
    return found
