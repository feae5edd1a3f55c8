"""Which workers are silent, and who accepts their clients meanwhile. A worker that works beats several times a second.

Holds: the clients of a silent worker have one heir: the next worker behind it that is not silent. Where the whole
machine stood still, nobody is called dead for that.
Never: reads the time.
"""

from collections.abc import Sequence
from typing import Final

HEIR_S: Final = 1.0
"""So long a worker is silent before another accepts its clients. Four beats; no client waits much longer than that."""
STALL_S: Final = 3.0
"""Who looks once a second, and did not look for so long, stood still itself: others may have, too."""


def silent(beats: Sequence[float], now_s: float) -> list[bool]:
    """For each worker whether it is silent. 0 in place of its last beat: it has not begun yet, and has no clients."""
    return [0 < beat <= now_s - HEIR_S for beat in beats]


def inherited(beats: Sequence[float], me: int, now_s: float) -> frozenset[int]:
    """The silent workers whose clients worker `me`, which is not silent, must accept."""
    quiet = silent(beats, now_s)
    mine: set[int] = set()
    for step in range(1, len(beats)):
        other = (me - step) % len(beats)
        if not quiet[other]:
            break
        mine.add(other)
    return frozenset(mine)


class Watchdog:
    """Tells which workers are silent for so long that they must be killed."""

    __slots__ = ("_awake_since", "_looked_at")

    def __init__(self, now_s: float) -> None:
        self._looked_at = now_s
        self._awake_since = now_s

    def look(self, now_s: float) -> None:
        """Note that the watchdog itself is awake; to be called once a second."""
        if now_s - self._looked_at > STALL_S:
            self._awake_since = now_s
        self._looked_at = now_s

    def is_dead(self, beat: float, silence_s: float, now_s: float) -> bool:
        """Whether a worker with this last beat has been silent for too long, while the watchdog was awake."""
        return now_s - max(beat, self._awake_since) >= silence_s
