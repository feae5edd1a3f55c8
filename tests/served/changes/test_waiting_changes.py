"""Changes by `every` that wait for earlier ones: their number has a bound, and so has their time."""

import asyncio
from typing import Any

import pytest

from tests.cluster import Shard, leave, until
from tests.served.things import Things

RULES = {
    "store": "store.db",
    "timeouts": {"request_timeout_s": 20},
    "limits": {"changes_waiting_max": 2},
    "rules": {"PUT /things/{id}": {"rule": "every", "mode": "eventual"}},
}


class World:
    """One shard that waits until it is let go, and the gateway before it."""

    def __init__(self, app: Things, shard: Shard, gateway: Any) -> None:
        self.app, self.shard, self.gateway = app, shard, gateway

    def put(self, number: int) -> "asyncio.Future[Any]":
        return asyncio.ensure_future(self.gateway.client.put(f"/things/{number}", json={"name": "a"}))

    async def put_and_leave(self, number: int) -> asyncio.StreamWriter:
        _, writer = await asyncio.open_connection("127.0.0.1", self.gateway.port)
        writer.write(b"PUT /things/%d HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}" % number)
        return writer


@pytest.fixture
async def world(start_shard: Any, start_gateway: Any) -> World:
    app = Things()
    shard = await start_shard(app)
    world = World(app, shard, await start_gateway({"shards": {"north": shard.url}, **RULES}))
    app.gate.clear()
    return world


async def test_one_more_than_may_wait_is_refused_at_once(world: World) -> None:
    first = world.put(1)
    await until(lambda: world.shard.asked)
    others = [world.put(number) for number in (2, 3, 4)]
    done, _ = await asyncio.wait(others, return_when=asyncio.FIRST_COMPLETED)
    (refused,) = [each.result() for each in done]
    assert (refused.status_code, refused.json()["code"], refused.headers["retry-after"]) == (503, "SG4001", "1")
    assert len(world.shard.asked) == 1
    world.app.gate.set()
    assert (await first).status_code < 500
    await asyncio.gather(*others)
    assert len(world.shard.asked) == 3


async def test_a_change_whose_client_left_while_it_waited_is_not_made(world: World) -> None:
    """Found: 461 changes that their clients had given up were made later, up to 56 s after they were due."""
    first = world.put(1)
    await until(lambda: world.shard.asked)
    clients = [await world.put_and_leave(number) for number in (2, 3)]
    await until(lambda: world.gateway.in_flight == 3)
    for client in clients:
        leave(client)
    await until(lambda: world.gateway.in_flight == 1)
    last = world.put(4)
    await until(lambda: world.gateway.in_flight == 2)
    world.app.gate.set()
    await asyncio.gather(first, last)
    assert world.app.log == ["PUT /things/1", "PUT /things/4"]
