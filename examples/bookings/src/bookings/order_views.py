"""Orders, tickets and payments as one vendor sees them: of an order over several vendors only its own part.

Holds: a part looks like an order of that vendor alone, whatever else is in it, so that it looks the same wherever
the other parts are kept. It is paid when the order is.
"""

from dataclasses import replace
from functools import partial

from sqlalchemy import BigInteger, ColumnElement, case, cast, func, literal, select

from bookings import order_rows
from bookings import tables as t
from bookings.resources import ORDERS, PAYMENTS, TICKETS, Property, Resource


def orders_of(vendor_id: str | None) -> Resource:
    """What a list of orders shows to a vendor; to a marketplace (None) all of each order."""
    if vendor_id is None:
        return ORDERS
    orders, own = t.orders.c, _own_price(vendor_id)
    paid = case((orders.paid == orders.price, own), else_=0)
    shown = {
        "vendor_id": literal(vendor_id),
        "price": case((order_rows.OF_SEVERAL, own), else_=orders.price),
        "paid": case((order_rows.OF_SEVERAL, paid), else_=orders.paid),
    }
    return replace(_showing(ORDERS, shown), complete=partial(order_rows.complete, vendor_id=vendor_id))


def payments_of(vendor_id: str | None) -> Resource:
    """What a list of payments shows to a vendor."""
    if vendor_id is None:
        return PAYMENTS
    amount = case((order_rows.OF_SEVERAL, _own_price(vendor_id)), else_=t.payments.c.amount)
    return _showing(PAYMENTS, {"amount": amount})


def tickets_of(vendor_id: str | None) -> list[ColumnElement[bool]]:
    """Which tickets a list shows to a vendor."""
    if vendor_id is None:
        return []
    return [TICKETS.by_name["event_id"].column.in_(select(t.events.c.id).where(t.events.c.vendor_id == vendor_id))]


def _showing(resource: Resource, columns: dict[str, ColumnElement[object]]) -> Resource:
    def shown(each: Property) -> Property:
        return replace(each, column=columns[each.name]) if each.name in columns else each

    return replace(resource, properties=tuple(shown(each) for each in resource.properties))


def _own_price(vendor_id: str) -> ColumnElement[int]:
    items, dates, events = t.order_items.alias(), t.dates.alias(), t.events.alias()
    return (
        select(cast(func.sum(items.c.price), BigInteger))  # PostgreSQL sums integers into decimals
        .join_from(items, dates, dates.c.id == items.c.date_id)
        .join(events, events.c.id == dates.c.event_id)
        .where(items.c.order_id == t.orders.c.id, events.c.vendor_id == vendor_id)
        .correlate(t.orders)
        .scalar_subquery()
    )
