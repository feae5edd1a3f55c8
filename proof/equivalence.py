"""`make equivalence`: the test of the law. The same requests to a monolith and to the gateway over its shards;
differences are counted.

    make equivalence REQUESTS=2000 SHARDS=3
    make equivalence REQUESTS=10000 SHARDS=1,2,3,5,8
    make equivalence DB=postgresql
    make equivalence REQUESTS=200 SEED=4711      # repeat a run that found something
    make equivalence REPLICAS=2 KILL_EVERY_S=10  # each shard by two instances, one of which is killed and comes back
"""

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from secrets import randbelow

import httpx
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from proof.compare import difference
from proof.data import CACHE, ROOT, prepare
from proof.fleet import Fleet, token
from proof.killer import Killer
from proof.postgres import prepared
from proof.requests import Generator, Request, Samples
from proof.stores import add_option, empty_store

CLIENTS = ("marketplace", "vendor-1", "vendor-2")
AT_ONCE = 4
SHOWN = 10


@dataclass(frozen=True)
class Options:
    """What is run."""

    requests: int
    scale: float
    db: str = "sqlite"
    replicas: int = 1
    kill_every_s: float = 0
    store: str = "sqlite"


@dataclass
class Result:
    """What a run found."""

    seed: int
    requests: int = 0
    statuses: dict[int, int] = field(default_factory=dict)
    differences: list[str] = field(default_factory=list)
    kills: int = 0


def main() -> None:
    """Run, print, and exit with 1 where the law does not hold."""
    options = argparse.ArgumentParser(description="The test of the law.")
    options.add_argument("--requests", type=int, default=500, help="for each number of shards")
    options.add_argument("--shards", default="3", help="how many, or several numbers: 1,2,3,5,8")
    options.add_argument("--seed", type=int, default=None, help="repeat a run")
    options.add_argument("--scale", type=float, default=0.03, help="1 is 33,000 events")
    options.add_argument("--db", choices=("sqlite", "postgresql"), default="sqlite", help="behind the platform")
    options.add_argument("--replicas", type=int, default=1, help="instances of each shard")
    options.add_argument("--kill-every-s", type=float, default=0, help="kill one instance so often; 0: none")
    add_option(options)
    given = options.parse_args()
    if given.kill_every_s and given.replicas < 2:
        options.error("--kill-every-s needs --replicas 2 or more: a shard of one instance is down without it")
    seed = randbelow(10**6) if given.seed is None else given.seed
    results = []
    for count in map(int, given.shards.split(",")):
        print(f"equivalence: {count} shards on {given.db}, seed {seed}", flush=True)
        asked = Options(given.requests, given.scale, given.db, given.replicas, given.kill_every_s, given.store)
        result = run(asked, shards=count, seed=seed, folder=CACHE / "equivalence")
        _report(result, count)
        results.append(result)
    requests, differences = sum(r.requests for r in results), sum(len(r.differences) for r in results)
    replicas = f" of {given.replicas} replicas, {sum(r.kills for r in results)} kills" if given.replicas > 1 else ""
    print(f"equivalence: {requests} requests, {given.shards} shards{replicas}, {differences} differences")
    sys.exit(1 if differences else 0)


def _report(result: Result, shards: int) -> None:
    for line in result.differences[:SHOWN]:
        print(f"- {line}")
    statuses = ", ".join(f"{count} × {status}" for status, count in sorted(result.statuses.items()))
    print(f"{shards} shards: {statuses}; {len(result.differences)} differences", flush=True)


def run(given: Options, *, shards: int, seed: int, folder: Path) -> Result:
    """Start everything, ask both, collect what differs."""
    with ExitStack() as stack:
        if given.db == "postgresql":
            folder.mkdir(parents=True, exist_ok=True)
            data = stack.enter_context(prepared(given.scale, shards))
        else:
            data = prepare(given.scale, shards).copy(folder)
        store = stack.enter_context(empty_store(given.store))
        replicas = dict.fromkeys(data.shards, given.replicas)
        fleet = stack.enter_context(Fleet(data, folder, replicas=replicas, store=store))
        killer = stack.enter_context(Killer(fleet.replicas, given.kill_every_s)) if given.kill_every_s else None
        result = compare_all(fleet, requests=given.requests, seed=seed)
        result.kills = killer.kills if killer is not None else 0
        return result


def compare_all(fleet: Fleet, *, requests: int, seed: int) -> Result:
    """Ask the monolith and the gateway of a running fleet."""
    document = msgspec.json.decode((ROOT / "examples/bookings/openapi.json").read_bytes())
    result = Result(seed)
    with ExitStack() as stack:
        monolith = stack.enter_context(httpx.Client(base_url=fleet.monolith.url, timeout=60))
        gateway = stack.enter_context(httpx.Client(base_url=fleet.gateway.url, timeout=60))
        # The instances sign with one secret: a token of either side is good on both.
        headers = {name: {"Authorization": f"Bearer {token(monolith, name)}"} for name in CLIENTS}
        headers |= {"nobody": {}, "forged": {"Authorization": "Bearer forged"}}
        samples = Samples(lambda url: monolith.get(url, headers=headers["marketplace"]).json())
        generated = Generator(document, samples, seed).requests(requests)

        def ask(request: Request) -> tuple[int, str | None]:
            method, url, client = request
            expected = monolith.request(method, url, headers=headers[client])
            answer = gateway.request(method, url, headers=headers[client])
            return expected.status_code, difference(expected, answer)

        pool, bar = stack.enter_context(ThreadPoolExecutor(AT_ONCE)), stack.enter_context(_progress())
        answers = bar.track(pool.map(ask, generated), total=requests)
        for request, (status, found) in zip(generated, answers, strict=True):
            result.requests += 1
            result.statuses[status] = result.statuses.get(status, 0) + 1
            if found is not None:
                result.differences.append(f"{request.method} {request.url} as {request.client}: {found}")
    return result


def _progress() -> Progress:
    columns = (TextColumn("asking"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty())


if __name__ == "__main__":
    main()
