"""What guards the calls of a request, in words: timeouts, retries, hedges, breakers and health checks.

Holds: what is said is what the settings, and the rule's own words for its calls, make the gateway do.
"""

from collections.abc import Iterable
from typing import Final, Literal

from shardgate.core.limits import Timeouts
from shardgate.core.routes.calls import IDEMPOTENT, NEVER, CallWords
from shardgate.core.topology import Shard, ShardId, Topology
from shardgate.core.value import Value

Replies = Literal["relayed", "whole", "merged"]
"""What becomes of a shard's reply: it passes on as it comes; it is read whole; or it is, unless it is long."""

_UNTIL: Final[dict[Replies, str]] = {
    "relayed": "the reply begins",
    "whole": "a shard's reply is whole",
    "merged": "a shard's reply is whole, or is long and passes on",
}


class Asking(Value, frozen=True):
    """What of a request decides how its calls are guarded."""

    method: str
    words: CallWords | None
    reads: bool
    """It changes nothing: its method is safe, or its rule only reads."""
    replies: Replies
    has_key: bool
    """It has an idempotency key, by which it is repeated in another way."""


def guards(asking: Asking, asked: Iterable[ShardId], topology: Topology, timeouts: Timeouts) -> list[tuple[str, str]]:
    """Titled lines: one with the timeouts, and one for each shard that has guards or health checks."""
    found = [(each, _of_shard(asking, topology.shards[each])) for each in asked]
    return [
        ("timeouts", _patience(asking, timeouts)),
        *(("guards", f"{shard}: {'; '.join(said)}") for shard, said in found if said),
    ]


def _patience(asking: Asking, timeouts: Timeouts) -> str:
    reply_s = timeouts.request_timeout_s
    first_s = min(timeouts.first_byte_timeout_s, reply_s)
    return f"{reply_s:g} s until {_UNTIL[asking.replies]}, {first_s:g} s of them for a shard's first byte"


def _of_shard(asking: Asking, shard: Shard) -> list[str]:
    said: list[str] = []
    if shard.discovery is not None or len(shard.replicas) > 1:
        count = "replicas found by name" if shard.discovery is not None else f"{len(shard.replicas)} replicas"
        said = [f"{count}, the better of two by chance", _retry(asking, shard), *_hedge(asking, shard)]
        said.append(_breaker(asking.words, shard))
    elif not shard.guards.panic_percent:
        said.append(f"one instance; {_breaker(asking.words, shard)}; calls are refused while it is left out")
    if shard.health is not None:
        who = "each" if shard.discovery is not None or len(shard.replicas) > 1 else "it"
        said.append(f"{who} is asked GET {shard.base}{shard.health.path} every {shard.health.interval_s:g} s")
    return said


def _retry(asking: Asking, shard: Shard) -> str:
    guards, retry = shard.guards, None if asking.words is None else asking.words.retry
    others = guards.tries_max - 1
    if shard.discovery is None:
        may = [each for each in shard.replicas if asking.reads or each.member.takes_changes]
        others = min(others, len(may) - 1)
    within = _allowance(guards.retry_percent, guards.retries_per_s)
    if others < 1 or within is None:
        return "never sent to a second replica"
    is_idempotent = retry == "idempotent" and asking.method in IDEMPOTENT and not asking.has_key
    if retry == "unsent" or not (asking.reads or is_idempotent):
        return f"sent to up to {others} more where nothing of it was sent ({within})"
    statuses = ", ".join(map(str, guards.retry_on))
    return f"sent to up to {others} more on a failure{f', {statuses}' if statuses else ''} ({within})"


def _allowance(percent: int, per_s: float) -> str | None:
    """How many calls may be sent again; None: none may."""
    said = [f"{percent} of 100 calls"] if percent else []
    if per_s > 0:
        said.append(f"{per_s:g} a second")
    return f"for {' and '.join(said)}" if said else None


def _hedge(asking: Asking, shard: Shard) -> list[str]:
    guards, words = shard.guards, asking.words
    if not asking.reads:
        return []
    if not guards.hedge_percent or (words is not None and not words.hedges):
        return ["never hedged"]
    after_s = max(guards.hedge_after_s, 0.0 if words is None else words.hedge_after_s)
    return [f"hedged when later than the 95th percentile and {after_s:g} s (for {guards.hedge_percent} of 100 reads)"]


def _breaker(words: CallWords | None, shard: Shard) -> str:
    guards = shard.guards
    failures_max = guards.failures_max if words is None or words.failures_max is None else words.failures_max
    if failures_max == NEVER:
        return "its failures leave no replica out"
    left_out_s = min(guards.left_out_s, guards.left_out_s_max)
    return f"{failures_max} failures in a row leave a replica out for {left_out_s:g} s or longer"
