"""What clients buy: orders of one vendor and of several, payments, confirmations, cancellations, races for seats."""

from typing import Any

from proof.writes.history import MARKETPLACE, NOWHERE, Date, History, Order, Vendor

BUYERS = 6


def create_order(h: History) -> None:
    """Of one vendor, named; its items may be spread over its dates, or be another vendor's."""
    vendor = h.one(h.vendors)
    dates = [date for date in h.dates if date.event.vendor is vendor]
    if not dates:
        return
    if h.maybe(0.05):
        dates = h.dates
    body = _basket(h, dates) | {"vendor_id": vendor.id}
    if h.maybe(0.25):
        mine = [code for owner, _, code in h.coupons if owner is vendor]
        body["coupon_code"] = h.one(mine) if mine else "NONE"
    _place(h, body, [vendor])


def create_order_across(h: History) -> None:
    """Of several vendors, or of one that is not named: each shard takes its part, or none does."""
    if not h.across or not h.dates:
        return
    body = _basket(h, h.dates)
    wanted = {item["date_id"] for item in body["items"]}
    vendors = {date.event.vendor.id: date.event.vendor for date in h.dates if date.id in wanted}
    _place(h, body, list(vendors.values()))


def send_order_twice(h: History) -> None:
    """An id that its client has chosen makes a second one a conflict, also without a key."""
    if h.orders:
        order = h.one(h.orders)
        dates = [date for date in h.dates if date.event.vendor is order.vendors[0]]
        if dates and len(order.vendors) == 1:
            body = _basket(h, dates[:1]) | {"id": order.id, "vendor_id": order.vendors[0].id}
            h.send("POST", "/v3/orders", body, client=MARKETPLACE)


def _basket(h: History, dates: list[Date]) -> dict[str, Any]:
    chosen = h.random.choices(dates, k=h.one([1, 1, 2, 3]))
    quantities = [h.one([1, 1, 2, 4]) for _ in chosen]
    body: dict[str, Any] = {
        "items": [{"date_id": date.id, "quantity": q} for date, q in zip(chosen, quantities, strict=True)]
    }
    if h.maybe(0.05):
        body["items"][-1]["date_id"] = NOWHERE
    if h.maybe(0.5):
        body["customer"] = {"name": h.name("Guest"), "email": "guest@example.com"}
    if h.maybe(0.4):
        body["id"] = h.hex()
    if h.maybe(0.4):
        body["code"] = h.code()
    if h.maybe(0.3):
        body["reserve_minutes"] = 60
    return body


def _place(h: History, body: dict[str, Any], vendors: list[Vendor]) -> None:
    client = None if "vendor_id" in body else MARKETPLACE
    answer = h.send("POST", "/v3/orders", h.spoiled(body, but=["vendor_id"]), client)
    if answer.status_code == 201:
        made = answer.json()
        h.orders.append(Order(made["id"], made["price"], vendors))


def pay(h: History) -> None:
    """All of it, a part, too much; by card, or by a voucher."""
    if not h.orders:
        return
    order = h.one(h.orders)
    amount = h.one([order.price, order.price, max(1, order.price // 2), order.price + 1])
    body: dict[str, Any] = {"amount": amount, "method": "card"}
    mine = [code for owner, _, code in h.vouchers if owner in order.vendors]
    if mine and h.maybe(0.4):
        body |= {"method": "voucher", "voucher_code": h.one(mine), "amount": min(amount, 400)}
    if h.maybe(0.3):
        body["id"] = h.hex()
    h.send("POST", f"/v3/orders/{order.id}/payments", h.spoiled(body))


def confirm(h: History) -> None:
    """A reservation becomes an order; what is one stays it."""
    h.send("POST", f"/v3/orders/{_order_id(h)}/confirm")


def cancel(h: History) -> None:
    """Its seats are free again; a second time it is refused."""
    h.send("POST", f"/v3/orders/{_order_id(h)}/cancel")


def change_order(h: History) -> None:
    """Another guest, or none."""
    customer = h.one([{"name": h.name("Guest")}, {"name": h.name("Guest"), "email": "new@example.com"}, None])
    h.send("PATCH", f"/v3/orders/{_order_id(h)}", h.spoiled({"customer": customer}, but=["customer"]))


def race_for_seats(h: History) -> None:
    """More buyers than seats, all at once: every seat is sold, none twice."""
    if not h.events:
        return
    event = h.one(h.events)
    answer = h.send("POST", f"/v3/events/{event.id}/dates", _last_seats(h), client=MARKETPLACE)
    if answer.status_code != 201:
        return
    date = answer.json()["id"]
    body: dict[str, Any] = {"items": [{"date_id": date, "quantity": 1}]}
    if not (h.across and h.maybe(0.5)):
        body["vendor_id"] = event.vendor.id
    h.both.crowd([h.change("POST", "/v3/orders", body, MARKETPLACE) for _ in range(BUYERS)], alike=False)
    h.read(f"/v3/dates/{date}")
    h.rows(f"/v3/orders?accept_vendors={event.vendor.id}")


def _last_seats(h: History) -> dict[str, Any]:
    return {"start_date": h.day(), "start_time": "09:00", "capacity": h.random.randint(1, BUYERS - 2)}


def _order_id(h: History) -> str:
    return h.one(h.orders).id if h.orders and not h.maybe(0.04) else NOWHERE


STEPS = {
    create_order: 10,
    create_order_across: 8,
    send_order_twice: 1,
    pay: 7,
    confirm: 3,
    cancel: 4,
    change_order: 3,
    race_for_seats: 1,
}
