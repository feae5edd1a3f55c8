"""Values as replies: compact JSON whose properties come in the order of the resource.

Holds: the bytes depend on nothing but the values.
"""

from collections.abc import Callable
from typing import Any

import msgspec
from fastapi import Response
from sqlalchemy import Connection

from bookings.database import Database
from bookings.listing import Conditions, ListQuery, read_one, read_page
from bookings.resources import Resource

COUNT_HEADER = "X-Total_Count"


def json_reply(value: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")


def list_reply(
    database: Database,
    resource: Resource,
    query: ListQuery,
    conditions: Conditions,
    parent: Callable[[Connection], None] | None = None,
) -> Response:
    """A page of a list; `parent` refuses a list that hangs below something that is not there."""
    with database.read() as connection:
        if parent is not None:
            parent(connection)
        page = read_page(connection, resource, query, conditions)
    reply = json_reply(page.rows)
    if page.total is not None:
        reply.headers[COUNT_HEADER] = str(page.total)
    return reply


def one_reply(database: Database, resource: Resource, id_: str, conditions: Conditions) -> Response:
    with database.read() as connection:
        return json_reply(read_one(connection, resource, id_, conditions))
