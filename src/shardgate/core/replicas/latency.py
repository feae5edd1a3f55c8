"""How long a shard takes: an average that follows, and a percentile of what was recent.

Never: keeps samples. The percentile is known to within a fifth of its value.
"""

from math import log

# The first class holds what is quicker, and each further one is a fifth longer: the last begins at 50 s.
_FIRST_S = 0.0002
_GROWTH = 1.2
_CLASSES = 70
_LOG_GROWTH = log(_GROWTH)
# A sample's part in the average: the last twenty make nine tenths of it.
_PART = 0.1
# After so many samples, all before count half. So many are enough to speak of a percentile.
_RECENT = 1000
_ENOUGH = 20
# The percentile is looked for after so many samples: that costs 3 µs.
_EVERY = 20


def averaged(average_s: float, sample_s: float) -> float:
    """The average with one more sample; 0: there was none."""
    return sample_s if average_s == 0 else average_s + (sample_s - average_s) * _PART


class Percentile:
    """A percentile of recent latencies."""

    __slots__ = ("_counts", "_new", "_share", "_total", "value_s")

    def __init__(self, percent: float) -> None:
        self._share = percent / 100
        self._counts = [0.0] * _CLASSES
        self._total = 0.0
        self._new = 0
        self.value_s: float | None = None
        """In seconds; None: too few samples came."""

    def add(self, sample_s: float) -> None:
        """Count one sample."""
        at = 0 if sample_s <= _FIRST_S else min(_CLASSES - 1, int(log(sample_s / _FIRST_S) / _LOG_GROWTH) + 1)
        self._counts[at] += 1
        self._total += 1
        self._new += 1
        if self._new >= _EVERY and self._total >= _ENOUGH:
            self._look()

    def _look(self) -> None:
        self._new = 0
        if self._total > _RECENT:
            self._counts = [count / 2 for count in self._counts]
            self._total /= 2
        below, wanted = 0.0, self._total * self._share
        for at, count in enumerate(self._counts):
            below += count
            if below >= wanted:
                self.value_s = _FIRST_S * _GROWTH**at  # the upper end of its class
                return
