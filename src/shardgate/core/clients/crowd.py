"""When shards have more to do than they can, and how much each client may then have under way.

While the queue of a shard is half full, the capacity is halved at each look; else it grows by an eighth, until it
is what it was: quick to cut and slow to grow, as TCP is, or each recovery would be a new crowd. Of the capacity each
client may have its fair share (max-min): nobody is cut who asks for less than an equal part, and what such clients
leave is divided among the others.

Where the worker itself has too much to do, `shedding.py` decides.

Holds: a client that was alone for two seconds is not cut: to whose good? A hiccup of one look cuts nobody.
Never: measures: each look is told how things are.
"""

from collections.abc import Iterable
from typing import Final

FULL_MAX: Final = 0.5
"""The fraction of a queue beyond which requests are soon refused."""
CAPACITY_MIN: Final = 16
"""Requests under way: with fewer, shards would idle."""
ALONE_LOOKS: Final = 8
"""After so many looks at which one client alone had requests under way, it is alone."""


class Crowd:
    """How crowded the shards of one worker are."""

    __slots__ = ("_capacity", "_capacity_max", "_was_crowded")

    def __init__(self, capacity_max: int) -> None:
        self._capacity_max = capacity_max
        self._capacity = capacity_max
        self._was_crowded = False

    def look(self, fullness: float, under_way: int) -> int | None:
        """How many requests may be under way from now on; None: as many as ever.

        `fullness`: how full the fullest queue is, 1 where it is full.
        """
        is_crowded = fullness > FULL_MAX
        if is_crowded and self._was_crowded:
            self._capacity = max(CAPACITY_MIN, min(self._capacity, under_way) // 2)
        elif not is_crowded and self._capacity < self._capacity_max:
            self._capacity = min(self._capacity_max, self._capacity + self._capacity // 8)
        self._was_crowded = is_crowded
        return self._capacity if self._capacity < self._capacity_max else None


def fair_share(wanted: Iterable[int], capacity: int) -> int | None:
    """How much each may have at most, at least 1: the largest is taken to want all that the others leave.

    None: nobody wants anything.
    """
    share, left, rising = None, capacity, sorted(wanted)
    for number, each in enumerate(rising):
        share = max(1, left // (len(rising) - number))
        if each > share:
            break
        left -= each
    return share
