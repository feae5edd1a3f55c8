"""The platform of the study: the example's monolith with 33,000 events, its shards, the gateway, and PoC 1 beside."""

import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
import msgspec

from bench.peers import Peer, Site
from bench.peers.flask_poc import ENVIRONMENT, PYTHON, beside
from bench.processes import Running, memory_bytes, started, tree
from bench.study.report import Cycle
from proof.data import CACHE, prepare
from proof.fleet import Fleet, token

SHARDS = 3
CORES = (0, 1)


class Beside:
    """PoC 1 at work."""

    def __init__(self, url: str, pid: int, log: Path) -> None:
        self.url = url
        self._pid = pid
        self._log = log

    def cycles(self) -> list[Cycle]:
        """What the synchroniser has said so far."""
        lines = self._log.read_bytes().splitlines()
        return [msgspec.json.decode(line, type=Cycle) for line in lines if line.startswith(b'{"cycle"')]

    def synchroniser_cpu_s(self) -> float:
        """CPU time of the synchroniser alone."""
        return cpu_s([self._pid])

    def memory_mib(self) -> float:
        """Of synchroniser and server."""
        return memory_bytes(tree(self._pid)) / 2**20


class Filling(NamedTuple):
    """What it took to fill a copy, and to scan it once."""

    cycles: list[Cycle]
    platform_cpu_s: float
    copy_mib: float


class Platform:
    """All that runs."""

    def __init__(self, fleet: Fleet, folder: Path) -> None:
        self._fleet = fleet
        self._folder = folder
        self.instances = [server.url for server in fleet.shards.values()]
        self.monolith, self.gateway = fleet.monolith.url, fleet.gateway.url
        with httpx.Client(base_url=self.gateway) as client:
            self.token = token(client, "marketplace")

    def cpu_s(self) -> float:
        """CPU time of the shards' instances so far."""
        return sum(cpu_s(tree(server.pid)) for server in self._fleet.shards.values())

    def gateway_mib(self) -> float:
        """Memory of the gateway."""
        return memory_bytes(tree(self._fleet.gateway.pid)) / 2**20

    def filled_once(self, name: str) -> "Filling":
        """A copy filled and scanned, with nobody reading it."""
        copy, before = self._folder / name, self.cpu_s()
        command = [str(PYTHON), "-m", "bench.flask_poc.synchroniser", "--copy", str(copy), *self._options()]
        done = subprocess.run(command, env={**ENVIRONMENT, "TOKEN": self.token}, check=True, capture_output=True)
        cycles = [msgspec.json.decode(line, type=Cycle) for line in done.stdout.splitlines()]
        return Filling(cycles, self.cpu_s() - before, copy.stat().st_size / 2**20)

    @contextmanager
    def beside(self, port: int, poll_every_s: float, scan_every_s: float) -> Iterator[Beside]:
        """PoC 1, filled and serving."""
        copy, log = self._folder / f"copy-{port}.db", self._folder / f"copy-{port}.log"
        every = ["--poll-every-s", str(poll_every_s), "--scan-every-s", str(scan_every_s)]
        command = beside(port, ["--copy", str(copy), *every, *self._options()], {"TOKEN": self.token})
        with started(command.arguments, port=port, cores=CORES, log=log, environment=command.environment) as running:
            yield Beside(f"http://127.0.0.1:{port}", running.pid, log)

    @contextmanager
    def before(self, peer: Peer, port: int) -> Iterator[Running]:
        """Another gateway before the same instances."""
        shards = [int(url.rpartition(":")[2]) for url in self.instances]
        site = Site(port=port, shards=shards, folder=self._folder / str(port))
        site.folder.mkdir()
        command = peer.command(site)
        log = site.folder / "output"
        with started(command.arguments, port=port, cores=CORES, log=log, environment=command.environment) as running:
            yield running

    def _options(self) -> Sequence[str]:
        return [part for url in self.instances for part in ("--platform", url)]


@contextmanager
def platform(scale: float) -> Iterator[Platform]:
    """Start all of it over a copy of the data, end all of it."""
    run = CACHE / "study"
    data = prepare(scale, SHARDS).copy(run)
    with Fleet(data, run) as fleet, tempfile.TemporaryDirectory() as folder:
        yield Platform(fleet, Path(folder))


def cpu_s(pids: Sequence[int]) -> float:
    """CPU seconds of processes, to the tick, with what those of their threads took that have ended meanwhile."""
    fields = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids]
    return sum(int(each[11]) + int(each[12]) for each in fields) / os.sysconf("SC_CLK_TCK")
