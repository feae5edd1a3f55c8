"""What an operator may set of the guards around a call to a shard with replicas; each default with its reason."""

from typing import Annotated

import msgspec

_Seconds = Annotated[float, msgspec.Meta(gt=0)]
_Percent = Annotated[int, msgspec.Meta(ge=0, le=100)]
_Status = Annotated[int, msgspec.Meta(ge=500, le=599)]


class Member(msgspec.Struct, frozen=True):
    """What the configuration says of one replica."""

    weight: float = 1.0
    """Its share of the calls, relative to the others'."""
    zone: str | None = None
    takes_changes: bool = True
    """False: it follows another one, and is only read."""
    priority: int = 0
    """Of those that can serve, the ones with the lowest number are asked."""


class ReplicaGuards(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the replicas of a shard are guarded."""

    retry_percent: _Percent = 20
    """Retries for each hundred calls, at most: more would keep an overloaded shard down. Only what may be repeated is
    retried: reads, and changes of which nothing was sent."""
    retries_per_s: Annotated[float, msgspec.Meta(ge=0)] = 3.0
    """Retries a second that are allowed in any case: with few calls, a fifth of them would be none."""
    tries_max: Annotated[int, msgspec.Meta(ge=1, le=10)] = 3
    """Replicas that one call tries, the first included."""
    retry_on: tuple[_Status, ...] = (502, 503, 504)
    """Statuses of a read that are retried at another replica: a proxy in front of it, or the replica itself, says that
    it could not serve. A 500 is passed on: it may be this request's own, and the same everywhere."""
    hedge_percent: _Percent = 5
    """Reads for each hundred that are sent to a second replica while the first one is late. 0: none."""
    hedge_after_s: _Seconds = 0.01
    """A read is late after the 95th percentile of the shard's recent latencies, and not before this time."""
    own_changes_s: _Seconds = 5.0
    """For so long after a client's change, its reads go to replicas that take changes: one that only follows may be
    behind. Clients are told apart by `Authorization`, `Cookie` and API key; all others count as one."""
    failures_max: Annotated[int, msgspec.Meta(ge=1)] = 5
    """Failures in a row (no connection, no reply, a status of 5xx) after which a replica is left out."""
    left_out_s: _Seconds = 5.0
    """How long it is left out. Each further time in a row doubles it: an instance that restarts is back at once, one
    that is broken is rarely tried."""
    left_out_s_max: _Seconds = 60.0
    """The longest time."""
    panic_percent: _Percent = 50
    """Below this share of replicas that can be asked, all are asked: so many at once are rarely broken, and the rest
    would be overloaded. So is the only instance of a shard. 0: never; where none can be asked, the shard refuses at
    once (SG2001)."""
    slow_start_s: Annotated[float, msgspec.Meta(ge=0)] = 10.0
    """A replica that returns gets its full share of calls after this time: its caches are cold. 0: at once."""


class HealthCheck(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How each replica is asked whether it can serve."""

    path: str
    """What is asked, by GET: `/readyz`. It should say whether the instance can serve, not only that it runs."""
    status: Annotated[int, msgspec.Meta(ge=100, le=599)] = 200
    """The status of a replica that can serve."""
    interval_s: _Seconds = 2.0
    """From one question to the next, for each worker and replica."""
    timeout_s: _Seconds = 1.0
    """A reply that takes longer is a failure."""
    fall: Annotated[int, msgspec.Meta(ge=1)] = 2
    """Failures in a row after which a replica gets no calls. The first check of a new worker decides alone."""
    rise: Annotated[int, msgspec.Meta(ge=1)] = 2
    """Successes in a row after which it gets calls again."""


class Failover(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How requests wait for a shard that cannot be reached, until another instance has taken its place."""

    wait_s: Annotated[float, msgspec.Meta(gt=0, le=60)] = 5.0
    """How long a request waits at most, from when it came. A failover of a managed database takes 10 to 60 s, a restart
    2 to 5 s; partners give up after 6 to 10 s."""
    waiting_max: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 256
    """How many requests wait at most, in each worker. One more gets 503 (SG2001) at once."""
