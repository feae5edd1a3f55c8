"""Categories, vendors, events and dates: created, read, changed, deleted; and which of it conflicts."""

from typing import Any

import pytest

from api_tests.client import Api
from api_tests.making import DAY, PRICE, SEATS, TIME, UNKNOWN, Making


def test_the_platform_is_healthy(nobody: Api) -> None:
    assert nobody.call("get_health").expect(200) == {"status": "ok"}


# Categories.


def test_a_category_is_created_read_changed_and_deleted(api: Api, making: Making) -> None:
    body = making.category()
    made = api.call("create_category", body=body).expect(201)
    assert (made["slug"], made["name"]) == (body["slug"], body["name"])
    assert api.call("get_category", category_id=made["id"]).expect(200) == made
    name = making.name("other")
    changed = api.call("change_category", category_id=made["id"], body={"name": name}).expect(200)
    assert (changed["name"], changed["slug"]) == (name, body["slug"])
    api.call("delete_category", category_id=made["id"]).expect(204)
    api.call("get_category", category_id=made["id"]).refused(404)


def test_a_client_may_choose_the_id_of_a_category_once(api: Api, making: Making) -> None:
    made = api.call("create_category", body=making.category()).expect(201)
    api.call("create_category", body={**making.category(), "id": made["id"]}).refused(409)
    api.call("create_category", body={**making.category(), "slug": made["slug"]}).refused(409)


def test_a_category_cannot_take_the_slug_of_another(api: Api, making: Making) -> None:
    one = api.call("create_category", body=making.category()).expect(201)
    other = api.call("create_category", body=making.category()).expect(201)
    api.call("change_category", category_id=one["id"], body={"slug": other["slug"]}).refused(409)


def test_a_category_with_events_is_not_deleted(api: Api, making: Making, vendor: str) -> None:
    made = api.call("create_category", body=making.category()).expect(201)["id"]
    making.new_event(vendor, made)
    api.call("delete_category", category_id=made).refused(409)


def test_only_a_marketplace_changes_categories_and_creates_vendors(api: Api, vendor_api: Api, making: Making) -> None:
    category = api.call("create_category", body=making.category()).expect(201)["id"]
    vendor_api.call("create_category", body=making.category()).refused(403)
    vendor_api.call("change_category", category_id=category, body={"name": "mine"}).refused(403)
    vendor_api.call("delete_category", category_id=category).refused(403)
    vendor_api.call("create_vendor", body=making.vendor()).refused(403)


# Vendors.


def test_a_vendor_is_read_and_changed(api: Api, vendor: str) -> None:
    changed = api.call("change_vendor", vendor_id=vendor, body={"city": "Dresden"}).expect(200)
    assert changed["city"] == "Dresden"
    assert api.call("get_vendor", vendor_id=vendor).expect(200) == changed


def test_the_id_of_a_vendor_is_taken_once(api: Api, making: Making, vendor: str) -> None:
    api.call("create_vendor", body={**making.vendor(), "id": vendor}).refused(409)


@pytest.mark.parametrize(
    "wrong",
    [{"country": "Germany"}, {"email": "nobody"}, {"name": ""}, {"name": "\t"}, {"city": 7}],
    ids=["country", "email", "empty name", "control character", "number"],
)
def test_a_vendor_has_a_country_an_address_and_a_name(api: Api, making: Making, wrong: dict[str, Any]) -> None:
    api.call("create_vendor", body={**making.vendor(), **wrong}).refused(422)


def test_a_client_of_a_vendor_sees_no_other_vendor(vendor_api: Api, own_vendor: str, vendor: str, event: str) -> None:
    assert [each["id"] for each in vendor_api.call("list_vendors").expect(200)] == [own_vendor]
    vendor_api.call("get_vendor", vendor_id=vendor).refused(404)
    vendor_api.call("get_event", event_id=event).refused(404)
    vendor_api.call("list_vendor_events", vendor_id=vendor).refused(404)
    assert {each["vendor_id"] for each in vendor_api.call("list_events", query="limit=50").expect(200)} <= {own_vendor}


# Events.


def test_an_event_is_created_read_changed_and_deleted(api: Api, making: Making, vendor: str, category: str) -> None:
    body = making.event(vendor, category)
    made = api.call("create_event", body=body).expect(201)
    assert {name: made[name] for name in body} == body
    assert (made["active"], made["reviews"], made["rating"], made["currency"]) == (True, 0, None, "EUR")
    assert api.call("get_event", event_id=made["id"]).expect(200) == made
    changed = api.call("change_event", event_id=made["id"], body={"price": 1, "active": False}).expect(200)
    assert (changed["price"], changed["active"], changed["name"]) == (1, False, body["name"])
    api.call("delete_event", event_id=made["id"]).expect(204)
    api.call("get_event", event_id=made["id"]).refused(404)


def test_an_event_is_of_a_category_that_exists(api: Api, making: Making, vendor: str, event: str) -> None:
    api.call("create_event", body=making.event(vendor, UNKNOWN)).refused(422)
    api.call("change_event", event_id=event, body={"category_id": UNKNOWN}).refused(422)


@pytest.mark.parametrize(
    "wrong",
    [{"latitude": 91}, {"capacity": 0}, {"price": -1}, {"price": "25"}, {"duration_minutes": 1.5}],
    ids=["latitude", "no seats", "negative price", "text for a number", "fraction"],
)
def test_what_an_event_cannot_be_is_422(
    api: Api, making: Making, vendor: str, category: str, wrong: dict[str, Any]
) -> None:
    api.call("create_event", body={**making.event(vendor, category), **wrong}).refused(422)


def test_a_change_changes_something(api: Api, event: str) -> None:
    api.call("change_event", event_id=event, body={}).refused(422)
    api.call("change_event", event_id=event, body={"name": None}).refused(422)


def test_an_event_with_orders_is_not_deleted(api: Api, making: Making, vendor: str, event: str, date: str) -> None:
    making.new_order(date, vendor)
    api.call("delete_event", event_id=event).refused(409)


def test_the_events_of_a_vendor_are_listed_below_it(api: Api, vendor: str, event: str) -> None:
    assert event in [each["id"] for each in api.call("list_vendor_events", vendor_id=vendor).expect(200)]


# Dates.


def test_a_date_is_created_read_and_changed(api: Api, vendor: str, event: str) -> None:
    made = api.call("create_date", event_id=event, body={"start_date": DAY, "start_time": TIME}).expect(201)
    assert (made["event_id"], made["vendor_id"], made["booked"]) == (event, vendor, 0)
    assert (made["capacity"], made["price"]) == (SEATS, PRICE), "the event's own, unless they are given"
    assert api.call("get_date", date_id=made["id"]).expect(200) == made
    changed = api.call("change_date", date_id=made["id"], body={"capacity": 3, "price": 7}).expect(200)
    assert (changed["capacity"], changed["price"]) == (3, 7)
    assert api.call("list_event_dates", event_id=event).expect(200) == [changed]


def test_a_date_keeps_the_seats_that_are_booked(api: Api, making: Making, vendor: str, date: str) -> None:
    making.new_order(date, vendor, quantity=2)
    assert api.call("get_date", date_id=date).expect(200)["booked"] == 2
    api.call("change_date", date_id=date, body={"capacity": 1}).refused(409)
    api.call("change_date", date_id=date, body={"capacity": 2}).expect(200)


@pytest.mark.parametrize(
    "wrong", [{"start_date": "2031-02-30"}, {"start_time": "24:00"}, {"start_date": 20310501}],
    ids=["no such day", "no such time", "number"],
)  # fmt: skip
def test_a_date_has_a_day_and_a_time(api: Api, event: str, wrong: dict[str, Any]) -> None:
    api.call("create_date", event_id=event, body={"start_date": DAY, "start_time": TIME, **wrong}).refused(422)


def test_dates_are_filtered_by_day_and_by_seats(api: Api, making: Making, vendor: str, event: str) -> None:
    early, late = making.new_date(event, start_date="2031-01-01", capacity=1), making.new_date(event)
    making.new_order(early, vendor)

    def listed(query: str) -> list[str]:
        return [each["id"] for each in api.call("list_event_dates", event_id=event, query=query).expect(200)]

    assert listed("start_date=2031-04-30") == [late]
    assert listed("end_date=2031-01-01") == [early]
    assert listed("available=true") == [late]
    assert listed("available=false") == [early]
    api.call("list_event_dates", event_id=event, query="start_date=tomorrow").refused(400)


# Availability.


def test_availability_is_answered_in_the_order_of_the_question(api: Api, making: Making, event: str) -> None:
    few, many = making.new_date(event, capacity=1), making.new_date(event)
    items = [{"date_id": many, "quantity": 2}, {"date_id": few, "quantity": 2}, {"date_id": many, "quantity": 20}]
    found = api.call("check_availability", body={"items": items}).expect(200)["items"]
    assert [(each["date_id"], each["quantity"]) for each in found] == [
        (each["date_id"], each["quantity"]) for each in items
    ]
    assert [each["available"] for each in found] == [True, False, True]
    assert [each["remaining"] for each in found] == [SEATS, 1, SEATS]


def test_availability_of_several_vendors_is_one_answer(api: Api, making: Making, category: str, date: str) -> None:
    others = [making.new_date(making.new_event(making.new_vendor(), category)) for _ in range(3)]
    wanted = [date, *others]
    body = {"items": [{"date_id": each, "quantity": 1} for each in wanted]}
    found = api.call("check_availability", body=body).expect(200)["items"]
    assert [each["date_id"] for each in found] == wanted


def test_the_availability_of_an_unknown_date_is_404(api: Api, date: str) -> None:
    items = [{"date_id": date, "quantity": 1}, {"date_id": UNKNOWN, "quantity": 1}]
    api.call("check_availability", body={"items": items}).refused(404)


def test_an_event_that_is_not_active_is_not_available(api: Api, event: str, date: str) -> None:
    api.call("change_event", event_id=event, body={"active": False}).expect(200)
    body = {"items": [{"date_id": date, "quantity": 1}]}
    assert not api.call("check_availability", body=body).expect(200)["items"][0]["available"]
