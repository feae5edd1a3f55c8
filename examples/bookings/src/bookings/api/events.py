"""Events: the tours and activities that can be booked."""

from typing import Annotated

import fastapi
from fastapi import APIRouter, Depends, Response
from sqlalchemy import Connection, delete, select

from bookings import tables as t
from bookings.api.answers import ACTED, CHANGED, CREATED_BELOW, FOUND, LISTED, LISTED_BELOW
from bookings.api.filters import AcceptVendors, Filters, of_vendors, owned
from bookings.api.list_query import OptionalText, list_query
from bookings.api.operation import (
    ANY_TOKEN,
    INVENTORY_WRITE,
    Caller,
    Data,
    GuardedRoute,
    Now,
    needs,
)
from bookings.api.replies import json_reply, list_reply, one_reply
from bookings.errors import conflict, invalid
from bookings.listing import ListQuery, read_one, require
from bookings.resources import EVENTS, VENDORS
from bookings.rows import add_row, change_row
from bookings.schemas.catalogue import Event, EventChange, NewEvent
from bookings.trade.placing import CURRENCY

router = APIRouter(prefix="/v3", tags=["events"], route_class=GuardedRoute)

Query = Annotated[ListQuery, Depends(list_query(EVENTS))]


async def _filters(
    category: Annotated[OptionalText, fastapi.Query(description="Id of a category.")] = None,
    city: Annotated[OptionalText, fastapi.Query(description="A city, written exactly.")] = None,
    accept_vendors: AcceptVendors = None,
) -> Filters:
    found = of_vendors(EVENTS, accept_vendors)
    if category is not None:
        found.append(t.events.c.category_id == category)
    if city is not None:
        found.append(t.events.c.city == city)
    return found


Filter = Annotated[Filters, Depends(_filters)]


@router.get(
    "/events",
    operation_id="list_events",
    response_model=list[Event],
    responses=LISTED,
    openapi_extra=needs(*ANY_TOKEN),
)
def list_events(database: Data, client: Caller, query: Query, filters: Filter) -> Response:
    return list_reply(database, EVENTS, query, [*owned(EVENTS, client), *filters])


@router.get(
    "/vendors/{vendor_id}/events",
    operation_id="list_vendor_events",
    response_model=list[Event],
    responses=LISTED_BELOW,
    openapi_extra=needs(*ANY_TOKEN),
)
def list_vendor_events(database: Data, client: Caller, vendor_id: str, query: Query, filters: Filter) -> Response:
    def parent(connection: Connection) -> None:
        require(connection, VENDORS, vendor_id, owned(VENDORS, client))

    mine = t.events.c.vendor_id == vendor_id
    return list_reply(database, EVENTS, query, [mine, *filters], parent)


@router.get(
    "/events/{event_id}",
    operation_id="get_event",
    response_model=Event,
    responses=FOUND,
    openapi_extra=needs(*ANY_TOKEN),
)
def get_event(database: Data, client: Caller, event_id: str) -> Response:
    return one_reply(database, EVENTS, event_id, owned(EVENTS, client))


@router.post(
    "/events",
    operation_id="create_event",
    status_code=201,
    response_model=Event,
    responses=CREATED_BELOW,
    openapi_extra=needs(*INVENTORY_WRITE),
)
def create_event(database: Data, client: Caller, now: Now, body: NewEvent) -> Response:
    with database.write() as connection:
        require(connection, VENDORS, body.vendor_id, owned(VENDORS, client))
        _known_category(connection, body.category_id)
        values = {**body.model_dump(), "currency": CURRENCY, "reviews": 0, "active": True}
        event_id = add_row(connection, t.events, values, now)
        return json_reply(read_one(connection, EVENTS, event_id, []), 201)


@router.patch(
    "/events/{event_id}",
    operation_id="change_event",
    response_model=Event,
    responses=CHANGED,
    openapi_extra=needs(*INVENTORY_WRITE),
)
def change_event(database: Data, client: Caller, now: Now, event_id: str, body: EventChange) -> Response:
    with database.write() as connection:
        require(connection, EVENTS, event_id, owned(EVENTS, client))
        if body.category_id is not None:
            _known_category(connection, body.category_id)
        change_row(connection, t.events, event_id, body.changes(), now)
        return json_reply(read_one(connection, EVENTS, event_id, []))


@router.delete(
    "/events/{event_id}",
    operation_id="delete_event",
    status_code=204,
    responses=ACTED,
    openapi_extra=needs(*INVENTORY_WRITE),
)
def delete_event(database: Data, client: Caller, event_id: str) -> Response:
    with database.write() as connection:
        require(connection, EVENTS, event_id, owned(EVENTS, client))
        ordered = (
            select(t.order_items.c.id).join_from(t.order_items, t.dates).where(t.dates.c.event_id == event_id).limit(1)
        )
        if connection.scalar(ordered) is not None:
            raise conflict("the event has orders; make it inactive instead")
        connection.execute(delete(t.dates).where(t.dates.c.event_id == event_id))
        connection.execute(delete(t.events).where(t.events.c.id == event_id))
    return Response(status_code=204)


def _known_category(connection: Connection, category_id: str) -> None:
    statement = select(t.categories.c.id).where(t.categories.c.id == category_id)
    if connection.scalar(statement) is None:
        raise invalid("category_id", f"category {category_id!r} does not exist")
