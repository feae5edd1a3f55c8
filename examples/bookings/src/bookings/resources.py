"""What each list shows: its properties in their order, how they sort, what `match` looks into.

Holds: the order of properties here is their order in every reply.
Never: runs a query (listing.py does).
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeAlias

from sqlalchemy import Column, ColumnElement, Connection, FromClause, Select, Table, null, or_

from bookings import order_rows
from bookings import tables as t

Sort: TypeAlias = Literal["text", "integer", "number", "boolean"]
Rows: TypeAlias = list[dict[str, Any]]
Complete: TypeAlias = Callable[[Connection, Select[Any], Rows], None]

SORTS: Mapping[type, Sort] = {str: "text", int: "integer", float: "number", bool: "boolean"}


@dataclass(frozen=True, slots=True)
class Property:
    """One property of a resource. Without `sort` it cannot be ordered by."""

    name: str
    column: ColumnElement[Any]
    sort: Sort | None = None
    nullable: bool = False


@dataclass(frozen=True)
class Resource:
    """One kind of thing, as its list shows it.

    Some properties need more than a column: `hidden` columns are then read along, and `complete`
    makes the properties of them.
    """

    name: str
    source: FromClause
    table: Table
    properties: tuple[Property, ...]
    vendor: ColumnElement[Any] | None
    search: ColumnElement[Any]
    match: tuple[str, ...]
    hidden: tuple[ColumnElement[Any], ...] = ()
    complete: Complete | None = None
    partly: Callable[[Collection[str]], ColumnElement[bool]] | None = None
    """Rows of another vendor in which these vendors have a part."""

    def of_vendors(self, vendors: Collection[str]) -> ColumnElement[bool]:
        """Rows that are these vendors', as a whole or in part. Only for what belongs to vendors."""
        assert self.vendor is not None
        mine = self.vendor.in_(vendors)
        return mine if self.partly is None else or_(mine, self.partly(vendors))

    @cached_property
    def by_name(self) -> Mapping[str, Property]:
        return {each.name: each for each in self.properties}

    @cached_property
    def sortable(self) -> Mapping[str, Property]:
        return {each.name: each for each in self.properties if each.sort}


def _shown(table: Table, names: str) -> Iterable[Property]:
    for name in names.split():
        column: Column[Any] = table.c[name]
        yield Property(name, column, SORTS[column.type.python_type], bool(column.nullable))


CATEGORIES = Resource(
    name="category",
    source=t.categories,
    table=t.categories,
    properties=tuple(_shown(t.categories, "id slug name created_at updated_at")),
    vendor=None,
    search=t.categories.c.search,
    match=("name", "slug"),
)

VENDORS = Resource(
    name="vendor",
    source=t.vendors,
    table=t.vendors,
    properties=tuple(_shown(t.vendors, "id name email city country rating active created_at updated_at")),
    vendor=t.vendors.c.id,
    search=t.vendors.c.search,
    match=("name", "city"),
)

EVENTS = Resource(
    name="event",
    source=t.events,
    table=t.events,
    properties=(
        *_shown(t.events, "id vendor_id category_id name"),
        Property("description", t.events.c.description),  # too long to be an order
        *_shown(t.events, "city country latitude longitude price currency duration_minutes"),
        *_shown(t.events, "capacity rating reviews active created_at updated_at"),
    ),
    vendor=t.events.c.vendor_id,
    search=t.events.c.search,
    match=("name", "city", "description"),
)

DATES = Resource(
    name="date",
    source=t.dates.join(t.events),
    table=t.dates,
    properties=(
        *_shown(t.dates, "id event_id"),
        *_shown(t.events, "vendor_id"),
        *_shown(t.dates, "start_date start_time capacity booked price currency"),
        *_shown(t.dates, "created_at updated_at"),
    ),
    vendor=t.events.c.vendor_id,
    search=t.events.c.search,
    match=("event.name", "event.city", "event.description"),
)

ORDERS = Resource(
    name="order",
    source=t.orders,
    table=t.orders,
    properties=(
        *_shown(t.orders, "id"),
        Property("vendor_id", order_rows.ONLY_VENDOR, "text", nullable=True),
        *_shown(t.orders, "code status"),
        Property("customer", t.orders.c.customer_name),
        *_shown(t.orders, "price paid currency coupon_code cancelled_at expires_at created_at updated_at"),
        Property("items", null()),
    ),
    vendor=t.orders.c.vendor_id,
    search=t.orders.c.search,
    match=("code", "customer.name", "customer.email"),
    hidden=order_rows.HIDDEN,
    complete=order_rows.complete,
    partly=order_rows.has_items_of,
)

TICKETS = Resource(
    name="ticket",
    source=t.tickets.join(t.order_items).join(t.orders).join(
        t.dates, t.dates.c.id == t.order_items.c.date_id
    ),
    table=t.tickets,
    properties=(
        *_shown(t.tickets, "id"),
        *_shown(t.order_items, "order_id"),
        *_shown(t.tickets, "item_id"),
        *_shown(t.dates, "event_id"),
        *_shown(t.order_items, "date_id"),
        *_shown(t.tickets, "code valid created_at updated_at"),
    ),
    vendor=t.orders.c.vendor_id,
    search=t.orders.c.search,
    match=("order.code", "order.customer.name", "order.customer.email"),
)  # fmt: skip

PAYMENTS = Resource(
    name="payment",
    source=t.payments.join(t.orders),
    table=t.payments,
    properties=tuple(
        _shown(
            t.payments, "id order_id amount currency method voucher_code created_at updated_at"
        )
    ),
    vendor=t.orders.c.vendor_id,
    search=t.orders.c.search,
    match=("order.code", "order.customer.name", "order.customer.email"),
)  # fmt: skip

COUPONS = Resource(
    name="coupon",
    source=t.coupons,
    table=t.coupons,
    properties=tuple(_shown(t.coupons, "id vendor_id code percent active created_at updated_at")),
    vendor=t.coupons.c.vendor_id,
    search=t.coupons.c.search,
    match=("code",),
)

VOUCHERS = Resource(
    name="voucher",
    source=t.vouchers,
    table=t.vouchers,
    properties=tuple(
        _shown(
            t.vouchers,
            "id vendor_id code value balance currency expires_on created_at updated_at",
        )
    ),
    vendor=t.vouchers.c.vendor_id,
    search=t.vouchers.c.search,
    match=("code",),
)

USERS = Resource(
    name="user",
    source=t.users,
    table=t.users,
    properties=tuple(
        _shown(t.users, "id vendor_id name email role active created_at updated_at")
    ),
    vendor=t.users.c.vendor_id,
    search=t.users.c.search,
    match=("name", "email"),
)  # fmt: skip

ALL = (
    CATEGORIES, VENDORS, EVENTS, DATES, ORDERS, TICKETS, PAYMENTS, COUPONS, VOUCHERS, USERS,
)  # fmt: skip
