"""A change under a condition (RFC 9110 section 13.1) that concerns several shards: made on all of them, or on none."""

import hashlib
import json
from typing import Any

import pytest

from shardgate.store.sqlite import SqliteStore
from tests.cluster import Asked, reply
from tests.served.changes.test_parts import RULES as IN_PARTS
from tests.served.changes.test_parts import World
from tests.served.seats import Seats
from tests.served.things import Things

EVERY: dict[str, Any] = {
    "store": "store.db",
    "locators": {"thing": [{"kind": "probe", "path": "/things/{key}"}]},
    "rules": {
        "GET /things/{id}": {"rule": "gather", "merge": {"kind": "first"}},
        "GET /notes/{id}": {"rule": "any"},
        "PATCH /notes/{id}": {"rule": "every", "mode": "eventual", "repeat": True},
        "PATCH /things/{id}": {"rule": "one", "key": "path.id", "locate": "thing"},
        "PUT /things": {"rule": "divide", "mode": "independent", "key": "hall", "locate": "hall"},
    },
}
EVERY["locators"]["hall"] = [{"kind": "prefix", "shards": {"n": "north", "s": "south"}}]


def tag_of(body: bytes) -> str:
    return f'"{hashlib.md5(body).hexdigest()}"'


class Tagged:
    """An application that gives each thing a strong tag, and refuses a change whose `If-Match` has another one."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.conditions: list[list[str]] = []

    def shown(self, asked: Asked) -> bytes:
        target = asked.line.split()[1]
        path = target.split("/")[1:]
        return json.dumps(self.app.act("GET", path[:2], {})[1]).encode() if len(path) > 1 else b""

    def __call__(self, asked: Asked) -> bytes:
        method, target, _ = asked.line.split()
        given, known = asked.field("if-match"), self.shown(asked)
        if method != "GET":
            self.conditions.append(given)
        if method != "GET" and given and tag_of(known) not in given[0] and given != ["*"]:
            return reply('{"error":"changed"}', status="412 Precondition Failed")
        status, said = self.app.act(method, target.split("/")[1:], json.loads(asked.body) if asked.body else {})
        body = json.dumps(said).encode()
        phrase = {200: "200 OK", 201: "201 Created", 404: "404 Not Found"}[status]
        return reply(body, status=phrase, fields=f"ETag: {tag_of(body)}\r\n")


@pytest.fixture
async def two(start_shard: Any, start_gateway: Any) -> Any:
    class Two:
        north, south = Tagged(Things().shelf), Tagged(Things().shelf)
        says: Any = None

    def answer(app: Tagged) -> Any:
        def act(asked: Asked) -> bytes:
            said = Two.says(asked) if Two.says is not None else None
            return app(asked) if said is None else said

        return act

    shards = {name: (await start_shard(answer(getattr(Two, name)))).url for name in ("north", "south")}
    Two.gateway = await start_gateway({"shards": shards, **EVERY})  # type: ignore[attr-defined]
    for app in (Two.north, Two.south):
        app.app.held["7"] = {"id": "7", "name": "a"}
    return Two


async def test_a_change_of_all_shards_is_made_only_under_its_condition(two: Any) -> None:
    # Found: the condition was left out, so that a client overwrote what it had never seen, with a 200.
    tag = (await two.gateway.get("/notes/7")).headers["etag"]
    changed = await two.gateway.client.patch("/notes/7", json={"name": "b"}, headers={"If-Match": tag})
    assert changed.status_code == 200
    stale = await two.gateway.client.patch("/notes/7", json={"name": "c"}, headers={"If-Match": tag})
    assert (stale.status_code, stale.json()) == (412, {"error": "changed"})
    assert [app.app.held["7"]["name"] for app in (two.north, two.south)] == ["b", "b"]
    assert two.north.conditions == [[tag], [tag]]
    assert two.south.conditions == [[]]  # the first shard judges for all


async def test_a_shard_that_could_not_be_reached_is_sent_the_condition_later(two: Any) -> None:
    tag = (await two.gateway.get("/notes/7")).headers["etag"]
    busy = reply("", status="503 Service Unavailable", fields="Retry-After: 1\r\n")
    two.says = lambda asked: busy if asked.line.startswith("PATCH") else None
    waited = await two.gateway.client.patch("/notes/7", json={"name": "b"}, headers={"If-Match": tag})
    assert waited.status_code == 503
    two.says = None
    assert (await two.gateway.get("/notes/7")).json()["name"] == "a"


@pytest.mark.parametrize("said", [b"", reply("", status="503 Service Unavailable")])
async def test_a_lost_reply_to_a_condition_is_never_guessed(two: Any, said: bytes) -> None:
    tag = (await two.gateway.get("/notes/7")).headers["etag"]
    two.says = lambda asked: said if asked.line.startswith("PATCH") else None
    lost = await two.gateway.client.patch("/notes/7", json={"name": "b"}, headers={"If-Match": tag})
    assert (lost.status_code, lost.json()["code"]) == (502, "SG2011")
    two.says = None
    assert [app.app.held["7"]["name"] for app in (two.north, two.south)] == ["a", "a"]


async def test_a_merged_reply_of_the_one_shard_that_has_it_has_its_own_tag(two: Any) -> None:
    # Found: the tag was the gateway's, so that the change that followed was refused with 412, for ever.
    del two.north.app.held["7"]
    tag = (await two.gateway.get("/things/7")).headers["etag"]
    assert tag == tag_of(json.dumps(two.south.app.held["7"]).encode())
    assert (await two.gateway.get("/things/7", headers={"If-None-Match": tag})).status_code == 304
    patch = two.gateway.client.patch
    assert (await patch("/things/7", json={"name": "b"}, headers={"If-Match": tag})).status_code == 200
    assert (await patch("/things/7", json={"name": "c"}, headers={"If-Match": tag})).status_code == 412
    two.north.app.held["7"] = {"id": "7", "name": "other"}
    assert (await two.gateway.get("/things/7")).headers["etag"].startswith('W/"')


async def test_each_part_of_a_divided_change_is_judged_by_its_shard(two: Any) -> None:
    two.north.app.act = two.south.app.act = lambda *_: (200, [{"ok": True}])
    items = [{"hall": "n-1"}, {"hall": "s-1"}]
    answer = await two.gateway.client.put("/things", json=items, headers={"If-Match": '"old"'})
    assert (answer.status_code, answer.json()) == (412, {"error": "changed"})
    assert two.north.conditions == two.south.conditions == [['"old"']]


@pytest.fixture
async def parts(start_shard: Any, start_gateway: Any, tmp_path: Any) -> World:
    north, south = Seats({"a": 9}), Seats({"y": 9})
    SqliteStore(tmp_path / "store.db").close()

    def tagged(app: Seats) -> Any:
        def answer(asked: Asked) -> bytes:
            target = asked.line.split()[1]
            order = app.orders.get(target.split("/")[2]) if target.startswith("/orders/") else None
            now = tag_of(json.dumps(order).encode())
            if asked.field("if-match") and asked.field("if-match") != [now]:
                return reply('{"error":"changed"}', status="412 Precondition Failed")
            said = app(asked)
            return said.replace(b"\r\n", b"\r\nETag: %b\r\n" % now.encode(), 1) if order else said

        return answer

    urls = {"north": (await start_shard(tagged(north))).url, "south": (await start_shard(tagged(south))).url}
    return World(north, south, await start_gateway({"shards": urls, **IN_PARTS}), tmp_path)


async def test_an_entity_in_parts_is_changed_under_the_tag_that_the_gateway_made(parts: World) -> None:
    # Found: the condition was left out, so that the change was made whatever the parts had become.
    order = await parts.order()
    read = await parts.gateway.get(f"/orders/{order}")
    tag = read.headers["etag"]
    assert tag.startswith('"sg-parts-')
    assert (await parts.gateway.get(f"/orders/{order}", headers={"If-None-Match": tag})).status_code == 304
    parts.south.orders[order]["paid"] = 1
    post = parts.gateway.client.post
    stale = await post(f"/orders/{order}/void", json={}, headers={"If-Match": tag})
    assert (stale.status_code, stale.json()["code"], stale.json()["header"]) == (412, "SG1032", "If-Match")
    unknown = await post(f"/orders/{order}/void", json={}, headers={"If-Match": '"other"'})
    assert (unknown.status_code, unknown.json()) == (412, {"error": "changed"})  # in the application's words
    tag = (await parts.gateway.get(f"/orders/{order}")).headers["etag"]
    done = await post(f"/orders/{order}/void", json={}, headers={"If-Match": tag})
    assert done.status_code == 200, done.text
