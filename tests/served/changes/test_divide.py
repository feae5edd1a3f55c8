"""`divide`: each item goes to its owner in one call for each shard; the reply is in the order of the request."""

import asyncio
import gzip
import json
from typing import Any

import httpx
import pytest

from shardgate.core.limits import PROBES_AT_ONCE
from tests.cluster import NO_TLS, Asked, reply
from tests.observe.metrics import Metrics
from tests.served.seats import Seats

CONFIRM = {"method": "POST", "path": "/orders/{id}/confirm"}
CANCEL = {"method": "POST", "path": "/orders/{id}/cancel"}
DIVIDE = {"rule": "divide", "items": "items", "key": "date", "locate": "date"}
RULES: dict[str, Any] = {
    "store": "store.db",
    "timeouts": {"request_timeout_s": 20, "worker_lease_s": 20},
    "locators": {"date": [{"kind": "learned"}, {"kind": "probe", "path": "/dates/{key}"}]},
    "rules": {
        "POST /check": {**DIVIDE, "items_max": 5},
        "POST /orders": {
            **DIVIDE,
            "mode": "all_or_none",
            "assign": {"id": "hex"},
            "check": "/orders/{id}",
            "confirm": CONFIRM,
            "undo": CANCEL,
            "sum": ["price"],
        },
        "POST /bulk": {**DIVIDE, "items": "", "mode": "independent", "locate": "owner"},
    },
}
RULES["locators"]["owner"] = [{"kind": "prefix", "shards": {"n": "north", "s": "south"}}]


class World:
    """Two shards with seats, and the gateway before them."""

    def __init__(self, north: Any, south: Any, gateway: Any) -> None:
        self.north, self.south, self.gateway = north, south, gateway
        self.shards: list[Any] = []

    async def check(self, *dates: Any) -> Any:
        items = [date if isinstance(date, dict) else {"date": date, "quantity": 1} for date in dates]
        return await self.gateway.client.post("/check", json={"items": items})

    async def order(self, *dates: tuple[str, int], **more: Any) -> Any:
        items = [{"date": date, "quantity": quantity} for date, quantity in dates]
        return await self.gateway.client.post("/orders", json={"who": "me", "items": items, **more})


@pytest.fixture
async def world(start_shard: Any, start_gateway: Any) -> World:
    north, south = Seats({"a": 2, "b": 2}), Seats({"y": 2, "z": 0})
    shards = [await start_shard(north), await start_shard(south)]
    urls = {"north": shards[0].url, "south": shards[1].url}
    found = World(north, south, await start_gateway({"shards": urls, **RULES}))
    found.shards = shards
    return found


async def test_items_go_to_their_owners_and_come_back_in_the_inputs_order(world: World) -> None:
    answer = await world.check("y", "a", "z", "b")
    free = [("y", True), ("a", True), ("z", False), ("b", True)]
    listed = [{"date": date, "free": is_free} for date, is_free in free]
    assert answer.text == json.dumps({"currency": "EUR", "items": listed}, separators=(",", ":"))
    assert world.north.log == world.south.log == ["POST /check"]
    assert json.loads(world.shards[0].asked[-1].body)["items"] == [
        {"date": "a", "quantity": 1},
        {"date": "b", "quantity": 1},
    ]


async def test_owners_that_are_known_are_not_asked_for_again(world: World) -> None:
    await world.check("y", "a")
    before = [len(shard.asked) for shard in world.shards]
    await world.check("a", "y")
    assert [len(shard.asked) - count for shard, count in zip(world.shards, before, strict=True)] == [1, 1]


async def test_items_of_one_shard_pass_as_they_came(world: World) -> None:
    body = b'{ "items" : [ {"date":"a","quantity":1} ,{"date":"b", "quantity": 2} ] }'
    answer = await world.gateway.client.post("/check", content=body)
    assert answer.status_code == 200
    assert world.shards[0].asked[-1].body == body


async def test_an_item_that_nobody_has_is_the_applications_own_404(world: World) -> None:
    answer = await world.check("a", "none", "y", "neither")
    assert (answer.status_code, answer.json()) == (404, {"error": "no date none"})


async def test_a_refusal_names_the_item_by_its_place_in_the_input(world: World) -> None:
    answer = await world.check("a", "y", {"date": "y", "quantity": "many"})
    assert (answer.status_code, answer.json()) == (422, {"error": "items.2.quantity"})


@pytest.mark.parametrize("body", [b"{}", b'{"items":[]}', b'{"items":7}', b"[]", b'{"items":[{"quantity":1}]}'])
async def test_a_body_that_is_not_a_list_of_items_is_passed_to_the_application(world: World, body: bytes) -> None:
    world.north.says = world.south.says = lambda asked: reply("{}", status="422 Unprocessable Content")
    answer = await world.gateway.client.post("/check", content=body)
    assert answer.status_code == 422
    assert [asked.body for shard in world.shards for asked in shard.asked] == [body]


async def test_more_items_than_the_gateway_divides_are_refused_before_they_are_cut(world: World) -> None:
    # Found: a body of 200,000 items made 382,000 calls to shards.
    answer = await world.gateway.client.post("/bulk", json=[{"date": "n1"}] * 1001)
    assert (answer.status_code, answer.json()["code"]) == (413, "SG1026")
    assert answer.json()["detail"] == "the body has more than 1000 items (`items_max`)"
    assert [shard.asked for shard in world.shards] == [[], []]


async def test_a_list_longer_than_the_application_takes_is_not_made_short_by_cutting(world: World) -> None:
    world.north.says = world.south.says = lambda asked: reply("{}", status="422 Unprocessable Content")
    assert (await world.check("a", "b", "y", "a", "b", "y")).status_code == 422


@pytest.mark.parametrize("item", ['{"date":"a","date":"y"}', '{"date":"a","Date":"y"}'])
async def test_an_item_with_two_keys_is_refused(world: World, item: str) -> None:
    answer = await world.gateway.client.post("/check", content=f'{{"items":[{item}]}}')
    assert (answer.status_code, answer.json()["code"]) == (400, "SG1002")


async def test_a_date_that_moved_is_found_again(world: World) -> None:
    await world.check("a", "y")
    world.south.free["a"] = world.north.free.pop("a")
    answer = await world.check("a", "y")
    assert (answer.status_code, len(answer.json()["items"])) == (200, 2)


async def test_a_read_with_a_shard_missing_says_so(world: World) -> None:
    await world.check("a", "y")
    world.south.says = lambda asked: b""
    answer = await world.check("a", "y")
    assert (answer.status_code, answer.json()["code"]) == (502, "SG2002")


async def test_a_read_whose_reply_is_lost_on_an_idle_connection_is_asked_again(world: World) -> None:
    await world.check("a", "y")
    lost = []

    def once(asked: Asked) -> bytes | None:
        if lost:
            return None
        lost.append(asked)
        return b""

    world.south.says = once
    assert (await world.check("a", "y")).status_code == 200
    assert len(lost) == 1


async def test_the_parts_of_a_reply_that_shards_packed_unasked_are_put_together(world: World) -> None:
    def packed(asked: Asked) -> bytes:
        items = json.loads(asked.body)
        body = gzip.compress(json.dumps([{"status": 201, "id": item["date"]} for item in items]).encode())
        return reply(body, fields="Content-Encoding: gzip\r\n")

    world.north.says = packed
    answer = await world.gateway.client.post("/bulk", json=[{"date": d} for d in ("n-1", "n-2")])
    assert [item["id"] for item in answer.json()] == ["n-1", "n-2"]
    world.south.says = packed
    answer = await world.gateway.client.post("/bulk", json=[{"date": d} for d in ("n-1", "s-1", "n-2")])
    assert (answer.status_code, [item["id"] for item in answer.json()]) == (200, ["n-1", "s-1", "n-2"])


async def test_independent_parts_succeed_or_fail_item_by_item(world: World) -> None:
    def bulk(asked: Asked) -> bytes:
        items = json.loads(asked.body)
        return reply(json.dumps([{"status": 201, "id": item["date"]} for item in items], separators=(",", ":")))

    world.north.says = bulk
    world.south.says = lambda asked: reply('{"error":"closed"}', status="409 Conflict")
    answer = await world.gateway.client.post("/bulk", json=[{"date": d} for d in ("n-1", "s-1", "n-2")])
    assert answer.status_code == 200
    assert answer.json() == [
        {"status": 201, "id": "n-1"},
        {"status": 409, "problem": {"error": "closed"}},
        {"status": 201, "id": "n-2"},
    ]
    world.south.says = lambda asked: b""
    answer = await world.gateway.client.post("/bulk", json=[{"date": d} for d in ("s-1", "n-1")])
    assert [item["status"] for item in answer.json()] == [502, 201]


@pytest.mark.parametrize(
    ("says", "status"),
    [
        (b"", 502),
        (reply("{}", status="500 Internal Server Error"), 500),
        (reply("{}", status="503 Service Unavailable"), 503),
    ],
)
async def test_a_refusal_does_not_hide_that_another_part_may_have_been_made(
    world: World, says: bytes, status: int
) -> None:
    world.north.says = lambda asked: reply('{"error":"closed"}', status="409 Conflict")
    world.south.says = lambda asked: says
    answer = await world.gateway.client.post("/bulk", json=[{"date": d} for d in ("n-1", "s-1")])
    assert answer.status_code == status


async def test_a_refusal_of_a_change_that_a_shard_still_has_is_no_refusal_for_others(world: World) -> None:
    """A client without a name that repeats the request on another connection would make it a second time."""
    world.north.says = lambda asked: b"" if "cancel" in asked.line else None
    order = {"who": "me", "items": [{"date": date, "quantity": 1} for date in ("a", "z")]}
    answers = []
    for _ in range(2):
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{world.gateway.port}", verify=NO_TLS) as client:
            answers.append(await client.post("/orders", json=order, headers={"Idempotency-Key": "k"}))
    assert [answer.status_code for answer in answers] == [409, 409]
    assert answers[1].json()["code"] == "SG1018"
    assert world.north.log.count("POST /orders") == 1


async def test_a_write_with_an_item_that_nobody_owns_is_sent_to_nobody(world: World) -> None:
    answer = await world.gateway.client.post("/bulk", json=[{"date": "n-1"}, {"date": "q-1"}])
    assert (answer.status_code, answer.json()["code"]) == (404, "SG1011")
    assert world.north.log == world.south.log == []


async def test_an_order_over_two_shards_is_one_order(world: World) -> None:
    answer = await world.order(("y", 1), ("a", 2))
    assert answer.status_code == 201
    made = answer.json()
    assert (made["price"], made["items"]) == (30, [{"date": "y", "price": 10}, {"date": "a", "price": 20}])
    assert {order["status"] for app in (world.north, world.south) for order in app.orders.values()} == {"sold"}
    assert list(world.north.orders) == list(world.south.orders) == [made["id"]]
    assert (world.north.free["a"], world.south.free["y"]) == (0, 1)


async def test_an_order_that_one_shard_refuses_takes_no_seat_anywhere(world: World) -> None:
    answer = await world.order(("a", 1), ("z", 1))
    assert (answer.status_code, answer.json()) == (409, {"error": "sold out"})
    assert (world.north.free, world.south.free) == ({"a": 2, "b": 2}, {"y": 2, "z": 0})
    assert [order["status"] for order in world.north.orders.values()] == ["cancelled"]


async def test_an_order_of_one_shard_is_one_call(world: World) -> None:
    answer = await world.order(("a", 1), ("b", 1), id="mine")
    assert (answer.status_code, answer.json()["id"]) == (201, "mine")
    assert world.north.log == ["POST /orders"]


async def test_a_lost_reply_to_a_hold_is_cancelled_when_the_shard_can_say(world: World) -> None:
    def lose(asked: Asked) -> bytes | None:
        if not asked.line.startswith("POST /orders "):
            return None
        world.south.answer(asked)
        return b""

    world.south.says = lose
    answer = await world.order(("a", 1), ("y", 1))
    assert (answer.status_code, answer.json()["code"]) == (503, "SG2009")
    assert (world.north.free["a"], world.south.free["y"]) == (2, 2)


async def test_an_order_is_decided_once_all_hold_and_confirmed_when_a_shard_is_back(world: World) -> None:
    world.south.says = lambda asked: b"" if "confirm" in asked.line else None
    answer = await world.order(("a", 1), ("y", 1))
    assert (answer.status_code, answer.json()["missing"]) == (202, ["south"])
    world.south.says = None
    await world.gateway.until_state(answer.headers["location"], "done")
    assert [order["status"] for order in world.south.orders.values()] == ["sold"]


async def test_buyers_of_the_last_seats_get_them_or_nothing(world: World) -> None:
    world.north.free["a"], world.south.free["y"] = 5, 5
    answers = await asyncio.gather(*[world.order(("a", 1), ("y", 1)) for _ in range(20)])
    assert {answer.status_code for answer in answers} == {201, 409}
    sold = sum(answer.status_code == 201 for answer in answers)
    assert sold == 5
    for app, date in ((world.north, "a"), (world.south, "y")):
        assert app.free[date] == 0
        assert sum(order["status"] == "sold" for order in app.orders.values()) == sold


async def test_a_request_that_would_take_too_many_calls_is_refused_before_any_is_made(
    start_shard: Any, start_gateway: Any
) -> None:
    """Found: one POST of 200,000 items, whose owners only the shards know, made 382,000 calls to shards."""
    north, south = await start_shard(Seats({"a": 2})), await start_shard(Seats({"y": 2}))
    urls = {"north": north.url, "south": south.url}
    rules = {**RULES["rules"], "POST /check": DIVIDE}
    limits = {"calls_per_request_max": 20}
    gateway = await start_gateway({"shards": urls, **RULES, "rules": rules, "limits": limits, "admin": "127.0.0.1:0"})
    items = [{"date": f"d{n}", "quantity": 1} for n in range(11)]
    answer = await gateway.client.post("/check", json={"items": items})
    assert (answer.status_code, answer.json()["code"]) == (413, "SG1026")
    assert north.asked == south.asked == []
    gateway.tick()
    read = Metrics((await gateway.admin("/metrics")).text)
    assert read.value("shardgate_budget_refusals_total", budget="shard_calls") == 1
    again = [{"date": "a", "quantity": 1}] * 50
    assert (await gateway.client.post("/check", json={"items": again})).status_code == 200, "equal keys are asked once"


async def test_one_request_takes_only_some_connections_of_a_shard(start_shard: Any, start_gateway: Any) -> None:
    seats = Seats({f"d{n}": 2 for n in range(200)})
    north, south = await start_shard(seats), await start_shard(Seats({}))
    gateway = await start_gateway(
        {
            "shards": {"north": north.url, "south": south.url},
            **RULES,
            "rules": {**RULES["rules"], "POST /check": DIVIDE},
        }
    )
    items = [{"date": f"d{n}", "quantity": 1} for n in range(200)]
    assert (await gateway.client.post("/check", json={"items": items})).status_code == 200
    assert north.connections <= PROBES_AT_ONCE
