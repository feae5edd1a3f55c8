"""Conditions that more than one list has: whose rows a client sees, and which vendors' it asks for."""

from typing import Annotated, TypeAlias

from fastapi import Query
from sqlalchemy import ColumnElement

from bookings.api.list_query import OptionalText, parse_items
from bookings.errors import FORBIDDEN, ApiError
from bookings.identity.clients import Client
from bookings.resources import Resource

Filters: TypeAlias = list[ColumnElement[bool]]

AcceptVendors: TypeAlias = Annotated[
    OptionalText, Query(description="Comma list of ids of vendors: only what is theirs.")
]


def owned(resource: Resource, client: Client) -> Filters:
    """A client of one vendor sees that vendor's rows, and of other rows not even that they exist."""
    if client.vendor_id is None or resource.vendor is None:
        return []
    return [resource.vendor == client.vendor_id]


def of_vendors(resource: Resource, accept_vendors: str | None) -> Filters:
    vendors = parse_items("accept_vendors", accept_vendors)
    return [] if vendors is None or resource.vendor is None else [resource.vendor.in_(vendors)]


def marketplace_only(client: Client) -> None:
    if client.vendor_id is not None:
        raise ApiError(FORBIDDEN, "only a marketplace client may do this")
