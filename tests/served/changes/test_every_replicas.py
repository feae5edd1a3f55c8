"""`every` over a shard with replicas: one of them hangs with the change in its queue, and makes it when it goes on."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.cluster import Asked, until
from tests.served.things import Things

RULES = {
    "store": "store.db",
    "timeouts": {"request_timeout_s": 1, "first_byte_timeout_s": 1, "worker_lease_s": 1},
    "rules": {
        "POST /things": {
            "rule": "every",
            "assign": {"id": "hex"},
            "check": "/things/{id}",
            "undo": {"method": "DELETE", "path": "/things/{id}"},
        }
    },
}


class Replica:
    """Of one set of things. The first of them that gets a POST hangs, with all that it is asked, until it is thawed."""

    def __init__(self, things: Things, hung: "list[Replica]", thaw: asyncio.Event) -> None:
        self._things, self._hung, self._thaw = things, hung, thaw

    async def __call__(self, asked: Asked) -> bytes:
        if asked.line.startswith("POST") and not self._hung:
            self._hung.append(self)
        if self in self._hung:
            await self._thaw.wait()
        return await self._things(asked)


async def test_a_change_in_the_queue_of_a_replica_that_hangs_is_not_taken_for_absent(
    start_shard: Any, start_gateway: Any, tmp_path: Path
) -> None:
    """Found: the other replica did not show it, so it was told as undone; and then the one that had hung made it."""
    north, south, thaw = Things(), Things(), asyncio.Event()
    hung: list[Replica] = []
    replicas = [await start_shard(Replica(north, hung, thaw)) for _ in range(2)]
    other = await start_shard(south)
    shards = {"north": {"replicas": [each.url for each in replicas]}, "south": other.url}
    gateway = await start_gateway({"shards": shards, **RULES})
    answer = await gateway.client.post("/things", json={"name": "a"})
    assert answer.status_code in {503, 504}
    asked = sum(len(each.asked) for each in replicas)
    await until(lambda: sum(len(each.asked) for each in replicas) > asked)
    assert states(tmp_path) == ["undoing"]
    thaw.set()
    await until(lambda: states(tmp_path) == ["undone"])
    assert (north.held, south.held) == ({}, {})


def states(folder: Path) -> list[str]:
    with closing(sqlite3.connect(folder / "store.db")) as store:
        return [state for (state,) in store.execute("SELECT state FROM journal")]
