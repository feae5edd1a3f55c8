"""The replicas of one shard: a pool of connections to each, and calls that one of them answers.

Holds: a call is told one end, as with a single pool. A change is sent to one replica; it is sent to another one only
where nothing was sent. A reply that has begun to pass on is never begun again.
Never: decides which replica, whether again and whether twice: core/replicas/group.py does.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from shardgate.core.replicas.group import Group, Replica
from shardgate.net.upstream.attempt import Attempt
from shardgate.net.upstream.call import Call
from shardgate.net.upstream.own_changes import OwnChanges
from shardgate.net.upstream.pool import Pool
from shardgate.net.watch import TICK_S, Watch


class ReplicaEvents(Protocol):
    """Is told what operators should see."""

    def left_out(self, index: int, for_s: float, why: str) -> None:
        """A replica gets no calls for so many seconds."""

    def came_back(self, index: int) -> None:
        """It gets calls again."""

    def checked(self, index: int, *, is_well: bool, why: str) -> None:
        """Its health check has changed: it is well, or it is not."""

    def retried(self) -> None:
        """A call is sent to another replica, since the first one failed."""

    def hedged(self) -> None:
        """A read is sent to a second replica, since the first one is late."""


class Replicas:
    """The connections of one worker to all replicas of one shard."""

    __slots__ = (
        "_events",
        "_late",
        "_open",
        "_own_changes",
        "_pools",
        "_timer",
        "_watch",
        "deadline_at",
        "group",
        "now",
    )

    def __init__(
        self, group: Group, pools: Sequence[Pool], watch: Watch, events: ReplicaEvents, own_changes: OwnChanges
    ) -> None:
        self.group = group
        self._own_changes = own_changes if group.has_followers else None
        self.now: Callable[[], float] = watch.now
        self._pools = pools
        self._watch = watch
        self._events = events
        self._open: set[Attempt] = set()
        self._late: deque[tuple[float, Attempt]] = deque()  # when a read is late, nearly in order
        self._timer: asyncio.TimerHandle | None = None
        self.deadline_at = watch.now() + TICK_S
        watch.add(self)

    def start(self, call: Call) -> None:
        """Send the call to a replica, as soon as a connection is free."""
        group, instant = self.group, self.now()
        needs_leader = not call.repeatable or self._follows_own_change(call, instant)
        replica = group.first(instant, changes=needs_leader)
        attempt = Attempt(self, call, replica, needs_leader=needs_leader)
        self._open.add(attempt)
        after_s = group.late_after_s if call.repeatable and not call.offers else None
        attempt.go(replica)
        if after_s is not None and not call.done:
            self._late.append((attempt.sent_at + after_s, attempt))
            if self._timer is None:
                self._wait(after_s)

    def send(self, replica: Replica, call: Call) -> None:
        """Send the call to this replica."""
        self._pools[replica.index].start(call)

    def failed(self, replica: Replica, why: str) -> None:
        """A call failed."""
        left_out_s = self.group.failed(replica, self.now())
        if left_out_s is not None:
            self._events.left_out(replica.index, left_out_s, why)

    def answered(self, replica: Replica, took_s: float) -> None:
        """A reply has begun that is no failure."""
        if self.group.answered(replica, took_s, self.now()):
            self._events.came_back(replica.index)

    def checked(self, replica: Replica, why: str, *, is_well: bool) -> None:
        """A health check is over. Reads that wait for a replica that has just become unwell go to another one, too."""
        if self.group.checked(replica, self.now(), is_well=is_well):
            self._events.checked(replica.index, is_well=is_well, why=why)
            if not is_well:
                self._hedge_all(replica)

    def retried(self) -> None:
        """A call is sent to another replica."""
        self._events.retried()

    def over(self, attempt: Attempt) -> None:
        """The attempt is over."""
        self._open.discard(attempt)
        if self._own_changes is not None and not attempt.call.repeatable:
            self._own_changes.note(attempt.call.head, self.now())

    @property
    def is_silent(self) -> bool:
        """Whether all replicas take calls and answer none."""
        return all(pool.is_silent for pool in self._pools)

    def figures(self) -> tuple[int, int, int, int]:
        """Open connections, idle ones, calls that wait, and how many calls have ever waited: of all replicas."""
        figures = [pool.figures() for pool in self._pools]
        return (
            sum(one[0] for one in figures),
            sum(one[1] for one in figures),
            sum(one[2] for one in figures),
            sum(one[3] for one in figures),
        )

    def close(self) -> None:
        """Close idle connections; the others are closed when their calls end."""
        self._watch.discard(self)
        if self._timer is not None:
            self._timer.cancel()
        for pool in self._pools:
            pool.close()

    def expire(self) -> None:
        """Each tick: look for reads that are late, and for replicas that are silent."""
        instant = self.now()
        self.deadline_at = instant + TICK_S
        self._look()
        for replica, pool in zip(self.group.replicas, self._pools, strict=True):
            if pool.is_silent and (left_out_s := self.group.failed(replica, instant, at_once=True)) is not None:
                self._events.left_out(replica.index, left_out_s, "calls wait for it, and nothing comes")
                self._hedge_all(replica)

    def _follows_own_change(self, call: Call, instant: float) -> bool:
        own = self._own_changes
        return own is not None and own.are_recent(call.head, instant, self.group.guards.own_changes_s)

    def _hedge_all(self, replica: Replica) -> None:
        for attempt in [each for each in self._open if each.replica is replica]:
            self._hedge(attempt)

    def _hedge(self, attempt: Attempt) -> None:
        if attempt.may_hedge and attempt.hedge():
            self._events.hedged()

    def _wait(self, after_s: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(after_s, self._look)

    def _look(self) -> None:
        """Hedge the reads that are late by now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        instant, late = self.now(), self._late
        while late and (late[0][0] <= instant or late[0][1].call.done):
            self._hedge(late.popleft()[1])
        if late:
            self._wait(late[0][0] - instant)
