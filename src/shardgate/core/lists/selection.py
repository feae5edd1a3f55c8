"""Where a page of a merged list begins on each shard: found by asking for small blocks, not for all rows before it.

Each shard's rows are in one total order. The page at `offset` begins on shard s behind p(s) rows, where the p(s)
add up to `offset` and every row before is less than every row behind. This module narrows lo(s) <= p(s) <= hi(s):

- A row whose key was seen has a rank in the merged list. For every other shard, the keys seen around it bound how many
  of its rows are less, so the rank lies between two numbers. If the higher one is below `offset`, the row is before the
  page, and lo(s) passes it; if the lower one is not, hi(s) stops at it. Both are certain, whatever was not seen.
- Blocks are asked for where the page is estimated to begin: first at the even share, then where the seen keys say. The
  unseen stretches of a shard are measured by how many keys of the others fall into them, which is right for data that
  is divided by a hash. Where an estimate gained less than half, the next block is in the middle of what is left, which
  is right for any data.
- When the gaps are small, [lo(s) - 1, hi(s) + limit) of every shard is fetched: it holds the page, exactly. The plain
  way, fetching [0, offset + limit), is the same with nothing narrowed. So the result is exact after any number of
  rounds, and their number can be bounded.

Rows may change between two rounds, so the bounds are only hints, as a guess is. The last fetch proves itself: start(s)
rows of shard s stand before it. If the first fetched row of every shard stands before the merged row number
`offset - sum of start(s)`, so do all rows before it, and that merged row is the page's first. If no shard's last
fetched row stands before the page's last row, nothing behind it does. Where either fails, or positions and keys do not
rise together, ChangedError is raised, and the selection begins anew.

Holds: exact at any offset, for any division of the rows, as they stood in the last round; a bounded number of rounds.
Never: does IO, decodes a row, or knows a dialect: keys are whatever compares.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from math import isqrt
from typing import Any

from shardgate.core.lists.expected import Expected, expected
from shardgate.core.lists.probing import Probing, Stretch, stretch
from shardgate.core.lists.sample import ChangedError as ChangedError
from shardgate.core.lists.sample import Measure, Seen
from shardgate.core.topology import ShardId
from shardgate.core.value import Value

# Rows of a block. A deep first round takes more: on data divided by a hash, the begin of the page deviates from the
# even share by about sqrt(offset / shards), and blocks that overlap are worth most.
BLOCK_ROWS = 48
BLOCK_ROWS_MAX = 512
# On data divided by a hash, the estimate is wrong by at most about twice the square root of its distance from the
# nearest row seen. Where that is more than WINDOW_ROWS_MAX to each side, or has failed, the data is divided otherwise.
WINDOW_ROWS = 8
WINDOW_ROWS_MAX = 48
WINDOWS_MAX = 2
# Narrowing stops here at the latest. The fetch is then larger than it could be, and as exact.
ROUNDS_MAX = 16
# So many times its rows a page may take of each shard, without another thought.
PAGES_ROWS = 3
# Of so many deviations the expectation alone may be wrong; the fewer where the more would take too many rows.
SURE_DEVIATIONS = (5.0, 4.0)
# A round trip costs about as much as this many rows of a shard.
ROUND_ROWS = 100


class Block(Value, frozen=True):
    """Rows [start, start + count) of a shard, in the list's order."""

    shard: ShardId
    start: int
    count: int | None
    """None: to the end."""


class Selection:
    """One page being searched for.

    While not `narrow_enough`, read `blocks()` and give their keys to `take()`; then read `page_blocks()` and give their
    keys to `skip()`. Where that returns None, go on from the start.
    """

    def __init__(
        self,
        shards: Sequence[ShardId],
        offset: int,
        limit: int,
        guess: Mapping[ShardId, int] | None = None,
        block_rows_max: int = BLOCK_ROWS_MAX,
        expectations: Mapping[ShardId, Expected] | None = None,
    ) -> None:
        """`guess`: how many rows of each shard stand before the page, `offset` in all; it need not be right.

        `expectations`: where there is no guess, how many probably do; None: an even share of the offset.
        """
        self._block_rows_max = block_rows_max
        self._offset = offset
        self._limit = limit
        self._seen = {shard: Seen(offset) for shard in shards}
        self._expected = expected(shards, offset) if expectations is None else expectations
        self._estimates = {shard: min(offset, round(one.place)) for shard, one in self._expected.items()}
        self._windows: dict[ShardId, Stretch] | None = None
        self._probes: list[list[Block]] = []
        self._probing: Probing | None = None
        if guess is not None:
            self._windows = {shard: (max(0, guess[shard] - 1), guess[shard] + limit) for shard in shards}
        else:
            self._begin()
        self._windows_left = WINDOWS_MAX
        self._halving = False
        self._past_end = False
        self.rounds = 0

    def _begin(self) -> None:
        """Expect the page in a short stretch of each shard, or look at two rows around each place."""
        rows = max(BLOCK_ROWS, PAGES_ROWS * self._limit)
        for deviations in SURE_DEVIATIONS:
            near = {shard: stretch(one, self._limit, deviations) for shard, one in self._expected.items()}
            if all(end - start <= rows for start, end in near.values()):
                self._windows = near
                return
        self._probing = Probing(self._offset, self._expected)
        self._probes = [
            [Block(shard, place, 1) for shard, place in places.items()] for places in self._probing.places()
        ]

    @property
    def usual(self) -> str:
        """What the search for the page costs each shard, in words."""
        if self._windows is not None:
            most = max(end - start for start, end in self._windows.values())
            return f"1 call for {most} rows"
        return f"3 calls in 2 rounds, for about {PAGES_ROWS * self._limit} rows"

    @property
    def narrow_enough(self) -> bool:
        """Whether fetching what may hold the page costs less than narrowing further."""
        return self._windows is not None or self._is_certain

    @property
    def _is_certain(self) -> bool:
        cheap = self._gap <= len(self._seen) * max(ROUND_ROWS, self._limit)
        return cheap or self._past_end or self.rounds >= ROUNDS_MAX

    def ahead(self) -> Sequence[Block]:
        """The blocks to look at after those of `blocks`, whatever these hold: all can be asked for at once."""
        return self._probes[1] if len(self._probes) > 1 else ()

    def blocks(self) -> list[Block]:
        """The blocks to look at next."""
        if self._probes:
            return self._probes[0]
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
        """Take in the keys of the blocks' rows: fewer than asked for where the shard ends. Raises ChangedError."""
        before = self._gap
        self.rounds += 1
        for block, values in keys.items():
            self._seen[block.shard].add(block.start, block.count, values)
        if self._probing is not None:
            self._probe(self._probing, keys)
            return
        for shard in self._seen:
            self._narrow(shard)
        self._tighten()
        self._halving = self._gap * 2 > before
        if not self._is_certain:
            self._estimates = Measure(self._seen).places(self._offset)
            self._windows = self._estimated_windows()

    def _probe(self, probing: Probing, keys: Mapping[Block, Sequence[Any]]) -> None:
        """Take in rows that were looked at; after the last ones, expect the page where they say."""
        del self._probes[0]
        for block, values in keys.items():
            if values:
                probing.take(block.shard, block.start, values[0])
            else:
                probing.ended(block.shard, block.start)
        if self._probes:
            return
        self._probing = None
        for shard in self._seen:
            self._narrow(shard)
        self._tighten()
        if not self._past_end:
            self._estimates = Measure(self._seen).places(self._offset)
            found = probing.stretches(self._limit, PAGES_ROWS * self._limit - 2)
            self._windows = {shard: self._within(shard, found[shard]) for shard in self._seen}

    def _within(self, shard: ShardId, found: Stretch) -> Stretch:
        """A stretch without the rows that certainly are not needed, and no longer than a block may be."""
        seen, (start, end) = self._seen[shard], found
        start = max(start, seen.lo - 1, 0)
        end = min(end, seen.hi + self._limit, start + max(self._block_rows_max, self._limit + 1))
        return start, max(end, start + 1)

    def page_blocks(self) -> list[Block]:
        """The blocks that may hold the page, each with one row more in front, which proves that it is before the page.

        Where the page is behind the end, the last rows of each shard: they prove that no shard has grown.
        """
        blocks = []
        for shard, seen in self._seen.items():
            if self._windows is not None:
                start, end = self._windows[shard]
                blocks.append(Block(shard, start, end - start))
            elif self._past_end:
                blocks.append(Block(shard, max(0, (seen.size_max or 0) - 1), 2))
            else:
                start = max(0, seen.lo - 1)
                blocks.append(Block(shard, start, seen.hi + self._limit - start))
        return blocks

    def skip(self, keys: Mapping[Block, Sequence[Any]]) -> int | None:
        """How many of the merged rows of the page blocks stand before the page, by their keys.

        None where the blocks do not hold the page; then more must be read. The answer is right for the rows as they
        are now, whatever they were in earlier rounds. Raises ChangedError.
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

    def _estimated_windows(self) -> dict[ShardId, Stretch] | None:
        """The rows of each shard that probably hold the page; None: unknown."""
        windows = {}
        for shard, place in self._estimates.items():
            far = self._seen[shard].nearest(place)
            margin = WINDOW_ROWS_MAX + 1 if far is None else WINDOW_ROWS + 2 * isqrt(far)
            if margin > WINDOW_ROWS_MAX or not self._windows_left:
                return None
            start = max(0, place - margin)
            windows[shard] = (start, place + margin - 1 + self._limit)
        self._windows_left -= 1
        return windows

    @property
    def _gap(self) -> int:
        return sum(seen.hi - seen.lo for seen in self._seen.values())

    def _narrow(self, shard: ShardId) -> None:
        """Move the bounds of a shard past the seen rows that are certainly before, or not before, the page."""
        seen = self._seen[shard]
        first, last = bisect_left(seen.places, seen.lo), bisect_left(seen.places, seen.hi)
        # Ranks rise with the rows: the last row that is before, and the first that is behind, are found by bisection.
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
        """Bound each p(s) by the others: they add up to the offset, if there are that many rows."""
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
    """Whether blocks hold a page that begins behind `before` of their merged rows.

    Rows that were not fetched stand before a block's first row or, if the block is full, behind its last one. So it is
    enough that the greatest of the first rows is before the page, and the least of the last rows is not.
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
    """How many rows stand before a row of one shard. Of equal rows, those of earlier shards stand first."""
    return sum(bisect_right(values, key) if n < mine else bisect_left(values, key) for n, values in enumerate(rows))
