"""OCTO: supplier, products and availability, as the open standard has them.

Holds: the supplier of every connection is the platform; what it sells is every active event that the client sees.
"""

from typing import Annotated, Any, TypeAlias

from fastapi import APIRouter, Depends, Request, Response

from bookings import tables as t
from bookings.api.filters import owned
from bookings.api.operation import ANY_TOKEN, CALENDAR_READ, Caller, Data, GuardedRoute, needs
from bookings.api.replies import json_reply
from bookings.octo.availability import dates_wanted, days_wanted, read_availability, read_calendar, seats_wanted
from bookings.octo.bodies import OctoAvailabilityQuestion, OctoCalendarQuestion
from bookings.octo.products import read_products, require_product
from bookings.octo.refusals import CAPABILITIES, invalid_product
from bookings.octo.standard import answers
from bookings.resources import EVENTS

router = APIRouter(prefix="/octo", tags=["octo"], route_class=GuardedRoute)


async def _endpoint(request: Request) -> str:
    endpoint: str = request.app.state.octo_endpoint
    return endpoint


Endpoint: TypeAlias = Annotated[str, Depends(_endpoint)]


def octo_reply(value: Any) -> Response:
    """A reply of the standard, which says that no capability is in use."""
    reply = json_reply(value)
    reply.headers.update(CAPABILITIES)
    return reply


@router.get(
    "/supplier",
    operation_id="octo_get_supplier",
    responses=answers("Supplier"),
    openapi_extra=needs(*ANY_TOKEN),
)
def get_supplier(endpoint: Endpoint) -> Response:
    contact = {"website": None, "email": "partners@bookings.example", "telephone": None, "address": None}
    return octo_reply({"id": "bookings", "name": "Bookings", "endpoint": endpoint, "contact": contact})


@router.get(
    "/capabilities",
    operation_id="octo_list_capabilities",
    responses=answers("Capability", many=True),
    openapi_extra=needs(*ANY_TOKEN),
)
def list_capabilities() -> Response:
    return octo_reply([])


@router.get(
    "/products",
    operation_id="octo_list_products",
    responses=answers("Product", many=True),
    openapi_extra=needs(*ANY_TOKEN),
)
def list_products(database: Data, client: Caller) -> Response:
    with database.read() as connection:
        return octo_reply(list(read_products(connection, owned(EVENTS, client))))


@router.get(
    "/products/{id}",
    operation_id="octo_get_product",
    responses=answers("Product", "InvalidProductID"),
    openapi_extra=needs(*ANY_TOKEN),
)
def get_product(database: Data, client: Caller, id: str) -> Response:  # noqa: A002  the standard's own name
    with database.read() as connection:
        found = list(read_products(connection, [t.events.c.id == id, *owned(EVENTS, client)]))
    if not found:
        raise invalid_product(id)
    return octo_reply(found[0])


@router.post(
    "/availability",
    operation_id="octo_check_availability",
    responses=answers("Availability", "InvalidProductID", "InvalidOptionID", "BadRequest", many=True),
    openapi_extra=needs(*CALENDAR_READ),
)
def check_availability(database: Data, client: Caller, body: OctoAvailabilityQuestion) -> Response:
    with database.read() as connection:
        require_product(connection, owned(EVENTS, client), body.product_id, body.option_id)
        wanted, seats = dates_wanted(body), seats_wanted(body)
        return octo_reply(read_availability(connection, body.product_id, wanted, seats))


@router.post(
    "/availability/calendar",
    operation_id="octo_read_calendar",
    responses=answers("AvailabilityCalendar", "InvalidProductID", "InvalidOptionID", "BadRequest", many=True),
    openapi_extra=needs(*CALENDAR_READ),
)
def read_days(database: Data, client: Caller, body: OctoCalendarQuestion) -> Response:
    with database.read() as connection:
        require_product(connection, owned(EVENTS, client), body.product_id, body.option_id)
        days, seats = days_wanted(body), seats_wanted(body)
        return octo_reply(read_calendar(connection, body.product_id, days, seats))
