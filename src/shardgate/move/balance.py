"""Decides which tenants move where, so that the shards have about as much each. Few movements, the greatest first.

Holds: afterwards no shard that leaves has a tenant. A movement always makes the fuller of the two shards less full than
it was. The same loads always give the same plan.
Never: reads anything.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from msgspec import Struct

from shardgate.core.topology import ShardId

TOLERANCE: Final = 0.05
"""By how much the fullest shard may exceed the average."""


class TenantLoad(Struct, frozen=True):
    """One tenant: where it is, and how many rows it has."""

    tenant: str
    shard: ShardId
    rows: int


class PlannedMove(Struct, frozen=True):
    """One movement that is planned."""

    tenant: str
    source: ShardId
    target: ShardId
    rows: int

    @property
    def tenants(self) -> tuple[str, ...]:
        """Those that leave together."""
        return (self.tenant,)


def plan_moves(
    loads: Sequence[TenantLoad], shards: Sequence[ShardId], leaving: Collection[ShardId] = (), *, even: bool = True
) -> list[PlannedMove]:
    """The movements. `leaving`: shards that keep no tenant; `even`: the others get about as much each."""
    staying = [shard for shard in shards if shard not in leaving]
    if not staying:
        return []
    totals = dict.fromkeys(staying, 0)
    homes: dict[str, ShardId] = {}
    rows = {load.tenant: load.rows for load in loads}
    started = {load.tenant: load.shard for load in loads}
    for load in loads:
        if load.shard in totals:
            totals[load.shard] += load.rows
            homes[load.tenant] = load.shard
    for load in sorted(loads, key=lambda each: (-each.rows, each.tenant)):
        if load.shard not in totals:
            homes[load.tenant] = target = min(staying, key=lambda shard: (totals[shard], shard))
            totals[target] += load.rows
    if even:
        _level(totals, homes, rows)
    moved = [tenant for tenant, home in homes.items() if home != started[tenant]]
    plan = [PlannedMove(tenant, started[tenant], homes[tenant], rows[tenant]) for tenant in moved]
    return sorted(plan, key=lambda each: (-each.rows, each.tenant))


def _level(totals: dict[ShardId, int], homes: dict[str, ShardId], rows: Mapping[str, int]) -> None:
    """Move one tenant at a time from the fullest shard to the emptiest, as long as that makes them more even."""
    average = sum(totals.values()) / len(totals)
    for _ in range(len(homes)):
        fullest = max(totals, key=lambda shard: (totals[shard], shard))
        emptiest = min(totals, key=lambda shard: (totals[shard], shard))
        gap = totals[fullest] - totals[emptiest]
        if totals[fullest] <= average * (1 + TOLERANCE):
            return
        fitting = [tenant for tenant, home in homes.items() if home == fullest and 0 < rows[tenant] < gap]
        if not fitting:
            return
        chosen = min(fitting, key=lambda tenant: (abs(gap / 2 - rows[tenant]), tenant))
        homes[chosen] = emptiest
        totals[fullest] -= rows[chosen]
        totals[emptiest] += rows[chosen]
