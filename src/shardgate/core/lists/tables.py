"""The rows of one round: raw, ranked, and each with the shard that it came from.

Holds: a row is not decoded; its sort keys are.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from shardgate.core.errors import UpstreamError
from shardgate.core.json.array import Rows
from shardgate.core.lists.selection import Block
from shardgate.core.order.order import Order
from shardgate.core.order.ranking import Ranking
from shardgate.core.paging.bounds import check_whole, too_many
from shardgate.core.topology import ShardId


class Tables:
    """Blocks of several shards, one after the other."""

    __slots__ = ("_ends", "owners", "ranking", "raw", "samples")

    def __init__(self, order: Order, blocks: Sequence[tuple[Block, Rows]]) -> None:
        """Raises BrokenReplyError, OrderBrokenError."""
        self.ranking = Ranking(order)
        self.samples: list[Rows] = []
        self.raw: list[msgspec.Raw] = []
        self.owners: list[ShardId] = []
        self._ends: list[tuple[Block, int]] = []
        for block, rows in blocks:
            self.samples.append(rows)
            self.raw += rows.raw
            try:
                if len(rows.raw) > (block.count or 0):
                    _check(block, len(rows.raw))
                count = self.ranking.add(rows.body, block.start)
            except UpstreamError as error:
                error.shard = block.shard
                raise
            self.owners += [block.shard] * count
            self._ends.append((block, len(self.raw)))

    def starts(self) -> dict[ShardId, int]:
        """How many rows of each shard stand before the rows here."""
        return {block.shard: block.start for block, _ in self._ends}

    def keys(self) -> dict[Block, list[Any]]:
        """The sort keys of each block's rows, as values that compare."""
        keys: dict[Block, list[Any]] = {}
        start = 0
        for block, end in self._ends:
            keys[block] = self.ranking.comparable(start, end)
            start = end
        return keys


def _check(block: Block, found: int) -> None:
    """Raises BrokenReplyError where a shard gave more rows than it was asked for, ReplyTooLargeError."""
    if block.count is not None:
        raise too_many(block.count, found)
    check_whole(found)
