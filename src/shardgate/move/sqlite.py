"""A SQLite file as a shard between which tenants move.

Holds: while a transaction that writes is open, others that write wait for it; readers do not. So where
the file has a write-ahead log, a commit waits for the disk when its lock is free again.
"""

import os
import re
import sqlite3
import threading
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from itertools import product
from pathlib import Path
from typing import Any, Final

import msgspec

from shardgate.move.database import BESIDE, PREFIX, Counter, MovedRow
from shardgate.move.errors import GivenUpError
from shardgate.move.lock_pace import LockPace
from shardgate.move.spellings import DatabaseKey, bytes_in, bytes_of, texts_of
from shardgate.move.sqlite_unique import sqlite_unique_indexes
from shardgate.move.tables import MovedTable
from shardgate.move.unique_indexes import Clash, TermValues, UniqueIndex
from shardgate.net.clock import now
from shardgate.split.database import sql
from shardgate.split.database.inventory import Inventory
from shardgate.split.sqlite.counters import read_sqlite_counter
from shardgate.split.sqlite.inventory import read_inventory

_BUSY_S: Final = 30.0
_TIDIED_ROWS: Final = 1000
_ID_MAX: Final = 2**63 - 1
_BATCH_ROWS: Final = 1000
_ASKED_MAX: Final = 400  # rows of one question, whose values stand in its text
_WHOLE_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,17})", re.ASCII)
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple).decode


class SqliteShard:
    """One connection to the file."""

    __slots__ = ("_connection", "_log", "_pace", "_path", "_tidied_at")

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(
            f"{path.resolve().as_uri()}?mode=rw",
            uri=True,
            timeout=_BUSY_S,
            isolation_level=None,
            check_same_thread=False,  # one thread at a time
        )
        self._connection.execute("PRAGMA foreign_keys = ON")
        ((mode,),) = self.query("PRAGMA journal_mode")
        self._log = path.with_name(f"{path.name}-wal") if mode == "wal" else None
        self._connection.execute(f"PRAGMA synchronous = {'FULL' if self._log is None else 'NORMAL'}")
        self._connection.execute("PRAGMA cache_size = -32000")
        self._connection.execute("PRAGMA wal_autocheckpoint = 0")  # a commit would take as long as that; see `commit`
        self._path = path
        self._pace = LockPace()
        self._tidied_at = 0

    def relation(self, table: str) -> str:
        """The name of a table as SQL."""
        return sql.quote(table)

    def query(self, statement: str) -> list[tuple[object, ...]]:
        """All rows of a SELECT."""
        return self._connection.execute(statement).fetchall()

    def run(self, statement: str) -> int:
        """Run a statement; returns how many rows it changed."""
        return self._connection.execute(statement).rowcount

    def refuses_changes(self) -> str:
        """The file, or its file system, may be read-only."""
        self.begin()  # which only reads where nothing can be written
        try:
            ((version,),) = self.query("PRAGMA user_version")
            self.run(f"PRAGMA user_version = {version}")
        except sqlite3.OperationalError as error:
            if "readonly" not in str(error):
                raise
            return str(error)
        finally:
            self.rollback()
        return ""

    def begin(self, *, snapshot: bool = False) -> None:
        """Begin a transaction that writes. Every transaction of SQLite sees one moment."""
        del snapshot
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.execute("PRAGMA defer_foreign_keys = ON")

    def commit(self) -> None:
        """Commit. Others that write wait for neither the disk nor what takes old pages out of the log."""
        self._connection.execute("COMMIT")
        if self._log is None:
            return
        try:
            with (
                suppress(FileNotFoundError),
                self._log.open("rb") as log,
            ):  # what is no longer in the log is safe already
                os.fsync(log.fileno())
        except OSError as error:
            raise sqlite3.OperationalError(str(error)) from error
        if self._has_much_in_the_log():
            threading.Thread(target=_checkpoint, args=(self._path,), daemon=True).start()

    def rollback(self) -> None:
        """Undo the open transaction, if there is one."""
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def read(self, table: MovedTable, where: str) -> Generator[list[MovedRow], None, None]:
        """The rows of a table under a condition, in batches."""
        columns = [*table.key, *table.table.columns]
        cursor = self._connection.execute(
            f"{sql.select([sql.quote(each) for each in columns], sql.quote(table.name))} WHERE {where}"
        )
        count = len(table.key)
        for batch in _fetched(cursor, table, _BATCH_ROWS):
            yield [(_encode(row[:count]), _encode(row[count:])) for row in batch]

    def keys(self, table: MovedTable, source: str) -> list[bytes]:
        """The primary keys in a table that has their columns, each once."""
        rows = self._connection.execute(f"SELECT DISTINCT {sql.listed(table.key)} FROM {source}")
        return [_encode(row) for row in rows]

    def write(self, table: MovedTable, rows: Iterable[bytes]) -> None:
        """Insert rows, in the open transaction."""
        self._connection.executemany(sql.insert(table.name, table.table.columns), map(_decode, rows))

    def make_room(self, tables: Sequence[MovedTable]) -> None:
        """Make an empty table beside each of these. Its columns have no types: a value stays as it is."""
        self.release()
        self.begin()
        try:
            for each in tables:
                name = f"{BESIDE}{each.number}"
                self.run(f"CREATE TABLE {sql.quote(name)} ({sql.listed(each.table.columns)})")
                self.run(f"CREATE INDEX {sql.quote(f'{name}_key')} ON {sql.quote(name)} ({sql.listed(each.key)})")
            self.commit()
        except BaseException:
            self.rollback()
            raise

    def keep(self, table: MovedTable, rows: Iterable[MovedRow]) -> None:
        """Put rows into the table beside, in the open transaction."""
        insert = sql.insert(f"{BESIDE}{table.number}", table.table.columns)
        self._connection.executemany(insert, (_decode(row) for _, row in rows))

    def keep_and_commit(self, table: MovedTable, rows: Iterable[MovedRow]) -> None:
        """Put rows into the table beside, in short transactions. A power cut may undo them."""
        insert = sql.insert(f"{BESIDE}{table.number}", table.table.columns)
        left = [_decode(row) for _, row in rows]
        while left:
            some, left = left[: self._pace.rows], left[self._pace.rows :]
            asked_at = now()
            self.begin()
            began_at = now()
            try:
                self._connection.executemany(insert, some)
                self._connection.execute("COMMIT")
            except BaseException:
                self.rollback()
                raise
            time.sleep(self._pace.rest_s(now() - began_at, len(some), began_at - asked_at))
        if self._log is not None and self._has_much_in_the_log():
            self.run("PRAGMA wal_checkpoint(PASSIVE)")

    def drop(self, table: MovedTable, keys: Iterable[bytes]) -> None:
        """Delete rows from the table beside, in the open transaction."""
        self._connection.executemany(
            f"DELETE FROM {sql.quote(f'{BESIDE}{table.number}')} WHERE {_same(table)}", map(_decode, keys)
        )

    def rows(self, table: MovedTable) -> Iterator[list[bytes]]:
        """The rows that move, without their keys, in batches."""
        yield from self._rows(table, f"{sql.select_columns(table.name, table.table.columns)} WHERE {table.where}")

    def kept(self, table: MovedTable) -> Iterator[list[bytes]]:
        """The rows of the table beside, in batches."""
        yield from self._rows(table, sql.select_columns(f"{BESIDE}{table.number}", table.table.columns))

    def load(self, table: MovedTable) -> None:
        """Insert the rows of the table beside, in the open transaction."""
        columns = sql.listed(table.table.columns)
        beside = sql.quote(f"{BESIDE}{table.number}")
        self.run(f"INSERT INTO {sql.quote(table.name)} ({columns}) SELECT {columns} FROM {beside}")

    def remove(self, table: MovedTable) -> Iterator[list[bytes]]:
        """Delete the rows that move; nobody else changes them between the two statements."""
        yield from self.rows(table)
        self.run(f"DELETE FROM {sql.quote(table.name)} WHERE {table.where}")

    def keys_named(self, table: str, column: str, name: str) -> list[DatabaseKey]:
        """The keys in this column that the directory may call so."""
        texts = [sql.literal(text) for text in texts_of(name)]
        # A column without a type keeps a number as a number.
        wanted = [*texts, *map(_blob, bytes_of(name)), *([name] if _WHOLE_NUMBER.fullmatch(name) else [])]
        own = sql.quote(column)
        found = self.query(f"SELECT DISTINCT {own} FROM {sql.quote(table)} WHERE {own} IN ({', '.join(wanted)})")
        return [DatabaseKey(_literal(key), is_exact=key == name) for (key,) in found]

    def values(
        self, table: MovedTable, columns: Sequence[str], where: str
    ) -> Generator[list[tuple[str, ...]], None, None]:
        """Columns of the rows under a condition, as texts, in batches."""
        given = " AND ".join(f"{sql.quote(column)} IS NOT NULL" for column in columns)
        texts = [_text(column) for column in columns]
        cursor = self._connection.execute(f"{sql.select(texts, sql.quote(table.name))} WHERE {where} AND {given}")
        yield from _fetched(cursor, table, _ASKED_MAX)

    def present(self, table: MovedTable, columns: Sequence[str], rows: Sequence[tuple[str, ...]]) -> list[str]:
        """Those of these values that the table has, at most one."""
        own = sql.quote(columns[0]) if len(columns) == 1 else f"({sql.listed(columns)})"
        listed = ", ".join(
            literals[0] if len(columns) == 1 else f"({', '.join(literals)})"
            for row in rows
            for literals in product(*map(_text_or_bytes, row))
        )
        # An affinity is a column's: literals alone would be compared as texts.
        values = listed if len(columns) == 1 else f"VALUES {listed}"
        source = f"{sql.quote(table.name)} WHERE {own} IN ({values}) LIMIT 1"
        found = self.query(sql.select([sql.quote(column) for column in columns], source))
        return [", ".join(map(str, row)) for row in found]

    def unique_indexes(self, table: MovedTable) -> list[UniqueIndex]:
        """All that keeps two rows of the table apart, the primary key first."""
        return sqlite_unique_indexes(self.query, table.name, table.key)

    def terms(self, table: MovedTable, index: UniqueIndex) -> Generator[list[TermValues], None, None]:
        """What the terms of an index are of the rows that move and that it holds, in batches."""
        source = f"{sql.quote(table.name)} WHERE {table.where} AND {index.condition}"
        yield from _fetched(self._connection.execute(sql.select(index.terms, source)), table, _ASKED_MAX)

    def clash(self, table: MovedTable, index: UniqueIndex, rows: Sequence[TermValues]) -> Clash | None:
        """One row of this database that is at odds with one of these, which `terms` of the other one gave."""
        columns = [f"{PREFIX}term_{place}" for place in range(len(index.terms))]
        marks = f"({', '.join('?' * len(index.terms))})"
        given = f"WITH {PREFIX}terms ({', '.join(columns)}) AS (VALUES {', '.join([marks] * len(rows))})"
        at_odds = [f"{term} = {column}" for term, column in zip(index.terms, columns, strict=True)]
        wanted = [*map(sql.quote, table.key), *index.terms]
        # In this order, by the index: `(a, b) IN (VALUES …)` reads all rows where one of the terms is an expression.
        source = f"{PREFIX}terms CROSS JOIN {sql.quote(table.name)} WHERE {' AND '.join([index.condition, *at_odds])}"
        asked = f"{given} {sql.select(wanted, source)} LIMIT 1"
        found = self._connection.execute(asked, [value for row in rows for value in row])
        for row in found.fetchall():
            key, values = row[: len(table.key)], row[len(table.key) :]
            return Clash(", ".join(map(str, key)), ", ".join(map(str, values)))
        return None

    def capture(self, tables: Sequence[MovedTable]) -> None:
        """Write down the primary key of every row that changes from now on."""
        self.begin()
        try:
            for statement in self._dropped():
                self._connection.execute(statement)
            for each in tables:
                for statement in _capturing(each):
                    self._connection.execute(statement)
            self.commit()
        except BaseException:
            self.rollback()
            raise

    def pass_over_own_changes(self) -> None:
        """What the open transaction changes is not written down: it drops the triggers."""
        for (name,) in self.query(_made("trigger")):
            self._connection.execute(f"DROP TRIGGER {sql.quote(str(name))}")

    def release(self) -> None:
        """Remove all that a movement has made."""
        self.begin()
        try:
            for statement in self._dropped():
                self._connection.execute(statement)
            self.commit()
        except BaseException:
            self.rollback()
            raise

    def counters(self, table: MovedTable) -> list[Counter]:
        """Where SQLite is that gives the ids of the table: behind its greatest one. Only a rowid is counted."""
        name = sql.literal(table.name)
        if len(table.key) != 1 or self.query(f"SELECT 1 FROM pragma_index_list({name}) WHERE origin = 'pk'"):
            return []
        column, own = table.key[0], sql.quote(table.name)
        ((greatest,),) = self.query(f"SELECT coalesce(max({sql.quote(column)}), 0) FROM {own}")
        given, greatest = read_sqlite_counter(self.query, table.name), int(str(greatest))
        # AUTOINCREMENT alone notes what it gave.
        return [Counter(column, max(given, greatest) + 1, 1, _ID_MAX, remembers=given >= greatest)]

    def follow_counters(self, table: MovedTable, where: str) -> None:
        """Nothing: SQLite counts on behind the greatest id by itself."""

    def await_writers(self, tables: Sequence[MovedTable]) -> None:
        """Return once nobody writes."""
        del tables
        self.begin()
        self.rollback()

    def shown(self, key: bytes) -> str:
        """A primary key, for people."""
        return ", ".join(map(str, _decode(key)))

    def inventory(self) -> Inventory:
        """Every object of the database, without those of movements."""
        found = read_inventory(self.query)
        return {name: definition for name, definition in found.items() if not name.name.startswith(PREFIX)}

    def close(self) -> None:
        """Close the connection; an open transaction is undone."""
        self._connection.close()

    def _has_much_in_the_log(self) -> bool:
        """Since it was last asked: others' next commit would have to take it out."""
        changes = self._connection.total_changes
        if changes - self._tidied_at < _TIDIED_ROWS:
            return False
        self._tidied_at = changes
        return True

    def _rows(self, table: MovedTable, query: str) -> Iterator[list[bytes]]:
        for batch in _fetched(self._connection.execute(query), table, _BATCH_ROWS):
            yield list(map(_encode, batch))

    def _dropped(self) -> list[str]:
        return [
            f"DROP {kind.upper()} {sql.quote(str(name))}"
            for kind in ("trigger", "table")
            for (name,) in self.query(_made(kind))
        ]


def _fetched(cursor: sqlite3.Cursor, table: MovedTable, count: int) -> Iterator[list[tuple[Any, ...]]]:
    """The rows of a query, so many at a time. Raises GivenUpError for a text that is none."""
    with closing(cursor):  # while a query is open, no table can be dropped
        while True:
            try:
                batch = cursor.fetchmany(count)
            except sqlite3.OperationalError as error:
                if "decode" not in str(error):
                    raise
                raise GivenUpError([f"{table.name}: {error}. Correct the text, or store it as bytes"]) from error
            if not batch:
                return
            yield batch


def _checkpoint(path: Path) -> None:
    """Nobody waits for it: where it cannot be done now, another one does it later."""
    with suppress(sqlite3.Error), closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True)) as database:
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute("PRAGMA wal_checkpoint(PASSIVE)")


def _same(table: MovedTable) -> str:
    return " AND ".join(f"{sql.quote(column)} IS ?" for column in table.key)


def _text(column: str) -> str:
    # Bytes need not be UTF-8; they are written as PostgreSQL does.
    name = sql.quote(column)
    return f"CASE typeof({name}) WHEN 'blob' THEN '\\x' || lower(hex({name})) ELSE CAST({name} AS TEXT) END"


def _literal(key: object) -> str:
    if isinstance(key, bytes):
        return _blob(key)
    return sql.literal(key) if isinstance(key, str) else repr(key)


def _blob(key: bytes) -> str:
    return f"x'{key.hex()}'"


def _text_or_bytes(text: str) -> list[str]:
    """What a text of `values` stands for."""
    key = bytes_in(text)
    return [sql.literal(text), *([] if key is None else [_blob(key)])]


def _made(kind: str) -> str:
    return f"SELECT name FROM sqlite_master WHERE type = '{kind}' AND substr(name, 1, {len(PREFIX)}) = '{PREFIX}'"


def _capturing(table: MovedTable) -> list[str]:
    kept = sql.quote(f"{PREFIX}{table.number}")
    on = sql.quote(table.name)
    old, new = (", ".join(f"{which}.{sql.quote(column)}" for column in table.key) for which in ("OLD", "NEW"))
    into = f"INSERT INTO {kept} SELECT"
    events = {"INSERT": [new], "UPDATE": [old, new], "DELETE": [old]}
    return [
        f"CREATE TABLE {kept} AS SELECT {sql.listed(table.key)} FROM {on} WHERE 0",
        *(
            f"CREATE TRIGGER {sql.quote(f'{PREFIX}{table.number}_{event.lower()}')} AFTER {event} ON {on} BEGIN "
            + " ".join(f"{into} {values};" for values in keys)
            + " END"
            for event, keys in events.items()
        ),
    ]
