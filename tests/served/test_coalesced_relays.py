"""Equal reads of one key under way share one relay; what is one client's never does, and nobody waits for another."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from shardgate.engine.behind import BehindError
from tests.cluster import Asked, leave, no_answer, reply, running_shard
from tests.waiting import until

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
PIECE = b"x" * 65_536


class Slow:
    """A shard that answers when the test lets it."""

    def __init__(self, fields: str = "", body: str = "") -> None:
        self.go = asyncio.Event()
        self.fields = fields
        self.body = body
        self.asked: list[Asked] = []

    async def __call__(self, asked: Asked) -> bytes:
        self.asked.append(asked)
        number = len(self.asked)
        await self.go.wait()
        return reply(self.body or f"{number}", fields=self.fields)


@pytest.fixture
def start(start_shard: Any, start_gateway: Any) -> Any:
    async def started(slow: Any, **more: Any) -> Any:
        one = {"rule": "one", "key": "path.id", "locate": "vendor", "coalesce": True}
        rules = {
            "GET /things/{id}": one,
            "PUT /things/{id}": {**one, "coalesce": False},
            "GET /about": {"rule": "any", "coalesce": True},
            **more.pop("rules", {}),
        }
        locators = {"vendor": [{"kind": "hash"}]}
        config = {"shards": {"north": (await start_shard(slow)).url}, "rules": rules, "locators": locators}
        return await start_gateway({**config, "admin": "127.0.0.1:0", **more})

    return started


async def together(
    gateway: Any, slow: Slow, *headers: dict[str, str], calls: int, path: str = "/things/1"
) -> list[Any]:
    """Requests that come while the first is under way; its shard is asked so often before it answers."""
    asking = [asyncio.ensure_future(gateway.get(path, headers=headers[0]))]
    await until(lambda: len(slow.asked) == 1)
    asking += [asyncio.ensure_future(gateway.get(path, headers=each)) for each in headers[1:]]
    await until(lambda: gateway.in_flight == len(headers) and len(slow.asked) == calls)
    slow.go.set()
    return [*await asyncio.gather(*asking)]


@pytest.mark.parametrize("path", ["/things/1", "/about"])
async def test_equal_requests_share_one_relay(start: Any, path: str) -> None:
    slow = Slow()
    gateway = await start(slow)
    same = {"Authorization": "Bearer a", "Cookie": "s=1"}
    answers = await together(gateway, slow, same, same, same, calls=1, path=path)
    assert [answer.text for answer in answers] == ["1", "1", "1"]
    gateway.tick()
    assert "shardgate_coalesced_requests_total 2" in (await gateway.admin("/metrics")).text
    assert (await gateway.get(path, headers=same)).text == "2", "nothing is kept"
    await until(lambda: gateway.in_flight == 0)


async def test_each_that_waits_is_under_way_at_the_shard(start: Any) -> None:
    """A movement of a tenant waits for them."""
    slow = Slow()
    gateway = await start(slow)
    asking = [asyncio.ensure_future(gateway.get("/things/1")) for _ in range(2)]
    await until(lambda: gateway.in_flight == 2 and len(slow.asked) == 1)
    assert len(gateway.worker.built.gateway.under_way(lambda each: [*each.shards] == ["north"])) == 2
    slow.go.set()
    assert [answer.text for answer in await asyncio.gather(*asking)] == ["1", "1"]


@pytest.mark.parametrize(
    "other",
    [
        {"Authorization": "Bearer b"},
        {"Authorization": "Bearer a", "Cookie": "s=2"},
        {"Authorization": "Bearer a", "X-Anything": "1"},
        {"Authorization": "Bearer a", "Range": "bytes=0-0"},
        {"Authorization": "Bearer a", "Host": "other"},
        {},
    ],
)
async def test_any_other_header_is_another_request(start: Any, other: dict[str, str]) -> None:
    slow = Slow()
    gateway = await start(slow)
    answers = await together(gateway, slow, {"Authorization": "Bearer a"}, other, calls=2)
    assert [answer.text for answer in answers] == ["1", "2"]


@pytest.mark.parametrize("fields", ["Set-Cookie: s=1\r\n", "Cache-Control: private\r\n", "Cache-Control: no-store\r\n"])
@pytest.mark.parametrize("body", ["", "x" * 300_000])
async def test_what_is_one_clients_goes_to_the_first_alone(start: Any, fields: str, body: str) -> None:
    slow = Slow(fields, body)
    gateway = await start(slow)
    answers = await together(gateway, slow, {}, {}, {}, calls=1)
    assert [len(answer.text) for answer in answers] == [len(body) or 1] * 3
    assert len(slow.asked) == 3
    await until(lambda: gateway.in_flight == 0)


async def test_a_failure_is_told_to_each_with_its_own_id(start_gateway: Any) -> None:
    async with running_shard(no_answer) as shard:
        rules = {"GET /about": {"rule": "any", "coalesce": True}}
        config = {"shards": {"n": shard.url}, "rules": rules, "timeouts": {"request_timeout_s": 0.5}}
        gateway = await start_gateway(config)
        headers = [{"X-Request-Id": f"request-{number}"} for number in range(3)]
        answers = await asyncio.gather(*(gateway.get("/about", headers=each) for each in headers))
        assert len(shard.asked) == 1
    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(504, "SG2003")}
    assert [answer.json()["request_id"] for answer in answers] == ["request-0", "request-1", "request-2"]


class Raw:
    """A client that reads when the test lets it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def body(self) -> bytes:
        try:
            await self.reader.readuntil(b"\r\n\r\n")
            return await self.reader.read()
        finally:
            self.writer.close()

    async def leaves(self) -> None:
        leave(self.writer)
        with suppress(ConnectionError):
            await self.writer.wait_closed()


async def client(gateway: Any, path: str = "/things/1") -> Raw:
    raw = Raw(*await asyncio.open_connection("127.0.0.1", gateway.port, limit=1024))
    raw.writer.write(f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
    return raw


async def test_the_first_client_may_leave_and_the_last_one_ends_the_relay(start: Any) -> None:
    slow = Slow()
    gateway = await start(slow)
    first = await client(gateway)
    await until(lambda: len(slow.asked) == 1)
    second = await client(gateway)
    await until(lambda: gateway.in_flight == 2)
    await first.leaves()
    await until(lambda: gateway.in_flight == 1)
    slow.go.set()
    assert await second.body() == b"1"
    assert len(slow.asked) == 1
    slow.go.clear()
    third, fourth = await client(gateway), await client(gateway)
    await until(lambda: gateway.in_flight == 2)
    await third.leaves()
    await fourth.leaves()
    await until(lambda: gateway.in_flight == 0)
    await until(lambda: all(figures[1] == figures[2] for figures in gateway.worker.built.cluster.pools()))
    slow.go.set()


async def test_where_the_first_client_has_left_the_others_ask_for_what_is_its_own(start: Any) -> None:
    slow = Slow("Cache-Control: private\r\n", "y" * 300_000)
    gateway = await start(slow)
    first = await client(gateway)
    await until(lambda: len(slow.asked) == 1)
    second = await client(gateway)
    await until(lambda: gateway.in_flight == 2)
    await first.leaves()
    await until(lambda: gateway.in_flight == 1)
    slow.go.set()
    assert await second.body() == b"y" * 300_000
    assert len(slow.asked) == 2


async def test_a_client_that_does_not_read_holds_up_nobody(start: Any, start_gateway: Any) -> None:
    slow = Slow(body="z" * 8_000_000)
    gateway = await start(slow)
    lazy = await client(gateway)
    await until(lambda: len(slow.asked) == 1)
    keen = await client(gateway)
    await until(lambda: gateway.in_flight == 2)
    slow.go.set()
    assert await keen.body() == b"z" * 8_000_000
    assert gateway.in_flight == 1
    held = gateway.worker.built.settings.held
    assert held.bytes > 1_000_000, "it waits for the other"
    assert await lazy.body() == b"z" * 8_000_000
    await until(lambda: gateway.in_flight == 0 and held.bytes == 0)


async def test_what_waits_for_a_client_has_a_bound(start: Any) -> None:
    slow = Slow(body="z" * 16_000_000)
    gateway = await start(
        slow, limits={"held_bytes_max": 8_388_608, "reply_body_bytes_max": 1_048_576, "merge_bytes_max": 2_097_152}
    )
    lazy = await client(gateway)
    await until(lambda: len(slow.asked) == 1)
    keen = await client(gateway)
    await until(lambda: gateway.in_flight == 2)
    slow.go.set()
    assert await keen.body() == b"z" * 16_000_000
    assert len(await lazy.body()) < 16_000_000
    await until(lambda: gateway.in_flight == 0)


async def test_a_reply_that_breaks_off_breaks_off_for_all(start: Any) -> None:
    go = asyncio.Event()
    asked = []

    async def answer(request: Asked) -> bytes:
        asked.append(request)
        await go.wait()
        return HEAD + b"Content-Length: 300000\r\n\r\n" + PIECE + b"Connection: close"

    def breaking(request: Asked) -> Any:
        return answer(request)

    gateway = await start(breaking, timeouts={"reply_idle_timeout_s": 0.5})
    first = await client(gateway)
    await until(lambda: len(asked) == 1)
    second = await client(gateway)
    await until(lambda: gateway.in_flight == 2)
    go.set()
    for each in (first, second):
        with pytest.raises((ConnectionError, AssertionError)):
            assert len(await each.body()) == 300_000
    await until(lambda: gateway.in_flight == 0)


async def test_with_a_cache_one_is_asked_and_all_are_kept_for(start: Any, start_shard: Any, start_gateway: Any) -> None:
    slow = Slow("Cache-Control: public, max-age=60\r\n")
    rules = {"GET /about": {"rule": "any", "coalesce": True, "cache": True}}
    gateway = await start_gateway({"shards": {"n": (await start_shard(slow)).url}, "rules": rules})
    answers = await together(gateway, slow, {}, {}, calls=1, path="/about")
    assert [answer.text for answer in answers] == ["1", "1"]
    assert (await gateway.get("/about")).headers["cache-status"].startswith("shardgate; hit")


@pytest.mark.parametrize("cache", [False, True])
async def test_who_comes_after_a_change_gets_no_reply_that_was_asked_for_before_it(start: Any, cache: bool) -> None:
    go = asyncio.Event()
    asked = []

    async def answer(request: Asked) -> bytes:
        asked.append(request.line)
        number = len(asked)
        if number == 1:
            await go.wait()
        return reply(f"{number}", fields="Cache-Control: public, max-age=60\r\n")

    one = {"rule": "one", "key": "path.id", "locate": "vendor", "coalesce": True, "cache": cache}
    gateway = await start(answer, rules={"GET /things/{id}": one})
    old = asyncio.ensure_future(gateway.get("/things/1"))
    await until(lambda: len(asked) == 1)
    await gateway.client.put("/things/1", json={})
    new = asyncio.ensure_future(gateway.get("/things/1"))
    await until(lambda: len(asked) == 3)
    go.set()
    assert [(await each).text for each in (old, new)] == ["1", "3"]
    assert (await gateway.get("/things/1")).text == ("3" if cache else "4")


async def test_a_request_that_begins_anew_waits_for_a_directory_that_is_behind(start: Any) -> None:
    class Directory:
        is_fresh = False
        looks = 0

        def refresh(self) -> bool:
            if not self.is_fresh:
                raise BehindError
            return False

        async def catch_up(self) -> None:
            self.looks += 1

    slow, directory = Slow("Cache-Control: private\r\n"), Directory()
    rules = {"GET /made/{id}": {"rule": "one", "key": "path.id", "locate": "made", "coalesce": True}}
    gateway = await start(slow, rules=rules, locators={"vendor": [{"kind": "hash"}], "made": [{"kind": "learned"}]})
    handler = gateway.worker.built.gateway
    handler.directory, handler._refresh = directory, directory.refresh
    answers = await together(gateway, slow, {}, {}, calls=1, path="/made/1")
    assert [(answer.status_code, answer.text) for answer in answers] == [(200, "1"), (200, "2")]
    assert directory.looks == 3, "once for each, and once for the one that began anew"
