"""The store of several gateways: a schema of its own in a PostgreSQL database.

Holds: committed data is on the server's disk, and on its synchronous replicas where it has any. Write transactions wait
for one lock of the database, so that they run one after another, as in SQLite. A worker whose lease has ended writes
nothing. Where the connection breaks while a transaction is committed, the next connection looks whether it was; so a
job that fails has written nothing, but for CommitUnknownError. Nothing waits longer than ANSWER_S for one answer.
Jobs that wait for their turn at the same time are written in one transaction, each behind a savepoint: a commit waits
for the disk, and all gateways wait for it.
Never: changes anything outside of the schema `shardgate`, or a store that was made by a newer version.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from secrets import token_hex
from typing import Any, ClassVar, Final

import psycopg

from shardgate.core.hosts import PostgresUrl
from shardgate.store.database import CommitUnknownError, JobOutcome, Store, StoreError, outcome_of
from shardgate.store.postgres_connection import CHANNEL, LOCK, SCHEMA, Session, connect, said, uptime
from shardgate.store.postgres_cures import explained, require_rights, require_sessions
from shardgate.store.postgres_leases import PostgresLeases
from shardgate.store.postgres_schema import is_current, may_make, migrate
from shardgate.store.postgres_sql import statement
from shardgate.store.statements import ResultRows, StatementValues

_TIME: Final = "extract(epoch FROM clock_timestamp())::float8"
RETRY_S: Final = 0.25  # after a connection failed: until then nobody waits for another try
RESOLVE_S: Final = 4.0  # less than a job may wait for its turn (writer.py)


class LeaseLostError(Exception):
    """The lease of this worker has ended, so that others may have taken over what it drove: it writes nothing."""


@contextmanager
def _explained(place: PostgresUrl) -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        raise explained(place, error) from error


class PostgresStore(Store):
    """One connection to the database: made when it is first used, and anew where it has broken."""

    __slots__ = (
        "_commits",
        "_connection",
        "_error",
        "_has_savepoint",
        "_in_block",
        "_in_transaction",
        "_leases",
        "_name",
        "_place",
        "_quiet_until",
        "_time_s",
        "_undos",
        "_wrote",
    )

    errors: ClassVar[tuple[type[Exception], ...]] = (psycopg.Error, CommitUnknownError, LeaseLostError, StoreError)
    jobs_at_once: ClassVar[int] = 64

    def __init__(self, place: PostgresUrl, leases: PostgresLeases | None = None) -> None:
        """`leases`: of the worker that writes; None: it is no worker's, and nothing is ever taken from it."""
        self._place = place
        self._leases = leases
        self._connection: Session | None = None
        self._quiet_until = 0.0
        self._error: Exception = StoreError("")
        self._in_transaction = self._wrote = self._has_savepoint = False
        self._in_block = False  # of `transaction`: while jobs run together, others read beside it
        self._undos: list[Callable[[], None]] | None = None
        """While jobs run together: what to do where their transaction is not committed."""
        self._name = token_hex(12)
        self._commits = 0
        self._time_s = 0.0

    @property
    def place(self) -> PostgresUrl:
        """The URL."""
        return self._place

    def open(self) -> None:
        """Connect now. Raises StoreError."""
        with _explained(self._place):
            connection = self._ready()
            require_sessions(connection, self._place)
            require_rights(connection, self._place)

    def look(self) -> Mapping[str, Mapping[str, int]]:
        """How many keys each shard has, by space; makes nothing. Raises StoreError."""
        with _explained(self._place):
            self._connection = connection = connect(self._place)
            require_sessions(connection, self._place)
            if is_current(connection, self._place):
                require_rights(connection, self._place)
                return self.counts()
            if may_make(connection):
                return {}
        cure = f"Let its owner run: CREATE SCHEMA {SCHEMA} AUTHORIZATION the_user"
        raise StoreError(f"{self._place}: this user may not make the schema {SCHEMA}. {cure}")

    def execute(self, sql: str, values: StatementValues = ()) -> ResultRows:
        if self._in_transaction and self._undos is not None and not self._in_block:
            return self._read_together(sql, values)
        if self._in_transaction:
            self._wrote = self._wrote or not sql.lstrip().startswith("SELECT")
            return self._ready().execute(statement(sql), values or None)
        try:
            return self._ready().execute(statement(sql), values or None)
        except psycopg.OperationalError:
            if self._connection is None or not self._connection.closed:
                raise
        return self._ready().execute(
            statement(sql), values or None
        )  # it broke while nobody used it: only reads come here

    def _read_together(self, sql: str, values: StatementValues) -> ResultRows:
        """Read between the transactions of jobs that run together: a read that is refused must not end theirs."""
        self._set_savepoint()
        try:
            return self._ready().execute(statement(sql), values or None)
        except psycopg.Error:
            self._roll_back_to_savepoint()
            raise

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        self._wrote = True
        with self._ready().cursor() as cursor:
            cursor.executemany(statement(sql), rows)

    def clock(self, boot: str, up_s: float) -> tuple[str, float]:
        return "postgresql", self._time_s  # machines have clocks of their own: the server's is that of all

    def wall(self, wall_s: float) -> float:
        """The server's, so that a gateway whose clock is wrong ends nobody's key early."""
        if self._in_block:
            return self._time_s
        (server_s,) = self.execute(f"SELECT {_TIME}").fetchone()
        return float(server_s)

    @contextmanager
    def transaction(self, undo: Callable[[], None] | None = None) -> Iterator[None]:
        is_first = self._undos is None or not self._in_transaction
        if is_first:
            self._begin()
        else:
            self._set_savepoint()
        self._in_block = True
        try:
            yield
            if self._undos is None:
                self._commit()
        except BaseException:
            self._in_block = False
            if is_first:
                self._roll_back()
            else:
                self._roll_back_to_savepoint()
            if undo is not None:
                undo()
            raise
        self._in_block = False
        if self._undos is not None and undo is not None:
            self._undos.append(undo)

    def together(self, jobs: Iterable[Callable[[], Any]]) -> list[JobOutcome]:
        """Run jobs in one transaction: one that fails has written nothing; if it is not committed, all have failed."""
        undos: list[Callable[[], None]] = []
        self._undos = undos
        outcomes: list[JobOutcome] = []
        try:
            for job in jobs:
                outcomes.append(outcome_of(job))  # noqa: PERF401 - what was done is known where a later one raises
            if self._in_transaction:
                self._commit()
        except self.errors as problem:
            for undo in reversed(undos):
                undo()
            return [(None, error or problem) for _, error in outcomes]
        finally:
            self._undos = None
        return outcomes

    @contextmanager
    def reading(self) -> Iterator[None]:
        connection = self._ready()
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        self._in_transaction = True
        try:
            yield
        finally:
            self._roll_back()

    def wait(self, timeout_s: float) -> bool:
        """Wait until somebody changes the directory; False: the time is over. Raises psycopg.Error."""
        for _ in self._ready().notifies(timeout=timeout_s, stop_after=1):
            return True
        return False

    def listen(self) -> None:
        """Be told of changes from now on. Raises psycopg.Error."""
        self._ready().execute(f"LISTEN {CHANNEL}")

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection that has not broken, as far as anybody knows."""
        return self._connection is not None and not self._connection.closed

    def close(self) -> None:
        if self._connection is not None and not self._connection.closed:
            if self._commits:
                with suppress(psycopg.Error):
                    self._connection.execute("DELETE FROM commits WHERE session = %s", (self._name,))
            self._connection.close()
        self._connection = None

    def _ready(self) -> Session:
        """Raises psycopg.Error, StoreError."""
        if self._connection is not None and not self._connection.closed:
            return self._connection
        if self._in_transaction:
            raise psycopg.OperationalError("the connection was lost within the transaction")
        if uptime() < self._quiet_until:
            raise self._error
        try:
            self._connection = self._connect()
        except (psycopg.Error, StoreError) as error:
            self._quiet_until, self._error = uptime() + RETRY_S, error
            raise
        return self._connection

    def _connect(self) -> Session:
        connection = connect(self._place)
        try:
            if not is_current(connection, self._place):
                migrate(connection, self._place)
        except BaseException:
            connection.close()
            raise
        return connection

    def _begin(self) -> None:
        for last in (False, True):
            try:
                if self._begun():
                    return
            except psycopg.OperationalError:
                if last or self.is_connected:
                    raise
                continue  # it broke while nobody used it
            if last or self._leases is None or not self._leases.retake():
                raise LeaseLostError("the lease of this worker has ended")

    def _begun(self) -> bool:
        """Begin, and wait for the turn. False: the worker's lease has ended, and nothing was begun."""
        connection = self._ready()
        # A shared lock is refused exactly while the session of the lease has its own.
        fence = "false" if self._leases is None else f"pg_try_advisory_xact_lock_shared({self._leases.worker})"
        try:
            cursor = connection.execute(f"BEGIN; SELECT pg_advisory_xact_lock({LOCK}); SELECT {fence}, {_TIME}")
        except psycopg.Error:
            self._roll_back()
            raise
        while cursor.nextset():
            pass
        row = cursor.fetchone()
        if row is None or row[0]:
            self._roll_back()
            return False
        self._in_transaction, self._wrote, self._time_s = True, False, float(row[1])
        self._has_savepoint = False
        return True

    def _set_savepoint(self) -> None:
        self._ready().execute("RELEASE SAVEPOINT job; SAVEPOINT job" if self._has_savepoint else "SAVEPOINT job")
        self._has_savepoint = True

    def _roll_back_to_savepoint(self) -> None:
        if self.is_connected and self._connection is not None:
            with suppress(psycopg.Error):  # then the transaction cannot be committed
                self._connection.execute("ROLLBACK TO SAVEPOINT job")

    def _roll_back(self) -> None:
        self._in_transaction = False
        if self.is_connected and self._connection is not None:
            with suppress(psycopg.Error):
                self._connection.execute("ROLLBACK")

    def _commit(self) -> None:
        connection = self._connection
        if connection is None or connection.closed:
            self._in_transaction = False
            raise psycopg.OperationalError("the connection was lost within the transaction")
        if not self._wrote:
            self._roll_back()
            return
        number = self._commits + 1
        try:
            # In one message. The server's own number of a transaction would not do: it is another's after a failover.
            connection.execute(
                f"INSERT INTO commits (session, number) VALUES ('{self._name}', {number}) ON CONFLICT (session)"  # noqa: S608
                " DO UPDATE SET number = excluded.number, at = now(); COMMIT"
            )
        except psycopg.Error as error:
            self._in_transaction = False
            if not connection.closed:
                self._roll_back()
                raise
            if not self._was_committed(number):
                raise psycopg.OperationalError(f"the transaction was not committed: {said(error)}") from error
        finally:
            self._in_transaction = False
        self._commits = number

    def _was_committed(self, number: int) -> bool:
        """Whether a transaction is there whose commit was not answered. Raises CommitUnknownError."""
        deadline_at = uptime() + RESOLVE_S
        problem: Exception | None = None
        while uptime() < deadline_at:
            try:
                connection = self._ready()
                # With the lock, that transaction is over: it had the lock until its end.
                connection.execute(f"BEGIN; SELECT pg_advisory_xact_lock({LOCK})")
                found = connection.execute("SELECT number FROM commits WHERE session = %s", (self._name,)).fetchone()
                connection.execute("ROLLBACK")
            except (psycopg.Error, StoreError) as error:
                problem = error
                self._roll_back()
                time.sleep(RETRY_S)
            else:
                return found is not None and found[0] == number
        self._commits = number  # never used again, also where it is not there
        raise CommitUnknownError(f"the connection broke at a commit, and the server does not answer: {problem}")
