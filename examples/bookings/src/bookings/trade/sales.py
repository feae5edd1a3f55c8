"""The sales report: orders, tickets and revenue under each month, category or city.

Holds: counts and sums are of items, so that they add up over any division of the orders;
what is only reserved, has expired or is cancelled is no sale.
"""

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from sqlalchemy import ColumnElement, Connection, func, select

from bookings import tables as t
from bookings.listing import Conditions

GroupBy: TypeAlias = Literal["month", "category", "city"]

_KEYS: Mapping[GroupBy, ColumnElement[str]] = {
    "month": func.substr(t.orders.c.created_at, 1, 7),
    "category": t.categories.c.slug,
    "city": t.events.c.city,
}


def sales(connection: Connection, by: GroupBy, conditions: Conditions) -> list[dict[str, Any]]:
    key = _KEYS[by].label("key")
    statement = (
        select(
            key,
            func.count(t.orders.c.id.distinct()),
            func.sum(t.order_items.c.quantity),
            func.sum(t.order_items.c.price),
        )
        .select_from(t.orders)
        .join(t.order_items)
        .join(t.dates)
        .join(t.events, t.events.c.id == t.dates.c.event_id)
        .join(t.categories)
        .where(t.orders.c.status.in_(("open", "paid")), *conditions)
        .group_by(key)
        .order_by(key)
    )
    return [_row(*found) for found in connection.execute(statement)]


def _row(key: str, orders: int, tickets: Any, revenue: Any) -> dict[str, Any]:
    # PostgreSQL sums integers into decimals.
    return {
        "key": key,
        "orders": orders,
        "tickets": int(tickets),
        "revenue": int(revenue),
        "average": round(int(revenue) / orders, 2) if orders else 0.0,
    }
