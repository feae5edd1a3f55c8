"""Goes on with the changes that were left open in the journal: their worker was killed, or a shard was down.

Holds: one worker at a time does so, by a lease. What a living worker drives is never taken from it, and what a dead one
drove not before it has been dead for a while. Changes of one order are resumed in that order.
"""

import asyncio
import logging

from shardgate.core.changes.deaths import Deaths
from shardgate.core.changes.steps import refuse_all
from shardgate.core.errors import OverloadError, StoreUnavailableError, UnrecordedError
from shardgate.core.held import HeldBytes, Holdings
from shardgate.engine.change.journal_driver import JournalDriver
from shardgate.net.clock import now
from shardgate.store.journal import NotOwnerError, Orphan
from shardgate.store.writer import Writer

POLL_S = 0.25
AT_ONCE = 64
LOOKED_AT = 2000

_log = logging.getLogger("shardgate")


class Replayer:
    """Resumes changes while this worker holds the lease."""

    __slots__ = ("_deaths", "_held", "_journaling", "_last_id", "_put_right", "_writer")

    def __init__(self, writer: Writer, journaling: JournalDriver, held: HeldBytes, lease_s: float) -> None:
        """`lease_s`: how long a worker must have been dead."""
        self._held = held
        self._writer = writer
        self._journaling = journaling
        self._deaths = Deaths(max(lease_s, writer.leases.dead_after_s))
        self._put_right = False
        self._last_id = 0

    async def run(self) -> None:
        """While this worker holds the lease, go on with the changes that no worker drives."""
        while True:
            progress = False
            try:
                if await self._writer.run(self._writer.leases.lead, "replay"):
                    progress = await self._replay()
            except StoreUnavailableError as error:
                _log.error("the journal cannot be used: %s", error.log)
            except Exception:  # of one entry: the others must not wait for ever
                _log.exception("a pass over the journal failed")
            if not progress:
                await asyncio.sleep(POLL_S)

    async def _replay(self) -> bool:
        """Make one pass; whether any change made progress."""
        if not self._put_right:
            await self._release_unsent()
        found = await self._orphans()
        # What a shard does not settle must not keep those waiting that come behind it.
        others = [orphan for orphan in found if orphan.kind != "every" or orphan.unsettled]
        moved = asyncio.gather(*[self._go_on(orphan) for orphan in self._next_of(others)])
        progress = await self._in_order([orphan for orphan in found if orphan.kind == "every" and not orphan.unsettled])
        return any(await moved) or progress

    async def _orphans(self) -> list[Orphan]:
        journal, leases = self._writer.journal, self._writer.leases
        living = await self._writer.run(lambda: {owner: leases.lives(owner) for owner in journal.owners()})
        dead = self._deaths.due(living, living.__getitem__, now())
        return await self._writer.run(journal.orphans, dead, LOOKED_AT)

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
            if await self._go_on(orphan):
                progress = True
            else:
                down |= orphan.waits_for
        return progress

    async def _go_on(self, orphan: Orphan) -> bool:
        holdings = Holdings(self._held)
        try:
            size = await self._writer.run(self._writer.journal.size, orphan.id)
            # One that is larger than the bound must be ended, too, alone.
            holdings.open("change").take(min(size, self._held.client_bytes_max))
            adopt = self._writer.journal.adopt
            entry = await self._writer.run(adopt, orphan.id, self._journaling.worker, orphan.owner)
            if entry is None:
                return False
            before = [(branch.phase, branch.before is None) for branch in entry.branches]
            await self._journaling.drive(entry, holdings, patience_s=0)
        except (NotOwnerError, OverloadError):  # an OverloadError: there is no room to hold it now
            return False
        except (StoreUnavailableError, UnrecordedError) as error:
            _log.error("the journal cannot be used: %s", error.log)
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
