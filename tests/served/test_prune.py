"""Pruning: a list is asked only of the shards that own a value of its filter."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.cluster import Answer, Asked, rows

LIST = {
    "rule": "gather",
    "merge": {"kind": "list", "dialect": {"kind": "offset", "count_header": "X-Total"}, "keys": {"id": "text"}},
    "learn": {"event": "id"},
    "prune": {"vendor": {"locate": "vendor", "separator": "|"}, "accept": "event"},
}
CONFIG = {
    "locators": {
        "vendor": [{"kind": "prefix", "shards": {"n": "north", "s": "south", "w": "west"}}],
        "event": [{"kind": "learned"}, {"kind": "probe", "path": "/events/{key}"}],
    },
    "rules": {"GET /events": LIST, "GET /events/{id}": {"rule": "one", "key": "path.id", "locate": "event"}},
}
EVENTS = {"north": ["e1", "e4"], "south": ["e2"], "west": ["e3"]}


def application(name: str) -> Answer:
    """An instance: `vendor` and `accept` keep rows, the size of the list is counted."""

    def answer(asked: Asked) -> bytes:
        values = parse_qs(urlsplit(asked.line.split(" ")[1]).query)
        kept = [event for event in EVENTS[name] if "accept" not in values or event in values["accept"][0].split(",")]
        if "vendor" in values and not any(vendor.startswith(name[0]) for vendor in values["vendor"][0].split("|")):
            kept = []
        start, end = int(values.get("offset", "0")[0]), int(values.get("limit", ["99"])[0])
        return rows(*({"id": event} for event in kept[start : start + end]), fields=f"X-Total: {len(kept)}\r\n")

    return answer


@pytest.fixture
async def three(start_shard: Any, start_gateway: Any) -> Any:
    class Three:
        def taken(self) -> list[str]:
            """Who was asked since the last look."""
            names = [name for name, shard in self.shards.items() for _ in shard.asked]
            for shard in self.shards.values():
                shard.asked.clear()
            return names

    three = Three()
    three.shards = {name: await start_shard(application(name)) for name in EVENTS}  # type: ignore[attr-defined]
    shards = {name: shard.url for name, shard in three.shards.items()}  # type: ignore[attr-defined]
    three.gateway = await start_gateway({"shards": shards, **CONFIG})  # type: ignore[attr-defined]
    return three


async def test_only_the_owners_of_the_vendors_are_asked(three: Any) -> None:
    answer = await three.gateway.get("/events?vendor=n-1|s-2")
    assert (answer.text, answer.headers["x-total"]) == ('[{"id":"e1"},{"id":"e2"},{"id":"e4"}]', "3")
    assert three.taken() == ["north", "south"]
    assert (await three.gateway.get("/events?vendor=w-1&limit=1")).text == '[{"id":"e3"}]'
    assert three.taken() == ["west"]


async def test_a_vendor_that_nobody_knows_is_asked_for_everywhere(three: Any) -> None:
    answer = await three.gateway.get("/events?vendor=x-1")
    assert (answer.text, answer.headers["x-total"]) == ("[]", "0")
    assert three.taken() == ["north", "south", "west"]


async def test_a_head_is_pruned_as_its_get_is(three: Any) -> None:
    answer = await three.gateway.client.head("/events?vendor=s-1")
    assert (answer.headers["content-length"], answer.headers["x-total"]) == ("13", "1")
    assert three.taken() == ["south"]


async def test_ids_that_were_seen_are_asked_of_where_they_were_seen(three: Any) -> None:
    assert (await three.gateway.get("/events?accept=e2,e3")).text == '[{"id":"e2"},{"id":"e3"}]'
    assert three.taken() == ["north", "south", "west"]
    answer = await three.gateway.get("/events?accept=e2,e3&limit=5")
    assert (answer.text, answer.headers["x-total"]) == ('[{"id":"e2"},{"id":"e3"}]', "2")
    assert three.taken() == ["south", "west"]


async def test_an_id_that_is_not_where_it_was_seen_is_asked_for_everywhere(three: Any) -> None:
    await three.gateway.get("/events")
    three.taken()
    EVENTS["south"], EVENTS["west"] = [], ["e2", "e3"]
    try:
        answer = await three.gateway.get("/events?accept=e2")
        assert (answer.text, answer.headers["x-total"]) == ('[{"id":"e2"}]', "1")
        assert three.taken() == ["north", "south", "south", "west"]
        await three.gateway.get("/events?accept=e2")
        assert three.taken() == ["west"]
    finally:
        EVENTS["south"], EVENTS["west"] = ["e2"], ["e3"]


async def test_ids_of_which_a_page_shows_only_some_are_asked_for_everywhere(three: Any) -> None:
    await three.gateway.get("/events")
    three.taken()
    assert (await three.gateway.get("/events?accept=e1,e2&limit=1")).headers["x-total"] == "2"
    assert three.taken() == ["north", "north", "south", "south", "west"]
