"""Lets the changes by `every` of one worker begin one after another.

The store would hold up a later change as well; to wait here saves asking it again and again.

Holds: a change that is not over after `ORDER_KEPT_S` lets others begin. A change that does not begin within
`ORDER_PATIENCE_S` is refused; one whose client has left does not begin.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

from shardgate.core.changes.line import PlaceInLine, TurnLine
from shardgate.core.errors import ClientLeftError, OverloadError
from shardgate.core.limits import ORDER_KEPT_S, ORDER_PATIENCE_S
from shardgate.net.clock import now


class Turn:
    """Whose turn it is."""

    __slots__ = ("_line", "_waking")

    def __init__(self, waiting_max: int) -> None:
        self._line = TurnLine(waiting_max)
        self._waking: dict[PlaceInLine, asyncio.Event] = {}

    @asynccontextmanager
    async def taken(self, wanted: Callable[[], bool]) -> AsyncIterator[float]:
        """Run the block when it is its turn. Yields the instant until which the change must begin, by `now`.

        Raises OverloadError where too many wait or it is too late, ClientLeftError.
        """
        place = PlaceInLine(now() + ORDER_PATIENCE_S, wanted)
        self._wake(self._line.join(place, now()))
        ending: asyncio.TimerHandle | None = None
        try:
            await self._wait(place)
            ending = asyncio.get_running_loop().call_later(ORDER_KEPT_S, self._leave, place)
            yield place.due_at
        finally:
            if ending is not None:
                ending.cancel()
            self._leave(place)

    async def _wait(self, place: PlaceInLine) -> None:
        if place.standing == "waits":
            self._waking[place] = woken = asyncio.Event()
            try:
                async with asyncio.timeout(place.due_at - now()):
                    await woken.wait()
            except TimeoutError:
                pass
            finally:
                del self._waking[place]
        if place.standing == "unwanted":
            raise ClientLeftError("the client left before the change began; nothing was done")
        if place.standing != "has the turn":
            detail = f"earlier changes took longer than {ORDER_PATIENCE_S:g} s"
            raise OverloadError(detail, budget="changes_waiting")

    def _leave(self, place: PlaceInLine) -> None:
        self._wake(self._line.leave(place, now()))

    def _wake(self, changed: Iterable[PlaceInLine]) -> None:
        for each in changed:
            if (woken := self._waking.get(each)) is not None:
                woken.set()
