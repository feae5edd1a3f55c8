"""The load, sent by us: open loop, so that a platform that is slow is asked no less.

Holds: a request's time begins when it was due, not when it could be sent: the first of a journey at its arrival, each
other when the client has thought. Nothing waits for a free connection: there are as many as are needed.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from random import Random

from bench.partners.client import Client
from bench.partners.filling import Pool, Values
from bench.partners.samples import Load, Sample
from bench.partners.schedule import Arrival

Tell = Callable[[float, int, int, int], None]
"""Is told every second: seconds since the begin, requests that are over, that failed, and journeys under way."""


class Generator:
    """Runs one schedule."""

    def __init__(self, client: Client, pool: Pool, seed: int, tell: Tell) -> None:
        self._client = client
        self._pool = pool
        self._chance = Random(seed)
        self._tell = tell
        self._samples: list[Sample] = []
        self._began = 0.0

    async def run(self, arrivals: Sequence[Arrival], lasts_s: float, *, finish_s: float) -> Load:
        """Send it all, and wait `finish_s` at most for what is under way then."""
        self._began = time.perf_counter()
        telling = asyncio.ensure_future(self._progress())
        under_way: set[asyncio.Task[None]] = set()
        for arrival in arrivals:
            await self._until(arrival.at_s)
            task = asyncio.ensure_future(self._travel(arrival, Random(self._chance.getrandbits(64))))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
        await self._until(lasts_s)
        _, late = await asyncio.wait({*under_way}, timeout=finish_s) if under_way else (set(), set())
        for task in (telling, *late):
            task.cancel()
        await asyncio.gather(telling, *late, return_exceptions=True)
        lasted_s = max([lasts_s, *(sample.due_s + sample.took_ms / 1000 for sample in self._samples)])
        return Load(self._samples, lasted_s, unsent=len(late))

    async def _travel(self, arrival: Arrival, chance: Random) -> None:
        values = Values(self._pool, chance)
        due = arrival.at_s
        for number, step in enumerate(arrival.journey.steps):
            if number:
                due = self._now() + step.think_s * chance.uniform(0.5, 1.5)
                await self._until(due)
            status = await self._client.ask(values.request(step))
            failed = status not in step.expect
            took_ms = (self._now() - due) * 1000
            self._samples.append(Sample(arrival.partner, step.capability, due, took_ms, status, failed))
            if failed:
                return

    async def _until(self, at_s: float) -> None:
        if (left := at_s - self._now()) > 0:
            await asyncio.sleep(left)

    async def _progress(self) -> None:
        while True:
            await asyncio.sleep(1)
            failed = sum(sample.failed for sample in self._samples)
            journeys = len(asyncio.all_tasks()) - 2
            self._tell(self._now(), len(self._samples), failed, journeys)

    def _now(self) -> float:
        return time.perf_counter() - self._began
