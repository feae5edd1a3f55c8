"""Leases in PostgreSQL: locks of a session, which one thread of the worker keeps alive.

The server ends a session that is silent for SILENT_S, and then the locks: so the lease of a gateway that is cut off or
stopped ends. The worker itself knows it earlier: after HELD_S without an answer it counts on its lease no more.

A session can also be ended by an operator, or by what is between. The worker hears of it at once, and takes its lease
again; where it cannot, it counts on it for LOST_S.

Holds: a worker whose lease was free at each look for `dead_after_s` counts on it no more. What a worker led, it leads
again in its next session, unless another has it by then.
Never: uses the connection that writes.
"""

import logging
import select
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from secrets import randbelow
from typing import Any, ClassVar, Final

import psycopg

from shardgate.core.eldest import drop_oldest
from shardgate.core.hosts import PostgresUrl
from shardgate.store.database import StoreError
from shardgate.store.leases import FIRST_WORKER, WORKERS, LeaseName, Leases
from shardgate.store.postgres_connection import Session, connect, said, uptime

SILENT_S: Final = 5.0
HELD_S: Final = 4.0
LOST_S: Final = 1.0
"""After the end of its session is known: so long the worker tries to take its lease again, and counts on it still."""
BEAT_S: Final = 1.0
RETRY_S: Final = 0.25
ANSWER_S: Final = 2.0
UNSURE_S: Final = 5.0
"""After the server was away: so long others have to come back to it, and are not called dead."""
SEEN_S: Final = 10.0
"""A worker that was seen dead longer ago than this is looked at anew."""
SEEN_MAX: Final = 256
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
        "_end",
        "_ended",
        "_ending",
        "_held_until",
        "_led",
        "_lock",
        "_place",
        "_said",
        "_seen_dead",
        "_thread",
        "_unsure_until",
        "ask",
        "worker",
    )

    dead_after_s: ClassVar[float] = LOST_S + 0.5  # in which the worker hears of the end, also if that is sent twice

    def __init__(self, place: PostgresUrl) -> None:
        """Take the lease of a new worker as soon as the server can be reached."""
        self._place = place
        self.worker = str(FIRST_WORKER + randbelow(WORKERS))
        self.ask: Callable[..., Any]
        """Asks the store; set before `lives` is used."""
        self._lock = threading.Lock()
        self._connection: Session | None = None
        self._led: set[LeaseName] = set()
        self._seen_dead: dict[str, tuple[float, float]] = {}
        """Worker → when it was first seen dead, and when last."""
        self._held_until = self._unsure_until = 0.0
        self._said = ""
        self._ending = threading.Event()
        self._ended, self._end = socket.socketpair()  # tells the thread that waits for its session
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
            return self._connection is not None and name in self._led

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

    def is_dead(self, worker: str | None) -> bool:
        if self.lives(worker):
            self._seen_dead.pop(worker or "", None)
            return False
        if worker is None or not worker.isdecimal():
            return True
        instant = uptime()
        since, looked_at = self._seen_dead.pop(worker, (instant, instant))
        if instant - looked_at > SEEN_S:
            since = instant  # it may have lived meanwhile, and have lost its session again
        self._seen_dead[worker] = (since, instant)
        if len(self._seen_dead) > SEEN_MAX:
            drop_oldest(self._seen_dead)
        return instant - since >= self.dead_after_s

    def holds(self) -> bool:
        return uptime() < self._held_until

    def retake(self) -> bool:
        with self._lock:
            self._beat()
        return self.holds()

    def close(self) -> None:
        self._ending.set()
        self._end.close()
        self._thread.join()
        self._ended.close()
        with self._lock:
            self._held_until = 0.0
            if self._connection is not None:
                with suppress(psycopg.Error):
                    self._connection.execute("SELECT pg_advisory_unlock_all()")
                self._connection.close()
            self._connection = None
            self._led.clear()

    def _keep(self) -> None:
        while not self._ending.is_set():
            waiting = select.poll()
            waiting.register(self._ended, select.POLLIN)
            with self._lock:
                self._beat()
                if self._connection is not None:  # nothing comes that was not asked for, but the end of the session
                    waiting.register(self._connection, select.POLLIN)
                rest_s = RETRY_S if self._connection is None else BEAT_S
            waiting.poll(rest_s * 1000)

    def _beat(self) -> None:
        began_at = uptime()
        try:
            if self._connection is None:
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
            self._led = {name for name in self._led if self._try(connection, _NAMES[name])}
        except BaseException:
            connection.close()
            raise
        self._connection = connection

    def _lose(self, error: Exception) -> None:
        if (problem := said(error)) != self._said and not self._ending.is_set():
            self._said = problem
            _log.error("the worker's lease in the store cannot be kept: %s", problem)
        if self._connection is not None:
            self._held_until = min(self._held_until, uptime() + LOST_S)  # first: to close it frees the lease
            with suppress(psycopg.Error):
                self._connection.close()
        self._connection = None
        if self._said:
            self._unsure_until = uptime() + UNSURE_S

    @staticmethod
    def _try(connection: Session, number: int) -> bool:
        row = connection.execute("SELECT pg_try_advisory_lock(%s)", (number,)).fetchone()
        return bool(row and row[0])
