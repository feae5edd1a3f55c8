"""Follows what DNS says of one shard's replicas: asks when the last answer holds no longer, and keeps calls until the
first answer.

Holds: while DNS does not answer, or names nobody, the replicas that are known stay. Calls that come before the first
answer wait, as many as may wait for a shard, and no longer than their patience.
Never: decides what an answer changes: core/replicas/membership.py does.
"""

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from shardgate.core.errors import OverloadError
from shardgate.core.replicas.membership import Answer, Change, Membership
from shardgate.net import tasks
from shardgate.net.upstream.call import Call
from shardgate.net.upstream.dns_client import DnsError
from shardgate.net.upstream.pool import Pool
from shardgate.net.upstream.replicas import Replicas
from shardgate.net.watch import Watch

AskDns = Callable[[], Awaitable[Answer]]
"""Asks DNS. Raises DnsError."""


class DiscoveryEvents(Protocol):
    """Is told what DNS said."""

    def found(self, change: Change) -> None:
        """Other replicas serve the shard now."""

    def not_found(self, why: str, known: int, *, first: bool) -> None:
        """DNS named nobody; so many that were known before stay. `first`: its last answer did name somebody."""

    def found_again(self) -> None:
        """DNS names somebody again."""


class DiscoveredReplicas:
    """The replicas of a shard that DNS names: an entry of the watch, which is due when DNS is to be asked again."""

    __slots__ = (
        "_ask",
        "_events",
        "_fails",
        "_membership",
        "_waiting",
        "_waiting_max",
        "_watch",
        "deadline_at",
        "replicas",
    )

    def __init__(
        self, ask: AskDns, replicas: Replicas, events: DiscoveryEvents, watch: Watch, waiting_max: int
    ) -> None:
        self._ask = ask
        self.replicas = replicas
        """Those that are known. Once there are some, calls may be sent there without this class."""
        self._events = events
        self._watch = watch
        self._membership = Membership()
        self._fails = False
        self._waiting: deque[Call] = deque()
        self._waiting_max = waiting_max
        self.deadline_at = watch.now()
        watch.add(self)

    @property
    def places(self) -> list[tuple[str, int]]:
        """Host and port of each that is known."""
        return [*self._membership.places]

    @property
    def is_silent(self) -> bool:
        """Whether all replicas take calls and answer none."""
        return bool(self._membership.places) and self.replicas.is_silent

    def start(self, call: Call) -> None:
        """Send the call to a replica; before the first answer of DNS it waits."""
        if self._membership.places:
            self.replicas.start(call)
        elif len(self._waiting) < self._waiting_max:
            self._watch.add(call)
            self._waiting.append(call)
        else:
            call.fail(OverloadError("too many requests wait for the shard", budget="shard_waiting"))

    def alone(self) -> Sequence[Pool]:
        """Each replica that takes changes, by itself, also one that gets no calls at present."""
        return self.replicas.alone()

    def figures(self) -> tuple[int, int, int, int]:
        """Open connections, idle ones, calls that wait, and how many calls have ever waited."""
        is_open, idle, waiting, waits = self.replicas.figures()
        return is_open, idle, waiting + len(self._waiting), waits

    def close(self) -> None:
        """Ask DNS no more; close idle connections."""
        self._watch.discard(self)
        self.replicas.close()

    def expire(self) -> None:
        """DNS is to be asked."""
        self.deadline_at = float("inf")  # not before there is an answer
        tasks.start(self._look(), "discover")

    async def _look(self) -> None:
        why, ttl_s, change = "it names no address", None, None
        try:
            answer = await self._ask()
            change = self._membership.answer(answer, self._watch.now())
            ttl_s = None if change is None else answer.ttl_s
        except DnsError as error:
            why = str(error)
        finally:
            self.deadline_at = self._watch.now() + self._membership.again_s(ttl_s)
        if change is None:
            self._events.not_found(why, len(self._membership.places), first=not self._fails)
            self._fails = True
        else:
            self._take(change)

    def _take(self, change: Change) -> None:
        if self._fails:
            self._fails = False
            self._events.found_again()
        if change.joined or change.left or change.too_many or change.altered:
            self._events.found(change)
        waiting, self._waiting = self._waiting, deque()
        for call in waiting:
            if not call.done:
                self.replicas.start(call)
