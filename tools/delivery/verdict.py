"""Decides over a new version by what was measured of it and of the old one.

*Holds:* a version is kept only after a whole sample of its own. Too few requests are no success.
*Never:* reads a clock or a network.
"""

from collections.abc import Iterable
from math import ceil
from typing import Literal

import msgspec


class Outcome(msgspec.Struct, frozen=True):
    """One request, as the load balancer or a client saw it."""

    failed: bool
    took_ms: float


class Sample(msgspec.Struct, frozen=True):
    """Some requests to one version."""

    requests: int
    failed: int
    p90_ms: float
    """Of the requests that did not fail; 0 where all failed."""

    @classmethod
    def of(cls, outcomes: Iterable[Outcome]) -> "Sample":
        """Count."""
        kept = list(outcomes)
        times = [outcome.took_ms for outcome in kept if not outcome.failed]
        return cls(len(kept), len(kept) - len(times), quantile(times, 0.9))

    @property
    def failed_share(self) -> float:
        """0 to 1."""
        return self.failed / self.requests if self.requests else 0.0

    def line(self) -> str:
        """In words."""
        return f"{self.requests} requests, {self.failed} failed, p90 {self.p90_ms:.0f} ms"


class Bounds(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a new version may do."""

    failed_share_max: float = 0.01
    """The share of its requests that may fail. Where the old version failed more when it was alone, twice its share:
    that fault is not the new one's."""
    p90_ratio_max: float = 1.5
    """Its p90 divided by that of the old version."""
    p90_slack_ms: float = 25.0
    """It may be slower by so much, whatever the ratio: a p90 of 2 ms that becomes 4 ms harms nobody."""
    p90_ms_max: float = 1000.0
    """Its p90, whatever that of the old version. Partners ask for less than a second."""
    requests_min: int = 100
    """A sample of fewer requests says nothing."""

    def failed_share_of(self, before: Sample) -> float:
        """The share that may fail."""
        return max(self.failed_share_max, 2 * before.failed_share)

    def p90_ms_of(self, beside: Sample) -> float:
        """The p90 that the new version may have."""
        relative = max(beside.p90_ms * self.p90_ratio_max, beside.p90_ms + self.p90_slack_ms)
        return min(relative, self.p90_ms_max)


class Verdict(msgspec.Struct, frozen=True):
    """What to do now, and why."""

    kind: Literal["go_on", "roll_back", "wait"]
    """`wait`: more must be measured."""
    reason: str = ""


def judge(before: Sample, beside: Sample, after: Sample, bounds: Bounds, *, is_over: bool) -> Verdict:
    """Judge a new version by its requests, `after`. `is_over`: nothing more will be measured at this stage.

    Failures are compared with `before`, the old version while it was alone: a new one that makes both fail is rolled
    back. They are judged at once, so a version that fails everything is found by its first few requests. The p90 is
    compared with `beside`, the old version at the same time, since both share the machine and the shards; and when the
    stage is over, since a short pause moves the p90 of a small sample.
    """
    allowed = bounds.failed_share_of(before)
    if after.failed > allowed * max(after.requests, bounds.requests_min):
        return Verdict("roll_back", f"{after.failed} of {after.requests} requests failed, {allowed:.1%} may")
    if not is_over:
        return Verdict("wait")
    for name, sample in (("the new version", after), ("the old version", beside)):
        if sample.requests < bounds.requests_min:
            few = f"only {sample.requests} requests to {name}, {bounds.requests_min} are needed to judge"
            return Verdict("roll_back", few)
    limit_ms = bounds.p90_ms_of(beside)
    if after.p90_ms > limit_ms:
        slow = f"p90 {after.p90_ms:.0f} ms, the old version {beside.p90_ms:.0f} ms, {limit_ms:.0f} ms allowed"
        return Verdict("roll_back", slow)
    return Verdict("go_on", f"{after.line()}, the old version {beside.p90_ms:.0f} ms")


def quantile(values: Iterable[float], share: float) -> float:
    """The nearest rank: the smallest value that so large a share is not above; 0 where there is none."""
    ordered = sorted(values)
    if not ordered:
        return 0.0
    return ordered[max(0, ceil(len(ordered) * share) - 1)]
