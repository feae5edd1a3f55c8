"""Deadlines without a timer for each: a tick looks through everything that waits.

Holds: what is watched is expired at most one tick after its deadline. What was released is not expired. A defect of one
keeps no other waiting. A process that was held up reads what came meanwhile before it expires anything.
Hot path: to watch and to release cost a set operation each (0.1 µs); a timer would cost ten times that.
"""

import asyncio
import logging
from collections.abc import Callable
from math import inf
from typing import Protocol

from shardgate.net.clock import now

TICK_S = 0.25
# A tick that is later than this found the process held up. The loop runs timers before it reads: a request or a reply
# that came in time may wait unread.
LATE_S = 0.1
# By then the loop has read what came.
READ_FIRST_S = 0.01

_log = logging.getLogger("shardgate")


class Watched(Protocol):
    """Something that waits until an instant at most."""

    deadline_at: float

    def expire(self) -> None:
        """The instant has passed."""


class Watch:
    """All that waits in one worker, and the clock that its deadlines are read on."""

    __slots__ = ("_due_at", "_handle", "_waiting", "add", "discard", "now")

    def __init__(self, clock: Callable[[], float] = now) -> None:
        self.now = clock
        """The clock of everything that is watched: seconds that only go forward. A test passes its own."""
        self._waiting: set[Watched] = set()
        self.add: Callable[[Watched], None] = self._waiting.add
        """Expire it after its deadline."""
        self.discard: Callable[[Watched], None] = self._waiting.discard
        """It waits no more."""
        self._due_at = inf
        self._handle: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin to tick."""
        self._due_at = now() + TICK_S
        self._handle = asyncio.get_running_loop().call_later(TICK_S, self._tick)

    def stop(self) -> None:
        """Tick no more."""
        if self._handle is not None:
            self._handle.cancel()

    def _tick(self) -> None:
        late_s = now() - self._due_at
        self.start()  # first: whatever fails below, the next tick comes
        if late_s < LATE_S:
            self.look()
        else:
            asyncio.get_running_loop().call_later(READ_FIRST_S, self.look)

    def look(self) -> None:
        """Expire what has waited past its deadline."""
        instant = self.now()
        waiting = self._waiting
        for watched in [watched for watched in waiting if watched.deadline_at <= instant]:
            # What expired before it may have ended it, or given it more time.
            if watched in waiting and watched.deadline_at <= instant:
                try:
                    watched.expire()
                except Exception:
                    _log.exception("something that has waited past its deadline could not be ended")
