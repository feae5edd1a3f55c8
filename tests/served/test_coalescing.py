"""Equal reads under way share one gather; what is one client's never does."""

import asyncio
from typing import Any

import pytest

from tests.cluster import Asked, reply, rows
from tests.waiting import until

LIST = {"kind": "list", "dialect": {"kind": "offset"}, "keys": {"id": "number"}}


class Slow:
    """A shard that answers when the test lets it."""

    def __init__(self, fields: str = "") -> None:
        self.go = asyncio.Event()
        self.fields = fields
        self.asked = 0

    async def __call__(self, asked: Asked) -> bytes:
        if asked.line.startswith("PUT"):
            return reply("{}")
        self.asked += 1
        number = self.asked
        await self.go.wait()
        return rows({"id": number}, fields=self.fields)


@pytest.fixture
def start(start_shard: Any, start_gateway: Any) -> Any:
    async def started(slow: Slow, **rule: Any) -> Any:
        shards = {"north": (await start_shard(slow)).url, "south": (await start_shard(lambda _: rows())).url}
        rules = {"GET /rows": {"rule": "gather", "merge": LIST, "coalesce": True, **rule}, "PUT /rows": {"rule": "any"}}
        return await start_gateway({"shards": shards, "rules": rules, "admin": "127.0.0.1:0"})

    return started


async def both(gateway: Any, slow: Slow, first: dict[str, str], second: dict[str, str], calls: int) -> list[Any]:
    """Two requests, of which the second comes while the first is under way."""
    asking = [asyncio.ensure_future(gateway.get("/rows", headers=first))]
    await until(lambda: slow.asked == 1)
    asking.append(asyncio.ensure_future(gateway.get("/rows", headers=second)))
    await until(lambda: gateway.in_flight == 2 and slow.asked == calls)
    slow.go.set()
    return [answer.json() for answer in await asyncio.gather(*asking)]


async def test_equal_requests_share_one_reply(start: Any) -> None:
    slow = Slow('ETag: "1"\r\n')
    gateway = await start(slow)
    same = {"Authorization": "Bearer a", "Cookie": "s=1"}
    assert await both(gateway, slow, same, same, 1) == [[{"id": 1}]] * 2
    gateway.tick()
    assert "shardgate_coalesced_requests_total 1" in (await gateway.admin("/metrics")).text
    assert (await gateway.get("/rows")).json() == [{"id": 2}], "nothing is kept"


@pytest.mark.parametrize(
    "other",
    [
        {"Authorization": "Bearer b"},
        {"Authorization": "Bearer a", "Cookie": "s=2"},
        {"Authorization": "Bearer a", "Accept-Language": "pt"},
        {"Authorization": "Bearer a", "If-None-Match": '"x"'},
        {"Authorization": "Bearer a", "X-Anything": "1"},
        {},
    ],
)
async def test_any_other_header_is_another_request(start: Any, other: dict[str, str]) -> None:
    slow = Slow()
    gateway = await start(slow)
    assert await both(gateway, slow, {"Authorization": "Bearer a"}, other, 2) == [[{"id": 1}], [{"id": 2}]]


@pytest.mark.parametrize("fields", ["Set-Cookie: s=1\r\n", "Cache-Control: private\r\n", "Cache-Control: no-store\r\n"])
async def test_what_is_one_clients_goes_to_the_first_alone(start: Any, fields: str) -> None:
    slow = Slow(fields)
    gateway = await start(slow, cookies="first")
    assert await both(gateway, slow, {}, {}, 1) == [[{"id": 1}], [{"id": 2}]]


async def test_the_first_client_may_leave(start: Any) -> None:
    from tests.cluster import leave

    slow = Slow()
    gateway = await start(slow)
    _, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(b"GET /rows HTTP/1.1\r\nHost: a\r\n\r\n")
    await until(lambda: slow.asked == 1)
    reader, second = await asyncio.open_connection("127.0.0.1", gateway.port)
    second.write(b"GET /rows HTTP/1.1\r\nHost: a\r\n\r\n")
    await until(lambda: gateway.in_flight == 2)
    leave(writer)
    await until(lambda: gateway.in_flight == 1)
    slow.go.set()
    await reader.readuntil(b"\r\n\r\n")
    assert await reader.readexactly(10) == b'[{"id":1}]'
    assert slow.asked == 1
    second.close()


async def test_a_failure_is_shared_and_where_all_leave_nothing_goes_on(start: Any) -> None:
    from tests.cluster import leave

    slow = Slow()
    gateway = await start(slow)
    _, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(b"GET /rows HTTP/1.1\r\nHost: a\r\n\r\n")
    await until(lambda: slow.asked == 1)
    leave(writer)
    await until(lambda: gateway.in_flight == 0)
    slow.go.set()
    assert (await gateway.get("/rows", headers={"Host": "a"})).json() == [{"id": 2}]


async def test_what_is_asked_for_by_post_is_shared_where_bodies_are_equal(start_shard: Any, start_gateway: Any) -> None:
    go = asyncio.Event()
    asked = []

    async def answer(request: Asked) -> bytes:
        asked.append(request)
        number = len(asked)
        await go.wait()
        return reply(f'{{"n": {number}}}')

    report = {"kind": "numbers", "sum": ["n"]}
    rule = {"rule": "gather", "merge": report, "by_post": {**report, "posted": True}, "coalesce": True}
    shards = {"north": (await start_shard(answer)).url}
    gateway = await start_gateway({"shards": shards, "rules": {"GET /n": rule}, "method_override_member": "_method"})

    def ask(name: str) -> Any:
        return asyncio.ensure_future(gateway.client.post("/n", json={"_method": "GET", "of": name}))

    asking = [ask("a")]
    await until(lambda: len(asked) == 1)
    asking += [ask("b"), ask("a")]
    await until(lambda: gateway.in_flight == 3 and len(asked) == 2)
    go.set()
    assert [(await each).json() for each in asking] == [{"n": 1}, {"n": 2}, {"n": 1}]


async def test_who_comes_after_a_change_gets_no_list_that_was_asked_for_before_it(start: Any) -> None:
    slow = Slow()
    gateway = await start(slow)
    old = asyncio.ensure_future(gateway.get("/rows"))
    await until(lambda: slow.asked == 1)
    await gateway.client.put("/rows", json={})
    new = asyncio.ensure_future(gateway.get("/rows"))
    await until(lambda: slow.asked == 2)
    slow.go.set()
    assert [(await each).json() for each in (old, new)] == [[{"id": 1}], [{"id": 2}]]
