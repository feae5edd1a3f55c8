"""One history: what its clients have made so far, and the next thing that one of them does.

Holds: the same seed makes the same history, as far as the replies are the same. What belongs to a history is touched by
no other, so that several run at once.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx

from proof.writes.both import Asked, Both, RowOrder

MARKETPLACE = "marketplace"
NOWHERE = "0" * 32
T = TypeVar("T")


@dataclass
class Vendor:
    """A tenant; `client` acts for it, where it has one."""

    id: str
    client: str = MARKETPLACE


@dataclass
class Event:
    """Something to book."""

    id: str
    vendor: Vendor


@dataclass
class Date:
    """A slot of it."""

    id: str
    event: Event
    capacity: int
    price: int


@dataclass
class Order:
    """Seats that were taken."""

    id: str
    price: int
    vendors: list[Vendor]


@dataclass
class Booking:
    """An OCTO booking, as it was reserved."""

    uuid: str
    reserved: dict[str, Any]
    named: bool
    """The reseller has made the uuid."""


@dataclass
class History:
    """All that one history knows, in the monolith's ids."""

    both: Both
    seed: int
    across: bool
    """Orders over several vendors are among its operations."""
    vendors: list[Vendor]
    categories: list[str] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    dates: list[Date] = field(default_factory=list)
    coupons: list[tuple[Vendor, str, str]] = field(default_factory=list)
    vouchers: list[tuple[Vendor, str, str]] = field(default_factory=list)
    users: list[tuple[Vendor, str]] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    bookings: list[Booking] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.number = 0
        self.own = self.vendors[0]

    # Chance, and names that nobody else has.

    def maybe(self, part: float) -> bool:
        """True in this part of all cases."""
        return self.random.random() < part

    def one(self, things: Sequence[T]) -> T:
        """Any of them."""
        return self.random.choice(things)

    def name(self, kind: str) -> str:
        """A name that is new."""
        self.number += 1
        return f"{kind} {self.seed:06} {self.number:03}"

    def slug(self, kind: str) -> str:
        """The same without spaces."""
        return self.name(kind).replace(" ", "-")

    def hex(self) -> str:
        """An id that a client makes."""
        return f"{self.random.getrandbits(128):032x}"

    def code(self) -> str:
        """A booking code that a client makes."""
        letters = "".join(self.random.choices("0123456789ABCDEFGHJKMNPQRSTVWXYZ", k=10))
        return f"BK-{letters[:5]}-{letters[5:]}"

    def day(self) -> str:
        """A day that no other date of this history has."""
        self.number += 1
        return f"20{27 + self.number // 336}-{1 + self.number // 28 % 12:02}-{1 + self.number % 28:02}"

    def spoiled(self, body: dict[str, Any], *, but: Sequence[str] = ()) -> dict[str, Any]:
        """A body, now and then with a mistake in it."""
        names = [name for name in body if name not in but]
        if not names or not self.maybe(0.08):
            return body
        name, kind = self.one(names), self.one(["missing", "null", "number", "text", "more"])
        if kind == "missing":
            return {other: value for other, value in body.items() if other != name}
        if kind == "more":
            return {**body, "unheard_of": 1}
        return {**body, name: {"null": None, "number": -7, "text": ""}[kind]}

    # What is asked of both sides.

    def send(self, method: str, path: str, body: Any = None, client: str | None = None) -> httpx.Response:
        """A change: now and then by somebody else, by POST with the method beside it, or with a key."""
        asked = self.change(method, path, body, client)
        if asked.key is not None and asked.client != "nobody" and self.maybe(0.1):
            return self.both.crowd_with_key(asked, 3)
        return self.both.ask(asked)

    def change(self, method: str, path: str, body: Any = None, client: str | None = None) -> Asked:
        """The same, not sent yet."""
        if client is None:
            client = self.random.choices((MARKETPLACE, self.own.client, "nobody"), (90, 8, 2))[0]
        if method in {"PATCH", "DELETE"} and self.maybe(0.3):
            path, method = f"{path}{'&' if '?' in path else '?'}method={method}", "POST"
        if self.maybe(0.05) and "?" not in path:
            path += "/"
        self.number += 1
        key = f"{self.seed}-{self.number}" if self.maybe(0.3) else None
        return Asked(method, path, body, client, key)

    def read(self, path: str, client: str = MARKETPLACE) -> httpx.Response:
        """One thing, or a list in an order that ids have no part in."""
        return self.both.ask(Asked("GET", path, client=client))

    def rows(self, path: str, order: RowOrder = "id") -> list[dict[str, Any]]:
        """A list of both."""
        return self.both.rows(Asked("GET", path), order)


Step = Callable[[History], None]
"""Something that a client does. Where there is nothing to do it with, it does nothing."""
