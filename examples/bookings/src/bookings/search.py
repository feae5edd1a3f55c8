"""The text that `match` looks into, made when a row is written.

Holds: letters compare the same on every database, because no database compares them.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Table

from bookings import tables as t

_SEARCHED: Mapping[Table, tuple[str, ...]] = {
    t.categories: ("name", "slug"),
    t.vendors: ("name", "city"),
    t.events: ("name", "city", "description"),
    t.orders: ("code", "customer_name", "customer_email"),
    t.coupons: ("code",),
    t.vouchers: ("code",),
    t.users: ("name", "email"),
}


def search_text(table: Table, row: Mapping[str, Any]) -> str:
    """A line break between two values keeps them from being found as one."""
    values = (row[name] for name in _SEARCHED[table])
    return "\n".join(value.casefold() for value in values if value)
