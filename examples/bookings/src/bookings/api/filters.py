"""Conditions that more than one list has: whose rows a client sees, and which vendors' it asks for."""

from typing import Annotated, TypeAlias

from fastapi import Query
from sqlalchemy import ColumnElement, Connection, select

from bookings import order_rows
from bookings import tables as t
from bookings.api.list_query import OptionalText, parse_items
from bookings.errors import FORBIDDEN, ApiError
from bookings.identity.clients import Client
from bookings.listing import require
from bookings.resources import ORDERS, Resource

Filters: TypeAlias = list[ColumnElement[bool]]

AcceptVendors: TypeAlias = Annotated[
    OptionalText, Query(description="Comma list of ids of vendors: only what is theirs.")
]


def owned(resource: Resource, client: Client) -> Filters:
    """A client of one vendor sees that vendor's rows, and of other rows not even that they exist."""
    if client.vendor_id is None or resource.vendor is None:
        return []
    return [resource.of_vendors([client.vendor_id])]


def of_vendors(resource: Resource, accept_vendors: str | None) -> Filters:
    vendors = parse_items("accept_vendors", accept_vendors)
    return [] if vendors is None or resource.vendor is None else [resource.of_vendors(vendors)]


def require_whole_order(connection: Connection, order_id: str, client: Client) -> None:
    """Refuses an order that is not there for the client, or that is only in part its vendor's to change."""
    require(connection, ORDERS, order_id, owned(ORDERS, client))
    several = select(t.orders.c.id).where(t.orders.c.id == order_id, order_rows.OF_SEVERAL)
    if client.vendor_id is not None and connection.scalar(several) is not None:
        raise ApiError(FORBIDDEN, "an order over several vendors is changed by a marketplace client only")


def marketplace_only(client: Client) -> None:
    if client.vendor_id is not None:
        raise ApiError(FORBIDDEN, "only a marketplace client may do this")
