"""All that is held counts in one budget: beyond it a client gets 503, and what was held is given back."""

import asyncio
import json
from typing import Any

from tests.cluster import Asked, Gateway, no_answer, reply
from tests.waiting import until

MIB = 1024 * 1024
RULES: dict[str, Any] = {
    "store": "store.db",
    "locators": {"thing": [{"kind": "hash", "overrides": {}}]},
    "rules": {
        "POST /things": {"rule": "one", "key": "body.id", "locate": "thing"},
        "POST /exports/{id}": {"rule": "one", "key": "path.id", "locate": "thing"},
        "POST /notes": {"rule": "every", "mode": "eventual", "assign": {"id": "uuid"}, "check": "/notes/{id}"},
        "GET /items": {"rule": "gather", "merge": {"kind": "union", "order": "text"}},
    },
}


def held(gateway: Gateway, kind: str | None = None) -> int:
    """The bytes that the gateway holds."""
    counted = gateway.worker.built.settings.held
    return counted.bytes if kind is None else counted.by_kind[kind]


def post(path: str, body: bytes, fields: str = "") -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n{fields}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def thing(size: int) -> bytes:
    return json.dumps({"id": "n-1", "text": "x" * size}).encode()


class Talk:
    """A client's connection, read to no more than its reply's head."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def status(self) -> int:
        return int((await self.reader.readuntil(b"\r\n")).split()[1])

    def leave(self) -> None:
        self.writer.transport.abort()


async def talk(gateway: Gateway, data: bytes, address: str = "127.0.0.1") -> Talk:
    made = await asyncio.open_connection("127.0.0.1", gateway.port, limit=65536, local_addr=(address, 0))
    made[1].write(data)
    return Talk(*made)


async def test_unfinished_bodies_of_one_client_hold_no_more_than_its_share(
    start_shard: Any, start_gateway: Any
) -> None:
    shard = await start_shard()
    gateway = await start_gateway({"shards": {"a": shard.url}, "limits": {"held_bytes_max": 4 * MIB}, **RULES})
    body = post("/things", thing(MIB))[:-10]
    attack = [await talk(gateway, body) for _ in range(8)]
    refused = 6  # two bodies and a bit are its share
    statuses = [asyncio.ensure_future(each.status()) for each in attack]
    await until(lambda: sum(status.done() for status in statuses) >= refused)
    assert {status.result() for status in statuses if status.done()} == {503}
    assert held(gateway) <= 2 * MIB
    polite = await talk(gateway, post("/things", thing(MIB)), "127.0.0.2")
    assert await polite.status() == 200
    for status in statuses:
        status.cancel()
    for each in [*attack, polite]:
        each.leave()
    await until(lambda: held(gateway) == 0)


async def test_bodies_that_wait_for_a_slow_shard_are_held_until_their_replies(
    start_shard: Any, start_gateway: Any
) -> None:
    shard = await start_shard(no_answer)
    gateway = await start_gateway({"shards": {"a": shard.url}, "limits": {"held_bytes_max": 4 * MIB}, **RULES})
    waiting = await talk(gateway, post("/things", thing(MIB)))
    await until(lambda: held(gateway, "request") > MIB)
    late = await talk(gateway, post("/things", thing(3 * MIB // 2)))
    assert await late.status() == 503
    waiting.leave()
    late.leave()
    await until(lambda: held(gateway) == 0)


async def test_a_large_reply_with_an_idempotency_key_counts_until_its_client_has_read_it(
    start_shard: Any, start_gateway: Any
) -> None:
    async def large(asked: Asked) -> bytes:
        return reply(b'"%b"' % (b"x" * 20 * MIB))

    shard = await start_shard(large)
    gateway = await start_gateway({"shards": {"a": shard.url}, "limits": {"held_bytes_max": 64 * MIB}, **RULES})
    slow = await talk(gateway, post("/exports/1", b"{}", 'Idempotency-Key: "k1"\r\n'))
    assert await slow.status() == 200
    assert held(gateway, "reply") > 20 * MIB
    refused = await talk(gateway, post("/exports/2", b"{}", 'Idempotency-Key: "k2"\r\n'))
    # The change may have been made: it was sent, and its reply could not be held.
    assert await refused.status() == 502
    again = await talk(gateway, post("/exports/2", b"{}", 'Idempotency-Key: "k2"\r\n'))
    assert await again.status() == 409
    slow.leave()
    await until(lambda: held(gateway) == 0)
    for each in (refused, again):
        each.leave()


async def test_a_client_that_leaves_a_long_reply_to_a_change_gives_its_memory_back(
    start_shard: Any, start_gateway: Any
) -> None:
    shard = await start_shard(lambda _: reply(b'"%b"' % (b"x" * 20 * MIB)))
    gateway = await start_gateway({"shards": {"a": shard.url}, **RULES})
    for n in range(3):
        slow = await talk(gateway, post("/exports/1", b"{}", f'Idempotency-Key: "k{n}"\r\n'))
        assert await slow.status() == 200
        slow.leave()
    await until(lambda: held(gateway) == 0)


async def test_a_journaled_change_has_a_bound_of_its_own(start_shard: Any, start_gateway: Any) -> None:
    shard = await start_shard(lambda _: reply("{}", status="201 Created"))
    limits = {"journaled_body_bytes_max": 10_000}
    gateway = await start_gateway({"shards": {"a": shard.url}, "limits": limits, **RULES})
    answer = await gateway.client.post("/notes", json={"text": "x" * 10_000})
    assert (answer.status_code, answer.json()["code"], shard.asked) == (413, "SG1006", [])
    assert (await gateway.client.post("/notes", json={"text": "x" * 9_000})).status_code == 201
    assert held(gateway) == 0


async def test_a_full_journal_refuses_the_next_change(start_shard: Any, start_gateway: Any) -> None:
    shard = await start_shard(lambda _: reply("{}", status="500 No"))
    limits = {"journal_entries_max": 1}
    gateway = await start_gateway({"shards": {"a": shard.url}, "limits": limits, **RULES})
    await gateway.client.post("/notes", json={"text": "open from now on"})
    answer = await gateway.client.post("/notes", json={"text": "one too many"})
    assert (answer.status_code, answer.json()["code"]) == (503, "SG4001")


async def test_metrics_say_what_is_held_and_what_was_refused_for_it(start_shard: Any, start_gateway: Any) -> None:
    shard = await start_shard(no_answer)
    config = {"shards": {"a": shard.url}, "limits": {"held_bytes_max": 4 * MIB}, "admin": "127.0.0.1:0", **RULES}
    gateway = await start_gateway(config)
    waiting = await talk(gateway, post("/things", thing(MIB)))
    await until(lambda: held(gateway, "request") > MIB)
    late = await talk(gateway, post("/things", thing(3 * MIB // 2)))
    assert await late.status() == 503
    gateway.tick()
    said = (await gateway.admin("/metrics")).text
    assert f'shardgate_held_bytes{{kind="request"}} {held(gateway)}' in said
    assert 'shardgate_budget_refusals_total{budget="held_bytes"} 1' in said
    for each in (waiting, late):
        each.leave()
