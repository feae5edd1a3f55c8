"""The monthly quota: counted in memory, written down now and then and at the end.

Holds: no request writes to the database for being counted. Several processes on one database
learn of each other's calls when they write theirs down.
Never: counts a call for a token.
"""

import threading
from collections import Counter

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError, OperationalError

from bookings import tables as t
from bookings.background import Repeated
from bookings.clock import Clock
from bookings.database import Database
from bookings.errors import QUOTA_SPENT, ApiError


class Quota:
    """How many calls each client has made this month."""

    def __init__(self, database: Database, calls_a_month: int, clock: Clock) -> None:
        self._database = database
        self._calls_a_month = calls_a_month
        self._clock = clock
        self._lock = threading.Lock()
        self._written: Counter[tuple[str, str]] = Counter()
        self._fresh: Counter[tuple[str, str]] = Counter()
        self._writing = Repeated("quota", self.flush)

    def count(self, client_id: str) -> None:
        if not self._calls_a_month:
            return
        key = (client_id, self._clock().strftime("%Y-%m"))
        with self._lock:
            if self._written[key] + self._fresh[key] >= self._calls_a_month:
                raise ApiError(QUOTA_SPENT, "the monthly quota of requests is spent")
            self._fresh[key] += 1

    def start(self, every_s: float) -> None:
        with self._database.read() as connection:
            for row in connection.execute(select(t.usage)):
                self._written[row.client_id, row.month] = row.calls
        self._writing.start(every_s)

    def stop(self) -> None:
        self._writing.stop()
        self.flush()

    def flush(self) -> None:
        with self._lock:
            fresh, self._fresh = self._fresh, Counter()
            self._written.update(fresh)
        for key, calls in sorted(fresh.items()):
            if calls:
                self._write(key, calls)

    def _write(self, key: tuple[str, str], calls: int) -> None:
        try:
            total = self._add(*key, calls)
        except OperationalError:  # a database that is away costs no call: the next flush has it
            with self._lock:
                self._written[key] -= calls
                self._fresh[key] += calls
        else:
            with self._lock:
                self._written[key] = total

    def _add(self, client_id: str, month: str, calls: int) -> int:
        mine = (t.usage.c.client_id == client_id, t.usage.c.month == month)
        more = update(t.usage).where(*mine).values(calls=t.usage.c.calls + calls)
        with self._database.write() as connection:
            if not connection.execute(more).rowcount:
                first = insert(t.usage).values(client_id=client_id, month=month, calls=calls)
                try:
                    with connection.begin_nested():
                        connection.execute(first)
                except IntegrityError:  # another process was the first
                    connection.execute(more)
            return int(connection.execute(select(t.usage.c.calls).where(*mine)).scalar_one())
