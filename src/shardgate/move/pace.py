"""How fast a copy goes on: as the shards allow.

Holds: a copy rests at least as long as a batch took, so that it takes half of a shard's time at most. Where the shards
have become slower than they were at their best, it rests as many times longer, up to `SLOWER_MAX`. No rest is longer
than `REST_S_MAX`.
Never: looks at a clock.
"""

from typing import Final

REST_S_MAX: Final = 1.0
SLOWER_MAX: Final = 4.0
_NEW: Final = 0.2
"""How much a full batch counts: one that waited for a moment says little."""
_FULL_ROWS: Final = 1000
"""A batch of fewer rows counts less: most of its time is that of its transaction."""
_FORGETS: Final = 1.02
"""By how much the best time is believed less with each batch: what a shard can do changes."""
_BETWEEN_S_MAX: Final = 2.0


def rest_between_s(took_s: float) -> float:
    """How long to rest after a movement that took so long, before the next one of a plan begins."""
    return min(_BETWEEN_S_MAX, took_s)


class CopyPace:
    """One copy. What a row takes is the latency of both shards."""

    __slots__ = ("_best_s", "_usual_s")

    def __init__(self) -> None:
        self._best_s = self._usual_s = 0.0

    def rest_s(self, took_s: float, rows: int) -> float:
        """How long to rest after a batch of so many rows that took so long."""
        each_s = took_s / max(1, rows)
        self._usual_s += (each_s - self._usual_s) * (_NEW * min(1.0, rows / _FULL_ROWS) if self._usual_s else 1.0)
        self._best_s = min(self._best_s * _FORGETS or self._usual_s, self._usual_s)
        slower = self._usual_s / self._best_s if self._best_s > 0 else 1.0
        return min(REST_S_MAX, took_s * min(SLOWER_MAX, slower))
