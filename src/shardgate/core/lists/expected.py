"""Where a page is expected to begin on each shard, and how wrong that may be, before a row of it is asked for.

Between two places that are known, the rows of the merged list fall to the shards as by chance, each with the share
that the shard has there: the count of one shard is then wrong by the deviation of a binomial distribution. Behind the
last place that is known, the share is that of the rows before it, and an even one where few are known.

Holds: right for rows that are divided by a hash of anything that the order does not follow. It is only expected: rows
prove the page (selection.py).
"""

from collections.abc import Sequence
from math import sqrt

from shardgate.core.contracts import Waymark
from shardgate.core.topology import ShardId
from shardgate.core.value import Value

# Shares that so many rows have shown count as much as even ones do.
_EVEN_ROWS = 2000


class Expected(Value, frozen=True):
    """What is expected of one shard."""

    place: float
    """How many of its rows stand before the page."""
    deviation: float
    """The standard deviation of that."""
    share: float
    """Its part of the rows around the page."""


def expected(
    shards: Sequence[ShardId], offset: int, below: Waymark | None = None, above: Waymark | None = None
) -> dict[ShardId, Expected]:
    """What is expected of each shard. `below`, `above`: the nearest places that are known."""
    start, starts = (0, dict.fromkeys(shards, 0)) if below is None else below
    ends = {} if above is None else above[1]
    far = 0 if above is None else above[0] - start
    found: dict[ShardId, Expected] = {}
    for shard in shards:
        before, gone = starts.get(shard, 0), offset - start
        if far > 0:
            share = min(1.0, max(0.0, (ends.get(shard, 0) - before) / far))
            variance = gone * (far - gone) / far * _chance(share, far)
            place = before + gone * share
        else:
            share = (before + _EVEN_ROWS / len(shards)) / (start + _EVEN_ROWS)
            unsure = gone * gone / (start + _EVEN_ROWS) if start else 0.0
            variance = (gone + unsure) * share * (1 - share)
            place = before + gone * share
        found[shard] = Expected(place, sqrt(max(0.0, variance)), share)
    return found


def _chance(share: float, rows: int) -> float:
    """The variance of one row's choice; a share of 0 or 1 that few rows have shown is not sure."""
    return min(0.25, share * (1 - share) + 1 / (rows + 1))
