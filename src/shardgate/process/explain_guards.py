"""What guards the calls of a request, in words: timeouts, retries, hedges, breakers and health checks.

Holds: what is said is what the settings, and the rule's own words for its calls, make the gateway do.
"""

from collections.abc import Iterable

from shardgate.core.http import SAFE_METHODS
from shardgate.core.limits import Timeouts
from shardgate.core.routes.calls import IDEMPOTENT, NEVER, CallWords
from shardgate.core.routes.route import Route
from shardgate.core.topology import Shard, ShardId, Topology


def guards(
    method: str, route: Route, asked: Iterable[ShardId], topology: Topology, timeouts: Timeouts
) -> list[tuple[str, str]]:
    """Titled lines: one with the timeouts, and one for each shard that has several replicas or health checks."""
    found = [(each, _of_shard(method, route.calls, topology.shards[each])) for each in asked]
    return [
        ("timeouts", _patience(timeouts)),
        *(("guards", f"{shard}: {'; '.join(said)}") for shard, said in found if said),
    ]


def _patience(timeouts: Timeouts) -> str:
    begins_s = timeouts.request_timeout_s
    first_s = min(timeouts.first_byte_timeout_s, begins_s)
    return f"{begins_s:g} s until the reply begins, {first_s:g} s of them for a shard's first byte"


def _of_shard(method: str, words: CallWords | None, shard: Shard) -> list[str]:
    said: list[str] = []
    if shard.discovery is not None or len(shard.replicas) > 1:
        count = "replicas found by name" if shard.discovery is not None else f"{len(shard.replicas)} replicas"
        said = [f"{count}, the better of two by chance", _retry(method, words, shard), *_hedge(method, words, shard)]
        said.append(_breaker(words, shard))
    if shard.health is not None:
        said.append(f"each is asked GET {shard.health.path} every {shard.health.interval_s:g} s")
    return said


def _retry(method: str, words: CallWords | None, shard: Shard) -> str:
    guards, retry = shard.guards, None if words is None else words.retry
    others, within = guards.tries_max - 1, f"for {shard.guards.retry_percent} of 100 calls"
    is_repeated = retry != "unsent" and (method in SAFE_METHODS or (retry == "idempotent" and method in IDEMPOTENT))
    if not others:
        return "never sent to a second replica"
    if not is_repeated:
        return f"sent to up to {others} more where nothing of it was sent"
    statuses = ", ".join(map(str, guards.retry_on))
    return f"sent to up to {others} more on a failure{f', {statuses}' if statuses else ''} ({within})"


def _hedge(method: str, words: CallWords | None, shard: Shard) -> list[str]:
    guards = shard.guards
    if method not in SAFE_METHODS:
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
    return f"{failures_max} failures in a row leave a replica out for {guards.left_out_s:g} s or longer"
