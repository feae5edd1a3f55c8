"""A token bucket: some at once, then so many a second.

Never: reads a clock: each call says what time it is.
"""


class Bucket:
    """One bucket, full at the beginning."""

    __slots__ = ("_at_s", "_burst", "_left", "_per_s")

    def __init__(self, burst: int, per_s: float, now_s: float) -> None:
        self._burst = burst
        self._per_s = per_s
        self._left = float(burst)
        self._at_s = now_s

    def take(self, now_s: float) -> bool:
        """Take one token; False: there is none."""
        self._left = self._left_at(now_s)
        self._at_s = now_s
        if self._left < 1:
            return False
        self._left -= 1
        return True

    def give_back(self) -> None:
        """Put one token back that was taken."""
        self._left = min(self._burst, self._left + 1)

    def wait_s(self, now_s: float) -> float:
        """In how many seconds there is a token."""
        return max(0.0, (1 - self._left_at(now_s)) / self._per_s)

    def is_full(self, now_s: float) -> bool:
        """Whether it holds no memory of what was taken."""
        return self._left_at(now_s) >= self._burst

    def _left_at(self, now_s: float) -> float:
        return min(self._burst, self._left + (now_s - self._at_s) * self._per_s)
