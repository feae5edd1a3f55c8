"""Tickets and payments: what hangs below an order."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from sqlalchemy import Connection

from bookings import tables as t
from bookings.api.answers import CREATED_BELOW, LISTED_BELOW
from bookings.api.filters import owned, require_whole_order
from bookings.api.list_query import list_query
from bookings.api.operation import (
    ORDERS_READ,
    ORDERS_WRITE,
    Caller,
    Data,
    GuardedRoute,
    Now,
    needs,
)
from bookings.api.replies import json_reply, list_reply
from bookings.listing import ListQuery, read_one, require
from bookings.order_views import payments_of, tickets_of
from bookings.resources import ORDERS, PAYMENTS, TICKETS
from bookings.schemas.trade import NewPayment, Payment, Ticket
from bookings.trade.settling import pay_order

router = APIRouter(prefix="/v3/orders/{order_id}", tags=["orders"], route_class=GuardedRoute)


@router.get(
    "/tickets",
    operation_id="list_order_tickets",
    response_model=list[Ticket],
    responses=LISTED_BELOW,
    openapi_extra=needs(*ORDERS_READ),
)
def list_order_tickets(
    database: Data,
    client: Caller,
    order_id: str,
    query: Annotated[ListQuery, Depends(list_query(TICKETS))],
) -> Response:
    def parent(connection: Connection) -> None:
        require(connection, ORDERS, order_id, owned(ORDERS, client))

    mine = [t.orders.c.id == order_id, *tickets_of(client.vendor_id)]
    return list_reply(database, TICKETS, query, mine, parent)


@router.get(
    "/payments",
    operation_id="list_order_payments",
    response_model=list[Payment],
    responses=LISTED_BELOW,
    openapi_extra=needs(*ORDERS_READ),
)
def list_order_payments(
    database: Data,
    client: Caller,
    order_id: str,
    query: Annotated[ListQuery, Depends(list_query(PAYMENTS))],
) -> Response:
    def parent(connection: Connection) -> None:
        require(connection, ORDERS, order_id, owned(ORDERS, client))

    return list_reply(database, payments_of(client.vendor_id), query, [t.orders.c.id == order_id], parent)


@router.post(
    "/payments",
    operation_id="create_order_payment",
    status_code=201,
    response_model=Payment,
    responses=CREATED_BELOW,
    openapi_extra=needs(*ORDERS_WRITE),
)
def create_order_payment(database: Data, client: Caller, now: Now, order_id: str, body: NewPayment) -> Response:
    with database.write() as connection:
        require_whole_order(connection, order_id, client)
        payment_id = pay_order(connection, order_id, body, now)
        return json_reply(read_one(connection, PAYMENTS, payment_id, []), 201)
