"""Places an order: takes its seats, prices its lines, writes its tickets.

Holds: a date is never sold beyond its capacity, however many buy at once, because a seat is taken
by one conditional UPDATE. Dates are taken in the order of their ids, so that two orders that want
the same ones wait for each other and never deadlock. A reserved order holds its seats like any
other, until it is confirmed or ends.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select, update

from bookings import tables as t
from bookings.clock import later
from bookings.errors import conflict, invalid
from bookings.ids import new_id, new_order_code, new_ticket_code
from bookings.rows import AnyRow, add_row, unique
from bookings.schemas.catalogue import Wanted
from bookings.schemas.trade import NewOrder

CURRENCY = "EUR"  # the platform settles in one currency


@dataclass(frozen=True, slots=True)
class Line:
    """One item with its price."""

    date_id: str
    quantity: int
    price: int


def place_order(connection: Connection, order: NewOrder, now: str) -> str:
    """Writes the order and returns its id. The vendor, where one is named, is known to exist."""
    dates = _dates_of(connection, order)
    percent = _discount(connection, order)
    _take_seats(connection, order.items, now)
    lines = [_priced(item, dates[item.date_id].price, percent) for item in order.items]
    vendors = list(dict.fromkeys(dates[item.date_id].vendor_id for item in order.items))
    with unique("the id or the code is taken"):
        return _write(connection, order, vendors, lines, now)


def _dates_of(connection: Connection, order: NewOrder) -> Mapping[str, AnyRow]:
    wanted = {item.date_id for item in order.items}
    found = connection.execute(
        select(t.dates.c.id, t.dates.c.price, t.events.c.active, t.events.c.vendor_id)
        .join_from(t.dates, t.events)
        .where(t.dates.c.id.in_(sorted(wanted)))
    )
    dates = {row.id: row for row in found if order.vendor_id in {None, row.vendor_id}}
    whose = "" if order.vendor_id is None else " of the order's vendor"
    for position, item in enumerate(order.items):
        if item.date_id not in dates:
            raise invalid(f"items.{position}.date_id", f"is not a date{whose}")
        if not dates[item.date_id].active:
            raise conflict(f"date {item.date_id!r} is of an event that is not active")
    return dates


def _discount(connection: Connection, order: NewOrder) -> int:
    if order.coupon_code is None:
        return 0
    if order.vendor_id is None:
        raise invalid("coupon_code", "is a vendor's, so that it goes with a vendor_id")
    percent = connection.scalar(
        select(t.coupons.c.percent).where(
            t.coupons.c.vendor_id == order.vendor_id,
            t.coupons.c.code == order.coupon_code,
            t.coupons.c.active,
        )
    )
    if percent is None:
        raise invalid("coupon_code", "is not a coupon of the order's vendor")
    return int(percent)


def _take_seats(connection: Connection, items: Sequence[Wanted], now: str) -> None:
    seats: Counter[str] = Counter()
    for item in items:
        seats[item.date_id] += item.quantity
    for date_id, quantity in sorted(seats.items()):
        taken = connection.execute(
            update(t.dates)
            .where(t.dates.c.id == date_id, t.dates.c.booked + quantity <= t.dates.c.capacity)
            .values(booked=t.dates.c.booked + quantity, updated_at=now)
        )
        if not taken.rowcount:
            raise conflict(f"date {date_id!r} has not {quantity} seats left")


def _priced(item: Wanted, unit_price: int, percent: int) -> Line:
    full = unit_price * item.quantity
    return Line(item.date_id, item.quantity, full - full * percent // 100)


def _write(connection: Connection, order: NewOrder, vendors: Sequence[str], lines: Sequence[Line], now: str) -> str:
    price = sum(line.price for line in lines)
    code = order.code or new_order_code()
    reserved = order.reserve_minutes is not None
    values = {
        "id": order.id,
        "vendor_id": vendors[0],
        "vendor_count": len(vendors),
        "code": code,
        "status": "reserved" if reserved else "open" if price else "paid",  # nothing is due
        "expires_at": None if order.reserve_minutes is None else later(now, order.reserve_minutes),
        "customer_name": order.customer.name if order.customer else None,
        "customer_email": order.customer.email if order.customer else None,
        "price": price,
        "paid": 0,
        "currency": CURRENCY,
        "coupon_code": order.coupon_code,
    }
    order_id = add_row(connection, t.orders, values, now)
    items = [
        {
            "id": new_id(),
            "order_id": order_id,
            "date_id": line.date_id,
            "position": position,
            "quantity": line.quantity,
            "price": line.price,
        }
        for position, line in enumerate(lines)
    ]
    connection.execute(insert(t.order_items), items)
    connection.execute(insert(t.tickets), _tickets(items, code, now, valid=not reserved))
    return order_id


def _tickets(items: Sequence[Mapping[str, Any]], code: str, now: str, *, valid: bool) -> list[dict[str, Any]]:
    owners = [item["id"] for item in items for _ in range(item["quantity"])]
    return [
        {
            "id": new_id(),
            "item_id": item_id,
            "code": new_ticket_code(code),
            "valid": valid,
            "created_at": now,
            "updated_at": now,
        }
        for item_id in owners
    ]
