"""Changes that cannot be followed to their end: the application refuses them, nothing is stuck, nobody is held up."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from shardgate.core.changes.entry import Branch, Entry, Sent, Terms
from shardgate.store.journal import Instant, Journal
from shardgate.store.sqlite import SqliteStore
from tests.cluster import Asked, Gateway, Shard, reply, running_gateway
from tests.served.things import Things, said
from tests.waiting import until

UNDO = {"method": "DELETE", "path": "/things/{id}"}
RULES: dict[str, Any] = {
    "store": "store.db",
    "timeouts": {"request_timeout_s": 20, "worker_lease_s": 20},
    "rules": {
        "POST /things": {"rule": "every", "assign": {"id": "hex"}, "check": "/things/{id}", "undo": UNDO},
        "POST /named": {"rule": "every", "check": "/things/{name}", "undo": UNDO},
        "PATCH /things/{id}": {
            "rule": "every",
            "repeat": True,
            "undo": {"method": "PATCH", "path": "/things/{id}", "restore": "changed"},
        },
        "PUT /things/{id}": {"rule": "every", "mode": "eventual"},
        "POST /notes": {"rule": "every", "mode": "eventual", "assign": {"id": "hex"}, "check": "/notes/{id}"},
    },
}
NOTHING_TO_FOLLOW = [b"", b"[]", b'"text"', b"7", b"null", b"text"]
FILLS_NO_PATH = [
    *[
        b'{"id":%b}' % value
        for value in (b'""', b'".."', b'"a/b"', b'"a\\\\b"', b'"%2e"', b"[]", b"{}", b"true", b"1.5")
    ],
    b'{"id":"a","id":".."}',
    b'{"id":"a","id":"..",}',
    b"<id>..</id>",
    b"id=..",
]


class World:
    """Two shards with things, and the gateway before them."""

    def __init__(self, apps: list[Things], shards: list[Shard], gateway: Gateway, folder: Path) -> None:
        self.apps, self.shards, self.gateway, self.folder = apps, shards, gateway, folder
        self.client = gateway.client

    @property
    def states(self) -> list[str]:
        with SqliteStore(self.folder / "store.db") as store:
            return [state for (state,) in store.connection.execute("SELECT state FROM journal ORDER BY id")]

    async def post(self, body: bytes, path: str = "/things") -> Any:
        return await self.client.post(path, content=body, headers={"Content-Type": "application/json"})


@pytest.fixture
async def world(start_shard: Any, start_gateway: Any, tmp_path: Path) -> World:
    apps = [Things(), Things()]
    shards = [await start_shard(app) for app in apps]
    urls = {"north": shards[0].url, "south": shards[1].url}
    return World(apps, shards, await start_gateway({"shards": urls, **RULES}), tmp_path)


def unauthorized(asked: Asked) -> bytes | None:
    return None if asked.field("authorization") else reply('{"error":"token"}', status="401 Unauthorized")


def makes_its_own_id(world: World) -> Any:
    def says(asked: Asked) -> bytes | None:
        if not asked.line.startswith("POST"):
            return None
        world.apps[0].log.append("POST")
        world.apps[0].held["own"] = {"id": "own"}
        return said(201, {"id": "own"})

    return says


@pytest.mark.parametrize("body", NOTHING_TO_FOLLOW)
async def test_c1_the_application_refuses_in_its_own_words_and_nothing_is_stuck(world: World, body: bytes) -> None:
    for app in world.apps:
        app.says = unauthorized
    answer = await world.post(body)
    assert (answer.status_code, answer.json()) == (401, {"error": "token"})
    assert [len(shard.asked) for shard in world.shards] == [1, 0]
    assert world.shards[0].asked[0].body == body
    assert set(world.states) == {"undone"}
    made = await world.client.post("/things", json={"name": "a"}, headers={"Authorization": "Bearer t"})
    assert made.status_code == 201
    assert [list(app.held) for app in world.apps] == [[made.json()["id"]]] * 2


@pytest.mark.parametrize("body", NOTHING_TO_FOLLOW)
async def test_what_one_shard_accepts_nevertheless_is_taken_back(world: World, body: bytes) -> None:
    world.apps[0].says = makes_its_own_id(world)
    answer = await world.post(body)
    assert answer.status_code == 400
    assert answer.json()["code"] in {"SG1010", "SG1002"}
    assert [app.log for app in world.apps] == [["POST", "DELETE /things/own"], []]
    assert [app.held for app in world.apps] == [{}, {}]
    assert world.states == ["undone"]


@pytest.mark.parametrize("body", FILLS_NO_PATH)
@pytest.mark.parametrize("path", ["/things", "/named"])
async def test_c1_a_body_whose_id_fills_no_path_is_sent_to_no_shard(world: World, body: bytes, path: str) -> None:
    answer = await world.post(body, path)
    assert answer.status_code == 400
    assert answer.json()["code"] in {"SG1010", "SG1002"}
    assert [shard.asked for shard in world.shards] == [[], []]
    assert world.states == []


async def test_an_id_that_only_a_reply_names_and_that_fills_no_path_holds_up_its_own_thing_alone(world: World) -> None:
    """The north accepts the thing as `..`, and the south refuses it: the north's cannot be taken back."""
    world.apps[0].says = lambda asked: said(201, {"id": ".."}) if "POST" in asked.line else None
    world.apps[1].says = lambda asked: reply("{}", status="409 Conflict") if "POST" in asked.line else None
    answer = await world.post(b'{"name":"a"}', "/named")
    assert (answer.status_code, answer.json()["code"]) == (502, "SG2011")
    world.apps[0].says = world.apps[1].says = None
    assert (await world.post(b'{"name":"b"}', "/named")).status_code == 201
    assert (await world.post(b'{"name":"c"}')).status_code == 201
    answer = await world.post(b'{"name":"a"}', "/named")
    assert (answer.status_code, answer.json()["code"]) == (503, "SG2009")


async def test_the_refusal_names_the_member(world: World) -> None:
    world.apps[0].says = makes_its_own_id(world)
    answer = await world.post(b'{"id":"x"}', "/named")
    assert (answer.status_code, answer.json()["code"], answer.json()["member"]) == (400, "SG1010", "name")


async def test_without_a_way_back_no_shard_is_asked(world: World) -> None:
    answer = await world.post(b"[]", "/notes")
    assert (answer.status_code, answer.json()["code"], answer.json()["member"]) == (400, "SG1010", "id")
    assert [shard.asked for shard in world.shards] == [[], []]
    assert world.states == []


async def test_what_cannot_be_taken_back_is_said_aloud_and_holds_up_nobody(world: World) -> None:
    world.apps[0].says = lambda asked: reply("made", status="201 Created") if "POST" in asked.line else None
    answer = await world.post(b"[]")
    assert (answer.status_code, answer.json()["code"]) == (502, "SG2011")
    assert world.states == ["stuck"]
    world.apps[0].says = None
    assert (await world.post(b'{"name":"a"}')).status_code == 201


async def test_a_path_is_never_filled_with_dots_that_a_reply_names(world: World) -> None:
    def says(asked: Asked) -> bytes | None:
        return said(201, {"id": ".."}) if asked.line.startswith("POST") else None

    world.apps[0].says = says
    world.apps[1].says = lambda asked: reply("{}", status="409 Conflict") if "POST" in asked.line else None
    answer = await world.post(b'{"id":"mine"}')
    assert answer.status_code == 409
    lines = [shard.asked[-1].line.split()[:2] for shard in world.shards]
    assert lines == [["DELETE", "/things/mine"], ["POST", "/things"]]


async def stuck_change(world: World) -> None:
    """A change of the thing `a` that the north has and does not give back."""
    for app in world.apps:
        app.held["a"], app.held["b"] = {"id": "a"}, {"id": "b"}
    patches: list[int] = []

    def once(asked: Asked) -> bytes | None:
        patches.extend([1] if "PATCH" in asked.line else [])
        return reply("{}", status="403 Forbidden") if len(patches) == 2 else None

    world.apps[0].says = once
    world.apps[1].says = lambda asked: reply("{}", status="409 Conflict") if "PATCH" in asked.line else None
    assert (await world.client.patch("/things/a", json={"n": 1})).status_code == 502
    world.apps[0].says = world.apps[1].says = None
    assert world.states == ["stuck"]


async def test_c1_a_stuck_change_holds_up_its_own_thing_alone(world: World) -> None:
    await stuck_change(world)
    assert (await world.client.patch("/things/b", json={"n": 2})).status_code == 200
    assert (await world.post(b'{"name":"c"}')).status_code == 201
    assert (await world.client.put("/things/b", json={"n": 2})).status_code == 200
    # Of the same thing, also in other spellings, nothing goes on until a person has looked.
    for path in ("/things/a", "/things/A", "/things/%61"):
        answer = await world.client.patch(path, json={"n": 3})
        assert (answer.status_code, answer.json()["code"]) == (503, "SG2009")


async def test_c1_a_stuck_change_holds_up_its_own_thing_alone_in_another_worker(world: World, tmp_path: Path) -> None:
    await stuck_change(world)
    urls = dict(zip(("north", "south"), [shard.url for shard in world.shards], strict=True))
    async with running_gateway({"shards": urls, **RULES}, tmp_path) as other:
        assert (await other.client.patch("/things/b", json={"n": 2})).status_code == 200
        assert (await other.client.patch("/things/a", json={"n": 2})).status_code == 503


async def test_a_shard_that_never_settles_one_change_does_not_keep_others_waiting(world: World) -> None:
    for app in world.apps:
        app.held["a"], app.held["b"] = {"id": "a"}, {"id": "b"}

    def poisoned(asked: Asked) -> bytes | None:
        return reply("{}", status="500 Internal Server Error") if "PUT /things/a" in asked.line else None

    world.apps[1].says = poisoned
    assert (await world.client.put("/things/a", json={"n": 1})).status_code == 202
    answers = await asyncio.gather(*[world.client.patch("/things/b", json={"n": n}) for n in range(3)])
    assert [answer.status_code for answer in answers] == [200] * 3
    assert (await world.client.put("/things/b", json={"n": 4})).status_code == 200
    world.apps[1].says = None
    await until(lambda: world.apps[1].held["a"] == {"id": "a"} and world.states[0] == "done")


async def test_c1_what_an_earlier_version_left_stuck_and_unsent_is_released(
    start_shard: Any, start_gateway: Any, tmp_path: Path
) -> None:
    sent = Sent("POST", b"/things", b"h", b"", b"[]", has_body=True, request_id=b"r")
    terms = Terms(patient=False, check="/things/{id}", repeat=False, already=(409,))
    branches = [Branch("north", phase="stuck", problem="a value", stuck_in="waiting"), Branch("south")]
    with SqliteStore(tmp_path / "store.db") as store:
        journal = Journal(store)
        left = Entry("t", "every", "create", sent, terms, {}, branches)
        journal.add(left, "w", Instant(1.0))
        left.state = "stuck"
        journal.save(left, "w", 0)
    apps = [Things(), Things()]
    shards = [await start_shard(app) for app in apps]
    gateway = await start_gateway({"shards": {"north": shards[0].url, "south": shards[1].url}, **RULES})
    await gateway.until_state("/.shardgate/changes/t", "undone")
    assert [shard.asked for shard in shards] == [[], []]
    assert (await gateway.client.post("/things", json={"name": "a"})).status_code == 201
