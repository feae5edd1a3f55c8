"""Orders: seats, prices, payments, cancelling; and many buyers at once."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
from bookings_running import Platform


def a_date(platform: Platform, capacity: int, price: int = 1000) -> tuple[str, str]:
    """A new date with so many seats: the ids of its vendor and itself."""
    event = next(row for row in platform.get("/v3/events", limit=100) if row["active"])
    body = {
        "start_date": "2027-01-01", "start_time": "10:00", "capacity": capacity, "price": price,
    }  # fmt: skip
    reply = platform.client().post(f"/v3/events/{event['id']}/dates", json=body)
    assert reply.status_code == 201, reply.text
    return event["vendor_id"], reply.json()["id"]


def order(platform: Platform, vendor: str, *items: tuple[str, int], **more: Any) -> httpx.Response:
    wanted = [{"date_id": date_id, "quantity": quantity} for date_id, quantity in items]
    body = {"vendor_id": vendor, "items": wanted, **more}
    return platform.client().post("/v3/orders", json=body)


def booked(platform: Platform, date_id: str) -> int:
    return int(platform.get(f"/v3/dates/{date_id}")["booked"])


def test_an_order_is_placed_and_read_back(either: Platform) -> None:
    vendor, date_id = a_date(either, capacity=5)
    reply = order(either, vendor, (date_id, 2), (date_id, 1), customer={"name": "Guest É"})
    assert reply.status_code == 201
    placed = reply.json()
    assert placed["customer"] == {"name": "Guest É", "email": None}
    assert (placed["status"], placed["price"], placed["paid"]) == ("open", 3000, 0)
    assert [(item["date_id"], item["quantity"], item["price"]) for item in placed["items"]] == [
        (date_id, 2, 2000),
        (date_id, 1, 1000),
    ]
    assert either.get(f"/v3/orders/{placed['id']}") == placed
    assert either.get("/v3/orders", match="guest é", accept=placed["id"]) == [placed]
    assert len(either.get(f"/v3/orders/{placed['id']}/tickets")) == 3
    assert booked(either, date_id) == 3


def test_fifty_buyers_at_once_buy_exactly_the_seats_there_are(either: Platform) -> None:
    vendor, date_id = a_date(either, capacity=17)
    either.client()
    with ThreadPoolExecutor(50) as buyers:
        replies = list(buyers.map(lambda _: order(either, vendor, (date_id, 1)), range(50)))
    assert Counter(reply.status_code for reply in replies) == {201: 17, 409: 33}
    assert booked(either, date_id) == 17


def test_orders_for_the_same_dates_in_any_order_never_deadlock(either: Platform) -> None:
    vendor, one = a_date(either, capacity=40)
    _, two = a_date(either, capacity=40)
    pairs = [((one, 1), (two, 1)), ((two, 1), (one, 1))] * 10
    with ThreadPoolExecutor(20) as buyers:
        replies = list(buyers.map(lambda pair: order(either, vendor, *pair), pairs))
    assert {reply.status_code for reply in replies} == {201}


def test_a_refused_order_takes_no_seat(either: Platform) -> None:
    vendor, roomy = a_date(either, capacity=10)
    _, full = a_date(either, capacity=1)
    assert order(either, vendor, (roomy, 2), (full, 2)).status_code == 409
    assert booked(either, roomy) == booked(either, full) == 0


def test_cancelling_frees_the_seats_once(either: Platform) -> None:
    vendor, date_id = a_date(either, capacity=2)
    placed = order(either, vendor, (date_id, 2)).json()
    assert order(either, vendor, (date_id, 1)).status_code == 409
    path = f"/v3/orders/{placed['id']}"
    reply = either.client().post(f"{path}/cancel")
    assert reply.status_code == 200
    assert reply.json()["status"] == "cancelled"
    assert reply.json()["cancelled_at"] is not None
    assert booked(either, date_id) == 0
    assert not any(ticket["valid"] for ticket in either.get(f"{path}/tickets"))
    assert either.client().post(f"{path}/cancel").status_code == 409
    assert booked(either, date_id) == 0


def test_paying_in_parts_and_never_too_much(either: Platform) -> None:
    vendor, date_id = a_date(either, capacity=2)
    path = f"/v3/orders/{order(either, vendor, (date_id, 2)).json()['id']}"

    def pay(amount: int) -> int:
        body = {"amount": amount, "method": "card"}
        return either.client().post(f"{path}/payments", json=body).status_code

    assert [pay(500), pay(1501), pay(1500), pay(1)] == [201, 409, 201, 409]
    assert either.get(path)["status"] == "paid"
    assert [row["amount"] for row in either.get(f"{path}/payments", order="amount")] == [500, 1500]


def test_coupons_and_vouchers(platform: Platform) -> None:
    vendor, date_id = a_date(platform, capacity=9, price=999)
    client, owner = platform.client(), f"/v3/vendors/{vendor}"
    assert client.post(f"{owner}/coupons", json={"code": "TEN", "percent": 10}).status_code == 201
    assert client.post(f"{owner}/coupons", json={"code": "TEN", "percent": 20}).status_code == 409
    client.post(f"{owner}/vouchers", json={"code": "GIFT", "value": 1000})
    placed = order(platform, vendor, (date_id, 1), coupon_code="TEN").json()
    assert (placed["price"], placed["coupon_code"]) == (900, "TEN")
    payments = f"/v3/orders/{placed['id']}/payments"
    body = {"amount": 900, "method": "voucher", "voucher_code": "GIFT"}
    assert client.post(payments, json=body).status_code == 201
    assert platform.get(f"{owner}/vouchers", match="gift", order="balance")[0]["balance"] == 100
    again = order(platform, vendor, (date_id, 1)).json()
    assert client.post(f"/v3/orders/{again['id']}/payments", json=body).status_code == 409
    for bad in ({**body, "voucher_code": "NONE"}, {**body, "method": "card"}):
        reply = client.post(f"/v3/orders/{again['id']}/payments", json=bad)
        assert reply.status_code == 422
    assert order(platform, vendor, (date_id, 1), coupon_code="NONE").status_code == 422


def test_an_order_with_a_vendor_has_only_its_items(platform: Platform) -> None:
    vendor, mine = a_date(platform, capacity=5)
    foreign = next(row for row in platform.get("/v3/dates") if row["vendor_id"] != vendor)
    for items in ([(mine, 1), (foreign["id"], 1)], [("nope", 1)]):
        assert order(platform, vendor, *items).status_code == 422
    assert order(platform, "nobody", (mine, 1)).status_code == 404
    assert booked(platform, mine) == 0


def test_an_order_changes_its_customer(platform: Platform) -> None:
    vendor, date_id = a_date(platform, capacity=5)
    placed = order(platform, vendor, (date_id, 1), customer={"name": "Guest 1"}).json()
    path = f"/v3/orders/{placed['id']}"
    changed = platform.client().patch(path, json={"customer": {"email": "guest@mail.example"}})
    assert changed.json()["customer"] == {"name": None, "email": "guest@mail.example"}
    assert platform.client().patch(path, json={"customer": None}).json()["customer"] is None


def test_availability_answers_in_the_order_of_the_question(either: Platform) -> None:
    _, full = a_date(either, capacity=1)
    _, roomy = a_date(either, capacity=9)
    items = [(roomy, 9), (full, 2), (roomy, 1)]
    question = {"items": [{"date_id": each, "quantity": number} for each, number in items]}
    answer = either.client().post("/v3/availability/check", json=question).json()
    assert answer == {
        "items": [
            {"date_id": roomy, "quantity": 9, "available": True, "remaining": 9},
            {"date_id": full, "quantity": 2, "available": False, "remaining": 1},
            {"date_id": roomy, "quantity": 1, "available": True, "remaining": 9},
        ]
    }
    question["items"][1]["date_id"] = "nope"
    reply = either.client().post("/v3/availability/check", json=question)
    assert reply.status_code == 404
    assert "'nope'" in reply.json()["error_description"]
