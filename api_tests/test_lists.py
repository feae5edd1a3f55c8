"""What every list can: pages, orders, counts, chosen rows and properties. Each test runs once for each list."""

from collections.abc import Mapping
from typing import Any

import pytest

from api_tests.client import Api
from api_tests.conftest import Settled
from api_tests.making import UNKNOWN, Making

FLAT = ["categories", "vendors", "events", "dates", "orders", "coupons", "vouchers", "users"]
OF_VENDOR = ["events", "orders", "coupons", "vouchers", "users"]
ORDERS = {
    "categories": "-name", "vendors": "-city,name", "events": "-rating,name", "dates": "-start_date,start_time",
    "orders": "-price,code", "coupons": "-percent", "vouchers": "-value", "users": "-name",
}  # fmt: skip


def rows(api: Api, operation: str, query: Mapping[str, str], **path: Any) -> list[dict[str, Any]]:
    """A page."""
    found: list[dict[str, Any]] = api.call(operation, query=query, **path).expect(200)
    return found


@pytest.mark.parametrize("name", FLAT)
def test_pages_join_without_gap_or_overlap(api: Api, settled: Settled, name: str) -> None:
    order = ORDERS[name]
    whole = settled(name, order, 20)
    query = {"order": order, "accept": ",".join(whole), "limit": "7"}
    parts = [rows(api, f"list_{name}", {**query, "offset": str(at)}) for at in (0, 7, 14, 21)]
    assert [row["id"] for part in parts for row in part] == whole


@pytest.mark.parametrize("name", FLAT)
def test_a_page_is_in_its_order(api: Api, name: str) -> None:
    column = ORDERS[name].split(",")[0].removeprefix("-")
    values = [row[column] for row in rows(api, f"list_{name}", {"order": f"-{column}", "limit": "30"})]
    known = [value for value in values if value is not None]
    assert known == sorted(known, reverse=True)
    assert values == [*known, *[None] * (len(values) - len(known))], "nulls are lowest"


@pytest.mark.parametrize("name", FLAT)
def test_the_whole_is_counted(api: Api, name: str) -> None:
    reply = api.call(f"list_{name}", query="limit=1&with_count=true")
    assert len(reply.expect(200)) <= 1
    count = int(reply.headers["x-total_count"])
    assert count >= len(reply.body)
    assert rows(api, f"list_{name}", {"offset": str(count + 1000)}) == []


@pytest.mark.parametrize("name", FLAT)
def test_rows_are_chosen_by_their_ids(api: Api, settled: Settled, name: str) -> None:
    some = settled(name, "id", 3)
    chosen = rows(api, f"list_{name}", {"accept": ",".join([*some, UNKNOWN])})
    assert {row["id"] for row in chosen} == set(some)
    left = rows(api, f"list_{name}", {"accept": ",".join(some), "exclude": ",".join(some[:1])})
    assert {row["id"] for row in left} == set(some[1:])


@pytest.mark.parametrize("name", FLAT)
def test_rows_show_the_properties_that_are_asked_for(api: Api, name: str) -> None:
    for row in rows(api, f"list_{name}", {"limit": "3", "fields": "id,updated_at"}):
        assert list(row) == ["id", "updated_at"]


@pytest.mark.parametrize("name", FLAT)
def test_what_has_not_changed_since_is_left_out(api: Api, name: str) -> None:
    assert rows(api, f"list_{name}", {"delta_since": "2999-01-01T00:00:00Z"}) == []


@pytest.mark.parametrize("name", FLAT)
@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=ten", "offset=-1", "order=nothing", "fields=nothing", "with_count=yes", "delta_since=today"],
)
def test_a_parameter_that_is_not_right_is_400(api: Api, name: str, query: str) -> None:
    api.call(f"list_{name}", query=query).refused(400)


@pytest.mark.parametrize("name", FLAT)
def test_an_unknown_parameter_is_ignored(api: Api, settled: Settled, name: str) -> None:
    some = settled(name, "id", 2)
    found = rows(api, f"list_{name}", {"accept": ",".join(some), "nobody_knows_this": "1"})
    assert {row["id"] for row in found} == set(some)


@pytest.mark.parametrize("name", OF_VENDOR)
def test_a_list_below_a_vendor_has_that_vendors_rows(api: Api, vendor: str, name: str) -> None:
    assert {row["vendor_id"] for row in rows(api, f"list_vendor_{name}", {}, vendor_id=vendor)} <= {vendor}


def test_text_is_found_in_either_case(api: Api, making: Making, event: str) -> None:
    assert [row["id"] for row in rows(api, "list_events", {"match": making.mark.upper(), "accept": event})] == [event]
    assert rows(api, "list_events", {"match": "nobody is called this", "accept": event}) == []


def test_events_are_filtered_by_category_city_and_vendor(api: Api, event: str, vendor: str, category: str) -> None:
    where = {"category": category, "city": "Leipzig", "accept_vendors": vendor}
    assert event in [row["id"] for row in rows(api, "list_events", where)]
    assert rows(api, "list_events", {**where, "city": "Atlantis"}) == []


def test_tickets_and_payments_are_lists_too(api: Api, making: Making, vendor: str, date: str) -> None:
    order = making.new_order(date, vendor, quantity=3)["id"]
    tickets = rows(api, "list_order_tickets", {"order": "code"}, order_id=order)
    assert len(tickets) == 3
    assert (
        rows(api, "list_order_tickets", {"order": "code", "limit": "1", "offset": "1"}, order_id=order) == tickets[1:2]
    )
    assert rows(api, "list_order_payments", {}, order_id=order) == []


# Conventions of the whole API.


def test_a_trailing_slash_is_optional(api: Api, event: str) -> None:
    with_slash = api.fetch("GET", f"/v3/events/{event}/")
    assert with_slash.body == api.call("get_event", event_id=event).expect(200)


def test_head_is_get_without_a_body(api: Api, event: str) -> None:
    reply = api.fetch("HEAD", f"/v3/events/{event}")
    assert (reply.status, reply.body) == (200, None)
    assert reply.headers["content-type"].startswith("application/json")


def test_a_post_may_say_that_it_is_a_patch_or_a_delete(api: Api, event: str) -> None:
    reply = api.fetch("POST", f"/v3/events/{event}?method=DELETE")
    assert reply.status == 204
    api.call("get_event", event_id=event).refused(404)


def test_a_path_that_is_not_there_is_404(api: Api) -> None:
    api.fetch("GET", "/v3/nothing").expect(404)


def test_a_method_that_is_not_there_is_405(api: Api) -> None:
    reply = api.fetch("DELETE", "/v3/vendors")
    reply.expect(405)
    assert set(reply.headers["allow"].split(", ")) >= {"GET", "POST"}
