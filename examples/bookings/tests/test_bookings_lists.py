"""Every list parameter of every list, against a list made of the whole in plain Python."""

from typing import Any

import pytest
from bookings_running import Platform

from bookings.resources import ALL, Resource

FLAT = {
    "category": "/v3/categories",
    "vendor": "/v3/vendors",
    "event": "/v3/events",
    "date": "/v3/dates",
    "order": "/v3/orders",
    "coupon": "/v3/coupons",
    "voucher": "/v3/vouchers",
    "user": "/v3/users",
}
RESOURCES = {resource.name: resource for resource in ALL}


def ids(rows: list[dict[str, Any]]) -> list[str]:
    return [row["id"] for row in rows]


def in_order(rows: list[dict[str, Any]], key: str, *, descending: bool) -> list[dict[str, Any]]:
    """Sorted as promised: the sort is stable, so equal rows stay in the order of their ids."""
    by_id = sorted(rows, key=lambda row: row["id"])
    return sorted(by_id, key=lambda row: (row[key] is not None, row[key]), reverse=descending)


@pytest.mark.parametrize("name", FLAT)
def test_order_is_total_binary_and_nulls_are_lowest(either: Platform, name: str) -> None:
    rows = either.get(FLAT[name])
    for key in RESOURCES[name].sortable:
        got = either.get(FLAT[name], order=key, fields="id")
        assert ids(got) == ids(in_order(rows, key, descending=False)), key
        got = either.get(FLAT[name], order=f"-{key}", fields="id")
        assert ids(got) == ids(in_order(rows, key, descending=True)), key


def test_several_keys_each_in_its_direction(either: Platform) -> None:
    rows = either.get("/v3/events", order="-city,rating")
    expected = in_order(either.get("/v3/events"), "rating", descending=False)
    assert rows == sorted(expected, key=lambda row: row["city"], reverse=True)


def test_the_default_order_is_id(platform: Platform) -> None:
    for path in FLAT.values():
        found = ids(platform.get(path))
        assert found == sorted(found)


def test_limit_and_offset_cut_a_page(platform: Platform) -> None:
    rows = platform.get("/v3/events", order="name")
    assert platform.get("/v3/events", order="name", limit=20, offset=100) == rows[100:120]
    assert platform.get("/v3/events", order="name", offset=len(rows) - 3) == rows[-3:]
    assert platform.get("/v3/events", offset=10**30) == []
    assert len(platform.get("/v3/events", limit=10**30)) == len(rows)


def test_the_count_is_of_the_whole_and_only_on_demand(platform: Platform) -> None:
    client = platform.client()
    city = platform.get("/v3/events")[0]["city"]
    query = {"city": city, "limit": 1, "offset": 1}
    counted = client.get("/v3/events", params={**query, "with_count": "true"})
    assert int(counted.headers["X-Total_Count"]) == len(platform.get("/v3/events", city=city))
    assert "X-Total_Count" not in client.get("/v3/events", params=query).headers
    assert "X-Total_Count" not in client.get("/v3/events?with_count=false").headers


def test_fields_keep_the_order_of_the_resource(either: Platform) -> None:
    rows = either.get("/v3/events", fields="city,name,id", limit=2)
    assert [list(row) for row in rows] == [["id", "name", "city"]] * 2
    orders = either.get("/v3/orders", fields="items,customer", limit=2)
    assert [list(row) for row in orders] == [["customer", "items"]] * 2


def test_accept_and_exclude(platform: Platform) -> None:
    everything = ids(platform.get("/v3/vendors"))
    first, second, third = everything[:3]
    some = ",".join([third, "no-such-id", first, first])
    assert ids(platform.get("/v3/vendors", accept=some)) == [first, third]
    assert ids(platform.get("/v3/vendors", exclude=some)) == [second, *everything[3:]]
    assert platform.get("/v3/vendors", accept=first, exclude=first) == []
    assert platform.get("/v3/vendors", accept="") == []
    assert ids(platform.get("/v3/vendors", exclude="")) == everything


def test_match_finds_text_in_either_case_and_any_alphabet(either: Platform) -> None:
    rows = either.get("/v3/events")
    special = next(row for row in rows if not row["name"].isascii())
    for text in (special["name"].upper(), special["name"].lower()):
        assert special in either.get("/v3/events", match=text)
    for text in ("WALK", "%", "_", "/", ""):
        expected = [
            row
            for row in rows
            if any(text.casefold() in row[name].casefold() for name in ("name", "city", "description"))
        ]
        assert either.get("/v3/events", match=text) == expected


def test_delta_since(platform: Platform) -> None:
    rows = platform.get("/v3/orders")
    since = sorted(row["updated_at"] for row in rows)[len(rows) // 2]
    assert platform.get("/v3/orders", delta_since=since) == [row for row in rows if row["updated_at"] >= since]


def test_of_a_repeated_parameter_the_last_counts_and_unknown_ones_do_not(platform: Platform) -> None:
    reply = platform.client().get("/v3/events?limit=x&limit=2&colour=red")
    assert len(reply.json()) == 2


@pytest.mark.parametrize(
    "query",
    [
        "limit=0", "limit=-1", "limit=1.0", "limit=", "limit=+1", "limit=1_0", "limit=%D9%A1",
        "offset=-1", "offset=a", "with_count=1", "with_count=True", "with_count=",
        "order=", "order=name,", "order=nope", "order=name,-name", "order=description",
        "order=--name", "order= name", "fields=", "fields=id,nope", "fields=id,,name",
        "delta_since=2025-01-01", "delta_since=2025-13-01T00:00:00Z",
        "delta_since=2025-1-1T00:00:00Z", "delta_since=2025-01-01T00:00:00%2B00:00",
        "match=%00", f"match={'x' * 201}", f"accept={','.join(map(str, range(10_001)))}",
    ],
)  # fmt: skip
def test_a_bad_list_parameter_is_refused(either: Platform, query: str) -> None:
    reply = either.client().get(f"/v3/events?{query}")
    assert reply.status_code == 400
    assert reply.json()["error_code"] == 40000


@pytest.mark.parametrize("resource", ALL, ids=lambda resource: resource.name)
def test_every_property_is_either_sorted_by_or_not(platform: Platform, resource: Resource) -> None:
    unsorted = {name for name in resource.by_name if name not in resource.sortable}
    assert unsorted <= {"description", "customer", "items"}
