"""Categories: reference data, the same for every vendor."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from sqlalchemy import delete, select

from bookings import tables as t
from bookings.api.answers import ACTED, CHANGED, CREATED, FOUND, LISTED
from bookings.api.filters import marketplace_only
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
from bookings.errors import conflict
from bookings.listing import ListQuery, read_one, require
from bookings.resources import CATEGORIES
from bookings.rows import add_row, change_row, unique
from bookings.schemas.catalogue import Category, CategoryChange, NewCategory

router = APIRouter(prefix="/v3/categories", tags=["categories"], route_class=GuardedRoute)

Query = Annotated[ListQuery, Depends(list_query(CATEGORIES))]


@router.get(
    "",
    operation_id="list_categories",
    response_model=list[Category],
    responses=LISTED,
    openapi_extra=needs(*ANY_TOKEN),
)
def list_categories(database: Data, query: Query) -> Response:
    return list_reply(database, CATEGORIES, query, [])


@router.get(
    "/{category_id}",
    operation_id="get_category",
    response_model=Category,
    responses=FOUND,
    openapi_extra=needs(*ANY_TOKEN),
)
def get_category(database: Data, category_id: str) -> Response:
    return one_reply(database, CATEGORIES, category_id, [])


@router.post(
    "",
    operation_id="create_category",
    status_code=201,
    response_model=Category,
    responses=CREATED,
    openapi_extra=needs(*INVENTORY_WRITE),
)
def create_category(database: Data, client: Caller, now: Now, body: NewCategory) -> Response:
    marketplace_only(client)
    with database.write() as connection:
        with unique("the id or the slug is taken"):
            category_id = add_row(connection, t.categories, body.model_dump(), now)
        return json_reply(read_one(connection, CATEGORIES, category_id, []), 201)


@router.patch(
    "/{category_id}",
    operation_id="change_category",
    response_model=Category,
    responses=CHANGED,
    openapi_extra=needs(*INVENTORY_WRITE),
)
def change_category(database: Data, client: Caller, now: Now, category_id: str, body: CategoryChange) -> Response:
    marketplace_only(client)
    with database.write() as connection:
        require(connection, CATEGORIES, category_id, [])
        with unique("the slug is taken"):
            change_row(connection, t.categories, category_id, body.changes(), now)
        return json_reply(read_one(connection, CATEGORIES, category_id, []))


@router.delete(
    "/{category_id}",
    operation_id="delete_category",
    status_code=204,
    responses=ACTED,
    openapi_extra=needs(*INVENTORY_WRITE),
)
def delete_category(database: Data, client: Caller, category_id: str) -> Response:
    marketplace_only(client)
    with database.write() as connection:
        require(connection, CATEGORIES, category_id, [])
        of_category = select(t.events.c.id).where(t.events.c.category_id == category_id).limit(1)
        if connection.scalar(of_category) is not None:
            raise conflict("the category has events")
        connection.execute(delete(t.categories).where(t.categories.c.id == category_id))
    return Response(status_code=204)
