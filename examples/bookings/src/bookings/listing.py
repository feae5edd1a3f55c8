"""From a list query to rows: the one way in which every list of the platform is read.

Holds: the order is total (`id` always breaks ties), text sorts by code point, nulls come first
upwards and last downwards, on every database.
Never: parses text (api/list_query.py does), nor encodes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Connection, Select, func, select

from bookings.errors import not_found
from bookings.resources import Property, Resource, Rows

Conditions: TypeAlias = Sequence[ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class OrderKey:
    """One property to sort by."""

    name: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class ListQuery:
    """What a client asked of a list, already known to be sound."""

    limit: int = 100_000
    offset: int = 0
    order: tuple[OrderKey, ...] = ()
    accept: tuple[str, ...] | None = None
    exclude: tuple[str, ...] | None = None
    fields: frozenset[str] | None = None
    match: str | None = None
    delta_since: str | None = None
    with_count: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """The rows of one page, and the size of the whole if it was asked for."""

    rows: Rows
    total: int | None


def read_page(connection: Connection, resource: Resource, query: ListQuery, conditions: Conditions) -> Page:
    where = [*conditions, *_filters(resource, query)]
    total = _count(connection, resource, where) if query.with_count else None
    page = (
        select()
        .select_from(resource.source)
        .where(*where)
        .order_by(*_order(resource, query.order))
        .limit(query.limit)
        .offset(query.offset)
    )
    return Page(_rows(connection, resource, _chosen(resource, query.fields), page), total)


def read_one(connection: Connection, resource: Resource, id_: str, conditions: Conditions) -> dict[str, Any]:
    page = select().select_from(resource.source).where(resource.table.c.id == id_, *conditions)
    rows = _rows(connection, resource, resource.properties, page)
    if not rows:
        raise not_found(resource.name, id_)
    return rows[0]


def require(connection: Connection, resource: Resource, id_: str, conditions: Conditions) -> None:
    """Refuses an id that is not there, for the lists that hang below it."""
    statement = select(resource.table.c.id).select_from(resource.source)
    if connection.scalar(statement.where(resource.table.c.id == id_, *conditions)) is None:
        raise not_found(resource.name, id_)


def _filters(resource: Resource, query: ListQuery) -> list[ColumnElement[bool]]:
    columns = resource.table.c
    found: list[ColumnElement[bool]] = []
    if query.accept is not None:
        found.append(columns.id.in_(query.accept))
    if query.exclude is not None:
        found.append(columns.id.not_in(query.exclude))
    if query.match is not None:
        found.append(resource.search.contains(query.match.casefold(), autoescape=True))
    if query.delta_since is not None:
        found.append(columns.updated_at >= query.delta_since)
    return found


def _order(resource: Resource, keys: Sequence[OrderKey]) -> list[ColumnElement[Any]]:
    if all(key.name != "id" for key in keys):
        keys = (*keys, OrderKey("id"))
    return [_sorted(resource.by_name[key.name], descending=key.descending) for key in keys]


def _sorted(by: Property, *, descending: bool) -> ColumnElement[Any]:
    # A column without nulls says nothing of them, so that PostgreSQL may read its plain indexes.
    if descending:
        return by.column.desc().nulls_last() if by.nullable else by.column.desc()
    return by.column.asc().nulls_first() if by.nullable else by.column.asc()


def _chosen(resource: Resource, fields: frozenset[str] | None) -> tuple[Property, ...]:
    if fields is None:
        return resource.properties
    return tuple(each for each in resource.properties if each.name in fields)


def _count(connection: Connection, resource: Resource, where: Conditions) -> int:
    counted = select(func.count()).select_from(resource.source).where(*where)
    return connection.execute(counted).scalar_one()


def _rows(connection: Connection, resource: Resource, shown: Sequence[Property], page: Select[Any]) -> Rows:
    columns = [*(each.column.label(each.name) for each in shown), *resource.hidden]
    names = [column.name for column in columns]
    found = connection.execute(page.with_only_columns(*columns))
    rows = [dict(zip(names, row, strict=True)) for row in found]
    if resource.complete is not None:
        resource.complete(connection, page, rows)
    return rows
