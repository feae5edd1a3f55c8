"""What a run of the load says: a line for each capability, what is not met, and the line that sums up."""

from collections.abc import Mapping, Sequence

import msgspec

from bench.partners.samples import Load, quantile
from bench.partners.verdicts import Row, Threshold

LARGEST = 3


class Share(msgspec.Struct, frozen=True):
    """What the gateway itself adds to a request."""

    requests: int
    p50_ms: float
    p99_ms: float
    largest: Sequence[tuple[str, int, float, float]] = ()
    """The operations of which it is largest: name, requests, p50 and p99 in ms."""


def share_of(own_ms: Mapping[str, Sequence[float]]) -> Share | None:
    """Of all operations; None where there was no request."""
    every = [each for found in own_ms.values() for each in found]
    if not every:
        return None
    rows = [(name, len(found), quantile(found, 0.5), quantile(found, 0.99)) for name, found in own_ms.items()]
    largest = sorted(rows, key=lambda row: -row[1] * row[2])[:LARGEST]
    return Share(len(every), quantile(every, 0.5), quantile(every, 0.99), largest)


def print_report(rows: Sequence[Row], others: Sequence[Threshold], load: Load, own: Share | None, by: str) -> int:
    """Print it; returns 1 where a threshold is not met."""
    print(f"{'partner':14}{'capability':28}{'requests':>9}{'failed':>8}{'p50 ms':>9}{'p90':>9}{'p99':>9}{'met':>9}")
    for row in rows:
        print(_line(row))
    thresholds = [*(each for row in rows for each in row.thresholds), *others]
    for each in thresholds:
        if not each.met:
            print(f"not met: {each.line()}")
    if own is not None:
        print(f"the gateway's share of {own.requests} requests: p50 {own.p50_ms:.2f} ms, p99 {own.p99_ms:.2f} ms")
        for name, requests, p50_ms, p99_ms in own.largest:
            print(f"  most of it: {name}, {requests} requests: p50 {p50_ms:.2f} ms, p99 {p99_ms:.2f} ms")
    print(f"partners: the load was sent by {by}")
    print(summary(rows, thresholds, load, own), flush=True)
    return int(not all(each.met for each in thresholds))


def summary(rows: Sequence[Row], thresholds: Sequence[Threshold], load: Load, own: Share | None) -> str:
    """The last line."""
    scenarios = len({row.partner for row in rows})
    met = sum(each.met for each in thresholds)
    gateway = "not measured: its access log is not here" if own is None else f"p99 {own.p99_ms:.1f} ms"
    return (
        f"partners: {scenarios} scenarios, {met} of {len(thresholds)} thresholds met, "
        f"{load.per_s:.0f} requests/s carried, gateway's share {gateway}"
    )


def _line(row: Row) -> str:
    times = [sample.took_ms for sample in row.samples]
    failed = sum(sample.failed for sample in row.samples)
    shown = "".join(f"{quantile(times, q):9.1f}" if times else f"{'-':>9}" for q in (0.5, 0.9, 0.99))
    met = f"{row.met}/{len(row.thresholds)}"
    return f"{row.partner:14}{row.capability:28}{len(times):9}{failed:8}{shown}{met:>9}"
