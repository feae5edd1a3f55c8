"""One database, SQLite or PostgreSQL, and its two kinds of transaction.

Holds: a read sees one moment of the data; a write on SQLite takes the lock at its start, so that
two writers wait for each other instead of failing half-way.
Never: knows a table.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.engine.url import make_url
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

_BEGIN = "bookings_begin"
_SQLITE_CONNECTIONS = 32  # readers of a file do not disturb each other
_POSTGRES_CONNECTIONS = 10  # a server has about 100 to share between all instances
_BUSY_MS = 30_000  # longer than any burst of writers lasts


class Database:
    """The engine, with `read()` and `write()` as the only ways in."""

    def __init__(self, url: str) -> None:
        sqlite = make_url(url).get_backend_name() == "sqlite"
        self.engine = _sqlite(url) if sqlite else _other(url)
        self._reader: Engine = self.engine
        self._writer: Engine = self.engine
        if sqlite:
            self._writer = self.engine.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})
        else:
            self._reader = self.engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        with self._reader.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        with self._writer.begin() as connection:
            yield connection

    def close(self) -> None:
        self.engine.dispose()


def _other(url: str) -> Engine:
    return create_engine(url, pool_size=_POSTGRES_CONNECTIONS, max_overflow=0, pool_pre_ping=True)


def _sqlite(url: str) -> Engine:
    engine = create_engine(url, poolclass=QueuePool, pool_size=_SQLITE_CONNECTIONS, max_overflow=8)
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    # The driver would begin transactions by its own rules; we begin them ourselves.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA cache_size = -16000")
    cursor.execute("PRAGMA mmap_size = 1073741824")
    cursor.close()


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN, "BEGIN"))
