"""What all merges hold of shards' replies has a bound: the newest gather goes, and says when to come again."""

import asyncio
import json
from typing import Any

import pytest

from shardgate.core.errors import OverloadError, ShardgateError
from shardgate.engine.gather.held import HeldBytes
from tests.cluster import Asked, reply

ENVELOPE = {"kind": "list", "dialect": {"kind": "envelope"}, "keys": {"id": "number"}}
RULES = {"rules": {"GET /items": {"rule": "gather", "merge": ENVELOPE}}}
ROWS = [{"id": n, "text": "x" * 900} for n in range(700)]
BODY = json.dumps({"items": ROWS, "total": 700})


def test_the_newest_that_has_not_begun_goes_first() -> None:
    held, gone = HeldBytes(100), []
    holdings = [held.open() for _ in range(4)]
    for n, holding in enumerate(holdings):
        holding.on_refused = lambda error, n=n: gone.append(n)
        holding.add(25)
    holdings[3].begun = True
    holdings[0].add(1)
    assert gone == [2]
    holdings[1].close()
    holdings[0].add(49)
    assert gone == [2]
    holdings[0].begun = True
    holdings[0].add(1)
    assert gone == [2, 3]


def test_what_is_given_back_can_be_held_again() -> None:
    held = HeldBytes(100)
    refused: list[ShardgateError] = []
    for _ in range(5):
        holding = held.open()
        holding.on_refused = refused.append
        holding.add(80)
        holding.set(20)
        holding.add(80)
        holding.close()
        holding.add(1000)  # what comes behind the end is not kept
    assert refused == []
    alone = held.open()
    alone.on_refused = refused.append
    alone.add(101)
    assert [type(error) for error in refused] == [OverloadError]
    held.open().add(100)


async def test_beyond_the_bound_the_newest_gets_503_and_the_others_their_lists(
    start_shard: Any, start_gateway: Any
) -> None:
    asked_late, go_on = asyncio.Event(), asyncio.Event()

    async def slow(asked: Asked) -> bytes:
        if "first" in asked.line:
            asked_late.set()
            await go_on.wait()
        return reply(BODY)

    quick, late = await start_shard(lambda _: reply(BODY)), await start_shard(slow)
    urls = {"quick": quick.url, "late": late.url}
    gateway = await start_gateway({"shards": urls, "limits": {"held_bytes_max": 5 * len(BODY) // 2}, **RULES})
    first = asyncio.ensure_future(gateway.get("/items?first=1"))
    await asked_late.wait()
    await asyncio.sleep(0.2)  # until what the quick one said is held
    refused = await gateway.get("/items?second=1")
    assert (refused.status_code, refused.json()["code"], refused.headers["retry-after"]) == (503, "SG4001", "1")
    go_on.set()
    assert len((await first).json()["items"]) == 1400
    assert (await gateway.get("/items?second=1")).status_code == 200


async def test_room_is_given_back(start_shard: Any, start_gateway: Any) -> None:
    shards = [await start_shard(lambda _: reply(BODY)) for _ in range(2)]
    urls = {f"s{n}": shard.url for n, shard in enumerate(shards)}
    gateway = await start_gateway({"shards": urls, "limits": {"held_bytes_max": 2 * len(BODY)}, **RULES})
    for _ in range(5):
        assert len((await gateway.get("/items")).json()["items"]) == 1400
    many = await asyncio.gather(*(gateway.get("/items") for _ in range(6)))
    assert {answer.status_code for answer in many} <= {200, 503}
    assert (await gateway.get("/items")).status_code == 200


async def test_what_a_slow_client_has_not_read_is_still_held(start_shard: Any, start_gateway: Any) -> None:
    rows = [{"id": n, "text": "x" * 900} for n in range(20_000)]
    body = json.dumps({"items": rows, "total": 20_000})
    shard = await start_shard(lambda asked: reply(body if "long" in asked.line else BODY))
    limits = {"held_bytes_max": len(body) + len(BODY) // 2}
    gateway = await start_gateway({"shards": {"a": shard.url}, "limits": limits, **RULES})
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port, limit=65536)
    writer.write(b"GET /items?long=1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    head = await reader.readuntil(b"\r\n\r\n")
    assert b"\r\nContent-Length: %d\r\n" % len(body) in head
    await asyncio.sleep(0.2)
    assert (await gateway.get("/items")).status_code == 503
    read = b""
    while piece := await reader.read(65536):
        read += piece
    assert read == body.encode()
    writer.close()
    assert (await gateway.get("/items")).status_code == 200


async def test_a_client_that_does_not_read_a_long_reply_is_left(start_shard: Any, start_gateway: Any) -> None:
    rows = [{"id": n, "text": "x" * 900} for n in range(20_000)]
    shard = await start_shard(lambda _: reply(json.dumps({"items": rows, "total": 20_000})))
    gateway = await start_gateway({"shards": {"a": shard.url}, "timeouts": {"reply_idle_timeout_s": 0.3}, **RULES})
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port, limit=65536)
    writer.write(b"GET /items HTTP/1.1\r\nHost: a\r\n\r\n")
    await reader.readuntil(b"\r\n\r\n")
    await asyncio.sleep(1)
    with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
        await reader.readexactly(18 * 1024 * 1024)
    writer.close()
