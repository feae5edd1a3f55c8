"""Coupons: the discounts that a vendor gives."""

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
from bookings.resources import COUPONS, VENDORS
from bookings.rows import add_row, change_row, unique
from bookings.schemas.trade import Coupon, CouponChange, NewCoupon

router = APIRouter(prefix="/v3", tags=["coupons"], route_class=GuardedRoute)

Query = Annotated[ListQuery, Depends(list_query(COUPONS))]


@router.get(
    "/coupons",
    operation_id="list_coupons",
    response_model=list[Coupon],
    responses=LISTED,
    openapi_extra=needs(*ANY_TOKEN),
)
def list_coupons(database: Data, client: Caller, query: Query, accept_vendors: AcceptVendors = None) -> Response:
    conditions = [*owned(COUPONS, client), *of_vendors(COUPONS, accept_vendors)]
    return list_reply(database, COUPONS, query, conditions)


@router.get(
    "/vendors/{vendor_id}/coupons",
    operation_id="list_vendor_coupons",
    response_model=list[Coupon],
    responses=LISTED_BELOW,
    openapi_extra=needs(*ANY_TOKEN),
)
def list_vendor_coupons(database: Data, client: Caller, vendor_id: str, query: Query) -> Response:
    def parent(connection: Connection) -> None:
        require(connection, VENDORS, vendor_id, owned(VENDORS, client))

    mine = t.coupons.c.vendor_id == vendor_id
    return list_reply(database, COUPONS, query, [mine], parent)


@router.get(
    "/vendors/{vendor_id}/coupons/{coupon_id}",
    operation_id="get_coupon",
    response_model=Coupon,
    responses=FOUND,
    openapi_extra=needs(*ANY_TOKEN),
)
def get_coupon(database: Data, client: Caller, vendor_id: str, coupon_id: str) -> Response:
    mine = t.coupons.c.vendor_id == vendor_id
    return one_reply(database, COUPONS, coupon_id, [mine, *owned(COUPONS, client)])


@router.post(
    "/vendors/{vendor_id}/coupons",
    operation_id="create_coupon",
    status_code=201,
    response_model=Coupon,
    responses=CREATED_BELOW,
    openapi_extra=needs(*INVENTORY_WRITE),
)
def create_coupon(database: Data, client: Caller, now: Now, vendor_id: str, body: NewCoupon) -> Response:
    with database.write() as connection:
        require(connection, VENDORS, vendor_id, owned(VENDORS, client))
        values = {**body.model_dump(), "vendor_id": vendor_id, "active": True}
        with unique("the vendor has a coupon of this code already"):
            coupon_id = add_row(connection, t.coupons, values, now)
        return json_reply(read_one(connection, COUPONS, coupon_id, []), 201)


@router.patch(
    "/vendors/{vendor_id}/coupons/{coupon_id}",
    operation_id="change_coupon",
    response_model=Coupon,
    responses=CHANGED,
    openapi_extra=needs(*INVENTORY_WRITE),
)
def change_coupon(
    database: Data, client: Caller, now: Now, vendor_id: str, coupon_id: str, body: CouponChange
) -> Response:
    mine = t.coupons.c.vendor_id == vendor_id
    with database.write() as connection:
        require(connection, COUPONS, coupon_id, [mine, *owned(COUPONS, client)])
        change_row(connection, t.coupons, coupon_id, body.changes(), now)
        return json_reply(read_one(connection, COUPONS, coupon_id, []))
