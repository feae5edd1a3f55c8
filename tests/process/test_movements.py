"""What a worker waits for before it acknowledges a turn of a movement: that, and nothing else."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from shardgate.core.changes.moving import FENCES, Phase
from shardgate.store.movements import Movements
from shardgate.store.opening import open_for_worker
from tests.cluster import Asked, Gateway, leave, reply
from tests.waiting import until

ONE = {"rule": "one", "key": "path.id", "locate": "vendor"}
EVERY = {"rule": "every", "mode": "eventual"}
LIST = {"rule": "gather", "merge": {"kind": "list", "dialect": {"kind": "offset"}, "keys": {"id": "text"}}}
BATCH = {
    "rule": "batch",
    "request": {"path": "url", "id": "id"},
    "replies": "responses",
    "reply": {"id": "id", "status": "status", "body": "body"},
}


class MoverByHand:
    """A mover that enters the phases that a test names: of tenant `a`, from north to south."""

    def __init__(self, place: Path) -> None:
        self.store, self.leases = open_for_worker(place)
        self.movements = Movements(self.store)
        self.store.put_many("vendors", [("a", "north"), ("b", "north"), ("long", "north")])
        self.number = 0

    def enter(self, phase: Phase) -> int:
        """Its turn."""
        if not self.number:
            begun = self.movements.begin("vendors", ["a"], "north", "south", self.leases.worker, 1.0)
            self.number = begun.id
        if phase == "flipped":
            current = self.movements.find(self.number)
            assert current is not None
            return self.movements.flip(current, [])
        return self.movements.enter(self.number, self.leases.worker, phase, FENCES[phase])

    def is_acknowledged(self, turn: int) -> bool:
        return bool(workers := self.movements.workers()) and all(each.turn >= turn for each in workers)

    def close(self) -> None:
        self.store.close()
        self.leases.close()


class World:
    """Two shards that answer when the test lets them, a gateway, and a mover."""

    def __init__(self, mover: MoverByHand) -> None:
        self.mover = mover
        self.go = asyncio.Event()
        self.asked: list[str] = []
        self.gateway: Gateway

    async def answer(self, asked: Asked) -> bytes:
        if asked.line.startswith("GET /about"):
            return reply("{}")
        self.asked.append(asked.line)
        if asked.line.startswith("GET /vendors/long"):
            return b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + b"x" * 100_000
        await self.go.wait()
        return reply("[]" if asked.line.startswith("GET /vendors ") else '{"id":"b"}')

    def ask(self, method: str, path: str, **options: Any) -> asyncio.Task[Any]:
        return asyncio.ensure_future(self.gateway.client.request(method, path, **options))

    async def enter(self, phase: Phase) -> None:
        """Enter a phase, which is acknowledged."""
        turn = self.mover.enter(phase)
        await until(lambda: self.mover.is_acknowledged(turn))

    async def enter_in_vain(self, phase: Phase) -> int:
        """Enter a phase, which the worker has seen and does not acknowledge; returns its turn."""
        turn = self.mover.enter(phase)
        follower = self.gateway.worker.built.movements
        assert follower is not None
        await until(lambda: follower._turn[1] == turn)
        for _ in range(20):
            await self.gateway.get("/about")
        assert not self.mover.is_acknowledged(turn)
        return turn


@pytest.fixture
def mover(tmp_path: Path) -> Iterator[MoverByHand]:
    with closing(MoverByHand(tmp_path / "directory.db")) as mover:
        yield mover


@pytest.fixture
async def world(mover: MoverByHand, start_shard: Any, start_gateway: Any) -> World:
    world = World(mover)
    rules = {
        "GET /vendors": LIST,
        "GET /vendors/{id}": ONE,
        "PUT /vendors/{id}": ONE,
        "PUT /kinds/{id}": EVERY,
        "POST /vendors": {"rule": "place", "space": "vendors", "key": "body.id", "check": "/vendors/{key}"},
        "POST /batch": BATCH,
        "GET /about": {"rule": "any"},
    }
    world.gateway = await start_gateway(
        {
            "shards": {name: (await start_shard(world.answer)).url for name in ("north", "south")},
            "rules": rules,
            "locators": {"vendor": [{"kind": "directory", "space": "vendors"}]},
            "directory": "directory.db",
        }
    )
    return world


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "k", "Authorization": "Bearer p"}])
async def test_after_the_flip_a_change_of_another_tenant_is_not_waited_for(
    world: World, headers: dict[str, str]
) -> None:
    """It may itself wait for the mover: SQLite has one writer."""
    await world.enter("fenced")
    changing = world.ask("PUT", "/vendors/b", json={}, headers=headers)
    await until(lambda: world.asked)
    for phase in ("closed", "committing", "flipped"):
        await world.enter(phase)
    assert not changing.done()
    world.go.set()
    assert (await changing).status_code == 200


async def test_after_the_flip_a_read_of_the_source_is_waited_for(world: World) -> None:
    await world.enter("committing")
    reading = world.ask("GET", "/vendors/a")
    await until(lambda: world.asked)
    turn = await world.enter_in_vain("flipped")
    world.go.set()
    await until(lambda: world.mover.is_acknowledged(turn))
    assert (await reading).status_code == 200


async def test_a_reply_of_the_source_that_has_begun_need_not_end(world: World) -> None:
    await world.enter("committing")
    reader, writer = await asyncio.open_connection("127.0.0.1", world.gateway.port)
    writer.write(b"GET /vendors/long HTTP/1.1\r\nHost: a\r\n\r\n")
    await reader.readexactly(1000)
    await world.enter("flipped")
    leave(writer)


async def test_a_read_in_a_batch_is_waited_for(world: World) -> None:
    await world.enter("committing")
    reading = world.ask("POST", "/batch", json={"requests": [{"id": "1", "method": "GET", "url": "/vendors/a"}]})
    await until(lambda: world.asked)
    turn = await world.enter_in_vain("flipped")
    world.go.set()
    await until(lambda: world.mover.is_acknowledged(turn))
    assert (await reading).json()["responses"][0]["status"] == 200


async def test_a_change_in_a_batch_that_began_before_the_fence_is_waited_for(world: World) -> None:
    changes = [{"id": "1", "method": "PUT", "url": "/vendors/a", "body": {}}]
    changing = world.ask("POST", "/batch", json={"requests": changes})
    await until(lambda: world.asked)
    turn = await world.enter_in_vain("fenced")
    world.go.set()
    await until(lambda: world.mover.is_acknowledged(turn))
    assert (await changing).json()["responses"][0]["status"] == 200


async def test_a_batch_with_a_change_that_is_held_holds_up_nobody(world: World) -> None:
    await world.enter("fenced")
    changes = [{"id": "1", "method": "PUT", "url": "/vendors/a", "body": {}}]
    changing = world.ask("POST", "/batch", json={"requests": changes})
    fence = world.gateway.worker.built.gateway.fence
    await until(lambda: fence._held)
    for phase in ("closed", "committing", "flipped", "releasing"):
        await world.enter(phase)
    await until(lambda: world.asked)
    world.go.set()
    assert (await changing).json()["responses"][0]["status"] == 200


async def test_a_list_waits_until_the_source_has_deleted_its_rows(world: World) -> None:
    for phase in ("fenced", "closed", "committing", "flipped"):
        await world.enter(phase)
    listing = world.ask("GET", "/vendors")
    fence = world.gateway.worker.built.gateway.fence
    await until(lambda: fence._held)
    assert world.asked == []
    world.go.set()
    await world.enter("releasing")
    assert (await listing).status_code == 200


async def test_a_change_of_every_shard_waits_at_the_fence_and_not_for_the_mover_who_waits_for_it(world: World) -> None:
    """Both shards are locked by the mover: the change would not end before the movement does."""
    await world.enter("fenced")
    changing = world.ask("PUT", "/kinds/1", json={})
    fence = world.gateway.worker.built.gateway.fence
    await until(lambda: fence._held)
    for phase in ("closed", "committing", "flipped"):
        await world.enter(phase)
    assert world.asked == []
    world.go.set()
    await world.enter("releasing")
    assert (await changing).status_code == 200


async def test_a_change_of_every_shard_that_began_before_the_fence_is_waited_for(world: World) -> None:
    changing = world.ask("PUT", "/kinds/1", json={})
    await until(lambda: world.asked)
    turn = await world.enter_in_vain("fenced")
    world.go.set()
    await until(lambda: world.mover.is_acknowledged(turn))
    assert (await changing).status_code == 200


async def test_a_placement_that_waits_for_another_one_behind_the_fence_is_not_waited_for(world: World) -> None:
    """The other one waits for the mover's transaction: both began behind the fence, and are of other tenants."""
    await world.enter("fenced")
    first = world.ask("POST", "/vendors", json={"id": "new"})
    await until(lambda: world.asked)
    second = world.ask("POST", "/vendors", json={"id": "new"})
    gateway = world.gateway.worker.built.gateway
    await until(lambda: len(gateway.under_way(lambda each: True)) == 2)
    for phase in ("closed", "committing", "flipped", "releasing"):
        await world.enter(phase)
    world.go.set()
    assert {(await first).status_code, (await second).status_code} <= {200, 201, 409}


async def test_a_placement_that_began_before_the_fence_is_waited_for(world: World) -> None:
    placing = world.ask("POST", "/vendors", json={"id": "new"})
    await until(lambda: world.asked)
    turn = await world.enter_in_vain("fenced")
    world.go.set()
    await until(lambda: world.mover.is_acknowledged(turn))
    assert (await placing).status_code in {200, 201}
