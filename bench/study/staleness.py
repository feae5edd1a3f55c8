"""How long a write to the platform stays unseen, by who reads the copy and by who reads through the gateway.

Events are created, changed and deleted at the instances themselves, as their vendors do. From the moment that the
instance has acknowledged a write, the event is read, ten times a second at first: a read that still shows what was
before is stale. The lag of a write ends with its last stale read; it is 0 where there was none.
"""

import asyncio
import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import httpx
import msgspec

from bench.study.report import Lag

READ_EVERY_S = 0.1
READ_EVERY_SHARE = 0.05  # of the time that has passed, so that what is long unseen does not keep the machine busy
READS_AT_LEAST = 5
LAG_MAX_S = 120.0
Shows = Callable[[httpx.Response], bool]


class Seen(msgspec.Struct):
    """One write, as one reader saw it."""

    reads: int = 0
    stale: int = 0
    first_stale: bool = False
    lag_s: float = 0


class Vendors:
    """Writes at the instances."""

    def __init__(self, instances: Sequence[str], client: httpx.AsyncClient, chance: random.Random) -> None:
        self._instances = instances
        self._client = client
        self._chance = chance
        self._models: dict[str, list[dict[str, Any]]] = {}
        self._unchanged: list[tuple[str, str]] = []

    async def look(self) -> None:
        """Read some events of each instance."""
        for url in self._instances:
            self._models[url] = (await self._client.get(f"{url}/v3/events?limit=200")).raise_for_status().json()
            self._unchanged += [(url, event["id"]) for event in self._models[url]]
        self._chance.shuffle(self._unchanged)

    async def create(self) -> tuple[str, str]:
        """A new event; its instance, and its id."""
        url = self._chance.choice(self._instances)
        model = self._chance.choice(self._models[url])
        names = ("vendor_id", "category_id", "description", "city", "country", "latitude", "longitude", "price")
        body = {name: model[name] for name in (*names, "duration_minutes", "capacity")}
        reply = await self._client.post(f"{url}/v3/events", json=body | {"name": f"New {self._chance.random()}"})
        return url, str(reply.raise_for_status().json()["id"])

    async def change(self, url: str, id_: str, price: int) -> None:
        """Another price."""
        (await self._client.patch(f"{url}/v3/events/{id_}", json={"price": price})).raise_for_status()

    async def delete(self, url: str, id_: str) -> None:
        """Gone."""
        (await self._client.delete(f"{url}/v3/events/{id_}")).raise_for_status()

    def an_event(self) -> tuple[str, str]:
        """One that was there before; never the same twice, so that no later change hides an earlier one."""
        return self._unchanged.pop()


class Observer:
    """Writes, and watches from both sides."""

    def __init__(self, vendors: Vendors, readers: Mapping[str, str], client: httpx.AsyncClient) -> None:
        self._vendors = vendors
        self._readers = readers
        self._client = client
        self._seen: dict[str, dict[str, list[Seen]]] = {name: {} for name in readers}

    async def run(self, writes: int, span_s: float, doomed: Sequence[tuple[str, str]], chance: random.Random) -> None:
        """So many writes of each kind, spread by chance over a time; the doomed are deleted."""
        jobs = [self._create(chance.uniform(0, span_s)) for _ in range(writes)]
        jobs += [self._change(chance.uniform(0, span_s), 100_000 + n) for n in range(writes)]
        jobs += [self._delete(chance.uniform(0, span_s), url, id_) for url, id_ in doomed]
        await asyncio.gather(*jobs)

    def lags(self, reader: str) -> dict[str, Lag]:
        """What one reader saw, by kind of write."""
        return {kind: _lag(seen) for kind, seen in sorted(self._seen[reader].items())}

    async def _create(self, after_s: float) -> None:
        await asyncio.sleep(after_s)
        _, id_ = await self._vendors.create()
        await self._watch("create", id_, lambda reply: reply.status_code == 200)

    async def _change(self, after_s: float, price: int) -> None:
        await asyncio.sleep(after_s)
        url, id_ = self._vendors.an_event()
        await self._vendors.change(url, id_, price)
        await self._watch("change", id_, lambda reply: reply.json()["price"] == price)

    async def _delete(self, after_s: float, url: str, id_: str) -> None:
        await asyncio.sleep(after_s)
        await self._vendors.delete(url, id_)
        await self._watch("delete", id_, lambda reply: reply.status_code == 404)

    async def _watch(self, kind: str, id_: str, shows: Shows) -> None:
        acknowledged_at = time.perf_counter()
        await asyncio.gather(*(self._read(reader, kind, id_, shows, acknowledged_at) for reader in self._readers))

    async def _read(self, reader: str, kind: str, id_: str, shows: Shows, acknowledged_at: float) -> None:
        seen = Seen()
        self._seen[reader].setdefault(kind, []).append(seen)
        right = False
        while not right or seen.reads < READS_AT_LEAST:
            reply = await self._client.get(f"{self._readers[reader]}/v3/events/{id_}")
            right = shows(reply)
            if not right:
                seen.stale += 1
                seen.first_stale = seen.first_stale or seen.reads == 0
                seen.lag_s = time.perf_counter() - acknowledged_at
            seen.reads += 1
            if seen.lag_s > LAG_MAX_S:
                raise RuntimeError(f"{reader} does not show the {kind} of {id_} after {LAG_MAX_S:.0f} s")
            await asyncio.sleep(max(READ_EVERY_S, seen.lag_s * READ_EVERY_SHARE))


def _lag(seen: list[Seen]) -> Lag:
    lags = sorted(each.lag_s for each in seen)
    return Lag(
        writes=len(seen),
        first_read_stale=sum(each.first_stale for each in seen),
        reads=sum(each.reads for each in seen),
        stale_reads=sum(each.stale for each in seen),
        lag_p50_s=lags[len(lags) // 2],
        lag_p95_s=lags[int(len(lags) * 0.95)],
        lag_max_s=lags[-1],
    )
