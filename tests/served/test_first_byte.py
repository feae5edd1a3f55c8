"""An instance that takes requests and answers none is given up by a patience of its own."""

import asyncio
from typing import Any

import pytest

from tests.cluster import Asked, reply
from tests.net.screenplay import Clock
from tests.waiting import until

RULES = {"GET /any": {"rule": "any"}, "POST /any": {"rule": "any"}}


async def silent(_: Asked) -> bytes:
    return await asyncio.get_running_loop().create_future()


def config(silent_shard: Any, *others: Any) -> dict[str, Any]:
    shards = {"silent": silent_shard.url} | {f"good{number}": shard.url for number, shard in enumerate(others)}
    return {"shards": shards, "rules": RULES}


async def test_a_read_of_any_shard_is_then_asked_of_another(start_shard: Any, start_gateway: Any) -> None:
    clock, slow, good = Clock(), await start_shard(silent), await start_shard(lambda _: reply("good"))
    gateway = await start_gateway(config(slow, good), clock=clock)
    for _ in range(2):  # they take turns
        asking = asyncio.ensure_future(gateway.get("/any"))
        await until(lambda asking=asking: asking.done() or len(slow.asked) == 1)
        clock.at += 20.1
        gateway.worker.watch.look()
        assert (await asking).text == "good"
    assert len(slow.asked) == 1


async def test_all_tries_together_take_no_longer_than_the_request_may(start_shard: Any, start_gateway: Any) -> None:
    clock, slow, other = Clock(), await start_shard(silent), await start_shard(silent)
    gateway = await start_gateway(config(slow, other), clock=clock)
    asking = asyncio.ensure_future(gateway.get("/any"))
    for asked, passes in ((1, 20.1), (2, 10.1)):
        await until(lambda asked=asked: len(slow.asked) + len(other.asked) == asked)
        clock.at += passes
        gateway.worker.watch.look()
    response = await asking
    assert (response.status_code, response.json()["code"]) == (504, "SG2003")


async def test_a_change_is_sent_to_one_shard_and_the_log_says_which_patience_ran_out(
    start_shard: Any, start_gateway: Any, caplog: pytest.LogCaptureFixture
) -> None:
    clock, slow, other = Clock(), await start_shard(silent), await start_shard(silent)
    gateway = await start_gateway(config(slow, other), clock=clock)
    asking = asyncio.ensure_future(gateway.client.post("/any", content=b"x"))
    await until(lambda: slow.asked or other.asked)
    clock.at += 20.1
    gateway.worker.watch.look()
    response = await asking
    assert (response.status_code, response.json()["code"]) == (504, "SG2003")
    assert len(slow.asked) + len(other.asked) == 1
    assert "first_byte_timeout_s (20 s)" in caplog.text
    assert "first_byte" not in response.text
