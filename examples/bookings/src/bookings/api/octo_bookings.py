"""OCTO's bookings: reserved (ON_HOLD), then confirmed, extended, changed or cancelled; found and listed."""

from collections.abc import Callable
from typing import Annotated, TypeAlias

import fastapi
from fastapi import APIRouter, Depends, Response
from sqlalchemy import Connection, false, true

from bookings import tables as t
from bookings.api.filters import Filters, owned
from bookings.api.list_query import OptionalText
from bookings.api.octo import octo_reply
from bookings.api.operation import ORDERS_READ, ORDERS_WRITE, Caller, Data, GuardedRoute, Now, needs
from bookings.database import Database
from bookings.identity.clients import Client
from bookings.octo import settling
from bookings.octo.availability import on_days
from bookings.octo.bodies import (
    OctoCancellation,
    OctoChange,
    OctoConfirmation,
    OctoExtension,
    OctoReservation,
    plain_day,
)
from bookings.octo.products import OPTION
from bookings.octo.reading import read_bookings
from bookings.octo.refusals import bad_request, invalid_booking
from bookings.octo.reserving import reserve
from bookings.octo.standard import answers
from bookings.resources import EVENTS

router = APIRouter(prefix="/octo/bookings", tags=["octo"], route_class=GuardedRoute)

REFERENCES = ("InvalidProductID", "InvalidOptionID", "InvalidUnitID", "InvalidAvailabilityID")


async def _filters(
    *,
    reseller_reference: Annotated[
        OptionalText, fastapi.Query(alias="resellerReference", description="The reseller's own reference.")
    ] = None,
    supplier_reference: Annotated[
        OptionalText, fastapi.Query(alias="supplierReference", description="The code of the order.")
    ] = None,
    local_date: Annotated[
        OptionalText, fastapi.Query(alias="localDate", description="The day it takes place, YYYY-MM-DD.")
    ] = None,
    local_date_start: Annotated[
        OptionalText, fastapi.Query(alias="localDateStart", description="On this day or later.")
    ] = None,
    local_date_end: Annotated[
        OptionalText, fastapi.Query(alias="localDateEnd", description="On this day or before.")
    ] = None,
    product_id: Annotated[OptionalText, fastapi.Query(alias="productId", description="Of this product.")] = None,
    option_id: Annotated[OptionalText, fastapi.Query(alias="optionId", description="Of this option.")] = None,
) -> Filters:
    found: Filters = []
    if reseller_reference is not None:
        found.append(t.bookings.c.reseller_reference == reseller_reference)
    if supplier_reference is not None:
        found.append(t.orders.c.code == supplier_reference)
    if local_date is not None:
        found.append(t.dates.c.start_date == plain_day("localDate", local_date))
    if local_date_start is not None or local_date_end is not None:
        found += on_days(plain_day("localDateStart", local_date_start), plain_day("localDateEnd", local_date_end))
    if not found:
        raise bad_request(
            "resellerReference, supplierReference, localDate, or localDateStart and localDateEnd is needed"
        )
    if product_id is not None:
        found.append(t.dates.c.event_id == product_id)
    if option_id is not None:
        found.append(true() if option_id == OPTION else false())
    return found


Filter: TypeAlias = Annotated[Filters, Depends(_filters)]


@router.post(
    "",
    operation_id="octo_reserve_booking",
    responses=answers("Booking", *REFERENCES, "InvalidBookingUUID", "UnprocessableEntity"),
    openapi_extra=needs(*ORDERS_WRITE),
)
def reserve_booking(database: Data, client: Caller, now: Now, body: OctoReservation) -> Response:
    uuid = reserve(database, client, owned(EVENTS, client), body, now)
    return _booking(database, client, uuid, now)


@router.get(
    "",
    operation_id="octo_list_bookings",
    responses=answers("Booking", "BadRequest", many=True),
    openapi_extra=needs(*ORDERS_READ),
)
def list_bookings(database: Data, client: Caller, now: Now, filters: Filter) -> Response:
    with database.read() as connection:
        return octo_reply(read_bookings(connection, now, [t.bookings.c.client_id == client.id, *filters]))


@router.get(
    "/{uuid}",
    operation_id="octo_get_booking",
    responses=answers("Booking", "InvalidBookingUUID"),
    openapi_extra=needs(*ORDERS_READ),
)
def get_booking(database: Data, client: Caller, now: Now, uuid: str) -> Response:
    return _booking(database, client, uuid, now)


@router.patch(
    "/{uuid}",
    operation_id="octo_change_booking",
    responses=answers("Booking", *REFERENCES, "InvalidBookingUUID", "UnprocessableEntity"),
    openapi_extra=needs(*ORDERS_WRITE),
)
def change_booking(database: Data, client: Caller, now: Now, uuid: str, body: OctoChange) -> Response:
    return _step(database, client, uuid, now, lambda connection: settling.change(connection, client, uuid, body, now))


@router.post(
    "/{uuid}/confirm",
    operation_id="octo_confirm_booking",
    responses=answers("Booking", *REFERENCES, "InvalidBookingUUID", "UnprocessableEntity"),
    openapi_extra=needs(*ORDERS_WRITE),
)
def confirm_booking(database: Data, client: Caller, now: Now, uuid: str, body: OctoConfirmation) -> Response:
    return _step(database, client, uuid, now, lambda connection: settling.confirm(connection, client, uuid, body, now))


@router.post(
    "/{uuid}/extend",
    operation_id="octo_extend_booking",
    responses=answers("Booking", "InvalidBookingUUID", "UnprocessableEntity"),
    openapi_extra=needs(*ORDERS_WRITE),
)
def extend_booking(database: Data, client: Caller, now: Now, uuid: str, body: OctoExtension) -> Response:
    return _step(database, client, uuid, now, lambda connection: settling.extend(connection, client, uuid, body, now))


@router.post(
    "/{uuid}/cancel",
    operation_id="octo_cancel_booking",
    responses=answers("Booking", "InvalidBookingUUID", "UnprocessableEntity"),
    openapi_extra=needs(*ORDERS_WRITE),
)
def cancel_booking(database: Data, client: Caller, now: Now, uuid: str, body: OctoCancellation) -> Response:
    return _step(database, client, uuid, now, lambda connection: settling.cancel(connection, client, uuid, body, now))


def _step(database: Database, client: Client, uuid: str, now: str, take: Callable[[Connection], None]) -> Response:
    with database.write() as connection:
        take(connection)
    return _booking(database, client, uuid, now)


def _booking(database: Database, client: Client, uuid: str, now: str) -> Response:
    mine = (t.bookings.c.client_id == client.id, t.bookings.c.uuid == uuid.lower())
    with database.read() as connection:
        found = read_bookings(connection, now, mine)
    if not found:
        raise invalid_booking(uuid)
    return octo_reply(found[0])
