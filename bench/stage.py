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


class Turn(msgspec.Struct, frozen=True):
    """What is measured in one turn of each round."""

    work: str
    peer: str
    process: Running
    load: Load


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

    @contextmanager
    def over_each(self, peer: Peer, numbers: Sequence[int]) -> Iterator[dict[int, Running]]:
        """Number of shards → process of one peer over so many, all at once; none where one answers wrongly."""
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="shardgate-bench-")))
            ports = stack.enter_context(stub_shards(SHARD_PORT, max(numbers), self.cores, folder))
            running = {shards: stack.enter_context(self.start(peer, ports[:shards], folder)) for shards in numbers}
            for shards, process in running.items():
                if reason := wrong(process.port, Work.GATHER, ports[:shards]):
                    self.report.missing[f"{peer.name} over {shards} shards"] = f"it answers wrongly: {reason}"
                    running = {}
                    break
            yield running

    def interleave(
        self, work: str, running: dict[str, Running], loads: Sequence[Load], rounds: int | None = None
    ) -> None:
        """Measure all peers under each load, round by round, so that a disturbance meets all alike.

        `rounds`: None: as many as the pace says.
        """
        for load in loads:
            turns = [Turn(work, name, process, load) for name, process in running.items()]
            self.in_turns(turns, self.pace.rounds if rounds is None else rounds)
            paced = f", {load.rate:,.0f}/s" if load.rate else ""
            self.say(f"{work}, {load.connections} connections{paced}: {len(running)} measured")

    def in_turns(self, turns: Sequence[Turn], rounds: int) -> None:
        """Measure all of these, round by round."""
        runs: list[list[Run]] = [[] for _ in turns]
        for _ in range(rounds):
            for turn, found in zip(turns, runs, strict=True):
                load = turn.load
                try:
                    found.append(measure(turn.process.pid, turn.process.port, load, self.cores))
                    wait_idle(turn.process.pid)
                except LoadError as error:
                    named = f"{turn.peer}, a round of {turn.work}, {load.connections} connections"
                    self.report.missing[named] = str(error)
        self.report.measured += [
            Measured(work=turn.work, peer=turn.peer, connections=turn.load.connections, rate=turn.load.rate, runs=found)
            for turn, found in zip(turns, runs, strict=True)
            if found
        ]
