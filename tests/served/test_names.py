"""Names that clients give to what they create: all requests of a name go to the shard of the first."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cluster import reply, running_gateway
from tests.served.things import Things

CONFIG: dict[str, Any] = {
    "store": "store.db",
    "locators": {
        "hall": [{"kind": "prefix", "shards": {"n": "north", "s": "south"}}],
        "seen": [{"kind": "probe", "path": "/halls/{key}"}],
    },
    "rules": {
        "POST /things": {"rule": "one", "key": "body.hall", "locate": "hall", "idempotency": {"name": "body.id"}},
        "POST /seats": {
            "rule": "one",
            "key": "body.hall",
            "locate": "seen",
            "unknown": "ask",
            "idempotency": {"name": "body.id"},
        },
    },
}


class World:
    """Two shards, and a gateway before them."""

    def __init__(self, apps: dict[str, Things], shards: dict[str, str], gateway: Any) -> None:
        self.apps, self.shards, self.client = apps, shards, gateway.client

    async def post(self, name: str, hall: str, path: str = "/things", **headers: str) -> httpx.Response:
        return await self.client.post(path, json={"id": name, "hall": hall}, headers=headers)

    def holders(self, name: str) -> list[str]:
        return [shard for shard, app in self.apps.items() if name in app.held]


@pytest.fixture
async def world(start_shard: Any, start_gateway: Any) -> World:
    apps = {"north": Things(), "south": Things()}
    shards = {name: (await start_shard(app)).url for name, app in apps.items()}
    return World(apps, shards, await start_gateway({"shards": shards, **CONFIG}))


async def test_a_second_request_of_a_name_goes_to_the_shard_of_the_first(world: World) -> None:
    assert (await world.post("a", "n-1")).status_code == 201
    assert (await world.post("a", "s-1")).status_code == 409
    assert world.holders("a") == ["north"]
    assert (await world.post("b", "s-1")).status_code == 201
    assert world.holders("b") == ["south"]


async def test_another_worker_knows_the_name(world: World, tmp_path: Path) -> None:
    await world.post("a", "n-1")
    async with running_gateway({"shards": world.shards, **CONFIG}, tmp_path) as other:
        assert (await other.client.post("/things", json={"id": "a", "hall": "s-1"})).status_code == 409
    assert world.holders("a") == ["north"]


async def test_names_of_different_clients_are_different_names(world: World) -> None:
    await world.post("a", "n-1", Authorization="Bearer one")
    assert (await world.post("a", "s-1", Authorization="Bearer two")).status_code == 201
    assert world.holders("a") == ["north", "south"]


async def test_a_refused_create_leaves_its_name_free(world: World) -> None:
    world.apps["north"].says = lambda asked: reply("{}", status="422 Unprocessable Content")
    assert (await world.post("a", "n-1")).status_code == 422
    assert (await world.post("a", "s-1")).status_code == 201
    assert world.holders("a") == ["south"]


@pytest.mark.parametrize(
    ("said", "status"),
    [(b"", 502), (reply(status="503 Service Unavailable"), 503), (reply(status="500 Internal Server Error"), 500)],
)
async def test_a_name_whose_first_reply_was_lost_stays_where_it_may_be(world: World, said: bytes, status: int) -> None:
    # Found: a name was free again after a 5xx, so that a thing that was made was made on a second shard, too.
    north = world.apps["north"]

    def lose(asked: Any) -> bytes:
        north.act(asked)
        return said

    north.says = lose
    assert (await world.post("a", "n-1")).status_code == status
    north.says = None
    assert (await world.post("a", "s-1")).status_code == 409
    assert world.holders("a") == ["north"]


async def test_a_request_without_a_name_goes_where_its_key_says(world: World) -> None:
    for hall, app in (("n-1", "north"), ("s-1", "south")):
        assert (await world.client.post("/things", json={"hall": hall})).status_code == 201
        assert len(world.apps[app].held) == 1


async def test_a_name_is_known_also_where_nobody_has_the_key(world: World) -> None:
    def hall(asked: Any, has: str) -> bytes | None:
        if not asked.line.startswith("GET /halls/"):
            return None
        return reply("{}") if has in asked.line else reply("{}", status="404 Not Found")

    world.apps["north"].says = lambda asked: hall(asked, "n-1")
    world.apps["south"].says = lambda asked: hall(asked, "s-1")
    assert (await world.post("a", "s-1", "/seats")).status_code == 201
    for _ in range(3):
        assert (await world.post("a", "nowhere", "/seats")).status_code == 409
    assert world.holders("a") == ["south"]
    assert (await world.post("a", "n-1", "/things")).status_code == 201  # another operation makes other things
