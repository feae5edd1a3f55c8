"""The queries to information_schema, and the statements of the server's own SHOW CREATE.

Holds: names of tables come in the order of their names. Only the connection's database is read.
"""

import re
from typing import Final

from shardgate.split.database.contracts import RunQuery
from shardgate.split.database.mark import FINISHED, MARK

# Zero dates and id 0 are values as any other. A value that does not fit its column is an error.
SQL_MODE: Final = (
    "ANSI_QUOTES,NO_BACKSLASH_ESCAPES,NO_AUTO_VALUE_ON_ZERO,STRICT_ALL_TABLES,ALLOW_INVALID_DATES,"
    "NO_ENGINE_SUBSTITUTION"
)
# While rows are loaded: a value of the source that its column would reject now, as the '' of an ENUM that a careless
# INSERT left behind, is taken as it is. What is not the same afterwards is found when all rows are read back.
LOADING_MODE: Final = SQL_MODE.replace("STRICT_ALL_TABLES,", "")
_HERE: Final = "= DATABASE()"
_NOT_MARKS: Final = f"NOT IN ('{MARK}', '{FINISHED}')"

TABLES: Final = (
    "SELECT table_name, table_type, engine FROM information_schema.tables"  # noqa: S608
    f" WHERE table_schema {_HERE} AND table_name {_NOT_MARKS} ORDER BY table_name"
)
COLUMNS: Final = (
    "SELECT table_name, column_name, data_type, is_nullable, extra, collation_name, column_type"  # noqa: S608
    f" FROM information_schema.columns WHERE table_schema {_HERE} ORDER BY table_name, ordinal_position"
)
KEYS: Final = (
    "SELECT table_name, constraint_name, column_name, referenced_table_schema, referenced_table_name,"  # noqa: S608
    f" referenced_column_name FROM information_schema.key_column_usage WHERE table_schema {_HERE}"
    " AND (constraint_name = 'PRIMARY' OR referenced_table_name IS NOT NULL)"
    " ORDER BY table_name, constraint_name, ordinal_position"
)
TRIGGERS: Final = (
    "SELECT trigger_name FROM information_schema.triggers"  # noqa: S608
    f" WHERE trigger_schema {_HERE} ORDER BY event_object_table, action_timing, event_manipulation, action_order"
)
ROUTINES: Final = (
    "SELECT routine_type, routine_name FROM information_schema.routines"  # noqa: S608
    f" WHERE routine_schema {_HERE} ORDER BY routine_type, routine_name"
)
EVENTS: Final = (
    "SELECT event_name, status FROM information_schema.events"  # noqa: S608
    f" WHERE event_schema {_HERE} ORDER BY event_name"
)
GRANTS: Final = (
    f"SELECT DISTINCT grantee FROM information_schema.schema_privileges WHERE table_schema {_HERE}"  # noqa: S608
    f" UNION SELECT DISTINCT grantee FROM information_schema.table_privileges WHERE table_schema {_HERE}"
    f" UNION SELECT DISTINCT grantee FROM information_schema.column_privileges WHERE table_schema {_HERE}"
)
DEFAULTS: Final = (
    "SELECT default_character_set_name, default_collation_name FROM information_schema.schemata"  # noqa: S608
    f" WHERE schema_name {_HERE}"
)

_DEFINER: Final = re.compile(r'\sDEFINER\s*=\s*(?:`[^`]*`|"[^"]*")@(?:`[^`]*`|"[^"]*")')
# Where it stands between other options; the last option of all is followed by nothing.
_COUNTER: Final = re.compile(r"(?<=\)) (ENGINE=\S+) AUTO_INCREMENT=(\d+)")


def backticked(name: str) -> str:
    """A name as these servers quote it in any mode."""
    return "`" + name.replace("`", "``") + "`"


def shown(query: RunQuery, kind: str, name: str) -> dict[str, str]:
    """What SHOW CREATE says of an object. Names are quoted in it as the session's mode says."""
    (row,) = query(f"SHOW CREATE {kind} {backticked(name)}")
    titles = _TITLES[kind]
    return {title: "" if value is None else _text(value) for title, value in zip(titles, row, strict=False)}


_TITLES: Final = {
    "TABLE": ("name", "text"),
    "SEQUENCE": ("name", "text"),
    "VIEW": ("name", "text", "charset", "collation"),
    "TRIGGER": ("name", "mode", "text", "charset", "collation"),
    "PROCEDURE": ("name", "mode", "text", "charset", "collation"),
    "FUNCTION": ("name", "mode", "text", "charset", "collation"),
    "EVENT": ("name", "mode", "zone", "text", "charset", "collation"),
}


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def without_definer(text: str) -> str:
    """The account that made an object need not exist at the target: the account of the split makes it there."""
    return _DEFINER.sub("", text, count=1)


def without_counter(text: str) -> str:
    """A table's definition without the id that it gives next."""
    return _COUNTER.sub(r" \1", text)


def counter(text: str) -> int:
    """The id that a table gives next, by its definition. information_schema may be behind."""
    found = _COUNTER.search(text)
    return int(found[2]) if found else 1


def without_database(text: str, database: str) -> str:
    """A view of which any table is elsewhere is shown with the name of the database on all of them."""
    return text.replace(f"`{database}`.", "").replace(f'"{database}".', "")
