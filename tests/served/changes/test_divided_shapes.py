"""`divide` where keys stand deeper, replies have no items, or an id cannot be followed: right, or refused before."""

import json
from typing import Any

import pytest

from shardgate.config.load import ConfigError
from tests.cluster import Asked, Shard, reply
from tests.served.things import said

OWNER = {"owner": [{"kind": "prefix", "shards": {"n": "north", "s": "south"}}]}
DIVIDE = {"rule": "divide", "items": "items", "key": "vendor.id", "locate": "owner"}
CANCEL = {"method": "POST", "path": "/orders/{id}/cancel"}
ORDER = {**DIVIDE, "mode": "all_or_none", "assign": {"id": "hex"}, "check": "/orders/{id}", "undo": CANCEL}


def config(**rule: Any) -> dict[str, Any]:
    return {
        "store": "store.db",
        "timeouts": {"request_timeout_s": 20, "worker_lease_s": 20},
        "locators": OWNER,
        "rules": {"POST /orders": rule},
    }


def items(*vendors: Any) -> list[dict[str, Any]]:
    return [{"vendor": {"id": vendor}, "n": number} for number, vendor in enumerate(vendors)]


def echo(asked: Asked) -> bytes:
    return reply(asked.body, status="201 Created")


@pytest.fixture
async def start(start_shard: Any, start_gateway: Any) -> Any:
    async def started(answer: Any, **rule: Any) -> tuple[list[Shard], Any]:
        shards = [await start_shard(answer), await start_shard(answer)]
        urls = {"north": shards[0].url, "south": shards[1].url}
        return shards, await start_gateway({"shards": urls, **config(**rule)})

    return started


async def test_r11_a_key_may_stand_deeper_in_the_item(start: Any) -> None:
    shards, gateway = await start(echo, **DIVIDE, mode="independent")
    sent = items("s-1", "n-1", "s-2")
    answer = await gateway.client.post("/orders", json={"items": sent})
    assert (answer.status_code, answer.json()) == (201, {"items": sent})
    got = [[item["vendor"]["id"] for item in json.loads(shard.asked[0].body)["items"]] for shard in shards]
    assert got == [["n-1"], ["s-1", "s-2"]]


async def test_r11_an_item_without_its_key_is_named(start: Any) -> None:
    shards, gateway = await start(echo, **DIVIDE, mode="independent")
    for vendor in (None, True, {}):
        answer = await gateway.client.post("/orders", json={"items": items("n-1", vendor)})
        assert (answer.status_code, answer.json()["code"]) == (400, "SG1010")
        assert answer.json()["member"] == "items.1.vendor.id"
    assert [shard.asked for shard in shards] == [[], []]


@pytest.mark.parametrize(
    ("rule", "word"),
    [
        ({**DIVIDE, "mode": "independent", "into": None}, "into"),
        ({**DIVIDE, "mode": "read", "into": "", "sum": ["total"]}, "sum"),
        ({**ORDER, "items": ""}, "assign"),
    ],
)
async def test_r11_what_cannot_be_rejoined_is_a_mistake_of_the_configuration(
    start: Any, rule: dict[str, Any], word: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        await start(echo, **rule)
    assert word in str(caught.value)


async def test_r11_replies_without_items_become_one_with_their_sums(start: Any) -> None:
    def counted(asked: Asked) -> bytes:
        return said(200, {"ok": True, "made": len(json.loads(asked.body)["items"])})

    _, gateway = await start(counted, **DIVIDE, into=None, sum=["made"])
    answer = await gateway.client.post("/orders", json={"items": items("n-1", "s-1", "s-2")})
    assert answer.text == '{"ok":true,"made":3}'


async def test_r11_empty_replies_are_one_empty_reply(start: Any) -> None:
    _, gateway = await start(lambda _: b"HTTP/1.1 204 No Content\r\n\r\n", **ORDER, into=None)
    answer = await gateway.client.post("/orders", json={"items": items("n-1", "s-1")})
    assert (answer.status_code, answer.content) == (204, b"")


async def test_r11_replies_that_differ_are_said_to_be_of_a_change_that_was_made(start: Any) -> None:
    shards: list[Shard] = []

    def own(asked: Asked) -> bytes:
        return said(201, {"by": asked.field("host"), "n": len(asked.body)})

    shards, gateway = await start(own, **ORDER, into=None)
    answer = await gateway.client.post("/orders", json={"items": items("n-1", "s-12")})
    assert (answer.status_code, answer.json()["code"]) == (502, "SG2002")
    assert "the change was made" in answer.json()["detail"]
    assert len(shards[1].asked) == 1


@pytest.mark.parametrize("mode", ["independent", "all_or_none"])
async def test_items_of_others_that_one_shard_takes_are_no_success(start: Any, mode: str) -> None:
    rule = ORDER if mode == "all_or_none" else {**DIVIDE, "mode": mode}
    shards, gateway = await start(echo, **rule, unknown="ask")
    answer = await gateway.client.post("/orders", json={"items": items("n-1", "s-1", "x-1")})
    assert (answer.status_code, answer.json()["code"]) == (502, "SG2011")
    answer = await gateway.client.post("/orders", json={"items": items("x-1")})
    assert answer.status_code == 201
    assert sum(len(shard.asked) for shard in shards) == 2


@pytest.mark.parametrize("bad", ["..", "", "a/b", "a\\b", {}, [], True, "a\nb"])
async def test_c1_an_id_that_fills_no_path_is_sent_to_no_shard(start: Any, bad: Any) -> None:
    shards, gateway = await start(echo, **ORDER)
    answer = await gateway.client.post("/orders", json={"id": bad, "items": items("n-1", "s-1")})
    assert (answer.status_code, answer.json()["code"], answer.json()["member"]) == (400, "SG1010", "id")
    assert [shard.asked for shard in shards] == [[], []]


NAMED = {**ORDER, "assign": {}, "check": "/orders/{name}"}


@pytest.mark.parametrize("bad", ["..", "", "a/b", {}, True])
async def test_c1_one_that_cannot_be_looked_for_is_refused_by_the_application(start: Any, bad: Any) -> None:
    refusal = reply('{"error":"name"}', status="422 Unprocessable Content")
    shards, gateway = await start(lambda _: refusal, **NAMED)
    answer = await gateway.client.post("/orders", json={"name": bad, "items": items("n-1", "s-1")})
    assert (answer.status_code, answer.json()) == (422, {"error": "name"})
    assert [[asked.line.split()[1] for asked in shard.asked] for shard in shards] == [["/orders"], []]


async def test_c1_one_that_cannot_be_looked_for_and_is_accepted_is_taken_back(start: Any) -> None:
    def own_id(asked: Asked) -> bytes:
        return said(201, {"id": "7"}) if asked.line.startswith("POST /orders ") else said(200, {})

    shards, gateway = await start(own_id, **NAMED)
    answer = await gateway.client.post("/orders", json={"name": "..", "items": items("n-1", "s-1")})
    assert (answer.status_code, answer.json()["code"], answer.json()["member"]) == (400, "SG1010", "name")
    asked = [[asked.line.split()[1] for asked in shard.asked] for shard in shards]
    assert asked == [["/orders", "/orders/7/cancel"], []]


async def test_a_part_that_is_answered_with_a_redirect_takes_back_the_others(start: Any) -> None:
    """The north takes its part, and the south redirects it: the redirect is the reply."""

    def answer_as(asked: Asked) -> bytes:
        if asked.line.startswith("GET"):
            return said(404, {})
        if b"s-1" in asked.body:
            return b"HTTP/1.1 307 Temporary Redirect\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"
        return said(201, {"id": "7", "items": [{}]})

    shards, gateway = await start(answer_as, **ORDER)
    answer = await gateway.client.post("/orders", json={"items": items("n-1", "s-1")}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (307, "/elsewhere")
    assert [asked.line.split()[0] for asked in shards[0].asked] == ["POST", "POST"]
    assert shards[0].asked[1].line.split()[1].endswith("/cancel")
    assert [asked.line.split()[0] for asked in shards[1].asked] == ["POST", "GET"]


def asks(turn: Any) -> Any:
    """A shard that answers its items in an order of its own."""

    def answer(asked: Asked) -> bytes:
        return reply(json.dumps({"items": turn(json.loads(asked.body)["items"])}))

    return answer


async def test_items_that_come_back_in_another_order_are_not_put_at_the_wrong_places(start: Any) -> None:
    # Found: an application that sorts the items of its reply: 200 with the items of one shard exchanged.
    _, gateway = await start(asks(lambda found: found[::-1]), **DIVIDE, mode="read")
    turned = await gateway.client.post("/orders", json={"items": items("s-1", "n-1", "s-2")})
    assert (turned.status_code, turned.json()["code"]) == (502, "SG2002")
    assert "in another order than it was asked for" in turned.json()["detail"]
    single = await gateway.client.post("/orders", json={"items": items("s-1", "s-2")})
    assert (single.status_code, len(single.json()["items"])) == (200, 2), "one shard's reply is untouched"


@pytest.mark.parametrize("turn", [lambda found: [each["n"] for each in found], lambda found: [{} for _ in found]])
async def test_items_without_keys_say_nothing_of_their_order(start: Any, turn: Any) -> None:
    _, gateway = await start(asks(turn), **DIVIDE, mode="read")
    answer = await gateway.client.post("/orders", json={"items": items("s-1", "n-1", "s-2")})
    assert (answer.status_code, len(answer.json()["items"])) == (200, 3)
