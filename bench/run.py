"""`make bench`: shardgate beside its peers, in one run on one machine, interleaved.

The gateway has a core of its own; load and shards have another. What counts is the CPU time that the operating system
says the gateway's processes took: requests a second depend on who else wanted the machine. `QUICK=1` looks shorter, to
see that all works; its figures are not for keeping.
"""

import os
import platform
import re
import signal
import sys
import time
from datetime import UTC, datetime
from http.client import HTTPException
from pathlib import Path

import msgspec

import bench
from bench import quiet, space, works
from bench.peers import CACHE, MissingError
from bench.peers.roster import PEERS, SUBJECT
from bench.picture import draw
from bench.processes import Cores, StartError
from bench.results import Machine, Report
from bench.rig import build_rig
from bench.stage import Bench, Pace
from bench.table import print_report
from bench.targets import judge

RESULTS = Path(bench.__file__).resolve().parent / "results"
_FULL, _QUICK = Pace(5, 0.8), Pace(1, 0.3)


def main() -> None:
    """Measure all, print, write."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("bench: ended by SIGTERM"))  # and every `with` ends its processes
    is_quick = bool(os.environ.get("QUICK"))
    cores = Cores.of_this_machine()
    if cores is None:
        sys.exit("bench: two cores are needed, one for the gateway and one for load and shards")
    every_core = os.sched_getaffinity(0)
    CACHE.mkdir(exist_ok=True)
    began = time.monotonic()
    report = Report(date=datetime.now(UTC).isoformat(timespec="seconds"), quick=is_quick, machine=machine())
    run = Bench(cores, _QUICK if is_quick else _FULL, report, lambda text: _say(began, text))
    try:
        build_rig(run.say)
    except MissingError as error:
        sys.exit(f"bench: {error}")
    run.installed([SUBJECT])
    peers = run.installed(PEERS)
    report.quiet_before = _look(run, "before")
    os.sched_setaffinity(0, {cores.load})
    measuring = time.monotonic()
    for step in (
        works.relays,
        works.gathers,
        works.one_more_shard,
        works.slow_shard,
        works.two_workers,
        space.idle_clients,
        space.bulk,
    ):
        try:
            step(run, peers)
        except (StartError, OSError, HTTPException) as error:
            report.missing[step.__name__] = f"{type(error).__name__}: {error}"
            run.say(f"{step.__name__} failed: {error}")
    report.took_s = round(time.monotonic() - measuring, 1)
    os.sched_setaffinity(0, every_core)
    report.quiet_after = _look(run, "after")
    verdicts = judge(report)
    print_report(report, verdicts)
    _write(report, [msgspec.structs.asdict(verdict) for verdict in verdicts])


def _look(run: Bench, when: str) -> quiet.Quiet:
    """How quiet the machine is; a warning where its figures would be somebody else's too."""
    seen = quiet.look()
    run.say(f"the machine, {when}: {seen.line()}")
    if not seen.is_quiet:
        run.report.warnings.append(f"the machine was not quiet {when} the run: {seen.line()}")
    return seen


def _write(report: Report, verdicts: list[dict[str, object]]) -> None:
    RESULTS.mkdir(exist_ok=True)
    name = "quick" if report.quick else "latest"
    document = {**msgspec.structs.asdict(report), "targets": verdicts}
    (RESULTS / f"{name}.json").write_bytes(msgspec.json.format(msgspec.json.encode(document), indent=1))
    (RESULTS / f"{name}.svg").write_text(draw(report))


def machine() -> Machine:
    """What it is measured on."""
    named = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / (1 << 30)
    return Machine(
        processor=named[1] if named else platform.machine(),
        cores=os.cpu_count() or 1,
        memory_gib=round(memory, 1),
        kernel=platform.release(),
        load_before=round(os.getloadavg()[0], 2),
    )


def _say(began: float, text: str) -> None:
    print(f"bench {time.monotonic() - began:5.0f} s  {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
