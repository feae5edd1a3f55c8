"""The store of one machine: a SQLite file that says which shard holds each key of a space.

Holds: every change raises the epoch, in the same transaction; who sees the epoch he knows has
missed nothing.
Never: touches a file that is not a store, or one made by a newer version.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self

APPLICATION_ID: Final = 0x53474154  # "SGAT" in the header of the file: `file directory.db` tells it apart
BUSY_MS: Final = 5_000  # longer than any transaction of ours; a gateway in the same file may be writing

# Applied in order, once each; a store's schema version is how many of them it has seen.
MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (
        "CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
        "INSERT INTO meta (name, value) VALUES ('schema', 0), ('epoch', 0)",
        """CREATE TABLE directory (
             space TEXT NOT NULL, key TEXT NOT NULL, shard TEXT NOT NULL,
             PRIMARY KEY (space, key)) WITHOUT ROWID""",
    ),
)


class StoreError(Exception):
    """The store cannot be used as asked; the text says why and what to do."""


class SqliteStore:
    """The directory of every space, in one file that several processes may open."""

    __slots__ = ("_connection", "path")

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        try:
            self._connection = sqlite3.connect(self.path, timeout=BUSY_MS / 1000, isolation_level=None)
        except sqlite3.Error as error:
            raise StoreError(f"{self.path}: {error}. Does the folder exist?") from error
        try:
            self._open()
        except sqlite3.Error as error:
            self.close()
            raise StoreError(f"{self.path}: {error}. Is this the file of a store?") from error
        except StoreError:
            self.close()
            raise

    def put_many(self, space: str, pairs: Iterable[tuple[str, str]], *, only_if_new: bool = False) -> int:
        """Record the shard of each key, all or none; returns the new epoch.

        With `only_if_new` a space that already has keys is refused, in the same transaction.
        """
        with self._transaction():
            if only_if_new and self._has(space):
                raise StoreError(f"{self.path}: space {space!r} exists. Choose another name")
            self._connection.executemany(
                "INSERT INTO directory (space, key, shard) VALUES (?, ?, ?)"
                " ON CONFLICT (space, key) DO UPDATE SET shard = excluded.shard",
                ((space, key, shard) for key, shard in pairs),
            )
            self._connection.execute("UPDATE meta SET value = value + 1 WHERE name = 'epoch'")
            return self.epoch()

    def read(self, space: str) -> dict[str, str]:
        """Every key of the space with its shard."""
        rows = self._connection.execute("SELECT key, shard FROM directory WHERE space = ?", (space,))
        return dict(rows)

    def spaces(self) -> tuple[str, ...]:
        rows = self._connection.execute("SELECT DISTINCT space FROM directory ORDER BY space")
        return tuple(space for (space,) in rows)

    def epoch(self) -> int:
        return self._meta("epoch")

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _open(self) -> None:
        with self._transaction():  # two processes that create the same store do it one after the other
            if self._pragma("application_id") != APPLICATION_ID:
                self._claim()
            version = self._meta("schema") if self._has_meta() else 0
            if version > len(MIGRATIONS):
                raise StoreError(
                    f"{self.path}: made by a newer shardgate (schema {version}, this one knows"
                    f" {len(MIGRATIONS)}). Upgrade shardgate, or give another file"
                )
            self._migrate(version)
        # After the claim: the journal mode of somebody else's database is not ours to change.
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")

    def _claim(self) -> None:
        if self._connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
            raise StoreError(
                f"{self.path}: is a SQLite database, but not a store of shardgate."
                " Give the path of a store, or of a file that does not exist yet"
            )
        self._connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")

    def _migrate(self, version: int) -> None:
        for statement in (line for step in MIGRATIONS[version:] for line in step):
            self._connection.execute(statement)
        if version < len(MIGRATIONS):
            self._connection.execute("UPDATE meta SET value = ? WHERE name = 'schema'", (len(MIGRATIONS),))

    def _has(self, space: str) -> bool:
        found = self._connection.execute("SELECT 1 FROM directory WHERE space = ? LIMIT 1", (space,))
        return found.fetchone() is not None

    def _has_meta(self) -> bool:
        found = self._connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'")
        return found.fetchone() is not None

    def _meta(self, name: str) -> int:
        row = self._connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return int(row[0])

    def _pragma(self, name: str) -> int:
        return int(self._connection.execute(f"PRAGMA {name}").fetchone()[0])

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")  # not upgraded later: that could fail as busy
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")
