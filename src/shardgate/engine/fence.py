"""Requests that wait while a tenant moves to another shard.

    movement says `writes` ──► changes that may be of its tenants wait ──► `open` ──► all are handled, by the new owner
                     `closed` ─► lists and searches wait, too
                                  │ FENCE_S_MAX is over ──► 503 (SG4010)

Holds: what waits was not sent. Who waits, for how long and how much of it is bounded. Reads whose shard is known
never wait. A request is planned anew when it may go on.
Never: decides when the fence is up; process/movements reads that from the store.
"""

from collections.abc import Callable, Sequence
from math import inf
from typing import Final, Literal

from shardgate.core.changes.moving import Fencing
from shardgate.core.errors import CutOffError, TenantMovesError
from shardgate.core.exchange import Exchange
from shardgate.core.http import SAFE_METHODS
from shardgate.core.limits import FENCE_BYTES_MAX, FENCE_REQUESTS_MAX, FENCE_S_MAX
from shardgate.core.locate.compare import compared
from shardgate.core.locate.directory import Directory
from shardgate.core.plan.plan import ToAny, ToOne
from shardgate.core.routes.route import Plan
from shardgate.core.rules.batch import ToInner
from shardgate.core.rules.divide import Division
from shardgate.core.rules.every import ToEvery
from shardgate.core.rules.place import Placement
from shardgate.core.topology import ShardId
from shardgate.net.clock import now
from shardgate.net.watch import TICK_S, Watch

_HELD_BY_NOBODY: Final = frozenset({"open", "cut_off"})
"""Where changes of the tenants that move do not wait for the movement."""


class HeldRequest:
    """A request that waits; its client's connection cancels it."""

    __slots__ = ("_fence", "exchange", "go_on", "refuse", "since_s", "size")

    def __init__(
        self, fence: "Fence", exchange: Exchange, go_on: Callable[[], None], refuse: Callable[[Exception], None]
    ) -> None:
        self._fence = fence
        self.exchange = exchange
        self.go_on = go_on
        self.refuse = refuse
        self.since_s = now()
        self.size = 0 if exchange.request is None else len(exchange.request.body)

    def cancel(self) -> None:
        """The client has left."""
        self._fence.leave(self)


class Fence:
    """What waits in one worker."""

    __slots__ = (
        "_bytes",
        "_held",
        "_source",
        "_space",
        "_tenants",
        "_watch",
        "deadline_at",
        "is_up",
        "level",
        "since_s",
    )

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._held: dict[HeldRequest, None] = {}
        self._bytes = 0
        self._space = ""
        self._tenants: frozenset[str] = frozenset()
        self._source: ShardId = ""
        self.deadline_at = 0.0
        self.level: Fencing | Literal["cut_off"] = "open"
        self.is_up = False
        """Whether anything has to wait."""
        self.since_s = inf
        """From when on changes wait, without an end in between: one that began later has passed the fence."""

    def put(
        self,
        level: Fencing | Literal["cut_off"],
        space: str = "",
        tenants: Sequence[str] = (),
        source: ShardId = "",
    ) -> None:
        """Let requests wait from now on; where the level falls, those that need not wait any more go on.

        `cut_off`: this worker may route by an old map, so that changes are refused.
        """
        self._space, self._tenants, self._source = space, frozenset(tenants), source
        falls = self.level == "closed" or level == "open"
        if level in _HELD_BY_NOBODY:
            self.since_s = inf
        elif self.level in _HELD_BY_NOBODY:
            self.since_s = now()
        self.level, self.is_up = level, level != "open"
        if falls:
            self._go_on()

    def holds(self, plan: Plan, method: str) -> bool:
        """Whether a request has to wait."""
        if isinstance(plan, ToAny | ToInner):
            return False
        rule = plan.route.rule
        changes = method not in SAFE_METHODS and not (rule is not None and rule.only_reads)
        if self.level == "cut_off":
            return changes and not isinstance(plan, ToEvery)
        if isinstance(plan, ToOne):
            return changes and plan.shard == self._source and (bool(plan.recalled) or self._is_theirs(plan))
        if self.level == "closed":
            return True
        if isinstance(plan, Placement):
            return plan.key in self._tenants
        # A change of several shards would wait for the mover's transactions, and the mover for it.
        return changes and not (isinstance(plan, Division) and plan.rule.mode == "read")

    def hold(self, held: HeldRequest) -> None:
        """Let a request wait. Raises TenantMovesError where there is no room, CutOffError."""
        if self.level == "cut_off":
            raise CutOffError("the gateway is cut off from its store, and makes no changes until it is back")
        if len(self._held) >= FENCE_REQUESTS_MAX or self._bytes + held.size > FENCE_BYTES_MAX:
            raise _refusal("too many requests wait for it already", budget="fence")
        if not self._held:
            self.deadline_at = now() + TICK_S
            self._watch.add(self)
        self._held[held] = None
        self._bytes += held.size

    def leave(self, held: HeldRequest) -> None:
        """It does not wait any more."""
        if held in self._held:
            del self._held[held]
            self._bytes -= held.size
        if not self._held:
            self._watch.discard(self)

    def waits(self, exchange: Exchange) -> bool:
        """Whether this request waits here."""
        return any(held.exchange is exchange for held in self._held)

    def expire(self) -> None:
        """Each tick: end what has waited long enough."""
        instant = now()
        self.deadline_at = instant + TICK_S
        for held in [each for each in self._held if instant - each.since_s >= FENCE_S_MAX]:
            self.leave(held)
            held.refuse(_refusal("it takes longer than requests may wait"))

    def _go_on(self) -> None:
        waiting = list(self._held)  # in the order of their arrival
        for held in waiting:
            self.leave(held)
        for held in waiting:
            held.go_on()

    def _is_theirs(self, plan: ToOne) -> bool:
        """Whether the key may be of a tenant that moves."""
        for locator in plan.route.locators:
            if isinstance(locator, Directory) and (locator.space or plan.route.chain) == self._space:
                key = compared(plan.key, locator.compare)
                return any(compared(tenant, locator.compare) == key for tenant in self._tenants)
        return True


def _refusal(log: str, budget: str = "") -> TenantMovesError:
    return TenantMovesError("the data of the request is being moved; try again in a moment", log=log, budget=budget)
