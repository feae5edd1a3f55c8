"""Shards that gave fewer rows than they were asked for: has each of them ended, or does the application limit pages by
itself, without a word of the rule?

A shard is asked on where its reply shows that it may have more: it states a size or says that there is more, or says
neither, and the number of its rows is a likely limit (core/paging/bounds.py). The request is for its last row again and
the next one. Only the next one proves that there is more.

Holds: no page is made of rows that a shard is known to have cut short.
Never: takes a short reply alone for cut: a list that ends looks the same.
"""

from collections.abc import Mapping, Sequence

import msgspec

from shardgate.core.contracts import Dialect, Listing
from shardgate.core.dialect.whole import Whole
from shardgate.core.json.array import Rows, cut
from shardgate.core.lists.selection import Block, ChangedError
from shardgate.core.paging.bounds import cut_short, likely_limit
from shardgate.core.topology import ShardId


class Suspects:
    """The shards that are asked whether they have more than they gave."""

    __slots__ = ("_given", "wanted")

    def __init__(self, given: Mapping[ShardId, tuple[Block, Sequence[msgspec.Raw]]], wanted: Sequence[Block]) -> None:
        self._given = given
        self.wanted: Sequence[Block] = wanted
        """The rows to ask for: the last one of each shard, and the next; none: all have answered."""

    def take(self, shard: ShardId, listing: Listing) -> None:
        """Take in a shard's answer. Raises BrokenReplyError where it has more, ChangedError where its rows moved."""
        asked = next(block for block in self.wanted if block.shard == shard)
        self.wanted = [block for block in self.wanted if block is not asked]
        block, given = self._given[shard]
        rows = cut(listing.rows).raw
        place = block.start + len(given) - 1 - asked.start
        if [bytes(row) for row in rows] == [bytes(row) for row in given]:
            return  # the application gives all rows whatever it is asked for
        if len(rows) <= place or bytes(rows[place]) != bytes(given[-1]):
            raise ChangedError
        if len(rows) > place + 1:
            found = "it gives a row behind them when it is asked on"
            raise cut_short(block.count, block.start, len(given), found)


def suspects(
    dialect: Dialect,
    blocks: Sequence[tuple[Block, Rows]],
    totals: Mapping[ShardId, int],
    told: Mapping[ShardId, bool],
    *,
    given_max: int = 0,
) -> Suspects | None:
    """The shards that may have more than they gave; None: none may, or none can be asked on.

    `totals`, `told`, `given_max`: as `may_have_more`.
    """
    shards = may_have_more([(block, len(rows.raw)) for block, rows in blocks], totals, told, given_max=given_max)
    if not shards or isinstance(dialect, Whole):
        return None
    given = {block.shard: (block, rows.raw) for block, rows in blocks if block.shard in shards}
    wanted: list[Block] = []
    for shard, (block, rows) in given.items():
        first, many = dialect.cover(block.start + len(rows) - 1, 2)
        if many is not None and many <= len(rows):  # a page of more rows would be cut like the one before
            wanted.append(Block(shard, first, many))
    return Suspects(given, wanted) if wanted else None


def may_have_more(
    blocks: Sequence[tuple[Block, int]],
    totals: Mapping[ShardId, int],
    told: Mapping[ShardId, bool],
    *,
    given_max: int = 0,
) -> frozenset[ShardId]:
    """The shards that gave fewer rows of their blocks than asked for, and may have more, as far as replies show it.

    `totals`: the sizes that shards have stated; `told`: whether there is more, where shards said it; `given_max`: the
    most rows that one reply of earlier rounds had, which no limit of the application's own has cut.
    """
    short = [(block, count) for block, count in blocks if count > 1 and (block.count is None or count < block.count)]
    if not short:
        return frozenset()
    likely = None
    if not totals.keys() >= {block.shard for block, _ in short}:  # else the sizes say it
        is_any_full = any(block.count is not None and count >= block.count for block, count in blocks)
        likely = None if is_any_full else likely_limit([count for _, count in blocks], given_max)
    return frozenset(
        block.shard
        for block, count in short
        if (
            totals[block.shard] > block.start + count
            if block.shard in totals
            else told.get(block.shard, count == likely)
        )
    )


def refuse_cut(block: Block, given: int, listing: Listing) -> None:
    """For a reader that does not ask on. Raises BrokenReplyError where the reply itself says that there is more."""
    has_more = listing.more if listing.total is None else listing.total > block.start + given
    if has_more and (block.count is None or given < block.count):
        raise cut_short(block.count, block.start, given, "its reply says that there are more")
