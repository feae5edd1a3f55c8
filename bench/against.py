"""`make bench-against REV=…`: this checkout beside another revision, both compiled, in one interleaved run.

A change of a few percent is smaller than what two runs of `make bench` differ by. Here each round measures one revision
right after the other, and what counts is the median of the ratios of the rounds: a disturbance meets both alike.
"""

import argparse
import os
import platform
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import msgspec

import bench
from bench import works
from bench.peers import CACHE, MissingError, Work
from bench.peers.shardgate import Shardgate
from bench.processes import Cores
from bench.results import Machine, Report
from bench.rig import KEYED, Load, build_rig
from bench.stage import Bench, Pace

ROOT = Path(bench.__file__).resolve().parents[1]
HERE, THERE = "this checkout", "the other revision"


_WORK = re.compile(r"(gather|list) (\d+) ?[x×] ?(\d+)")


class Chosen(msgspec.Struct, frozen=True):
    """A work to measure."""

    name: str
    work: Work
    target: str = KEYED
    shards: int = 4


def chosen(text: str) -> Chosen:
    """The work of this name: `relay`, `gather 4 x 10`, `list 4 x 50`. Raises ValueError."""
    if text == "relay":
        return Chosen(works.RELAY, Work.RELAY)
    match = _WORK.fullmatch(text)
    if match is None:
        raise ValueError(text)
    shards, rows = int(match[2]), int(match[3])
    if match[1] == "list":
        return Chosen(works.whole(shards, rows), Work.LIST, works.whole_of(rows), shards)
    return Chosen(works.gather(shards, rows), Work.GATHER, works.page_of(rows), shards)


def main() -> None:
    """Measure both, print the ratios; 1 where a ratio is above `--ratio-max`."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("bench: ended by SIGTERM"))
    words = _words()
    cores = Cores.of_this_machine()
    if cores is None:
        sys.exit("bench: two cores are needed, one for the gateway and one for load and shards")
    CACHE.mkdir(exist_ok=True)
    began = time.monotonic()
    machine = Machine(
        processor=platform.machine(),
        cores=os.cpu_count() or 1,
        memory_gib=0,
        kernel=platform.release(),
        load_before=round(os.getloadavg()[0], 2),
    )
    report = Report(date=datetime.now(UTC).isoformat(timespec="seconds"), quick=False, machine=machine)
    source = _checkout(words.rev)
    run = Bench(cores, Pace(words.rounds, 0.5), report, lambda text: _say(began, text))
    try:
        build_rig(run.say)
    except MissingError as error:
        sys.exit(f"bench: {error}")
    peers = [Shardgate(HERE), Shardgate(THERE, source=source)]
    if len(run.installed(peers)) < len(peers):
        sys.exit("bench: both revisions must be there")
    os.sched_setaffinity(0, {cores.load})
    _measure(run, peers, words.works)
    worst = print_ratios(report, words.rev)
    sys.exit(int(words.ratio_max is not None and worst > words.ratio_max))


def _words() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-against", description=__doc__)
    parser.add_argument("--rev", default="HEAD~1", help="what to compare with: a commit, a branch or a tag of git")
    parser.add_argument("--rounds", type=int, default=15, help="how often each is measured, in turns")
    parser.add_argument(
        "--works",
        type=chosen,
        nargs="+",
        default=[chosen("relay"), chosen("gather 4 x 10"), chosen("list 4 x 50")],
        help="what is measured: `relay`, `gather S x R`, `list S x R`",
    )
    parser.add_argument("--ratio-max", type=float, help="the most that CPU time may be of the other's: 1.02")
    words = parser.parse_args()
    if re.match(r"-", words.rev):
        parser.error("REV is a revision of git, not an option")
    return words


def _checkout(rev: str) -> Path:
    """The other revision's files; they stay, so that it is compiled once."""
    named = ["git", "-C", str(ROOT), "rev-parse", "--verify", "--quiet", f"{rev}^{{commit}}"]
    commit = subprocess.run(named, capture_output=True, text=True, check=False).stdout.strip()
    if not commit:
        sys.exit(f"bench: git knows no revision {rev!r}")
    folder = CACHE / "against" / commit
    if not folder.exists():
        folder.mkdir(parents=True)
        packed = subprocess.run(["git", "-C", str(ROOT), "archive", commit], capture_output=True, check=True).stdout
        subprocess.run(["tar", "-x", "-C", str(folder)], input=packed, check=True)
    return folder


def _measure(run: Bench, peers: list[Shardgate], chosen: Sequence[Chosen]) -> None:
    seconds = run.pace.seconds
    for one in chosen:
        with run.stage(peers, one.work, one.shards) as running:
            run.interleave(one.name, running, [Load(target=one.target, seconds=seconds)])


def print_ratios(report: Report, rev: str) -> float:
    """The table; the greatest ratio."""
    print(f"{'work':22} {'CPU µs here':>12} {'at ' + rev[:12]:>16} {'ratio':>7}   (middle half of the rounds)")
    worst = 0.0
    for work in dict.fromkeys(each.work for each in report.measured):
        here, there = (report.find(work, name) for name in (HERE, THERE))
        if here is None or there is None:
            sys.exit(f"bench: {work} was not measured at both")
        pairs = zip(here.runs, there.runs, strict=False)
        ratios = sorted(mine.cpu_us / theirs.cpu_us for mine, theirs in pairs)
        low, high = ratios[len(ratios) // 4], ratios[-1 - len(ratios) // 4]
        ratio = median(ratios)
        worst = max(worst, ratio)
        figures = f"{here.median('cpu_us'):12.1f} {there.median('cpu_us'):16.1f} {ratio:7.3f}"
        print(f"{work:22} {figures}   {low:.3f} to {high:.3f}")
    for name, reason in report.missing.items():
        print(f"missing: {name}: {reason}")
    print(f"bench-against: worst ratio {worst:.3f}")
    return worst


def _say(began: float, text: str) -> None:
    print(f"bench {time.monotonic() - began:5.0f} s  {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
