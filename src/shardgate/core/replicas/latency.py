"""How long a shard takes: an average that follows, and a percentile of what was recent.

Never: keeps samples. The percentile is known to within a fifth of its value.
"""

from bisect import bisect_left

# The first class holds what is quicker, and each further one is a fifth longer: the last begins at 50 s.
_FIRST_S = 0.0002
_GROWTH = 1.2
_CLASSES = 70
_ENDS = [_FIRST_S * _GROWTH**at for at in range(_CLASSES - 1)]  # of each class but the last, upwards
# A sample's part in the average: the last twenty make nine tenths of it.
_PART = 0.1
# After so many samples, all before count half. So many are enough to speak of a percentile.
_RECENT = 1000
_ENOUGH = 20
# The percentile is looked for after so many samples, at first and later: that costs 3 µs.
_EVERY_AT_FIRST, _EVERY = 20, 100


def averaged(average_s: float, sample_s: float) -> float:
    """The average with one more sample; 0: there was none."""
    return sample_s if average_s == 0 else average_s + (sample_s - average_s) * _PART


class Percentile:
    """A percentile of recent latencies."""

    __slots__ = ("_counts", "_left", "_share", "value_s")

    def __init__(self, percent: float) -> None:
        self._share = percent / 100
        self._counts = [0.0] * _CLASSES
        self._left = _ENOUGH  # samples until it is looked for
        self.value_s: float | None = None
        """In seconds; None: too few samples came."""

    def add(self, sample_s: float) -> None:
        """Count one sample."""
        self._counts[bisect_left(_ENDS, sample_s)] += 1
        self._left -= 1
        if self._left <= 0:
            self._look()

    def _look(self) -> None:
        total = sum(self._counts)
        if total > _RECENT:
            self._counts = [count / 2 for count in self._counts]
            total /= 2
        self._left = _EVERY if total >= 2 * _EVERY else _EVERY_AT_FIRST
        below, wanted = 0.0, total * self._share
        for at, count in enumerate(self._counts):
            below += count
            if below >= wanted:
                self.value_s = _FIRST_S * _GROWTH**at  # the upper end of its class
                return
