"""Decides which shard gets which tenant: the heaviest first, each to the lightest shard so far.

Holds: the fullest shard is at most 4/3 of the best division possible (Graham's bound for LPT),
and the same weights always give the same division.
Never: looks at anything but weights.
"""

import heapq
from collections.abc import Sequence


def balance(weights: Sequence[int], shards: int) -> list[int]:
    """The shard of each tenant, as a position from 0 to shards - 1."""
    lightest = [(0, 0, shard) for shard in range(shards)]
    chosen = [0] * len(weights)
    for tenant in sorted(range(len(weights)), key=lambda t: (-weights[t], t)):
        load, tenants, shard = lightest[0]
        chosen[tenant] = shard
        heapq.heapreplace(lightest, (load + weights[tenant], tenants + 1, shard))
    return chosen


def imbalance(loads: Sequence[int]) -> float:
    """How much fuller than the average the fullest shard is; 0.0 is perfect."""
    mean = sum(loads) / len(loads) if loads else 0
    return max(loads) / mean - 1 if mean else 0.0
