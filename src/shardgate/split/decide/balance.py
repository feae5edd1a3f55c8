"""Decides which shard gets which tenant: the heaviest tenant first, each to the shard that is lightest so far.

Holds: the fullest shard is at most 4/3 as heavy as in the best possible division (Graham's bound for the rule of the
longest processing time, LPT). The same weights always give the same division.
"""

import heapq
from collections.abc import Sequence


def balance(weights: Sequence[int], shards: int) -> list[int]:
    """The shard of each tenant, as an index from 0 to shards - 1, for the weights of the tenants in bytes."""
    lightest = [(0, 0, shard) for shard in range(shards)]
    chosen = [0] * len(weights)
    for tenant in sorted(range(len(weights)), key=lambda t: (-weights[t], t)):
        load, tenants, shard = lightest[0]
        chosen[tenant] = shard
        heapq.heapreplace(lightest, (load + weights[tenant], tenants + 1, shard))
    return chosen


def imbalance(loads: Sequence[int]) -> float:
    """By how much the fullest shard exceeds the average, as a fraction: 0.0 if all are equal, 0.5 for half more."""
    mean = sum(loads) / len(loads) if loads else 0
    return max(loads) / mean - 1 if mean else 0.0
