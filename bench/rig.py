"""The other side of every measurement: stub shards and a load that cost less than any gateway (Go, in `bench/go`)."""

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from bench.peers import CACHE, MissingError, Say
from bench.peers.golang import build
from bench.processes import Cores, cpu_s, started, tree

HERE = Path(__file__).resolve().parent
KEYED = "/v3/events/{id}"
LARGE = "/v3/documents/{id}"


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked, and how hard."""

    target: str = KEYED
    connections: int = 32
    seconds: float = 1.0
    warm_s: float = 0.2
    rate: float = 0
    """Requests a second, due at fixed instants; 0: each connection sends as soon as it can."""
    traced: bool = False
    """A ninth field, `traceparent`, that differs each time."""
    keys: int = 0
    """Each id is one of so many (`load_id`), by chance; 0: none comes again."""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One measurement."""

    requests: int
    per_s: float
    cpu_us: float
    """CPU time of the gateway's process tree for each request."""
    cpu_share: float
    """CPU time ÷ wall time: at 1.0 one core is used up."""
    first_p50_us: float
    first_p99_us: float
    """Time to first byte."""


class _Said(msgspec.Struct, frozen=True):
    requests: int
    seconds: float
    failed: int
    failure: str
    unsent: int
    first_p50_us: float
    first_p99_us: float


class LoadError(Exception):
    """A gateway did not answer well under load."""


def build_rig(say: Say) -> None:
    """Build load and stub, once for each state of their source. Raises MissingError."""
    for name in ("load", "stub"):
        build(HERE / "go", f"./{name}", CACHE / name, say)
    for tool in ("taskset", "setpriv"):
        if shutil.which(tool) is None:
            raise MissingError(f"{tool} is needed to start processes on their core: apt install util-linux")


@contextmanager
def stub_shards(
    port: int,
    count: int,
    cores: Cores,
    folder: Path,
    *,
    slow: int | None = None,
    late_one_in: int = 0,
    delay_ms: int = 200,
) -> Iterator[Sequence[int]]:
    """So many shards on consecutive ports; one may be slow, or one request in so many of all of them."""
    command = [str(CACHE / "stub"), f"-port={port}", f"-shards={count}"]
    if slow is not None:
        command += [f"-slow={slow}", f"-delay={delay_ms}ms"]
    if late_one_in:
        command += [f"-late-one-in={late_one_in}", f"-delay={delay_ms}ms"]
    with started(command, port=port + count - 1, cores=[cores.shards], log=folder / "stub.log"):
        yield range(port, port + count)


def measure(pid: int, port: int, load: Load, cores: Cores) -> Run:
    """Load a gateway; count its CPU time from the moment that all connections are warm. Raises LoadError."""
    command = ["taskset", "-c", str(cores.load), str(CACHE / "load"), f"-port={port}", f"-target={load.target}"]
    command += [f"-connections={load.connections}", f"-seconds={load.seconds}", f"-warm={load.warm_s}"]
    command += [f"-rate={load.rate}", f"-trace={str(load.traced).lower()}", f"-keys={load.keys}"]
    pids = tree(pid)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        before = cpu_s(pids)
        line = process.stdout.readline()
        spent = cpu_s(pids) - before
        _, error = process.communicate(timeout=10)
    finally:
        process.kill()
        process.wait()
    if not line:
        raise LoadError(error.decode(errors="replace").strip())
    said = msgspec.json.decode(line, type=_Said)
    if not said.requests:
        raise LoadError("no reply was whole within the time")
    if said.failed:
        raise LoadError(f"{said.failed} of {said.requests} replies were refusals: {said.failure}")
    return Run(
        requests=said.requests,
        per_s=said.requests / said.seconds,
        cpu_us=spent / said.requests * 1e6,
        cpu_share=spent / said.seconds,
        first_p50_us=said.first_p50_us,
        first_p99_us=said.first_p99_us,
    )


def load_id(number: int) -> str:
    """An id as the load asks for it: one of `Load.keys`, counted from 0."""
    return f"0123456789abcdef{(number * 0x9E3779B97F4A7C15 + 1) % 2**64:016x}"
