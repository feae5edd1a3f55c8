"""A partner's circuit breaker, fed with what it would have seen: would it have opened, and for how long?

States: closed → open when, of the calls of the last minute, so many failed; open → half open after its time; half open
→ closed when its probes went as they should, → open again when they did not.
Never: knows the time; calls carry their own.
"""

from collections import deque
from collections.abc import Iterable

import msgspec

from bench.partners.definition import Breaker
from bench.partners.samples import Sample

WINDOW_S = 60.0


class Judged(msgspec.Struct, frozen=True):
    """What the breaker did."""

    opened: int
    """How often."""
    refused: int
    """Calls that it would not have let through."""
    worst_percent: float
    """Failures among the calls of a minute, where there were enough to judge."""


def simulated(breaker: Breaker, samples: Iterable[Sample]) -> Judged:
    """Feed it the calls of one capability, in the order in which they ended."""
    state = _State(breaker)
    for sample in sorted(samples, key=_ended_s):
        state.call(_ended_s(sample), sample.failed or sample.took_ms > breaker.slow_ms)
    return Judged(state.opened, state.refused, state.worst_percent)


def _ended_s(sample: Sample) -> float:
    return sample.due_s + sample.took_ms / 1000


class _State:
    def __init__(self, breaker: Breaker) -> None:
        self._breaker = breaker
        self._window: deque[tuple[float, bool]] = deque()
        self._failures = 0
        self._open_until: float | None = None
        self._probes: list[bool] = []
        self.opened = 0
        self.refused = 0
        self.worst_percent = 0.0

    def call(self, at: float, failed: bool) -> None:
        if self._open_until is not None:
            self._while_open(at, failed, self._open_until)
            return
        self._window.append((at, failed))
        self._failures += failed
        while self._window[0][0] <= at - WINDOW_S:
            self._failures -= self._window.popleft()[1]
        if len(self._window) < self._breaker.calls_min:
            return
        percent = 100 * self._failures / len(self._window)
        self.worst_percent = max(self.worst_percent, percent)
        if percent >= self._breaker.failures_percent:
            self._open(at)

    def _while_open(self, at: float, failed: bool, until: float) -> None:
        if at < until:
            self.refused += 1
            return
        self._probes.append(failed)
        if len(self._probes) < self._breaker.probes:
            return
        if 100 * sum(self._probes) / len(self._probes) >= self._breaker.failures_percent:
            self._open(at)
        else:
            self._open_until = None
            self._probes = []

    def _open(self, at: float) -> None:
        self.opened += 1
        self._open_until = at + self._breaker.open_s
        self._window.clear()
        self._failures = 0
        self._probes = []
