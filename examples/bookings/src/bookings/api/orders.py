"""Orders: placed or reserved, read, changed, confirmed, cancelled.

Holds: an order over several vendors is changed by a marketplace alone; each of its vendors sees its own part.
"""

from typing import Annotated

import fastapi
from fastapi import APIRouter, Depends, Response
from pydantic.json_schema import SkipJsonSchema
from sqlalchemy import ColumnElement, Connection, exists

from bookings import tables as t
from bookings.api.answers import ACTED, CHANGED, CREATED_BELOW, FOUND, LISTED, LISTED_BELOW
from bookings.api.filters import AcceptVendors, Filters, of_vendors, owned, require_whole_order
from bookings.api.list_query import OptionalText, list_query, parse_date, parse_items
from bookings.api.operation import (
    ORDERS_READ,
    ORDERS_WRITE,
    Caller,
    Data,
    GuardedRoute,
    Now,
    needs,
)
from bookings.api.replies import json_reply, list_reply, one_reply
from bookings.listing import ListQuery, read_one, require
from bookings.order_views import orders_of
from bookings.resources import ORDERS, VENDORS
from bookings.rows import change_row
from bookings.schemas.trade import NewOrder, Order, OrderChange, Status
from bookings.trade.placing import place_order
from bookings.trade.settling import cancel_order, confirm_order

router = APIRouter(prefix="/v3", tags=["orders"], route_class=GuardedRoute)

Query = Annotated[ListQuery, Depends(list_query(ORDERS))]
Day = Annotated[OptionalText, fastapi.Query(description="A day, YYYY-MM-DD, itself included.")]


async def _filters(
    *,
    status: Annotated[Status | SkipJsonSchema[None], fastapi.Query(description="Orders of this status.")] = None,
    start_date: Day = None,
    end_date: Day = None,
    start_event_date: Day = None,
    end_event_date: Day = None,
    accept_code: Annotated[OptionalText, fastapi.Query(description="Comma list of codes.")] = None,
    accept_vendors: AcceptVendors = None,
) -> Filters:
    orders, found = t.orders.c, of_vendors(ORDERS, accept_vendors)
    if status is not None:
        found.append(orders.status == status)
    if (day := parse_date("start_date", start_date)) is not None:
        found.append(orders.created_at >= day)
    if (day := parse_date("end_date", end_date)) is not None:
        found.append(orders.created_at <= f"{day}T23:59:59Z")
    if (codes := parse_items("accept_code", accept_code)) is not None:
        found.append(orders.code.in_(codes))
    first = parse_date("start_event_date", start_event_date)
    last = parse_date("end_event_date", end_event_date)
    if first is not None or last is not None:
        found.append(_takes_place(first, last))
    return found


def _takes_place(first: str | None, last: str | None) -> ColumnElement[bool]:
    """At least one item of the order is of a day between the two."""
    # Aliases, because the items of a page are read by a query over the same tables.
    items, dates = t.order_items.alias(), t.dates.alias()
    found = exists().where(items.c.order_id == t.orders.c.id, dates.c.id == items.c.date_id)
    if first is not None:
        found = found.where(dates.c.start_date >= first)
    if last is not None:
        found = found.where(dates.c.start_date <= last)
    return found


Filter = Annotated[Filters, Depends(_filters)]


@router.get(
    "/orders",
    operation_id="list_orders",
    response_model=list[Order],
    responses=LISTED,
    openapi_extra=needs(*ORDERS_READ),
)
def list_orders(database: Data, client: Caller, query: Query, filters: Filter) -> Response:
    return list_reply(database, orders_of(client.vendor_id), query, [*owned(ORDERS, client), *filters])


@router.get(
    "/vendors/{vendor_id}/orders",
    operation_id="list_vendor_orders",
    response_model=list[Order],
    responses=LISTED_BELOW,
    openapi_extra=needs(*ORDERS_READ),
)
def list_vendor_orders(database: Data, client: Caller, vendor_id: str, query: Query, filters: Filter) -> Response:
    def parent(connection: Connection) -> None:
        require(connection, VENDORS, vendor_id, owned(VENDORS, client))

    return list_reply(database, orders_of(vendor_id), query, [ORDERS.of_vendors([vendor_id]), *filters], parent)


@router.get(
    "/orders/{order_id}",
    operation_id="get_order",
    response_model=Order,
    responses=FOUND,
    openapi_extra=needs(*ORDERS_READ),
)
def get_order(database: Data, client: Caller, order_id: str) -> Response:
    return one_reply(database, orders_of(client.vendor_id), order_id, owned(ORDERS, client))


@router.post(
    "/orders",
    operation_id="create_order",
    status_code=201,
    response_model=Order,
    responses=CREATED_BELOW,
    openapi_extra=needs(*ORDERS_WRITE),
)
def create_order(database: Data, client: Caller, now: Now, body: NewOrder) -> Response:
    if body.vendor_id is None:
        body.vendor_id = client.vendor_id  # for a client of a vendor there is no other
    with database.write() as connection:
        if body.vendor_id is not None:
            require(connection, VENDORS, body.vendor_id, owned(VENDORS, client))
        order_id = place_order(connection, body, now)
        return json_reply(read_one(connection, ORDERS, order_id, []), 201)


@router.patch(
    "/orders/{order_id}",
    operation_id="change_order",
    response_model=Order,
    responses=CHANGED,
    openapi_extra=needs(*ORDERS_WRITE),
)
def change_order(database: Data, client: Caller, now: Now, order_id: str, body: OrderChange) -> Response:
    customer = body.customer
    changes = {
        "customer_name": customer.name if customer else None,
        "customer_email": customer.email if customer else None,
    }
    with database.write() as connection:
        require_whole_order(connection, order_id, client)
        change_row(connection, t.orders, order_id, changes, now)
        return json_reply(read_one(connection, ORDERS, order_id, []))


@router.post(
    "/orders/{order_id}/confirm",
    operation_id="confirm_order",
    response_model=Order,
    responses=ACTED,
    openapi_extra=needs(*ORDERS_WRITE),
)
def confirm(database: Data, client: Caller, now: Now, order_id: str) -> Response:
    with database.write() as connection:
        require_whole_order(connection, order_id, client)
        confirm_order(connection, order_id, now)
        return json_reply(read_one(connection, ORDERS, order_id, []))


@router.post(
    "/orders/{order_id}/cancel",
    operation_id="cancel_order",
    response_model=Order,
    responses=ACTED,
    openapi_extra=needs(*ORDERS_WRITE),
)
def cancel(database: Data, client: Caller, now: Now, order_id: str) -> Response:
    with database.write() as connection:
        require_whole_order(connection, order_id, client)
        cancel_order(connection, order_id, now)
        return json_reply(read_one(connection, ORDERS, order_id, []))
