"""All merges together hold a bounded number of bytes; beyond it, the newest gather is refused with Retry-After."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from shardgate.core.limits import WHOLE_MERGE_FACTOR
from tests.cluster import Asked, Gateway, reply
from tests.waiting import until

ENVELOPE = {"kind": "list", "dialect": {"kind": "envelope"}, "keys": {"id": "number"}}
RULES = {"rules": {"GET /items": {"rule": "gather", "merge": ENVELOPE}}}
ROWS = [{"id": n, "text": "x" * 900} for n in range(700)]
BODY = json.dumps({"items": ROWS, "total": 700})


def all_for_one(bytes_max: int) -> dict[str, Any]:
    """The bound of all that is held, for a test whose clients have one address."""
    return {"held_bytes_max": bytes_max, "held_share_per_client_max": 1}


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
    gateway = await start_gateway(
        {"shards": urls, "limits": all_for_one(2 * WHOLE_MERGE_FACTOR * len(BODY) + 1000), **RULES}
    )
    first = asyncio.ensure_future(gateway.get("/items?as=first"))
    await asked_late.wait()
    refused = await until(lambda: refusal(gateway, "/items?as=second"))
    assert (refused.status_code, refused.json()["code"], refused.headers["retry-after"]) == (503, "SG4001", "1")
    go_on.set()
    assert len((await first).json()["items"]) == 1400
    assert (await gateway.get("/items?as=second")).status_code == 200


async def refusal(gateway: Gateway, target: str) -> httpx.Response | None:
    """The refusal of a list; None where it is served, as nothing that is held leaves too little room."""
    answer = await gateway.get(target)
    return answer if answer.status_code == 503 else None


async def test_held_bytes_are_released_after_each_reply(start_shard: Any, start_gateway: Any) -> None:
    shards = [await start_shard(lambda _: reply(BODY)) for _ in range(2)]
    urls = {f"s{n}": shard.url for n, shard in enumerate(shards)}
    gateway = await start_gateway({"shards": urls, "limits": all_for_one(2 * WHOLE_MERGE_FACTOR * len(BODY)), **RULES})
    for _ in range(5):
        assert len((await gateway.get("/items")).json()["items"]) == 1400
    many = await asyncio.gather(*(gateway.get("/items") for _ in range(6)))
    assert {answer.status_code for answer in many} <= {200, 503}
    assert (await gateway.get("/items")).status_code == 200


async def test_what_a_slow_client_has_not_read_is_still_held(start_shard: Any, start_gateway: Any) -> None:
    rows = [{"id": n, "text": "x" * 900} for n in range(20_000)]
    body = json.dumps({"items": rows, "total": 20_000})
    shard = await start_shard(lambda asked: reply(body if "long" in asked.line else BODY))
    limits = all_for_one(WHOLE_MERGE_FACTOR * len(body) + len(BODY))
    gateway = await start_gateway({"shards": {"a": shard.url}, "limits": limits, **RULES})
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port, limit=65536)
    writer.write(b"GET /items?long=1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    head = await reader.readuntil(b"\r\n\r\n")
    assert b"\r\nContent-Length: %d\r\n" % len(body) in head
    await until(lambda: refusal(gateway, "/items?long=2"))
    read = b""
    while piece := await reader.read(65536):
        read += piece
    assert read == body.encode()
    writer.close()
    assert (await gateway.get("/items?long=3")).status_code == 200


async def test_a_client_that_does_not_read_a_long_reply_is_disconnected(start_shard: Any, start_gateway: Any) -> None:
    rows = [{"id": n, "text": "x" * 900} for n in range(20_000)]
    shard = await start_shard(lambda _: reply(json.dumps({"items": rows, "total": 20_000})))
    timeouts = {"reply_idle_timeout_s": 0.3}
    gateway = await start_gateway({"shards": {"a": shard.url}, "timeouts": timeouts, **RULES})
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port, limit=65536)
    writer.write(b"GET /items HTTP/1.1\r\nHost: a\r\n\r\n")
    await reader.readuntil(b"\r\n\r\n")
    await until(lambda: gateway.connections == 0)
    with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
        await reader.readexactly(18 * 1024 * 1024)
    writer.close()
