"""Bodies with which things are created, each with the mark of its run, and shortcuts that create what tests need.

Holds: whatever is created can be told from other data by its name, which begins with `api-test`.
"""

import secrets
from collections.abc import Mapping
from typing import Any

from api_tests.client import Api

UNKNOWN = "f" * 32
"""An id that nothing has."""
DAY, TIME = "2031-05-01", "10:00"
SEATS = 20
PRICE = 2500


class Making:
    """Creates things for one client of the API."""

    def __init__(self, api: Api, mark: str) -> None:
        self.api = api
        self.mark = mark

    def name(self, what: str) -> str:
        """A name that no other thing has."""
        return f"{self.mark} {what} {secrets.token_hex(4)}"

    def word(self) -> str:
        """The same for codes and slugs: letters, digits and hyphens."""
        return f"{self.mark}-{secrets.token_hex(4)}"

    def category(self) -> dict[str, Any]:
        """The body of a new category."""
        return {"slug": self.word(), "name": self.name("category")}

    def vendor(self) -> dict[str, Any]:
        """The body of a new vendor."""
        return {"name": self.name("vendor"), "email": "vendor@example.com", "city": "Leipzig", "country": "DE"}

    def event(self, vendor: str, category: str, **more: Any) -> dict[str, Any]:
        """The body of a new event."""
        return {
            "vendor_id": vendor,
            "category_id": category,
            "name": self.name("event"),
            "description": "Two hours on foot, in English.",
            "city": "Leipzig",
            "country": "DE",
            "latitude": 51.34,
            "longitude": 12.37,
            "price": PRICE,
            "duration_minutes": 120,
            "capacity": SEATS,
            **more,
        }

    def order(self, date: str, vendor: str | None, quantity: int = 1, **more: Any) -> dict[str, Any]:
        """The body of a new order for one date."""
        body = {"items": [{"date_id": date, "quantity": quantity}], "customer": {"name": self.name("guest")}, **more}
        return body if vendor is None else {**body, "vendor_id": vendor}

    def child(self, kind: str) -> dict[str, Any]:
        """The body of a new coupon, voucher or user."""
        bodies: dict[str, dict[str, Any]] = {
            "coupon": {"code": self.word(), "percent": 10},
            "voucher": {"code": self.word(), "value": 5000},
            "user": {"name": self.name("user"), "email": f"{self.word()}@example.com", "role": "guide"},
        }
        return bodies[kind]

    def reservation(self, event: str, date: str, seats: int = 1) -> dict[str, Any]:
        """The body of a new OCTO booking."""
        return {
            "productId": event,
            "optionId": "DEFAULT",
            "availabilityId": date,
            "expirationMinutes": 15,
            "resellerReference": self.word(),
            "unitItems": [{"unitId": "adult"}] * seats,
        }

    def new_vendor(self) -> str:
        """A vendor; returns its id."""
        return str(self.api.call("create_vendor", body=self.vendor()).expect(201)["id"])

    def new_event(self, vendor: str, category: str, **more: Any) -> str:
        """An event; returns its id."""
        return str(self.api.call("create_event", body=self.event(vendor, category, **more)).expect(201)["id"])

    def new_date(self, event: str, **more: Any) -> str:
        """A date of an event; returns its id."""
        body = {"start_date": DAY, "start_time": TIME, **more}
        return str(self.api.call("create_date", body=body, event_id=event).expect(201)["id"])

    def new_order(self, date: str, vendor: str | None, quantity: int = 1, **more: Any) -> dict[str, Any]:
        """An order; returns it."""
        found: dict[str, Any] = self.api.call("create_order", body=self.order(date, vendor, quantity, **more)).expect(
            201
        )
        return found


def valid_bodies(making: Making) -> Mapping[str, Any]:
    """For each operation that takes a JSON body: one that is right, of things that need not exist."""
    return {
        "create_category": making.category(),
        "change_category": {"name": making.name("category")},
        "create_vendor": making.vendor(),
        "change_vendor": {"city": "Dresden"},
        "create_event": making.event(UNKNOWN, UNKNOWN),
        "change_event": {"city": "Dresden"},
        "create_date": {"start_date": DAY, "start_time": TIME},
        "change_date": {"price": 1},
        "check_availability": {"items": [{"date_id": UNKNOWN, "quantity": 1}]},
        "create_order": making.order(UNKNOWN, UNKNOWN),
        "change_order": {"customer": {"name": making.name("guest")}},
        "create_order_payment": {"amount": 1, "method": "cash"},
        "create_coupon": making.child("coupon"),
        "change_coupon": {"percent": 20},
        "create_voucher": making.child("voucher"),
        "change_voucher": {"balance": 1},
        "create_user": making.child("user"),
        "change_user": {"role": "agent"},
        "octo_check_availability": {"productId": UNKNOWN, "optionId": "DEFAULT", "localDate": DAY},
        "octo_read_calendar": {
            "productId": UNKNOWN, "optionId": "DEFAULT", "localDateStart": DAY, "localDateEnd": DAY,
        },
        "octo_reserve_booking": making.reservation(UNKNOWN, UNKNOWN),
        "octo_change_booking": {"notes": "a note"},
        "octo_confirm_booking": {"contact": {"fullName": "A guest"}},
        "octo_extend_booking": {"expirationMinutes": 20},
        "octo_cancel_booking": {"reason": "a test"},
    }  # fmt: skip
