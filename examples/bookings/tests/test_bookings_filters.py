"""The filters of single lists, and the lists that hang below something."""

import pytest
from bookings_running import Platform


def test_events_by_category_city_and_vendors(platform: Platform) -> None:
    rows = platform.get("/v3/events")
    one, other = rows[0], next(row for row in rows if row["vendor_id"] != rows[0]["vendor_id"])
    for name, parameter in (("category_id", "category"), ("city", "city")):
        assert platform.get("/v3/events", **{parameter: one[name]}) == [row for row in rows if row[name] == one[name]]
    both = {one["vendor_id"], other["vendor_id"]}
    assert platform.get("/v3/events", accept_vendors=",".join(both)) == [
        row for row in rows if row["vendor_id"] in both
    ]


def test_dates_by_day_and_by_seats_left(either: Platform) -> None:
    rows = either.get("/v3/dates")
    found = either.get("/v3/dates", start_date="2026-03-01", end_date="2026-03-31")
    assert found == [row for row in rows if row["start_date"].startswith("2026-03")]
    for value, wanted in (("true", True), ("false", False)):
        expected = [row for row in rows if (row["booked"] < row["capacity"]) is wanted]
        assert either.get("/v3/dates", available=value) == expected
        assert expected


def test_orders_by_everything(either: Platform) -> None:
    rows = either.get("/v3/orders")
    paid = either.get("/v3/orders", status="paid")
    assert paid == [row for row in rows if row["status"] == "paid"]
    june = either.get("/v3/orders", start_date="2025-06-01", end_date="2025-06-30")
    assert june == [row for row in rows if row["created_at"].startswith("2025-06")]
    codes = f"{rows[5]['code']},{rows[2]['code']},BK-NONE"
    assert either.get("/v3/orders", accept_code=codes) == [rows[2], rows[5]]
    travel = {"start_event_date": "2026-05-01", "end_event_date": "2026-05-31"}
    found = either.get("/v3/orders", **travel)
    assert found == [row for row in rows if any(item["start_date"][:7] == "2026-05" for item in row["items"])]
    page = either.get("/v3/orders", **travel, order="-price", limit=3, offset=2)
    assert page == sorted(found, key=lambda row: -row["price"])[2:5]
    assert either.get("/v3/orders", match=rows[3]["code"].lower()) == [rows[3]]


def test_lists_below_a_vendor_an_event_and_an_order(platform: Platform) -> None:
    vendor = platform.get("/v3/events")[0]["vendor_id"]
    for what in ("events", "orders", "coupons", "vouchers", "users"):
        everything = platform.get(f"/v3/{what}")
        mine = platform.get(f"/v3/vendors/{vendor}/{what}")
        assert mine == [row for row in everything if row["vendor_id"] == vendor]
        assert platform.get(f"/v3/{what}", accept_vendors=vendor) == mine
    order = platform.get("/v3/orders", status="paid")[0]
    tickets = platform.get(f"/v3/orders/{order['id']}/tickets", order="code")
    assert len(tickets) == sum(item["quantity"] for item in order["items"])
    payments = platform.get(f"/v3/orders/{order['id']}/payments")
    assert sum(row["amount"] for row in payments) == order["paid"] == order["price"]
    date = platform.get("/v3/dates")[0]
    assert date in platform.get(f"/v3/events/{date['event_id']}/dates", match="")


@pytest.mark.parametrize(
    "path",
    [
        "/v3/vendors/x/events", "/v3/vendors/x/orders", "/v3/vendors/x/users", "/v3/events/x/dates",
        "/v3/orders/x/tickets", "/v3/orders/x/payments", "/v3/events/x", "/v3/dates/x",
        "/v3/orders/x", "/v3/vendors/x", "/v3/categories/x", "/v3/vendors/x/coupons/y",
    ],
)  # fmt: skip
def test_an_unknown_id_is_not_found(platform: Platform, path: str) -> None:
    reply = platform.client().get(path)
    assert reply.status_code == 404
    assert reply.json()["error_code"] == 40400


@pytest.mark.parametrize(
    "path",
    [
        "/v3/dates?available=yes", "/v3/dates?start_date=2026-02-30", "/v3/dates?end_date=20260101",
        "/v3/orders?status=lost", "/v3/orders?start_date=x", "/v3/orders?end_event_date=2026-1-1",
        "/v3/reports/sales", "/v3/reports/sales?group_by=day",
    ],
)  # fmt: skip
def test_a_bad_filter_is_refused(platform: Platform, path: str) -> None:
    assert platform.client().get(path).status_code == 400


@pytest.mark.parametrize("by", ["month", "category", "city"])
def test_the_sales_report_adds_up(either: Platform, by: str) -> None:
    rows = either.get("/v3/reports/sales", group_by=by)
    sold = [row for row in either.get("/v3/orders") if row["status"] != "cancelled"]
    assert sum(row["revenue"] for row in rows) == sum(row["price"] for row in sold)
    items = [item for row in sold for item in row["items"]]
    assert sum(row["tickets"] for row in rows) == sum(item["quantity"] for item in items)
    assert [row["key"] for row in rows] == sorted(row["key"] for row in rows)
    for row in rows:
        assert row["average"] == round(row["revenue"] / row["orders"], 2)
        assert isinstance(row["average"], float)
    if by == "month":
        assert sum(row["orders"] for row in rows) == len(sold)
