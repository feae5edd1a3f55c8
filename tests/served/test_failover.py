"""Requests for one key wait while their shard cannot be reached, bounded in time and number, in their order."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cluster import Asked, Gateway, Shard, leave, reply, running_gateway, running_shard
from tests.net.screenplay import Clock
from tests.waiting import one_turn, until

RULES = {
    "locators": {"v": [{"kind": "prefix", "shards": {"n": "north", "s": "south"}}]},
    "rules": {
        "GET /v/{id}": {"rule": "one", "key": "path.id", "locate": "v"},
        "POST /v/{id}": {"rule": "one", "key": "path.id", "locate": "v"},
        "GET /once/{id}": {"rule": "one", "key": "path.id", "locate": "v", "retry": "unsent"},
        "GET /any": {"rule": "any"},
        "GET /all": {"rule": "gather", "merge": {"kind": "union"}},
    },
}


class Two:
    """North waits for its failover, south does not; a test kills north and starts it again at its port."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self.stack = stack
        self.clock = Clock()
        self.done: list[str] = []
        self.cuts = 0
        self.ends = self.breaks_off = False
        self.held: asyncio.Event | None = None
        self.north: Shard
        self.south: Shard
        self.gateway: Gateway

    async def does(self, asked: Asked) -> bytes:
        if self.held is not None:
            await self.held.wait()
        if self.breaks_off:
            self.north.refuse()
            return b"HTTP/1.1 200 OK\r\nConnection: close\r\n"
        if self.ends:
            self.north.kill()
        if self.cuts > 0 or self.ends:
            self.cuts -= 1
            return b""
        self.done.append(f"{asked.line.split(' HTTP')[0]} {asked.body.decode()}".strip())
        return reply('["done"]')

    async def back(self) -> None:
        self.north = await self.stack.enter_async_context(running_shard(self.does, port=self.north.port))

    async def passes(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.25)):
            self.clock.at += 0.25
            self.gateway.worker.watch.look()
            for _ in range(20):
                await one_turn()

    @property
    def waiting(self) -> int:
        return len(self.gateway.worker.built.cluster.failovers["north"]._waiting)

    def ask(self, n: int) -> "asyncio.Future[httpx.Response]":
        return asyncio.ensure_future(self.gateway.client.post(f"/v/n-{n}", content=f'"{n}"'))


@pytest.fixture
def start(stack: AsyncExitStack, tmp_path: Path) -> Any:
    async def started(failover: Any, **more: Any) -> Two:
        two = Two(stack)
        two.north = await stack.enter_async_context(running_shard(two.does))
        two.south = await stack.enter_async_context(running_shard(lambda _: reply('["south"]')))
        shards = {"north": {"url": two.north.url, "failover": failover}, "south": two.south.url}
        config = {"shards": shards, "admin": "127.0.0.1:0", **RULES, **more}
        two.gateway = await stack.enter_async_context(running_gateway(config, tmp_path, clock=two.clock))
        return two

    return started


async def test_changes_and_reads_wait_and_are_sent_in_their_order(start: Any, caplog: Any) -> None:
    two = await start({"wait_s": 5})
    two.north.kill()
    asking = []
    for n in range(5):
        asking.append(two.ask(n))
        await until(lambda n=n: two.waiting == n + 1)  # type: ignore[misc]
    reading = asyncio.ensure_future(two.gateway.get("/v/n-9"))
    await until(lambda: two.waiting == 6)
    await two.passes(2)
    assert not any(each.done() for each in (*asking, reading))
    await two.back()
    await two.passes(1)
    assert [answer.status_code for answer in await asyncio.gather(*asking, reading)] == [200] * 6
    assert two.done == [*[f'POST /v/n-{n} "{n}"' for n in range(5)], "GET /v/n-9"]
    assert [text for text in caplog.messages if "requests for it wait" in text]
    assert [text for text in caplog.messages if "is back: 5 more" in text]
    two.gateway.tick()
    metrics = (await two.gateway.admin("/metrics")).text
    assert 'shardgate_failover_waiting{shard="north"} 0' in metrics
    assert 'shardgate_failover_waits_total{shard="south"} 0' in metrics


async def test_what_has_waited_long_enough_is_told_so(start: Any) -> None:
    two = await start({"wait_s": 3})
    two.north.kill()
    asking = two.ask(1)
    await until(lambda: two.waiting == 1)
    await two.passes(2)
    assert not asking.done()
    for _ in range(10):
        await two.passes(0.25)
    answer = await asking
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "SG2001", "1")
    await two.back()
    assert two.done == [], "nothing was sent"
    assert (await two.gateway.client.post("/v/n-2", content="2")).status_code == 200


async def test_one_more_than_may_wait_is_refused_at_once(start: Any) -> None:
    two = await start({"wait_s": 5, "waiting_max": 2})
    two.north.kill()
    asking = [two.ask(n) for n in range(2)]
    await until(lambda: two.waiting == 2)
    answer = await two.ask(3)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    two.gateway.tick()
    assert 'shardgate_budget_refusals_total{budget="shard_failover"} 1' in (await two.gateway.admin("/metrics")).text
    await two.back()
    await two.passes(1)
    assert [each.status_code for each in await asyncio.gather(*asking)] == [200, 200]


async def test_a_client_that_leaves_takes_its_request_with_it(start: Any) -> None:
    two = await start({"wait_s": 5})
    two.north.kill()
    _, writer = await asyncio.open_connection("127.0.0.1", two.gateway.port)
    writer.write(b'POST /v/n-1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n"1"')
    await until(lambda: two.waiting == 1)
    staying = two.ask(2)
    await until(lambda: two.waiting == 2)
    leave(writer)
    await until(lambda: two.waiting == 1)
    await two.back()
    await two.passes(1)
    assert (await staying).status_code == 200
    assert two.done == ['POST /v/n-2 "2"']


async def test_lists_any_and_other_shards_do_not_wait(start: Any) -> None:
    two = await start({"wait_s": 5})
    two.north.kill()
    assert (await two.gateway.get("/all")).status_code == 503
    assert [(await two.gateway.get("/any")).text for _ in range(4)] == ['["south"]'] * 4
    assert (await two.gateway.get("/v/s-1")).status_code == 200
    two.south.kill()
    assert (await two.gateway.get("/v/s-1")).status_code == 503
    assert two.waiting == 0


async def test_a_change_that_was_sent_does_not_wait(start: Any) -> None:
    two = await start({"wait_s": 5})
    two.north.kill()
    two.north = await two.stack.enter_async_context(running_shard(lambda _: b"", port=two.north.port))
    answer = await two.ask(1)
    assert (answer.status_code, answer.json()["code"]) == (502, "SG2008")
    assert len(two.north.asked) == 1


async def test_a_read_that_was_sent_when_its_shard_ended_waits(start: Any) -> None:
    """Found by `make chaos`: of the reads under way when both replicas were killed, one was a 502."""
    two = await start({"wait_s": 5})
    two.ends = True
    reading = asyncio.ensure_future(two.gateway.get("/v/n-1"))
    await until(lambda: two.waiting == 1)
    two.ends = False
    await two.passes(1)
    assert not reading.done()
    await two.back()
    await two.passes(1)
    assert (await reading).json() == ["done"]


async def test_a_read_whose_head_broke_off_when_its_shard_ended_waits(start: Any) -> None:
    """Found by `make chaos`: it was a 502, though nothing of the reply had passed on."""
    two = await start({"wait_s": 5})
    two.breaks_off = True
    reading = asyncio.ensure_future(two.gateway.get("/v/n-1"))
    await until(lambda: two.waiting == 1 or reading.done())
    two.breaks_off = False
    await two.back()
    await two.passes(1)
    assert (await reading).json() == ["done"]


async def test_a_read_that_was_cut_is_sent_once_more_at_once_and_does_not_wait(start: Any) -> None:
    two = await start({"wait_s": 5})
    two.cuts = 2
    answer = await asyncio.wait_for(two.gateway.get("/v/n-1"), 5)
    assert (answer.status_code, answer.json()["code"]) == (502, "SG2002"), "a shard that is there is asked twice"
    assert len(two.north.asked) == 2
    two.cuts = 1
    assert (await asyncio.wait_for(two.gateway.get("/v/n-2"), 5)).json() == ["done"]
    assert len(two.north.asked) == 4
    assert two.waiting == 0


async def test_a_read_that_was_cut_stands_behind_those_that_wait(start: Any) -> None:
    two = await start({"wait_s": 5})
    two.held = asyncio.Event()
    reading = asyncio.ensure_future(two.gateway.get("/v/n-1"))
    await until(lambda: len(two.north.asked) == 1)
    two.clock.at += 0.01
    two.north.refuse()
    waiting = two.ask(2)
    await until(lambda: two.waiting == 1)
    two.north.kill()
    await until(lambda: two.waiting == 2)
    two.held = None
    await two.back()
    await two.passes(1)
    assert [answer.status_code for answer in await asyncio.gather(reading, waiting)] == [200, 200]
    assert two.done == ["GET /v/n-1", 'POST /v/n-2 "2"'], "in the order in which they came"


async def test_a_read_that_may_be_sent_once_does_not_wait_when_its_connection_is_cut(start: Any) -> None:
    two = await start({"wait_s": 5})
    two.cuts = 1
    answer = await asyncio.wait_for(two.gateway.get("/once/n-1"), 5)
    assert (answer.status_code, answer.json()["code"]) == (502, "SG2002")
    assert len(two.north.asked) == 1
    two.north.kill()
    reading = asyncio.ensure_future(two.gateway.get("/once/n-1"))
    await until(lambda: two.waiting == 1)
    await two.back()
    await two.passes(1)
    assert (await reading).json() == ["done"], "what was not sent waits in any case"


async def test_a_change_with_an_idempotency_key_waits_and_is_made_once(start: Any) -> None:
    two = await start({"wait_s": 5}, store="store.db")
    two.north.kill()
    key = {"Idempotency-Key": "abc"}
    asking = asyncio.ensure_future(two.gateway.client.post("/v/n-1", content="1", headers=key))
    await until(lambda: two.waiting == 1)
    await two.passes(1)
    await two.back()
    await two.passes(1)
    assert (await asking).status_code == 200
    assert (await two.gateway.client.post("/v/n-1", content="1", headers=key)).status_code == 200
    assert two.done == ["POST /v/n-1 1"]
