"""A shard that takes requests and answers none holds up nobody who can be answered without it."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.cluster import Asked, no_answer, reply
from tests.net.screenplay import Clock
from tests.waiting import one_turn, until

SECONDS = 0.25


class Shard:
    """Answers, or hangs. What it was asked while it hung, it never answers."""

    def __init__(self, has: str = "") -> None:
        self.hangs = False
        self.has = has

    async def __call__(self, asked: Asked) -> bytes:
        if self.hangs:
            await no_answer(asked)
        key = asked.line.split()[1].rpartition("/")[2]
        return reply("found") if not self.has or key == self.has else reply("no", status="404 Not Found")


class World:
    """Two shards, a gateway, and a clock that the test moves."""

    def __init__(self, north: Any, south: Any, gateway: Any, clock: Clock) -> None:
        self.north, self.south, self.gateway, self.clock = north, south, gateway, clock

    async def after(self, seconds: float, is_over: Callable[[], bool] = lambda: False) -> None:
        """So much time passes, or less where it is over before."""
        for _ in range(round(seconds / SECONDS)):
            self.clock.at += SECONDS
            self.gateway.worker.watch.look()
            for _ in range(20):
                await one_turn()
            if is_over():
                return


async def start(start_shard: Any, start_gateway: Any, north: Shard, south: Shard, **more: Any) -> World:
    clock = Clock()
    shards = [await start_shard(north), await start_shard(south)]
    config = {
        "shards": {"north": shards[0].url, "south": shards[1].url},
        "locators": {"event": [{"kind": "learned"}, {"kind": "probe", "path": "/events/{key}"}]},
        "rules": {
            "GET /any": {"rule": "any"},
            "POST /any": {"rule": "any"},
            "GET /events/{id}": {"rule": "one", "key": "path.id", "locate": "event"},
            "GET /north/{id}": {"rule": "one", "key": "path.id", "locate": "north"},
        },
        **more,
    }
    config["locators"]["north"] = [{"kind": "prefix", "shards": {"n": "north"}}]
    return World(*shards, await start_gateway(config, clock=clock), clock)


async def test_any_shard_is_asked_but_the_one_that_hangs(start_shard: Any, start_gateway: Any) -> None:
    # Found: every second request waited for 20 s for the shard that hung.
    north, south = Shard(), Shard()
    world = await start(start_shard, start_gateway, north, south)
    north.hangs = True
    asking = [asyncio.ensure_future(world.gateway.get("/any")) for _ in range(2)]
    await until(lambda: any(each.done() for each in asking) and world.north.asked)
    await world.after(3, lambda: False)
    assert [answer.text for answer in await asyncio.gather(*asking)] == ["found"] * 2
    asked = len(world.north.asked)
    for _ in range(10):
        assert (await world.gateway.get("/any")).text == "found", "at once, without time that passes"
    assert len(world.north.asked) == asked
    north.hangs = False
    await world.after(6)
    for _ in range(4):
        assert (await world.gateway.get("/any")).text == "found"
    assert len(world.north.asked) > asked, "it is asked again once it may be back"


async def test_a_key_that_a_shard_has_shown_waits_for_none_that_hangs(start_shard: Any, start_gateway: Any) -> None:
    # Found: reads by probe waited for 20 s for the shard that hung.
    north, south = Shard("elsewhere"), Shard("7")
    world = await start(start_shard, start_gateway, north, south)
    north.hangs = True
    asking = asyncio.ensure_future(world.gateway.get("/events/7"))
    await until(lambda: world.north.asked and world.south.asked)
    await world.after(3, asking.done)
    answer = await asking
    assert (answer.status_code, answer.text) == (200, "found")
    before = len(world.north.asked)
    assert (await world.gateway.get("/events/7")).status_code == 200
    assert len(world.north.asked) == before, "it is remembered"


async def test_a_slow_shard_that_answers_others_is_waited_for_and_may_have_the_key_too(
    start_shard: Any, start_gateway: Any
) -> None:
    north, south = Shard("7"), Shard("7")
    north.hangs = True
    held = asyncio.Event()

    async def slow(asked: Asked) -> bytes:
        if "/events/" in asked.line:
            await held.wait()
        return reply("found")

    world = await start(start_shard, start_gateway, slow, south)  # type: ignore[arg-type]
    asking = asyncio.ensure_future(world.gateway.get("/events/7"))
    await until(lambda: world.north.asked and world.south.asked)
    for _ in range(10):
        assert (await world.gateway.get("/north/n-1")).status_code == 200
        await world.after(1)
    assert not asking.done()
    held.set()
    answer = await asking
    assert (answer.status_code, answer.json()["code"]) == (409, "SG2006")


async def test_a_change_is_not_sent_to_a_second_shard(start_shard: Any, start_gateway: Any) -> None:
    north, south = Shard(), Shard()
    north.hangs = south.hangs = True
    world = await start(start_shard, start_gateway, north, south)
    asking = asyncio.ensure_future(world.gateway.client.post("/any", content=b"x"))
    await until(lambda: world.north.asked or world.south.asked)
    await world.after(5)
    assert not asking.done()
    await world.after(20, asking.done)
    assert (await asking).status_code == 504
    assert len(world.north.asked) + len(world.south.asked) == 1


async def test_a_shard_that_has_recovered_is_not_refused(
    start_shard: Any, start_gateway: Any, caplog: pytest.LogCaptureFixture
) -> None:
    # Found: a shard that hung for 12 s was refused for 18 s more, while calls that nobody would answer held its places.
    north, south = Shard(), Shard()
    limits = {"connections_per_shard_max": 8, "waiting_per_shard_max": 8}
    world = await start(start_shard, start_gateway, north, south, limits=limits)
    north.hangs = True
    lost = [asyncio.ensure_future(world.gateway.get(f"/north/n-{number}")) for number in range(20)]
    await until(lambda: len(world.north.asked) == 8 and sum(each.done() for each in lost) == 4)
    await world.after(12)
    north.hangs = False
    await world.after(3, lambda: sum(each.done() for each in lost) >= 8)
    answers = [
        await asyncio.wait_for(asyncio.ensure_future(world.gateway.get("/north/n-1")), timeout=10) for _ in range(16)
    ]
    assert [answer.status_code for answer in answers] == [200] * 16
    await world.after(30, lambda: all(each.done() for each in lost))
    statuses = [answer.status_code for answer in await asyncio.gather(*lost)]
    assert statuses.count(503) == 4
    assert statuses.count(504) >= 8
    told = [record.message for record in caplog.records if record.message.startswith("shard north is")]
    assert told[0] == "shard north is down: it takes requests and answers none"
    assert told[1].startswith("shard north is back after ")
    assert len(told) == 2
