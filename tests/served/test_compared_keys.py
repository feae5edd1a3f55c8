"""Keys that an application takes for one are one here, however a client spells them."""

from typing import Any

import pytest

from tests.cluster import Asked, reply

UUID = "0c5ee1b2-7a0f-4f3e-9c1d-3b8f1a2d4e6f"
OTHERS = (UUID.upper(), UUID.title(), UUID.replace("-", ""), f"{{{UUID}}}")


def found(_: Asked) -> bytes:
    return reply("found")


@pytest.mark.parametrize("spelled", OTHERS)
async def test_r5_a_uuid_in_capitals_is_the_same_key(start_shard: Any, start_gateway: Any, spelled: str) -> None:
    # Found: the other spelling was another slot, and its owner said 404.
    rules = {
        "locators": {"event": [{"kind": "hash", "compare": "uuid"}]},
        "rules": {
            "GET /events/{id}": {"rule": "one", "key": "path.id", "locate": "event"},
            "POST /events": {"rule": "one", "key": "body.id", "locate": "event"},
        },
    }
    north, south = await start_shard(found), await start_shard(found)
    gateway = await start_gateway({"shards": {"north": north.url, "south": south.url}, **rules})
    assert (await gateway.get(f"/events/{UUID}")).text == "found"
    owner, other = (north, south) if north.asked else (south, north)
    assert (await gateway.get("/events/" + spelled.replace("{", "%7B").replace("}", "%7D"))).text == "found"
    assert (await gateway.client.post("/events", json={"id": spelled})).text == "found"
    assert (len(owner.asked), len(other.asked)) == (3, 0)


@pytest.mark.parametrize(
    ("how", "one", "other", "third"),
    [("case_insensitive", "acme", "ACME", "bern"), ("uuid", UUID, UUID.replace("-", "").upper(), UUID[:-1] + "0")],
)
async def test_r5_two_places_that_write_one_key_in_two_ways_agree(
    start_shard: Any, start_gateway: Any, how: str, one: str, other: str, third: str
) -> None:
    # Found: 400, "name different keys", of what the application takes for one.
    rules = {
        "locators": {"vendor": [{"kind": "hash", "compare": how}]},
        "rules": {
            "POST /orders/{id}": {
                "rule": "one", "key": ["path.id", "header.X-Vendor", "query.vendor", "body.vendor"], "locate": "vendor",
            },
        },
    }  # fmt: skip
    north, south = await start_shard(found), await start_shard(found)
    gateway = await start_gateway({"shards": {"north": north.url, "south": south.url}, **rules})
    for key in (one, other):
        headers, said = {"X-Vendor": other}, {"vendor": other}
        answer = await gateway.client.post(f"/orders/{key}", headers=headers, params={"vendor": one}, json=said)
        assert answer.text == "found"
    assert sorted((len(north.asked), len(south.asked))) == [0, 2]
    answer = await gateway.client.post(f"/orders/{one}", headers={"X-Vendor": third}, json={})
    assert answer.json()["code"] == "SG1002"
