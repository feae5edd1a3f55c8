"""Vendors: who offers events. Only a marketplace creates one."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from bookings import tables as t
from bookings.api.answers import CHANGED, CREATED, FOUND, LISTED
from bookings.api.filters import marketplace_only, owned
from bookings.api.list_query import list_query
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
from bookings.listing import ListQuery, read_one, require
from bookings.resources import VENDORS
from bookings.rows import add_row, change_row, unique
from bookings.schemas.catalogue import NewVendor, Vendor, VendorChange

router = APIRouter(prefix="/v3/vendors", tags=["vendors"], route_class=GuardedRoute)

Query = Annotated[ListQuery, Depends(list_query(VENDORS))]


@router.get(
    "",
    operation_id="list_vendors",
    response_model=list[Vendor],
    responses=LISTED,
    openapi_extra=needs(*ANY_TOKEN),
)
def list_vendors(database: Data, client: Caller, query: Query) -> Response:
    return list_reply(database, VENDORS, query, owned(VENDORS, client))


@router.get(
    "/{vendor_id}",
    operation_id="get_vendor",
    response_model=Vendor,
    responses=FOUND,
    openapi_extra=needs(*ANY_TOKEN),
)
def get_vendor(database: Data, client: Caller, vendor_id: str) -> Response:
    return one_reply(database, VENDORS, vendor_id, owned(VENDORS, client))


@router.post(
    "",
    operation_id="create_vendor",
    status_code=201,
    response_model=Vendor,
    responses=CREATED,
    openapi_extra=needs(*INVENTORY_WRITE),
)
def create_vendor(database: Data, client: Caller, now: Now, body: NewVendor) -> Response:
    marketplace_only(client)
    with database.write() as connection:
        values = {**body.model_dump(), "active": True}
        with unique("the id is taken"):
            vendor_id = add_row(connection, t.vendors, values, now)
        return json_reply(read_one(connection, VENDORS, vendor_id, []), 201)


@router.patch(
    "/{vendor_id}",
    operation_id="change_vendor",
    response_model=Vendor,
    responses=CHANGED,
    openapi_extra=needs(*INVENTORY_WRITE),
)
def change_vendor(database: Data, client: Caller, now: Now, vendor_id: str, body: VendorChange) -> Response:
    with database.write() as connection:
        require(connection, VENDORS, vendor_id, owned(VENDORS, client))
        change_row(connection, t.vendors, vendor_id, body.changes(), now)
        return json_reply(read_one(connection, VENDORS, vendor_id, []))
