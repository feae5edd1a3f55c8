"""An order over several vendors: one for the marketplace, and to each vendor its own part."""

from typing import Any

from bookings_running import Platform
from test_bookings_trade import booked


def vendors_of(platform: Platform) -> dict[str, str]:
    """The two vendors that have clients: name of the client → id of the vendor."""
    return {name: platform.client(name).get("/v3/vendors").json()[0]["id"] for name in ("vendor-1", "vendor-2")}


def new_date(platform: Platform, vendor: str, price: int) -> str:
    event = next(row for row in platform.get("/v3/events", accept_vendors=vendor) if row["active"])
    body = {"start_date": "2027-02-01", "start_time": "10:00", "capacity": 9, "price": price}
    return str(platform.client().post(f"/v3/events/{event['id']}/dates", json=body).json()["id"])


def placed_over_two(platform: Platform, **more: Any) -> tuple[dict[str, Any], list[str]]:
    dates = [
        new_date(platform, vendor, price)
        for vendor, price in zip(vendors_of(platform).values(), (100, 70), strict=True)
    ]
    items = [{"date_id": dates[0], "quantity": 2}, {"date_id": dates[1], "quantity": 1}]
    reply = platform.client().post("/v3/orders", json={"items": items, **more})
    assert reply.status_code == 201, reply.text
    return reply.json(), dates


def test_it_is_one_order(either: Platform) -> None:
    order, dates = placed_over_two(either)
    assert (order["price"], order["vendor_id"]) == (270, None)
    assert [item["date_id"] for item in order["items"]] == sorted(dates)
    assert [row["id"] for row in either.get("/v3/orders", accept=order["id"])] == [order["id"]]
    for vendor in vendors_of(either).values():
        assert either.get("/v3/orders", accept=order["id"], accept_vendors=vendor) == [order]
    assert len(either.get(f"/v3/orders/{order['id']}/tickets")) == 3


def test_each_vendor_sees_its_own_part_and_changes_nothing(either: Platform) -> None:
    order, dates = placed_over_two(either)
    path = f"/v3/orders/{order['id']}"
    for paid in (0, 1):
        for number, (name, vendor) in enumerate(vendors_of(either).items()):
            mine, price = either.client(name), (200, 70)[number]
            part = mine.get(path).json()
            assert (part["vendor_id"], part["price"], part["paid"]) == (vendor, price, price * paid)
            assert [item["date_id"] for item in part["items"]] == [dates[number]]
            assert mine.get("/v3/orders", params={"accept": order["id"]}).json() == [part]
            assert either.get(f"/v3/vendors/{vendor}/orders", accept=order["id"]) == [part]
            assert len(mine.get(f"{path}/tickets").json()) == (2, 1)[number]
            assert [row["amount"] for row in mine.get(f"{path}/payments").json()] == [price] * paid
            for refused in (
                mine.post(f"{path}/cancel"), mine.post(f"{path}/confirm"), mine.patch(path, json={"customer": None}),
                mine.post(f"{path}/payments", json={"amount": 1, "method": "card"}),
            ):  # fmt: skip
                assert refused.status_code == 403
        assert either.client("vendor-3").get(path).status_code == 404
        if not paid:
            assert either.client().post(f"{path}/payments", json={"amount": 270, "method": "card"}).status_code == 201


def test_it_is_paid_at_once_and_without_coupon_or_voucher(platform: Platform) -> None:
    order, _ = placed_over_two(platform)

    def pay(**body: Any) -> int:
        return platform.client().post(f"/v3/orders/{order['id']}/payments", json=body).status_code

    assert pay(amount=100, method="card") == 409
    assert pay(amount=270, method="voucher", voucher_code="ANY") == 422
    assert pay(amount=270, method="card") == 201
    items = [{"date_id": item["date_id"], "quantity": 1} for item in order["items"]]
    refused = platform.client().post("/v3/orders", json={"items": items, "coupon_code": "SAVE10"})
    assert refused.status_code == 422


def test_cancelling_frees_the_seats_of_all(either: Platform) -> None:
    order, dates = placed_over_two(either, reserve_minutes=5)
    assert [booked(either, each) for each in dates] == [2, 1]
    assert either.client().post(f"/v3/orders/{order['id']}/cancel").status_code == 200
    assert [booked(either, each) for each in dates] == [0, 0]


def test_reports_add_up_over_the_vendors(either: Platform) -> None:
    vendors = vendors_of(either)

    def revenue(client: str = "marketplace", **filters: Any) -> int:
        rows = either.client(client).get("/v3/reports/sales", params={"group_by": "month", **filters}).json()
        return sum(row["revenue"] for row in rows)

    before = [revenue(), revenue("vendor-1"), revenue("vendor-2"), revenue(accept_vendors=vendors["vendor-2"])]
    order, _ = placed_over_two(either, reserve_minutes=5)
    assert [revenue(), revenue("vendor-1"), revenue("vendor-2")] == before[:3]
    either.client().post(f"/v3/orders/{order['id']}/confirm")
    after = [revenue(), revenue("vendor-1"), revenue("vendor-2"), revenue(accept_vendors=vendors["vendor-2"])]
    assert [new - old for new, old in zip(after, before, strict=True)] == [270, 200, 70, 70]


def test_a_client_of_a_vendor_orders_only_its_own(platform: Platform) -> None:
    dates = [new_date(platform, vendor, 10) for vendor in vendors_of(platform).values()]
    mine = platform.client("vendor-2")
    for wanted, status in (([dates[1]], 201), (dates, 422)):
        items = [{"date_id": each, "quantity": 1} for each in wanted]
        assert mine.post("/v3/orders", json={"items": items}).status_code == status
