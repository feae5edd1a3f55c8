"""The rows of the trade: orders with their items, tickets and payments.

Holds: `booked` of a date is the sum of the seats in orders that are not cancelled, and never more
than its capacity.
"""

from collections import defaultdict
from dataclasses import dataclass, field

from bookings import tables as t
from bookings.ids import order_code
from bookings.search import search_text
from bookings.seed import moments
from bookings.seed.catalogue import Row
from bookings.seed.chance import Chance
from bookings.trade.placing import CURRENCY

_SOLD_OUT = 0.1  # of the dates that have bookings at all


@dataclass(slots=True)
class Trade:
    """Everything that has been ordered."""

    orders: list[Row] = field(default_factory=list)
    items: list[Row] = field(default_factory=list)
    tickets: list[Row] = field(default_factory=list)
    payments: list[Row] = field(default_factory=list)


class Market:
    """Places orders on the dates; writes the bookings into the rows of the dates."""

    def __init__(self, chance: Chance, event_rows: list[Row], date_rows: list[Row]) -> None:
        self._chance = chance
        self._random = chance.of("orders")
        self._dates = date_rows
        self._vendor_of = {row["id"]: row["vendor_id"] for row in event_rows}
        self._of_vendor: dict[str, list[Row]] = defaultdict(list)
        for row in date_rows:
            self._of_vendor[self._vendor_of[row["event_id"]]].append(row)
        self._trade = Trade()

    def trade(self, orders: int) -> Trade:
        for number in range(orders):
            self._order(number)
        for row in self._dates:
            if row["booked"] and self._random.random() < _SOLD_OUT:
                row["capacity"] = row["booked"]
        return self._trade

    def _order(self, number: int) -> None:
        random = self._random
        # By date, so that a vendor sells as much as it offers.
        vendor_id = self._vendor_of[random.choice(self._dates)["event_id"]]
        created, updated = moments.stamps(random, moments.ORDERS)
        status = random.choices(("paid", "open", "cancelled"), weights=(75, 15, 10))[0]
        seats = self._seats(vendor_id)
        if not seats:  # everything it wanted was sold out
            status, seats = "cancelled", [(self._of_vendor[vendor_id][0], 1)]
        order: Row = {
            "id": self._chance.id("order", number),
            "vendor_id": vendor_id,
            "code": order_code(int.from_bytes(self._chance.bytes("code", number)[:7]) >> 6),
            "status": status,
            **self._customer(number),
            "price": 0,
            "paid": 0,
            "currency": CURRENCY,
            "coupon_code": None,
            "cancelled_at": updated if status == "cancelled" else None,
            "expires_at": None,
            "vendor_count": 1,
            "created_at": created,
            "updated_at": updated,
        }
        order["search"] = search_text(t.orders, order)
        self._trade.orders.append(order)
        first_ticket = 1
        for position, (date, quantity) in enumerate(seats):
            self._item(order, position, date, quantity)
            self._tickets(order, quantity, first_ticket)
            first_ticket += quantity
        self._pay(order)

    def _customer(self, number: int) -> Row:
        if self._random.random() < 0.1:
            return {"customer_name": None, "customer_email": None}
        email = f"guest-{number:05}@mail.example" if self._random.random() < 0.9 else None
        return {"customer_name": f"Guest {number:05}", "customer_email": email}

    def _seats(self, vendor_id: str) -> list[tuple[Row, int]]:
        """Seats on up to three different dates of the vendor, as far as there is room."""
        random, offered = self._random, self._of_vendor[vendor_id]
        wanted = random.choices((1, 2, 3), weights=(75, 20, 5))[0]
        found = []
        for date in random.sample(offered, wanted):
            quantity = random.choices((1, 2, 3, 4, 6), weights=(25, 45, 12, 13, 5))[0]
            quantity = min(quantity, date["capacity"] - date["booked"])
            if quantity:
                found.append((date, quantity))
        return found

    def _item(self, order: Row, position: int, date: Row, quantity: int) -> None:
        price = date["price"] * quantity
        order["price"] += price
        if order["status"] != "cancelled":
            date["booked"] += quantity
        self._trade.items.append(
            {
                "id": self._chance.id("item", len(self._trade.items)),
                "order_id": order["id"],
                "date_id": date["id"],
                "position": position,
                "quantity": quantity,
                "price": price,
            }
        )

    def _tickets(self, order: Row, quantity: int, first: int) -> None:
        item_id = self._trade.items[-1]["id"]
        for number in range(first, first + quantity):
            self._trade.tickets.append(
                {
                    "id": self._chance.id("ticket", len(self._trade.tickets)),
                    "item_id": item_id,
                    "code": f"{order['code']}-{number}",
                    "valid": order["status"] != "cancelled",
                    "created_at": order["created_at"],
                    "updated_at": order["updated_at"],
                }
            )

    def _pay(self, order: Row) -> None:
        random, due = self._random, int(order["price"])
        amounts = {
            "paid": (due,) if random.random() < 0.8 else (due // 2, due - due // 2),
            "open": (due // 4,) if random.random() < 0.3 else (),
            "cancelled": (due,) if random.random() < 0.2 else (),
        }[order["status"]]
        for amount in filter(None, amounts):
            order["paid"] += amount
            self._trade.payments.append(
                {
                    "id": self._chance.id("payment", len(self._trade.payments)),
                    "order_id": order["id"],
                    "amount": amount,
                    "currency": CURRENCY,
                    "method": random.choice(("card", "card", "card", "transfer", "cash")),
                    "voucher_code": None,
                    "created_at": order["created_at"],
                    "updated_at": order["created_at"],
                }
            )
