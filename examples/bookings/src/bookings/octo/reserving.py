"""Reserves: an order of the platform that holds its seats for a while, and the booking that OCTO knows it by.

Holds: a booking has one uuid for its client, so that a reservation sent again finds the first one, also when both are
under way at once, and takes no second seat.
"""

from collections.abc import Sequence
from uuid import uuid4

import msgspec
from sqlalchemy import Connection, insert, select

from bookings import tables as t
from bookings.database import Database
from bookings.errors import ApiError
from bookings.identity.clients import Client
from bookings.ids import new_id
from bookings.listing import Conditions
from bookings.octo.bodies import OctoContact, OctoReservation, OctoUnitItem, plain_uuid
from bookings.octo.products import UNIT_IDS, UNITS_MAX, require_product
from bookings.octo.refusals import OctoError, invalid_availability, invalid_booking, invalid_unit, unprocessable
from bookings.rows import AnyRow, unique
from bookings.schemas.catalogue import Wanted
from bookings.schemas.trade import NewCustomer, NewOrder
from bookings.trade.placing import place_order

HOLD_MINUTES = 30
HOLD_MINUTES_MAX = 120


def hold_minutes(wanted: int | None) -> int:
    """How long seats are held: as long as is wished, up to our limit."""
    return min(wanted or HOLD_MINUTES, HOLD_MINUTES_MAX)


def reserve(database: Database, client: Client, owned: Conditions, body: OctoReservation, now: str) -> str:
    """Holds the seats and returns the uuid of the booking: a new one, or the one that has this uuid already."""
    uuid = plain_uuid(body.uuid) if body.uuid else str(uuid4())
    try:
        with database.write() as connection:
            if not _is_there(connection, client, uuid, body):
                _check(connection, owned, body)
                _write(connection, client, uuid, body, now)
    except (ApiError, OctoError):
        # Its twin was faster, and has the uuid or the last seats.
        with database.read() as connection:
            if not _is_there(connection, client, uuid, body):
                raise
    return uuid


def _is_there(connection: Connection, client: Client, uuid: str, body: OctoReservation) -> bool:
    bookings = t.bookings.c
    found = connection.execute(
        select(bookings.id, t.order_items.c.date_id)
        .join_from(t.bookings, t.orders)
        .join(t.order_items)
        .where(bookings.client_id == client.id, bookings.uuid == uuid)
    ).one_or_none()
    if found is None:
        return False
    units = select(t.booking_units.c.unit_id).where(t.booking_units.c.booking_id == found.id)
    same_units = list(connection.scalars(units.order_by(t.booking_units.c.position))) == [
        item.unit_id for item in body.unit_items
    ]
    if found.date_id != body.availability_id or not same_units:
        raise invalid_booking(uuid)
    return True


def _check(connection: Connection, owned: Conditions, body: OctoReservation) -> None:
    require_product(connection, owned, body.product_id, body.option_id)
    date = select(t.dates.c.id).where(t.dates.c.id == body.availability_id, t.dates.c.event_id == body.product_id)
    if connection.scalar(date) is None:
        raise invalid_availability(body.availability_id)
    for item in body.unit_items:
        if item.unit_id not in UNIT_IDS:
            raise invalid_unit(item.unit_id)
    if not 1 <= len(body.unit_items) <= UNITS_MAX:
        raise unprocessable(f"Validation failed: 1 to {UNITS_MAX} unitItems can be booked at once")
    given = [plain_uuid(item.uuid) for item in body.unit_items if item.uuid]
    if len(set(given)) < len(given):
        raise unprocessable("Validation failed: two unitItems have one uuid")


def _write(connection: Connection, client: Client, uuid: str, body: OctoReservation, now: str) -> None:
    order_id = place_order(
        connection,
        NewOrder(
            customer=customer(body.contact),
            items=[Wanted(date_id=body.availability_id, quantity=len(body.unit_items))],
            reserve_minutes=hold_minutes(body.expiration_minutes),
        ),
        now,
    )
    booking_id = new_id()
    values = {
        "id": booking_id,
        "order_id": order_id,
        "client_id": client.id,
        "uuid": uuid,
        "reseller_reference": body.reseller_reference,
        "notes": body.notes,
        "contact": contact_text(body.contact),
    }
    with unique("the uuid was already used"):
        connection.execute(insert(t.bookings).values(values))
    units = [
        _unit(booking_id, position, item, ticket)
        for position, (item, ticket) in enumerate(zip(body.unit_items, _tickets(connection, order_id), strict=True))
    ]
    connection.execute(insert(t.booking_units), units)


def _tickets(connection: Connection, order_id: str) -> Sequence[AnyRow]:
    statement = select(t.tickets.c.id).join_from(t.tickets, t.order_items)
    return connection.execute(statement.where(t.order_items.c.order_id == order_id).order_by(t.tickets.c.code)).all()


def _unit(booking_id: str, position: int, item: OctoUnitItem, ticket: AnyRow) -> dict[str, object]:
    return {
        "id": new_id(),
        "booking_id": booking_id,
        "ticket_id": ticket.id,
        "position": position,
        "uuid": plain_uuid(item.uuid) if item.uuid else str(uuid4()),
        "unit_id": item.unit_id,
        "reseller_reference": item.reseller_reference,
        "contact": contact_text(item.contact),
    }


def contact_text(contact: OctoContact | None) -> str:
    """A contact as it is kept: what is known, and nothing else."""
    known = {} if contact is None else contact.model_dump(exclude_unset=True, by_alias=True)
    return msgspec.json.encode(known).decode()


def customer(contact: OctoContact | None) -> NewCustomer | None:
    """The guest as the order has it."""
    if contact is None:
        return None
    name = contact.full_name or " ".join(filter(None, (contact.first_name, contact.last_name)))
    # What the order's own rules would refuse stays in the booking alone.
    return NewCustomer.model_construct(name=name[:200] or None, email=contact.email_address)
