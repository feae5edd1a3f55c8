"""`every`: a change takes effect on all shards or on none, whatever fails."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from shardgate.core.limits import JOURNALED_REPLY_BYTES_MAX
from tests.cluster import Shard, leave, reply, running_gateway, running_shard, until
from tests.served.things import Things

UNDO_CREATE = {"method": "DELETE", "path": "/things/{id}"}
STRICT: dict[str, Any] = {"rule": "every", "assign": {"id": "hex"}, "check": "/things/{id}", "undo": UNDO_CREATE}
RULES = {
    "store": "store.db",
    "timeouts": {"request_timeout_s": 20, "worker_lease_s": 20},
    "rules": {
        "POST /things": STRICT,
        "PATCH /things/{id}": {
            "rule": "every",
            "repeat": True,
            "undo": {"method": "PATCH", "path": "/things/{id}", "restore": "changed"},
        },
        "DELETE /things/{id}": {
            "rule": "every",
            "undo": {"method": "POST", "path": "/things", "restore": ["id", "name"]},
        },
        "GET /things/{id}": {"rule": "any"},
        "POST /notes": {"rule": "every", "mode": "eventual", "assign": {"id": "uuid"}, "check": "/notes/{id}"},
        "PUT /notes/{id}": {"rule": "every", "mode": "eventual"},
    },
}


class World:
    """Three shards with things, and the gateway before them."""

    def __init__(self, apps: list[Things], shards: list[Shard], gateway: Any) -> None:
        self.apps, self.shards, self.gateway = apps, shards, gateway
        self.client = gateway.client

    @property
    def held(self) -> list[dict[str, Any]]:
        return [app.held for app in self.apps]


@pytest.fixture
async def world(start_shard: Any, start_gateway: Any) -> World:
    apps = [Things(), Things(), Things()]
    shards = [await start_shard(app) for app in apps]
    urls = dict(zip(("north", "south", "west"), [shard.url for shard in shards], strict=True))
    return World(apps, shards, await start_gateway({"shards": urls, **RULES}))


async def test_a_thing_is_created_on_every_shard_with_one_id(world: World) -> None:
    answer = await world.client.post("/things", json={"name": "a"}, headers={"Authorization": "Bearer t"})
    assert answer.status_code == 201
    made = answer.json()
    assert len(made["id"]) == 32
    assert world.held == [{made["id"]: made}] * 3
    assert world.shards[2].asked[0].field("authorization") == ["Bearer t"]


async def test_an_id_that_the_client_chose_stays(world: World) -> None:
    answer = await world.client.post("/things", content=b'{ "id": "mine", "name": "a" }')
    assert answer.json()["id"] == "mine"
    assert world.shards[1].asked[-1].body == b'{ "id": "mine", "name": "a" }'


async def test_a_refusal_of_all_shards_is_one_reply_of_the_application(world: World) -> None:
    answer = await world.client.post("/things", json={"name": "bad"})
    assert (answer.status_code, answer.json()) == (422, {"error": "name"})
    assert [len(shard.asked) for shard in world.shards] == [1, 0, 0]


async def test_a_change_that_one_shard_refuses_is_undone_on_the_others(world: World) -> None:
    world.apps[1].held["x"] = {"id": "x"}
    answer = await world.client.post("/things", json={"id": "x", "name": "a"})
    assert (answer.status_code, answer.json()) == (409, {"error": "taken"})
    assert world.held == [{}, {"x": {"id": "x"}}, {}]


async def test_a_change_that_one_shard_refuses_leaves_the_old_values(world: World) -> None:
    for app in world.apps:
        app.held["x"] = {"id": "x", "name": "old", "size": 3}
    world.apps[2].says = lambda asked: reply("{}", status="409 Conflict") if "PATCH" in asked.line else None
    assert (await world.client.patch("/things/x", json={"name": "new"})).status_code == 409
    assert world.held == [{"x": {"id": "x", "name": "old", "size": 3}}] * 3


async def test_a_deletion_that_one_shard_refuses_brings_the_thing_back(world: World) -> None:
    for app in world.apps:
        app.held["x"] = {"id": "x", "name": "a"}
    world.apps[1].says = lambda asked: reply('{"e":1}', status="409 Conflict") if "DELETE" in asked.line else None
    answer = await world.client.delete("/things/x")
    assert (answer.status_code, answer.text) == (409, '{"e":1}')
    assert world.held == [{"x": {"id": "x", "name": "a"}}] * 3


async def test_strict_does_nothing_where_a_shard_is_down_and_says_which(start_gateway: Any, start_shard: Any) -> None:
    north, alias = Things(), {"url": "http://127.0.0.1:9", "alias": "lisbon"}
    shard = await start_shard(north)
    gateway = await start_gateway({"shards": {"north": shard.url, "south": alias}, **RULES})
    answer = await gateway.client.post("/things", json={"name": "a"})
    assert (answer.status_code, answer.json()["code"], answer.json()["missing"]) == (503, "SG2009", ["lisbon"])
    assert north.held == {}
    assert north.log[0] == "POST /things"
    assert north.log[1].startswith("DELETE /things/")


async def test_a_lost_reply_is_looked_for_and_the_change_taken_back(world: World) -> None:
    def lose(asked: Any) -> bytes | None:
        if not asked.line.startswith("POST"):
            return None
        world.apps[1].act(asked)
        return b""

    world.apps[1].says = lose
    answer = await world.client.post("/things", json={"name": "a"})
    assert answer.status_code == 503
    assert world.held == [{}, {}, {}]
    assert [line.split()[0] for line in world.apps[1].log] == ["POST", "DELETE"]


async def test_a_503_without_retry_after_is_looked_for_and_the_change_taken_back(world: World) -> None:
    """Found by `make chaos`: a change that was made and answered so stayed on one shard."""

    def give_up(asked: Any) -> bytes | None:
        if not asked.line.startswith("POST"):
            return None
        world.apps[1].act(asked)
        return reply("{}", status="503 Service Unavailable")

    world.apps[1].says = give_up
    answers = [
        await world.client.post("/things", json={"name": "a"}, headers={"Idempotency-Key": "k", "Cookie": "s=1"})
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [503, 503]  # nothing is left, so that the key is free
    assert world.held == [{}, {}, {}]
    assert [line.split()[0] for line in world.apps[1].log] == ["POST", "DELETE"] * 2


async def test_a_reply_that_is_too_long_to_be_journaled_undoes_the_change(world: World) -> None:
    """Found: the store took 186 MB for a reply of 20 MB."""

    def tell_much(asked: Any) -> bytes | None:
        if not asked.line.startswith("POST"):
            return None
        world.apps[1].act(asked)
        return reply(b'{"id":"%b"}' % (b"x" * JOURNALED_REPLY_BYTES_MAX), status="201 Created")

    world.apps[1].says = tell_much
    answer = await world.client.post("/things", json={"name": "a"})
    assert (answer.status_code, answer.json()["code"]) == (503, "SG2009")
    assert world.held == [{}, {}, {}]


async def test_eventual_gives_it_later_to_a_shard_that_was_down_in_order_and_once(
    start_shard: Any, start_gateway: Any
) -> None:
    north, south = Things(), Things()
    first = await start_shard(north)
    async with running_shard(south) as second:
        port = second.port
    gateway = await start_gateway({"shards": {"north": first.url, "south": f"http://127.0.0.1:{port}"}, **RULES})
    answers = [await gateway.client.post("/notes", json={"id": f"n{n}"}) for n in range(5)]
    assert [answer.status_code for answer in answers] == [202] * 5
    told = answers[0].json()
    assert (told["state"], told["missing"]) == ("finishing", ["south"])
    assert (await gateway.get(answers[0].headers["location"])).json() == told
    assert list(north.held) == [f"n{n}" for n in range(5)]

    async with running_shard(south, port):
        await until(lambda: len(south.held) == 5)
        assert list(south.held) == [f"n{n}" for n in range(5)]
        assert south.log == ["POST /notes"] * 5
        await gateway.until_state(answers[4].headers["location"], "done")


async def test_concurrent_changes_leave_all_shards_equal(world: World) -> None:
    for app in world.apps:
        app.held["x"] = {"id": "x", "name": "old"}
    names = [f"name {n}" for n in range(20)]
    answers = await asyncio.gather(*[world.client.patch("/things/x", json={"name": name}) for name in names])
    assert {answer.status_code for answer in answers} == {200}
    assert world.held[0] == world.held[1] == world.held[2]


async def test_an_unknown_status_link_is_a_404(world: World) -> None:
    answer = await world.gateway.get("/.shardgate/changes/guessed")
    assert (answer.status_code, answer.json()["code"]) == (404, "SG1020")


async def test_a_change_goes_on_when_its_client_leaves(world: World) -> None:
    for app in world.apps:
        app.gate.clear()
    _reader, writer = await asyncio.open_connection("127.0.0.1", world.gateway.port)
    writer.write(b'POST /things HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{"id":"x"}')
    await until(lambda: bool(world.shards[0].asked))
    leave(writer)
    await until(lambda: world.gateway.connections == 0)
    for app in world.apps:
        app.gate.set()
    await until(lambda: all("x" in held for held in world.held))


async def test_a_drain_waits_for_a_change_whose_client_has_left(start_shard: Any, tmp_path: Any) -> None:
    apps = [Things(), Things()]
    apps[0].gate.clear()
    shards = [await start_shard(app) for app in apps]
    urls = {"north": shards[0].url, "south": shards[1].url}
    async with running_gateway({"shards": urls, **RULES}, tmp_path) as gateway:
        _reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        writer.write(b'POST /things HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{"id":"x"}')
        await until(lambda: bool(shards[0].asked))
        leave(writer)
        await until(lambda: gateway.connections == 0)

        async def go_on_while_it_drains() -> None:
            await until(gateway.refuses_connections)
            apps[0].gate.set()

        going_on = asyncio.ensure_future(go_on_while_it_drains())
    await going_on
    assert [list(app.held) for app in apps] == [["x"], ["x"]]


async def test_a_long_body_of_unknown_length_reaches_every_shard_whole(world: World) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b'{"id": "a", "name": "'
        for _ in range(4):
            yield b"x" * 50_000
        yield b'"}'

    answer = await world.client.post("/things", content=pieces())
    assert answer.status_code == 201
    assert [held["a"]["name"] for held in world.held] == ["x" * 200_000] * 3
