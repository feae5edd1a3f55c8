"""What hangs below a vendor and is kept alike: coupons, vouchers, users. Each is listed flat and by vendor, read,
created and changed.

Holds: the operations of all of them are made here, so that none differs from the others but by what a `Child` says.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Path, Response
from sqlalchemy import ColumnElement, Connection

from bookings.api.answers import CHANGED, CREATED_BELOW, FOUND, LISTED, LISTED_BELOW
from bookings.api.filters import AcceptVendors, of_vendors, owned
from bookings.api.list_query import list_query
from bookings.api.operation import ANY_TOKEN, INVENTORY_WRITE, Caller, Data, GuardedRoute, Now, needs
from bookings.api.replies import json_reply, list_reply, one_reply
from bookings.listing import ListQuery, read_one, require
from bookings.resources import VENDORS, Resource
from bookings.rows import add_row, change_row, unique
from bookings.schemas.values import Body, Change, Reply


@dataclass(frozen=True, slots=True)
class Child:
    """One kind of thing that belongs to a vendor."""

    resource: Resource
    row: type[Reply]
    new: type[Body]
    change: type[Change]
    unique_by: str
    """In words: what no two of one vendor have alike."""
    also: Callable[[Any], Mapping[str, Any]]
    """What a new one has that its body does not say."""


def router_of(child: Child) -> APIRouter:
    """Every operation of this kind of thing."""
    one = child.resource.name
    many, title = f"{one}s", one.capitalize()
    router = APIRouter(prefix="/v3", tags=[many], route_class=GuardedRoute)
    reading, writing = needs(*ANY_TOKEN), needs(*INVENTORY_WRITE)
    of_vendor, one_of_vendor = f"/vendors/{{vendor_id}}/{many}", f"/vendors/{{vendor_id}}/{many}/{{{one}_id}}"
    table, resource, model = child.resource.table, child.resource, child.row
    query_of = Annotated[ListQuery, Depends(list_query(resource))]
    id_of = Annotated[str, Path(alias=f"{one}_id")]
    new_body, change_body = child.new, child.change

    def below(vendor_id: str) -> ColumnElement[bool]:
        return table.c.vendor_id == vendor_id

    @router.get(
        f"/{many}",
        operation_id=f"list_{many}",
        summary=f"List {title}s",
        response_model=list[model],  # type: ignore[valid-type]
        responses=LISTED,
        openapi_extra=reading,
    )
    def list_all(
        database: Data,
        client: Caller,
        query: query_of,
        accept_vendors: AcceptVendors = None,
    ) -> Response:
        return list_reply(database, resource, query, [*owned(resource, client), *of_vendors(resource, accept_vendors)])

    @router.get(
        of_vendor,
        operation_id=f"list_vendor_{many}",
        summary=f"List Vendor {title}s",
        response_model=list[model],  # type: ignore[valid-type]
        responses=LISTED_BELOW,
        openapi_extra=reading,
    )
    def list_of_vendor(
        database: Data,
        client: Caller,
        vendor_id: str,
        query: query_of,
    ) -> Response:
        def parent(connection: Connection) -> None:
            require(connection, VENDORS, vendor_id, owned(VENDORS, client))

        return list_reply(database, resource, query, [below(vendor_id)], parent)

    @router.get(
        one_of_vendor,
        operation_id=f"get_{one}",
        summary=f"Get {title}",
        response_model=model,
        responses=FOUND,
        openapi_extra=reading,
    )
    def get(database: Data, client: Caller, vendor_id: str, id_: id_of) -> Response:
        return one_reply(database, resource, id_, [below(vendor_id), *owned(resource, client)])

    @router.post(
        of_vendor,
        operation_id=f"create_{one}",
        summary=f"Create {title}",
        status_code=201,
        response_model=model,
        responses=CREATED_BELOW,
        openapi_extra=writing,
    )
    def create(
        database: Data,
        client: Caller,
        now: Now,
        vendor_id: str,
        body: new_body,  # type: ignore[valid-type]
    ) -> Response:
        with database.write() as connection:
            require(connection, VENDORS, vendor_id, owned(VENDORS, client))
            values = {**cast(Body, body).model_dump(), "vendor_id": vendor_id, **child.also(body)}
            with unique(f"the vendor has a {one} of this {child.unique_by} already"):
                id_ = add_row(connection, table, values, now)
            return json_reply(read_one(connection, resource, id_, []), 201)

    @router.patch(
        one_of_vendor,
        operation_id=f"change_{one}",
        summary=f"Change {title}",
        response_model=model,
        responses=CHANGED,
        openapi_extra=writing,
    )
    def change(
        database: Data,
        client: Caller,
        now: Now,
        vendor_id: str,
        id_: id_of,
        body: change_body,  # type: ignore[valid-type]
    ) -> Response:
        with database.write() as connection:
            require(connection, resource, id_, [below(vendor_id), *owned(resource, client)])
            change_row(connection, table, id_, cast(Change, body).changes(), now)
            return json_reply(read_one(connection, resource, id_, []))

    return router
