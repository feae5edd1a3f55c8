"""A PostgreSQL database as a shard between which tenants move.

Holds: a row is a line of COPY's text format. Nothing that a movement does locks a whole table for longer than it takes
to make or to remove a trigger, and that is given up and tried again where others use the table for long.
"""

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from functools import partial
from typing import Final

import psycopg

from shardgate.move.counting import reached
from shardgate.move.database import BESIDE, PREFIX, Counter, MovedRow
from shardgate.move.postgres_counters import postgres_counters
from shardgate.move.postgres_unique import postgres_unique_indexes
from shardgate.move.spellings import DatabaseKey, bytes_of, texts_of
from shardgate.move.tables import MovedTable
from shardgate.move.unique_indexes import Clash, TermValues, UniqueIndex
from shardgate.split.database import sql
from shardgate.split.database.address import DatabaseAddress
from shardgate.split.database.inventory import Inventory
from shardgate.split.postgres.inventory import read_inventory
from shardgate.split.postgres.names import relation
from shardgate.split.postgres.session import connect, conninfo

_BATCH_ROWS: Final = 1000
_LOCK_MS: Final = 300  # of others: those who come after us wait as long as we do
_TRIES: Final = 100
_TRIGGERS: Final = f"""SELECT t.tgname, n.nspname, c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace WHERE starts_with(t.tgname, '{PREFIX}')"""
_FUNCTIONS: Final = f"SELECT p.oid::regprocedure FROM pg_proc p WHERE starts_with(p.proname, '{PREFIX}')"
_TABLES: Final = f"""SELECT oid::regclass FROM pg_class
    WHERE relkind = 'r' AND relpersistence <> 't' AND starts_with(relname, '{PREFIX}')"""
_KIND: Final = """SELECT coalesce(nullif(t.typbasetype, 0), t.oid)::regtype::text FROM pg_attribute a
    JOIN pg_type t ON t.oid = a.atttypid WHERE a.attrelid = {}::regclass AND a.attname = {}"""
_TEXTS: Final = frozenset({"text", "character varying", "character", "citext", "name"})


class PostgresShard:
    """One connection to the database."""

    __slots__ = ("_connection",)

    def __init__(self, address: DatabaseAddress) -> None:
        self._connection = connect(conninfo(address))
        self._connection.autocommit = True  # transactions are begun by name
        self._connection.execute(f"SET lock_timeout = {_LOCK_MS}".encode())

    def relation(self, table: str) -> str:
        """The name of a table as SQL."""
        return relation(table)

    def query(self, statement: str) -> list[tuple[object, ...]]:
        """All rows of a SELECT."""
        return self._connection.execute(statement.encode()).fetchall()

    def run(self, statement: str) -> int:
        """Run a statement; returns how many rows it changed."""
        return self._connection.execute(statement.encode()).rowcount

    def refuses_changes(self) -> str:
        """A standby; or the database or its role is set so."""
        ((setting,),) = self.query("SELECT current_setting('transaction_read_only')")
        return "transactions are read-only" if setting == "on" else ""

    def begin(self, *, snapshot: bool = False) -> None:
        """Begin a transaction that writes; `snapshot`: all its statements see one moment."""
        self.run("BEGIN ISOLATION LEVEL REPEATABLE READ" if snapshot else "BEGIN ISOLATION LEVEL READ COMMITTED")
        self.run("SET CONSTRAINTS ALL DEFERRED")

    def commit(self) -> None:
        """Commit."""
        self.run("COMMIT")

    def rollback(self) -> None:
        """Undo the open transaction, if there is one."""
        try:
            if self._connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
                self.run("ROLLBACK")
        except psycopg.Error:
            return  # the connection is lost, and the transaction with it

    def read(self, table: MovedTable, where: str) -> Generator[list[MovedRow], None, None]:
        """The rows of a table under a condition, in batches."""
        count = len(table.key)
        columns = [*_texts(table.key), *map(sql.quote, table.table.columns)]
        query = f"{sql.select(columns, relation(table.name))} WHERE {where}"
        for lines in self._lines(query):
            parts = [line.split(b"\t", count) for line in lines]
            yield [(b"\t".join(part[:count]), part[count]) for part in parts]

    def keys(self, table: MovedTable, source: str) -> list[bytes]:
        """The primary keys in a table that has their columns, each once."""
        query = f"SELECT DISTINCT {', '.join(_texts(table.key))} FROM {source}"
        return [line.rstrip(b"\n") for lines in self._lines(query) for line in lines]

    def write(self, table: MovedTable, rows: Iterable[bytes]) -> None:
        """Insert rows, in the open transaction."""
        self._copy_in(relation(table.name), table.table.columns, rows)

    def make_room(self, tables: Sequence[MovedTable]) -> None:
        """Make an empty table beside each of these, and one for the keys of those that are dropped."""
        self.release()
        for each in tables:
            beside, dropped = _beside(each), _dropped(each)
            columns, key = sql.listed(each.table.columns), sql.listed(each.key)
            self.run(f"CREATE TABLE {beside} AS SELECT {columns} FROM {relation(each.name)} WITH NO DATA")
            self.run(f"CREATE INDEX ON {beside} ({key})")
            self.run(f"DROP TABLE IF EXISTS pg_temp.{dropped}")
            self.run(f"CREATE TEMP TABLE {dropped} AS SELECT {key} FROM {beside} WITH NO DATA")

    def keep(self, table: MovedTable, rows: Iterable[MovedRow]) -> None:
        """Put rows into the table beside, in the open transaction."""
        self._copy_in(_beside(table), table.table.columns, (row for _, row in rows))

    def keep_and_commit(self, table: MovedTable, rows: Iterable[MovedRow]) -> None:
        """Put rows into the table beside, in one transaction: nobody waits for it."""
        self.begin()
        try:
            self.keep(table, rows)
            self.commit()
        except BaseException:
            self.rollback()
            raise

    def drop(self, table: MovedTable, keys: Iterable[bytes]) -> None:
        """Delete rows from the table beside, in the open transaction."""
        beside, dropped = _beside(table), _dropped(table)
        self._copy_in(dropped, table.key, (key + b"\n" for key in keys))
        same = " AND ".join(f"{beside}.{column} = {dropped}.{column}" for column in map(sql.quote, table.key))
        self.run(f"DELETE FROM {beside} USING {dropped} WHERE {same}")
        self.run(f"DELETE FROM {dropped}")

    def rows(self, table: MovedTable) -> Iterator[list[bytes]]:
        """The rows that move, without their keys, in batches."""
        columns = [*map(sql.quote, table.table.columns)]
        yield from self._lines(f"{sql.select(columns, relation(table.name))} WHERE {table.where}")

    def kept(self, table: MovedTable) -> Iterator[list[bytes]]:
        """The rows of the table beside, in batches."""
        yield from self._lines(sql.select([*map(sql.quote, table.table.columns)], _beside(table)))

    def load(self, table: MovedTable) -> None:
        """Insert the rows of the table beside by one statement, as rows may refer to later ones of their table."""
        columns = sql.listed(table.table.columns)
        into = f"INSERT INTO {relation(table.name)} ({columns}) OVERRIDING SYSTEM VALUE"
        self.run(f"{into} SELECT {columns} FROM {_beside(table)}")

    def remove(self, table: MovedTable) -> Iterator[list[bytes]]:
        """Delete the rows that move; a row is what it was when it was deleted."""
        columns = sql.listed(table.table.columns)
        yield from self._lines(f"DELETE FROM {relation(table.name)} WHERE {table.where} RETURNING {columns}")

    def keys_named(self, table: str, column: str, name: str) -> list[DatabaseKey]:
        """The keys in this column that the directory may call so."""
        ((kind,),) = self.query(_KIND.format(sql.literal(relation(table)), sql.literal(column)))
        own = sql.quote(column)
        if kind == "bytea":
            wanted, text = list(map(_bytea, bytes_of(name))), f"'\\x' || encode({own}, 'hex')"
        elif kind == "uuid":
            wanted, text = [sql.literal(each) for each in texts_of(name)[1:2]], f"{own}::text"
        else:
            texts = texts_of(name) if kind in _TEXTS else [name]
            wanted, text = list(map(sql.literal, texts)), f"{own}::text"
        if not wanted:
            return []
        found = self.query(f"SELECT DISTINCT {text}, {own} FROM {relation(table)} WHERE {own} IN ({', '.join(wanted)})")
        return [DatabaseKey(sql.literal(str(each)), is_exact=key == name) for each, key in found]

    def values(
        self, table: MovedTable, columns: Sequence[str], where: str
    ) -> Generator[list[tuple[str, ...]], None, None]:
        """Columns of the rows under a condition, as texts, in batches."""
        given = " AND ".join(f"{sql.quote(column)} IS NOT NULL" for column in columns)
        query = f"{sql.select(_texts(columns), relation(table.name))} WHERE {where} AND {given}"
        for rows in self._rows(query):
            yield [tuple(map(str, row)) for row in rows]

    def present(self, table: MovedTable, columns: Sequence[str], rows: Sequence[tuple[str, ...]]) -> list[str]:
        """Those of these values that the table has, at most one."""
        listed = ", ".join("(" + ", ".join(map(sql.literal, row)) + ")" for row in rows)
        source = f"{relation(table.name)} WHERE ({sql.listed(columns)}) IN ({listed}) LIMIT 1"
        return [", ".join(map(str, row)) for row in self.query(sql.select(_texts(columns), source))]

    def unique_indexes(self, table: MovedTable) -> list[UniqueIndex]:
        """All that keeps two rows of the table apart, the primary key first."""
        return postgres_unique_indexes(self.query, relation(table.name))

    def terms(self, table: MovedTable, index: UniqueIndex) -> Generator[list[TermValues], None, None]:
        """What the terms of an index are of the rows that move and that it holds, in batches."""
        source = f"{relation(table.name)} WHERE {table.where} AND {index.condition}"
        yield from self._rows(sql.select([f"({term})::text" for term in index.terms], source))

    def clash(self, table: MovedTable, index: UniqueIndex, rows: Sequence[TermValues]) -> Clash | None:
        """One row of this database that is at odds with one of these, which `terms` of the other one gave."""
        own = relation(table.name)
        kinds = self.query(sql.select([f"pg_typeof({term})::text" for term in index.terms], f"{own} LIMIT 1"))
        if not kinds:
            return None
        columns = [f"{PREFIX}term_{place}" for place in range(len(index.terms))]
        listed = ", ".join(f"({', '.join(map(_typed, row, kinds[0]))})" for row in rows)
        at_odds = " AND ".join(
            f"({term} {operator} {column}"
            + (f" OR {term} IS NULL AND {column} IS NULL)" if index.nulls_are_equal else ")")
            for term, operator, column in zip(index.terms, index.operators, columns, strict=True)
        )
        source = f"(VALUES {listed}) AS {PREFIX}terms ({', '.join(columns)}) JOIN {own} ON {index.condition}"
        wanted = [*_texts(table.key), *(f"coalesce({column}::text, 'NULL')" for column in columns)]
        for row in self.query(f"{sql.select(wanted, source)} AND {at_odds} LIMIT 1"):
            key, values = row[: len(table.key)], row[len(table.key) :]
            return Clash(", ".join(map(str, key)), ", ".join(map(str, values)))
        return None

    def capture(self, tables: Sequence[MovedTable]) -> None:
        """Write down the primary key of every row that changes from now on."""
        self.release()
        for each in tables:
            for statement in _capturing(each):
                self._patiently(partial(self.run, statement))

    def pass_over_own_changes(self) -> None:
        """What the open transaction changes is not written down."""
        self.run("SET LOCAL shardgate.move = 'on'")

    def release(self) -> None:
        """Remove all that a movement has made."""
        self._patiently(self._release)

    def counters(self, table: MovedTable) -> list[Counter]:
        """Where the sequences are that count for columns of the table."""
        return [counter for _, counter in postgres_counters(self.query, relation(table.name))]

    def follow_counters(self, table: MovedTable, where: str) -> None:
        """Let a sequence that could come to a number of these rows go on behind them."""
        for name, counter in postgres_counters(self.query, relation(table.name)):
            greatest = reached(self, table, counter)
            if greatest is not None:
                self.query(f"SELECT setval({sql.literal(name)}, {greatest})")

    def await_writers(self, tables: Sequence[MovedTable]) -> None:
        """Return once no transaction that was open has written into these tables, and may still commit that."""
        self._patiently(partial(self._lock, ", ".join(relation(each.name) for each in tables)))

    def shown(self, key: bytes) -> str:
        """A primary key, for people."""
        return key.decode(errors="replace").replace("\t", ", ")

    def inventory(self) -> Inventory:
        """Every object of the database, without those of movements."""
        found = read_inventory(self.query)
        return {name: definition for name, definition in found.items() if PREFIX not in name.name}

    def close(self) -> None:
        """Close the connection; an open transaction is undone."""
        self._connection.close()

    def _lock(self, relations: str) -> None:
        self.begin()
        try:
            self.run(f"LOCK TABLE {relations} IN SHARE ROW EXCLUSIVE MODE")
        finally:
            self.rollback()

    def _release(self) -> None:
        for trigger, schema, table in self.query(_TRIGGERS):
            self.run(f"DROP TRIGGER {sql.quote(str(trigger))} ON {sql.quote(str(schema))}.{sql.quote(str(table))}")
        for (function,) in self.query(_FUNCTIONS):
            self.run(f"DROP FUNCTION {function}")
        for (table,) in self.query(_TABLES):
            self.run(f"DROP TABLE {table}")

    def _patiently(self, work: Callable[[], object]) -> None:
        """Do what needs a lock that others may hold for long."""
        for _ in range(_TRIES):
            try:
                work()
            except psycopg.errors.LockNotAvailable:
                time.sleep(_LOCK_MS / 1000)  # let pass who waits behind us
            else:
                return
        work()

    def _copy_in(self, into: str, columns: Sequence[str], lines: Iterable[bytes]) -> None:
        with self._connection.cursor() as cursor, cursor.copy(sql.copy_in(into, columns).encode()) as copy:
            for line in lines:
                copy.write(line)

    def _rows(self, query: str) -> Iterator[list[tuple[object, ...]]]:
        """The rows of a query whose columns are texts, or NULL, while they come: a tenant may have millions."""
        with self._connection.cursor() as cursor, cursor.copy(sql.copy_out(query).encode()) as copy:
            rows: list[tuple[object, ...]] = []
            for row in copy.rows():
                rows.append(row)
                if len(rows) == _BATCH_ROWS:
                    yield rows
                    rows = []
            if rows:
                yield rows

    def _lines(self, query: str) -> Iterator[list[bytes]]:
        with self._connection.cursor() as cursor, cursor.copy(sql.copy_out(query).encode()) as copy:
            lines: list[bytes] = []
            for line in copy:
                lines.append(bytes(line))
                if len(lines) == _BATCH_ROWS:
                    yield lines
                    lines = []
            if lines:
                yield lines


def _typed(value: object, kind: object) -> str:
    return ("NULL" if value is None else sql.literal(str(value))) + f"::{kind}"


def _bytea(key: bytes) -> str:
    return f"'\\x{key.hex()}'::bytea"


def _beside(table: MovedTable) -> str:
    return sql.quote(f"{BESIDE}{table.number}")


def _dropped(table: MovedTable) -> str:
    return sql.quote(f"{PREFIX}dropped_{table.number}")


def _texts(columns: Sequence[str]) -> list[str]:
    """`format` prints a value as COPY does."""
    return [f"format('%s', {sql.quote(column)})" for column in columns]


def _capturing(table: MovedTable) -> list[str]:
    name = f"{PREFIX}{table.number}"
    kept, on = sql.quote(name), relation(table.name)
    old, new = (", ".join(f"{which}.{sql.quote(column)}" for column in table.key) for which in ("OLD", "NEW"))
    return [
        f"CREATE TABLE {kept} AS SELECT {sql.listed(table.key)} FROM {on} WITH NO DATA",
        # With the rights of the mover: the application's own role may not write into its tables.
        f"""CREATE FUNCTION {kept}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT
            AS $$
            BEGIN
              IF current_setting('shardgate.move', true) = 'on' THEN RETURN NULL; END IF;
              IF TG_OP <> 'INSERT' THEN INSERT INTO {kept} SELECT {old}; END IF;
              IF TG_OP <> 'DELETE' THEN INSERT INTO {kept} SELECT {new}; END IF;
              RETURN NULL;
            END $$""",
        f"CREATE TRIGGER {kept} AFTER INSERT OR UPDATE OR DELETE ON {on} FOR EACH ROW EXECUTE FUNCTION {kept}()",
    ]
