"""Users: who works for a vendor."""

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
from bookings.resources import USERS, VENDORS
from bookings.rows import add_row, change_row, unique
from bookings.schemas.trade import NewUser, User, UserChange

router = APIRouter(prefix="/v3", tags=["users"], route_class=GuardedRoute)

Query = Annotated[ListQuery, Depends(list_query(USERS))]


@router.get(
    "/users",
    operation_id="list_users",
    response_model=list[User],
    responses=LISTED,
    openapi_extra=needs(*ANY_TOKEN),
)
def list_users(database: Data, client: Caller, query: Query, accept_vendors: AcceptVendors = None) -> Response:
    conditions = [*owned(USERS, client), *of_vendors(USERS, accept_vendors)]
    return list_reply(database, USERS, query, conditions)


@router.get(
    "/vendors/{vendor_id}/users",
    operation_id="list_vendor_users",
    response_model=list[User],
    responses=LISTED_BELOW,
    openapi_extra=needs(*ANY_TOKEN),
)
def list_vendor_users(database: Data, client: Caller, vendor_id: str, query: Query) -> Response:
    def parent(connection: Connection) -> None:
        require(connection, VENDORS, vendor_id, owned(VENDORS, client))

    mine = t.users.c.vendor_id == vendor_id
    return list_reply(database, USERS, query, [mine], parent)


@router.get(
    "/vendors/{vendor_id}/users/{user_id}",
    operation_id="get_user",
    response_model=User,
    responses=FOUND,
    openapi_extra=needs(*ANY_TOKEN),
)
def get_user(database: Data, client: Caller, vendor_id: str, user_id: str) -> Response:
    mine = t.users.c.vendor_id == vendor_id
    return one_reply(database, USERS, user_id, [mine, *owned(USERS, client)])


@router.post(
    "/vendors/{vendor_id}/users",
    operation_id="create_user",
    status_code=201,
    response_model=User,
    responses=CREATED_BELOW,
    openapi_extra=needs(*INVENTORY_WRITE),
)
def create_user(database: Data, client: Caller, now: Now, vendor_id: str, body: NewUser) -> Response:
    with database.write() as connection:
        require(connection, VENDORS, vendor_id, owned(VENDORS, client))
        values = {**body.model_dump(), "vendor_id": vendor_id, "active": True}
        with unique("the vendor has a user of this address already"):
            user_id = add_row(connection, t.users, values, now)
        return json_reply(read_one(connection, USERS, user_id, []), 201)


@router.patch(
    "/vendors/{vendor_id}/users/{user_id}",
    operation_id="change_user",
    response_model=User,
    responses=CHANGED,
    openapi_extra=needs(*INVENTORY_WRITE),
)
def change_user(database: Data, client: Caller, now: Now, vendor_id: str, user_id: str, body: UserChange) -> Response:
    mine = t.users.c.vendor_id == vendor_id
    with database.write() as connection:
        require(connection, USERS, user_id, [mine, *owned(USERS, client)])
        change_row(connection, t.users, user_id, body.changes(), now)
        return json_reply(read_one(connection, USERS, user_id, []))
