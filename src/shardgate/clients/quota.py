"""The quota: a call is counted once, however many shards it is asked of, in memory that all workers share.

Holds: no request waits for a disk, but the first of a client in a period, which reads; what was counted is written down
every few seconds and at the end. A crash of the whole gateway loses what was counted since, in the client's favour;
a worker that is killed alone takes nothing along, but for what it was just writing.
"""

import asyncio
import logging
import sqlite3
from hashlib import sha256

from shardgate.core.clients.period import period_of
from shardgate.core.clients.rate_limit import limit_line, policy_line
from shardgate.core.clients.terms import ClientTerms, QuotaTerms
from shardgate.core.errors import QuotaSpentError
from shardgate.net import tasks
from shardgate.net.clock import wall
from shardgate.store.sqlite import SqliteStore
from shardgate.store.tally import NAME_BYTES_MAX, SPENT, UNSEEN, Tally
from shardgate.store.usage import Usage
from shardgate.store.writer import Writer

_NAMES_MAX = 16_384

_log = logging.getLogger("shardgate")


class Quota:
    """What each client has left, in one worker."""

    __slots__ = ("_names", "_period", "_policy", "_store", "_tally", "_terms", "_usage", "_writer")

    def __init__(self, terms: QuotaTerms, tally: Tally, writer: Writer) -> None:
        self._terms = terms
        self._tally = tally
        # What a client has made before is read at once, while the writer's thread may be waiting for the disk.
        self._store = SqliteStore(writer.path)
        self._usage = Usage(self._store)
        self._writer = writer
        self._names: dict[str, bytes] = {}
        self._enter(wall())

    def count(self, client: str, path: str) -> tuple[bytes, QuotaSpentError | None]:
        """Count a call: what the reply says of the quota, and the refusal where there is nothing left."""
        at = wall()
        if not self._period.begins_at <= at < self._period.ends_at:
            self._enter(at)
        name = self._names.get(client) or self._name(client)
        limit = self._terms.calls
        made = self._tally.count(name, limit)
        if made == UNSEEN:
            self._tally.add(name, self._written(name))
            made = self._tally.count(name, limit)
        seconds = int(self._period.ends_at - at) + 1
        lines = b""
        if self._terms.headers:
            lines = self._policy + limit_line(self._terms.window, limit - (made or limit), seconds)
        if made != SPENT:
            return lines, None
        error = QuotaSpentError(f"all {limit} calls of this {self._terms.window} are made")
        error.retry_after_s = seconds
        self._terms.spent.say(error, path)
        return lines, error

    async def follow(self) -> None:
        """Write down what was counted, now and then."""
        while True:
            await asyncio.sleep(self._terms.flush_s)
            # What is on its way to the disk is not called back when this ends: it would be written twice.
            await asyncio.shield(tasks.start(self.write_down(), "usage"))

    async def write_down(self) -> None:
        """Write down what was counted since the last time, by whichever worker."""
        taken = self._tally.take()
        if not taken:
            return
        rows = [(*_parts(name), calls) for name, calls in taken]
        try:
            totals = await self._writer.run(self._writer.usage.add, rows, wall())
        except sqlite3.Error as error:
            _log.error("calls of clients cannot be written down: %s; they stay in memory", error)
            for name, calls in taken:
                self._tally.give_back(name, calls)
            return
        for (name, _), total in zip(taken, totals, strict=True):
            self._tally.settle(name, total)

    def close(self) -> None:
        """Close the store."""
        self._store.close()

    def _enter(self, at: float) -> None:
        self._period = period_of(self._terms.window, at)
        self._policy = policy_line(self._terms.window, self._terms.calls, self._period)
        self._names.clear()

    def _name(self, client: str) -> bytes:
        """How the client is counted: by its name, or by its digest where that is too long or is no plain text."""
        name = f"{self._period.name} {client}".encode(errors="surrogatepass")
        if len(name) > NAME_BYTES_MAX or not client.isprintable():
            name = f"{self._period.name} sha256:{sha256(name).hexdigest()}".encode()
        if len(self._names) >= _NAMES_MAX:
            self._names.clear()
        self._names[client] = name
        return name

    def _written(self, name: bytes) -> int:
        try:
            return self._usage.calls(*_parts(name))
        except sqlite3.Error as error:
            _log.error("the calls of a client cannot be read: %s; they are counted from 0 on", error)
            return 0


def _parts(name: bytes) -> tuple[str, str]:
    period, _, client = name.decode().partition(" ")
    return period, client


def tally_for(terms: ClientTerms | None) -> Tally | None:
    """Memory to count in, where calls are counted."""
    return Tally() if terms is not None and terms.quota is not None else None
