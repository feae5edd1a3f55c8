"""Judges a run of the load by the limits of each partner.

Holds: a limit of which nothing was measured is not met. Failures count in every quantile, with the time they took.
Never: does IO, and knows nothing of who made the load.
"""

from collections.abc import Iterator, Sequence

import msgspec

from bench.partners.breaker import simulated
from bench.partners.definition import Definition, Limits
from bench.partners.samples import Load, Sample, quantile

SHARE_P99_MS = 10.0
"""What the gateway itself may add to a request."""


class Threshold(msgspec.Struct, frozen=True):
    """One limit, and what was measured."""

    what: str
    found: float | None
    limit: float
    unit: str
    met: bool

    def line(self) -> str:
        """In words."""
        found = "nothing was measured" if self.found is None else f"{self.found:,.1f}{self.unit}"
        return f"{self.what}: {found}, at most {self.limit:g}{self.unit}"


class Row(msgspec.Struct, frozen=True):
    """One capability of one partner."""

    partner: str
    capability: str
    samples: Sequence[Sample]
    thresholds: Sequence[Threshold]

    @property
    def met(self) -> int:
        """How many limits."""
        return sum(each.met for each in self.thresholds)


def judged(definition: Definition, load: Load) -> list[Row]:
    """Every capability of every partner."""
    rows = []
    for scenario in definition.scenarios:
        for capability, limits in scenario.capabilities.items():
            found = [
                sample
                for sample in load.samples
                if (sample.partner, sample.capability) == (scenario.partner, capability)
            ]
            name = f"{scenario.partner}, {capability}"
            rows.append(Row(scenario.partner, capability, found, list(_thresholds(name, limits, found))))
    return rows


def share(p99_ms: float | None) -> Threshold:
    """The gateway's own part of the latency."""
    return _at_most("the gateway's share, p99", p99_ms, SHARE_P99_MS, " ms")


def sent(load: Load) -> Threshold:
    """Journeys that could not be begun or ended would hide the slowest requests."""
    return _at_most("journeys that were due and not run to their end", float(load.unsent), 0, "")


def _thresholds(name: str, limits: Limits, samples: Sequence[Sample]) -> Iterator[Threshold]:
    times = [sample.took_ms for sample in samples]
    for text, q, limit in (
        ("p90", 0.9, limits.p90_ms),
        ("p95", 0.95, limits.p95_ms),
        ("p99", 0.99, limits.p99_ms),
        ("longest", 1.0, limits.max_ms),
    ):
        if limit is not None:
            yield _at_most(f"{name}, {text}", quantile(times, q) if times else None, limit, " ms")
    errors = 100 * sum(sample.failed for sample in samples) / len(samples) if samples else None
    yield _at_most(f"{name}, errors", errors, limits.errors_percent, " %")
    if limits.breaker is not None:
        opened = float(simulated(limits.breaker, samples).opened) if samples else None
        yield _at_most(f"{name}, times that the partner's breaker opened", opened, 0, "")


def _at_most(what: str, found: float | None, limit: float, unit: str) -> Threshold:
    return Threshold(what, found, limit, unit, found is not None and found <= limit)
