"""The replicas of one shard: a pool of connections to each, and calls that one of them answers.

A call is looked after by the replica that it was sent to first, together with all others there, as long as nothing goes
wrong: it costs no object of its own then. At its first trouble it gets an attempt (`attempt.py`).

Holds: a call is told one end, as with a single pool. A change is sent to one replica; it is sent to another one only
where nothing was sent. A reply that has begun to pass on is never begun again. What a replica was asked before it left
is finished there.
Never: decides which replica, whether again and whether twice: core/replicas/group.py does.
Hot path: a call that is answered by the first replica, in time.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from math import inf
from typing import Protocol

from shardgate.core.errors import ShardDownError, ShardgateError
from shardgate.core.replicas.group import Group, Replica
from shardgate.core.replicas.settings import Member
from shardgate.net.upstream.attempt import Attempt
from shardgate.net.upstream.call import Call, CallAttempt
from shardgate.net.upstream.own_changes import OwnChanges
from shardgate.net.upstream.pool import Pool
from shardgate.net.watch import TICK_S, Watch


class ReplicaEvents(Protocol):
    """Is told what operators should see."""

    def left_out(self, name: str, for_s: float, why: str, *, is_asked: bool) -> None:
        """A replica gets no calls for so many seconds. `is_asked`: it does, since too few others can serve."""

    def came_back(self, name: str) -> None:
        """It gets calls again."""

    def checked(self, name: str, *, is_well: bool, why: str, is_asked: bool) -> None:
        """Its health check has changed: it is well, or it is not. `is_asked`: it gets calls."""

    def retried(self) -> None:
        """A call is sent to another replica, since the first one failed."""

    def hedged(self) -> None:
        """A read is sent to a second replica, since the first one is late."""


class Lane(CallAttempt):
    """The connections to one replica, and what looks after the calls there that had no trouble yet."""

    __slots__ = ("_group", "_notes_changes", "_now", "_replicas", "pool", "replica")

    def __init__(self, replicas: "Replicas", replica: Replica, pool: Pool) -> None:
        self._replicas = replicas
        self._group = replicas.group
        self._now: Callable[[], float] = replicas.now
        self._notes_changes = replicas.notes_changes
        self.replica = replica
        self.pool = pool

    def answered(self, call: Call, status: int) -> Call | None:
        """The head of a reply has come. The call that goes on with it; None: none does."""
        if status >= 500 and self._group.is_failure(status):
            return Attempt(self._replicas, call, self.replica).answered(call, status)
        group, replica = self._group, self.replica
        if group.calls % replica.measured_every and not replica.health.has_failed:
            return call
        instant = self._now()
        if group.answered(replica, instant - call.started_at, instant):
            self._replicas.came_back(replica)
        return call

    def failed(self, call: Call, error: ShardgateError) -> bool:
        """There is no reply, or no more of it. Whether the call goes on at another replica."""
        return Attempt(self._replicas, call, self.replica).failed(call, error)

    def declared(self, call: Call, why: str) -> bool:
        """The reply says in its body that it failed. Whether the call goes on at another replica."""
        if call.done:
            self._replicas.failed(self.replica, why, call, broke_off=True)
            return False
        return Attempt(self._replicas, call, self.replica).declared(call, why)

    def over(self, call: Call) -> None:
        """The call is over."""
        self.replica.in_flight -= 1
        if self._notes_changes:
            self._replicas.over(call)


class Replicas:
    """The connections of one worker to all replicas of one shard."""

    __slots__ = (
        "_events",
        "_has_hedges",
        "_lanes",
        "_late",
        "_leaving",
        "_overdue",
        "_own_changes",
        "_timer",
        "_watch",
        "deadline_at",
        "group",
        "notes_changes",
        "now",
    )

    def __init__(
        self, group: Group, pools: Sequence[Pool], watch: Watch, events: ReplicaEvents, own_changes: OwnChanges
    ) -> None:
        self.group = group
        self._own_changes = own_changes
        self.notes_changes = group.has_followers
        """Whether reads may have to follow the changes of their client."""
        self.now: Callable[[], float] = watch.now
        self._watch = watch
        self._events = events
        self._has_hedges = group.guards.hedge_percent > 0
        self._lanes: list[Lane] = [
            Lane(self, replica, pool) for replica, pool in zip(group.replicas, pools, strict=True)
        ]
        self._leaving: list[Lane] = []
        self._late: deque[Call] = deque()  # reads that may become late, the oldest first; some are over
        self._overdue: set[Call] = set()  # reads that were late: a second replica may be asked when this one is silent
        self._timer: asyncio.TimerHandle | None = None
        self.deadline_at = watch.now() + TICK_S
        watch.add(self)

    def start(self, call: Call) -> None:
        """Send the call to a replica, as soon as a connection is free."""
        group = self.group
        needs_leader = not call.reads or (self.notes_changes and self.needs_leader(call))
        try:
            replica = group.first(call.started_at, changes=needs_leader)
        except ShardDownError as error:
            call.fail(error)
            return
        lane = self._lanes[replica.index]
        call.attempt = lane
        replica.in_flight += 1
        if self._has_hedges and call.repeatable and not call.offers:
            self._late.append(call)
            if self._timer is None and (after_s := group.late_after_s) is not None:
                self._wait(after_s)
        lane.pool.start(call)

    def change(self, joined: Sequence[tuple[str, Member, Pool]], left: Collection[str]) -> list[Replica]:
        """Other replicas serve the shard now. Returns who joined.

        Those that left finish what they were asked.
        """
        group, instant = self.group, self.now()
        leaving = [lane for lane in self._present() if lane.replica.name in left]
        slowly = bool(group.replicas)
        new = [self._join(name, member, pool, slowly=slowly) for name, member, pool in joined]
        for lane in leaving:
            group.leave(lane.replica, instant)
        self._leaving += leaving
        self._part()
        return new

    def alter(self, members: Mapping[str, Member]) -> None:
        """Replicas that stay have another weight or priority: they keep their connections, and their state."""
        self.group.alter(members, self.now())

    def _join(self, name: str, member: Member, pool: Pool, *, slowly: bool) -> Replica:
        taken = {lane.replica.index for lane in [*self._present(), *self._leaving]}
        index = next(at for at in range(len(taken) + 1) if at not in taken)
        replica = self.group.join(index, name, member, self.now(), slowly=slowly)
        lane = Lane(self, replica, pool)
        if index < len(self._lanes):
            self._lanes[index] = lane
        else:
            self._lanes.append(lane)
        return replica

    def _part(self) -> None:
        """Close the connections to replicas that have left, and have nothing to do any more."""
        for lane in [each for each in self._leaving if not each.replica.in_flight]:
            lane.pool.close()
            self._leaving.remove(lane)

    def needs_leader(self, call: Call) -> bool:
        """Whether only replicas that take changes may answer it."""
        if not call.reads:
            return True
        within_s = self.group.guards.own_changes_s
        return self.notes_changes and self._own_changes.are_recent(call.head, self.now(), within_s)

    def send(self, replica: Replica, call: Call) -> None:
        """Send the call to this replica."""
        self._lanes[replica.index].pool.start(call)

    def failed(self, replica: Replica, why: str, call: Call, *, broke_off: bool = False) -> None:
        """A call failed. `broke_off`: its reply had begun."""
        enough = call.failures_max
        left_out_s = self.group.failed(replica, self.now(), broke_off=broke_off, enough=enough)
        if left_out_s is not None and replica in self.group.replicas:
            self._left_out(replica, left_out_s, why)

    def answered(self, replica: Replica, took_s: float) -> None:
        """A reply has begun that is no failure."""
        if self.group.answered(replica, took_s, self.now()):
            self.came_back(replica)

    def came_back(self, replica: Replica) -> None:
        """A replica that was left out has answered."""
        self._events.came_back(replica.name)

    def checked(self, replica: Replica, why: str, *, is_well: bool) -> None:
        """A health check is over. Reads that wait for a replica that has just become unwell go to another one, too."""
        if self.group.checked(replica, self.now(), is_well=is_well):
            self._events.checked(replica.name, is_well=is_well, why=why, is_asked=self.group.is_asked(replica))
            if not is_well:
                self._hedge_all(replica)

    def retried(self) -> None:
        """A call is sent to another replica."""
        self._events.retried()

    def over(self, call: Call) -> None:
        """The call is over."""
        if self.notes_changes and not call.reads:
            self._own_changes.note(call.head, self.now())

    def alone(self) -> Sequence[Pool]:
        """Each replica that takes changes, by itself, also one that gets no calls at present."""
        return [lane.pool for lane in self._present() if lane.replica.member.takes_changes]

    @property
    def is_silent(self) -> bool:
        """Whether all replicas take calls and answer none."""
        return all(lane.pool.is_silent for lane in self._present())

    def figures(self) -> tuple[int, int, int, int]:
        """Open connections, idle ones, calls that wait, and how many calls have ever waited: of all replicas."""
        figures = [lane.pool.figures() for lane in [*self._present(), *self._leaving]]
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
        for lane in [*self._present(), *self._leaving]:
            lane.pool.close()

    def expire(self) -> None:
        """Each tick: look for reads that are late, and for replicas that are silent."""
        instant = self.now()
        self.deadline_at = instant + TICK_S
        self._look()
        self._overdue = {call for call in self._overdue if not call.done}
        if self._leaving:
            self._part()
        for lane in self._present():
            if not lane.pool.is_silent:
                continue
            if (left_out_s := self.group.failed(lane.replica, instant, at_once=True)) is not None:
                self._left_out(lane.replica, left_out_s, "calls wait for it, and nothing comes")
                self._hedge_all(lane.replica)

    def _left_out(self, replica: Replica, for_s: float, why: str) -> None:
        self._events.left_out(replica.name, for_s, why, is_asked=self.group.is_asked(replica))

    def _present(self) -> list[Lane]:
        return [self._lanes[replica.index] for replica in self.group.replicas]

    def _hedge_all(self, replica: Replica) -> None:
        for call in [*self._late, *self._overdue]:
            self._hedge(call, replica)

    def _hedge(self, call: Call, at: Replica | None = None) -> None:
        """Send a read to a second replica, too, where it may be. `at`: only if it is at this replica."""
        attempt, carrier = call.attempt, call.carrier
        if call.done or (carrier is not None and carrier.has_head):
            return
        if not isinstance(attempt, Lane | Attempt) or (at is not None and attempt.replica is not at):
            return
        if isinstance(attempt, Lane):
            attempt = Attempt(self, call, attempt.replica)
        if attempt.may_hedge and attempt.hedge():
            self._events.hedged()

    def _hedge_in_time(self, call: Call, instant: float) -> None:
        """Hedge a read that is late by what its shard does; its rule may say that it takes longer by nature."""
        more_s = call.hedge_after_s - (instant - call.started_at)
        if more_s == inf:
            return
        if more_s > 0:
            asyncio.get_running_loop().call_later(more_s, self._hedge, call)
        else:
            self._hedge(call)

    def _wait(self, after_s: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(after_s, self._look)

    def _look(self) -> None:
        """Hedge the reads that are late by now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        instant, late, after_s = self.now(), self._late, self.group.late_after_s
        late_from = instant - (TICK_S if after_s is None else after_s)
        while late and (late[0].done or late[0].started_at <= late_from):
            call = late.popleft()
            if not call.done:
                self._overdue.add(call)
                if after_s is not None:
                    self._hedge_in_time(call, instant)
        if late and after_s is not None:
            self._wait(max(0.0, late[0].started_at - late_from))
