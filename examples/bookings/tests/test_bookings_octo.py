"""OCTO's catalogue: supplier, products, availability, calendar; and how it refuses."""

from typing import Any

import pytest
from bookings_running import Platform
from octo_client import Octo


def product_of(platform: Platform) -> dict[str, Any]:
    """An active event with a free date that is not the only one of its day."""
    active = {row["id"]: row for row in platform.get("/v3/events") if row["active"]}
    date = next(row for row in platform.get("/v3/dates", available="true") if row["event_id"] in active)
    return {**date, "event": active[date["event_id"]]}


def question(product: str, **more: Any) -> dict[str, Any]:
    return {"productId": product, "optionId": "DEFAULT", **more}


def test_the_supplier_is_the_platform(platform: Platform) -> None:
    supplier = Octo.of(platform).get("/supplier/", "Supplier")
    assert (supplier["id"], supplier["endpoint"]) == ("bookings", "https://bookings.example/octo")
    assert Octo.of(platform).get("/capabilities/", "Capability") == []


def test_products_are_the_active_events(either: Platform) -> None:
    products = Octo.of(either).get("/products/", "Product")
    assert [each["id"] for each in products] == [row["id"] for row in either.get("/v3/events") if row["active"]]
    for product in products[:20]:
        assert Octo.of(either).get(f"/products/{product['id']}", "Product") == product
        times = {row["start_time"] for row in either.get(f"/v3/events/{product['id']}/dates")}
        assert product["options"][0]["availabilityLocalStartTimes"] == sorted(times)


def test_a_client_of_a_vendor_has_only_its_own_products(either: Platform) -> None:
    own = {row["id"] for row in either.client("vendor-1").get("/v3/events").json() if row["active"]}
    assert {each["id"] for each in Octo.of(either, "vendor-1").get("/products", "Product")} == own
    other = next(row for row in either.get("/v3/events") if row["active"] and row["id"] not in own)
    assert Octo.of(either, "vendor-1").refused("GET", f"/products/{other['id']}")["error"] == "INVALID_PRODUCT_ID"


def test_availability_is_the_dates_with_their_seats(either: Platform) -> None:
    date = product_of(either)
    day, path = date["start_date"], "/availability/"
    found = Octo.of(either).post(path, question(date["event_id"], localDate=day), "Availability")
    mine = next(each for each in found if each["id"] == date["id"])
    assert mine["localDateTimeStart"] == f"{day}T{date['start_time']}:00+00:00"
    assert (mine["vacancies"], mine["capacity"]) == (date["capacity"] - date["booked"], date["capacity"])
    by_id = question(date["event_id"], availabilityIds=[date["id"], "none"])
    assert Octo.of(either).post(path, by_id, "Availability") == [mine]
    year = question(date["event_id"], localDateStart="2026-01-01", localDateEnd="2026-12-31")
    all_year = Octo.of(either).post(path, year, "Availability")
    assert len(all_year) == len(either.get(f"/v3/events/{date['event_id']}/dates", end_date="2026-12-31"))
    assert all_year == sorted(all_year, key=lambda each: (each["localDateTimeStart"], each["id"]))
    many = question(date["event_id"], localDate=day, units=[{"id": "adult", "quantity": date["capacity"] + 1}])
    assert {(e["available"], e["status"]) for e in Octo.of(either).post(path, many, "Availability")} == {
        (False, "SOLD_OUT")
    }


def test_the_calendar_has_every_day(either: Platform) -> None:
    date = product_of(either)
    body = question(date["event_id"], localDateStart="2026-01-01", localDateEnd="2026-12-31")
    days = Octo.of(either).post("/availability/calendar", body, "AvailabilityCalendar")
    assert (len(days), days[0]["localDate"], days[-1]["localDate"]) == (365, "2026-01-01", "2026-12-31")
    open_days = {row["start_date"] for row in either.get(f"/v3/events/{date['event_id']}/dates")}
    assert {day["localDate"] for day in days if day["status"] != "CLOSED"} == {
        day for day in open_days if day <= "2026-12-31"
    }
    assert next(day for day in days if day["localDate"] == date["start_date"])["available"]


@pytest.mark.parametrize("path", ["/availability", "/availability/calendar"])
def test_what_is_wrong_with_a_question_is_said_in_the_standards_words(either: Platform, path: str) -> None:
    octo, product = Octo.of(either), product_of(either)["event_id"]
    days = {"localDateStart": "2026-05-01", "localDateEnd": "2026-05-02"}
    for body, error in (
        ({}, {"error": "INVALID_PRODUCT_ID", "productId": ""}),
        (question("nothing", **days), {"error": "INVALID_PRODUCT_ID", "productId": "nothing"}),
        ({**question(product), "optionId": "x"}, {"error": "INVALID_OPTION_ID", "optionId": "x"}),
        (question(product), {"error": "BAD_REQUEST"}),
        (question(product, localDateStart="2026-05-01"), {"error": "BAD_REQUEST"}),
        (question(product, localDateStart="2026-01-01", localDateEnd="2028-01-01"), {"error": "BAD_REQUEST"}),
        (question(product, localDateStart="May", localDateEnd="June"), {"error": "BAD_REQUEST"}),
        (question(product, **days, units=[{"id": "dog", "quantity": 1}]), {"error": "BAD_REQUEST"}),
        ({**question(product), "productId": 7}, {"error": "BAD_REQUEST"}),
        ({**question(product), "productId": "\0"}, {"error": "BAD_REQUEST"}),
        ("[]", {"error": "BAD_REQUEST"}),
    ):
        assert octo.refused("POST", path, body).items() >= error.items()


def test_refusals_that_concern_the_caller_are_octos_too(platform: Platform) -> None:
    nobody = Octo(platform.anonymous())
    assert nobody.refused("GET", "/products")["error"] == "UNAUTHORIZED"
    no_calendar = Octo(platform.client("marketplace", "inventory_write"))
    assert no_calendar.refused("POST", "/availability", {})["error"] == "FORBIDDEN"
    assert platform.client().get("/octo/nothing").json()["error"] == "NOT_FOUND"
    assert platform.client().put("/octo/products").json()["error"] == "METHOD_NOT_ALLOWED"


def test_an_event_that_is_not_active_is_no_product(platform: Platform) -> None:
    gone = next(row for row in platform.get("/v3/events") if not row["active"])
    assert Octo.of(platform).refused("GET", f"/products/{gone['id']}")["productId"] == gone["id"]
