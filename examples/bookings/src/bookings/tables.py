"""The schema: the catalogue, the trade, and, kept apart, the identities.

Holds: every table of a vendor reaches `vendors` by NOT NULL foreign keys, and text is ordered by
code point on every database.
Never: queries.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

# PostgreSQL would otherwise sort by the locale of the machine that made the database.
Text = String().with_variant(String(collation="C"), "postgresql")

metadata = MetaData()


def _id() -> Column[Any]:
    return Column("id", Text, primary_key=True)


def _owner(column: str, target: str) -> Column[Any]:
    return Column(column, Text, ForeignKey(f"{target}.id"), nullable=False)


def _text(name: str) -> Column[Any]:
    return Column(name, Text, nullable=False)


def _count(name: str) -> Column[Any]:
    return Column(name, Integer, nullable=False)


def _money(name: str) -> Column[Any]:
    """An amount in minor units (cents)."""
    return Column(name, BigInteger, nullable=False)


def _flag(name: str) -> Column[Any]:
    return Column(name, Boolean, nullable=False)


def _stamps() -> tuple[Column[Any], Column[Any]]:
    return _text("created_at"), _text("updated_at")


def _search() -> Column[Any]:
    """The case-folded text that `match` looks into: the same answer from every database."""
    return _text("search")


# Reference data: belongs to nobody.
categories = Table(
    "categories", metadata, _id(), _text("slug"), _text("name"), *_stamps(), _search(),
    UniqueConstraint("slug"),
)  # fmt: skip

# The catalogue.
vendors = Table(
    "vendors", metadata, _id(), _text("name"), _text("email"), _text("city"), _text("country"),
    Column("rating", Double), _flag("active"), *_stamps(), _search(),
    Index("vendors_by_name", "name", "id"),
)  # fmt: skip

events = Table(
    "events", metadata, _id(), _owner("vendor_id", "vendors"), _owner("category_id", "categories"),
    _text("name"), _text("description"), _text("city"), _text("country"),
    Column("latitude", Double, nullable=False), Column("longitude", Double, nullable=False),
    _money("price"), _text("currency"), _count("duration_minutes"), _count("capacity"),
    Column("rating", Double), _count("reviews"), _flag("active"), *_stamps(), _search(),
    Index("events_by_vendor", "vendor_id", "id"),
    Index("events_by_category", "category_id", "id"),
    Index("events_by_city", "city", "id"),
    Index("events_by_name", "name", "id"),
    Index("events_by_change", "updated_at", "id"),
)  # fmt: skip

dates = Table(
    "dates", metadata, _id(), _owner("event_id", "events"), _text("start_date"),
    _text("start_time"), _count("capacity"), _count("booked"), _money("price"), _text("currency"),
    *_stamps(),
    Index("dates_by_event", "event_id", "start_date"),
    Index("dates_by_day", "start_date", "id"),
)  # fmt: skip

# The trade.
orders = Table(
    "orders", metadata, _id(), _owner("vendor_id", "vendors"), _text("code"), _text("status"),
    Column("customer_name", Text), Column("customer_email", Text), _money("price"), _money("paid"),
    _text("currency"), Column("coupon_code", Text), Column("cancelled_at", Text),
    Column("expires_at", Text), _count("vendor_count"), *_stamps(), _search(),
    UniqueConstraint("code"),
    Index("orders_by_vendor", "vendor_id", "id"),
    Index("orders_by_day", "created_at", "id"),
    Index("orders_by_change", "updated_at", "id"),
    Index("orders_by_expiry", "status", "expires_at"),
    Index("orders_by_vendor_count", "vendor_count", "id"),
)  # fmt: skip

# An item knows its vendor through its date. The order's own `vendor_id` is that of its first item;
# `vendor_count` says whether there are others.
order_items = Table(
    "order_items", metadata, _id(), _owner("order_id", "orders"), _owner("date_id", "dates"),
    _count("position"), _count("quantity"), _money("price"),
    UniqueConstraint("order_id", "position"),
    Index("order_items_by_date", "date_id"),
)  # fmt: skip

tickets = Table(
    "tickets", metadata, _id(), _owner("item_id", "order_items"), _text("code"), _flag("valid"),
    *_stamps(),
    Index("tickets_by_item", "item_id"),
)  # fmt: skip

payments = Table(
    "payments", metadata, _id(), _owner("order_id", "orders"), _money("amount"),
    _text("currency"), _text("method"), Column("voucher_code", Text), *_stamps(),
    Index("payments_by_order", "order_id"),
)  # fmt: skip

# What OCTO says of an order that was made by it. The uuid is the client's own.
bookings = Table(
    "bookings", metadata, _id(), _owner("order_id", "orders"), _text("client_id"), _text("uuid"),
    Column("reseller_reference", Text), Column("notes", Text), _text("contact"),
    Column("reason", Text), Column("confirmed_at", Text),
    UniqueConstraint("client_id", "uuid"),
    UniqueConstraint("order_id"),
    Index("bookings_by_reseller_reference", "reseller_reference"),
)  # fmt: skip

booking_units = Table(
    "booking_units", metadata, _id(), _owner("booking_id", "bookings"), _owner("ticket_id", "tickets"),
    _count("position"), _text("uuid"), _text("unit_id"), Column("reseller_reference", Text), _text("contact"),
    UniqueConstraint("booking_id", "position"),
    Index("booking_units_by_ticket", "ticket_id"),
)  # fmt: skip

coupons = Table(
    "coupons", metadata, _id(), _owner("vendor_id", "vendors"), _text("code"), _count("percent"),
    _flag("active"), *_stamps(), _search(),
    UniqueConstraint("vendor_id", "code"),
)  # fmt: skip

vouchers = Table(
    "vouchers", metadata, _id(), _owner("vendor_id", "vendors"), _text("code"), _money("value"),
    _money("balance"), _text("currency"), Column("expires_on", Text), *_stamps(), _search(),
    UniqueConstraint("vendor_id", "code"),
)  # fmt: skip

users = Table(
    "users", metadata, _id(), _owner("vendor_id", "vendors"), _text("name"), _text("email"),
    _text("role"), _flag("active"), *_stamps(), _search(),
    UniqueConstraint("vendor_id", "email"),
)  # fmt: skip

# Identity. `vendor_id` points at no table: who may call is kept apart from what is sold.
clients = Table(
    "clients", metadata, _id(), _text("kind"), Column("vendor_id", Text), _text("secret_hash"),
)  # fmt: skip

tokens = Table(
    "tokens", metadata,
    Column("client_id", Text, ForeignKey("clients.id"), primary_key=True),
    Column("expires_at", BigInteger, nullable=False),
)  # fmt: skip

usage = Table(
    "usage", metadata,
    Column("client_id", Text, ForeignKey("clients.id"), primary_key=True),
    Column("month", Text, primary_key=True),
    Column("calls", BigInteger, nullable=False),
)  # fmt: skip
