"""Goes on with the changes that were left open in the journal: their worker was killed, or a shard was down.

Holds: one worker at a time does so, by a lease in the store. Changes of one order are resumed in that order.
"""

import asyncio
import logging
import sqlite3

from shardgate.core.changes.steps import refuse_all
from shardgate.core.errors import OverloadError
from shardgate.core.held import HeldBytes, Holdings
from shardgate.engine.change.journal_driver import JournalDriver
from shardgate.net.clock import now, wall
from shardgate.store.journal import NotOwnerError, Orphan
from shardgate.store.writer import Writer

POLL_S = 0.25
AT_ONCE = 64
LOOKED_AT = 2000
PURGE_EVERY_S = 60.0
PURGE_AT_ONCE = 1000

_log = logging.getLogger("shardgate")


class Replayer:
    """Resumes changes while this worker holds the lease."""

    __slots__ = (
        "_held",
        "_journal_kept_s",
        "_journaling",
        "_last_id",
        "_lease_s",
        "_pulse",
        "_purged_at",
        "_put_right",
        "_writer",
    )

    def __init__(
        self,
        writer: Writer,
        pulse: Writer,
        journaling: JournalDriver,
        held: HeldBytes,
        lease_s: float,
        journal_kept_s: float,
    ) -> None:
        self._held = held
        self._writer = writer
        self._pulse = pulse  # a thread of its own: a worker with much to write must not look dead
        self._journaling = journaling
        self._lease_s = lease_s
        self._journal_kept_s = journal_kept_s
        self._purged_at = now()
        self._put_right = False
        self._last_id = 0

    async def run(self) -> None:
        """While this worker holds the lease, go on with the changes that no worker drives."""
        while True:
            try:
                progress = await self._replay() if await self._lead() else False
            except sqlite3.Error as error:
                _log.error("the journal cannot be read: %s", error)
                progress = False
            if not progress:
                await asyncio.sleep(POLL_S)

    async def live(self) -> None:
        """Renew this worker's sign of life, so that no other takes over what it drives."""
        while True:
            await asyncio.sleep(self._lease_s / 4)
            try:
                await self.say_alive()
            except sqlite3.Error as error:
                _log.error("the journal cannot be written: %s", error)

    async def say_alive(self) -> None:
        """Renew the sign of life once; also before the first request, so that the worker owns what it begins."""
        at = wall()
        await self._pulse.run(self._pulse.leases.live, self._journaling.worker, at, at + self._lease_s)

    async def stop(self) -> None:
        """Leave open changes to other workers."""
        await self._writer.run(self._writer.leases.give_up, self._journaling.worker)

    async def _lead(self) -> bool:
        at = wall()
        return await self._writer.run(
            self._writer.leases.take, "replay", self._journaling.worker, at, at + self._lease_s
        )

    async def _replay(self) -> bool:
        """Make one pass; whether any change made progress."""
        await self._purge()
        if not self._put_right:
            await self._release_unsent()
        found = await self._writer.run(self._writer.journal.orphans, wall(), LOOKED_AT)
        # What a shard does not settle must not keep those waiting that come behind it.
        others = [orphan for orphan in found if orphan.kind != "every" or orphan.unsettled]
        moved = asyncio.gather(*[self._go_on(orphan.id) for orphan in self._next_of(others)])
        progress = await self._in_order([orphan for orphan in found if orphan.kind == "every" and not orphan.unsettled])
        return any(await moved) or progress

    def _next_of(self, found: list[Orphan]) -> list[Orphan]:
        """Some of them, others at each pass: each comes up, however many there are."""
        turned = [orphan for orphan in found if orphan.id > self._last_id]
        chosen = [*turned, *found[: len(found) - len(turned)]][:AT_ONCE]
        self._last_id = chosen[-1].id if chosen else 0
        return chosen

    async def _in_order(self, found: list[Orphan]) -> bool:
        """Changes by `every`; a shard that is down is tried once, not once for each change that waits for it."""
        progress, down = False, set[str]()
        for orphan in found:
            if orphan.waits_for and orphan.waits_for <= down:
                continue
            if await self._go_on(orphan.id):
                progress = True
            else:
                down |= orphan.waits_for
        return progress

    async def _go_on(self, number: int) -> bool:
        holdings = Holdings(self._held)
        try:
            size = await self._writer.run(self._writer.journal.size, number)
            # One that is larger than the bound must be ended, too, alone.
            holdings.open("change").take(min(size, self._held.client_bytes_max))
            adopt = self._writer.journal.adopt
            entry = await self._writer.run(adopt, number, self._journaling.worker, wall())
            if entry is None:
                return False
            before = [(branch.phase, branch.before is None) for branch in entry.branches]
            await self._journaling.drive(entry, holdings, patience_s=0)
        except (NotOwnerError, OverloadError):  # an OverloadError: there is no room to hold it now
            return False
        finally:
            holdings.close()
        if not entry.open:
            _log.info("change %d (%s) is %s", entry.id, entry.operation, entry.state)
        return before != [(branch.phase, branch.before is None) for branch in entry.branches]

    async def _release_unsent(self) -> None:
        """End the changes that an earlier version has left stuck though nothing of them was ever sent."""
        journal = self._writer.journal
        for number in await self._writer.run(journal.put_right):
            entry = await self._writer.run(journal.seize, number, self._journaling.worker, "stuck")
            if entry is None:
                continue
            refuse_all(entry)
            holdings = Holdings(self._held)
            try:
                await self._journaling.drive(entry, holdings, patience_s=0)
            except NotOwnerError:
                continue
            finally:
                holdings.close()
            _log.info("change %d (%s), which was never sent, is %s", entry.id, entry.operation, entry.state)
        self._put_right = True

    async def _purge(self) -> None:
        if now() - self._purged_at >= PURGE_EVERY_S:
            self._purged_at = now()
            at = wall()
            await self._writer.run(self._writer.keys.purge, at, PURGE_AT_ONCE)
            await self._writer.run(self._writer.journal.purge, at - self._journal_kept_s, PURGE_AT_ONCE)
