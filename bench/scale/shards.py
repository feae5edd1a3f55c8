"""What a relay and a gather cost with 1 to 64 shards, and when the first byte comes where calls are late."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median

import yaml

from bench.answers import PAGE
from bench.peers import Site, Work
from bench.peers.roster import SUBJECT
from bench.peers.shardgate import config_of
from bench.processes import Running, started
from bench.rig import KEYED, Load, LoadError, Run, measure, stub_shards
from bench.scale.results import LateRun, ShardsRun
from bench.stage import SHARD_PORT, Bench

COUNTS = (1, 2, 4, 8, 16, 32, 64)
AT_ONCE, CLIENTS = 8, 128
"""Clients of what is measured: few enough for a gateway that others keep from its core; and those that fill it."""
TRIES = 8
LATE_COUNTS = (4, 16, 64)
LATE_ONE_IN, LATE_MS, LATE_RATE = 100, 200, 10.0
_GATEWAY_PORT = 20_400


def by_shards(bench: Bench, counts: Sequence[int] = COUNTS) -> list[ShardsRun]:
    """Each number of shards, with all of them running."""
    found = []
    for count in counts:
        with bench.stage([SUBJECT], Work.GATHER, count) as running:
            if (gateway := running.get(SUBJECT.name)) is None:
                raise RuntimeError(f"the gateway cannot be measured: {bench.report.missing}")
            try:
                found.append(_measured(bench, gateway, count))
            except LoadError as error:
                bench.say(f"{count} shards are not measured: {error}")
                continue
        bench.say(f"{count} shards: relay {found[-1].relay_us:.0f} µs, gather {found[-1].gather_us:.0f} µs")
    return found


def _measured(bench: Bench, gateway: Running, count: int) -> ShardsRun:
    seconds = bench.pace.seconds
    loads = {
        "relay": Load(target=KEYED, seconds=seconds, connections=AT_ONCE),
        "relay alone": Load(target=KEYED, seconds=seconds, connections=1),
        "gather alone": Load(target=PAGE, seconds=seconds, connections=1),
    }
    runs: dict[str, list[Run]] = {name: [] for name in loads}
    for _ in range(bench.pace.rounds):
        for name, load in loads.items():
            runs[name].append(_answered(bench, gateway, load))
    with suppress(LoadError):  # a busy machine refuses some: the connections are there all the same
        measure(gateway.pid, gateway.port, Load(target=PAGE, seconds=seconds, connections=CLIENTS), bench.cores)

    def middle(name: str, what: str) -> float:
        return float(median(getattr(run, what) for run in runs[name]))

    return ShardsRun(
        shards=count,
        relay_us=middle("relay", "cpu_us"),
        gather_us=middle("gather alone", "cpu_us"),
        relay_first_us=middle("relay alone", "first_p50_us"),
        gather_first_us=middle("gather alone", "first_p50_us"),
        gather_first_p99_us=middle("gather alone", "first_p99_us"),
        connections=_connections_to(range(SHARD_PORT, SHARD_PORT + count)),
        share=middle("relay", "cpu_share"),
    )


def _answered(bench: Bench, gateway: Running, load: Load) -> Run:
    """Measure, again where some requests were refused: a gateway that others keep from its core refuses some."""
    for _ in range(TRIES - 1):
        try:
            return measure(gateway.pid, gateway.port, load, bench.cores)
        except LoadError as error:
            bench.say(f"once more: {error}")
    return measure(gateway.pid, gateway.port, load, bench.cores)


def _connections_to(ports: Sequence[int]) -> int:
    """Established connections of this machine to these ports."""
    established, count = "01", 0
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, _, remote, state = line.split()[:4]
        count += state == established and int(remote.rpartition(":")[2], 16) in ports
    return count


def when_late(bench: Bench, counts: Sequence[int] = LATE_COUNTS) -> list[LateRun]:
    """First bytes where one call in a hundred is late: one instance of each shard, and two with and without hedges."""
    found = []
    for count in counts:
        for replicas, hedged in ((1, False), (2, False), (2, True)):
            with _gateway_before(bench, count, replicas, hedged=hedged) as gateway:
                load = Load(
                    target=PAGE, seconds=max(8.0, bench.pace.seconds * 10), rate=LATE_RATE, connections=16, warm_s=3
                )
                try:
                    run = _answered(bench, gateway, load)
                except LoadError as error:
                    bench.say(f"{count} shards × {replicas} are not measured: {error}")
                    continue
            first = (run.first_p50_us / 1e3, run.first_p99_us / 1e3)
            late = LateRun(shards=count, replicas=replicas, hedged=hedged, first_p50_ms=first[0], first_p99_ms=first[1])
            found.append(late)
            bench.say(f"{count} shards × {replicas}, hedged {hedged}: {first[0]:.0f} ms, p99 {first[1]:.0f} ms")
    return found


@contextmanager
def _gateway_before(bench: Bench, count: int, replicas: int, *, hedged: bool) -> Iterator[Running]:
    with tempfile.TemporaryDirectory(prefix="shardgate-scale-") as temporary:
        folder = Path(temporary)
        with stub_shards(
            SHARD_PORT, count * replicas, bench.cores, folder, late_one_in=LATE_ONE_IN, delay_ms=LATE_MS
        ) as ports:
            site = Site(port=_GATEWAY_PORT, shards=ports, folder=folder)
            command = SUBJECT.command(site)
            config = config_of(site)
            if replicas > 1:
                config["shards"] = {
                    f"s{n}": {"replicas": [f"http://127.0.0.1:{port}" for port in ports[n::count]]}
                    for n in range(count)
                }
            if not hedged:
                config["rules"]["GET /v3/events"]["hedge"] = "never"
            (folder / "shardgate.yaml").write_text(yaml.safe_dump({**config, "workers": 1}))
            with started(
                command.arguments, port=site.port, cores=bench.cores.gateway, log=folder / "output"
            ) as gateway:
                yield gateway
