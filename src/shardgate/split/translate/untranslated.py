"""Names what is in the source and cannot be translated: views, triggers, and two collations of SQLite.

A view or a trigger is a program in the language of its database. No tool translates it reliably.
"""

from typing import Final

from shardgate.split.database.contracts import RunQuery
from shardgate.split.database.inventory import Inventory

_IN_SQLITE: Final = (
    "SELECT type, name FROM sqlite_master WHERE type IN ('view', 'trigger')"
    " UNION ALL SELECT 'collation of', name FROM sqlite_master WHERE type = 'table'"
    " AND (upper(sql) LIKE '%COLLATE NOCASE%' OR upper(sql) LIKE '%COLLATE RTRIM%')"
)
_IN_POSTGRES: Final = (
    "SELECT CASE relkind WHEN 'v' THEN 'view' ELSE 'materialized view' END, relname"
    " FROM pg_class WHERE relkind IN ('v', 'm')"
    " AND relnamespace = current_schema()::regnamespace"
    " UNION ALL SELECT 'trigger', t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
    " WHERE NOT t.tgisinternal AND c.relnamespace = current_schema()::regnamespace"
)


# What is translated with its table, and what `untranslated` names.
_TRANSLATED: Final = frozenset(
    {
        "column", "constraint", "index", "materialized view", "schema", "sequence", "setting", "steps of sequence",
        "table", "trigger", "view",
    }
)  # fmt: skip


def untranslated(query: RunQuery, *, from_sqlite: bool) -> list[str]:
    """One warning for each object of the source that a shard will not have."""
    found = query(_IN_SQLITE if from_sqlite else _IN_POSTGRES)
    return [f"{kind} {name} is NOT translated. Create it on each shard" for kind, name in found]


def kinds_not_translated(inventory: Inventory) -> set[str]:
    """The kinds of the source's objects that have no counterpart, without those that `untranslated` names."""
    return {name.kind for name in inventory} - _TRANSLATED
