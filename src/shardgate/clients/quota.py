"""Counts the calls of each client in memory that all workers share, and refuses those beyond its quota.

Holds: a call counts once, however many shards it reaches. Only a client's first call in a period waits for the disk,
to read the stored count. Counts are stored every few seconds and at the end: a crash of the whole gateway loses the
calls since the last time, in the client's favour; a worker that is killed alone loses only what it was writing.
"""

import asyncio
import logging
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from shardgate.clients.shared_quota import SharedQuota
from shardgate.core.clients.period import period_of
from shardgate.core.clients.rate_limit import limit_line, policy_line
from shardgate.core.clients.terms import ClientTerms, QuotaTerms
from shardgate.core.errors import QuotaSpentError, StoreUnavailableError, StoreUncertainError
from shardgate.net import tasks
from shardgate.net.clock import wall
from shardgate.store.sqlite import READER_BUSY_MS, SqliteStore
from shardgate.store.tally import NAME_BYTES_MAX, SPENT, UNSEEN, Tally
from shardgate.store.usage import Usage
from shardgate.store.writer import Writer

_NAMES_MAX = 16_384

_log = logging.getLogger("shardgate")


class Quota:
    """The quotas of all clients, in one worker. `clock` gives seconds since 1970."""

    __slots__ = ("_clock", "_names", "_period", "_policy", "_store", "_tally", "_terms", "_usage", "_writer", "shared")

    def __init__(self, terms: QuotaTerms, tally: Tally, writer: Writer, clock: Callable[[], float] = wall) -> None:
        self._terms = terms
        self._tally = tally
        # A connection of its own: the writer's thread may be waiting for the disk.
        place = writer.place
        self._store = SqliteStore(place, busy_ms=READER_BUSY_MS) if isinstance(place, Path) else None
        self._usage = Usage(self._store) if self._store is not None else None
        self._writer = writer
        self.shared = SharedQuota(tally, writer, terms.calls) if self._store is None else None
        """Where several gateways share the store."""
        self._names: dict[str, bytes] = {}
        self._clock = clock
        self._enter(clock())

    def count(self, client: str, path: str) -> tuple[bytes, QuotaSpentError | None] | None:
        """Count a call. Returns header lines for the reply, and the refusal if the quota is spent; None: no call was
        counted, and one must be claimed first."""
        at = self._clock()
        if not self._period.begins_at <= at < self._period.ends_at:
            self._enter(at)
        name = self._names.get(client) or self._name(client)
        limit = self._terms.calls
        if self.shared is None or self.shared.is_away:
            made = self._tally.count(name, limit)
            if made == UNSEEN:
                self._tally.add(name, self._stored(name))
                made = self._tally.count(name, limit)
        else:
            made = self._tally.spend(name)
            if made == UNSEEN:
                if not self.shared.is_spent(name):
                    return None
                made = SPENT
        seconds = int(self._period.ends_at - at) + 1
        lines = b""
        if self._terms.headers:
            lines = self._policy + limit_line(self._terms.window, limit - (made or limit), seconds)
        if made != SPENT:
            return lines, None
        error = QuotaSpentError(f"the quota of {limit} calls per {self._terms.window} is spent")
        error.retry_after_s = seconds
        self._terms.spent.say(error, path)
        return lines, error

    async def claim(self, client: str) -> None:
        """Claim calls of a client where several gateways share its quota."""
        if self.shared is not None:
            name, at = self._names.get(client) or self._name(client), self._clock()
            await self.shared.claim(name, *_parts(name), at)

    async def follow(self) -> None:
        """Store counts now and then, until cancelled."""
        while True:
            await asyncio.sleep(self._terms.flush_s)
            # Shielded: a write that is cancelled after it reached the disk would be given back, and stored twice.
            await asyncio.shield(tasks.start(self.store_counts(), "usage"))

    async def store_counts(self) -> None:
        """Store what all workers counted since the last time."""
        taken = self._tally.take()
        if not taken:
            return
        rows = [(*_parts(name), calls) for name, calls in taken]
        try:
            totals = await self._writer.run(self._writer.usage.add, rows, self._clock())
        except StoreUncertainError as error:
            _log.error("the calls of clients may be stored or not: %s; they are not stored again", error.log)
            return
        except StoreUnavailableError as error:
            _log.error("cannot store the calls of clients: %s; they stay in memory and are stored later", error.log)
            for name, calls in taken:
                self._tally.give_back(name, calls)
            return
        for (name, _), total in zip(taken, totals, strict=True):
            self._tally.settle(name, total)

    def close(self) -> None:
        """Close the store."""
        if self._store is not None:
            self._store.close()

    def _enter(self, at: float) -> None:
        self._period = period_of(self._terms.window, at)
        self._policy = policy_line(self._terms.window, self._terms.calls, self._period)
        self._names.clear()

    def _name(self, client: str) -> bytes:
        """The name that a client is counted by: its own, or a digest if that is too long or not printable."""
        name = f"{self._period.name} {client}".encode(errors="surrogatepass")
        if len(name) > NAME_BYTES_MAX or not client.isprintable():
            name = f"{self._period.name} sha256:{sha256(name).hexdigest()}".encode()
        if len(self._names) >= _NAMES_MAX:
            self._names.clear()
        self._names[client] = name
        return name

    def _stored(self, name: bytes) -> int:
        if self._usage is None or self._store is None:
            return 0  # a store that is away, on another machine
        try:
            self._store.prepare()
            return self._usage.calls(*_parts(name))
        except self._store.errors as error:
            _log.error("cannot read the calls of a client: %s; its count starts at 0", error)
            return 0


def _parts(name: bytes) -> tuple[str, str]:
    period, _, client = name.decode().partition(" ")
    return period, client


def tally_for(terms: ClientTerms | None) -> Tally | None:
    """Make the shared memory that calls are counted in; None where there is no quota."""
    return Tally() if terms is not None and terms.quota is not None else None
