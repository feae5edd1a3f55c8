"""The schema from SQLite to SQLite: the statements of the application, unchanged.

Holds: AUTOINCREMENT continues where the source's stood. user_version and application_id are the source's. A full-text
index over a table has the rows that the shard has of it.
"""

from collections.abc import Collection
from typing import Final

from shardgate.split.database import sql
from shardgate.split.database.contracts import RunQuery
from shardgate.split.database.ddl import Ddl
from shardgate.split.sqlite.counters import has_sqlite_counters, statements_to_set_sqlite_counter
from shardgate.split.sqlite.rowids import hidden_rowids, indexed_tables

_SCHEMA: Final = (
    "SELECT type, name, sql FROM sqlite_master"
    " WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite~_%' ESCAPE '~' ORDER BY rowid"
)
_TABLE_TYPES: Final = "SELECT name, type FROM pragma_table_list WHERE schema = 'main'"


def read_sqlite_ddl(query: RunQuery, reference: Collection[str]) -> Ddl:
    """The statements of the source. Shadow tables are left out: their virtual table creates them."""
    shadow, virtual = _tables_of_type(query, "shadow"), _tables_of_type(query, "virtual")
    schema = [(str(t), str(name), str(text)) for t, name, text in query(_SCHEMA)]
    schema = [each for each in schema if each[1] not in shadow]
    indexes = indexed_tables(query)
    late = [text for wanted in ("index", "view", "trigger") for t, _, text in schema if t == wanted]
    return Ddl(
        before=(*(text for t, _, text in schema if t == "table"), *_versions(query)),
        after=(*_counters(query), *late, *map(_rebuilt, indexes), *_statistics(query)),
        objects=(*(name for _, name, _ in schema), *shadow),
        opening=_settings(query, ("page_size", "encoding", "auto_vacuum")),
        closing=_journal(query),
        rowids=hidden_rowids(query),
        refusals=tuple(
            f"{name}: is a virtual table, which cannot be copied. Remove it from --reference and give"
            f" --empty {name}: the application then fills it on each shard"
            for name in virtual
            if name in reference
        ),
        warnings=tuple(
            f"{name}: is a virtual table and is created without content. Let the application fill it on each shard"
            for name in virtual
            if name not in reference and name not in indexes
        ),
    )


def _rebuilt(index: str) -> str:
    """Fill a full-text index from the rows of its table: sqlite.org/fts5.html section 6.9."""
    name = sql.quote(index)
    return f"INSERT INTO {name} ({name}) VALUES ('rebuild')"  # noqa: S608 - a quoted name


def shadow_tables(query: RunQuery) -> tuple[str, ...]:
    """The tables in which virtual tables store their content. The application has no such tables of its own."""
    return _tables_of_type(query, "shadow")


def _tables_of_type(query: RunQuery, table_type: str) -> tuple[str, ...]:
    return tuple(str(name) for name, found in query(_TABLE_TYPES) if found == table_type)


def _settings(query: RunQuery, names: tuple[str, ...]) -> tuple[str, ...]:
    values = [(name, query(f"PRAGMA {name}")[0][0]) for name in names]
    return tuple(f"PRAGMA {name} = {sql.literal(str(value))}" for name, value in values)


def _versions(query: RunQuery) -> tuple[str, ...]:
    names = ("user_version", "application_id")
    return tuple(f"PRAGMA {name} = {query(f'PRAGMA {name}')[0][0]}" for name in names)


def _journal(query: RunQuery) -> tuple[str, ...]:
    return ("PRAGMA journal_mode = WAL",) if query("PRAGMA journal_mode")[0][0] == "wal" else ()


def _counters(query: RunQuery) -> tuple[str, ...]:
    if not has_sqlite_counters(query):
        return ()
    counters = query("SELECT name, seq FROM sqlite_sequence")
    return tuple(
        statement
        for name, last in counters
        for statement in statements_to_set_sqlite_counter(str(name), int(str(last)))
    )


def _statistics(query: RunQuery) -> tuple[str, ...]:
    """If the source was analyzed, each shard is analyzed too, for the rows that it has."""
    return ("ANALYZE",) if query("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat1'") else ()
