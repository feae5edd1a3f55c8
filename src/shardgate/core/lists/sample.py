"""What is known about lists of which only some rows were seen: bounds, and an estimate of what stands between.

The keys that were seen serve as a scale that is measured in rows. Where c shards overlap, each key seen counts as 1/c
row per shard. So the keys of the shards that were seen measure how far the others go.

Holds: positions and keys rise together, or the rows have changed (ChangedError).
Never: decides. The estimate is good for rows that are divided by a hash, and bad for others.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from math import fsum
from typing import Any

from shardgate.core.topology import ShardId


class ChangedError(Exception):
    """The rows changed between two rounds."""


class Seen:
    """What is known about one shard: the keys at some positions, and the bounds of the page's begin.

    `places` and `keys`: the positions that were seen and their keys, both rising. `lo` and `hi`: at least, and at most,
    so many rows of the shard stand before the page. `size_max`: the shard has at most so many rows; None: unknown.
    """

    __slots__ = ("hi", "keys", "lo", "places", "size_max")

    def __init__(self, hi: int) -> None:
        self.places: list[int] = []
        self.keys: list[Any] = []
        self.lo = 0
        self.hi = hi
        self.size_max: int | None = None

    def add(self, start: int, count: int | None, keys: Sequence[Any]) -> None:
        """Take in the keys of the rows from `start` on: fewer than `count` at the end. Raises ChangedError."""
        end = start + len(keys)
        if count is not None and len(keys) < count:
            if self.places and self.places[-1] >= end:
                raise ChangedError
            self.size_max = end if self.size_max is None else min(self.size_max, end)
            self.hi = min(self.hi, self.size_max)
        first, last = bisect_left(self.places, start), bisect_left(self.places, end)
        if first == last:  # nothing of it was seen before
            self._insert(first, start, keys)
        else:
            for place, key in enumerate(keys, start):
                self._note(place, key)

    def rank_min(self, key: Any) -> int:
        """How many rows of this shard are less than a key of another shard, at least."""
        n = bisect_left(self.keys, key)
        return self.places[n - 1] + 1 if n else 0

    def rank_max(self, key: Any) -> int | None:
        """How many rows of this shard are less than a key of another shard, at most; None: no bound is known."""
        n = bisect_right(self.keys, key)
        return self.places[n] if n < len(self.keys) else self.size_max

    def nearest(self, place: int) -> int | None:
        """How many rows lie between a position and the nearest row that was seen; None: no row was seen."""
        n = bisect_left(self.places, place)
        return min((abs(place - near) for near in self.places[max(0, n - 1) : n + 1]), default=None)

    def _insert(self, n: int, start: int, keys: Sequence[Any]) -> None:
        if keys and n and not self.keys[n - 1] < keys[0]:
            raise ChangedError
        if keys and n < len(self.keys) and not keys[-1] < self.keys[n]:
            raise ChangedError
        if any(not one < two for one, two in pairwise(keys)):
            raise ChangedError
        self.places[n:n] = range(start, start + len(keys))
        self.keys[n:n] = keys

    def _note(self, place: int, key: Any) -> None:
        n = bisect_left(self.places, place)
        if n < len(self.places) and self.places[n] == place:
            if self.keys[n] != key:
                raise ChangedError
            return
        self._insert(n, place, [key])


class Measure:
    """All keys that were seen, as a scale measured in rows."""

    __slots__ = ("_keys", "_rows", "_seen")

    def __init__(self, seen: Mapping[ShardId, Seen]) -> None:
        self._seen = seen
        points = [point for each in seen.values() for point in _points(each)]
        points.sort(key=_key)
        self._keys: list[Any] = []
        self._rows: list[float] = []
        rows, covering = 0.0, 0
        for key, opens, closes in points:
            covering += opens
            rows += 1.0 / float(covering)
            covering -= closes
            self._keys.append(key)
            self._rows.append(rows)

    def places(self, offset: int) -> dict[ShardId, int]:
        """An estimate of how many rows of each shard stand before the page at an offset; within the bounds."""
        if not self._keys:
            return dict.fromkeys(self._seen, offset // len(self._seen))
        low, high = 0, len(self._keys) - 1
        while low < high:
            middle = (low + high) // 2
            if fsum(self._before(middle).values()) < offset:
                low = middle + 1
            else:
                high = middle
        guess = self._before(low)
        short = (offset - fsum(guess.values())) / len(guess)
        return {shard: max(seen.lo, min(seen.hi, round(guess[shard] + short))) for shard, seen in self._seen.items()}

    def _before(self, n: int) -> dict[ShardId, float]:
        """About how many rows of each shard are less than the n-th key of the scale."""
        return {shard: _between(seen, self._keys[n], self._rows[n], self._at) for shard, seen in self._seen.items()}

    def _at(self, key: Any) -> float:
        return self._rows[bisect_left(self._keys, key)]


def _points(seen: Seen) -> list[tuple[Any, bool, bool]]:
    """The keys of a shard; of each, whether a stretch of rows without a gap begins with it, and whether one ends."""
    places = seen.places
    opens = [True, *(two != one + 1 for one, two in pairwise(places))]
    return list(zip(seen.keys, opens, [*opens[1:], True], strict=False))


def _between(seen: Seen, key: Any, rows: float, at: Callable[[Any], float]) -> float:
    """About how many rows of a shard are less than a key that stands at `rows` on the scale."""
    n = bisect_left(seen.keys, key)
    if not seen.keys:
        return (seen.lo + seen.hi) / 2
    if n == 0:
        return max(float(seen.lo), float(seen.places[0]) - (at(seen.keys[0]) - rows))
    before = float(seen.places[n - 1] + 1)
    if n == len(seen.keys):
        return min(float(seen.hi), before + rows - at(seen.keys[-1]))
    far = float(seen.places[n]) - before
    if far == 0.0:
        return before
    start, end = at(seen.keys[n - 1]), at(seen.keys[n])
    return before + far * (rows - start) / (end - start)


def _key(point: tuple[Any, bool, bool]) -> Any:
    return point[0]
