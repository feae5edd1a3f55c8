"""The parameters that every list takes, parsed, and described for each resource.

Holds: what is not exactly right is refused with 400; a parameter that is not known is ignored.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, TypeAlias

from fastapi import Query
from pydantic import BeforeValidator, Field
from pydantic.json_schema import SkipJsonSchema

from bookings.clock import parse_day, parse_instant
from bookings.errors import bad_parameter
from bookings.listing import ListQuery, OrderKey
from bookings.resources import Resource

LIMIT_DEFAULT = 100_000
_NUMBER_MAX = 10**18  # more rows than any table has, and still a number to the database
_ITEMS_MAX = 10_000  # a database takes some tens of thousands of values in one statement
_MATCH_MAX = 200


def _number(value: object) -> int:
    text = str(value)
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"must be a whole number, not {text!r}")
    digits = text.lstrip("0") or "0"
    return int(digits) if len(digits) <= 18 else _NUMBER_MAX


def _flag(value: object) -> bool:
    if value not in {"true", "false"}:
        raise ValueError(f"must be true or false, not {str(value)!r}")
    return value == "true"


Limit: TypeAlias = Annotated[int, Field(ge=1), BeforeValidator(_number)]
Offset: TypeAlias = Annotated[int, Field(ge=0), BeforeValidator(_number)]
# A parameter may be left out, but there is no way to send a null.
OptionalText: TypeAlias = str | SkipJsonSchema[None]
Flag: TypeAlias = Annotated[bool, BeforeValidator(_flag)]


def list_query(resource: Resource) -> Callable[..., Awaitable[ListQuery]]:
    """The dependency that reads the list parameters of this resource."""
    sortable, shown = ", ".join(resource.sortable), ", ".join(resource.by_name)

    # Asynchronous, or it would be run in a thread.
    async def dependency(  # noqa: PLR0913  they are the parameters of the API
        *,
        limit: Annotated[Limit, Query(description="How many rows at most.")] = LIMIT_DEFAULT,
        offset: Annotated[Offset, Query(description="How many rows to leave out.")] = 0,
        order: Annotated[
            OptionalText,
            Query(
                description="Comma list of properties to sort by, `-` before one for descending. "
                f"`id` breaks ties; nulls are lowest. Of: {sortable}."
            ),
        ] = None,
        accept: Annotated[OptionalText, Query(description="Comma list of ids to keep.")] = None,
        exclude: Annotated[OptionalText, Query(description="Comma list of ids to drop.")] = None,
        fields: Annotated[OptionalText, Query(description=f"Comma list of properties to show. Of: {shown}.")] = None,
        match: Annotated[
            OptionalText,
            Query(
                max_length=_MATCH_MAX,
                description=f"Text to find, in either case, in: {', '.join(resource.match)}.",
            ),
        ] = None,
        delta_since: Annotated[OptionalText, Query(description="Only what changed since YYYY-MM-DDThh:mm:ssZ.")] = None,
        with_count: Annotated[
            Flag, Query(description="Tell the size of the whole in the header X-Total_Count.")
        ] = False,
    ) -> ListQuery:
        return ListQuery(
            limit=limit,
            offset=offset,
            order=() if order is None else parse_order(resource, order),
            accept=parse_items("accept", accept),
            exclude=parse_items("exclude", exclude),
            fields=None if fields is None else parse_fields(resource, fields),
            match=match,
            delta_since=parse_since(delta_since),
            with_count=with_count,
        )

    return dependency


def parse_order(resource: Resource, text: str) -> tuple[OrderKey, ...]:
    keys: dict[str, OrderKey] = {}
    for item in text.split(","):
        name = item.removeprefix("-")
        if name not in resource.sortable:
            raise bad_parameter("order", f"{name!r} is not a property to sort by")
        if name in keys:
            raise bad_parameter("order", f"{name!r} is there twice")
        keys[name] = OrderKey(name, descending=item.startswith("-"))
    return tuple(keys.values())


def parse_fields(resource: Resource, text: str) -> frozenset[str]:
    names = frozenset(text.split(","))
    for name in sorted(names - resource.by_name.keys()):
        raise bad_parameter("fields", f"{name!r} is not a property")
    return names


def parse_items(name: str, text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    items = tuple(dict.fromkeys(text.split(",")))
    if len(items) > _ITEMS_MAX:
        raise bad_parameter(name, f"must have {_ITEMS_MAX} items at most")
    return items


def parse_since(text: str | None) -> str | None:
    try:
        return None if text is None else parse_instant(text)
    except ValueError:
        raise bad_parameter("delta_since", f"must be YYYY-MM-DDThh:mm:ssZ, not {text!r}") from None


def parse_date(name: str, text: str | None) -> str | None:
    try:
        return None if text is None else parse_day(text)
    except ValueError:
        raise bad_parameter(name, f"must be a day, YYYY-MM-DD, not {text!r}") from None
