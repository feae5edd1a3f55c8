"""Bookings as OCTO shows them: the order, its one item and its tickets, with what the client said of them.

Holds: a client finds the bookings that it has made, and no others. What becomes of an order elsewhere is seen here.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, select

from bookings import tables as t
from bookings.octo.availability import COLUMNS, availability
from bookings.octo.products import OPTION
from bookings.rows import AnyRow

_STATUSES: Mapping[str, str] = {
    "reserved": "ON_HOLD",
    "open": "CONFIRMED",
    "paid": "CONFIRMED",
    "cancelled": "CANCELLED",
    "expired": "EXPIRED",
}
_CONTACT = (
    "fullName", "firstName", "lastName", "emailAddress", "phoneNumber", "locales", "postalCode", "country", "notes",
)  # fmt: skip
SOURCE = t.bookings.join(t.orders).join(t.order_items).join(t.dates).join(t.events, t.events.c.id == t.dates.c.event_id)


def read_bookings(connection: Connection, now: str, conditions: Sequence[ColumnElement[bool]]) -> list[dict[str, Any]]:
    """The bookings, in the order in which they were made."""
    bookings, orders = t.bookings.c, t.orders.c
    page = select().select_from(SOURCE).where(*conditions)
    units = _units_of(connection, page)
    found = connection.execute(
        page.with_only_columns(
            *COLUMNS,
            bookings.id.label("booking_id"),
            bookings.uuid,
            bookings.reseller_reference,
            bookings.notes,
            bookings.contact,
            bookings.reason,
            bookings.confirmed_at,
            orders.code,
            orders.status,
            orders.expires_at,
            orders.cancelled_at,
            orders.created_at,
            orders.updated_at,
            t.events.c.id.label("event_id"),
        ).order_by(orders.created_at, bookings.uuid)
    )
    return [_booking(row, units[row.booking_id], now) for row in found]


def _booking(row: AnyRow, units: Sequence[AnyRow], now: str) -> dict[str, Any]:
    status = _STATUSES[row.status]
    if status == "ON_HOLD" and row.expires_at <= now:  # the broom has not come by yet
        status = "EXPIRED"
    cancelled = {"refund": "NONE", "reason": row.reason, "utcCancelledAt": row.cancelled_at}
    return {
        "id": row.booking_id,
        "uuid": row.uuid,
        "testMode": False,
        "resellerReference": row.reseller_reference,
        "supplierReference": row.code,
        "status": status,
        "utcCreatedAt": row.created_at,
        "utcUpdatedAt": row.updated_at,
        "utcExpiresAt": row.expires_at,
        "utcRedeemedAt": None,
        "utcConfirmedAt": row.confirmed_at,
        "productId": row.event_id,
        "optionId": OPTION,
        "cancellable": status in {"ON_HOLD", "CONFIRMED"},
        "cancellation": cancelled if status == "CANCELLED" else None,
        "freesale": False,
        "availabilityId": row.id,
        "availability": availability(row),
        "contact": _contact(row.contact),
        "notes": row.notes,
        "deliveryMethods": ["TICKET", "VOUCHER"],
        "voucher": _ticket(row.code, status),
        "unitItems": [_unit_item(unit, status) for unit in units],
    }


def _unit_item(row: AnyRow, status: str) -> dict[str, Any]:
    return {
        "uuid": row.uuid,
        "resellerReference": row.reseller_reference,
        "supplierReference": row.code,
        "unitId": row.unit_id,
        "status": status,
        "utcRedeemedAt": None,
        "contact": _contact(row.contact),
        "ticket": _ticket(row.code, status),
    }


def _ticket(code: str, status: str) -> dict[str, Any] | None:
    """What lets guests in; nothing does before the booking is confirmed."""
    if status != "CONFIRMED":
        return None
    options = [{"deliveryFormat": "QRCODE", "deliveryValue": code}]
    return {"redemptionMethod": "DIGITAL", "utcRedeemedAt": None, "deliveryOptions": options}


def _contact(text: str) -> dict[str, Any]:
    known: dict[str, Any] = msgspec.json.decode(text)
    return {name: known.get(name, [] if name == "locales" else None) for name in _CONTACT}


def _units_of(connection: Connection, page: Select[Any]) -> dict[str, list[AnyRow]]:
    ids = page.with_only_columns(t.bookings.c.id)
    units = t.booking_units.c
    found = connection.execute(
        select(units.booking_id, units.uuid, units.unit_id, units.reseller_reference, units.contact, t.tickets.c.code)
        .join_from(t.booking_units, t.tickets)
        .where(units.booking_id.in_(ids))
        .order_by(units.booking_id, units.position)
    )
    of_booking: dict[str, list[AnyRow]] = defaultdict(list)
    for row in found:
        of_booking[row.booking_id].append(row)
    return of_booking
