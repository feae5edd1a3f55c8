"""Idempotency-Key: a request with a key takes effect once, whatever its client, the gateway or a shard does."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cluster import Gateway, Shard, leave, reply, running_gateway
from tests.observe.metrics import Metrics
from tests.served.things import Things
from tests.waiting import until

RULES: dict[str, Any] = {
    "store": "store.db",
    "timeouts": {"request_timeout_s": 20, "worker_lease_s": 20},
    "locators": {"thing": [{"kind": "hash", "overrides": {}}]},
    "rules": {
        "POST /things": {"rule": "one", "key": "body.id", "locate": "thing"},
        "PUT /things/{id}": {"rule": "one", "key": "path.id", "locate": "thing"},
        "GET /things/{id}": {"rule": "one", "key": "path.id", "locate": "thing"},
        "POST /bookings": {
            "rule": "one",
            "key": "body.id",
            "locate": "thing",
            "idempotency": {"key": "body.uuid", "required": True},
        },
    },
}
KEY = {"Idempotency-Key": '"8e03978e-40d5-43dd-bc93-6894a57f9324"'}


class World:
    """One shard with things, and the gateway before it."""

    def __init__(self, app: Things, shard: Shard, gateway: Gateway) -> None:
        self.app, self.shard, self.gateway = app, shard, gateway

    async def post(self, body: Any, path: str = "/things", **headers: str) -> httpx.Response:
        return await self.gateway.client.post(path, json=body, headers={**KEY, **headers})


@pytest.fixture
async def world(start_shard: Any, start_gateway: Any) -> World:
    app = Things()
    shard = await start_shard(app)
    return World(app, shard, await start_gateway({"shards": {"north": shard.url}, **RULES}))


async def test_a_repeated_request_gets_the_first_reply(world: World) -> None:
    first = await world.post({"id": "a"})
    again = await world.post({"id": "a"})
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert world.app.log == ["POST /things"]


async def test_a_refusal_is_repeated_too(world: World) -> None:
    for _ in range(2):
        answer = await world.post({"id": "a", "name": "bad"})
        assert (answer.status_code, answer.json()) == (422, {"error": "name"})
    assert world.app.log == ["POST /things"]


async def test_without_a_key_each_request_is_done(world: World) -> None:
    for status in (201, 409):
        answer = await world.gateway.client.post("/things", json={"id": "a"})
        assert answer.status_code == status


async def test_two_at_once_are_one_and_a_409(world: World) -> None:
    world.app.gate.clear()
    posts = [asyncio.ensure_future(world.post({"id": "a"})) for _ in range(5)]
    await until(lambda: sum(post.done() for post in posts) == 4)  # they are refused while the first waits
    world.app.gate.set()
    answers = [await post for post in posts]
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]
    assert {answer.json().get("code") for answer in answers} == {None, "SG1016"}
    assert world.app.log == ["POST /things"]


async def test_a_key_with_another_payload_or_path_is_a_422(world: World) -> None:
    await world.post({"id": "a"})
    answer = await world.post({"id": "b"})
    assert (answer.status_code, answer.json()["code"]) == (422, "SG1017")
    answer = await world.gateway.client.put("/things/a", json={"id": "a"}, headers=KEY)
    assert answer.status_code == 422


async def test_keys_are_per_client(world: World) -> None:
    await world.post({"id": "a"}, Authorization="Bearer one")
    answer = await world.post({"id": "b"}, Authorization="Bearer two")
    assert (answer.status_code, answer.json()) == (201, {"id": "b"})


@pytest.mark.parametrize("value", ['""', "a b", "a,b", '"a', "x" * 300])
async def test_an_invalid_key_is_a_400(world: World, value: str) -> None:
    answer = await world.post({"id": "a"}, **{"Idempotency-Key": value})
    assert (answer.status_code, answer.json()["code"]) == (400, "SG1021")
    assert world.app.log == []


async def test_two_keys_are_a_400(world: World) -> None:
    headers = [("Idempotency-Key", '"a"'), ("Idempotency-Key", '"a"')]
    answer = await world.gateway.client.post("/things", json={"id": "a"}, headers=headers)
    assert answer.json()["code"] == "SG1021"


async def test_a_key_without_quotes_is_the_same_key(world: World) -> None:
    await world.post({"id": "a"})
    answer = await world.post({"id": "a"}, **{"Idempotency-Key": KEY["Idempotency-Key"].strip('"')})
    assert answer.headers["idempotent-replayed"] == "true"


async def test_the_key_of_a_read_is_ignored(world: World) -> None:
    world.app.held["a"] = {"id": "a"}
    for value in ("one", "two"):
        world.app.held["a"]["name"] = value
        assert (await world.gateway.get("/things/a", headers=KEY)).json()["name"] == value


async def test_a_member_of_the_body_can_be_the_key_and_be_needed(world: World) -> None:
    body = {"id": "a", "uuid": "1f2e"}
    first = await world.gateway.client.post("/bookings", json=body)
    again = await world.gateway.client.post("/bookings", json=body)
    assert (first.status_code, again.headers["idempotent-replayed"]) == (201, "true")
    answer = await world.gateway.client.post("/bookings", json={"id": "b"})
    assert (answer.status_code, answer.json()["code"]) == (400, "SG1021")


async def test_a_request_that_did_nothing_frees_its_key(world: World) -> None:
    world.app.says = lambda asked: reply("{}", status="503 Service Unavailable", fields="Retry-After: 1\r\n")
    assert (await world.post({"id": "a"})).status_code == 503
    world.app.says = lambda asked: reply("{}", status="401 Unauthorized")
    assert (await world.post({"id": "a"})).status_code == 401
    world.app.says = None
    assert (await world.post({"id": "a"})).status_code == 201


def giving_up(app: Things) -> Any:
    """Does what is asked, and then a router in front of it says 503 without `Retry-After`."""

    def says(asked: Any) -> bytes:
        app.act(asked)
        return reply("{}", status="503 Service Unavailable")

    return says


async def test_a_create_that_was_answered_503_without_retry_after_is_never_sent_again(world: World) -> None:
    """Found: its key was free again, so that it was made twice."""
    world.app.says = giving_up(world.app)
    assert (await world.post({"id": "a"})).status_code == 503
    world.app.says = None
    answer = await world.post({"id": "a"})
    assert (answer.status_code, answer.json()["code"]) == (409, "SG1018")
    assert world.app.log == ["POST /things"]


async def test_a_put_that_was_answered_503_without_retry_after_is_sent_again(world: World) -> None:
    world.app.held["a"] = {"id": "a"}
    for says, status in ((giving_up(world.app), 503), (None, 200)):
        world.app.says = says
        answer = await world.gateway.client.put("/things/a", json={"n": 1}, headers=KEY)
        assert answer.status_code == status
    assert world.app.log == ["PUT /things/a"] * 2


async def test_a_create_whose_reply_is_lost_is_never_sent_again(world: World) -> None:
    def lose(asked: Any) -> bytes:
        world.app.act(asked)
        return b""

    world.app.says = lose
    assert (await world.post({"id": "a"})).json()["code"] == "SG2008"
    world.app.says = None
    answer = await world.post({"id": "a"})
    assert (answer.status_code, answer.json()["code"]) == (409, "SG1018")
    assert world.app.log == ["POST /things"]


async def test_a_put_whose_reply_is_lost_is_sent_again(world: World) -> None:
    world.app.held["a"] = {"id": "a"}
    world.app.says = lambda asked: b""
    lost = await world.gateway.client.put("/things/a", json={}, headers=KEY)
    world.app.says = None
    again = await world.gateway.client.put("/things/a", json={}, headers=KEY)
    assert (lost.status_code, again.status_code) == (502, 200)


async def test_another_worker_knows_the_key(world: World, tmp_path: Path) -> None:
    client = {"Authorization": "Bearer one", "Host": "shop"}
    await world.post({"id": "a"}, **client)
    config = {"shards": {"north": world.shard.url}, **RULES}
    async with running_gateway(config, tmp_path) as other:
        answer = await other.client.post("/things", json={"id": "a"}, headers={**KEY, **client})
    assert answer.headers["idempotent-replayed"] == "true"


async def test_a_key_is_forgotten_after_its_time(start_shard: Any, start_gateway: Any) -> None:
    app = Things()
    shard = await start_shard(app)
    gateway = await start_gateway({"shards": {"north": shard.url}, **RULES, "idempotency": {"expires_s": 0.3}})
    await gateway.client.post("/things", json={"id": "a"}, headers=KEY)

    async def is_sent_again() -> bool:
        answer = await gateway.client.post("/things", json={"id": "a"}, headers=KEY)
        return bool(answer.status_code == 409)

    await until(is_sent_again)
    assert app.log == ["POST /things"] * 2


async def test_a_request_goes_on_when_its_client_leaves_and_its_reply_waits_for_it(world: World) -> None:
    world.app.gate.clear()
    _, writer = await asyncio.open_connection("127.0.0.1", world.gateway.port)
    key, body = KEY["Idempotency-Key"], '{"id":"a"}'
    client = {"Host": "a", "X-API-Key": "one", "Content-Type": "application/json"}
    lines = "".join([f"{name}: {value}\r\n" for name, value in client.items()])
    head = f"POST /things HTTP/1.1\r\n{lines}Idempotency-Key: {key}\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write((head + body).encode())
    await until(lambda: bool(world.shard.asked))
    leave(writer)
    await until(lambda: world.gateway.connections == 0)
    world.app.gate.set()

    async def is_kept() -> bool:
        return (await world.post({"id": "a"}, **client)).headers.get("idempotent-replayed") == "true"

    await until(is_kept)
    assert (await world.post({"id": "a"}, **client)).status_code == 201
    assert world.app.log == ["POST /things"]


async def test_a_request_whose_reply_is_too_large_to_store_is_not_repeated(world: World) -> None:
    world.app.says = lambda asked: reply(b'"' + b"x" * 2_000_000 + b'"', status="201 Created")
    assert len((await world.post({"id": "a"})).content) == 2_000_002
    answer = await world.post({"id": "a"})
    assert (answer.status_code, answer.json()["code"]) == (409, "SG1018")


LONG = json.dumps({"id": "a", "name": "x" * 200_000}).encode()


async def pieces() -> AsyncIterator[bytes]:
    """The same body; of a length that is not told before."""
    for start in range(0, len(LONG), 50_000):
        yield LONG[start : start + 50_000]


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("path", ["/things/a", "/bookings"])
async def test_a_body_that_comes_in_pieces_is_known_whole_before_its_key_is_taken(
    world: World, path: str, chunked: bool
) -> None:
    method = "POST"
    if path == "/things/a":
        method, world.app.held["a"] = "PUT", {"id": "a"}

    async def send(content: Any) -> httpx.Response:
        return await world.gateway.client.request(method, path, content=content, headers=KEY)

    first = await send(pieces() if chunked else LONG)
    again = await send(LONG)
    assert first.status_code < 300
    assert (again.status_code, again.headers["idempotent-replayed"]) == (first.status_code, "true")
    assert (await send(LONG.replace(b"x", b"y"))).json()["code"] == "SG1017"
    assert len(world.app.log) == 1


async def test_without_a_key_a_long_body_streams(start_shard: Any, start_gateway: Any) -> None:
    shard = await start_shard(lambda asked: reply("{}"))
    gateway = await start_gateway({"shards": {"north": shard.url}, **RULES})
    for headers in ({}, KEY):
        await gateway.client.put("/things/a", content=pieces(), headers=headers)
    assert [asked.field("transfer-encoding") for asked in shard.asked] == [["chunked"], []]
    assert shard.asked[0].body == shard.asked[1].body == LONG


async def test_a_reply_that_is_kept_can_be_read_by_a_client_that_takes_nothing_packed(
    start_shard: Any, start_gateway: Any
) -> None:
    body = gzip.compress(b'{"id":"a"}')
    shard = await start_shard(lambda asked: reply(body, fields="Content-Encoding: gzip\r\n"))
    compress = {"bytes_min": 1}
    gateway = await start_gateway({"shards": {"north": shard.url}, "compress": compress, **RULES})
    for accepted, coding in (("gzip", "gzip"), ("identity", None), ("gzip", "gzip")):
        answer = await gateway.client.put("/things/a", json={}, headers={**KEY, "Accept-Encoding": accepted})
        assert (answer.json(), answer.headers.get("content-encoding")) == ({"id": "a"}, coding)
    assert shard.asked[0].field("accept-encoding") == []
    assert len(shard.asked) == 1


async def test_a_reply_that_says_that_it_failed_is_kept_and_speaks_against_its_replica(
    start_shard: Any, start_gateway: Any
) -> None:
    # Found: with a key, what `failure_is` names was looked for by nobody.
    failing, well = await start_shard(lambda _: reply('{"error": "database"}')), await start_shard()
    rule = {**RULES["rules"]["POST /things"], "failure_is": {"error": "any"}}
    shard = {
        "replicas": [{"url": failing.url, "weight": 1000}, well.url],
        "guards": {"failures_max": 3, "panic_percent": 0},
    }
    gateway = await start_gateway(
        {**RULES, "shards": {"north": shard}, "rules": {"POST /things": rule}, "admin": "127.0.0.1:0"}
    )
    for number in range(3):
        key = {"Idempotency-Key": f'"{number}"'}
        first = await gateway.client.post("/things", json={"id": f"a{number}"}, headers=key)
        again = await gateway.client.post("/things", json={"id": f"a{number}"}, headers=key)
        assert (first.status_code, first.json()) == (200, {"error": "database"}), "as it came"
        assert (again.json(), again.headers["idempotent-replayed"]) == (first.json(), "true"), "it is not done again"
    assert len(failing.asked) == 3
    last = await gateway.client.post("/things", json={"id": "b"}, headers={"Idempotency-Key": '"b"'})
    assert last.json() == {}
    assert len(well.asked) == 1, "the failing one is left out"
    gateway.tick()
    read = Metrics((await gateway.admin("/metrics")).text)
    assert read.value("shardgate_upstream_errors_total", shard="north", code="SG2013") == 3
