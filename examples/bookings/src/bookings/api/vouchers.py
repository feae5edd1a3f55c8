"""Vouchers: money paid ahead, to be spent with one vendor."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from sqlalchemy import Connection

from bookings import tables as t
from bookings.api.answers import CHANGED, CREATED_BELOW, FOUND, LISTED, LISTED_BELOW
from bookings.api.filters import AcceptVendors, of_vendors, owned
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
from bookings.resources import VENDORS, VOUCHERS
from bookings.rows import add_row, change_row, unique
from bookings.schemas.trade import NewVoucher, Voucher, VoucherChange
from bookings.trade.placing import CURRENCY

router = APIRouter(prefix="/v3", tags=["vouchers"], route_class=GuardedRoute)

Query = Annotated[ListQuery, Depends(list_query(VOUCHERS))]


@router.get(
    "/vouchers",
    operation_id="list_vouchers",
    response_model=list[Voucher],
    responses=LISTED,
    openapi_extra=needs(*ANY_TOKEN),
)
def list_vouchers(database: Data, client: Caller, query: Query, accept_vendors: AcceptVendors = None) -> Response:
    conditions = [*owned(VOUCHERS, client), *of_vendors(VOUCHERS, accept_vendors)]
    return list_reply(database, VOUCHERS, query, conditions)


@router.get(
    "/vendors/{vendor_id}/vouchers",
    operation_id="list_vendor_vouchers",
    response_model=list[Voucher],
    responses=LISTED_BELOW,
    openapi_extra=needs(*ANY_TOKEN),
)
def list_vendor_vouchers(database: Data, client: Caller, vendor_id: str, query: Query) -> Response:
    def parent(connection: Connection) -> None:
        require(connection, VENDORS, vendor_id, owned(VENDORS, client))

    mine = t.vouchers.c.vendor_id == vendor_id
    return list_reply(database, VOUCHERS, query, [mine], parent)


@router.get(
    "/vendors/{vendor_id}/vouchers/{voucher_id}",
    operation_id="get_voucher",
    response_model=Voucher,
    responses=FOUND,
    openapi_extra=needs(*ANY_TOKEN),
)
def get_voucher(database: Data, client: Caller, vendor_id: str, voucher_id: str) -> Response:
    mine = t.vouchers.c.vendor_id == vendor_id
    return one_reply(database, VOUCHERS, voucher_id, [mine, *owned(VOUCHERS, client)])


@router.post(
    "/vendors/{vendor_id}/vouchers",
    operation_id="create_voucher",
    status_code=201,
    response_model=Voucher,
    responses=CREATED_BELOW,
    openapi_extra=needs(*INVENTORY_WRITE),
)
def create_voucher(database: Data, client: Caller, now: Now, vendor_id: str, body: NewVoucher) -> Response:
    with database.write() as connection:
        require(connection, VENDORS, vendor_id, owned(VENDORS, client))
        values = {**body.model_dump(), "vendor_id": vendor_id, "balance": body.value, "currency": CURRENCY}
        with unique("the vendor has a voucher of this code already"):
            voucher_id = add_row(connection, t.vouchers, values, now)
        return json_reply(read_one(connection, VOUCHERS, voucher_id, []), 201)


@router.patch(
    "/vendors/{vendor_id}/vouchers/{voucher_id}",
    operation_id="change_voucher",
    response_model=Voucher,
    responses=CHANGED,
    openapi_extra=needs(*INVENTORY_WRITE),
)
def change_voucher(
    database: Data, client: Caller, now: Now, vendor_id: str, voucher_id: str, body: VoucherChange
) -> Response:
    mine = t.vouchers.c.vendor_id == vendor_id
    with database.write() as connection:
        require(connection, VOUCHERS, voucher_id, [mine, *owned(VOUCHERS, client)])
        change_row(connection, t.vouchers, voucher_id, body.changes(), now)
        return json_reply(read_one(connection, VOUCHERS, voucher_id, []))
