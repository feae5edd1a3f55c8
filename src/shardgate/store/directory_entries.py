"""The entries of a file that is imported: in order, and no key twice. Many of them are on the disk.

Holds: 10,000,000 entries take 64 MB of memory. What is on the disk has no name, and is gone with the process.
"""

import sqlite3
from collections.abc import Iterator
from typing import Final

from shardgate.core.topology import ShardId

_MEMORY_KB: Final = 64 * 1024
PAGE_ROWS: Final = 500


class Entries:
    """Space and key → shard, with the line that says so."""

    __slots__ = ("_connection", "_count", "_execute")

    def __init__(self) -> None:
        self._connection = sqlite3.connect("", isolation_level=None)  # a file without a name
        self._execute = self._connection.execute
        for setting in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{_MEMORY_KB}"):
            self._execute(f"PRAGMA {setting}")
        self._execute(
            "CREATE TABLE entries (space TEXT, key TEXT, shard TEXT, line INTEGER,"
            " PRIMARY KEY (space, key)) WITHOUT ROWID"
        )
        self._execute("BEGIN")
        self._count = 0

    def add(self, space: str, key: str, shard: ShardId, line: int) -> tuple[ShardId, int] | None:
        """Add an entry. Where the key is there already: its shard, and the line that says so."""
        added = self._execute("INSERT OR IGNORE INTO entries VALUES (?, ?, ?, ?)", (space, key, shard, line))
        if added.rowcount:
            self._count += 1
            return None
        found = self._execute("SELECT shard, line FROM entries WHERE space = ? AND key = ?", (space, key)).fetchone()
        return str(found[0]), int(found[1])

    def __len__(self) -> int:
        return self._count

    def spaces(self) -> tuple[str, ...]:
        """The spaces of the keys, in order."""
        return tuple(space for (space,) in self._execute("SELECT DISTINCT space FROM entries ORDER BY space"))

    def of(self, space: str) -> Iterator[tuple[str, ShardId]]:
        """The keys of a space in order, each with its shard."""
        yield from self._execute("SELECT key, shard FROM entries WHERE space = ? ORDER BY key", (space,))

    def pages(self, space: str) -> Iterator[dict[str, ShardId]]:
        """The same, some at a time."""
        rows = self._execute("SELECT key, shard FROM entries WHERE space = ? ORDER BY key", (space,))
        while page := rows.fetchmany(PAGE_ROWS):
            yield dict(page)
