"""How quiet the machine is: what a fixed piece of work takes on each core, at its best and at its worst.

Holds: it is looked at before and after a run, so that a run says itself whether its figures are the gateway's alone.
"""

import os
import time
from statistics import median

import msgspec

PIECES = 40
PIECE_LOOPS = 60_000
"""About 2 ms."""


class Quiet(msgspec.Struct, frozen=True):
    """What was seen at one time."""

    share: float
    """CPU time ÷ wall time of the work: below 1 others had the core meanwhile."""
    spread: float
    """The median piece ÷ the quickest, in CPU time: 1 on a machine whose cores are its own."""
    piece_us: float
    """The quickest piece: tells a slow machine from a quick one."""

    def line(self) -> str:
        """In words."""
        return f"{self.share:.0%} of its core, pieces {self.spread:.2f} x the quickest, {self.piece_us:,.0f} us"

    @property
    def is_quiet(self) -> bool:
        """Whether figures are worth keeping."""
        return self.share > 0.95 and self.spread < 1.15


def look() -> Quiet:
    """The worst of all cores that this process may use. Takes about 0.1 s for each."""
    before = os.sched_getaffinity(0)
    try:
        seen = [_look_at(core) for core in sorted(before)]
    finally:
        os.sched_setaffinity(0, before)
    return Quiet(
        round(min(each.share for each in seen), 3),
        round(max(each.spread for each in seen), 3),
        round(max(each.piece_us for each in seen), 1),
    )


def _look_at(core: int) -> Quiet:
    os.sched_setaffinity(0, {core})
    began, pieces = time.perf_counter_ns(), []
    for _ in range(PIECES):
        at = time.process_time_ns()
        _work()
        pieces.append(time.process_time_ns() - at)
    took = time.perf_counter_ns() - began
    return Quiet(sum(pieces) / took, median(pieces) / min(pieces), min(pieces) / 1000)


def _work() -> int:
    total = 0
    for number in range(PIECE_LOOPS):
        total += number
    return total
