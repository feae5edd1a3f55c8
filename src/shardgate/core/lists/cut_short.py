"""Shards that gave fewer rows than they were asked for: has each of them ended, or does the application limit pages by
itself, without a word of the rule?

A shard is asked on where its reply shows that it may have more: it states a size or says that there is more, or says
neither, and the number of its rows is a likely limit (core/paging/bounds.py). The request is for its last row again and
the next one. Where the next one is there, it may have come meanwhile: the first request is sent once more, and a reply
that has no more rows than before is cut.

Holds: no page is made of rows that a shard is known to have cut short. A row that is appended meanwhile fails no page.
Never: takes a short reply alone for cut: a list that ends looks the same.
"""

from collections.abc import Mapping, Sequence
from operator import eq

import msgspec

from shardgate.core.contracts import Dialect, Listing
from shardgate.core.dialect.whole import Whole
from shardgate.core.json.array import Rows, cut
from shardgate.core.lists.selection import Block, ChangedError
from shardgate.core.paging.bounds import cut_short, likely_limit
from shardgate.core.topology import ShardId


class Suspects:
    """The shards that are asked whether they have more than they gave."""

    __slots__ = ("_dialect", "_given", "_with_next", "wanted")

    def __init__(
        self,
        dialect: Dialect,
        given: Mapping[ShardId, tuple[Block, Sequence[msgspec.Raw]]],
        wanted: Sequence[Block],
    ) -> None:
        self._dialect = dialect
        self._given = given
        self._with_next: set[ShardId] = set()
        """Those with a row behind what they gave: they are asked once more for what they were asked for first."""
        self.wanted: Sequence[Block] = wanted
        """The rows to ask for: the last one of each shard, and the next; none: all have answered."""

    def take(self, shard: ShardId, listing: Listing) -> None:
        """Take in a shard's answer. Raises BrokenReplyError where it has more, ChangedError where its rows moved."""
        asked = next(block for block in self.wanted if block.shard == shard)
        self.wanted = [block for block in self.wanted if block is not asked]
        block, given = self._given[shard]
        rows, end = cut(listing.rows).raw, block.start + len(given)
        if shard in self._with_next:
            if asked.start + len(rows) <= end:
                found = "it gives a row behind them when it is asked on"
                raise cut_short(block.count, block.start, len(given), found)
            return
        place = end - 1 - asked.start
        if len(rows) == len(given) and all(map(eq, map(bytes, rows), map(bytes, given))):
            return  # the application gives all rows whatever it is asked for
        if len(rows) <= place or bytes(rows[place]) != bytes(given[-1]):
            raise ChangedError
        if len(rows) > place + 1:
            self._with_next.add(shard)
            self.wanted = [*self.wanted, self._first_asked(block, end)]

    def _first_asked(self, block: Block, end: int) -> Block:
        """What was asked for when the shard gave no row from `end` on."""
        first, many = self._dialect.cover(block.start, block.count)
        if many is not None and first + many <= end:  # a piece of the block that had all its rows
            rest = None if block.count is None else block.start + block.count - end + 1
            first, many = self._dialect.cover(end - 1, rest)
        return Block(block.shard, first, many)


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
    return Suspects(dialect, given, wanted) if wanted else None


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
