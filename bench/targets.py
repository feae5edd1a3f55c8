"""The targets: what the figures must be, and what they should be.

Holds: no target is a time. A time says more of the machine than of the gateway, so each is held against another time of
the same run. A figure honestly missed is worth more than one bent.
"""

from collections.abc import Callable, Sequence
from statistics import median

import msgspec

from bench import space, works
from bench.peers.roster import GO_RAW, GO_RELAY, SUBJECT
from bench.results import Report, ratio

_KIB, _MIB = 1024, 1024 * 1024


class Target(msgspec.Struct, frozen=True):
    """One line of the table."""

    what: str
    goal: float
    must: float
    read: Callable[[Report], float | None]
    """The figure; None where it, or what it is divided by, was not measured."""
    at_least: bool = False
    unit: str = ""

    def meets(self, value: float, bound: float) -> bool:
        """Whether a figure is on the right side of a bound."""
        return value >= bound if self.at_least else value <= bound


class Verdict(msgspec.Struct, frozen=True):
    """A target, and what was found."""

    what: str
    value: float | None
    goal: float
    must: float
    at_least: bool
    unit: str
    met: bool
    goal_met: bool
    why: str = ""

    def line(self) -> str:
        """In words."""
        sign = "≥" if self.at_least else "≤"
        found = "not measured" if self.value is None else f"{self.value:,.2f}{self.unit}"
        bounds = f"must {sign} {self.must:g}{self.unit}, goal {self.goal:g}{self.unit}"
        return f"{self.what}: {found} ({bounds}){'; ' + self.why if self.why else ''}"


def judge(report: Report) -> list[Verdict]:
    """All targets, in their order."""
    return [_judge(target, report) for target in TARGETS]


def _judge(target: Target, report: Report) -> Verdict:
    value = target.read(report)
    met = value is not None and target.meets(value, target.must)
    goal_met = value is not None and target.meets(value, target.goal)
    return Verdict(
        target.what, value, target.goal, target.must, target.at_least, target.unit, met, goal_met, _why(target, report)
    )


def _why(target: Target, report: Report) -> str:
    if target.read(report) is not None:
        return ""
    for peer, reason in report.missing.items():
        if peer in target.what:
            return f"{peer} is missing: {reason}"
    notes = [single.note for single in report.singles if single.value is None and single.peer == SUBJECT.name]
    return "; ".join(notes) if target.unit == " MiB" or target.unit == " KiB" else "see what is missing above"


def _ratio(work: str, peer: str, field: str, connections: int = 32) -> Callable[[Report], float | None]:
    """The median of the rounds' ratios."""

    def read(report: Report) -> float | None:
        ours, theirs = report.find(work, SUBJECT.name, connections), report.find(work, peer, connections)
        return None if ours is None or theirs is None else ratio(ours, theirs, field)

    return read


def _one_more_shard(report: Report) -> float | None:
    """The slope of CPU time over the number of shards, by least squares, ÷ the CPU time of a relay: the median of the
    rounds', in each of which all were measured one right after the other."""
    found = [report.find(work, SUBJECT.name) for work in (works.GROWTH_RELAY, *map(works.growth, works.SHARD_COUNTS))]
    measured = [each for each in found if each is not None]
    if len(measured) < len(found):
        return None
    if len({len(each.runs) for each in measured}) > 1:  # a round of one of them failed
        return _slope([each.median("cpu_us") for each in measured])
    rounds = zip(*[each.runs for each in measured], strict=True)
    return median(_slope([run.cpu_us for run in each]) for each in rounds)


def _slope(cpu_us: Sequence[float]) -> float:
    """Of a relay, and of a gather over each of `SHARD_COUNTS`."""
    relay, *gathers = cpu_us
    middle = sum(works.SHARD_COUNTS) / len(works.SHARD_COUNTS)
    apart = [count - middle for count in works.SHARD_COUNTS]
    rise = sum(away * cpu for away, cpu in zip(apart, gathers, strict=True))
    return rise / sum(away**2 for away in apart) / relay


def _worst(of: Sequence[str], divided_by: float) -> Callable[[Report], float | None]:
    def read(report: Report) -> float | None:
        values = []
        for work in of:
            found = report.single(work, SUBJECT.name)
            if found is None or found.value is None:
                return None
            values.append(found.value / divided_by)
        return max(values)

    return read


TARGETS = (
    Target("relay 1 KB, CPU a request ÷ Go relay's", 0.6, 0.7, _ratio(works.RELAY, GO_RELAY.name, "cpu_us")),
    Target("relay 1 KB, CPU a request ÷ Envoy's", 0.55, 0.75, _ratio(works.RELAY, "Envoy", "cpu_us")),
    Target("relay 1 KB, CPU a request ÷ nginx's", 1.4, 1.6, _ratio(works.RELAY, "nginx", "cpu_us")),
    Target("TTFB p50 at 1 connection ÷ Go relay's", 0.75, 1.0, _ratio(works.RELAY, GO_RELAY.name, "first_p50_us", 1)),
    Target(
        "TTFB p99 at 32 connections, half load ÷ Go relay's",
        0.8,
        1.0,
        _ratio(works.RELAY_HALF, GO_RELAY.name, "first_p99_us"),
    ),
    Target(
        "gather 4 × 10 rows, requests/s ÷ Go's with RawMessage",
        5,
        4,
        _ratio(works.gather(4, 10), GO_RAW.name, "per_s"),
        at_least=True,
    ),
    Target(
        "gather 4 × 10 rows, TTFB p50 at 1 connection ÷ Go's with RawMessage",
        0.75,
        1.0,
        _ratio(works.gather(4, 10), GO_RAW.name, "first_p50_us", 1),
    ),
    Target(
        "list 4 × 50 rows, CPU a request ÷ Go's with RawMessage",
        0.15,
        0.2,
        _ratio(works.whole(4, 50), GO_RAW.name, "cpu_us"),
    ),
    Target(
        "gather 4 × 50 rows, requests/s ÷ KrakenD's (whole lists)",
        20,
        8,
        _ratio(works.whole(4, 50), "KrakenD", "per_s"),
        at_least=True,
    ),
    Target("one more shard in a gather of 10 rows, CPU ÷ a relay's", 0.4, 0.5, _one_more_shard),
    Target("memory of an idle client connection", 4, 8, _worst([space.IDLE], _KIB), unit=" KiB"),
    Target("1 GiB up or down, memory growth", 8, 32, _worst([space.DOWN, space.UP], _MIB), unit=" MiB"),
    Target("two workers ÷ one", 1.9, 1.7, _worst([works.SCALING], 1), at_least=True),
)
