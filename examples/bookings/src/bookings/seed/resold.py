"""Which of the orders were made through OCTO, and what was said of them there.

Holds: it is drawn apart from the orders themselves, so that they are the same with it and without.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import TypeAlias
from uuid import UUID

from bookings.octo.products import GUESTS
from bookings.seed.catalogue import Row
from bookings.seed.chance import Chance
from bookings.seed.trade import Trade

_SHARE = 0.2  # of the orders of a single item
_RESELLER = "marketplace"
_NOBODY = "{}"

Bookings: TypeAlias = tuple[list[Row], list[Row]]


def resold(chance: Chance, trade: Trade) -> Bookings:
    """The bookings, and their units: one for each ticket."""
    random = chance.of("bookings")
    tickets: dict[str, list[Row]] = defaultdict(list)
    for ticket in trade.tickets:
        tickets[ticket["item_id"]].append(ticket)
    bookings: list[Row] = []
    units: list[Row] = []
    for order, item in _single_items(trade):
        if random.random() >= _SHARE:
            continue
        booking = _booking(chance, len(bookings), order)
        bookings.append(booking)
        for position, ticket in enumerate(tickets[item["id"]]):
            guest = GUESTS[0] if position == 0 else random.choice(GUESTS)
            units.append(_unit(chance, len(units), booking, position, ticket, guest.id))
    return bookings, units


def _single_items(trade: Trade) -> Iterator[tuple[Row, Row]]:
    items: dict[str, list[Row]] = defaultdict(list)
    for item in trade.items:
        items[item["order_id"]].append(item)
    for order in trade.orders:
        if len(items[order["id"]]) == 1:
            yield order, items[order["id"]][0]


def _booking(chance: Chance, number: int, order: Row) -> Row:
    return {
        "id": chance.id("booking", number),
        "order_id": order["id"],
        "client_id": _RESELLER,
        "uuid": _uuid(chance, "booking-uuid", number),
        "reseller_reference": f"R-{number:05}" if number % 3 else None,
        "notes": None,
        "contact": _NOBODY,
        "reason": None,
        "confirmed_at": order["created_at"] if order["status"] in {"open", "paid"} else None,
    }


def _unit(chance: Chance, number: int, booking: Row, position: int, ticket: Row, unit_id: str) -> Row:
    return {
        "id": chance.id("unit", number),
        "booking_id": booking["id"],
        "ticket_id": ticket["id"],
        "position": position,
        "uuid": _uuid(chance, "unit-uuid", number),
        "unit_id": unit_id,
        "reseller_reference": None,
        "contact": _NOBODY,
    }


def _uuid(chance: Chance, kind: str, number: int) -> str:
    return str(UUID(bytes=chance.bytes(kind, number), version=4))
