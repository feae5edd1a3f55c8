"""`make bench-directory`: a gateway of two workers with a directory of 1,000 to 10,000,000 keys.

It is filled, served, asked, changed and looked at from outside: when the workers serve, what a relay costs where each
key is asked for by chance, what memory they take together, when the last of them has taken a change over, and how long
its loop was busy with that. The loop is measured by the processor time of the worker's main thread, so that other work
on this machine does not count. This checkout is measured as it is shipped, with its hot modules compiled.

`--before REV` measures another revision in the same way. `docs/scale.md` has the tables of the last run.

To fill 10,000,000 keys takes minutes, and may be done while the machine is busy: `--folder DIR --fill` keeps what was
filled, and its map; `--folder DIR` measures the rest, which takes half a minute.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, Queue
from statistics import median
from threading import Thread
from typing import IO

import msgspec
import yaml

from bench.peers import CACHE
from bench.peers.shardgate import Shardgate
from bench.processes import Cores, memory_bytes
from bench.results import Machine
from bench.rig import Load, build_rig, measure, stub_shards
from bench.run import machine
from proof.data import ROOT
from tools.ports import reserved_port

KEYS = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
QUICK_KEYS = (1_000, 100_000)
WORKERS, CHANGES, ROUNDS = 2, 15, 3
SHARD_PORT, SHARDS = 20_500, 4
START_S, MAP_S, SEEN_S = 180.0, 900.0, 60.0
RESULTS = ROOT / "bench" / "results" / "directory.json"
PAGE = ROOT / "docs" / "scale.md"
_PLACE = re.compile(r"(<!-- directory -->\n).*?(<!-- end -->)", re.DOTALL)

_FILL = """
import sys
from bench.rig import load_id
from shardgate.store.sqlite import SqliteStore
with SqliteStore(sys.argv[1]) as store:
    ids = map(load_id, range(int(sys.argv[2])))
    store.put_many("vendors", ((key, f"shard{ord(key[-1]) % 4}") for key in ids))
"""
_CHANGE = """
import sys, time
from shardgate.store.sqlite import SqliteStore
with SqliteStore(sys.argv[1]) as store:
    for number, line in enumerate(sys.stdin):
        epoch = store.put_many("vendors", [(f"new-{time.time_ns()}-{number}", "shard1")])
        print(epoch, time.time_ns(), flush=True)
"""
_NOT_SERVED = "its workers did not come to serve"
_SERVE = "from shardgate.cli.main import app; app()"


class DirectoryRun(msgspec.Struct, frozen=True, kw_only=True):
    """What was found with so many keys."""

    keys: int
    fill_s: float = 0.0
    first_start_s: float | None = None
    """Until the workers serve, without a map; None: they did not come to serve."""
    map_s: float | None = None
    """Until the map was there, from the first start on; None: there is none."""
    start_s: float | None = None
    start_cpu_s: float = 0
    """The processor time of all processes until then."""
    relay_us: float | None = None
    """The processor time of all processes for one relay, of keys by chance."""
    memory_mb: float | None = None
    """Of all workers, with what they share counted once, after requests for keys at random."""
    file_mb: float = 0
    """The map's file."""
    seen_ms: float | None = None
    """From the commit of a change until the last worker has it: the median, and the most."""
    seen_max_ms: float | None = None
    loop_ms: float | None = None
    """The processor time of the busiest worker's loop for one change: the median, and the most."""
    loop_max_ms: float | None = None
    note: str = ""


class DirectoryReport(msgspec.Struct, kw_only=True):
    """All of it."""

    date: str
    machine: Machine
    revision: str = ""
    """The other one."""
    before: list[DirectoryRun] = []
    after: list[DirectoryRun] = []


class _Gateway:
    """A gateway that runs, and what it says."""

    def __init__(self, process: "subprocess.Popen[str]", port: int) -> None:
        self.process = process
        self.port = port
        self.lines: Queue[tuple[int, str]] = Queue()
        self.begun_at = time.time_ns()
        assert process.stdout is not None
        Thread(target=self._read, args=(process.stdout,), daemon=True).start()

    def _read(self, output: IO[str]) -> None:
        for line in output:
            self.lines.put((time.time_ns(), line))

    def wait(self, text: str, within_s: float, count: int = 1) -> int:
        """When the line came that is the last of so many with this text, in ns. Raises Empty."""
        deadline = time.monotonic() + within_s
        while True:
            at, line = self.lines.get(timeout=max(0.0, deadline - time.monotonic()))
            count -= text in line
            if count == 0:
                return at

    @property
    def workers(self) -> list[int]:
        """Their process ids."""
        pid = self.process.pid
        return [*map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]


def main() -> None:
    """Measure, print, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys", help="numbers of keys, with commas between")
    parser.add_argument("--before", metavar="REV", help="measure this revision, too")
    parser.add_argument("--before-keys", default="1000000")
    parser.add_argument("--folder", type=Path, help="keep what is filled there, and take what was filled there before")
    parser.add_argument("--fill", action="store_true", help="fill, have the map made, and measure no more")
    parser.add_argument("--write", action="store_true", help="write the results, and the tables of docs/scale.md")
    words = parser.parse_args()
    keys = [*map(int, words.keys.split(","))] if words.keys else (QUICK_KEYS if os.environ.get("QUICK") else KEYS)
    report = DirectoryReport(date=time.strftime("%Y-%m-%d"), machine=machine())
    _make_ready()
    report.after = [_measured(ROOT, each, words.folder, fills_only=words.fill) for each in keys]
    if words.before:
        report.revision = words.before
        with _checkout(words.before) as source:
            report.before = [_measured(source, int(each)) for each in words.before_keys.split(",")]
    print(tables(report))
    if words.write:
        report = _with_others(report)
        RESULTS.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=1))
        page = PAGE.read_text()
        PAGE.write_text(_PLACE.sub(lambda found: f"{found[1]}{tables(report)}\n{found[2]}", page))


def _with_others(report: DirectoryReport) -> DirectoryReport:
    """With what earlier runs have found for other numbers of keys."""
    known = msgspec.json.decode(RESULTS.read_bytes(), type=DirectoryReport)
    for name in ("before", "after"):
        runs = {run.keys: run for each in (known, report) for run in getattr(each, name)}
        setattr(report, name, [runs[keys] for keys in sorted(runs)])
    report.revision = report.revision or known.revision
    return report


@contextmanager
def _checkout(revision: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="shardgate-before-") as folder:
        archive = subprocess.run(["git", "archive", revision], cwd=ROOT, check=True, stdout=subprocess.PIPE)
        subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)
        yield Path(folder)


def _measured(source: Path, keys: int, kept: Path | None = None, *, fills_only: bool = False) -> DirectoryRun:
    with tempfile.TemporaryDirectory(prefix="shardgate-directory-") as temporary:
        folder = Path(temporary) if kept is None else kept / str(keys)
        known = folder / "filled.json"
        folder.mkdir(parents=True, exist_ok=True)
        for step in (_filled, _first_served):  # each is kept: a later run goes on
            known.write_bytes(msgspec.json.encode(step(source, folder, _known(known, keys))))
        run = _known(known, keys)
        return run if fills_only or run.note else _served(source, folder, run)


def _known(file: Path, keys: int) -> DirectoryRun:
    """What an earlier run has found."""
    return msgspec.json.decode(file.read_bytes(), type=DirectoryRun) if file.exists() else DirectoryRun(keys=keys)


def _filled(source: Path, folder: Path, run: DirectoryRun) -> DirectoryRun:
    """Store the keys."""
    if run.fill_s:
        return run
    keys = run.keys
    (folder / "directory.db").unlink(missing_ok=True)  # of a run that was ended
    began = time.monotonic()
    subprocess.run(_python(_FILL, folder / "directory.db", keys), env=_environment(source), cwd=ROOT, check=True)
    fill_s = time.monotonic() - began
    _say(f"{keys:,} keys are stored, {fill_s:.0f} s")
    return msgspec.structs.replace(run, fill_s=fill_s)


def _first_served(source: Path, folder: Path, run: DirectoryRun) -> DirectoryRun:
    """Start without a map, and wait for it."""
    if run.first_start_s is not None or run.note:
        return run
    is_mapped = (source / "src/shardgate/store/directory_map.py").exists() and run.keys > 20_000
    made = folder / "directory.db.map"
    try:
        with _serving(source, folder) as gateway:
            first_s = (gateway.wait("ready on", START_S) - gateway.begun_at) / 1e9
            run = msgspec.structs.replace(run, first_start_s=first_s)
            if is_mapped:
                gateway.wait(", mapped", MAP_S, WORKERS)
                map_s = (time.time_ns() - gateway.begun_at) / 1e9
                run = msgspec.structs.replace(run, map_s=map_s, file_mb=made.stat().st_size / 1e6)
    except Empty:
        return msgspec.structs.replace(run, note=_NOT_SERVED)
    return run


def _served(source: Path, folder: Path, run: DirectoryRun) -> DirectoryRun:
    """Start with the map, ask, and change."""
    try:
        with _serving(source, folder) as gateway:
            start_s = (gateway.wait("ready on", START_S) - gateway.begun_at) / 1e9
            start_cpu_s = sum(map(_cpu_s, [gateway.process.pid, *gateway.workers]))
            relay_us = _relayed(gateway, folder, run.keys)
            memory_mb = memory_bytes(gateway.workers) / 1e6
            seen, loop = _changes(source, folder, gateway)
    except Empty:
        return msgspec.structs.replace(run, note=_NOT_SERVED)
    return msgspec.structs.replace(
        run,
        start_s=start_s,
        start_cpu_s=start_cpu_s,
        relay_us=relay_us,
        memory_mb=memory_mb,
        seen_ms=median(seen),
        seen_max_ms=max(seen),
        loop_ms=median(loop),
        loop_max_ms=max(loop),
    )


def _changes(source: Path, folder: Path, gateway: _Gateway) -> tuple[list[float], list[float]]:
    """For each change: until the last worker has it, and the loop's time of the busiest one; in milliseconds."""
    seen, loop = [], []
    command = _python(_CHANGE, folder / "directory.db")
    with subprocess.Popen(
        command, env=_environment(source), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdin is not None
        assert writer.stdout is not None
        for _ in range(CHANGES):
            idle = _loop_ns(gateway.workers)
            began = time.monotonic()
            time.sleep(0.2)
            idle_ns_a_s = [
                (b - a) / (time.monotonic() - began) for a, b in zip(idle, _loop_ns(gateway.workers), strict=True)
            ]
            before, began = _loop_ns(gateway.workers), time.monotonic()
            writer.stdin.write("\n")
            writer.stdin.flush()
            epoch, committed_ns = map(int, writer.stdout.readline().split())
            at = gateway.wait(f"at epoch {epoch}", SEEN_S, WORKERS)
            after, took_s = _loop_ns(gateway.workers), time.monotonic() - began
            seen.append((at - committed_ns) / 1e6)
            each = [b - a - idle * took_s for a, b, idle in zip(before, after, idle_ns_a_s, strict=True)]
            loop.append(max(0.0, *each) / 1e6)
        writer.stdin.close()
    return seen, loop


@contextmanager
def _serving(source: Path, folder: Path) -> Iterator[_Gateway]:
    port = reserved_port()
    config = {
        "listen": f"127.0.0.1:{port}",
        "workers": WORKERS,
        "shards": {f"shard{number}": f"http://127.0.0.1:{SHARD_PORT + number}" for number in range(SHARDS)},
        "directory": "directory.db",
        "locators": {"vendor": [{"kind": "directory", "space": "vendors"}]},
        "rules": {"GET /vendors/{id}": {"rule": "one", "key": "path.id", "locate": "vendor"}},
    }
    (folder / "shardgate.yaml").write_text(yaml.safe_dump(config))
    process = subprocess.Popen(
        [_interpreter(source), "-c", _SERVE, "serve", "--config", str(folder / "shardgate.yaml")],
        env=_environment(source, serves=True),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield _Gateway(process, port)
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(60)
        process.kill()


def _relayed(gateway: _Gateway, folder: Path, keys: int) -> float:
    """Ask for keys by chance; the processor time of a relay, in µs."""
    cores = Cores.of_this_machine()
    if cores is None:
        raise SystemExit("bench-directory: two cores are needed")
    load = Load(target="/vendors/{id}", keys=keys, seconds=0.8)
    with stub_shards(SHARD_PORT, SHARDS, cores, folder):
        return median(measure(gateway.process.pid, gateway.port, load, cores).cpu_us for _ in range(ROUNDS))


def _make_ready() -> None:
    """Compile this checkout, and build the load and the shards."""
    build_rig(_say)
    _say(f"this checkout: {Shardgate().install(CACHE, _say)}")


def _say(text: str) -> None:
    print(f"bench-directory: {text}", file=sys.stderr, flush=True)


def _interpreter(source: Path) -> str:
    """The Python that has this checkout compiled; another checkout runs as it is."""
    return Shardgate().python if source == ROOT else sys.executable


def _python(program: str, *words: object) -> list[str]:
    return [sys.executable, "-c", program, *map(str, words)]


def _environment(source: Path, *, serves: bool = False) -> dict[str, str]:
    """`serves`: it is the gateway, which has its own modules where it was compiled."""
    # As an installed program: its modules are not compiled to bytecode at each start.
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    if serves and source == ROOT and _interpreter(source) != sys.executable:
        return {name: value for name, value in kept.items() if name != "PYTHONPATH"}
    return {**kept, "PYTHONPATH": str(source / "src")}


def _loop_ns(pids: Sequence[int]) -> list[int]:
    """Processor time of each process's main thread."""
    return [int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[0]) for pid in pids]


def _cpu_s(pid: int) -> float:
    """Processor time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def tables(report: DirectoryReport) -> str:
    """The tables, as `docs/scale.md` has them."""
    where = report.machine
    on = f"{where.processor}, {where.cores} cores, load {where.load_before:g} before the run"
    lines = [
        f"{report.date}, {on}; {WORKERS} workers.",
        "",
        "| keys | | start | a relay | memory of all workers | map | a change is seen | the loop is busy with it |",
        "| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    before = {run.keys: run for run in report.before}
    for run in report.after:
        if run.keys in before:
            lines.append(_line(before[run.keys], f"before ({report.revision[:7]})"))
        lines.append(_line(run, "now" if run.keys in before else ""))
    lines += ["", "| keys | stored | first start | map made, once |", "| ---: | ---: | ---: | ---: |"]
    for run in report.after:
        made = "none" if run.map_s is None else f"{run.map_s:.1f} s"
        lines.append(f"| {run.keys:,} | {run.fill_s:.1f} s | {_said(run.first_start_s, 's')} | {made} |")
    return "\n".join(lines)


def _line(run: DirectoryRun, which: str) -> str:
    if run.start_s is None:
        return f"| {run.keys:,} | {which} | {run.note} | | | | | |"
    made = f"{run.file_mb:.0f} MB" if run.file_mb else "none"
    seen = f"{run.seen_ms:.0f} ms, at most {run.seen_max_ms:.0f}"
    loop = f"{run.loop_ms:.2f} ms, at most {run.loop_max_ms:.2f}"
    start = f"{run.start_s:.1f} s ({run.start_cpu_s:.2f} s)"
    relay = "" if run.relay_us is None else f"{run.relay_us:.0f} µs"
    return f"| {run.keys:,} | {which} | {start} | {relay} | {run.memory_mb:.0f} MB | {made} | {seen} | {loop} |"


def _said(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:.2f} {unit}"


if __name__ == "__main__":
    main()
