"""Gives the write-ahead log of a SQLite store its full length at once.

A commit is on the disk when the log is. A log that grows with each commit makes the file system write its own journal
for each, together with what others of the machine write: that takes several times as long as to write over a log that
has its length (docs/decisions/0111). SQLite keeps the length until the last process closes the store.

Holds: the store has the same content before and after. What fails leaves a log that grows, as it would without this.
"""

import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Final

LOG_BYTES: Final = 2**22  # SQLite writes the log back into the store when it has 1000 pages, and begins it anew
_PAGES_KEPT: Final = 8  # with room for few pages SQLite writes the others into the log before the commit


def lengthen(connection: sqlite3.Connection, store: Path) -> None:
    """Give the log its length, unless it has it. Takes the lock for writing for 20 ms on a local disk."""
    with suppress(OSError, sqlite3.Error):  # for example a store that can only be read
        if _filled(connection, store.with_name(f"{store.name}-wal")):
            connection.execute("UPDATE meta SET value = value WHERE name = 'epoch'")  # its commit syncs the whole log


def _filled(connection: sqlite3.Connection, log: Path) -> bool:
    """Whether the log was too short, and is not any more."""
    (kept,) = connection.execute("PRAGMA cache_size").fetchone()
    connection.execute(f"PRAGMA cache_size = {_PAGES_KEPT}")
    connection.execute("BEGIN IMMEDIATE")  # of several workers that begin at once, one does it
    try:
        if log.stat().st_size >= LOG_BYTES:
            return False
        connection.execute("CREATE TABLE filler (bytes BLOB)")
        connection.execute("INSERT INTO filler VALUES (zeroblob(?))", (LOG_BYTES,))
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        connection.execute(f"PRAGMA cache_size = {kept}")
    return True
