"""What becomes of a booking: confirmed, extended, changed, cancelled. Each is a step of its order.

Holds: the order is written before its booking, so that of two steps at once one waits for the other, and no two for
each other. To confirm again what is confirmed changes nothing; to cancel again is refused, as the standard has it.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, select, update

from bookings import tables as t
from bookings.clock import later
from bookings.errors import ApiError
from bookings.identity.clients import Client
from bookings.octo.bodies import (
    OctoCancellation,
    OctoChange,
    OctoConfirmation,
    OctoContact,
    OctoExtension,
    OctoUnitItem,
)
from bookings.octo.products import OPTION
from bookings.octo.refusals import OctoError, invalid_booking, unprocessable
from bookings.octo.reserving import contact_text, customer, hold_minutes
from bookings.rows import AnyRow, change_row
from bookings.trade.settling import cancel_order, confirm_order, extend_order


def require_booking(connection: Connection, client: Client, uuid: str) -> AnyRow:
    """The booking that the client has made. Refuses a uuid that it has not."""
    found = connection.execute(
        select(t.bookings.c.id, t.bookings.c.order_id, t.orders.c.status, t.order_items.c.date_id, t.dates.c.event_id)
        .join_from(t.bookings, t.orders)
        .join(t.order_items)
        .join(t.dates)
        .where(t.bookings.c.client_id == client.id, t.bookings.c.uuid == uuid.lower())
    ).one_or_none()
    if found is None:
        raise invalid_booking(uuid)
    return found


def confirm(connection: Connection, client: Client, uuid: str, body: OctoConfirmation, now: str) -> None:
    """Makes a held booking a sold one."""
    booking = require_booking(connection, client, uuid)
    try:
        was_held = confirm_order(connection, booking.order_id, now)
    except ApiError:
        raise invalid_booking(uuid, "The booking is cancelled, or its reservation has expired") from None
    if was_held:
        _say(connection, booking, body, now)
        connection.execute(update(t.bookings).where(t.bookings.c.id == booking.id).values(confirmed_at=now))


def extend(connection: Connection, client: Client, uuid: str, body: OctoExtension, now: str) -> None:
    """Holds the seats for another while, from now on."""
    booking = require_booking(connection, client, uuid)
    extend_order(connection, booking.order_id, later(now, hold_minutes(body.expiration_minutes)), now)


def cancel(connection: Connection, client: Client, uuid: str, body: OctoCancellation, now: str) -> None:
    """Gives the seats back."""
    booking = require_booking(connection, client, uuid)
    cancel_order(connection, booking.order_id, now)
    connection.execute(update(t.bookings).where(t.bookings.c.id == booking.id).values(reason=body.reason))


def change(connection: Connection, client: Client, uuid: str, body: OctoChange, now: str) -> None:
    """Changes what is said of a booking. Other seats are another booking."""
    booking = require_booking(connection, client, uuid)
    if booking.status not in {"reserved", "open", "paid"}:
        raise unprocessable("The booking is cancelled, or its reservation has expired")
    asked = (body.product_id, body.option_id, body.availability_id)
    for value, stays in zip(asked, (booking.event_id, OPTION, booking.date_id), strict=True):
        if value not in {None, stays}:
            raise unprocessable(
                "The product, option or availability of a booking cannot be changed: cancel it, and reserve anew"
            )
    if body.expiration_minutes is not None:
        extend_order(connection, booking.order_id, later(now, hold_minutes(body.expiration_minutes)), now)
    _say(connection, booking, body, now)


def _say(connection: Connection, booking: AnyRow, body: OctoChange | OctoConfirmation, now: str) -> None:
    """Writes down what the body says of the booking, its units and its guest."""
    change_row(connection, t.orders, booking.order_id, _guest(body.contact), now)
    said = body.model_fields_set
    values: dict[str, str | None] = {}
    if "reseller_reference" in said:
        values["reseller_reference"] = body.reseller_reference
    if isinstance(body, OctoChange) and "notes" in said:
        values["notes"] = body.notes
    if body.contact is not None:
        values["contact"] = contact_text(body.contact)
    if values:
        connection.execute(update(t.bookings).where(t.bookings.c.id == booking.id).values(values))
    if body.unit_items is not None:
        _say_of_units(connection, booking.id, body.unit_items)


def _guest(contact: OctoContact | None) -> dict[str, str | None]:
    guest = customer(contact)
    return {} if guest is None else {"customer_name": guest.name, "customer_email": guest.email}


def _say_of_units(connection: Connection, booking_id: str, items: Sequence[OctoUnitItem]) -> None:
    units = t.booking_units.c
    stored = connection.execute(
        select(units.id, units.uuid, units.unit_id).where(units.booking_id == booking_id).order_by(units.position)
    ).all()
    for unit, item in _paired(stored, items):
        values: dict[str, str | None] = {}
        if "reseller_reference" in item.model_fields_set:
            values["reseller_reference"] = item.reseller_reference
        if item.contact is not None:
            values["contact"] = contact_text(item.contact)
        if values:
            connection.execute(update(t.booking_units).where(units.id == unit.id).values(values))


def _paired(stored: Sequence[AnyRow], items: Sequence[OctoUnitItem]) -> list[tuple[AnyRow, OctoUnitItem]]:
    """Each unit with what is said of it: by its uuid, or by its place where none is given."""
    by_uuid = {unit.uuid: unit for unit in stored}
    pairs = [
        (by_uuid.get(item.uuid.lower()) if item.uuid else stored[place] if place < len(stored) else None, item)
        for place, item in enumerate(items)
    ]
    found = [(unit, item) for unit, item in pairs if unit is not None and unit.unit_id == item.unit_id]
    if not len({unit.id for unit, _ in found}) == len(items) == len(stored):
        raise _other("unitItems")
    return found


def _other(what: str) -> OctoError:
    return unprocessable(f"The {what} of a booking cannot be changed: cancel it, and reserve anew")
