"""Products, each an active event, with one option and the units that guests are.

Holds: every unit takes one seat, and every seat of a date costs the same.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from bookings import tables as t
from bookings.listing import Conditions
from bookings.octo.refusals import invalid_option, invalid_product

OPTION = "DEFAULT"
UNITS_MAX = 100  # so many seats go into one item of an order
TIME_ZONE = "UTC"  # the platform keeps the times of dates in one zone


class Guest(NamedTuple):
    """Who sits on a seat."""

    id: str
    name: str
    min_age: int
    max_age: int


GUESTS = (Guest("adult", "Adult", 18, 99), Guest("child", "Child", 3, 17))
UNIT_IDS = frozenset(guest.id for guest in GUESTS)


def read_products(connection: Connection, conditions: Conditions) -> Iterator[dict[str, Any]]:
    """The products of these events, by their ids."""
    events, offered = t.events.c, (t.events.c.active, *conditions)
    times: dict[str, list[str]] = defaultdict(list)
    found = select(t.dates.c.event_id, t.dates.c.start_time).join_from(t.dates, t.events).where(*offered).distinct()
    for event_id, start_time in connection.execute(found.order_by(t.dates.c.event_id, t.dates.c.start_time)):
        times[event_id].append(start_time)
    for id_, name in connection.execute(select(events.id, events.name).where(*offered).order_by(events.id)):
        yield _product(id_, name, times.get(id_, ["00:00"]))


def require_product(connection: Connection, conditions: Conditions, product_id: str, option_id: str) -> None:
    """Refuses a product that the client cannot book, or an option that it has not."""
    statement = select(t.events.c.id).where(t.events.c.id == product_id, t.events.c.active, *conditions)
    if connection.scalar(statement) is None:
        raise invalid_product(product_id)
    if option_id != OPTION:
        raise invalid_option(option_id)


def _product(id_: str, name: str, times: Sequence[str]) -> dict[str, Any]:
    return {
        "id": id_,
        "internalName": name,
        "reference": None,
        "locale": "en",
        "timeZone": TIME_ZONE,
        "allowFreesale": False,
        "instantConfirmation": True,
        "instantDelivery": True,
        "availabilityRequired": True,
        "availabilityType": "START_TIME",
        "deliveryFormats": ["QRCODE"],
        "deliveryMethods": ["TICKET", "VOUCHER"],
        "redemptionMethod": "DIGITAL",
        "options": [
            {
                "id": OPTION,
                "default": True,
                "internalName": OPTION,
                "reference": None,
                "availabilityLocalStartTimes": times,
                "cancellationCutoff": "Until the start",
                "cancellationCutoffAmount": 0,
                "cancellationCutoffUnit": "hour",
                "requiredContactFields": [],
                "restrictions": {"minUnits": 1, "maxUnits": UNITS_MAX},
                "units": _UNITS,
            }
        ],
    }


_UNITS: Sequence[dict[str, Any]] = [
    {
        "id": guest.id,
        "internalName": guest.name,
        "reference": None,
        "type": guest.id.upper(),
        "restrictions": {
            "minAge": guest.min_age,
            "maxAge": guest.max_age,
            "idRequired": False,
            "minQuantity": None,
            "maxQuantity": None,
            "paxCount": 1,
            "accompaniedBy": [],
        },
        "requiredContactFields": [],
    }
    for guest in GUESTS
]
