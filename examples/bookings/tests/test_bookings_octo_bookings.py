"""OCTO's bookings: reserve → confirm, extend, change, cancel, find, list; one uuid, one booking; many buyers."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from bookings_running import MovableClock, Platform, beside
from octo_client import Octo, reservation
from test_bookings_trade import a_date, booked

GUEST = {"fullName": "Guest É", "emailAddress": "guest@mail.example", "locales": ["de"]}


def a_slot(platform: Platform, capacity: int) -> tuple[str, str]:
    """A new date with so many seats: its product and itself."""
    _, date_id = a_date(platform, capacity=capacity)
    return platform.get(f"/v3/dates/{date_id}")["event_id"], date_id


def reserve(platform: Platform, slot: tuple[str, str], *units: str, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = Octo.of(platform).post("/bookings/", reservation(*slot, *units, **more), "Booking")
    return found


def test_a_booking_is_reserved_confirmed_and_found(either: Platform) -> None:
    octo, slot = Octo.of(either), a_slot(either, 5)
    held = reserve(either, slot, "adult", "child", resellerReference="R-1", notes="late", contact=GUEST)
    assert (held["status"], held["productId"], held["availabilityId"]) == ("ON_HOLD", *slot)
    assert (held["resellerReference"], held["notes"], held["cancellable"]) == ("R-1", "late", True)
    assert (held["contact"]["fullName"], held["contact"]["country"]) == ("Guest É", None)
    assert [item["unitId"] for item in held["unitItems"]] == ["adult", "child"]
    assert held["voucher"] is held["unitItems"][0]["ticket"] is held["utcConfirmedAt"] is None
    assert held["availability"]["vacancies"] == 3
    path = f"/bookings/{held['uuid']}"
    assert octo.get(path, "Booking") == held
    sold = octo.post(f"{path}/confirm", {"contact": GUEST}, "Booking")
    assert (sold["status"], sold["utcExpiresAt"]) == ("CONFIRMED", None)
    codes = [item["ticket"]["deliveryOptions"][0]["deliveryValue"] for item in sold["unitItems"]]
    tickets = either.get("/v3/orders", accept_code=sold["supplierReference"])[0]["id"]
    assert codes == sorted(row["code"] for row in either.get(f"/v3/orders/{tickets}/tickets"))
    assert octo.post(f"{path}/confirm", {"contact": {"fullName": "Other"}}, "Booking") == sold  # a retry
    for filters in (
        {"resellerReference": "R-1", "productId": slot[0]}, {"supplierReference": sold["supplierReference"]},
        {"localDate": "2027-01-01", "productId": slot[0]},
        {"localDateStart": "2026-12-31", "localDateEnd": "2027-01-01", "optionId": "DEFAULT"},
    ):  # fmt: skip
        assert sold in octo.get("/bookings/", "Booking", **filters)
    assert octo.get("/bookings", "Booking", supplierReference=sold["supplierReference"], optionId="x") == []


def test_a_booking_is_an_order_of_the_platform(either: Platform) -> None:
    held = reserve(either, a_slot(either, 5), "adult", "adult", contact=GUEST)
    order = either.get("/v3/orders", accept_code=held["supplierReference"])[0]
    assert (order["status"], order["price"]) == ("reserved", 2000)
    assert order["customer"] == {"name": "Guest É", "email": "guest@mail.example"}
    either.client().post(f"/v3/orders/{order['id']}/cancel")
    assert Octo.of(either).get(f"/bookings/{held['uuid']}", "Booking")["status"] == "CANCELLED"


def test_the_same_uuid_is_the_same_booking(either: Platform) -> None:
    octo, slot = Octo.of(either), a_slot(either, 5)
    body = reservation(*slot, "adult", "child")
    held = octo.post("/bookings", body, "Booking")
    assert octo.post("/bookings", body, "Booking") == held
    assert octo.post("/bookings", {**body, "uuid": body["uuid"].upper()}, "Booking") == held
    assert booked(either, slot[1]) == 2
    for other in (reservation(*slot), reservation(*a_slot(either, 5), "adult", "child")):
        refused = octo.refused("POST", "/bookings", {**other, "uuid": body["uuid"]})
        assert (refused["error"], refused["uuid"]) == ("INVALID_BOOKING_UUID", body["uuid"])
    sold = octo.post(f"/bookings/{body['uuid']}/confirm", {"contact": {}}, "Booking")
    assert octo.post("/bookings", body, "Booking") == sold


@pytest.mark.parametrize("capacity", [2, 100])  # with no seats for a second one, and with seats for all
def test_one_uuid_from_many_threads_takes_its_seats_once(either: Platform, capacity: int) -> None:
    slot = a_slot(either, capacity)
    body, octo = reservation(*slot, "adult", "adult"), Octo.of(either)
    with ThreadPoolExecutor(20) as retries:
        found = list(retries.map(lambda _: octo.post("/bookings", body, "Booking"), range(20)))
    assert len({each["id"] for each in found}) == 1
    assert booked(either, slot[1]) == 2


def test_fifty_clients_at_once_reserve_exactly_the_seats_there_are(either: Platform) -> None:
    slot = a_slot(either, 17)
    client = either.client()
    bodies = [reservation(*slot) for _ in range(50)]
    with ThreadPoolExecutor(50) as clients:
        replies = list(clients.map(lambda body: client.post("/octo/bookings", json=body), bodies))
    assert Counter(reply.status_code for reply in replies) == {200: 17, 400: 33}
    assert {reply.json()["error"] for reply in replies if reply.status_code == 400} == {"UNPROCESSABLE_ENTITY"}
    assert booked(either, slot[1]) == 17
    full = Octo.of(either).post(
        "/availability", {"productId": slot[0], "optionId": "DEFAULT", "availabilityIds": [slot[1]]}, "Availability"
    )
    assert (full[0]["status"], full[0]["vacancies"], full[0]["available"]) == ("SOLD_OUT", 0, False)


def test_both_doors_sell_from_one_stock(either: Platform) -> None:
    vendor, date_id = a_date(either, capacity=10)
    product = either.get(f"/v3/dates/{date_id}")["event_id"]
    client = either.client()

    def buy(number: int) -> bool:
        if number % 2:
            return client.post("/octo/bookings", json=reservation(product, date_id)).status_code == 200
        order = {"vendor_id": vendor, "items": [{"date_id": date_id, "quantity": 1}]}
        return client.post("/v3/orders", json=order).status_code == 201

    with ThreadPoolExecutor(40) as buyers:
        assert sum(buyers.map(buy, range(40))) == booked(either, date_id) == 10


def test_cancelling_gives_the_seats_back_once(either: Platform) -> None:
    octo, slot = Octo.of(either), a_slot(either, 2)
    held = reserve(either, slot, "adult", "adult")
    path = f"/bookings/{held['uuid']}"
    gone = octo.post(f"{path}/cancel", {"reason": "rain"}, "Booking")
    assert (gone["status"], gone["cancellable"], gone["cancellation"]["reason"]) == ("CANCELLED", False, "rain")
    assert booked(either, slot[1]) == 0
    assert octo.refused("POST", f"{path}/cancel", {})["error"] == "UNPROCESSABLE_ENTITY"
    assert octo.refused("POST", f"{path}/extend", {})["error"] == "UNPROCESSABLE_ENTITY"
    assert octo.refused("POST", f"{path}/confirm", {"contact": {}})["uuid"] == held["uuid"]
    assert octo.refused("PATCH", path, {"notes": "x"})["error"] == "UNPROCESSABLE_ENTITY"
    assert booked(either, slot[1]) == 0


def test_steps_of_one_booking_at_once_never_deadlock(either: Platform) -> None:
    octo, slot = Octo.of(either), a_slot(either, 9)
    steps = [("confirm", {"contact": GUEST}), ("cancel", {}), ("extend", {}), ("?method=PATCH", {"notes": "x"})] * 3
    for _ in range(3):
        path = f"/octo/bookings/{reserve(either, slot)['uuid']}"

        def step(number: int, path: str = path) -> int:
            name, body = steps[number]
            return octo.http.post(f"{path}{name if name[0] == '?' else '/' + name}", json=body).status_code

        with ThreadPoolExecutor(12) as clients:
            assert set(clients.map(step, range(12))) <= {200, 400}
        assert octo.http.get(path).json()["status"] == "CANCELLED"
    assert booked(either, slot[1]) == 0


def minutes_left(booking: dict[str, Any]) -> float:
    return (datetime.fromisoformat(booking["utcExpiresAt"]) - datetime.now(UTC)) / timedelta(minutes=1)


def test_a_hold_lasts_as_long_as_is_asked_up_to_a_limit(platform: Platform) -> None:
    octo, slot = Octo.of(platform), a_slot(platform, 5)
    for wanted, given in ((None, 30), (5, 5), (10_000, 120)):
        more = {} if wanted is None else {"expirationMinutes": wanted}
        held = reserve(platform, slot, **more)
        assert given - 1 < minutes_left(held) <= given
        longer = octo.post(f"/bookings/{held['uuid']}/extend", {"expirationMinutes": 60}, "Booking")
        assert 59 < minutes_left(longer) <= 60
        changed = octo.patch(f"/bookings/{held['uuid']}", {"expirationMinutes": 7})
        assert 6 < minutes_left(changed) <= 7


def test_a_change_says_other_things_of_the_same_seats(either: Platform) -> None:
    octo, slot = Octo.of(either), a_slot(either, 5)
    held = reserve(either, slot, "adult", "child")
    path, items = f"/bookings/{held['uuid']}", held["unitItems"]
    named = [
        {"uuid": items[1]["uuid"], "unitId": "child", "resellerReference": "second", "contact": {"firstName": "Kim"}},
        {"uuid": items[0]["uuid"], "unitId": "adult"},
    ]
    body = {"notes": "new", "contact": GUEST, "unitItems": named, "availabilityId": slot[1]}
    changed = octo.patch(path, body)
    assert (changed["notes"], changed["contact"]["locales"]) == ("new", ["de"])
    assert [item["resellerReference"] for item in changed["unitItems"]] == [None, "second"]
    assert changed["unitItems"][1]["contact"]["firstName"] == "Kim"
    assert octo.http.post(f"/octo{path}?method=PATCH", json={"notes": None}).json()["notes"] is None
    for other in (
        {"productId": "x"}, {"optionId": "x"}, {"availabilityId": "x"}, {"unitItems": []},
        {"unitItems": [{"unitId": "adult"}, {"unitId": "adult"}]}, {"unitItems": [{"unitId": "adult"}]},
        {"unitItems": [named[0], named[0]]},
    ):  # fmt: skip
        assert octo.refused("PATCH", path, other)["error"] == "UNPROCESSABLE_ENTITY"
    by_place = octo.post(
        f"{path}/confirm",
        {"contact": {}, "unitItems": [{"unitId": "adult", "resellerReference": "a"}, {"unitId": "child"}]},
        "Booking",
    )
    assert [item["resellerReference"] for item in by_place["unitItems"]] == ["a", "second"]


def test_what_is_wrong_with_a_reservation_is_said_in_the_standards_words(either: Platform) -> None:
    octo, slot = Octo.of(either), a_slot(either, 5)
    good = reservation(*slot)
    for wrong, error in (
        ({"productId": "x"}, {"error": "INVALID_PRODUCT_ID", "productId": "x"}),
        ({"optionId": "x"}, {"error": "INVALID_OPTION_ID", "optionId": "x"}),
        ({"availabilityId": "x"}, {"error": "INVALID_AVAILABILITY_ID", "availabilityId": "x"}),
        ({"availabilityId": another_date(either, slot)}, {"error": "INVALID_AVAILABILITY_ID"}),
        ({"unitItems": [{"unitId": "dog"}]}, {"error": "INVALID_UNIT_ID", "unitId": "dog"}),
        ({"uuid": "me"}, {"error": "INVALID_BOOKING_UUID", "uuid": "me"}),
        ({"unitItems": []}, {"error": "UNPROCESSABLE_ENTITY"}),
        ({"unitItems": [{"unitId": "adult"}] * 101}, {"error": "UNPROCESSABLE_ENTITY"}),
        ({"unitItems": [{"unitId": "adult"}] * 6}, {"error": "UNPROCESSABLE_ENTITY"}),
        ({"unitItems": "adult"}, {"error": "UNPROCESSABLE_ENTITY"}),
        ({"unitItems": [{"unitId": "adult", "uuid": str(uuid4())}] * 2}, {"error": "UNPROCESSABLE_ENTITY"}),
        ({"unitItems": [{"unitId": "adult", "uuid": "me"}]}, {"error": "INVALID_BOOKING_UUID", "uuid": "me"}),
        ({"contact": {"emailAddress": "nowhere"}}, {"error": "UNPROCESSABLE_ENTITY"}),
        ({"expirationMinutes": 0}, {"error": "UNPROCESSABLE_ENTITY"}),
        ({"contact": {"fullName": "\0"}}, {"error": "UNPROCESSABLE_ENTITY"}),
    ):
        assert octo.refused("POST", "/bookings", {**good, **wrong}).items() >= error.items()
    assert booked(either, slot[1]) == 0
    for method, path in (("GET", ""), ("PATCH", ""), ("POST", "/confirm"), ("POST", "/extend"), ("POST", "/cancel")):
        refused = octo.refused(method, f"/bookings/{uuid4()}{path}", {"contact": {}})
        assert refused["error"] == "INVALID_BOOKING_UUID"
    assert octo.refused("GET", "/bookings")["error"] == "BAD_REQUEST"
    assert octo.refused("GET", "/bookings", localDateStart="2027-01-01")["error"] == "BAD_REQUEST"


def another_date(platform: Platform, slot: tuple[str, str]) -> str:
    """A date of another product."""
    return str(next(row for row in platform.get("/v3/dates") if row["event_id"] != slot[0])["id"])


def test_a_client_finds_only_what_it_has_booked(either: Platform) -> None:
    own = either.client("vendor-1").get("/v3/events").json()
    product = next(row for row in own if row["active"])["id"]
    body = {"start_date": "2027-01-01", "start_time": "10:00", "capacity": 5}
    slot = product, either.client().post(f"/v3/events/{product}/dates", json=body).json()["id"]
    mine, theirs = Octo.of(either, "vendor-1"), Octo.of(either)
    held = mine.post("/bookings", reservation(*slot), "Booking")
    assert theirs.refused("GET", f"/bookings/{held['uuid']}")["error"] == "INVALID_BOOKING_UUID"
    assert theirs.get("/bookings", "Booking", supplierReference=held["supplierReference"]) == []
    other = theirs.post("/bookings", {**reservation(*slot), "uuid": held["uuid"]}, "Booking")
    assert (other["uuid"], other["id"] != held["id"]) == (held["uuid"], True)
    assert mine.get(f"/bookings/{held['uuid']}", "Booking")["id"] == held["id"]


@pytest.fixture
def later(either: Platform) -> Iterator[tuple[Platform, MovableClock]]:
    """Another process on the same database, that never sweeps."""
    with beside(either, expiry_sweep_s=10**6) as other:
        yield other


def test_what_has_expired_cannot_be_confirmed_even_before_it_is_swept(later: tuple[Platform, MovableClock]) -> None:
    platform, clock = later
    held = reserve(platform, a_slot(platform, 5), expirationMinutes=5)
    octo, path = Octo.of(platform), f"/bookings/{held['uuid']}"
    clock.minutes = 6
    assert octo.get(path, "Booking")["status"] == "EXPIRED"
    assert octo.refused("POST", f"{path}/confirm", {"contact": {}})["error"] == "INVALID_BOOKING_UUID"
    assert octo.refused("POST", f"{path}/extend", {})["error"] == "UNPROCESSABLE_ENTITY"
