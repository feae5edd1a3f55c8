"""Writes one row: its id, its stamps and its search text come with it.

Never: reads for a reply (listing.py does).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeAlias

from sqlalchemy import Connection, Row, Table, insert, select, update
from sqlalchemy.exc import IntegrityError

from bookings.errors import conflict
from bookings.ids import new_id
from bookings.search import search_text

AnyRow: TypeAlias = Row[*tuple[Any, ...]]


def add_row(connection: Connection, table: Table, values: Mapping[str, Any], now: str) -> str:
    """Inserts and returns the id, a new one unless the values have one."""
    row = {**values, "id": values.get("id") or new_id()}
    row |= {"created_at": now, "updated_at": now}
    if "search" in table.c:
        row["search"] = search_text(table, row)
    connection.execute(insert(table).values(row))
    return str(row["id"])


def change_row(connection: Connection, table: Table, id_: str, changes: Mapping[str, Any], now: str) -> None:
    values = {**changes, "updated_at": now}
    if "search" in table.c:
        # The lock that the update takes first keeps two changes from each forgetting the other.
        connection.execute(update(table).where(table.c.id == id_).values(values))
        stored = connection.execute(select(table).where(table.c.id == id_)).mappings().one()
        values = {"search": search_text(table, dict(stored))}
    connection.execute(update(table).where(table.c.id == id_).values(values))


@contextmanager
def unique(description: str) -> Iterator[None]:
    """Says what is taken when the database finds that it is."""
    try:
        yield
    except IntegrityError:
        raise conflict(description) from None
