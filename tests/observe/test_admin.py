"""The admin pages: which there are, and when shards are looked at for /readyz."""

import asyncio
from typing import Any

import msgspec
import pytest

from shardgate.core.http import Reply
from shardgate.core.topology import Shard
from shardgate.core.wire.request_head import RequestHeadParser
from shardgate.observe.admin import CLIENTS_MAX, REMEMBERED_S, Admin
from shardgate.observe.layout import DRAINING, Layout
from shardgate.observe.memory import SharedMemory
from tests.cluster import running_shard


class Client:
    """A connection, as far as the admin pages know it."""

    def __init__(self) -> None:
        self.replies: list[Reply] = []
        self.work: asyncio.Task[None] | None = None
        self.retired = False

    def send(self, reply: Reply) -> None:
        self.replies.append(reply)

    def adopt(self, work: asyncio.Task[None]) -> None:
        self.work = work

    def retire(self) -> None:
        self.retired = True


class World:
    """Admin pages before shards, with a clock that the test moves."""

    def __init__(self, *ports: int) -> None:
        self.at = 1000.0
        self.layout = Layout({}, 0).extended([], [])
        self.memory = SharedMemory.roomy(self.layout.size)
        shards = [Shard(f"s{number}", "127.0.0.1", port, f"s{number}") for number, port in enumerate(ports)]
        hosts = ["Metrics.internal", "0.0.0.0"]
        self.admin = Admin(self.layout, self.memory, shards, connect_timeout_s=30.0, hosts=hosts, clock=lambda: self.at)

    async def ask(self, path: str, method: str = "GET", host: str = "localhost:9901") -> Reply:
        client: Any = Client()
        request = RequestHeadParser().parse(f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n".encode())
        self.admin.handle(request, client)
        if client.work is not None:
            await client.work
        (reply,) = client.replies
        return reply

    async def ready(self) -> tuple[int, dict[str, Any]]:
        reply = await self.ask("/readyz")
        return reply.status, msgspec.json.decode(reply.body)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/healthz", 200), ("HEAD", "/metrics", 200), ("GET", "/", 404), ("POST", "/healthz", 405)],
)
async def test_there_are_three_pages_to_be_read(method: str, path: str, status: int) -> None:
    assert (await World().ask(path, method)).status == status


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:80",
        "a.localhost",
        "127.0.0.1:9901",
        "[::1]:9901",
        "10.1.2.3:9901",
        "metrics.INTERNAL.:1",
    ],
)
async def test_an_address_and_a_known_name_are_answered(host: str) -> None:
    assert (await World().ask("/metrics", host=host)).status == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example:9901", "127.0.0.1.nip.io", "evil", "metrics.internal.evil.example"]
)
@pytest.mark.parametrize("path", ["/metrics", "/readyz", "/healthz", "/"])
async def test_a_page_cannot_let_its_own_name_lead_to_the_admin_address(path: str, host: str) -> None:
    reply = await World().ask(path, host=host)
    problem = msgspec.json.decode(reply.body)
    assert (reply.status, problem["code"]) == (421, "SG1028")
    assert b"s0" not in reply.body


async def test_shards_are_looked_at_again_only_after_a_moment() -> None:
    async with running_shard() as shard:
        world = World(shard.port, 1)
        assert (await world.ready())[1]["shards"] == {"s0": "reachable", "s1": "unreachable"}
    world.at += REMEMBERED_S
    assert (await world.ready())[0] == 200
    world.at += 0.1
    assert await world.ready() == (
        503,
        {"ready": False, "draining": False, "shards": {"s0": "unreachable", "s1": "unreachable"}},
    )


async def test_a_gateway_that_ends_is_not_ready_and_still_says_so() -> None:
    async with running_shard() as shard:
        world, client = World(shard.port), Client()
        world.admin.opened(client)  # type: ignore[arg-type]
        world.memory.slot(0)[world.layout.cell(DRAINING)] = 1
        status, said = await world.ready()
        assert (status, said["draining"]) == (503, True)
        assert world.admin.drain() == 0
        assert not client.retired
        world.memory.slot(0)[world.layout.cell(DRAINING)] = 0
        assert world.admin.drain() == 1
        assert client.retired


def test_the_number_of_its_clients_has_a_bound() -> None:
    admin = World().admin
    clients: list[Any] = [Client() for _ in range(CLIENTS_MAX + 1)]
    assert [admin.opened(client) for client in clients] == [True] * CLIENTS_MAX + [False]
