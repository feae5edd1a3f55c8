"""Two gateways on one store in PostgreSQL: they are as one; and each serves on, as far as it can, while the store is
away."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from proof.postgres_server import PostgresServer
from shardgate.core.hosts import PostgresUrl
from shardgate.store.opening import open_store
from shardgate.store.postgres_leases import HELD_S, SILENT_S
from tests.cluster import Asked, Gateway, running_gateway, running_shard, until
from tests.served.things import Things
from tests.store.test_postgres import through
from tests.wire import Wire, wire_to

NAMES = ("north", "south")
RULES: dict[str, Any] = {
    "timeouts": {"request_timeout_s": 20, "worker_lease_s": 0.5},
    "locators": {"vendor": [{"kind": "directory", "space": "vendors"}], "made": [{"kind": "hash"}]},
    "rules": {
        "POST /vendors": {"rule": "place", "space": "vendors", "key": "body.id", "check": "/vendors/{key}"},
        "GET /vendors/{v}": {"rule": "one", "key": "path.v", "locate": "vendor"},
        "PUT /vendors/{v}": {"rule": "one", "key": "path.v", "locate": "vendor"},
        "POST /notes": {"rule": "every", "check": "/notes/{id}", "undo": {"method": "DELETE", "path": "/notes/{id}"}},
        "GET /notes/{id}": {"rule": "any"},
        "PUT /made/{id}": {"rule": "one", "key": "path.id", "locate": "made"},
    },
}


class Slow(Things):
    """Things of which only changes wait for the gate."""

    async def __call__(self, asked: Asked) -> bytes:
        return await super().__call__(asked) if asked.line.startswith("POST") else self.act(asked)


class World:
    """Two shards; a gateway that is well, and one at the end of a wire."""

    def __init__(self, apps: list[Things], near: Gateway, far: Gateway, wire: Wire, place: PostgresUrl) -> None:
        self.apps, self.near, self.far, self.wire, self.place = apps, near, far, wire, place

    @property
    def both(self) -> tuple[Gateway, Gateway]:
        return self.near, self.far

    def directory(self) -> dict[str, str]:
        with open_store(self.place) as store:
            return store.read("vendors")


@pytest.fixture
def wire(server: PostgresServer) -> Iterator[Wire]:
    with wire_to(server.port) as wire:
        yield wire


@pytest.fixture
async def world(wire: Wire, postgres_place: PostgresUrl, tmp_path: Path) -> AsyncIterator[World]:
    apps: list[Things] = [Slow(), Slow()]
    async with AsyncExitStack() as stack:
        shards = [await stack.enter_async_context(running_shard(app)) for app in apps]
        urls = dict(zip(NAMES, [shard.url for shard in shards], strict=True))
        gateways = []
        for place in (postgres_place, through(wire, postgres_place)):
            config = {"shards": urls, "store": place.text, **RULES}
            gateways.append(await stack.enter_async_context(running_gateway(config, tmp_path)))
        world = World(apps, gateways[0], gateways[1], wire, postgres_place)
        try:
            yield world
        finally:
            wire.refuses = False
            wire.open.set()


async def test_creates_of_one_name_at_both_go_to_one_shard(world: World) -> None:
    for number in range(5):
        asking = [each.client.post("/vendors", json={"id": f"v{number}"}) for each in (*world.both, *world.both)]
        statuses = sorted([answer.status_code for answer in await asyncio.gather(*asking)])
        assert statuses == [201, 409, 409, 409]
    assert sum(app.log.count("POST /vendors") for app in world.apps) == 20
    holders = {name: set(app.held) for name, app in zip(NAMES, world.apps, strict=True)}
    assert not holders["north"] & holders["south"]
    assert world.directory() == {key: name for name, held in holders.items() for key in held}


async def test_a_tenant_that_one_has_placed_the_other_knows_at_once(world: World) -> None:
    for number in range(20):
        asked, other = world.both[:: 1 if number % 2 else -1]
        assert (await asked.client.post("/vendors", json={"id": f"v{number}"})).status_code == 201
        assert (await other.client.get(f"/vendors/v{number}")).status_code == 200
    assert (await world.far.client.get("/vendors/none")).status_code == 404


async def test_a_request_with_a_key_is_answered_once_wherever_it_is_repeated(world: World) -> None:
    for number in range(5):
        key = {"Idempotency-Key": f"k{number}", "Authorization": "Bearer partner"}
        asking = [each.client.put(f"/made/{number}", json={}, headers=key) for each in world.both]
        first, second = await asyncio.gather(*asking)
        again = [await each.client.put(f"/made/{number}", json={}, headers=key) for each in world.both]
        done = [answer for answer in (first, second) if "SG" not in answer.text]
        assert len(done) >= 1
        assert {answer.text for answer in (*done, *again)} == {done[0].text}
        assert [answer.headers["idempotent-replayed"] for answer in again] == ["true", "true"]
        assert sum(app.log.count(f"PUT /made/{number}") for app in world.apps) == 1


async def test_a_key_of_a_gateway_that_died_is_answered_when_it_is_first_asked_for(world: World) -> None:
    """Found by `make crash STORE=postgresql`: the first look at a dead worker is never sure, so that the repetition was
    told that the first request is under way; and each later one, too, that came 10 s later, or to another worker."""
    for number, gateway in enumerate(world.both):
        key = {"Idempotency-Key": f"d{number}", "Authorization": "Bearer partner"}
        first = await gateway.client.put(f"/made/d{number}", json={}, headers=key)
        with open_store(world.place) as store, store.transaction():
            store.execute("UPDATE idempotency SET owner = '4711', reply = NULL")
        again = await gateway.client.put(f"/made/d{number}", json={}, headers=key)
        assert (again.status_code, again.text) == (first.status_code, first.text)
        assert sum(app.log.count(f"PUT /made/d{number}") for app in world.apps) == 2  # it may be done twice


async def test_changes_for_all_shards_have_one_order(world: World) -> None:
    asking = [world.both[n % 2].client.post("/notes", json={"id": f"n{n}"}) for n in range(16)]
    assert {answer.status_code for answer in await asyncio.gather(*asking)} == {201}
    assert [*world.apps[0].held] == [*world.apps[1].held]
    assert len(world.apps[0].held) == 16


async def test_what_a_gateway_that_is_cut_off_had_begun_the_other_ends_and_it_is_made_once(world: World) -> None:
    for app in world.apps:
        app.gate.clear()
    posting = asyncio.ensure_future(world.far.client.post("/notes", json={"id": "n1"}))
    await until(lambda: any("sent" in each for each in _open(world)))
    journaled = world.far.worker.built.journaled
    assert journaled is not None
    world.wire.open.clear()  # from now on nothing of the far gateway reaches the store
    await until(lambda: not journaled.writer.leases.holds())
    for app in world.apps:
        app.gate.set()
    await until(lambda: not _open(world))
    answer = await posting
    assert (answer.status_code, answer.json()["code"]) == (500, "SG4003")
    assert [list(app.held) for app in world.apps] == [["n1"], ["n1"]]
    assert [app.log.count("POST /notes") for app in world.apps] == [1, 1]
    world.wire.open.set()
    await until(lambda: _may_write(world.far, "n2"))
    assert [list(app.held) for app in world.apps] == [["n1", "n2"], ["n1", "n2"]]


async def _may_write(gateway: Gateway, name: str) -> bool:
    return (await gateway.client.post("/notes", json={"id": name})).status_code in {201, 409}


def _open(world: World) -> list[tuple[str, ...]]:
    with open_store(world.place) as store:
        rows = store.execute(
            "SELECT b.entry, b.state FROM journal_branches b JOIN journal e ON e.id = b.entry"
            " WHERE e.state IN ('trying', 'finishing', 'undoing') ORDER BY b.entry, b.number"
        ).fetchall()
    entries: dict[int, list[str]] = {}
    for entry, state in rows:
        entries.setdefault(entry, []).append(state)
    return [tuple(each) for each in entries.values()]


@pytest.mark.parametrize("silent", [False, True])
async def test_while_the_store_is_away_reads_are_served_and_changes_refused(world: World, silent: bool) -> None:
    assert (await world.near.client.post("/vendors", json={"id": "v1"})).status_code == 201
    assert (await world.near.client.post("/notes", json={"id": "n1"})).status_code == 201
    assert (await world.far.client.get("/vendors/v1")).status_code == 200
    if silent:
        world.wire.open.clear()
    else:
        world.wire.refuses = True
        world.wire.cut()
    asked = [app.log.copy() for app in world.apps]
    changes = [
        world.far.client.post("/notes", json={"id": "n2"}),
        world.far.client.post("/vendors", json={"id": "v2"}),
        world.far.client.put("/made/1", json={}, headers={"Idempotency-Key": "k", "Authorization": "Bearer p"}),
    ]
    changing = [asyncio.ensure_future(each) for each in changes]
    began_at = asyncio.get_running_loop().time()
    assert (await world.far.client.get("/vendors/v1")).status_code == 200
    assert (await world.far.client.get("/notes/n1")).status_code == 200
    assert asyncio.get_running_loop().time() - began_at < 1
    assert (await world.far.client.get("/vendors/none")).status_code == 404
    for answer in await asyncio.gather(*changing):
        assert (answer.status_code, answer.json()["code"]) in [(503, "SG4002"), (503, "SG4005")]
        assert answer.headers["retry-after"] == "1"
        assert "postgres" not in answer.text
    assert [app.log for app in world.apps] == asked  # nothing was sent
    assert (await world.near.client.post("/notes", json={"id": "n3"})).status_code == 201
    world.wire.refuses = False
    world.wire.cut()
    world.wire.open.set()
    await until(lambda: _may_write(world.far, "n4"))
    assert [sorted(set(app.held) - {"v1"}) for app in world.apps] == [["n1", "n3", "n4"], ["n1", "n3", "n4"]]
    assert (await world.near.client.post("/vendors", json={"id": "v3"})).status_code == 201
    await until(lambda: _knows(world.far, "v3"))


async def test_a_gateway_whose_lease_has_ended_sends_no_change_by_the_map_that_it_has(world: World) -> None:
    """Also while it still waits for an answer of the store: soon the others wait for it no more."""
    assert (await world.near.client.post("/vendors", json={"id": "v1"})).status_code == 201
    assert (await world.far.client.put("/vendors/v1", json={})).status_code == 200
    journaled, fence = world.far.worker.built.journaled, world.far.worker.built.gateway.fence
    assert journaled is not None
    world.wire.open.clear()
    await until(lambda: not journaled.writer.leases.holds())
    ended_at = asyncio.get_running_loop().time()
    await until(lambda: fence.level == "cut_off")
    assert asyncio.get_running_loop().time() - ended_at < SILENT_S - HELD_S
    answer = await world.far.client.put("/vendors/v1", json={})
    assert (answer.status_code, answer.json()["code"]) == (503, "SG4011")
    assert (await world.far.client.get("/vendors/v1")).status_code == 200
    world.wire.cut()
    world.wire.open.set()
    await until(lambda: fence.level == "open")
    assert (await world.far.client.put("/vendors/v1", json={})).status_code == 200


async def _knows(gateway: Gateway, name: str) -> bool:
    return (await gateway.client.get(f"/vendors/{name}")).status_code == 200
