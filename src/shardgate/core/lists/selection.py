"""Where a page of a merged list begins on each shard: found by asking for small blocks, not for all before it.

Each shard's rows are in one total order. The page at `offset` begins on shard s behind p(s) rows, where the p(s)
add up to `offset` and every row before is less than every row behind. This module narrows lo(s) <= p(s) <= hi(s):

- A row whose key was seen has a rank in the merged list. Of every other shard, the seen keys around it bound how many
  rows are less: so its rank lies between two numbers. If the higher is below `offset`, the row is before the page,
  and lo(s) passes it; if the lower is not, hi(s) stops at it. Both are certain, whatever was not seen.
- Blocks are asked for where the page is estimated to begin: at the even share first, then where the seen keys say,
  each shard's unseen stretches being measured by how many keys of the others fall into them (right for data cut by a
  hash). Where that gained less than half, in the middle of what is left (right for any data).
- When the gaps are small, [lo(s) - 1, hi(s) + limit) of every shard is fetched: it holds the page, exactly. The plain
  way, to fetch [0, offset + limit), is the same with nothing narrowed; so the result is exact after however many
  rounds, and their number can be bounded.

Rows may change between two rounds, so that the bounds are only hints, as a guess is. What was fetched last proves
itself: of shard s, start(s) rows stand before it. If the first fetched row of every shard stands before the merged
row that is `offset - sum of start(s)` rows in, so does all before it, and that row is the page's first. If no shard's
last fetched row stands before the page's last, nothing behind it does. Where either fails, or positions and keys do
not rise together, ChangedError is raised, and the selection begins anew.

Holds: exact at any offset, for any division of the rows, as they stood in the last round; a bounded number of rounds.
Never: does IO, decodes a row, or knows a dialect: keys are whatever compares.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from math import isqrt
from typing import Any

from shardgate.core.lists.sample import ChangedError as ChangedError
from shardgate.core.lists.sample import Measure, Seen
from shardgate.core.topology import ShardId
from shardgate.core.value import Value

# Rows of a block. Those of the first round are more where it is deep: on hash-cut data the page's begin deviates from
# the even share by about sqrt(offset / shards), and blocks that overlap tell most.
BLOCK_ROWS = 48
BLOCK_ROWS_MAX = 512
# Where the page may begin is right, on hash-cut data, but for twice the square root of how far it is from what was
# seen, and a little. Where that is more than WINDOW_ROWS_MAX to each side, or has failed, the data is cut otherwise.
WINDOW_ROWS = 8
WINDOW_ROWS_MAX = 48
WINDOWS_MAX = 2
# Narrowing stops here at the latest; what is then fetched is more than it might be, and as exact.
ROUNDS_MAX = 16
# A round trip is worth about this many rows of a shard.
ROUND_ROWS = 100


class Block(Value, frozen=True):
    """Rows [start, start + count) of a shard, in the list's order."""

    shard: ShardId
    start: int
    count: int | None
    """None: to the end."""


class Selection:
    """One page being found. Ask for `blocks()`, give their keys to `take()`, until it is worth to ask for
    `page_blocks()`, and give those to `skip()`; and so on, until that finds the page in them."""

    def __init__(
        self,
        shards: Sequence[ShardId],
        offset: int,
        limit: int,
        guess: Mapping[ShardId, int] | None = None,
        block_rows_max: int = BLOCK_ROWS_MAX,
    ) -> None:
        """`guess`: rows before the page of each shard, `offset` in all; whether it is right shows when it is read."""
        self._block_rows_max = block_rows_max
        self._offset = offset
        self._limit = limit
        self._seen = {shard: Seen(offset) for shard in shards}
        self._estimates = dict.fromkeys(shards, offset // len(shards))
        self._windows = None if guess is None else {shard: (guess[shard], 1) for shard in shards}
        self._windows_left = WINDOWS_MAX
        self._halving = False
        self._past_end = False
        self.rounds = 0

    @property
    def narrow_enough(self) -> bool:
        """Whether to fetch what may hold the page now costs less than to narrow further."""
        return self._windows is not None or self._is_certain

    @property
    def _is_certain(self) -> bool:
        cheap = self._gap <= len(self._seen) * max(ROUND_ROWS, self._limit)
        return cheap or self._past_end or self.rounds >= ROUNDS_MAX

    def blocks(self) -> list[Block]:
        """The blocks to look at next."""
        wide = 0 if self.rounds else isqrt(self._offset // len(self._seen))
        rows = max(BLOCK_ROWS, min(wide, self._block_rows_max))
        blocks = []
        for shard, seen in self._seen.items():
            if seen.lo < seen.hi:
                place = (seen.lo + seen.hi) // 2 if self._halving else self._estimates[shard]
                start = max(seen.lo, min(place - rows // 2, seen.hi - rows))
                blocks.append(Block(shard, start, rows))
        return blocks

    def take(self, keys: Mapping[Block, Sequence[Any]]) -> None:
        """The keys of the blocks' rows; fewer than asked where the shard ends. Raises ChangedError."""
        before = self._gap
        self.rounds += 1
        for block, values in keys.items():
            self._seen[block.shard].add(block.start, block.count, values)
        for shard in self._seen:
            self._narrow(shard)
        self._tighten()
        self._halving = self._gap * 2 > before
        if not self._is_certain:
            self._estimates = Measure(self._seen).places(self._offset)
            self._windows = self._hoped()

    def page_blocks(self) -> list[Block]:
        """What may hold the page, with a row before it on each shard, to see that it stands before the page.

        Where the page is behind the end, the ends: to see that no shard has grown.
        """
        blocks = []
        for shard, seen in self._seen.items():
            if self._windows is not None:
                place, margin = self._windows[shard]
                start = max(0, place - margin)
                blocks.append(Block(shard, start, place + margin - 1 + self._limit - start))
            elif self._past_end:
                blocks.append(Block(shard, max(0, (seen.size_max or 0) - 1), 2))
            else:
                start = max(0, seen.lo - 1)
                blocks.append(Block(shard, start, seen.hi + self._limit - start))
        return blocks

    def skip(self, keys: Mapping[Block, Sequence[Any]]) -> int | None:
        """Given the keys of the page blocks: how many of their merged rows stand before the page.

        None where they do not hold it, and more must be asked first. What is said is right for the rows as they stand
        now, whatever stood there in earlier rounds. Raises ChangedError.
        """
        before = self._offset - sum(block.start for block in keys)
        if self._windows is not None:
            self._windows = None
            if _holds(list(keys.items()), before, self._limit):
                return before
            self.take(keys)
            return None
        if self._past_end:
            if sum(map(len, keys.values())) > before or any(
                len(values) >= (b.count or 0) for b, values in keys.items()
            ):
                raise ChangedError
            return sum(map(len, keys.values()))
        if not _holds(list(keys.items()), before, self._limit):
            raise ChangedError
        return before

    def _hoped(self) -> dict[ShardId, tuple[int, int]] | None:
        """Where the page is hoped to begin on each shard, and how many rows that may be wrong; None: nobody knows."""
        windows = {}
        for shard, place in self._estimates.items():
            far = self._seen[shard].nearest(place)
            margin = WINDOW_ROWS_MAX + 1 if far is None else WINDOW_ROWS + 2 * isqrt(far)
            if margin > WINDOW_ROWS_MAX or not self._windows_left:
                return None
            windows[shard] = (place, margin)
        self._windows_left -= 1
        return windows

    @property
    def _gap(self) -> int:
        return sum(seen.hi - seen.lo for seen in self._seen.values())

    def _narrow(self, shard: ShardId) -> None:
        """Move the bounds of a shard past the seen rows that are surely before, or surely not before, the page."""
        seen = self._seen[shard]
        first, last = bisect_left(seen.places, seen.lo), bisect_left(seen.places, seen.hi)
        # Ranks rise with the rows, so the last row surely before, and the first surely behind, are found by halves.
        low, high = first, last
        while low < high:
            middle = (low + high) // 2
            if self._surely_before(shard, middle):
                low = middle + 1
            else:
                high = middle
        if low > first:
            seen.lo = seen.places[low - 1] + 1
        high = last
        while low < high:
            middle = (low + high) // 2
            if self._surely_behind(shard, middle):
                high = middle
            else:
                low = middle + 1
        if high < last:
            seen.hi = seen.places[high]

    def _surely_before(self, shard: ShardId, n: int) -> bool:
        mine = self._seen[shard]
        rank = mine.places[n]
        for other, seen in self._seen.items():
            if other != shard:
                most = seen.rank_max(mine.keys[n])
                if most is None:
                    return False
                rank += most
        return rank < self._offset

    def _surely_behind(self, shard: ShardId, n: int) -> bool:
        mine = self._seen[shard]
        others = sum(seen.rank_min(mine.keys[n]) for other, seen in self._seen.items() if other != shard)
        return mine.places[n] + others >= self._offset

    def _tighten(self) -> None:
        """The p(s) add up to the offset, if there are that many rows: what the others take at most bounds each."""
        lo, hi = sum(s.lo for s in self._seen.values()), sum(s.hi for s in self._seen.values())
        if hi <= self._offset and all(seen.size_max is not None for seen in self._seen.values()):
            self._past_end = sum(seen.size_max or 0 for seen in self._seen.values()) <= self._offset
        surely_there = sum(seen.places[-1] + 1 for seen in self._seen.values() if seen.places)
        for seen in self._seen.values():
            low, high = seen.lo, seen.hi
            if surely_there >= self._offset:
                seen.lo = max(low, min(high, self._offset - (hi - high)))
            seen.hi = min(high, max(seen.lo, self._offset - (lo - low)))


def _holds(blocks: Sequence[tuple[Block, Sequence[Any]]], before: int, limit: int) -> bool:
    """Whether blocks of rows, as many of them before the page as said, hold the page.

    What was not fetched stands before a block's first row, or behind its last one, if the block is full. So it is
    enough that the greatest of the first rows is before the page, and the least of the last ones not.
    """
    firsts: list[tuple[Any, int]] = []
    lasts: list[tuple[Any, int]] = []
    for n, (block, values) in enumerate(blocks):
        if block.start:
            if not values:
                return False
            firsts.append((values[0], n))
        if values and len(values) >= (block.count or 0):
            lasts.append((values[-1], n))
    rows = [values for _, values in blocks]
    if firsts and _rank(rows, *max(firsts)) >= before:
        return False
    return not lasts or _rank(rows, *min(lasts)) >= before + limit - 1


def _rank(rows: Sequence[Sequence[Any]], key: Any, mine: int) -> int:
    """How many rows stand before a row of one shard; of equal ones those of the earlier shards do."""
    return sum(bisect_right(values, key) if n < mine else bisect_left(values, key) for n, values in enumerate(rows))
