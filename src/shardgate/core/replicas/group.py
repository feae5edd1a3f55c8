"""The replicas of one shard: which one a call is sent to, and what follows from what became of it.

The guards stand in this order, outermost first: the deadline (of the call), the shard's bound of connections and of
calls that wait (its pools), retry, hedge, balance, and whether a replica is asked at all (health.py).

Balance: of two replicas, the less loaded one by calls in flight and latency, in the gateway's own zone where it has
some. Two are enough: choosing the best of all sends everybody to the same one.

Holds: a change goes to replicas that take changes only. Retries and hedges stay within their allowances, and go to
replicas that the call has not tried. A replica that returns gets calls again.
Never: reads a clock, or chance: a counter chooses the two.
Source: "The power of two choices in randomized load balancing" (Mitzenmacher, 2001).
"""

from shardgate.core.replicas.allowance import Allowance
from shardgate.core.replicas.health import Health
from shardgate.core.replicas.latency import Percentile, averaged
from shardgate.core.replicas.settings import HealthCheck, Member, ReplicaGuards

# Multiplying a counter by it spreads the choices over all pairs (Knuth, The Art of Computer Programming, 6.4).
_SPREAD = 2654435761
# Added to an average: two replicas that answer within less do not differ by latency.
_ALIKE_S = 0.0005
# An average that was not renewed for so long counts no more: else one slow reply would keep a replica out for ever, as
# it gets no further call that could show how quick it is.
FORGOTTEN_S = 3.0


class Replica:
    """One replica and its load."""

    __slots__ = ("average_s", "health", "in_flight", "index", "member", "sampled_at_s")

    def __init__(self, index: int, member: Member, health: Health) -> None:
        self.index = index
        self.member = member
        self.health = health
        self.in_flight = 0
        self.average_s = 0.0
        self.sampled_at_s = 0.0
        """When the average was last renewed."""

    def load(self, now_s: float) -> float:
        """What one more call would wait for, relative to others."""
        weight = self.member.weight * self.health.weight(now_s)
        known_s = self.average_s if now_s - self.sampled_at_s < FORGOTTEN_S else 0.0
        return (self.in_flight + 1) * (known_s + _ALIKE_S) / weight


class Group:
    """The replicas of one shard, as one worker sees them."""

    __slots__ = ("_counter", "_hedges", "_late", "_look_at_s", "_ready", "_retries", "_zone", "guards", "replicas")

    def __init__(
        self,
        members: tuple[Member, ...],
        guards: ReplicaGuards,
        check: HealthCheck | None,
        zone: str | None,
        now_s: float,
    ) -> None:
        self.replicas = [Replica(index, member, Health(guards, check)) for index, member in enumerate(members)]
        self.guards = guards
        self._zone = zone
        self._counter = 0
        self._late = Percentile(95)
        self._retries = Allowance(guards.retry_percent, guards.retries_per_s, now_s)
        self._hedges = Allowance(guards.hedge_percent, 0.0, now_s)
        self._ready: tuple[list[Replica], list[Replica]] = ([], [])  # for reads, for changes
        self._look_at_s = now_s
        self.look(now_s)

    def first(self, now_s: float, *, changes: bool) -> Replica:
        """The replica that a call is sent to first. `changes`: the call may change something."""
        if now_s >= self._look_at_s:
            self.look(now_s)
        self._retries.count()
        if not changes:
            self._hedges.count()
        return self._less_loaded(self._ready[changes], now_s)

    def retry(self, tried: int, tries: int, now_s: float, *, changes: bool) -> Replica | None:
        """Another replica for a call that failed; None: it is not tried again. `tried`: bits by index."""
        if tries >= self.guards.tries_max or not (others := self._others(tried, now_s, changes=changes)):
            return None
        return self._less_loaded(others, now_s) if self._retries.take(now_s) else None

    def hedge(self, tried: int, now_s: float, *, changes: bool) -> Replica | None:
        """Another replica for a read that is late; None: it is not sent twice."""
        others = self._others(tried, now_s, changes=changes)
        return self._less_loaded(others, now_s) if others and self._hedges.take(now_s) else None

    @property
    def has_followers(self) -> bool:
        """Whether some replicas only follow others."""
        return len(self._changing()) < len(self.replicas)

    @property
    def late_after_s(self) -> float | None:
        """After how many seconds a read is late; None: reads are not hedged, or too little is known."""
        if self._late.value_s is None or not self.guards.hedge_percent:
            return None
        return max(self._late.value_s, self.guards.hedge_after_s)

    def is_failure(self, status: int) -> bool:
        """Whether a reply speaks against its replica."""
        return status >= 500 and status != 501

    def may_retry(self, status: int) -> bool:
        """Whether a read with this status is retried at another replica."""
        return status in self.guards.retry_on

    def answered(self, replica: Replica, took_s: float, now_s: float) -> bool:
        """A reply has begun, and is no failure. Whether the replica is back by that."""
        replica.average_s = averaged(replica.average_s, took_s)
        replica.sampled_at_s = now_s
        self._late.add(took_s)
        if replica.health.answered(now_s):
            self.look(now_s)
            return True
        return False

    def failed(self, replica: Replica, now_s: float, *, at_once: bool = False) -> float | None:
        """A call failed. For how many seconds the replica is left out from now on; None: it is not.

        `at_once`: this failure is enough.
        """
        left_out_s = replica.health.failed(now_s, at_once=at_once)
        if left_out_s is not None:
            self.look(now_s)
        return left_out_s

    def checked(self, replica: Replica, now_s: float, *, is_well: bool) -> bool:
        """A health check is over. Whether the replica's state has changed by it."""
        has_changed = replica.health.checked(now_s, is_well=is_well)
        if has_changed:
            self.look(now_s)
        return has_changed

    def look(self, now_s: float) -> None:
        """Choose anew who is asked: somebody was left out, or is to be tried again."""
        self._ready = (self._asked(self.replicas, now_s), self._asked(self._changing(), now_s))
        ends = [until for replica in self.replicas if (until := replica.health.until_s) is not None and until > now_s]
        self._look_at_s = min(ends, default=float("inf"))

    def _changing(self) -> list[Replica]:
        return [replica for replica in self.replicas if replica.member.takes_changes]

    def _asked(self, replicas: list[Replica], now_s: float) -> list[Replica]:
        well = [replica for replica in replicas if replica.health.may_serve(now_s)]
        if len(well) * 100 < len(replicas) * self.guards.panic_percent or not well:
            return replicas
        near = [replica for replica in well if replica.member.zone == self._zone]
        return near or well

    def _others(self, tried: int, now_s: float, *, changes: bool) -> list[Replica]:
        """All that may serve and were not tried, in whatever zone."""
        replicas = self._changing() if changes else self.replicas
        return [each for each in replicas if not tried >> each.index & 1 and each.health.may_serve(now_s)]

    def _less_loaded(self, replicas: list[Replica], now_s: float) -> Replica:
        count = len(replicas)
        if count == 1:
            return replicas[0]
        self._counter = turn = self._counter + 1
        spread = (turn * _SPREAD >> 8) & 0xFFFFFF
        at = spread % count
        one, other = replicas[at], replicas[(at + 1 + spread // count % (count - 1)) % count]
        return one if one.load(now_s) <= other.load(now_s) else other
