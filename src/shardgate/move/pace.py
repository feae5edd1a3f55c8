"""How fast a copy goes on: as the shards allow.

Holds: a copy rests at least as long as a batch took, so that it takes half of a shard's time at most. Where the shards
have become slower than they were at their best, it rests as many times longer. No rest is longer than `REST_S_MAX`.
Never: looks at a clock.
"""

from typing import Final

REST_S_MAX: Final = 1.0
_FORGETS: Final = 1.02
"""By how much the best time is believed less with each batch: what a busy shard can do is another time tomorrow."""


class Pace:
    """One copy. The time of a batch is the latency of both shards."""

    __slots__ = ("_best_s",)

    def __init__(self) -> None:
        self._best_s = 0.0

    def rest_s(self, took_s: float) -> float:
        """How long to rest after a batch that took so long."""
        self._best_s = min(self._best_s * _FORGETS or took_s, took_s)
        slower = took_s / self._best_s if self._best_s > 0 else 1.0
        return min(REST_S_MAX, took_s * slower)
