"""What an order's row in `orders` does not hold: its customer as one value, and its items.

Holds: one query for the items of a whole page, however many orders it has.
"""

from collections import defaultdict
from typing import Any

from sqlalchemy import Connection, Select, select

from bookings import tables as t

HIDDEN = (t.orders.c.id.label("_id"), t.orders.c.customer_email.label("_email"))


def complete(connection: Connection, page: Select[Any], rows: list[dict[str, Any]]) -> None:
    """Turns the rows of `page` into whole orders, in place."""
    if rows and "items" in rows[0]:
        items = _items_of(connection, page)
        for row in rows:
            row["items"] = items[row["_id"]]
    for row in rows:
        del row["_id"]
        email = row.pop("_email")
        if "customer" in row:
            row["customer"] = _customer(row["customer"], email)


def _customer(name: str | None, email: str | None) -> dict[str, str | None] | None:
    return None if name is None and email is None else {"name": name, "email": email}


def _items_of(connection: Connection, page: Select[Any]) -> dict[str, list[dict[str, Any]]]:
    ids = page.with_only_columns(t.orders.c.id)
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
        .where(t.order_items.c.order_id.in_(ids))
        .order_by(t.order_items.c.order_id, t.order_items.c.position)
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
