"""Orders: placed, reserved, confirmed, paid, cancelled; of one vendor and of several."""

from typing import Any

import pytest

from api_tests.client import Api
from api_tests.making import PRICE, SEATS, UNKNOWN, Making


def test_an_order_takes_its_seats(api: Api, making: Making, vendor: str, date: str) -> None:
    order = making.new_order(date, vendor, quantity=3)
    assert (order["status"], order["price"], order["paid"], order["vendor_id"]) == ("open", 3 * PRICE, 0, vendor)
    assert [(item["date_id"], item["quantity"]) for item in order["items"]] == [(date, 3)]
    assert api.call("get_order", order_id=order["id"]).expect(200) == order
    assert api.call("get_date", date_id=date).expect(200)["booked"] == 3
    assert order in api.call("list_vendor_orders", vendor_id=vendor).expect(200)


def test_the_last_seat_is_sold_once(api: Api, making: Making, vendor: str, event: str) -> None:
    date = making.new_date(event, capacity=1)
    making.new_order(date, vendor)
    api.call("create_order", body=making.order(date, vendor)).refused(409)


def test_a_client_may_choose_the_id_of_an_order_once(api: Api, making: Making, vendor: str, date: str) -> None:
    order = making.new_order(date, vendor)
    api.call("create_order", body=making.order(date, vendor, id=order["id"])).refused(409)
    assert api.call("get_date", date_id=date).expect(200)["booked"] == 1, "a refused order takes no seat"


def test_an_order_of_an_unknown_vendor_is_404(api: Api, making: Making, date: str) -> None:
    api.call("create_order", body=making.order(date, UNKNOWN)).refused(404)


@pytest.mark.parametrize(
    "wrong",
    [{"items": []}, {"coupon_code": "nobody-gives-it"}, {"reserve_minutes": 0}, {"customer": {"email": "nobody"}}],
    ids=["no items", "unknown coupon", "no time", "no address"],
)
def test_what_an_order_cannot_be_is_422(
    api: Api, making: Making, vendor: str, date: str, wrong: dict[str, Any]
) -> None:
    api.call("create_order", body={**making.order(date, vendor), **wrong}).refused(422)


def test_a_date_of_another_vendor_is_422(api: Api, making: Making, date: str) -> None:
    api.call("create_order", body=making.order(date, making.new_vendor())).refused(422)


def test_a_coupon_lowers_the_price(api: Api, making: Making, vendor: str, date: str) -> None:
    coupon = api.call("create_coupon", vendor_id=vendor, body=making.child("coupon")).expect(201)
    order = making.new_order(date, vendor, quantity=2, coupon_code=coupon["code"])
    assert order["price"] == 2 * PRICE * 90 // 100


def test_who_ordered_is_changed_and_taken_away(api: Api, making: Making, vendor: str, date: str) -> None:
    order = making.new_order(date, vendor)
    customer = {"name": making.name("other"), "email": "other@example.com"}
    changed = api.call("change_order", order_id=order["id"], body={"customer": customer}).expect(200)
    assert changed["customer"] == customer
    assert api.call("change_order", order_id=order["id"], body={"customer": None}).expect(200)["customer"] is None


# Reserved, confirmed, cancelled.


def test_a_reserved_order_holds_its_seats_until_it_is_confirmed(
    api: Api, making: Making, vendor: str, date: str
) -> None:
    order = making.new_order(date, vendor, reserve_minutes=15)
    assert (order["status"], order["expires_at"] is None) == ("reserved", False)
    tickets = api.call("list_order_tickets", order_id=order["id"]).expect(200)
    assert [ticket["valid"] for ticket in tickets] == [False]
    confirmed = api.call("confirm_order", order_id=order["id"]).expect(200)
    assert (confirmed["status"], confirmed["expires_at"]) == ("open", None)
    tickets = api.call("list_order_tickets", order_id=order["id"]).expect(200)
    assert [ticket["valid"] for ticket in tickets] == [True]


def test_a_cancelled_order_frees_its_seats_once(api: Api, making: Making, vendor: str, date: str) -> None:
    order = making.new_order(date, vendor, quantity=SEATS)
    assert api.call("cancel_order", order_id=order["id"]).expect(200)["status"] == "cancelled"
    assert api.call("get_date", date_id=date).expect(200)["booked"] == 0
    api.call("cancel_order", order_id=order["id"]).refused(409)
    api.call("confirm_order", order_id=order["id"]).refused(409)
    making.new_order(date, vendor, quantity=SEATS)


# Payments.


def test_an_order_is_paid_in_parts(api: Api, making: Making, vendor: str, date: str) -> None:
    order = making.new_order(date, vendor)
    api.call("create_order_payment", order_id=order["id"], body={"amount": 500, "method": "cash"}).expect(201)
    assert api.call("get_order", order_id=order["id"]).expect(200)["status"] == "open"
    rest = {"amount": PRICE - 500, "method": "card"}
    payment = api.call("create_order_payment", order_id=order["id"], body=rest).expect(201)
    paid = api.call("get_order", order_id=order["id"]).expect(200)
    assert (paid["status"], paid["paid"]) == ("paid", PRICE)
    assert payment in api.call("list_order_payments", order_id=order["id"]).expect(200)


def test_more_than_is_due_is_not_taken(api: Api, making: Making, vendor: str, date: str) -> None:
    order = making.new_order(date, vendor)
    body = {"amount": PRICE + 1, "method": "card"}
    api.call("create_order_payment", order_id=order["id"], body=body).refused(409)


def test_a_voucher_is_spent(api: Api, making: Making, vendor: str, date: str) -> None:
    voucher = api.call("create_voucher", vendor_id=vendor, body=making.child("voucher")).expect(201)
    order = making.new_order(date, vendor)
    body = {"amount": PRICE, "method": "voucher", "voucher_code": voucher["code"]}
    api.call("create_order_payment", order_id=order["id"], body=body).expect(201)
    left = api.call("get_voucher", vendor_id=vendor, voucher_id=voucher["id"]).expect(200)["balance"]
    assert left == voucher["value"] - PRICE


def test_a_voucher_without_its_code_is_422(api: Api, making: Making, vendor: str, date: str) -> None:
    order = making.new_order(date, vendor)
    body = {"amount": 1, "method": "voucher"}
    api.call("create_order_payment", order_id=order["id"], body=body).refused(422)


# Over several vendors.


def test_an_order_over_several_vendors_is_one_order(api: Api, making: Making, category: str, date: str) -> None:
    dates = [date, *(making.new_date(making.new_event(making.new_vendor(), category)) for _ in range(2))]
    body = {"items": [{"date_id": each, "quantity": 1} for each in dates]}
    order = api.call("create_order", body=body).expect(201)
    assert (order["vendor_id"], order["price"]) == (None, 3 * PRICE)
    assert {item["date_id"] for item in order["items"]} == set(dates)
    assert api.call("get_order", order_id=order["id"]).expect(200) == order
    whole = {"amount": 3 * PRICE, "method": "card"}
    api.call("create_order_payment", order_id=order["id"], body={**whole, "amount": 1}).refused(409)
    api.call("create_order_payment", order_id=order["id"], body=whole).expect(201)
    assert api.call("get_order", order_id=order["id"]).expect(200)["status"] == "paid"
    assert api.call("cancel_order", order_id=order["id"]).expect(200)["status"] == "cancelled"
    assert [api.call("get_date", date_id=each).expect(200)["booked"] for each in dates] == [0, 0, 0]


def test_an_order_over_several_vendors_takes_all_its_seats_or_none(
    api: Api, making: Making, category: str, date: str
) -> None:
    full = making.new_date(making.new_event(making.new_vendor(), category), capacity=1)
    body = {"items": [{"date_id": date, "quantity": 1}, {"date_id": full, "quantity": 2}]}
    api.call("create_order", body=body).refused(409)
    assert api.call("get_date", date_id=date).expect(200)["booked"] == 0


# Seen by a vendor, listed, reported.


def test_a_client_of_a_vendor_sees_no_order_of_another(vendor_api: Api, making: Making, vendor: str, date: str) -> None:
    order = making.new_order(date, vendor)
    vendor_api.call("get_order", order_id=order["id"]).refused(404)
    vendor_api.call("cancel_order", order_id=order["id"]).refused(404)
    vendor_api.call("list_vendor_orders", vendor_id=vendor).refused(404)


def test_orders_are_filtered(api: Api, making: Making, vendor: str, date: str) -> None:
    order = making.new_order(date, vendor)
    of_vendor = {"accept_vendors": vendor, "accept_code": order["code"]}
    assert api.call("list_orders", query={**of_vendor, "status": "open"}).expect(200) == [order]
    assert api.call("list_orders", query={**of_vendor, "status": "paid"}).expect(200) == []
    api.call("list_orders", query="status=lost").refused(400)


@pytest.mark.parametrize("by", ["month", "category", "city"])
def test_sales_are_reported(api: Api, making: Making, vendor: str, date: str, by: str) -> None:
    before = _sold(api, vendor, by)
    making.new_order(date, vendor, quantity=2)
    after = _sold(api, vendor, by)
    assert (after[0] - before[0], after[1] - before[1], after[2] - before[2]) == (1, 2, 2 * PRICE)


def test_sales_are_reported_by_what_is_known(api: Api) -> None:
    api.call("report_sales", query="group_by=weather").refused(400)


def _sold(api: Api, vendor: str, by: str) -> tuple[int, int, int]:
    rows = api.call("report_sales", query={"group_by": by, "accept_vendors": vendor}).expect(200)
    return (
        sum(row["orders"] for row in rows),
        sum(row["tickets"] for row in rows),
        sum(row["revenue"] for row in rows),
    )
