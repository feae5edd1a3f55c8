"""SQLite to SQLite: the schema as the application wrote it, word for word.

Holds: AUTOINCREMENT goes on where the source's stood; so do user_version and application_id.
"""

from collections.abc import Callable, Collection
from typing import Final, TypeAlias

from shardgate.split import sql
from shardgate.split.counters import sqlite_counter
from shardgate.split.ddl import Ddl

Query: TypeAlias = Callable[[str], list[tuple[object, ...]]]

_SCHEMA: Final = (
    "SELECT type, name, sql FROM sqlite_master"
    " WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite~_%' ESCAPE '~' ORDER BY rowid"
)
_KINDS: Final = "SELECT name, type FROM pragma_table_list WHERE schema = 'main'"


def read_sqlite_ddl(query: Query, reference: Collection[str]) -> Ddl:
    """The source's own statements; a virtual table makes its shadow tables by itself."""
    shadow, virtual = _named(query, "shadow"), _named(query, "virtual")
    schema = [(str(t), str(name), str(text)) for t, name, text in query(_SCHEMA)]
    schema = [each for each in schema if each[1] not in shadow]
    late = [text for wanted in ("index", "view", "trigger") for t, _, text in schema if t == wanted]
    return Ddl(
        before=(*(text for t, _, text in schema if t == "table"), *_versions(query)),
        after=(*_counters(query), *late, *_statistics(query)),
        objects=(*(name for _, name, _ in schema), *shadow),
        opening=_settings(query, ("page_size", "encoding", "auto_vacuum")),
        closing=_journal(query),
        refusals=tuple(
            f"{name}: is a virtual table, which cannot be copied. Take it out of --reference and"
            f" declare it --empty {name}: the application then fills it on each shard"
            for name in virtual
            if name in reference
        ),
        warnings=tuple(
            f"{name}: is a virtual table, made without content. Let the application fill it on each shard"
            for name in virtual
            if name not in reference
        ),
    )


def shadow_tables(query: Query) -> tuple[str, ...]:
    """What virtual tables store; no table of the application."""
    return _named(query, "shadow")


def _named(query: Query, kind: str) -> tuple[str, ...]:
    return tuple(str(name) for name, found in query(_KINDS) if found == kind)


def _settings(query: Query, names: tuple[str, ...]) -> tuple[str, ...]:
    values = [(name, query(f"PRAGMA {name}")[0][0]) for name in names]
    return tuple(f"PRAGMA {name} = {sql.literal(str(value))}" for name, value in values)


def _versions(query: Query) -> tuple[str, ...]:
    names = ("user_version", "application_id")
    return tuple(f"PRAGMA {name} = {query(f'PRAGMA {name}')[0][0]}" for name in names)


def _journal(query: Query) -> tuple[str, ...]:
    return ("PRAGMA journal_mode = WAL",) if query("PRAGMA journal_mode")[0][0] == "wal" else ()


def _counters(query: Query) -> tuple[str, ...]:
    if not query("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'"):
        return ()
    counters = query("SELECT name, seq FROM sqlite_sequence")
    return tuple(statement for name, last in counters for statement in sqlite_counter(str(name), int(str(last))))


def _statistics(query: Query) -> tuple[str, ...]:
    """An application that relies on ANALYZE gets it for what each shard now holds."""
    return ("ANALYZE",) if query("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat1'") else ()
