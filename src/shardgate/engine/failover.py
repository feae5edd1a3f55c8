"""Requests that wait for a shard which cannot be reached just now: it fails over to another instance.

    cannot connect ──► waits ──► one is tried each tick ──► connected ──► all are sent, in the order of their arrival
                         │ wait_s is over ──► 503 (SG2001)

Holds: only what could not be sent waits; a read that was cut, and is sent once more, among it. Who waits, for how long
and how much of it is bounded. What comes while others wait stands behind them. A client that leaves takes its request
with it.
Never: waits for a shard that was reached and does not answer: what was sent may have been done.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

from shardgate.core.errors import ShardDownError
from shardgate.core.limits import FAILOVER_BYTES_MAX
from shardgate.core.replicas.settings import Failover
from shardgate.core.topology import ShardId
from shardgate.net.upstream.call import Call
from shardgate.net.watch import TICK_S, Watch
from shardgate.observe.meter import Meter

_log = logging.getLogger("shardgate")

# What came at the same time keeps its order; instants that were added to and taken from differ by less.
SAME_S: Final = 1e-6
NEXT_S: Final = 0.001
"""How soon it is looked whether a request has its connection, and the next one may follow."""


class Waiter(Protocol):
    """A request that waits."""

    @property
    def owner(self) -> object:
        """Whose request it is: the same each time that it waits."""

    @property
    def since_s(self) -> float:
        """When it came."""

    @property
    def size(self) -> int:
        """How many bytes of it are held."""

    @property
    def is_sent(self) -> bool:
        """Whether it has a connection, or is over."""

    def resume(self) -> None:
        """Send it now."""

    def give_up(self) -> None:
        """It has waited long enough."""


class CallsOfShard(Protocol):
    """Where the calls of one shard go."""

    def start(self, call: Call) -> None:
        """Send the call as soon as a connection is free. Its sink is told of a failure, too."""


class FailoverQueue:
    """The requests of one worker that wait for one shard."""

    __slots__ = (
        "_bytes",
        "_is_releasing",
        "_is_resuming",
        "_meter",
        "_settings",
        "_shard",
        "_trial",
        "_upstream",
        "_waiting",
        "_watch",
        "deadline_at",
    )

    def __init__(self, shard: ShardId, settings: Failover, upstream: CallsOfShard, watch: Watch, meter: Meter) -> None:
        self._settings = settings
        self._shard = shard
        self._upstream = upstream
        self._watch = watch
        self._meter = meter
        self._waiting: deque[Waiter] = deque()
        self._bytes = 0
        self._is_releasing = self._is_resuming = False
        self._trial: Waiter | None = None
        self.deadline_at = 0.0

    def start(self, call: Call) -> None:
        """Send a call that has just come; where others wait, it stands behind them."""
        if (self._waiting or self._trial is not None) and not self._is_resuming:
            call.fail(ShardDownError("the shard cannot be reached", log="other requests wait for it already"))
        else:
            self._upstream.start(call)

    def join(self, waiter: Waiter) -> bool:
        """Wait, in the order of arrival. False: it has waited long enough, or there is no room."""
        settings = self._settings
        was_first = self._trial is not None and self._trial.owner is waiter.owner
        if was_first:
            self._trial = None
        if self._watch.now() - waiter.since_s >= settings.wait_s:
            return False
        if len(self._waiting) >= settings.waiting_max or self._bytes + waiter.size > FAILOVER_BYTES_MAX:
            self._meter.refused("shard_failover")
            return False
        if not self._waiting and self._trial is None:
            self.deadline_at = self._watch.now() + TICK_S
            self._watch.add(self)
            _log.warning("shard %s cannot be reached: requests for it wait, %g s each", self._shard, settings.wait_s)
        place = 0 if was_first else len(self._waiting)
        while place and self._waiting[place - 1].since_s > waiter.since_s + SAME_S:
            place -= 1
        self._waiting.insert(place, waiter)
        self._count(waiter.size)
        self._meter.waited(self._shard)
        return True

    def leave(self, waiter: Waiter) -> None:
        """The client has left."""
        if waiter is self._trial:
            self._trial = None
        if waiter in self._waiting:
            self._waiting.remove(waiter)
            self._count(-waiter.size)

    def expire(self) -> None:
        """Each tick: end what has waited long enough, and find out whether the shard is back."""
        instant = self._watch.now()
        self.deadline_at = instant + TICK_S
        waiting = self._waiting
        while waiting and instant - waiting[0].since_s >= self._settings.wait_s:
            self._next().give_up()
        if self._is_releasing:
            pass
        elif self._trial is not None and self._trial.is_sent:
            _log.warning("shard %s is back: %d more requests that waited are sent", self._shard, len(waiting))
            self._release()
        elif self._trial is None and waiting:
            self._trial = self._next()
            self._resume(self._trial)
        if not waiting and self._trial is None:
            self._watch.discard(self)

    def _release(self) -> None:
        """The shard is back: one after the other is sent, each when the one before has its connection."""
        trial = self._trial
        if trial is not None and trial.is_sent:
            trial = self._trial = self._next() if self._waiting else None
            if trial is not None:
                self._resume(trial)
        self._is_releasing = trial is not None  # none: all are sent, or one has failed again
        if self._is_releasing:
            asyncio.get_running_loop().call_later(NEXT_S, self._release)

    def _resume(self, waiter: Waiter) -> None:
        self._is_resuming = True
        try:
            waiter.resume()
        finally:
            self._is_resuming = False

    def _next(self) -> Waiter:
        waiter = self._waiting.popleft()
        self._count(-waiter.size)
        return waiter

    def _count(self, size: int) -> None:
        self._bytes += size
        self._meter.waiting(self._shard, len(self._waiting))


class Awaited:
    """A request whose reply is awaited by a task."""

    def __init__(self, queue: FailoverQueue, since_s: float, size: int) -> None:
        self._queue = queue
        self._may_go: asyncio.Future[bool] | None = None
        self.owner = self
        self.since_s = since_s
        self.size = size
        self.is_connected: Callable[[], bool] = _never
        """Whether the call that is made now has a connection, or is over."""

    @property
    def is_sent(self) -> bool:
        """Whether it has a connection, or is over."""
        return self.is_connected()

    async def wait(self) -> bool:
        """Wait for the shard. False: the request is not sent again."""
        self._may_go = asyncio.get_running_loop().create_future()
        self.is_connected = _never
        if not self._queue.join(self):
            return False
        try:
            return await self._may_go
        except asyncio.CancelledError:
            self._queue.leave(self)
            raise

    def resume(self) -> None:
        """Send it now."""
        if self._may_go is not None and not self._may_go.done():
            self._may_go.set_result(True)

    def give_up(self) -> None:
        """It has waited long enough."""
        if self._may_go is not None and not self._may_go.done():
            self._may_go.set_result(False)


def _never() -> bool:
    return False
