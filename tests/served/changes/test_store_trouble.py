"""The store is locked, full or slow while changes are under way: they are refused, or told as open; none is torn."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import Shard, until
from tests.locking import locked
from tests.served.things import Things

pytestmark = pytest.mark.slow  # each waits until the gateway gives up waiting for the lock: 5 s and more

RULES = {
    "store": "store.db",
    "timeouts": {"request_timeout_s": 20},
    "rules": {
        "POST /things": {
            "rule": "every",
            "assign": {"id": "hex"},
            "check": "/things/{id}",
            "undo": {"method": "DELETE", "path": "/things/{id}"},
        },
        "GET /things/{id}": {"rule": "any"},
        "PUT /things/{id}": {"rule": "any", "idempotency": {"repeat": False}},
    },
}


class World:
    """Two shards with things, and the gateway before them."""

    def __init__(self, folder: Path, apps: list[Things], shards: list[Shard], gateway: Any) -> None:
        self.store = folder / "store.db"
        self.apps, self.shards, self.gateway = apps, shards, gateway
        self.client = gateway.client

    @property
    def debts(self) -> int:
        return len(self.gateway.worker.built.journaled.debts)

    def names(self) -> list[list[str]]:
        return [sorted(thing["name"] for thing in app.held.values()) for app in self.apps]


@pytest.fixture
async def world(start_shard: Any, start_gateway: Any, tmp_path: Path) -> World:
    apps = [Things(), Things()]
    shards = [await start_shard(app) for app in apps]
    urls = dict(zip(("north", "south"), [shard.url for shard in shards], strict=True))
    return World(tmp_path, apps, shards, await start_gateway({"shards": urls, **RULES}))


async def test_a_change_whose_outcome_cannot_be_written_down_is_finished_once_it_can(world: World) -> None:
    """Found: such a change stayed with its living worker, which drove it no more, and all later ones waited for it."""
    world.apps[0].gate.clear()
    posting = asyncio.ensure_future(world.client.post("/things", json={"name": "a"}))
    await until(lambda: world.shards[0].asked)
    with locked(world.store):
        world.apps[0].gate.set()
        answer = await posting
        assert (answer.status_code, answer.json()["code"]) == (500, "SG4003")
        link = answer.json()["detail"].rpartition(" ")[2]
        assert (await world.client.get("/things/1")).status_code == 404
        refused = await world.client.post("/things", json={"name": "b"})
        assert (refused.status_code, refused.json()["code"]) == (503, "SG4002")
        assert refused.headers["retry-after"] == "1"
    began_at = asyncio.get_running_loop().time()
    await world.gateway.until_state(link, "done")
    assert (await world.client.post("/things", json={"name": "c"})).status_code == 201
    assert asyncio.get_running_loop().time() - began_at < 2
    assert world.names() == [["a", "c"], ["a", "c"]]


async def test_a_reply_that_cannot_be_kept_reaches_its_client_and_is_kept_once_it_can(world: World) -> None:
    """Found: the client of a change that was made read that the gateway has a defect (SG9001)."""
    world.apps[0].gate.clear()
    world.apps[1].gate.clear()
    with_key = {"Idempotency-Key": "k1"}
    putting = asyncio.ensure_future(world.client.put("/things/7", json={"name": "a"}, headers=with_key))
    await until(lambda: [*world.shards[0].asked, *world.shards[1].asked])
    with locked(world.store):
        for app in world.apps:
            app.gate.set()
        answer = await putting
        assert answer.status_code == 404  # the application's own word
        assert world.debts > 0
    await until(lambda: world.debts == 0)
    again = await world.client.put("/things/7", json={"name": "a"}, headers=with_key)
    assert (again.status_code, again.headers["idempotent-replayed"]) == (answer.status_code, "true")


async def test_a_store_that_is_full_refuses_changes_and_nothing_is_sent(world: World) -> None:
    with closing(sqlite3.connect(world.store)) as store, store:
        store.execute("CREATE TRIGGER full BEFORE INSERT ON journal BEGIN SELECT RAISE(FAIL, 'disk full'); END")
    refused = await world.client.post("/things", json={"name": "a"})
    assert (refused.status_code, refused.json()["code"]) == (503, "SG4002")
    assert "disk" not in refused.text
    assert [shard.asked for shard in world.shards] == [[], []]
    with closing(sqlite3.connect(world.store)) as store, store:
        store.execute("DROP TRIGGER full")
    assert (await world.client.post("/things", json={"name": "a"})).status_code == 201
