"""The store of one machine: a SQLite file that several processes share.

Holds: committed data is on the disk (synchronous = FULL).
Never: changes a file that is not a store, or one made by a newer version.
"""

import os
import random
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Final

from shardgate.store.database import Store, StoreError
from shardgate.store.schema import MIGRATIONS
from shardgate.store.statements import StatementValues

APPLICATION_ID: Final = 0x53474154  # "SGAT" in the file's header, by which `file directory.db` knows it
_MODE: Final = 0o600
BUSY_MS: Final = 5_000  # longer than any transaction that another process may be in
READER_BUSY_MS: Final = 100  # of a connection that the event loop reads with: all clients wait meanwhile


class SqliteStore(Store):
    """One connection to the file.

    With `any_thread` other threads than the one that opened it may use it, one at a time. `busy_ms`: how long it waits
    for a lock of another process. Opening a store that exists writes nothing. Raises StoreError.
    """

    __slots__ = ("_any_thread", "_busy_ms", "_connection", "_frozen", "_is_read_only", "path")

    errors: ClassVar[tuple[type[Exception], ...]] = (sqlite3.Error,)

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

    @property
    def place(self) -> Path:
        """The file."""
        return self.path

    def execute(self, sql: str, values: StatementValues = ()) -> sqlite3.Cursor:
        return self._connection.execute(sql, values)

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        self._connection.executemany(sql, rows)

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection itself."""
        return self._connection

    @contextmanager
    def transaction(self, undo: Callable[[], None] | None = None) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")  # a lock that is upgraded later could fail as busy
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:  # where the disk is full, SQLite has rolled it back itself
                self._connection.execute("ROLLBACK")
            if undo is not None:
                undo()
            raise

    @contextmanager
    def reading(self) -> Iterator[None]:
        self._connection.execute("BEGIN")
        try:
            yield
        finally:
            self._connection.execute("COMMIT")

    def prepare(self) -> None:
        """SQLite does not see by itself that a file that could only be read may be written again, or that somebody
        writes into one that it reads as a file that nobody writes: open it anew. Who only reads calls it, too.

        Raises sqlite3.Error.
        """
        if (self._is_read_only and _may_write(self.path)) or (self._frozen is not None and self._has_thawed()):
            before, self._connection = self._connection, self._connect()
            before.close()
            self._connection.execute("PRAGMA synchronous = FULL")

    def recover(self, error: BaseException) -> None:
        """The file can only be read, also where it could be written when it was opened."""
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_READONLY:
            self._is_read_only = True

    def close(self) -> None:
        self._connection.close()

    def _connect(self) -> sqlite3.Connection:
        """Raises sqlite3.Error."""
        is_read_only, frozen = not _may_write(self.path), _seen(self.path) if _is_unwritten(self.path) else None
        place = self.path.absolute().as_uri()
        if frozen is not None:
            place += "?immutable=1"
        connection = sqlite3.connect(
            place, timeout=self._busy_ms / 1000, isolation_level=None, check_same_thread=not self._any_thread, uri=True
        )
        self._is_read_only = is_read_only
        self._frozen = frozen
        return connection

    def _has_thawed(self) -> bool:
        """Whether somebody writes into the file that was opened as one that nobody writes, or has."""
        return not _is_unwritten(self.path) or _seen(self.path) != self._frozen

    def _open(self) -> None:
        if not self._is_current():
            with self.transaction():  # of two processes that create a store at once, one waits
                if self._pragma("application_id") != APPLICATION_ID:
                    self._claim()
                version = self.meta("schema") if self._has_meta() else 0
                if version > len(MIGRATIONS):
                    raise StoreError(
                        f"{self.path}: made by a newer shardgate (schema {version}, this one knows"
                        f" {len(MIGRATIONS)}). Upgrade shardgate, or give another file"
                    )
                self._migrate(version)
            # After the claim, so that the journal mode of another application's database stays as it is.
            self._write_ahead()
        self._connection.execute("PRAGMA synchronous = FULL")

    def _write_ahead(self) -> None:
        """Change the journal mode to WAL. SQLite does not wait for the other processes that open the file just now.

        Raises sqlite3.Error where they use it for longer than any waits for a lock.
        """
        give_up_at = time.monotonic() + self._busy_ms / 1000
        while True:
            try:
                self._connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > give_up_at:
                    raise
                time.sleep(random.uniform(0.001, 0.005))  # noqa: S311 - so that two do not meet again
            else:
                return

    def _is_current(self) -> bool:
        """Whether nothing is to be written: then a store opens that is locked by another, or can only be read."""
        if self._pragma("application_id") != APPLICATION_ID or not self._has_meta():
            return False
        return self.meta("schema") == len(MIGRATIONS) and self._pragma("journal_mode") == "wal"

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

    def _has_meta(self) -> bool:
        found = self._connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'")
        return found.fetchone() is not None

    def _pragma(self, name: str) -> object:
        return self._connection.execute(f"PRAGMA {name}").fetchone()[0]


def _may_write(path: Path) -> bool:
    return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)


def _is_unwritten(path: Path) -> bool:
    """Readers of a store in WAL mode share memory in a file beside it. Where that file cannot be made, and so nobody
    writes, the store is read without it; what is not in the store itself yet is then unknown."""
    return not os.access(path.parent, os.W_OK) and not _beside(path, "-shm").exists()


def _seen(path: Path) -> tuple[int, int, int, int]:
    """What differs once the file was written; zeros where it is not there."""
    try:
        found = path.stat()
    except OSError:
        return (0, 0, 0, 0)
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


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
