"""Deletes what has had its time: expired idempotency keys, and changes that are over, in short steps.

Holds: one worker at a time does so, by a lease.
Never: decides how much at once, or when (core/changes/purging.py does).
"""

import asyncio
import logging
from collections.abc import Callable

from shardgate.core.changes.purging import BYTES_MAX, IDLE_S, PurgePace
from shardgate.core.errors import StoreUnavailableError
from shardgate.net.clock import now, wall
from shardgate.store.purged import Purged
from shardgate.store.writer import Writer

_log = logging.getLogger("shardgate")

Purge = Callable[[float, int, int, Callable[[], float]], Purged]


class Housekeeper:
    """Purges the store while its worker holds the lease."""

    __slots__ = ("_entries", "_journal_kept_s", "_keys", "_writer")

    def __init__(self, writer: Writer, journal_kept_s: float) -> None:
        self._writer = writer
        self._journal_kept_s = journal_kept_s
        self._keys = PurgePace()
        self._entries = PurgePace()

    async def run(self) -> None:
        """Purge as long as something is due, then look again now and then."""
        while True:
            rest_s = await self._step()
            await asyncio.sleep(rest_s)

    async def _step(self) -> float:
        """Make one step of each table; returns how long to wait for the next."""
        writer = self._writer
        try:
            if not await writer.run(writer.leases.lead, "purge"):
                return IDLE_S
            at = await writer.run(writer.wall, wall())
            keys_s = await self._purge(self._keys, writer.keys.purge, at)
            return min(keys_s, await self._purge(self._entries, writer.journal.purge, at - self._journal_kept_s))
        except StoreUnavailableError as error:
            _log.error("the store cannot be purged: %s", error.log)
            return IDLE_S

    async def _purge(self, pace: PurgePace, purge: Purge, before: float) -> float:
        done = await self._writer.run(purge, before, pace.rows, BYTES_MAX, now)
        return pace.after(more=done.more, held_s=done.held_s)
