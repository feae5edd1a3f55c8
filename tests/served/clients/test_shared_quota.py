"""Quotas of clients that call several gateways with one store in PostgreSQL."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from proof.postgres_server import PostgresServer
from shardgate.core.hosts import PostgresUrl
from tests.clients.issuer import RULES, SECRET
from tests.cluster import running_gateway
from tests.served.clients.test_quota import answer, client
from tests.store.test_postgres import through
from tests.waiting import until
from tests.wire import Wire, wire_to


@pytest.fixture
def wire(server: PostgresServer) -> Iterator[Wire]:
    with wire_to(server.port) as wire:
        yield wire


@pytest.fixture
async def start(start_shard: Any, tmp_path: Path, postgres_place: PostgresUrl, wire: Wire) -> AsyncIterator[Any]:
    """Start two gateways; the second is at the end of the wire."""
    stack = AsyncExitStack()

    async def start(**quota: Any) -> Any:
        (tmp_path / "secret").write_text(SECRET)
        shards = {name: (await start_shard(answer)).url for name in ("north", "south")}
        clients = {"jwt": {"algorithms": ["HS256"], "key_file": "secret"}, "open": ["GET /health"], "quota": quota}
        config = {"shards": shards, "clients": clients, **RULES}
        places = (postgres_place, through(wire, postgres_place))
        gateways = [running_gateway({**config, "store": place.text}, tmp_path) for place in places]
        return [await stack.enter_async_context(each) for each in gateways]

    async with stack:
        yield start


async def calls(gateway: Any, count: int, name: str = "one") -> list[int]:
    return [(await gateway.get("/vendors/n-1", headers=client(name))).status_code for _ in range(count)]


async def test_a_quota_holds_over_both_to_the_call(start: Any) -> None:
    one, two = await start(calls=100)
    assert await calls(one, 60) == [200] * 60
    assert await calls(two, 60) == [200] * 40 + [429] * 20
    assert await calls(one, 1) == [429]
    assert await calls(two, 1, "other") == [200]


async def test_of_many_calls_at_once_at_both_none_is_too_many(start: Any) -> None:
    gateways = await start(calls=50)
    asking = [gateways[n % 2].get("/vendors/n-1", headers=client("one")) for n in range(120)]
    assert Counter(answer.status_code for answer in await asyncio.gather(*asking)) == {200: 50, 429: 70}


async def test_what_lies_unused_at_one_is_given_back_to_the_other(start: Any) -> None:
    one, two = await start(calls=6_400, flush_s=0.1)
    assert await calls(one, 1) == [200]  # it has claimed a hundred
    gave = one.worker.built.journaled.writer.usage
    run = two.worker.built.journaled.writer.run
    period = one.worker.built.callers._quota._period.name
    await until(lambda: _is(run, gave.calls, period, 1))


async def _is(run: Any, count: Any, period: str, wanted: int) -> bool:
    return (await run(count, period, "one")) == wanted


async def test_while_the_store_is_away_each_counts_for_itself_and_all_is_stored_later(start: Any, wire: Wire) -> None:
    one, two = await start(calls=100, flush_s=0.1)
    assert await calls(two, 10) == [200] * 10
    wire.refuses = True
    wire.cut()
    assert await calls(two, 100) == [200] * 90 + [429] * 10
    assert await calls(one, 1) == [200]
    wire.refuses = False
    await until(lambda: _are_spent(one))


async def _are_spent(gateway: Any) -> bool:
    return (await calls(gateway, 1)) == [429]
