"""OCTO, the open standard of the sector: products, availability and bookings, in its words."""

from typing import Any
from uuid import uuid4

import pytest

from api_tests.client import Api
from api_tests.making import DAY, SEATS, UNKNOWN, Making, valid_bodies


@pytest.fixture
def booking(api: Api, making: Making, event: str, date: str) -> dict[str, Any]:
    """A booking on hold."""
    made: dict[str, Any] = api.call("octo_reserve_booking", body=making.reservation(event, date)).expect(200)
    return made


def test_the_supplier_is_the_platform(api: Api) -> None:
    reply = api.call("octo_get_supplier")
    assert reply.expect(200)["endpoint"].startswith("http")
    assert "octo-capabilities" in reply.headers
    assert api.call("octo_list_capabilities").expect(200) == []


def test_an_active_event_is_a_product(api: Api, event: str, date: str) -> None:
    product = api.call("octo_get_product", id=event).expect(200)
    assert [unit["id"] for unit in product["options"][0]["units"]] == ["adult", "child"]
    api.call("change_event", event_id=event, body={"active": False}).expect(200)
    api.call("octo_get_product", id=event).refused_by_octo("INVALID_PRODUCT_ID")


def test_the_products_of_a_vendor_are_listed_for_its_client(vendor_api: Api) -> None:
    products = vendor_api.call("octo_list_products").expect(200)
    events = vendor_api.call("list_events", query="fields=id,active").expect(200)
    assert {each["id"] for each in products} == {each["id"] for each in events if each["active"]}


def test_availability_is_that_of_dates(api: Api, event: str, date: str) -> None:
    question = {"productId": event, "optionId": "DEFAULT", "localDateStart": DAY, "localDateEnd": DAY}
    [found] = api.call("octo_check_availability", body=question).expect(200)
    assert (found["id"], found["vacancies"], found["status"]) == (date, SEATS, "AVAILABLE")
    [day] = api.call("octo_read_calendar", body=question).expect(200)
    assert (day["localDate"], day["vacancies"]) == (DAY, SEATS)


def test_a_day_without_dates_is_closed(api: Api, event: str, date: str) -> None:
    question = {
        "productId": event, "optionId": "DEFAULT", "localDateStart": "2031-05-01", "localDateEnd": "2031-05-03",
    }  # fmt: skip
    days = api.call("octo_read_calendar", body=question).expect(200)
    assert [day["status"] for day in days] == ["AVAILABLE", "CLOSED", "CLOSED"]


def test_a_booking_is_held_extended_changed_confirmed_and_cancelled(
    api: Api, booking: dict[str, Any], date: str
) -> None:
    uuid = booking["uuid"]
    assert booking["status"] == "ON_HOLD"
    assert api.call("octo_get_booking", uuid=uuid).expect(200) == booking
    extended = api.call("octo_extend_booking", uuid=uuid, body={"expirationMinutes": 60}).expect(200)
    assert extended["utcExpiresAt"] > booking["utcExpiresAt"]
    changed = api.call("octo_change_booking", uuid=uuid, body={"notes": "two prams"}).expect(200)
    assert changed["notes"] == "two prams"
    confirmed = api.call("octo_confirm_booking", uuid=uuid, body={"contact": {"fullName": "A guest"}}).expect(200)
    assert (confirmed["status"], confirmed["contact"]["fullName"]) == ("CONFIRMED", "A guest")
    assert api.call("get_date", date_id=date).expect(200)["booked"] == 1
    cancelled = api.call("octo_cancel_booking", uuid=uuid, body={"reason": "rain"}).expect(200)
    assert cancelled["status"] == "CANCELLED"
    assert api.call("get_date", date_id=date).expect(200)["booked"] == 0
    api.call("octo_cancel_booking", uuid=uuid, body={}).refused_by_octo("UNPROCESSABLE_ENTITY")
    api.call("octo_confirm_booking", uuid=uuid, body={"contact": {}}).refused_by_octo("INVALID_BOOKING_UUID")


def test_a_reservation_is_safe_to_repeat(api: Api, making: Making, event: str, date: str) -> None:
    body = {**making.reservation(event, date), "uuid": str(uuid4())}
    first = api.call("octo_reserve_booking", body=body).expect(200)
    assert api.call("octo_reserve_booking", body=body).expect(200)["uuid"] == first["uuid"]
    assert api.call("get_date", date_id=date).expect(200)["booked"] == 1


def test_a_booking_is_found_by_its_reference(api: Api, booking: dict[str, Any]) -> None:
    found = api.call("octo_list_bookings", query={"resellerReference": booking["resellerReference"]}).expect(200)
    assert [each["uuid"] for each in found] == [booking["uuid"]]
    by_code = {"supplierReference": booking["supplierReference"]}
    assert [each["uuid"] for each in api.call("octo_list_bookings", query=by_code).expect(200)] == [booking["uuid"]]


def test_a_sold_out_date_is_refused_in_the_words_of_the_standard(api: Api, making: Making, event: str) -> None:
    date = making.new_date(event, capacity=1)
    body = making.reservation(event, date, seats=2)
    api.call("octo_reserve_booking", body=body).refused_by_octo("UNPROCESSABLE_ENTITY")


@pytest.mark.parametrize(
    ("operation", "error"),
    [
        ("octo_get_product", "INVALID_PRODUCT_ID"),
        ("octo_check_availability", "INVALID_PRODUCT_ID"),
        ("octo_read_calendar", "INVALID_PRODUCT_ID"),
        ("octo_reserve_booking", "INVALID_PRODUCT_ID"),
        ("octo_get_booking", "INVALID_BOOKING_UUID"),
        ("octo_change_booking", "INVALID_BOOKING_UUID"),
        ("octo_confirm_booking", "INVALID_BOOKING_UUID"),
        ("octo_extend_booking", "INVALID_BOOKING_UUID"),
        ("octo_cancel_booking", "INVALID_BOOKING_UUID"),
    ],
)
def test_an_unknown_thing_is_refused_by_its_name(api: Api, making: Making, operation: str, error: str) -> None:
    path: dict[str, Any] = {"id": UNKNOWN} if operation == "octo_get_product" else {"uuid": str(uuid4())}
    needed = {} if operation.endswith(("availability", "calendar", "reserve_booking")) else path
    api.call(operation, body=valid_bodies(making).get(operation), **needed).refused_by_octo(error)


def test_a_list_of_bookings_needs_a_filter(api: Api) -> None:
    api.call("octo_list_bookings").refused_by_octo("BAD_REQUEST")
