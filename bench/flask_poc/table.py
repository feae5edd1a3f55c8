"""The copy of PoC 1: one table in SQLite with the rows as the platform gave them, and what they are sought by beside.

Holds: readers never wait for the synchroniser, and see a cycle of it wholly or not at all (WAL).
"""

import json
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

SOUGHT_BY = ("name", "vendor_id", "category_id", "city", "country", "price", "rating", "created_at", "updated_at")

_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS events (id TEXT PRIMARY KEY, shard TEXT, {", ".join(SOUGHT_BY)}, body TEXT);
CREATE INDEX IF NOT EXISTS events_by_name ON events (name, id);
CREATE INDEX IF NOT EXISTS events_by_updated_at ON events (updated_at, id);
"""
_WRITE = f"INSERT OR REPLACE INTO events VALUES ({', '.join('?' * (len(SOUGHT_BY) + 3))})"


class Table:
    """A connection of its own: one a thread."""

    def __init__(self, path: Path | str) -> None:
        self._database = sqlite3.connect(path, timeout=30)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.executescript(_SCHEMA)

    def page(self, order: Iterable[str], equal: dict[str, str], limit: int, offset: int) -> list[str]:
        """The rows' JSON texts, sorted by keys such as `-name`."""
        keys = [(key.removeprefix("-"), "DESC" if key.startswith("-") else "ASC") for key in order]
        if any(name not in ("id", *SOUGHT_BY) for name, _ in keys):
            raise ValueError("not a property to sort by")
        sorted_by = ", ".join(f"{name} {way}" for name, way in [*keys, ("id", "ASC")])
        where = " AND ".join(f"{name} = ?" for name in equal) or "1"
        statement = f"SELECT body FROM events WHERE {where} ORDER BY {sorted_by} LIMIT ? OFFSET ?"
        return [body for (body,) in self._database.execute(statement, (*equal.values(), limit, offset))]

    def count(self, equal: dict[str, str]) -> int:
        """How many rows there are."""
        where = " AND ".join(f"{name} = ?" for name in equal) or "1"
        return int(
            self._database.execute(f"SELECT count(*) FROM events WHERE {where}", (*equal.values(),)).fetchone()[0]
        )

    def row(self, id_: str) -> str | None:
        """One row's JSON text."""
        found = self._database.execute("SELECT body FROM events WHERE id = ?", (id_,)).fetchone()
        return str(found[0]) if found else None

    def ids(self, shard: str) -> set[str]:
        """What there is of one shard."""
        return {id_ for (id_,) in self._database.execute("SELECT id FROM events WHERE shard = ?", (shard,))}

    def write(self, shard: str, rows: Iterable[dict[str, Any]], gone: Iterable[str] = ()) -> None:
        """Rows as they are now, and ids that are no more."""
        values = [
            (
                row["id"],
                shard,
                *(row.get(name) for name in SOUGHT_BY),
                json.dumps(row, ensure_ascii=False, separators=(",", ":")),
            )
            for row in rows
        ]
        with self._database:
            self._database.executemany(_WRITE, values)
            self._database.executemany("DELETE FROM events WHERE id = ?", [(id_,) for id_ in gone])
