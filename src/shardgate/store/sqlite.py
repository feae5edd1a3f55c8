"""The store of one machine: a SQLite file that several processes share.

This module has the connection, the schema, and the directory, the table that says which shard holds each key of a
space. Each other table has a module of its own beside this one.

Holds: every change of the directory raises the epoch in the same transaction, so a process that reads the epoch it
knows has missed no change. Committed data is on the disk (synchronous = FULL).
Never: changes a file that is not a store, or one made by a newer version.
"""

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self

APPLICATION_ID: Final = 0x53474154  # "SGAT" in the file's header, by which `file directory.db` knows it
_MODE: Final = 0o600
BUSY_MS: Final = 5_000  # longer than any transaction that another process may be in
READER_BUSY_MS: Final = 100  # of a connection that the event loop reads with: all clients wait meanwhile

# Applied in order, once each; a store's schema version is how many of them it has seen.
MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (
        "CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
        "INSERT INTO meta (name, value) VALUES ('schema', 0), ('epoch', 0)",
        """CREATE TABLE directory (
             space TEXT NOT NULL, key TEXT NOT NULL, shard TEXT NOT NULL,
             PRIMARY KEY (space, key)) WITHOUT ROWID""",
    ),
    (
        """CREATE TABLE journal (
             id INTEGER PRIMARY KEY AUTOINCREMENT, token TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, state TEXT NOT NULL,
             stuck_in TEXT NOT NULL DEFAULT 'trying', owner TEXT, created_at REAL NOT NULL, content BLOB NOT NULL)""",
        "CREATE INDEX journal_open ON journal (id) WHERE state IN ('trying', 'finishing', 'undoing')",
        "CREATE INDEX journal_undecided ON journal (id) WHERE state IN ('trying', 'undoing') AND kind = 'every'",
        "CREATE INDEX journal_by_age ON journal (created_at)",
        """CREATE TABLE journal_branches (
             entry INTEGER NOT NULL, number INTEGER NOT NULL, shard TEXT NOT NULL, state TEXT NOT NULL,
             content BLOB NOT NULL, progress BLOB NOT NULL,
             PRIMARY KEY (entry, number)) WITHOUT ROWID""",
        """CREATE INDEX journal_branches_waiting ON journal_branches (shard, entry)
             WHERE state NOT IN ('done', 'confirmed', 'refused', 'undone')""",
        """CREATE TABLE idempotency (
             client TEXT NOT NULL, key TEXT NOT NULL, fingerprint TEXT NOT NULL, owner TEXT, reply BLOB,
             expires_at REAL NOT NULL,
             PRIMARY KEY (client, key)) WITHOUT ROWID""",
        "CREATE INDEX idempotency_by_end ON idempotency (expires_at)",
        """CREATE TABLE placements (
             space TEXT NOT NULL, key TEXT NOT NULL, shard TEXT NOT NULL, creates INTEGER NOT NULL,
             PRIMARY KEY (space, key)) WITHOUT ROWID""",
        """CREATE TABLE leases (
             name TEXT PRIMARY KEY, owner TEXT NOT NULL, until REAL NOT NULL) WITHOUT ROWID""",
    ),
    (
        """CREATE TABLE usage (
             period TEXT NOT NULL, client TEXT NOT NULL, calls INTEGER NOT NULL, counted_at REAL NOT NULL,
             PRIMARY KEY (period, client)) WITHOUT ROWID""",
        "CREATE INDEX usage_by_age ON usage (counted_at)",
    ),
    (
        """CREATE TABLE parts (
             space TEXT NOT NULL, key TEXT NOT NULL, shards TEXT NOT NULL, taken_back INTEGER NOT NULL,
             PRIMARY KEY (space, key)) WITHOUT ROWID""",
    ),
    (
        "ALTER TABLE journal ADD COLUMN thing TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE journal ADD COLUMN unsettled INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE placements ADD COLUMN made INTEGER NOT NULL DEFAULT 0",
    ),
    (
        "ALTER TABLE journal ADD COLUMN fence INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE journal ADD COLUMN boot TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE journal ADD COLUMN began_at REAL NOT NULL DEFAULT 0",
        "DROP TABLE leases",
    ),
    (
        "INSERT INTO meta (name, value) VALUES ('turn', 0)",
        """CREATE TABLE movements (
             id INTEGER PRIMARY KEY AUTOINCREMENT, space TEXT NOT NULL, tenants TEXT NOT NULL, source TEXT NOT NULL,
             target TEXT NOT NULL, phase TEXT NOT NULL, wish TEXT NOT NULL, fence TEXT NOT NULL, turn INTEGER NOT NULL,
             owner TEXT NOT NULL, keys BLOB NOT NULL, told TEXT NOT NULL, began_at REAL NOT NULL,
             ended_at REAL NOT NULL DEFAULT 0)""",
        "CREATE INDEX movements_open ON movements (id) WHERE ended_at = 0",
        """CREATE TABLE workers (
             worker TEXT PRIMARY KEY, epoch INTEGER NOT NULL, turn INTEGER NOT NULL) WITHOUT ROWID""",
        "CREATE TABLE draining (shard TEXT PRIMARY KEY) WITHOUT ROWID",
    ),
)


class StoreError(Exception):
    """The store cannot do what was asked; the text says why and what to do."""


class SqliteStore:
    """One connection to the file, with the directory.

    With `any_thread` other threads than the one that opened it may use it, one at a time. `busy_ms`: how long it waits
    for a lock of another process. Opening a store that exists writes nothing. Raises StoreError.
    """

    __slots__ = ("_any_thread", "_busy_ms", "_connection", "path")

    def __init__(self, path: str | Path, *, any_thread: bool = False, busy_ms: int = BUSY_MS) -> None:
        self.path = Path(path)
        self._any_thread = any_thread
        self._busy_ms = busy_ms
        try:
            _make_private(self.path)
            self._connection = self._connect()
        except (sqlite3.Error, OSError) as error:
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
        """Store the shard of each key, all or none; return the new epoch.

        With `only_if_new`, raises StoreError if the space has keys already.
        """
        with self.transaction():
            if only_if_new and self._has(space):
                raise StoreError(f"{self.path}: space {space!r} exists. Choose another name")
            return self.record(space, pairs)

    def record(self, space: str, pairs: Iterable[tuple[str, str]]) -> int:
        """Store the shard of each key in the open transaction; return the new epoch."""
        self._connection.executemany(
            "INSERT INTO directory (space, key, shard) VALUES (?, ?, ?)"
            " ON CONFLICT (space, key) DO UPDATE SET shard = excluded.shard",
            ((space, key, shard) for key, shard in pairs),
        )
        self.advance()
        return self.epoch()

    def advance(self) -> None:
        """Raise the epoch in the open transaction, so that other processes read the directory again."""
        self._connection.execute("UPDATE meta SET value = value + 1 WHERE name = 'epoch'")

    def read(self, space: str) -> dict[str, str]:
        """Every key of a space with its shard."""
        rows = self._connection.execute("SELECT key, shard FROM directory WHERE space = ?", (space,))
        return dict(rows)

    def spaces(self) -> tuple[str, ...]:
        rows = self._connection.execute("SELECT DISTINCT space FROM directory ORDER BY space")
        return tuple(space for (space,) in rows)

    def epoch(self) -> int:
        return self._meta("epoch")

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection, for the modules of the other tables."""
        return self._connection

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Run the block in a transaction: committed at its end, rolled back if it raises."""
        self._connection.execute("BEGIN IMMEDIATE")  # a lock that is upgraded later could fail as busy
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:  # where the disk is full, SQLite has rolled it back itself
                self._connection.execute("ROLLBACK")
            raise

    def reopen(self) -> None:
        """Open the file anew, where it could only be read and can be written by now. Raises sqlite3.Error."""
        if os.access(self.path, os.W_OK) and os.access(self.path.parent, os.W_OK):
            self._connection.close()
            self._connection = self._connect()
            self._connection.execute("PRAGMA synchronous = FULL")

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

    def _connect(self) -> sqlite3.Connection:
        return _connect(self.path, self._busy_ms, any_thread=self._any_thread)

    def _open(self) -> None:
        if not self._is_current():
            with self.transaction():  # of two processes that create a store at once, one waits
                if self._pragma("application_id") != APPLICATION_ID:
                    self._claim()
                version = self._meta("schema") if self._has_meta() else 0
                if version > len(MIGRATIONS):
                    raise StoreError(
                        f"{self.path}: made by a newer shardgate (schema {version}, this one knows"
                        f" {len(MIGRATIONS)}). Upgrade shardgate, or give another file"
                    )
                self._migrate(version)
            # After the claim, so that the journal mode of another application's database stays as it is.
            self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")

    def _is_current(self) -> bool:
        """Whether nothing is to be written: then a store opens that is locked by another, or can only be read."""
        if self._pragma("application_id") != APPLICATION_ID or not self._has_meta():
            return False
        return self._meta("schema") == len(MIGRATIONS) and self._pragma("journal_mode") == "wal"

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

    def _pragma(self, name: str) -> object:
        return self._connection.execute(f"PRAGMA {name}").fetchone()[0]


def _connect(path: Path, busy_ms: int, *, any_thread: bool) -> sqlite3.Connection:
    """Raises sqlite3.Error."""
    place = path.absolute().as_uri()
    if not os.access(path.parent, os.W_OK) and not _beside(path, "-shm").exists():
        # Readers of a store in WAL mode share memory in a file beside it. Where that file cannot be made, and so nobody
        # writes, the store is read without it; what is not in the store itself yet is then unknown.
        place += "?immutable=1"
    return sqlite3.connect(
        place, timeout=busy_ms / 1000, isolation_level=None, check_same_thread=not any_thread, uri=True
    )


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


def _make_private(path: Path) -> None:
    """Make the file, if there is none, for its owner alone: the journal has whole requests, with credentials.

    SQLite gives the files beside it (`-wal`, `-shm`, `-journal`) the same mode. Raises OSError, or StoreError where a
    symbolic link leads nowhere: whoever made the link would choose where the journal is written.
    """
    if path.exists():
        return
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _MODE)
    except FileExistsError:
        if path.is_symlink():
            raise StoreError(f"{path}: is a symbolic link that leads nowhere. Remove it") from None
        return  # another process made it meanwhile
    try:
        os.fchmod(file, _MODE)  # whatever the umask
    finally:
        os.close(file)
