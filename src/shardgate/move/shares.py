"""Decides which tenants leave a shard for new ones, so that all have about the same weight. Few movements.

Holds: tenants with rows in common leave together. Nobody leaves a new shard. The same weights always give the same
plan.
Never: reads anything.
"""

from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence

from msgspec import Struct

from shardgate.core.topology import ShardId
from shardgate.move.balance import TOLERANCE


class Departure(Struct, frozen=True):
    """Tenants that leave together."""

    tenants: tuple[str, ...]
    target: ShardId
    weight: int


def groups_of(tenants: Collection[str], ties: Collection[tuple[str, str]]) -> list[tuple[str, ...]]:
    """The tenants in groups: two that are tied, also by way of others, are in one."""
    leaders = {tenant: tenant for tenant in tenants}

    def leader(tenant: str) -> str:
        while (above := leaders[tenant]) != tenant:
            leaders[tenant] = tenant = leaders[above]
        return tenant

    for one, other in ties:
        if one in leaders and other in leaders:
            first, last = sorted((leader(one), leader(other)))
            leaders[last] = first
    found: dict[str, list[str]] = {}
    for tenant in sorted(tenants):
        found.setdefault(leader(tenant), []).append(tenant)
    return [tuple(group) for group in found.values()]


def plan_departures(
    groups: Sequence[tuple[str, ...]],
    weights: Mapping[str, int],
    source: ShardId,
    totals: Mapping[ShardId, int],
    kept: Collection[str] = (),
) -> list[Departure]:
    """Who leaves. `totals`: the weight that each new shard has already; `kept`: tenants that stay, and their groups."""
    full = {source: sum(weights.get(tenant, 0) for group in groups for tenant in group), **totals}
    average = sum(full.values()) / len(full)
    left = sorted(
        (weight, group)
        for group in groups
        if (weight := sum(weights.get(tenant, 0) for tenant in group)) > 0 and not {*kept}.intersection(group)
    )
    plan: list[Departure] = []
    while full[source] > average * (1 + TOLERANCE):
        target = min(totals, key=lambda shard: (full[shard], shard))
        wanted = min(full[source] - average, average - full[target])
        at = _closest(left, wanted, full[source] - full[target])
        if at is None:
            break
        weight, group = left.pop(at)
        plan.append(Departure(group, target, weight))
        full[source] -= weight
        full[target] += weight
    return plan


def _closest(left: Sequence[tuple[int, tuple[str, ...]]], wanted: float, gap: int) -> int | None:
    """Where the weight is that is closest to what is wanted. Below the gap: no target becomes the fuller one."""
    at = bisect_left(left, (wanted,))
    fitting = [place for place in (at - 1, at) if 0 <= place < len(left) and left[place][0] < gap]
    return min(fitting, key=lambda place: (abs(left[place][0] - wanted), place), default=None)
