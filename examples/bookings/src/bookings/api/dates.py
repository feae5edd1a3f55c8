"""Dates: the slots of an event, with their seats."""

from typing import Annotated

import fastapi
from fastapi import APIRouter, Depends, Response
from pydantic.json_schema import SkipJsonSchema
from sqlalchemy import Connection, update

from bookings import tables as t
from bookings.api.answers import CHANGED, CREATED_BELOW, FOUND, LISTED, LISTED_BELOW
from bookings.api.filters import AcceptVendors, Filters, of_vendors, owned
from bookings.api.list_query import Flag, OptionalText, list_query, parse_date
from bookings.api.operation import (
    CALENDAR_READ,
    CALENDAR_WRITE,
    Caller,
    Data,
    GuardedRoute,
    Now,
    needs,
)
from bookings.api.replies import json_reply, list_reply, one_reply
from bookings.errors import conflict
from bookings.listing import ListQuery, read_one, require
from bookings.resources import DATES, EVENTS
from bookings.rows import add_row, change_row
from bookings.schemas.catalogue import Date, DateChange, NewDate

router = APIRouter(prefix="/v3", tags=["dates"], route_class=GuardedRoute)

Query = Annotated[ListQuery, Depends(list_query(DATES))]


async def _filters(
    start_date: Annotated[OptionalText, fastapi.Query(description="On this day or later.")] = None,
    end_date: Annotated[OptionalText, fastapi.Query(description="On this day or before.")] = None,
    available: Annotated[
        Flag | SkipJsonSchema[None], fastapi.Query(description="With seats left (true) or sold out (false).")
    ] = None,
    accept_vendors: AcceptVendors = None,
) -> Filters:
    dates, found = t.dates.c, of_vendors(DATES, accept_vendors)
    if (day := parse_date("start_date", start_date)) is not None:
        found.append(dates.start_date >= day)
    if (day := parse_date("end_date", end_date)) is not None:
        found.append(dates.start_date <= day)
    if available is not None:
        found.append(dates.booked < dates.capacity if available else dates.booked >= dates.capacity)
    return found


Filter = Annotated[Filters, Depends(_filters)]


@router.get(
    "/dates",
    operation_id="list_dates",
    response_model=list[Date],
    responses=LISTED,
    openapi_extra=needs(*CALENDAR_READ),
)
def list_dates(database: Data, client: Caller, query: Query, filters: Filter) -> Response:
    return list_reply(database, DATES, query, [*owned(DATES, client), *filters])


@router.get(
    "/events/{event_id}/dates",
    operation_id="list_event_dates",
    response_model=list[Date],
    responses=LISTED_BELOW,
    openapi_extra=needs(*CALENDAR_READ),
)
def list_event_dates(database: Data, client: Caller, event_id: str, query: Query, filters: Filter) -> Response:
    def parent(connection: Connection) -> None:
        require(connection, EVENTS, event_id, owned(EVENTS, client))

    of_event = t.dates.c.event_id == event_id
    return list_reply(database, DATES, query, [of_event, *filters], parent)


@router.get(
    "/dates/{date_id}",
    operation_id="get_date",
    response_model=Date,
    responses=FOUND,
    openapi_extra=needs(*CALENDAR_READ),
)
def get_date(database: Data, client: Caller, date_id: str) -> Response:
    return one_reply(database, DATES, date_id, owned(DATES, client))


@router.post(
    "/events/{event_id}/dates",
    operation_id="create_date",
    status_code=201,
    response_model=Date,
    responses=CREATED_BELOW,
    openapi_extra=needs(*CALENDAR_WRITE),
)
def create_date(database: Data, client: Caller, now: Now, event_id: str, body: NewDate) -> Response:
    with database.write() as connection:
        event = read_one(connection, EVENTS, event_id, owned(EVENTS, client))
        values = {
            "event_id": event_id,
            "start_date": body.start_date,
            "start_time": body.start_time,
            "capacity": event["capacity"] if body.capacity is None else body.capacity,
            "booked": 0,
            "price": event["price"] if body.price is None else body.price,
            "currency": event["currency"],
        }
        date_id = add_row(connection, t.dates, values, now)
        return json_reply(read_one(connection, DATES, date_id, []), 201)


@router.patch(
    "/dates/{date_id}",
    operation_id="change_date",
    response_model=Date,
    responses=CHANGED,
    openapi_extra=needs(*CALENDAR_WRITE),
)
def change_date(database: Data, client: Caller, now: Now, date_id: str, body: DateChange) -> Response:
    with database.write() as connection:
        require(connection, DATES, date_id, owned(DATES, client))
        if body.capacity is not None:
            _resize(connection, date_id, body.capacity)
        change_row(connection, t.dates, date_id, body.changes(), now)
        return json_reply(read_one(connection, DATES, date_id, []))


def _resize(connection: Connection, date_id: str, capacity: int) -> None:
    resized = connection.execute(
        update(t.dates).where(t.dates.c.id == date_id, t.dates.c.booked <= capacity).values(capacity=capacity)
    )
    if not resized.rowcount:
        raise conflict("more seats than this are booked already")
