"""Runs every script of this folder against shardgate and those of its peers that can do the work. `QUICK=1`: shorter.

A run that misses a threshold, whoever's it is, is repeated once, for a machine is seldom quiet; the better one is kept
and marked. The time to first byte is taken at a fixed rate, requests a second at 16 busy clients; there k6 is often
what is used up, on the core that it shares with the shards: `make bench` says what the gateway could do.
"""

import os
import platform
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import msgspec

from bench.k6 import tool
from bench.k6.results import Report, Run, print_table, read
from bench.peers import CACHE, MissingError, Peer, Site, Work
from bench.peers.flask_poc import FlaskCopy, FlaskRelay
from bench.peers.roster import GO_RAW, GO_RELAY, SUBJECT
from bench.processes import Cores, Running, StartError, memory_bytes, started, tree
from bench.rig import build_rig, stub_shards
from bench.study.tables import write_tables

SHARDS = 4
PORT, SHARD_PORT = 21_300, 21_400
RESULTS = Path(__file__).resolve().parents[1] / "results" / "k6.json"
TARGETS: tuple[Peer, ...] = (SUBJECT, GO_RELAY, GO_RAW, FlaskRelay(), FlaskCopy())


class Script(msgspec.Struct, frozen=True):
    """A script, and who can do what it asks."""

    name: str
    work: str
    needs: frozenset[Work]
    slow: int | None = None


SCRIPTS = (
    Script("relay_1kb", "relay 1 KB", frozenset({Work.RELAY})),
    Script("relay_50kb", "relay 50 KB", frozenset({Work.RELAY})),
    Script("gather_10", "gather 4 x 10", frozenset({Work.GATHER})),
    Script("gather_50", "gather 4 x 50", frozenset({Work.GATHER})),
    Script("slow_list", "gather, one shard 200 ms late", frozenset({Work.GATHER}), slow=0),
    Script("slow_shard", "relay beside gathers that wait", frozenset({Work.RELAY, Work.GATHER}), slow=0),
)


def main() -> None:
    """Measure all, print, write; exit with 1 where a threshold of ours is not met."""
    signal.signal(signal.SIGTERM, _unwind)
    signal.signal(signal.SIGHUP, _unwind)
    quick = bool(os.environ.get("QUICK"))
    cores = Cores.of_this_machine()
    if cores is None:
        sys.exit("bench-k6: two cores are needed, one for the gateway and one for k6 and the shards")
    CACHE.mkdir(exist_ok=True)
    report = Report(
        measured_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        machine=f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}",
        load_before=round(os.getloadavg()[0], 1), quick=quick, k6="", versions={}, missing={}, runs=[],
    )  # fmt: skip
    try:
        report.k6 = tool.version()
        build_rig(tool.tell)
    except MissingError as error:
        sys.exit(f"bench-k6: {error}")
    targets = _installed(report)
    for script in SCRIPTS:
        _run(script, [each for each in targets if script.needs <= each.works], cores, 1.0 if quick else 3.0, report)
    print_table(report.runs, report.missing, SUBJECT.name)
    if not quick:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=1) + b"\n")
        write_tables()
    sys.exit(any(run.met < len(run.thresholds) for run in report.runs if run.target == SUBJECT.name))


def _installed(report: Report) -> Sequence[Peer]:
    there = []
    for peer in TARGETS:
        try:
            report.versions[peer.name] = peer.install(CACHE, tool.tell)
            there.append(peer)
        except MissingError as error:
            report.missing[peer.name] = str(error)
    return there


def _run(script: Script, targets: Sequence[Peer], cores: Cores, seconds: float, report: Report) -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="shardgate-k6-")))
        shards = stack.enter_context(stub_shards(SHARD_PORT, SHARDS, cores, folder, slow=script.slow))
        for number, peer in enumerate(targets):
            try:
                with _started(peer, PORT + number, shards, folder / str(number), cores) as running:
                    run = _measured(script, peer.name, running, seconds, cores, folder)
                    if run.met < len(run.thresholds):
                        again = _measured(script, peer.name, running, seconds, cores, folder)
                        run = msgspec.structs.replace(max(run, again, key=lambda each: each.met), repeated=True)
                    report.runs.append(run)
            except (StartError, RuntimeError) as error:
                report.missing[f"{peer.name}, {script.work}"] = str(error)


def _measured(script: Script, target: str, running: Running, seconds: float, cores: Cores, folder: Path) -> Run:
    summary = tool.run(script.name, f"http://127.0.0.1:{running.port}", seconds, cores.load, folder)
    run = read(script.work, target, summary, seconds, memory_bytes(tree(running.pid)) / 2**20)
    tool.tell(f"{script.work}, {target}: p50 {run.first_byte_p50_ms:.2f} ms")
    return run


@contextmanager
def _started(peer: Peer, port: int, shards: Sequence[int], folder: Path, cores: Cores) -> Iterator[Running]:
    folder.mkdir()
    command = peer.command(Site(port=port, shards=shards, folder=folder))
    with started(
        command.arguments, port=port, cores=cores.gateway, log=folder / "output", environment=command.environment
    ) as running:
        yield running


def _unwind(number: int, _: object) -> NoReturn:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    main()
