"""What could not be written down while the store was in trouble: it is written as soon as it can be.

Holds: debts are paid in the order in which they came. They are few: while the store cannot be written, no change begins
that would add one.
Never: sends anything.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Final

from shardgate.core.errors import StoreUnavailableError
from shardgate.store.journal import NotOwnerError
from shardgate.store.writer import Writer

POLL_S: Final = 0.25

_log = logging.getLogger("shardgate")

_Job = Callable[[], None]


class Debts:
    """The debts of one worker."""

    __slots__ = ("_owed", "_writer")

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._owed: deque[_Job] = deque()

    def __len__(self) -> int:
        return len(self._owed)

    def owe(self, job: _Job) -> None:
        """Write this later."""
        if not self._owed:
            _log.error("the store cannot be written; what was done is written down as soon as it can be")
        self._owed.append(job)

    async def pay(self, job: _Job) -> None:
        """Write this now; or later, where the store is in trouble."""
        try:
            await self._writer.run(job)
        except StoreUnavailableError:
            self.owe(job)

    async def run(self) -> None:
        """Pay debts as soon as that is possible."""
        while True:
            await asyncio.sleep(POLL_S)
            await self.settle()

    async def settle(self) -> None:
        """Pay all debts, if that is possible now."""
        count = len(self._owed)
        while self._owed:
            try:
                await self._writer.run(self._owed[0])
            except StoreUnavailableError:
                return
            except NotOwnerError:
                pass  # an operator has decided meanwhile
            self._owed.popleft()
        if count:
            _log.warning("the store can be written again; all that was done is written down")
