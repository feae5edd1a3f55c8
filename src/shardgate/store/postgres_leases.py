"""Leases in PostgreSQL: locks of a session, which one thread of the worker keeps alive.

The server ends a session that is silent for SILENT_S, and then the locks: so the lease of a gateway that is cut off or
stopped ends. The worker itself knows it earlier: after HELD_S without an answer it counts on its lease no more.

Holds: while a worker counts on its lease, no other session can have it. Between two looks at it nothing is waited for.
Never: uses the connection that writes.
"""

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from secrets import randbelow
from typing import Any, Final

import psycopg

from shardgate.core.hosts import PostgresUrl
from shardgate.store.database import StoreError
from shardgate.store.leases import FIRST_WORKER, WORKERS, LeaseName, Leases
from shardgate.store.postgres_connection import Session, connect, said, uptime

SILENT_S: Final = 5.0
HELD_S: Final = 4.0
BEAT_S: Final = 1.0
RETRY_S: Final = 0.25
ANSWER_S: Final = 2.0
UNSURE_S: Final = 5.0
"""After the server was away: so long others have to come back to it, and are not called dead."""
_TAKEN_WITHIN: Final = 20  # tries
_NAMES: Final[dict[LeaseName, int]] = {
    "replay": 0x5347_4154_0000_0002,
    "purge": 0x5347_4154_0000_0003,
    "move": 0x5347_4154_0000_0004,
}

_log = logging.getLogger("shardgate")


class PostgresLeases(Leases):
    """The leases of one worker. `lead` and `lives` are used by one thread at a time."""

    __slots__ = (
        "_connection",
        "_ending",
        "_held_until",
        "_led",
        "_lock",
        "_place",
        "_said",
        "_thread",
        "_unsure_until",
        "ask",
        "worker",
    )

    def __init__(self, place: PostgresUrl) -> None:
        """Take the lease of a new worker as soon as the server can be reached."""
        self._place = place
        self.worker = str(FIRST_WORKER + randbelow(WORKERS))
        self.ask: Callable[..., Any]
        """Asks the store; set before `lives` is used."""
        self._lock = threading.Lock()
        self._connection: Session | None = None
        self._led: set[LeaseName] = set()
        self._held_until = self._unsure_until = 0.0
        self._said = ""
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="leases", daemon=True)
        self._thread.start()

    def lead(self, name: LeaseName) -> bool:
        with self._lock:
            if self._connection is None or not self.holds():
                return False
            if name in self._led:
                return True
            try:
                if self._try(self._connection, _NAMES[name]):
                    self._led.add(name)
            except psycopg.Error as error:
                self._lose(error)
            return name in self._led

    def lives(self, worker: str | None) -> bool:
        if worker is None or not worker.isdecimal():
            return False  # of an operator
        number = int(worker)
        if worker == self.worker or not FIRST_WORKER <= number < FIRST_WORKER + WORKERS:
            return worker == self.worker
        if uptime() < self._unsure_until:
            return True
        # Refused exactly while a session has the lease. Whoever looks at the same time has a shared one, too.
        row = self.ask(
            "SELECT pg_try_advisory_xact_lock_shared(?), now() - pg_postmaster_start_time() < ? * interval '1 s'",
            (number, UNSURE_S),
        ).fetchone()
        return not row[0] or bool(row[1])

    def holds(self) -> bool:
        return uptime() < self._held_until

    def retake(self) -> bool:
        with self._lock:
            self._beat()
        return self.holds()

    def close(self) -> None:
        self._ending.set()
        self._thread.join()
        with self._lock:
            if self._connection is not None:
                with suppress(psycopg.Error):
                    self._connection.execute("SELECT pg_advisory_unlock_all()")
                self._connection.close()
            self._connection, self._held_until = None, 0.0
            self._led.clear()

    def _keep(self) -> None:
        rest_s = 0.0
        while not self._ending.wait(rest_s):
            with self._lock:
                self._beat()
            rest_s = BEAT_S if self._connection is not None else RETRY_S

    def _beat(self) -> None:
        began_at = uptime()
        try:
            if self._connection is None or self._connection.closed:
                self._take()
            else:
                self._connection.execute("SELECT 1")
        except (psycopg.Error, StoreError) as error:
            self._lose(error)
        else:
            self._held_until = began_at + HELD_S
            if self._said:
                self._said = ""
                _log.warning("the worker has its lease in the store again")

    def _take(self) -> None:
        """Raises psycopg.Error, StoreError."""
        connection = connect(self._place, answer_s=ANSWER_S, silent_s=SILENT_S)
        try:
            tries = 0
            while not self._try(connection, int(self.worker)):
                # Our own session from before, which the server has not given up yet; or one that only looks.
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
                    " AND mode = 'ExclusiveLock' AND database = (SELECT oid FROM pg_database WHERE"
                    " datname = current_database()) AND (classid::bigint << 32) | objid::bigint = %s",
                    (int(self.worker),),
                )
                if (tries := tries + 1) > _TAKEN_WITHIN or self._ending.wait(0.01 * tries):
                    raise psycopg.OperationalError("the lease of this worker is still taken")
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        self._led.clear()

    def _lose(self, error: Exception) -> None:
        if (problem := said(error)) != self._said and not self._ending.is_set():
            self._said = problem
            _log.error("the worker's lease in the store cannot be kept: %s", problem)
        if self._connection is not None:
            with suppress(psycopg.Error):
                self._connection.close()
        self._connection = None
        self._led.clear()
        if self._said:
            self._unsure_until = uptime() + UNSURE_S

    @staticmethod
    def _try(connection: Session, number: int) -> bool:
        row = connection.execute("SELECT pg_try_advisory_lock(%s)", (number,)).fetchone()
        return bool(row and row[0])
