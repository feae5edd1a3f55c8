"""An open load on a gateway of the reference platform: requests are due at fixed instants, whether or not earlier ones
were answered, so a slow gateway cannot hide its queue. A request is sent once; whatever goes wrong is counted.

    python -m tools.delivery.load http://127.0.0.1:8080 --rate 40 --seconds 20 --failed-percent-max 0 --p90-ms-max 200

With `--until-closed` it runs until its standard input ends, and writes a line of JSON for each second. Exit codes: 0,
the thresholds hold; 1, one does not; 2, the platform could not be asked what to ask for.
"""

import argparse
import asyncio
import re
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress

import httpx
import msgspec
import uvloop

from tools.delivery.client import Client
from tools.delivery.traffic import Asked, Traffic, access_token, discover
from tools.delivery.verdict import Outcome, Sample

REQUEST_TIMEOUT_S = 15.0
FAILURE_CHARS_MAX = 160
SECONDS_MAX = 3600.0
"""No load runs longer."""
KEPT_FAILURES = 20
_ID = re.compile("(?<=/)[0-9a-f]{32}")


class Second(msgspec.Struct, frozen=True, tag="second"):
    """What clients saw since the line before."""

    requests: int
    failed: int
    p90_ms: float


class Load:
    """Clients of one gateway."""

    def __init__(self, client: Client, traffic: Traffic, rate: float) -> None:
        self._client = client
        self._traffic = traffic
        self._interval_s = 1 / rate
        self._under_way: set[asyncio.Task[None]] = set()
        self.outcomes: list[Outcome] = []
        self.failures: Counter[str] = Counter()
        """What went wrong → how often."""
        self.acknowledged: list[str] = []
        """The ids of orders that the platform has confirmed."""

    async def run(self, seconds: float) -> None:
        """Send for so long, then wait for the last replies. A cancellation ends the sending early."""
        loop = asyncio.get_running_loop()
        began_at = loop.time()
        due_at, number = began_at, 0
        with suppress(asyncio.CancelledError):
            while due_at < began_at + seconds:
                await asyncio.sleep(max(0.0, due_at - loop.time()))
                task = loop.create_task(self._ask(self._traffic.asked(number), due_at))
                self._under_way.add(task)
                task.add_done_callback(self._under_way.discard)
                number += 1
                due_at = began_at + number * self._interval_s
        await asyncio.gather(*self._under_way)

    async def _ask(self, asked: Asked, due_at: float) -> None:
        failure = await self._failure(asked)
        took_ms = (asyncio.get_running_loop().time() - due_at) * 1000
        self.outcomes.append(Outcome(failure is not None, took_ms))
        if failure is not None and (failure in self.failures or len(self.failures) < KEPT_FAILURES):
            self.failures[failure] += 1

    async def _failure(self, asked: Asked) -> str | None:
        """What was wrong with the reply; None where nothing was."""
        words = f"{asked.method} {_ID.sub('{id}', asked.path.partition('?')[0])}"
        try:
            body = None if asked.body is None else msgspec.json.encode(asked.body)
            reply = await self._client.ask(asked.method, asked.path, body)
        except (OSError, EOFError, ValueError, TimeoutError) as error:
            return f"{words}: {type(error).__name__} {error}".rstrip()
        if reply.status not in asked.statuses:
            return f"{words}: {reply.status} {reply.body[:FAILURE_CHARS_MAX].decode(errors='replace')}".rstrip()
        if asked.has.encode() not in reply.body:
            return f"{words}: {reply.status} without {asked.has!r}"
        if reply.status == 201:
            self.acknowledged.append(msgspec.json.decode(reply.body)["id"])
        return None


async def lines(load: Load) -> None:
    """Write what clients saw, once a second, until standard input ends."""
    written = 0
    closed = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    while not closed.done():
        await asyncio.wait({closed}, timeout=1.0)
        until = len(load.outcomes)
        sample = Sample.of(load.outcomes[written:until])
        written = until
        _write(Second(sample.requests, sample.failed, sample.p90_ms))


def broken(sample: Sample, failed_percent_max: float, p90_ms_max: float) -> list[str]:
    """The thresholds that do not hold, in words."""
    found = []
    if sample.requests == 0:
        found.append("no request was sent")
    if sample.failed_share * 100 > failed_percent_max:
        found.append(f"{sample.failed_share:.2%} failed, {failed_percent_max:g} % may")
    if sample.p90_ms > p90_ms_max:
        found.append(f"p90 {sample.p90_ms:.0f} ms, {p90_ms_max:g} ms allowed")
    return found


class Told(msgspec.Struct, frozen=True, tag="told"):
    """The last line of a load, in JSON."""

    requests: int
    failed: int
    p90_ms: float
    failures: dict[str, int]
    acknowledged: list[str]


async def run(options: argparse.Namespace) -> int:
    """Find out what to ask for, load, judge."""
    try:
        token = access_token(options.url)
        traffic = discover(options.url, token, options.order, changes=not options.reads)
    except (httpx.HTTPError, LookupError) as error:
        print(f"load: {options.url} does not say what there is: {error!r}", file=sys.stderr)
        return 2
    client = Client(options.url, token, REQUEST_TIMEOUT_S)
    load = Load(client, traffic, options.rate)
    if options.until_closed:
        running = asyncio.get_running_loop().create_task(load.run(SECONDS_MAX))
        await lines(load)
        running.cancel()
        await running
    else:
        await load.run(min(options.seconds, SECONDS_MAX))
    client.close()
    sample = Sample.of(load.outcomes)
    _write(Told(sample.requests, sample.failed, sample.p90_ms, dict(load.failures), load.acknowledged))
    found = [] if options.until_closed else broken(sample, options.failed_percent_max, options.p90_ms_max)
    for line in found:
        print(f"load: {line}", file=sys.stderr)
    return 1 if found else 0


def _write(value: msgspec.Struct) -> None:
    print(msgspec.json.encode(value).decode(), flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run."""
    parser = argparse.ArgumentParser(prog="load", description="An open load with thresholds.")
    parser.add_argument("url")
    parser.add_argument("--rate", type=float, default=40.0, help="requests a second")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--failed-percent-max", type=float, default=0.0)
    parser.add_argument("--p90-ms-max", type=float, default=1000.0)
    parser.add_argument("--order", default="name", help="by what the list is sorted from which events are asked for")
    parser.add_argument("--reads", action="store_true", help="no orders")
    parser.add_argument("--until-closed", action="store_true", help="until standard input ends")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(run(parser.parse_args(arguments)))


if __name__ == "__main__":
    sys.exit(main())
