"""A shard that shows a key of another gains nothing: the key is found by asking all, or the request is refused."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.cluster import Asked, Gateway, reply
from tests.observe.metrics import Metrics

LISTED = {"rule": "gather", "merge": {"kind": "list", "dialect": {"kind": "offset"}, "keys": {"id": "text"}}}
LEARNED, PROBE = {"kind": "learned"}, {"kind": "probe", "path": "/items/{key}"}


@dataclass
class Items:
    """A shard with items, which may show more than it has."""

    has: set[str]
    shows: set[str] = field(default_factory=set)
    asked: list[Asked] = field(default_factory=list)
    lies: bool = False

    def __call__(self, asked: Asked) -> bytes:
        self.asked.append(asked)
        path = asked.line.split()[1].partition("?")[0]
        if path == "/items":
            return reply(json.dumps([{"id": key} for key in sorted(self.has | self.shows)]))
        key = path.removeprefix("/items/")
        if key in self.has or (self.lies and key in self.shows):
            return reply(json.dumps({"id": key}))
        return reply("{}", status="404 Not Found")

    def took(self, method: str) -> list[str]:
        """The targets of its requests of a method, and forgets them."""
        lines = [asked.line for asked in self.asked if asked.line.startswith(method)]
        self.asked.clear()
        return [line.split()[1] for line in lines]


@dataclass
class Two:
    north: Items
    south: Items
    gateway: Gateway


@pytest.fixture
def two(start_shard: Any, start_gateway: Any) -> Any:
    async def start(*chain: Any) -> Two:
        north, south = Items({"n"}), Items({"s"})
        shards = {"north": (await start_shard(north)).url, "south": (await start_shard(south)).url}
        one = {"rule": "one", "key": "path.id", "locate": "item"}
        rules = {
            "GET /items": {**LISTED, "learn": {"item": "id"}},
            "GET /items/{id}": one,
            "PUT /items/{id}": one,
        }
        config = {"shards": shards, "locators": {"item": list(chain)}, "rules": rules, "admin": "127.0.0.1:0"}
        return Two(north, south, await start_gateway(config))

    return start


async def put(gateway: Gateway, key: str) -> Any:
    return await gateway.client.put(f"/items/{key}", json={}, headers={"Authorization": "Bearer secret"})


async def disputes(gateway: Gateway) -> float:
    gateway.tick()
    return Metrics((await gateway.admin("/metrics")).text).value("shardgate_key_disputes_total", shard="south")


async def test_what_a_liar_shows_does_not_bring_it_the_requests_of_others(two: Any, caplog: Any) -> None:
    """Found: a row with another shard's id was learned, and requests with their tokens went to the liar."""
    pair = await two(LEARNED, PROBE)
    await pair.gateway.get("/items")
    pair.south.shows.add("n")
    for _ in range(3):
        await pair.gateway.get("/items")
    assert (await put(pair.gateway, "n")).status_code == 200
    assert pair.north.took("PUT") == ["/items/n"]
    assert pair.south.took("PUT") == []
    assert await disputes(pair.gateway) == 1
    told = [record.getMessage() for record in caplog.records if "SG2006" in record.getMessage()]
    assert len(told) == 1
    assert "shard=north,south" in told[0]


async def test_where_a_liar_says_that_it_has_the_key_nobody_gets_the_change(two: Any) -> None:
    pair = await two(LEARNED, PROBE)
    pair.south.shows.add("n")
    pair.south.lies = True
    await pair.gateway.get("/items")
    answer = await put(pair.gateway, "n")
    assert (answer.status_code, answer.json()["code"]) == (409, "SG2006")
    assert pair.north.took("PUT") == pair.south.took("PUT") == []


async def test_without_a_way_to_ask_a_change_is_refused_and_a_read_asks_all(two: Any) -> None:
    pair = await two(LEARNED)
    pair.south.shows.add("n")
    await pair.gateway.get("/items")
    answer = await put(pair.gateway, "n")
    assert (answer.status_code, answer.json()["code"]) == (409, "SG2006")
    assert (await pair.gateway.get("/items/n")).json() == {"id": "n"}
    assert (await put(pair.gateway, "n")).status_code == 200, "north alone said that it has the key"
    assert pair.south.took("PUT") == []


@pytest.mark.parametrize("chain", [(LEARNED, PROBE), (LEARNED,)])
async def test_a_row_that_moves_is_found_again(two: Any, chain: Any) -> None:
    pair = await two(*chain)
    await pair.gateway.get("/items")
    pair.north.has.remove("n")
    pair.south.has.add("n")
    await pair.gateway.get("/items")
    assert (await pair.gateway.get("/items/n")).status_code == 200
    assert (await put(pair.gateway, "n")).status_code == 200
    assert pair.south.took("PUT") == ["/items/n"]


async def test_a_shard_that_has_not_what_it_showed_is_forgotten(two: Any) -> None:
    pair = await two(LEARNED)
    pair.south.shows.add("x")
    await pair.gateway.get("/items")
    assert (await pair.gateway.get("/items/x")).status_code == 404
    pair.south.shows.clear()
    pair.north.has.add("x")
    await pair.gateway.get("/items")
    assert (await put(pair.gateway, "x")).status_code == 200
    assert pair.north.took("PUT") == ["/items/x"]
