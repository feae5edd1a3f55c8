"""The names of tables: as they are in the current schema, and with the name of the schema elsewhere.

A name with a dot or a quotation mark in it is quoted as in SQL, so that `log.lines` is always the table lines of the
schema log.
"""

import re
from typing import Final

from shardgate.split.database import sql

_PART: Final = r'("(?:[^"]|"")*"|[^."]+)'
_NAME: Final = re.compile(rf"(?:{_PART}\.)?{_PART}")


def table_name(schema: str, table: str, current: str) -> str:
    """The name of a table in this package."""
    return _part(table) if schema == current else f"{_part(schema)}.{_part(table)}"


def relation(name: str) -> str:
    """The name of a table as SQL."""
    found = _NAME.fullmatch(name)
    parts = [part for part in found.groups() if part] if found else [name]
    return ".".join(part if part.startswith('"') else sql.quote(part) for part in parts)


def _part(name: str) -> str:
    return sql.quote(name) if "." in name or '"' in name else name
