"""Where a page of a merged list begins on each shard: found by asking for small blocks, not for all before it.

Each shard's rows are in one total order. The page at `offset` begins on shard s behind p(s) rows, where the p(s)
add up to
`offset` and every row before is less than every row behind. This module narrows lo(s) <= p(s) <= hi(s):

- A row whose key was seen has a rank in the merged list. Of every other shard, the seen keys around it bound how many
  rows are less: so its rank lies between two numbers. If the higher is below `offset`, the row is before the
  page, and
  lo(s) passes it; if the lower is not, hi(s) stops at it. Both are certain, whatever was not seen.
- Blocks are asked for where the page is estimated to begin: at the even share first, then where the seen keys say,
  each shard's unseen stretches being measured by how many keys of the others fall into them (right for data cut by a
  hash). Where that gained less than half, in the middle of what is left (right for any data).
- When the gaps are small, [lo(s), hi(s) + limit) of every shard is fetched: it holds the page, exactly. The
  plain way, to
  fetch [0, offset + limit), is the same with nothing narrowed; so the result is exact after however many rounds, and
  their number can be bounded.

Rows may change between two rounds. What was seen twice must be the same, positions and keys must rise together,
and the
row before each gap is fetched again at the end: a difference raises ChangedError, and the selection begins anew.

Holds: exact at any offset, for any division of the rows; a bounded number of rounds.
Never: does IO, decodes a row, or knows a dialect: keys are whatever compares.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

from shardgate.core.topology import ShardId
from shardgate.core.value import Value

# Rows of a block: on hash-cut data the page's begin deviates from the even share by about sqrt(offset / shards).
BLOCK_ROWS = 48
# Narrowing stops here at the latest; what is then fetched is more than it might be, and as exact.
ROUNDS_MAX = 16
# A round trip is worth about this many rows of a shard.
ROUND_ROWS = 100


class ChangedError(Exception):
    """The rows changed between two rounds."""


class Block(Value, frozen=True):
    """Rows [start, start + count) of a shard, in the list's order."""

    shard: ShardId
    start: int
    count: int | None
    """None: to the end."""


class _Seen:
    """What is known of one shard: keys at positions, both rising; and its bounds."""

    __slots__ = ("hi", "keys", "lo", "places", "size_max")

    def __init__(self, hi: int) -> None:
        self.places: list[int] = []
        self.keys: list[Any] = []
        self.lo = 0
        self.hi = hi
        self.size_max: int | None = None

    def add(self, block: Block, keys: Sequence[Any]) -> None:
        if block.count is not None and len(keys) < block.count:
            end = block.start + len(keys)
            if self.places and self.places[-1] >= end:
                raise ChangedError
            self.size_max = end if self.size_max is None else min(self.size_max, end)
            self.hi = min(self.hi, self.size_max)
        for place, key in enumerate(keys, block.start):
            self._note(place, key)

    def rank_min(self, key: Any) -> int:
        """At least so many rows of this shard are less than a key of another."""
        n = bisect_left(self.keys, key)
        return self.places[n - 1] + 1 if n else 0

    def rank_max(self, key: Any) -> int | None:
        """At most so many; None: no bound is known."""
        n = bisect_right(self.keys, key)
        return self.places[n] if n < len(self.keys) else self.size_max

    def at(self, place: int) -> Any:
        """The key seen at a place; None where none was."""
        n = bisect_left(self.places, place)
        return self.keys[n] if n < len(self.places) and self.places[n] == place else None

    def _note(self, place: int, key: Any) -> None:
        n = bisect_left(self.places, place)
        if n < len(self.places) and self.places[n] == place:
            if self.keys[n] != key:
                raise ChangedError
            return
        if (n and not self.keys[n - 1] < key) or (n < len(self.keys) and not key < self.keys[n]):
            raise ChangedError
        self.places.insert(n, place)
        self.keys.insert(n, key)


class Selection:
    """One page being found. Ask for `blocks()`, give their keys to `take()`, until `page_blocks()` are all it needs."""

    def __init__(
        self, shards: Sequence[ShardId], offset: int, limit: int, guess: Mapping[ShardId, int] | None = None
    ) -> None:
        """`guess`: rows before the page of each shard, `offset` in all; whether it is right shows when it is read."""
        self._offset = offset
        self._limit = limit
        self._guessed = guess is not None
        self._seen = {shard: _Seen(offset) for shard in shards}
        for shard, place in (guess or {}).items():
            self._seen[shard].lo = self._seen[shard].hi = place
        self._halving = False
        self._past_end = False
        self.rounds = 0

    @property
    def narrow_enough(self) -> bool:
        """Whether to fetch what is left now costs less than to narrow further."""
        cheap = self._gap <= len(self._seen) * max(ROUND_ROWS, self._limit)
        return cheap or self._past_end or self.rounds >= ROUNDS_MAX

    def blocks(self) -> list[Block]:
        """The blocks to look at next."""
        estimates = self._estimates()
        blocks = []
        for shard, seen in self._seen.items():
            if seen.lo < seen.hi:
                place = (seen.lo + seen.hi) // 2 if self._halving else estimates[shard]
                start = max(seen.lo, min(place - BLOCK_ROWS // 2, seen.hi - BLOCK_ROWS))
                blocks.append(Block(shard, start, BLOCK_ROWS))
        return blocks

    def take(self, keys: Mapping[Block, Sequence[Any]]) -> None:
        """The keys of the blocks' rows; fewer than asked where the shard ends. Raises ChangedError."""
        before = self._gap
        self.rounds += 1
        for block, values in keys.items():
            self._seen[block.shard].add(block, values)
        for shard in self._seen:
            self._narrow(shard)
        self._tighten()
        self._halving = self._gap * 2 > before

    def page_blocks(self) -> list[Block]:
        """What holds the page, with the row before it on each shard, to see that nothing moved."""
        if self._past_end:
            return [Block(shard, self._offset, self._limit) for shard in self._seen]
        blocks = []
        for shard, seen in self._seen.items():
            start = max(0, seen.lo - 1)
            blocks.append(Block(shard, start, seen.hi + self._limit - start))
        return blocks

    def skip(self, keys: Mapping[Block, Sequence[Any]]) -> int:
        """Given the keys of the page blocks: how many of their merged rows stand before the page. Raises ChangedError.

        The rows before lo(s) that were fetched again to compare are counted: they are less than all others.
        """
        if self._past_end:
            if any(keys.values()):
                raise ChangedError
            return 0
        before = 0
        if self._guessed:
            self._check_guess(keys)
        for block, values in keys.items():
            seen = self._seen[block.shard]
            again = seen.lo - block.start
            if len(values) < again or (again and seen.at(block.start) not in {None, values[0]}):
                raise ChangedError
            seen.add(block, values)
            before += block.start
        return self._offset - before

    def _check_guess(self, keys: Mapping[Block, Sequence[Any]]) -> None:
        """Every row before the page is less than every row behind: that alone makes a guess right."""
        lasts: list[Any] = []
        firsts: list[Any] = []
        for block, values in keys.items():
            again = self._seen[block.shard].lo - block.start
            lasts += values[:again]
            firsts += values[again : again + 1]
        if lasts and firsts and not max(lasts) < min(firsts):
            raise ChangedError

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

    def _estimates(self) -> dict[ShardId, int]:
        """Where the page may begin on each shard; a guess, kept within the bounds."""
        share = self._offset // len(self._seen)
        everything = sorted(key for seen in self._seen.values() for key in seen.keys)
        if not everything:
            return dict.fromkeys(self._seen, share)
        low, high = 0, len(everything)
        while low < high:
            middle = (low + high) // 2
            if sum(self._guess(everything[middle], everything).values()) < self._offset:
                low = middle + 1
            else:
                high = middle
        guess = self._guess(everything[min(low, len(everything) - 1)], everything)
        short = (self._offset - sum(guess.values())) / len(guess)
        return {shard: max(seen.lo, min(seen.hi, round(guess[shard] + short))) for shard, seen in self._seen.items()}

    def _guess(self, key: Any, everything: list[Any]) -> dict[ShardId, float]:
        """About how many rows of each shard are less than a key."""
        others = max(1, len(self._seen) - 1)
        place = bisect_left(everything, key)
        guess: dict[ShardId, float] = {}
        for shard, seen in self._seen.items():
            n = bisect_left(seen.keys, key)
            if 0 < n < len(seen.keys):
                before, behind = seen.places[n - 1] + 1, seen.places[n]
                first, last = bisect_left(everything, seen.keys[n - 1]), bisect_left(everything, seen.keys[n])
                guess[shard] = before + (behind - before) * (place - first) / (last - first)
            elif n:  # behind all that was seen: the keys of the others in between measure how far
                far = (place - bisect_left(everything, seen.keys[-1])) / others
                guess[shard] = min(seen.places[-1] + 1 + far, seen.hi)
            elif seen.keys:
                far = (bisect_left(everything, seen.keys[0]) - place) / others
                guess[shard] = max(seen.places[0] - far, seen.lo)
            else:
                guess[shard] = (seen.lo + seen.hi) / 2
        return guess
