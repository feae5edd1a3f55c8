"""Which replicas a shard has, where DNS says it: what each answer changes, and when it is asked again.

Holds: an empty answer, or none, changes nothing: what is known stays. An answer with as many addresses as resolvers
give at most may be a part of them: there an address is gone only after it was missing for a while.
Never: resolves a name, or reads a clock.
"""

from collections.abc import Collection, Sequence

import msgspec

from shardgate.core.limits import (
    DISCOVERED_MAX,
    DISCOVERY_AGAIN_S,
    DISCOVERY_AGAIN_S_MAX,
    DISCOVERY_PART_OF,
    NAME_GONE_S,
)

# RFC 2782: a weight of 0 is for a server that should hardly be chosen, and for those that need no weights.
_NO_WEIGHT = 0.1

HostPort = tuple[str, int]
"""Host and port of a replica."""


class Discovery(msgspec.Struct, frozen=True):
    """Where the replicas of a shard are found."""

    name: str
    """The name that DNS is asked for."""
    port: int | None
    """Of every replica; None: the records say it, which are SRV records then."""


class FoundReplica(msgspec.Struct, frozen=True):
    """One replica, as DNS says it."""

    host: str
    port: int
    weight: float = 1.0
    priority: int = 0
    """Of those that can serve, the ones with the lowest number are asked (RFC 2782)."""

    @property
    def place(self) -> HostPort:
        """Host and port."""
        return self.host, self.port


class Answer(msgspec.Struct, frozen=True):
    """What DNS said."""

    found: Sequence[FoundReplica]
    ttl_s: float
    unanswered: Collection[bool] = ()
    """Families of addresses that DNS did not answer for: True is IPv6."""


class Change(msgspec.Struct, frozen=True):
    """What an answer changes."""

    joined: Sequence[FoundReplica]
    left: Collection[HostPort]
    too_many: int = 0
    """Replicas that were left off."""
    altered: Sequence[FoundReplica] = ()
    """Those that stay, with another weight or priority."""


class Membership:
    """The replicas of one shard."""

    __slots__ = ("_failures", "_known", "_seen_at")

    def __init__(self) -> None:
        self._known: dict[HostPort, FoundReplica] = {}
        self._seen_at: dict[HostPort, float] = {}
        self._failures = 0

    @property
    def places(self) -> Collection[HostPort]:
        """Where the replicas are."""
        return self._known.keys()

    def answer(self, answer: Answer, now_s: float) -> Change | None:
        """What follows from an answer; None: there is nobody in it, so that all stays."""
        if not answer.found:
            return None
        self._failures = 0
        found = {one.place: one for one in answer.found}
        may_be_a_part = len(found) >= DISCOVERY_PART_OF
        for place, one in self._known.items():
            is_missed = may_be_a_part and now_s - self._seen_at[place] < NAME_GONE_S
            if place not in found and (is_missed or (":" in one.host) in answer.unanswered):
                found[place] = one
            elif place in found:
                self._seen_at[place] = now_s
        kept = sorted(found.values(), key=self._rank)[:DISCOVERED_MAX]
        after = {one.place: one for one in kept}
        left = {place for place in self._known if place not in after}
        joined = [one for place, one in after.items() if place not in self._known]
        altered = [one for place, one in after.items() if self._known.get(place, one) != one]
        self._seen_at = {place: self._seen_at.get(place, now_s) for place in after}
        self._known = after
        return Change(joined, left, len(found) - len(kept), altered)

    def again_s(self, ttl_s: float | None) -> float:
        """In how many seconds DNS is asked again. `ttl_s`: of its answer; None: there was none that counts."""
        if ttl_s is not None:
            return min(max(ttl_s, DISCOVERY_AGAIN_S), DISCOVERY_AGAIN_S_MAX)
        self._failures += 1
        return min(DISCOVERY_AGAIN_S * 2.0 ** min(self._failures - 1, 5), DISCOVERY_AGAIN_S_MAX)

    def _rank(self, one: FoundReplica) -> tuple[bool, int, HostPort]:
        """Those that are known come first, then those of a lower number."""
        return one.place not in self._known, one.priority, one.place


def weight_of(srv_weight: int) -> float:
    """The weight of a replica, from that of its SRV record."""
    return float(srv_weight) or _NO_WEIGHT
