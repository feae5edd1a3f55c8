"""`make scale`: measures, and writes `bench/results/scale.json`, the tables of `docs/scale.md` and their curves.

Shards are processes that answer what was made beforehand; the gateway is a whole one. Tenants are measured by
`make bench-directory`, which `ONLY=tenants` runs. Gateways are simulated: see `gateways.py`.
"""

import argparse
import os
import sys
import time

from bench import directory
from bench.peers import CACHE
from bench.peers.roster import SUBJECT
from bench.processes import Cores
from bench.results import Report
from bench.rig import build_rig
from bench.run import machine
from bench.scale import pages
from bench.scale.gateways import AT_ONCE, by_gateways
from bench.scale.results import ScaleReport
from bench.scale.shards import LATE_MS, LATE_ONE_IN, by_shards, when_late
from bench.stage import Bench, Pace

PARTS = ("shards", "late", "gateways", "tenants")


def main() -> None:
    """Measure what was asked for; keep the rest."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--only", default="shards,late,gateways", help=f"some of {', '.join(PARTS)}, or `pages`")
    given = options.parse_args()
    is_quick = bool(os.environ.get("QUICK"))
    wanted, report = given.only.split(","), pages.load()
    if "tenants" in wanted:
        sys.argv[1:] = ["--write"]
        directory.main()
    if {"shards", "late"} & {*wanted}:
        run = _bench(Pace(1, 0.3) if is_quick else Pace(3, 0.8))
        how = f"one worker, {run.report.versions[SUBJECT.name]}"
        if "shards" in wanted:
            _note(report, "shards", how)
            report.shards = by_shards(run, (1, 4, 64)) if is_quick else by_shards(run)
        if "late" in wanted:
            _note(report, "late", f"{how}; one call in {LATE_ONE_IN} takes {LATE_MS} ms")
            report.late = when_late(run, (64,)) if is_quick else when_late(run)
    if "gateways" in wanted:
        _note(report, "gateways", f"each gateway has up to {AT_ONCE} changes under way; `fsync` is on")
        seconds = 2.0 if is_quick else 5.0
        report.gateways = by_gateways(_say, seconds, (1, 2, 10)) if is_quick else by_gateways(_say, seconds)
    if is_quick:
        print("\n\n".join([pages.shards(report), pages.late(report), pages.gateways(report)]))
    else:
        pages.write(report)
    _say(f"{pages.KEPT.name}, {directory.PAGE.name} and {', '.join(each.name for each in pages.pictures())}")


def _bench(pace: Pace) -> Bench:
    cores = Cores.of_this_machine()
    if cores is None:
        sys.exit("scale: two cores are needed, one for the gateway and one for load and shards")
    build_rig(_say)
    run = Bench(cores, pace, Report(date="", quick=False, machine=machine()), _say)
    run.installed([SUBJECT])
    return run


def _note(report: ScaleReport, part: str, how: str) -> None:
    report.where[part], report.dates[part], report.how[part] = machine(), time.strftime("%Y-%m-%d"), how


def _say(text: str) -> None:
    print(f"scale: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    CACHE.mkdir(exist_ok=True)
    main()
