"""The end of a worker: requests under way are answered within the drain time."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import yaml

from shardgate.config.load import load
from shardgate.net.listeners import listen
from shardgate.process.generation import Entrance
from shardgate.process.worker import Worker
from tests.cluster import Asked, reply, running_gateway
from tests.waiting import one_turn, until

GET = b"GET /any HTTP/1.1\r\nHost: a\r\n\r\n"


async def stopped_under_way(start_shard: Any, folder: Path, *, drain_timeout_s: float, answers: bool) -> bytes:
    """Stop a worker while a shard works on a request, which it answers then, or never; what the client reads."""
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def late(request: Asked) -> bytes:
        asked.set()
        await go_on.wait()
        return reply("late")

    shard = await start_shard(late)
    file = folder / "shardgate.yaml"
    config = {
        "shards": {"one": shard.url},
        "rules": {"GET /any": {"rule": "any"}},
        "timeouts": {"drain_timeout_s": drain_timeout_s},
    }
    file.write_text(yaml.safe_dump(config))
    listening = listen("127.0.0.1", 0)
    port = listening.getsockname()[1]
    ready, stop = asyncio.Event(), asyncio.Event()
    worker = Worker(load(file))
    running = asyncio.ensure_future(worker.run(Entrance([listening]), ready.set, stop))
    await ready.wait()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(GET)
        await asked.wait()
        stop.set()
        await one_turn()
        if answers:
            go_on.set()
        await running
        writer.write_eof()
        return await reader.read(-1)
    finally:
        writer.transport.abort()
        await until(lambda: worker.built.gateway.drain() == 0)  # the gateway sees it, and lets go of the shard


async def test_a_request_under_way_is_answered_and_its_connection_closed(start_shard: Any, tmp_path: Path) -> None:
    received = await stopped_under_way(start_shard, tmp_path, drain_timeout_s=30, answers=True)
    assert received.endswith(b"late")


async def test_a_request_that_does_not_end_does_not_hold_up_the_end(start_shard: Any, tmp_path: Path) -> None:
    await stopped_under_way(start_shard, tmp_path, drain_timeout_s=0.4, answers=False)


async def test_a_method_override_that_stands_twice_is_refused_though_one_is_blank(
    start_shard: Any, start_gateway: Any
) -> None:
    shard = await start_shard()
    gateway = await start_gateway(
        {
            "shards": {"one": shard.url},
            "method_override": "method",
            "rules": {"POST /any": {"rule": "any"}, "DELETE /any": {"rule": "any"}},
        }
    )
    assert (await gateway.client.post("/any?method=&method=DELETE")).status_code == 400


@pytest.mark.parametrize(
    ("method", "rule", "said"),
    [
        ("GET", {"rule": "any"}, "nothing was changed"),
        ("PUT", {"rule": "any"}, "the change may have been made or not"),
        ("PUT", {"rule": "every", "mode": "eventual"}, "the change may have been made or not"),
    ],
)
async def test_a_request_that_did_not_end_within_the_drain_time_is_told_so(
    start_shard: Any, tmp_path: Path, method: str, rule: dict[str, Any], said: str
) -> None:
    """Found: its connection was reset, or it read that the gateway has a defect (SG9001)."""
    go_on = asyncio.Event()

    async def late(_: Asked) -> bytes:
        await go_on.wait()
        return reply("{}")

    shard = await start_shard(late)
    config = {"shards": {"one": shard.url}, "store": "store.db", "rules": {f"{method} /any": rule}}
    async with running_gateway({**config, "timeouts": {"drain_timeout_s": 0.1}}, tmp_path) as gateway:
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        writer.write(f"{method} /any HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n".encode())
        await until(lambda: shard.asked)
    received = await reader.read(-1)
    assert received.startswith(b"HTTP/1.1 503 ")
    assert b"SG4004" in received
    assert said.encode() in received
    go_on.set()
    writer.close()
