"""What became of one request of the load, whoever sent it."""

from collections.abc import Sequence
from math import ceil

import msgspec


class Sample(msgspec.Struct, frozen=True):
    """One request that is over."""

    partner: str
    capability: str
    due_s: float
    """When it was to be sent, since the load began."""
    took_ms: float
    """From that instant to the last byte of the reply."""
    status: int
    """0: there was no reply."""
    failed: bool
    """No reply, or one that the scenario does not expect."""


class Load(msgspec.Struct, frozen=True):
    """A run of the load."""

    samples: Sequence[Sample]
    lasted_s: float
    unsent: int = 0
    """Journeys that were due and never began, or were not over when the run was."""

    @property
    def per_s(self) -> float:
        """Requests that were answered as expected, a second."""
        return sum(not sample.failed for sample in self.samples) / self.lasted_s


def quantile(values: Sequence[float], q: float) -> float:
    """The smallest value that the fraction `q` of all does not exceed. Raises ValueError where there is none."""
    if not values:
        raise ValueError("no value has no quantile")
    ordered = sorted(values)
    return ordered[max(0, ceil(len(ordered) * q) - 1)]
