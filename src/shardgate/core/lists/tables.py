"""The rows of one round: raw, each with the shard that it came from, and ranked.

Holds: a row is not decoded; its sort keys are.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from shardgate.core.json.array import Rows
from shardgate.core.lists.selection import Block
from shardgate.core.order.ranking import Order, Ranking
from shardgate.core.order.sort_key import SortKey
from shardgate.core.topology import ShardId


class Tables:
    """Blocks of several shards, one after the other."""

    __slots__ = ("_ends", "owners", "ranking", "raw", "samples")

    def __init__(self, order: Order, keys: Mapping[str, SortKey], blocks: Sequence[tuple[Block, Rows]]) -> None:
        """Raises BrokenReplyError, OrderBrokenError."""
        self.ranking = Ranking(order, keys)
        self.samples: list[Rows] = []
        self.raw: list[msgspec.Raw] = []
        self.owners: list[ShardId] = []
        self._ends: list[tuple[Block, int]] = []
        for block, rows in blocks:
            self.samples.append(rows)
            self.raw += rows.raw
            self.owners += [block.shard] * self.ranking.add(rows.body)
            self._ends.append((block, len(self.raw)))

    def starts(self) -> dict[ShardId, int]:
        """How many rows of each shard stand before those that were read."""
        return {block.shard: block.start for block, _ in self._ends}

    def keys(self) -> dict[Block, list[Any]]:
        """The sort keys of each block's rows."""
        keys: dict[Block, list[Any]] = {}
        start = 0
        for block, end in self._ends:
            keys[block] = self.ranking.comparable(start, end)
            start = end
        return keys
