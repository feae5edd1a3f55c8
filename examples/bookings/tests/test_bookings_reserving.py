"""Reserving before confirming: held seats, their end, and ids that the client gives."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from bookings_running import MovableClock, Platform, beside
from test_bookings_trade import a_date, booked, order

from tests.waiting import wait_until


def act(platform: Platform, placed: dict[str, Any], what: str) -> tuple[int, str]:
    reply = platform.client().post(f"/v3/orders/{placed['id']}/{what}")
    return reply.status_code, reply.json().get("status", "")


def test_a_reserved_order_holds_its_seats_until_it_is_confirmed(either: Platform) -> None:
    vendor, date_id = a_date(either, capacity=2)
    placed = order(either, vendor, (date_id, 2), reserve_minutes=15).json()
    assert placed["status"] == "reserved"
    left = datetime.fromisoformat(placed["expires_at"]) - datetime.now(UTC)
    assert timedelta(minutes=14) < left <= timedelta(minutes=15)
    tickets = f"/v3/orders/{placed['id']}/tickets"
    assert not any(ticket["valid"] for ticket in either.get(tickets))
    assert order(either, vendor, (date_id, 1)).status_code == 409
    pay = {"amount": 2000, "method": "card"}
    assert either.client().post(f"/v3/orders/{placed['id']}/payments", json=pay).status_code == 409
    assert act(either, placed, "confirm") == (200, "open")
    assert act(either, placed, "confirm") == (200, "open")  # a retry changes nothing
    assert all(ticket["valid"] for ticket in either.get(tickets))
    assert either.get(f"/v3/orders/{placed['id']}")["expires_at"] is None
    assert either.client().post(f"/v3/orders/{placed['id']}/payments", json=pay).status_code == 201


def test_a_reserved_order_is_cancelled_as_any(either: Platform) -> None:
    vendor, date_id = a_date(either, capacity=2)
    placed = order(either, vendor, (date_id, 2), reserve_minutes=15).json()
    assert act(either, placed, "cancel") == (200, "cancelled")
    assert booked(either, date_id) == 0
    assert act(either, placed, "confirm")[0] == 409


def test_nothing_to_pay_is_paid_when_it_is_confirmed(platform: Platform) -> None:
    vendor, date_id = a_date(platform, capacity=2, price=0)
    placed = order(platform, vendor, (date_id, 1), reserve_minutes=1).json()
    assert (placed["status"], act(platform, placed, "confirm")) == ("reserved", (200, "paid"))


@pytest.fixture
def later(either: Platform) -> Iterator[tuple[Platform, MovableClock]]:
    """Another process on the same database, that sweeps often."""
    with beside(either, expiry_sweep_s=0.05) as other:
        yield other


def test_a_reservation_ends_and_frees_its_seats(later: tuple[Platform, MovableClock]) -> None:
    platform, clock = later
    vendor, date_id = a_date(platform, capacity=3)
    short = order(platform, vendor, (date_id, 2), reserve_minutes=5).json()
    kept = order(platform, vendor, (date_id, 1), reserve_minutes=5).json()
    assert act(platform, kept, "confirm") == (200, "open")
    clock.minutes = 6
    ended = _wait_for(platform, short["id"], "expired")
    assert (ended["expires_at"], ended["cancelled_at"]) == (short["expires_at"], None)
    assert booked(platform, date_id) == 1
    assert act(platform, short, "confirm")[0] == act(platform, short, "cancel")[0] == 409
    assert platform.get(f"/v3/orders/{kept['id']}")["status"] == "open"


def _wait_for(platform: Platform, order_id: str, status: str) -> dict[str, Any]:
    def found() -> dict[str, Any] | None:
        order: dict[str, Any] = platform.get(f"/v3/orders/{order_id}")
        return order if order["status"] == status else None

    return wait_until(found)


def test_of_confirming_and_cancelling_at_once_one_wins(either: Platform) -> None:
    vendor, date_id = a_date(either, capacity=30)
    either.client()
    for _ in range(5):
        placed = order(either, vendor, (date_id, 1), reserve_minutes=5).json()
        with ThreadPoolExecutor(8) as clients:
            replies = list(clients.map(lambda what: act(either, placed, what), ("confirm", "cancel") * 4))  # noqa: B023
        assert Counter(replies)[200, "cancelled"] == 1
        assert either.get(f"/v3/orders/{placed['id']}")["status"] == "cancelled"
    assert booked(either, date_id) == 0


def test_whoever_gives_an_id_hears_that_it_is_taken(either: Platform) -> None:
    vendor, date_id = a_date(either, capacity=9)
    own, code = uuid4().hex, f"OWN-{uuid4().hex[:8]}"
    placed = order(either, vendor, (date_id, 1), id=own, code=code).json()
    assert (placed["id"], placed["code"]) == (own, code)
    assert order(either, vendor, (date_id, 1), id=own).status_code == 409
    assert order(either, vendor, (date_id, 1), code=code).status_code == 409
    assert order(either, vendor, (date_id, 1), id="short").status_code == 422
    assert booked(either, date_id) == 1
    payment = {"id": own, "amount": 10, "method": "card"}
    path = f"/v3/orders/{own}/payments"
    assert [either.client().post(path, json=payment).status_code for _ in range(2)] == [201, 409]
    assert either.get(f"/v3/orders/{own}")["paid"] == 10
    body = {"id": own, "name": "New", "email": "a@new.example", "city": "Gent", "country": "BE"}
    answers = [either.client().post("/v3/vendors", json=body) for _ in range(2)]
    assert [reply.status_code for reply in answers] == [201, 409]
    assert answers[0].json()["id"] == own
