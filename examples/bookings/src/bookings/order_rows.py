"""What an order's row in `orders` does not hold: its customer as one value, its items, and whose they are.

Holds: one query for the items of a whole page, however many orders it has.
"""

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, exists, null, select

from bookings import tables as t

HIDDEN = (t.orders.c.id.label("_id"), t.orders.c.customer_email.label("_email"))


# A several-vendor order is rare, and asked for first: nothing else costs a look at the items.
OF_SEVERAL = t.orders.c.vendor_count > 1
# An order over several vendors is no one's; that the row has the first one's is only to say where the row belongs.
ONLY_VENDOR = case((OF_SEVERAL, null()), else_=t.orders.c.vendor_id)


def has_items_of(vendors: Collection[str]) -> ColumnElement[bool]:
    """Orders over several vendors, these among them."""
    # Aliases, because a list may join the same tables.
    items, dates, events = t.order_items.alias(), t.dates.alias(), t.events.alias()
    found = exists().where(
        items.c.order_id == t.orders.c.id,
        dates.c.id == items.c.date_id,
        events.c.id == dates.c.event_id,
        events.c.vendor_id.in_(vendors),
    )
    return and_(OF_SEVERAL, found)


def complete(
    connection: Connection, page: Select[Any], rows: list[dict[str, Any]], vendor_id: str | None = None
) -> None:
    """Turns the rows of `page` into whole orders, in place; with a vendor, into that vendor's part of them."""
    if rows and "items" in rows[0]:
        items = _items_of(connection, page, vendor_id)
        for row in rows:
            row["items"] = items[row["_id"]]
    for row in rows:
        del row["_id"]
        email = row.pop("_email")
        if "customer" in row:
            row["customer"] = _customer(row["customer"], email)


def _customer(name: str | None, email: str | None) -> dict[str, str | None] | None:
    return None if name is None and email is None else {"name": name, "email": email}


def _items_of(connection: Connection, page: Select[Any], vendor_id: str | None) -> dict[str, list[dict[str, Any]]]:
    ids = page.with_only_columns(t.orders.c.id)
    of_vendor = [] if vendor_id is None else [t.dates.c.event_id.in_(_events_of(vendor_id))]
    found = connection.execute(
        select(
            t.order_items.c.order_id,
            t.order_items.c.id,
            t.dates.c.event_id,
            t.order_items.c.date_id,
            t.dates.c.start_date,
            t.order_items.c.quantity,
            t.order_items.c.price,
        )
        .join_from(t.order_items, t.dates)
        .where(t.order_items.c.order_id.in_(ids), *of_vendor)
        # As they take place. Of one date in the order in which they were ordered.
        .order_by(t.order_items.c.order_id, t.dates.c.start_date, t.dates.c.id, t.order_items.c.position)
    )
    items: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for order_id, id_, event_id, date_id, start_date, quantity, price in found:
        items[order_id].append(
            {
                "id": id_,
                "event_id": event_id,
                "date_id": date_id,
                "start_date": start_date,
                "quantity": quantity,
                "price": price,
            }
        )
    return items


def _events_of(vendor_id: str) -> Select[tuple[str]]:
    return select(t.events.c.id).where(t.events.c.vendor_id == vendor_id)
