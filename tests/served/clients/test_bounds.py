"""What one client may take up, over real connections; each client has an address of its own on loopback."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from tests.clients.issuer import Issuer, jwks
from tests.cluster import Asked, Gateway, no_answer, reply
from tests.net.screenplay import Clock
from tests.observe.metrics import Metrics
from tests.waiting import one_turn, until

GET = b"GET /items/1 HTTP/1.1\r\nHost: a\r\n\r\n"
SLOW = b"PUT /items/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nx"


def bounded(*urls: str, **more: Any) -> dict[str, Any]:
    """A gateway before these shards; `bounds` are those of each client."""
    bounds = {"bounds": more.pop("bounds", {})}
    return {
        "shards": {f"s{number}": url for number, url in enumerate(urls)},
        "locators": {"item": [{"kind": "hash"}]},
        "rules": {
            "GET /items/{id}": {"rule": "one", "key": "path.id", "locate": "item"},
            "PUT /items/{id}": {"rule": "one", "key": "path.id", "locate": "item"},
        },
        "clients": bounds | more.pop("clients", {}),
        **more,
    }


class Caller:
    """A client at 127.0.0.N. It leaves with its test."""

    def __init__(self, port: int, number: int) -> None:
        self.port, self.address = port, f"127.0.0.{number}"
        self.writers: list[asyncio.StreamWriter] = []

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, local_addr=(self.address, 0))
        self.writers.append(writer)
        return reader, writer

    async def sends(self, data: bytes) -> asyncio.StreamReader:
        """Send something on a new connection."""
        reader, writer = await self.connect()
        writer.write(data)
        return reader

    async def asks(self, data: bytes = GET) -> bytes:
        return await head_of(await self.sends(data))

    def leaves(self) -> None:
        for writer in self.writers:
            writer.close()
        self.writers = []


@pytest.fixture
async def at() -> AsyncIterator[Callable[[Gateway, int], Caller]]:
    """A client: `at(gateway, 2)`."""
    callers: list[Caller] = []

    def caller(gateway: Gateway, number: int) -> Caller:
        callers.append(Caller(gateway.port, number))
        return callers[-1]

    yield caller
    for each in callers:
        each.leaves()
    await one_turn()


async def head_of(reader: asyncio.StreamReader) -> bytes:
    return await reader.readuntil(b"\r\n\r\n")


def is_refused(head: bytes) -> bool:
    return head.startswith(b"HTTP/1.1 429 ") and b"\r\nRetry-After: " in head


async def test_a_client_with_all_its_requests_under_way_is_refused_and_others_are_served(
    start_gateway: Any, start_shard: Any, at: Any
) -> None:
    async def answer(asked: Asked) -> bytes:
        return await no_answer(asked) if b"/items/1 " in asked.head else reply("ok")

    shard = await start_shard(answer)
    gateway = await start_gateway(bounded(shard.url, bounds={"requests_max": 3}, admin="127.0.0.1:0"))
    greedy, other = at(gateway, 2), at(gateway, 3)
    for _ in range(3):
        await greedy.sends(GET)
    await until(lambda: gateway.in_flight == 3)
    assert is_refused(await greedy.asks())
    assert (await other.asks(GET.replace(b"/1 ", b"/2 "))).startswith(b"HTTP/1.1 200 ")
    gateway.tick()
    read = Metrics((await gateway.admin("/metrics")).text)
    assert read.value("shardgate_budget_refusals_total", budget="client_requests") == 1
    greedy.leaves()
    await until(lambda: gateway.in_flight == 0)
    assert (await at(gateway, 2).asks(GET.replace(b"/1 ", b"/2 "))).startswith(b"HTTP/1.1 200 ")


async def test_a_connection_too_many_is_told_so_and_closed(start_gateway: Any, start_shard: Any, at: Any) -> None:
    shard = await start_shard()
    gateway = await start_gateway(bounded(shard.url, bounds={"connections_max": 2}))
    greedy = at(gateway, 2)
    for _ in range(2):
        assert (await greedy.asks()).startswith(b"HTTP/1.1 200 ")
    reader = await greedy.sends(GET)
    said = await reader.read(-1)
    assert is_refused(said)
    assert b"SG1027" in said
    assert (await at(gateway, 3).asks()).startswith(b"HTTP/1.1 200 ")
    assert len(shard.asked) == 3


async def test_uploads_too_many_are_refused_also_short_ones_that_drip(
    start_gateway: Any, start_shard: Any, at: Any
) -> None:
    shard = await start_shard()
    gateway = await start_gateway(bounded(shard.url, bounds={"uploads_max": 2}))
    greedy, other = at(gateway, 2), at(gateway, 3)
    readers = [await greedy.sends(SLOW) for _ in range(2)]
    await until(lambda: gateway.connections >= 2)
    assert is_refused(await greedy.asks(SLOW))
    assert (await greedy.asks()).startswith(b"HTTP/1.1 200 ")
    await other.sends(SLOW)
    greedy.writers[0].write(b"x" * 99)
    assert (await head_of(readers[0])).startswith(b"HTTP/1.1 200 ")
    await greedy.sends(SLOW)


async def test_after_a_refusal_the_connection_is_read_again_when_the_time_has_passed(
    start_gateway: Any, start_shard: Any, at: Any
) -> None:
    shard, clock = await start_shard(), Clock()
    gateway = await start_gateway(bounded(shard.url, bounds={"rate_per_s": 0.5, "burst": 2}), clock=clock)
    greedy = at(gateway, 2)
    reader = await greedy.sends(GET * 4)
    answers = []
    for _ in range(3):
        answers.append(await head_of(reader))
        await reader.readexactly(int(answers[-1].partition(b"Content-Length: ")[2].split(b"\r")[0]))
    assert [answer.split(b" ")[1] for answer in answers] == [b"200", b"200", b"429"]
    assert b"\r\nRetry-After: 2\r\n" in answers[-1]
    assert not is_refused(await at(gateway, 3).asks())
    assert len(shard.asked) == 3
    clock.at += 2.1
    assert (await head_of(reader)).startswith(b"HTTP/1.1 200 ")


async def test_clients_of_a_trusted_proxy_are_counted_by_the_address_that_it_names(
    start_gateway: Any, start_shard: Any
) -> None:
    shard = await start_shard()
    config = bounded(shard.url, bounds={"rate_per_s": 0.001, "burst": 1}, trusted_proxies=["127.0.0.0/8"])
    gateway = await start_gateway(config)
    statuses = []
    for client in ("192.0.2.1", "192.0.2.2", "192.0.2.1", "2001:db8::1", "2001:db8::2"):
        said = await gateway.get("/items/1", headers={"X-Forwarded-For": client})
        statuses.append(said.status_code)
    assert statuses == [200, 200, 429, 200, 429]


async def test_clients_at_one_address_are_told_apart_by_their_tokens(
    start_gateway: Any, start_shard: Any, tmp_path: Any
) -> None:
    pytest.importorskip("jwt")
    issuer, shard = Issuer(), await start_shard()
    (tmp_path / "keys.json").write_text(jwks(issuer))
    clients = {"jwt": {"algorithms": ["RS256"], "jwks_file": "keys.json"}, "unverified": "pass"}
    config = bounded(shard.url, bounds={"by": "token", "rate_per_s": 0.001, "burst": 2}, clients=clients)
    gateway = await start_gateway(config)
    statuses: dict[str, list[int]] = {}
    for client in ("a", "b", "a", "b", "a", "", "", ""):
        headers = {"Authorization": f"Bearer {issuer.token(sub=client)}"} if client else {}
        said = await gateway.get("/items/1", headers=headers)
        statuses.setdefault(client, []).append(said.status_code)
    assert statuses == {"a": [200, 200, 429], "b": [200, 200], "": [200, 200, 429]}
