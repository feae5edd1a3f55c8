"""Reports: what was sold."""

from typing import Annotated

import fastapi
from fastapi import APIRouter, Response

from bookings.api.answers import REPORTED
from bookings.api.filters import AcceptVendors, of_vendors, owned
from bookings.api.operation import ORDERS_READ, Caller, Data, GuardedRoute, needs
from bookings.api.replies import json_reply
from bookings.resources import EVENTS
from bookings.schemas.trade import SalesRow
from bookings.trade.sales import GroupBy, sales

router = APIRouter(prefix="/v3/reports", tags=["reports"], route_class=GuardedRoute)


@router.get(
    "/sales",
    operation_id="report_sales",
    response_model=list[SalesRow],
    responses=REPORTED,
    openapi_extra=needs(*ORDERS_READ),
)
def report_sales(
    database: Data,
    client: Caller,
    group_by: Annotated[GroupBy, fastapi.Query(description="What the key of a row is; a category's is its slug.")],
    accept_vendors: AcceptVendors = None,
) -> Response:
    conditions = [*owned(EVENTS, client), *of_vendors(EVENTS, accept_vendors)]
    with database.read() as connection:
        return json_reply(sales(connection, group_by, conditions))
