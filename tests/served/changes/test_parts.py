"""An order with parts on two shards: created, read, changed and paid; and what can go wrong."""

from typing import Any

import pytest

from shardgate.store.sqlite import SqliteStore
from tests.cluster import reply
from tests.served.seats import Seats

PARTS = {"sum": ["price", "amount"], "lists": {"items": ["date"]}}
ENTITY = {"kind": "entity", "parts": PARTS}
OF_ORDER = {"rule": "one", "key": "path.id", "locate": "order", "unknown": "ask", "parts": ENTITY}
CANCEL = {"method": "POST", "path": "/orders/{id}/cancel"}
RULES: dict[str, Any] = {
    "directory": "store.db",
    "timeouts": {"request_timeout_s": 20, "worker_lease_s": 20},
    "locators": {
        "date": [{"kind": "learned"}, {"kind": "probe", "path": "/dates/{key}"}],
        "order": [{"kind": "learned"}, {"kind": "probe", "path": "/orders/{key}"}],
    },
    "rules": {
        "POST /orders": {
            "rule": "divide",
            "items": "items",
            "key": "date",
            "locate": "date",
            "mode": "all_or_none",
            "assign": {"id": "hex"},
            "check": "/orders/{id}",
            "undo": CANCEL,
            "parts": PARTS,
            "learn": {"order": "id"},
        },
        "GET /orders/{id}": OF_ORDER,
        "POST /orders/{id}/void": {**OF_ORDER, "change": {"read": "/orders/{id}"}},
        "POST /orders/{id}/pay": {
            **OF_ORDER,
            "change": {
                "read": "/orders/{id}",
                "assign": {"id": "hex"},
                "share": {"member": "amount", "of": "price", "less": "paid", "unless": ["voucher"]},
            },
        },
    },
}


class World:
    """Two shards with seats, and the gateway before them; an order of 10 in the north and 20 in the south."""

    def __init__(self, north: Seats, south: Seats, gateway: Any, folder: Any) -> None:
        self.north, self.south, self.gateway, self.folder = north, south, gateway, folder

    async def order(self) -> str:
        items = [{"date": "y", "quantity": 2}, {"date": "a", "quantity": 1}]
        answer = await self.gateway.client.post("/orders", json={"items": items})
        assert answer.status_code == 201
        for hall in (self.north, self.south):
            hall.orders[answer.json()["id"]]["paid"] = 0
        return str(answer.json()["id"])

    async def post(self, path: str, **body: Any) -> Any:
        return await self.gateway.client.post(path, json=body)


@pytest.fixture
async def world(start_shard: Any, start_gateway: Any, tmp_path: Any) -> World:
    north, south = Seats({"a": 9}), Seats({"y": 9})
    SqliteStore(tmp_path / "store.db").close()
    urls = {"north": (await start_shard(north)).url, "south": (await start_shard(south)).url}
    return World(north, south, await start_gateway({"shards": urls, **RULES}), tmp_path)


async def test_an_order_in_parts_is_made_and_read_as_one(world: World) -> None:
    order = await world.order()
    answer = await world.gateway.get(f"/orders/{order}")
    assert answer.status_code == 200
    assert answer.json()["price"] == 30
    assert [item["date"] for item in answer.json()["items"]] == ["a", "y"]
    assert (await world.gateway.get("/orders/none")).status_code == 404


async def test_an_order_that_was_undone_is_a_404(world: World) -> None:
    items = [{"date": "a", "quantity": 1}, {"date": "y", "quantity": 99}]
    assert (await world.post("/orders", id="gone", items=items)).status_code == 409
    assert world.north.orders["gone"]["status"] == "cancelled"
    for _ in range(2):
        answer = await world.gateway.get("/orders/gone")
        assert (answer.status_code, answer.json()) == (404, {"error": "no order"})
    assert (await world.post("/orders/gone/void")).status_code == 404


async def test_a_second_order_of_one_id_hides_nothing_of_the_first(world: World) -> None:
    order = await world.order()
    items = [{"date": "a", "quantity": 1}, {"date": "y", "quantity": 1}]
    assert (await world.post("/orders", id=order, items=items)).status_code == 409
    assert (await world.gateway.get(f"/orders/{order}")).json()["price"] == 30
    world.south.orders["single"] = {"id": "single", "price": 5, "status": "held", "items": [], "wanted": {}}
    for quantity in (1, 99):
        answer = await world.post("/orders", id="single", items=[{"date": "a", "quantity": quantity}, items[1]])
        assert answer.status_code == 409
        assert world.south.orders["single"]["status"] == "held"
        assert (await world.gateway.get("/orders/single")).json()["price"] == 5


async def test_a_part_that_cannot_be_read_is_an_error_that_says_so(world: World) -> None:
    order = await world.order()
    world.south.says = lambda asked: b""
    answer = await world.gateway.get(f"/orders/{order}")
    assert (answer.status_code, answer.json()["code"]) == (502, "SG2002")
    answer = await world.post(f"/orders/{order}/void")
    assert (answer.status_code, answer.json()["code"]) == (503, "SG2004")
    assert world.north.orders[order]["status"] == "held"


async def test_a_change_reaches_a_part_whose_shard_was_lost_on_the_way(world: World) -> None:
    order = await world.order()
    world.south.says = lambda asked: b"" if "void" in asked.line else None
    answer = await world.post(f"/orders/{order}/void")
    assert (answer.status_code, answer.json()["missing"]) == (202, ["south"])
    world.south.says = None
    await world.gateway.until_state(answer.headers["location"], "done")
    assert world.south.orders[order]["status"] == "cancelled"


async def test_a_change_that_the_first_part_refuses_reaches_no_other(world: World) -> None:
    order = await world.order()
    world.north.orders[order]["status"] = "cancelled"
    answer = await world.post(f"/orders/{order}/void")
    assert (answer.status_code, answer.json()) == (409, {"error": "cancelled"})
    assert world.south.orders[order]["status"] == "held"


async def test_a_change_that_a_later_part_refuses_is_stuck(world: World) -> None:
    order = await world.order()
    world.south.orders[order]["status"] = "cancelled"
    answer = await world.post(f"/orders/{order}/void")
    assert (answer.status_code, answer.json()["code"]) == (502, "SG2011")


async def test_one_payment_is_shared_by_what_is_due(world: World) -> None:
    order = await world.order()
    answer = await world.post(f"/orders/{order}/pay", id="p", amount=30)
    assert (answer.status_code, answer.json()) == (201, {"id": "p", "amount": 30})
    assert (world.north.orders[order]["paid"], world.south.orders[order]["paid"]) == (10, 20)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"amount": 31}, {"error": "less is due"}),
        ({"amount": 15}, {"error": "less is due"}),
        ({"amount": 30, "voucher": "v"}, {"error": "less is due"}),
    ],
)
async def test_an_amount_that_is_not_due_gets_the_applications_refusal(
    world: World, body: dict[str, Any], said: dict[str, str]
) -> None:
    order = await world.order()
    answer = await world.post(f"/orders/{order}/pay", id="p", **body)
    assert (answer.status_code, answer.json()) == (409, said)
    assert world.north.orders[order]["paid"] == world.south.orders[order]["paid"] == 0


async def test_an_amount_that_one_part_would_accept_is_refused_by_the_gateway(world: World) -> None:
    order = await world.order()
    answer = await world.post(f"/orders/{order}/pay", id="p", amount=5)
    assert (answer.status_code, answer.json()["code"]) == (409, "SG1024")


async def test_a_client_that_sees_only_one_part_changes_none(world: World) -> None:
    order = await world.order()
    world.south.says = lambda asked: (
        reply('{"error":"no order"}', status="404 Not Found") if "/orders/" in asked.line else None
    )
    assert (await world.gateway.get(f"/orders/{order}")).json()["price"] == 10
    assert (await world.post(f"/orders/{order}/void")).status_code == 404
    assert world.north.orders[order]["status"] == "held"


async def test_what_one_part_takes_alone_though_it_had_to_refuse_it_is_no_success(world: World) -> None:
    order = await world.order()
    for hall in (world.north, world.south):
        hall.says = lambda asked: reply('{"id":"p"}', status="201 Created") if "/pay" in asked.line else None
    answer = await world.post(f"/orders/{order}/pay", note="without an amount")
    assert (answer.status_code, answer.json()["code"]) == (502, "SG2011")
