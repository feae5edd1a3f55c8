"""Sets the stage for a work: shards, and all peers that can do it, running side by side and found to answer rightly."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import count
from pathlib import Path

import msgspec

from bench.answers import wrong
from bench.peers import CACHE, MissingError, Peer, Say, Site, Work
from bench.processes import Cores, Running, StartError, started, wait_idle
from bench.results import Measured, Report
from bench.rig import Load, LoadError, Run, measure, stub_shards

SHARD_PORT = 20_000
_ports = count(20_100)


class Pace(msgspec.Struct, frozen=True):
    """How long it is looked at."""

    rounds: int
    seconds: float


class Bench(msgspec.Struct, frozen=True):
    """One run of the bench."""

    cores: Cores
    pace: Pace
    report: Report
    say: Say

    def installed(self, peers: Sequence[Peer]) -> list[Peer]:
        """Those that can be had; the others are named in the report."""
        there = []
        for peer in peers:
            try:
                self.report.versions[peer.name] = peer.install(CACHE, partial(self._says, peer.name))
                there.append(peer)
            except MissingError as error:
                self.report.missing[peer.name] = str(error)
                self.say(f"{peer.name} is missing: {error}")
        return there

    def _says(self, name: str, text: str) -> None:
        self.say(f"{name}: {text}")

    @contextmanager
    def stage(
        self, peers: Sequence[Peer], work: Work, shards: int, *, slow: int | None = None
    ) -> Iterator[dict[str, Running]]:
        """Name → process of each peer that answers rightly."""
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="shardgate-bench-")))
            ports = stack.enter_context(stub_shards(SHARD_PORT, shards, self.cores, folder, slow=slow))
            running = {}
            for peer in peers:
                if work not in peer.works:
                    continue
                try:
                    process = stack.enter_context(self.start(peer, ports, folder))
                except StartError as error:
                    self.report.missing[peer.name] = f"it does not start: {error}"
                    continue
                if reason := wrong(process.port, work, ports):
                    self.report.missing[f"{peer.name}, {work}"] = f"not measured, it answers wrongly: {reason}"
                    self.say(f"{peer.name} answers wrongly: {reason}")
                    continue
                running[peer.name] = process
            yield running

    @contextmanager
    def start(self, peer: Peer, shards: Sequence[int], folder: Path) -> Iterator[Running]:
        """One peer, in a folder of its own."""
        port = next(_ports)
        site = Site(port=port, shards=shards, folder=folder / str(port))
        site.folder.mkdir()
        command = peer.command(site)
        cores = self.cores.gateway if command.cores == 1 else self.cores.pair
        with started(
            command.arguments,
            port=site.port,
            cores=cores,
            log=site.folder / "output",
            environment=command.environment,
        ) as process:
            yield process

    def interleave(self, work: str, running: dict[str, Running], loads: Sequence[Load]) -> None:
        """Measure all peers under each load, round by round, so that a disturbance meets all alike."""
        for load in loads:
            runs: dict[str, list[Run]] = {name: [] for name in running}
            for _ in range(self.pace.rounds):
                for name, process in running.items():
                    try:
                        runs[name].append(measure(process.pid, process.port, load, self.cores))
                        wait_idle(process.pid)
                    except LoadError as error:
                        self.report.missing[f"{name}, a round of {work}, {load.connections} connections"] = str(error)
            self.report.measured += [
                Measured(work=work, peer=name, connections=load.connections, rate=load.rate, runs=found)
                for name, found in runs.items()
                if found
            ]
            paced = f", {load.rate:,.0f}/s" if load.rate else ""
            self.say(f"{work}, {load.connections} connections{paced}: {len(running)} measured")
