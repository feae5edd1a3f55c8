"""The replicas of one shard: which one a call is sent to, and what follows from what became of it.

The guards stand in this order, outermost first: the deadline (of the call), the shard's bound of connections and of
calls that wait (its pools), retry, hedge, balance, and whether a replica is asked at all (health.py).

Balance: of two replicas, the less loaded one by calls in flight and latency, in the gateway's own zone where it has
some. Two are enough: choosing the best of all sends everybody to the same one.

Holds: a change goes to replicas that take changes only. Retries and hedges stay within their allowances, and go to
replicas that the call has not tried. A replica that returns gets calls again. One that has left gets none.
Never: reads a clock, or chance: a counter chooses the two.
Source: "The power of two choices in randomized load balancing" (Mitzenmacher, 2001).
"""

from collections.abc import Mapping

from shardgate.core.errors import ShardDownError
from shardgate.core.replicas.allowance import Allowance
from shardgate.core.replicas.health import Health
from shardgate.core.replicas.latency import Percentile, averaged
from shardgate.core.replicas.settings import HealthCheck, Member, ReplicaGuards

# Multiplying a counter by it spreads the choices over all pairs (Knuth, The Art of Computer Programming, 6.4).
_SPREAD = 2654435761
# Of that counter, so that the product stays a small number.
_TURNS = 0xFFFFFF
# Added to an average: two replicas that answer within less do not differ by latency.
_ALIKE_S = 0.0005
# An average that was not renewed for so long counts no more: else one slow reply would keep a replica out for ever, as
# it gets no further call that could show how quick it is.
FORGOTTEN_S = 3.0
# A replica with so many replies from one look to the next: the latency of every fifth is enough. Two replicas take
# turns: an even number would always meet the same one.
_MANY, _EVERY = 100, 5
# What depends on time alone is found anew so often, and in so many steps of a slow start: a call does no sums for it.
LOOK_S, LOOK_S_MIN = 1.0, 0.1
SLOW_STEPS = 20


class Replica:
    """One replica and its load."""

    __slots__ = (
        "_measured",
        "average_s",
        "cost_s",
        "health",
        "in_flight",
        "index",
        "measured_every",
        "member",
        "name",
        "sampled_at_s",
        "share",
    )

    def __init__(self, index: int, name: str, member: Member, health: Health) -> None:
        self.index = index
        """Its place among the group's replicas, which another one has once this one has gone."""
        self.name = name
        """What operators read: its address."""
        self.member = member
        self.health = health
        self.in_flight = 0
        self.average_s = 0.0
        self.sampled_at_s = 0.0
        """When the average was last renewed."""
        self.share = 1.0
        """Its weight, less while it starts slowly."""
        self.measured_every = 1
        """The latency of a reply is wanted where the number of calls of the group is a multiple of it."""
        self._measured = 0  # since the last look
        self.cost_s = _ALIKE_S
        """What one call waits for, relative to others. With the calls in flight, it is the replica's load."""

    def measured(self, took_s: float, now_s: float) -> None:
        """A reply has begun after so long."""
        self._measured += 1
        average_s = self.average_s = averaged(self.average_s, took_s)
        self.sampled_at_s = now_s
        self.cost_s = (average_s + _ALIKE_S) / self.share

    def weigh(self, now_s: float) -> None:
        """Find anew what a call costs: time has passed."""
        self.measured_every = _EVERY if self._measured * self.measured_every > _MANY else 1
        self._measured = 0
        self.share = self.member.weight * self.health.weight(now_s)
        if now_s - self.sampled_at_s >= FORGOTTEN_S:
            self.average_s = 0.0
        self.cost_s = (self.average_s + _ALIKE_S) / self.share


class Group:
    """The replicas of one shard, as one worker sees them."""

    __slots__ = (
        "_calls_counted",
        "_changes",
        "_check",
        "_hedges",
        "_late",
        "_leaders",
        "_look_at_s",
        "_pairs",
        "_readers",
        "_reads_counted",
        "_retries",
        "_zone",
        "calls",
        "guards",
        "replicas",
    )

    def __init__(
        self,
        members: tuple[Member, ...],
        guards: ReplicaGuards,
        check: HealthCheck | None,
        zone: str | None,
        now_s: float,
    ) -> None:
        self.guards = guards
        self._check = check
        self._zone = zone
        self._late = Percentile(95)
        self.calls = self._calls_counted = 0
        """First calls; beside them, those that have earned retries."""
        self._changes = self._reads_counted = 0  # changes; and the reads that have earned hedges
        self._retries = Allowance(guards.retry_percent, guards.retries_per_s, now_s)
        self._hedges = Allowance(guards.hedge_percent, 0.0, now_s)
        self.replicas = [
            Replica(index, str(index), member, Health(guards, check)) for index, member in enumerate(members)
        ]
        self._readers: list[Replica] = []
        # The readers where there are two, in each order.
        self._pairs: tuple[tuple[Replica, Replica], tuple[Replica, Replica]] | None = None
        self._leaders: list[Replica] = []  # those that take changes
        self._look_at_s = now_s
        self.look(now_s)

    def first(self, now_s: float, *, changes: bool) -> Replica:
        """The replica that a call is sent to first. `changes`: the call may change something.

        Raises ShardDownError where none can serve, and the guards say that none is asked then.
        """
        if now_s >= self._look_at_s:
            self.look(now_s)
        calls = self.calls = self.calls + 1
        if changes:
            self._changes += 1
            return self._less_loaded(self._leaders)
        pairs = self._pairs
        if pairs is None:
            return self._less_loaded(self._readers)
        one, other = pairs[calls & 1]  # as `_less_loaded` does, for nearly all shards with replicas
        return one if (one.in_flight + 1) * one.cost_s <= (other.in_flight + 1) * other.cost_s else other

    def retry(self, tried: int, tries: int, now_s: float, *, changes: bool, no_reply: bool = False) -> Replica | None:
        """Another replica for a call that failed; None: it is not tried again. `tried`: bits by index.

        `no_reply`: none that was tried has replied: those that are left out are better than nothing.
        """
        if tries >= self.guards.tries_max:
            return None
        if not (others := self._others(tried, now_s, changes=changes, at_last=no_reply)):
            return None
        self._retries.count(self.calls - self._calls_counted)
        self._calls_counted = self.calls
        return self._less_loaded(others) if self._retries.take(now_s) else None

    def hedge(self, tried: int, now_s: float, *, changes: bool) -> Replica | None:
        """Another replica for a read that is late; None: it is not sent twice."""
        if not (others := self._others(tried, now_s, changes=changes)):
            return None
        reads = self.calls - self._changes
        self._hedges.count(reads - self._reads_counted)
        self._reads_counted = reads
        return self._less_loaded(others) if self._hedges.take(now_s) else None

    def join(self, index: int, name: str, member: Member, now_s: float, *, slowly: bool) -> Replica:
        """One more replica. `slowly`: others serve meanwhile."""
        replica = Replica(index, name, member, Health(self.guards, self._check))
        if slowly:
            replica.health.join(now_s)
        self.replicas = [*self.replicas, replica]
        self.look(now_s)
        return replica

    def alter(self, members: Mapping[str, Member], now_s: float) -> None:
        """Something else is said of the replicas with these names. What is known of their health stays."""
        for replica in self.replicas:
            replica.member = members.get(replica.name, replica.member)
        self.look(now_s)

    def leave(self, replica: Replica, now_s: float) -> None:
        """It gets no call any more."""
        self.replicas = [each for each in self.replicas if each is not replica]
        self.look(now_s)

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
        replica.measured(took_s, now_s)
        self._late.add(took_s)
        if replica.health.has_failed and replica.health.answered(now_s):
            self.look(now_s)
            return True
        return False

    def failed(
        self,
        replica: Replica,
        now_s: float,
        *,
        at_once: bool = False,
        broke_off: bool = False,
        enough: int | None = None,
    ) -> float | None:
        """A call failed. For how many seconds the replica is left out from now on; None: it is not.

        `at_once`: this failure is enough. `broke_off`: its reply had begun. `enough`: so many failures in a row, as the
        call's rule says; 0: its failure does not count; None: as the guards say.
        """
        if enough == 0:
            return None
        left_out_s = replica.health.failed(now_s, at_once=at_once, broke_off=broke_off, enough=enough)
        if left_out_s is not None:
            self.look(now_s)
        return left_out_s

    def checked(self, replica: Replica, now_s: float, *, is_well: bool) -> bool:
        """A health check is over. Whether the replica's state has changed by it."""
        has_changed = replica.health.checked(now_s, is_well=is_well)
        if has_changed:
            self.look(now_s)
        return has_changed

    def is_asked(self, replica: Replica) -> bool:
        """Whether it gets calls: it can serve, or so few can that all are asked."""
        return replica in self._readers or replica in self._leaders

    def look(self, now_s: float) -> None:
        """Choose anew who is asked: somebody was left out, or is to be tried again; or some time has passed."""
        for replica in self.replicas:
            replica.weigh(now_s)
        readers = self._readers = self._asked(self.replicas, now_s)
        self._pairs = ((readers[0], readers[1]), (readers[1], readers[0])) if len(readers) == 2 else None
        self._leaders = self._asked(self._changing(), now_s)
        ends = [until for replica in self.replicas if (until := replica.health.until_s) is not None and until > now_s]
        starts_slowly = any(replica.health.starts_slowly for replica in self.replicas)
        again_s = min(LOOK_S, max(LOOK_S_MIN, self.guards.slow_start_s / SLOW_STEPS)) if starts_slowly else LOOK_S
        self._look_at_s = min([now_s + again_s, *ends])

    def _changing(self) -> list[Replica]:
        return [replica for replica in self.replicas if replica.member.takes_changes]

    def _asked(self, replicas: list[Replica], now_s: float) -> list[Replica]:
        well = [replica for replica in replicas if replica.health.may_serve(now_s)]
        if self._are_too_few(len(well), len(replicas)):
            return replicas
        if not well:
            return well
        first = min([replica.member.priority for replica in well])
        well = [replica for replica in well if replica.member.priority == first]
        near = [replica for replica in well if replica.member.zone == self._zone] if self._zone is not None else []
        return near or well

    def _others(self, tried: int, now_s: float, *, changes: bool, at_last: bool = False) -> list[Replica]:
        """All that may serve and were not tried, in whatever zone; where too few may serve, all that were not tried.

        `at_last`: what was tried serves nobody, though its health does not say so yet.
        """
        replicas = self._changing() if changes else self.replicas
        untried = [each for each in replicas if not tried >> each.index & 1]
        well = [each for each in untried if each.health.may_serve(now_s)]
        if well:
            return well
        serving = 0 if at_last else sum([each.health.may_serve(now_s) for each in replicas])
        return untried if self._are_too_few(serving, len(replicas)) else []

    def _are_too_few(self, serving: int, count: int) -> bool:
        """Whether so many are left out that all are asked: so many at once are rarely broken."""
        return serving * 100 < count * self.guards.panic_percent

    def _less_loaded(self, replicas: list[Replica]) -> Replica:
        count = len(replicas)
        if count == 1:
            return replicas[0]
        turn = self.calls
        if count == 2:
            at = turn & 1
            one, other = replicas[at], replicas[1 - at]
        elif not count:
            raise ShardDownError("the shard cannot be reached", log="all of its replicas are left out, or not ready")
        else:
            spread = ((turn & _TURNS) * _SPREAD >> 8) & 0xFFFFFF
            at = spread % count
            one, other = replicas[at], replicas[(at + 1 + spread // count % (count - 1)) % count]
        return one if (one.in_flight + 1) * one.cost_s <= (other.in_flight + 1) * other.cost_s else other
