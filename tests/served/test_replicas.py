"""Shards with replicas, over real sockets: one that dies, hangs, refuses or is behind is noticed by no client."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

from tests.cluster import Asked, no_answer, reply, rows, running_shard, until

LIST = {"kind": "list", "dialect": {"kind": "offset"}, "keys": {"id": "number"}}
RULES = {
    "locators": {"vendor": [{"kind": "hash"}]},
    "rules": {
        "GET /vendors/{id}": {"rule": "one", "key": "path.id", "locate": "vendor"},
        "POST /vendors/{id}": {"rule": "one", "key": "path.id", "locate": "vendor"},
        "GET /items": {"rule": "gather", "merge": LIST},
    },
}


def says(name: str) -> Callable[[Asked], bytes]:
    return lambda asked: rows({"id": 1}) if "/items" in asked.line else reply(json.dumps(name))


def config(*urls: str | dict[str, Any], **shard: Any) -> dict[str, Any]:
    return {"shards": {"north": {"replicas": [*urls], **shard}}, **RULES}


async def test_a_replica_that_is_killed_under_load_is_noticed_by_no_reader(start_gateway: Any) -> None:
    dying = AsyncExitStack()
    a = await dying.enter_async_context(running_shard(says("a")))
    async with running_shard(says("b")) as b:
        gateway = await start_gateway(config(a.url, b.url))
        answered: list[int] = []

        async def reader() -> None:
            for _ in range(40):
                answers = [await gateway.get(path) for path in ("/vendors/1", "/items")]
                answered.extend(answer.status_code for answer in answers)

        readers = [asyncio.ensure_future(reader()) for _ in range(5)]
        await until(lambda: len(answered) > 40)
        assert a.asked
        assert b.asked
        await dying.aclose()
        await asyncio.gather(*readers)
    assert answered == [200] * 400


async def test_a_replica_that_hangs_costs_a_reader_little(start_gateway: Any) -> None:
    hangs = asyncio.Event()

    def answer(asked: Asked) -> bytes | Awaitable[bytes]:
        return no_answer(asked) if hangs.is_set() else reply('"a"')

    async with running_shard(answer) as a, running_shard(says("b")) as b:
        gateway = await start_gateway(config(a.url, b.url, guards={"hedge_percent": 100}))
        for _ in range(60):
            assert (await gateway.get("/vendors/1")).status_code == 200
        hangs.set()

        async def is_left_out() -> bool:
            assert (await gateway.get("/vendors/1")).text == '"b"'
            return gateway.worker.built.cluster._pools["north"].group.replicas[0].health.until_s is not None

        await until(is_left_out)
        asked = len(a.asked)
        for _ in range(20):
            await gateway.get("/vendors/1")
        assert len(a.asked) == asked, "it is left out"


async def test_changes_go_to_replicas_that_take_them_and_their_client_reads_there(start_gateway: Any) -> None:
    async with running_shard(says("leader")) as leader, running_shard(says("follower")) as follower:
        gateway = await start_gateway(config(leader.url, {"url": follower.url, "write": False, "weight": 1000}))
        assert (await gateway.get("/vendors/1")).text == '"follower"'
        mine = {"Authorization": "Bearer mine"}
        assert (await gateway.client.post("/vendors/1", headers=mine)).text == '"leader"'
        assert (await gateway.get("/vendors/1", headers=mine)).text == '"leader"'
        assert (await gateway.get("/vendors/1")).text == '"follower"'


async def test_a_replica_that_is_not_ready_gets_no_calls(start_gateway: Any) -> None:
    ready = asyncio.Event()

    def answer(asked: Asked) -> bytes:
        if "/readyz" in asked.line:
            return reply(status="200 OK" if ready.is_set() else "503 Service Unavailable")
        return reply('"a"')

    checks = {"path": "/readyz", "interval_s": 0.1, "fall": 1, "rise": 1}
    async with running_shard(answer) as a, running_shard(says("b")) as b:
        gateway = await start_gateway(config(a.url, b.url, health=checks, guards={"slow_start_s": 0}))

        async def who() -> set[str]:
            return {(await gateway.get("/vendors/1")).text for _ in range(10)}

        async def only_b() -> bool:
            return await who() == {'"b"'}

        async def both() -> bool:
            return await who() == {'"a"', '"b"'}

        await until(only_b)
        ready.set()
        await until(both)


async def test_a_shard_with_one_address_is_checked(start_gateway: Any, caplog: Any) -> None:
    # Found: `health` of a shard with one `url` was read, and nobody was ever asked.
    ready = asyncio.Event()

    def answer(asked: Asked) -> bytes:
        if "/readyz" in asked.line:
            return reply(status="200 OK" if ready.is_set() else "503 Service Unavailable")
        return reply('"a"')

    checks = {"path": "/readyz", "interval_s": 0.1, "fall": 1, "rise": 1}
    async with running_shard(answer) as a:
        north = {"url": a.url, "health": checks}
        gateway = await start_gateway({"shards": {"north": north}, **RULES})
        await until(lambda: "is unwell, and is asked all the same" in caplog.text)
        assert (await gateway.get("/vendors/1")).text == '"a"'
        ready.set()
        await until(lambda: "is well" in caplog.text)


async def test_requests_wait_for_the_only_instance_of_a_shard_to_be_ready(start_gateway: Any, caplog: Any) -> None:
    ready = asyncio.Event()

    def answer(asked: Asked) -> bytes:
        if "/readyz" in asked.line:
            return reply(status="200 OK" if ready.is_set() else "503 Service Unavailable")
        assert ready.is_set(), "it was asked before it was ready"
        return reply('"a"')

    checks = {"path": "/readyz", "interval_s": 0.1, "fall": 1, "rise": 1}
    async with running_shard(answer) as a:
        north = {"url": a.url, "health": checks, "guards": {"panic_percent": 0}}
        gateway = await start_gateway({"shards": {"north": north}, **RULES})
        await until(lambda: bool(a.asked))

        async def is_refused() -> bool:
            answers = [await gateway.get("/vendors/1"), await gateway.client.post("/vendors/1")]
            return [(each.status_code, each.json()["code"], each.headers["retry-after"]) for each in answers] == [
                (503, "SG2001", "1")
            ] * 2

        await until(is_refused)
        assert (await gateway.get("/items")).status_code == 503
        waits = await start_gateway(
            {"shards": {"north": {**north, "failover": {"wait_s": 5}}}, **RULES},
        )
        waiting = [asyncio.ensure_future(each) for each in (waits.get("/vendors/1"), waits.client.post("/vendors/1"))]
        await until(lambda: waits.in_flight == 2 and "requests for it wait" in caplog.text)
        assert not any(each.done() for each in waiting)
        ready.set()
        assert [(await each).text for each in waiting] == ['"a"'] * 2


async def test_operators_see_what_became_of_a_replica(start_gateway: Any, caplog: Any) -> None:
    async with running_shard(says("b")) as b:
        dead = "http://127.0.0.1:1"
        gateway = await start_gateway({**config(dead, b.url), "admin": "127.0.0.1:0"})
        for _ in range(20):
            assert (await gateway.get("/vendors/1")).status_code == 200
        gateway.tick()
        metrics = (await gateway.admin("/metrics")).text
    assert 'shardgate_replicas_left_out_total{shard="north"} 1' in metrics
    assert 'shardgate_upstream_retries_total{shard="north"} 5' in metrics
    assert "replica 127.0.0.1:1 of shard north is left out for 5 s: connection refused" in caplog.text


async def test_where_all_replicas_are_down_the_shard_is(start_gateway: Any) -> None:
    gateway = await start_gateway(config("http://127.0.0.1:1", "http://127.0.0.1:2"))
    answer = await gateway.get("/vendors/1")
    assert (answer.status_code, answer.json()["code"]) == (503, "SG2001")
