"""What the records of the load say of one fault.

Never: reads a clock, or starts anything: the records are passed in.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from proof.chaos.fault import Must
from proof.chaos.record import Record

LOST = frozenset({"failed", "cut", "late"})
CHANGES = frozenset({"create", "every"})
NOISE_TIMES = 1.25
"""Quiet times whose 99th percentiles differ by more were not quiet: other programs had the machine."""
NOISE_LAG_S = 0.008
"""The load itself was later than this: it did not get the processor."""


class Times(msgspec.Struct, frozen=True):
    """The instants of one fault."""

    quiet_s: float
    """From here on nothing was wrong before it."""
    began_s: float
    ended_s: float
    over_s: float
    """Until here it was looked on afterwards."""


class Seen(msgspec.Struct, frozen=True):
    """What was seen."""

    said: str
    findings: tuple[str, ...]
    normal_p99_ms: float
    p99_ms: float
    slowest_s: float
    recovered_s: float
    requests: int
    is_noisy: bool
    is_late: bool
    """A bound of latency is missed."""
    is_torn: bool = False
    """A change is torn, lost or doubled."""


def judged(
    records: Sequence[Record],
    times: Times,
    must: Must,
    *,
    shard: str = "",
    extra_percent: float | None = None,
    timed: bool,
) -> Seen:
    """Compare. `extra_percent`: retries and hedges for each hundred calls. `timed`: latencies are judged, too."""
    mine = [each for each in records if times.quiet_s <= each.at_s < times.over_s]
    during = [each for each in mine if each.at_s >= times.began_s - each.took_s and each.at_s >= times.quiet_s]
    bad = [each for each in during if each.word != "ok"]
    wrong_before = [each for each in mine if each.word != "ok" and each not in bad]
    findings = [f"before: {_said(wrong_before, shard, None)}"] if wrong_before else []
    findings += [*_too_many(bad, must, shard), *_unclean(bad, times, must)]
    recovered_s = max((each.at_s - times.ended_s for each in bad), default=0.0)
    slowest_s = max((each.took_s for each in during if each.kind not in CHANGES), default=0.0)
    if slowest_s > must.within_s:
        findings.append(f"the slowest took {slowest_s:.1f} s")
    normal, settled, is_noisy = _latencies(mine, times, must, shard)
    is_late = must.times is not None and settled > must.times * normal
    if timed and is_late:
        findings.append(f"p99 {settled * 1000:.0f} ms is {settled / normal:.2f} times normal")
    if must.extra_percent is not None and (extra_percent or 0.0) > must.extra_percent:
        findings.append(f"{extra_percent:.1f} % extra calls")
    said = _said(bad, shard, extra_percent if must.extra_percent is not None else None)
    return Seen(
        said,
        tuple(findings),
        normal * 1000,
        settled * 1000,
        slowest_s,
        max(0.0, recovered_s),
        len(during),
        is_noisy,
        is_late,
    )


def percentile(values: Iterable[float], percent: float) -> float:
    """The value that so many in a hundred do not exceed; 0 where there are none."""
    rising = sorted(values)
    return rising[min(len(rising) - 1, int(len(rising) * percent / 100))] if rising else 0.0


def kind_of(record: Record, shard: str) -> str:
    """Its kind, with `its` where it is for the shard at fault."""
    return f"its {record.kind}" if shard and record.shard == shard else record.kind


def _too_many(bad: Sequence[Record], must: Must, shard: str) -> list[str]:
    lost = [each for each in bad if each.word in LOST and f"{kind_of(each, shard)} {each.word}" not in must.also]
    findings = [f"{len(lost)} lost ({_counted(lost, shard)})"] if len(lost) > must.lost else []
    unconnected = sum(each.word == "unconnected" for each in bad)
    if unconnected > must.unconnected:
        findings.append(f"{unconnected} unconnected")
    refused = Counter(kind_of(each, shard) for each in bad if each.word == "refused")
    findings += [
        f"{count} of {kind} refused" for kind, count in sorted(refused.items()) if count > must.refused.get(kind, 0)
    ]
    return findings


def _unclean(bad: Sequence[Record], times: Times, must: Must) -> list[str]:
    findings = []
    if must.clean_s is not None:
        late = [each for each in bad if times.began_s + must.clean_s <= each.at_s < times.ended_s]
        findings += [f"{len(late)} bad later than {must.clean_s:g} s"] if late else []
    after = [each for each in bad if each.at_s >= times.ended_s + must.recovered_s]
    findings += [f"{len(after)} bad after its end ({_counted(after, '')})"] if after else []
    return findings


def _latencies(mine: Sequence[Record], times: Times, must: Must, shard: str) -> tuple[float, float, bool]:
    """The normal 99th percentile of reads, that of the fault once settled, and whether the machine was noisy."""
    reads = [each for each in mine if each.kind == "read" and each.word == "ok" and each.shard != shard]
    before = [each.took_s for each in reads if each.at_s < times.began_s - each.took_s]
    after = [each.took_s for each in reads if each.at_s >= times.ended_s + must.recovered_s]
    settled = [
        each.took_s
        for each in reads
        if times.began_s + must.times_from_s <= each.at_s < max(times.ended_s, times.began_s + must.times_from_s)
    ]
    one, other = percentile(before, 99), percentile(after, 99)
    lag_s = percentile([each.lag_s for each in mine], 99)
    is_noisy = max(one, other) > NOISE_TIMES * min(one, other) or lag_s > NOISE_LAG_S
    return max(percentile([*before, *after], 99), 1e-6), percentile(settled, 99), is_noisy


def _said(bad: Sequence[Record], shard: str, extra_percent: float | None) -> str:
    refused = Counter(f"{kind_of(each, shard)} {each.code}" for each in bad if each.word == "refused")
    others = _counted((each for each in bad if each.word != "refused"), shard)
    parts = [f"{count} {kind}" for kind, count in sorted(refused.items())]
    parts += [others] if others else []
    if extra_percent is not None:
        parts.append(f"{extra_percent:.1f} % extra")
    return ", ".join(parts) or "nothing failed"


def _counted(records: Iterable[Record], shard: str) -> str:
    counted = Counter(
        f"{kind_of(each, shard)} {each.word}{f' {each.status}' if each.status else ''}" for each in records
    )
    return ", ".join(f"{count} {kind}" for kind, count in sorted(counted.items()))
