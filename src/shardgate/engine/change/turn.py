"""Lets the changes by `every` of one worker begin one after another.

The store would hold up a later change as well; to wait here saves asking it again and again.

Holds: nobody waits for long. A change that is not over after `ORDER_KEPT_S` lets others begin.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shardgate.core.limits import ORDER_KEPT_S


class Turn:
    """Whose turn it is."""

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        """Run the block when it is its turn, or after `ORDER_KEPT_S`."""
        try:
            async with asyncio.timeout(ORDER_KEPT_S):
                await self._lock.acquire()
        except TimeoutError:
            yield
            return
        over = False

        def end() -> None:
            nonlocal over
            if not over:
                over = True
                self._lock.release()

        ending = asyncio.get_running_loop().call_later(ORDER_KEPT_S, end)
        try:
            yield
        finally:
            ending.cancel()
            end()
