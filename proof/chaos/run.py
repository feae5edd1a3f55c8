"""Runs faults one after the other under load, and judges each."""

import asyncio
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import msgspec

from proof.chaos.fault import Fault, Verdict
from proof.chaos.faults.table import all_faults
from proof.chaos.judged import Seen, Times, judged
from proof.chaos.record import Record
from proof.chaos.stage import Stage
from proof.chaos.table import head, line, summary
from proof.chaos.variants import VARIANTS

QUIET_S = 2.5
"""Before and after each fault: what is normal."""
QUICK_QUIET_S = 0.5
QUICK_HOLD_S = 4.0  # a replica that dies costs ten retries however long it is away: of 2 s of calls, 4 in a hundred
WARM_S = 1.5
CHANGES_OVER_S = 15.0
FAULT_S_MAX = 120.0
"""A fault that is not over by then has hung something."""


class Pace(msgspec.Struct, frozen=True):
    """How long is looked."""

    quiet_s: float = QUIET_S
    hold_s_max: float = FAULT_S_MAX
    timed: bool = True
    """Latencies are judged."""
    load: float = 1.0
    """Of the usual load."""
    tries_max: int = 2
    """Of a fault of which a bound of latency is missed."""
    noisy_tries_max: int = 3
    """Of one that did not hold while other programs had the machine."""


FULL = Pace()
QUICK = Pace(QUICK_QUIET_S, QUICK_HOLD_S, timed=False, load=0.3, tries_max=1)
"""For a machine that runs other tests at the same time: latencies are shown, and not judged."""


async def run(pace: Pace, *, only: str = "", quick: bool = False) -> list[Verdict]:
    """Try all faults whose name has `only`, a regular expression, in it, and print the table."""
    chosen = [fault for fault in all_faults() if re.search(only, fault.name) and (fault.quick or not quick)]
    print(head(), flush=True)
    verdicts: list[Verdict] = []
    with tempfile.TemporaryDirectory(prefix="chaos-", ignore_cleanup_errors=True) as folder:
        async with Stage(Path(folder)) as stage:
            for name, faults in groupby(chosen, key=lambda fault: fault.stage):
                await _on_one_gateway(stage, name, [*faults], pace, verdicts, len(chosen))
    print(summary(verdicts))
    return verdicts


async def _on_one_gateway(
    stage: Stage, name: str, faults: Sequence[Fault], pace: Pace, verdicts: list[Verdict], count: int
) -> None:
    if missing := VARIANTS[name].missing():
        for fault in faults:
            verdicts.append(_skipped(fault, missing))
            print(line(verdicts[-1]), flush=True)
        return
    await stage.open(VARIANTS[name], pace.load * VARIANTS[name].load)
    try:
        await asyncio.sleep(WARM_S)
        for fault in faults:
            _progress(len(verdicts), count, fault.name)
            verdicts.append(await tried(stage, fault, pace))
            print(line(verdicts[-1]), flush=True)
    finally:
        await stage.close()


async def tried(stage: Stage, fault: Fault, pace: Pace) -> Verdict:
    """One fault. Where a bound of latency is missed, it is tried once again: a cause of our own comes again.

    So is what did not hold while other programs had the machine, once it is quiet; the table says so.
    """
    seen = await _once(stage, fault, pace)
    tries = 1
    while tries < _tries_max(seen, pace):
        await stage.until_quiet()
        seen, tries = await _once(stage, fault, pace), tries + 1
    return Verdict(
        name=fault.name,
        what=fault.what,
        must=fault.must.said,
        observed=seen.said,
        findings=seen.findings,
        normal_p99_ms=round(seen.normal_p99_ms, 1),
        p99_ms=round(seen.p99_ms, 1),
        slowest_s=round(seen.slowest_s, 2),
        recovered_s=round(seen.recovered_s, 2),
        requests=seen.requests,
        is_noisy=seen.is_noisy,
        tries=tries,
    )


def _tries_max(seen: Seen, pace: Pace) -> int:
    if seen.is_torn:  # no noise makes a change torn
        return 1
    if seen.findings and seen.is_noisy:
        return pace.noisy_tries_max
    return pace.tries_max if seen.is_late and pace.timed else 1


async def _once(stage: Stage, fault: Fault, pace: Pace) -> Seen:
    quiet_s = time.monotonic() if stage.quiet_s is None else stage.quiet_s
    stage.notes, stage.found, stage.is_late, stage.records = [], [], False, stage.since(quiet_s)
    await asyncio.sleep(max(0.0, quiet_s + pace.quiet_s - time.monotonic()))
    before = await stage.metrics()
    began_s = time.monotonic()
    try:
        async with asyncio.timeout(FAULT_S_MAX), fault.run(stage):
            await asyncio.sleep(min(fault.hold_s, pace.hold_s_max))
            during = await stage.metrics()
    except TimeoutError:
        stage.find(f"not over in {FAULT_S_MAX:g} s")
        during = before
    ended_s = time.monotonic()
    recovered_s = fault.must.recovered_s
    newest, _ = stage.changes()
    await asyncio.sleep(recovered_s)
    _, open_changes = stage.changes(before=newest)
    over_s = ended_s + recovered_s + pace.quiet_s
    await stage.answered(over_s)
    if open_changes:
        stage.find(f"{len(open_changes)} changes are open {recovered_s:g} s after its end ({open_changes[0]})")
    # A change whose client waits no more may be under way still: only what is over can be torn.
    last, _ = stage.changes()
    await stage.until(lambda: not stage.changes(before=last)[1], CHANGES_OVER_S, "the end of all changes")
    times = Times(quiet_s, began_s, ended_s, over_s)
    seen = judged(
        stage.records,
        times,
        fault.must,
        shard=fault.shard,
        extra_percent=_extra_percent(stage.records, times, during, before),
        timed=pace.timed,
    )
    torn = stage.torn(stage.records)
    findings = (*seen.findings, *stage.found, *torn)
    # What is quiet after this one is quiet before the next.
    stage.quiet_s = None if findings else ended_s + recovered_s
    said = "; ".join([*stage.notes, seen.said])
    is_late = seen.is_late or stage.is_late
    return msgspec.structs.replace(seen, said=said, findings=findings, is_late=is_late, is_torn=bool(torn))


def _extra_percent(records: Sequence[Record], times: Times, after: Counter[str], before: Counter[str]) -> float:
    """Retries and hedges for each hundred calls to shards, while the fault lasted."""
    calls_of = {"read": 1, "list": 4, "create": 1, "every": 8}
    calls = sum(calls_of.get(each.kind, 0) for each in records if times.began_s <= each.at_s < times.ended_s)
    names = ("shardgate_upstream_retries_total", "shardgate_upstream_hedges_total")
    extra = sum(after[name] - before[name] for name in names)
    return 100 * extra / max(1, calls)


def _skipped(fault: Fault, missing: str) -> Verdict:
    return Verdict(name=fault.name, what=fault.what, must=fault.must.said, observed="", skipped=missing)


def _progress(done: int, of: int, name: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{done}/{of} {name}", end="\r", file=sys.stderr, flush=True)
