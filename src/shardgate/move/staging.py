"""Keeps the rows of a movement on the mover's disk until they are written to the target in one transaction.

So nobody sees a row on the target before it is to be seen there.
"""

import sqlite3
from collections.abc import Iterable, Iterator

from shardgate.move.database import MovedRow
from shardgate.split.database.rows import TableDigest, digest_of

_BATCH_ROWS = 1000


class Staging:
    """The rows by table and primary key, in a file that ends with the process."""

    __slots__ = ("_connection",)

    def __init__(self) -> None:
        self._connection = sqlite3.connect("", isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = OFF")
        self._connection.execute(
            "CREATE TABLE kept (place INTEGER, name BLOB, content BLOB, PRIMARY KEY (place, name)) WITHOUT ROWID"
        )

    def put(self, number: int, rows: Iterable[MovedRow]) -> None:
        """Keep rows of a table, each instead of an earlier one with the same key."""
        self._connection.execute("BEGIN")
        self._connection.executemany(
            "INSERT OR REPLACE INTO kept VALUES (?, ?, ?)", ((number, key, row) for key, row in rows)
        )
        self._connection.execute("COMMIT")

    def drop(self, number: int, keys: Iterable[bytes]) -> None:
        """Forget rows that do not move."""
        self._connection.execute("BEGIN")
        self._connection.executemany("DELETE FROM kept WHERE place = ? AND name = ?", ((number, key) for key in keys))
        self._connection.execute("COMMIT")

    def has_any(self, number: int, keys: Iterable[bytes]) -> bool:
        """Whether a row with one of these keys is kept."""
        query = "SELECT 1 FROM kept WHERE place = ? AND name = ?"
        return any(self._connection.execute(query, (number, key)).fetchone() is not None for key in keys)

    def rows(self, number: int) -> Iterator[list[bytes]]:
        """The rows of a table, in batches."""
        cursor = self._connection.execute("SELECT content FROM kept WHERE place = ? ORDER BY name", (number,))
        while batch := cursor.fetchmany(_BATCH_ROWS):
            yield [row for (row,) in batch]

    def digest(self, number: int) -> TableDigest:
        """The number of the rows of a table, and their checksum."""
        total = TableDigest()
        for batch in self.rows(number):
            total += digest_of(batch)
        return total

    def clear(self) -> None:
        """Forget all."""
        self._connection.execute("DELETE FROM kept")

    def close(self) -> None:
        """Delete the file."""
        self._connection.close()
