"""What is done to the catalogue: vendors, categories, events, dates, coupons, vouchers, users."""

from typing import Any

from proof.writes.history import NOWHERE, Date, Event, History, Vendor

_TOWNS = (("Porto", "PT"), ("Graz", "AT"), ("Århus", "DK"), ("Łódź", "PL"))


def create_vendor(h: History) -> None:
    """A new tenant: the gateway places it. Now and then with an id that is its client's, or is taken."""
    city, country = h.one(_TOWNS)
    body: dict[str, Any] = {"name": h.name("Vendor"), "email": "v@example.com", "city": city, "country": country}
    if h.maybe(0.4):
        taken = [vendor.id for vendor in h.vendors]
        body["id"] = h.one(taken) if h.maybe(0.15) else h.hex()
    answer = h.send("POST", "/v3/vendors", h.spoiled(body))
    if answer.status_code == 201:
        h.vendors.append(Vendor(answer.json()["id"]))


def change_vendor(h: History) -> None:
    """A new name, or none."""
    body = h.spoiled({"name": h.name("Vendor"), "active": h.maybe(0.5)})
    h.send("PATCH", f"/v3/vendors/{_vendor_id(h)}", body)


def create_category(h: History) -> None:
    """Reference data: the same on every shard, its id too."""
    body: dict[str, Any] = {"slug": h.slug("c"), "name": h.name("Category")}
    if h.maybe(0.4):
        body["id"] = h.one(h.categories) if h.categories and h.maybe(0.2) else h.hex()
    answer = h.send("POST", "/v3/categories", h.spoiled(body))
    if answer.status_code == 201:
        h.categories.append(answer.json()["id"])


def change_category(h: History) -> None:
    """On every shard."""
    body = {"name": h.name("Category"), **({"slug": h.slug("c")} if h.maybe(0.3) else {})}
    h.send("PATCH", f"/v3/categories/{_category(h)}", h.spoiled(body))


def delete_category(h: History) -> None:
    """Refused where an event of any shard is of it."""
    category = _category(h)
    if h.send("DELETE", f"/v3/categories/{category}").status_code == 204:
        h.categories.remove(category)


def create_event(h: History) -> None:
    """With the vendor that owns it."""
    vendor = h.one(h.vendors)
    city, country = h.one(_TOWNS)
    body = {
        "vendor_id": NOWHERE if h.maybe(0.05) else vendor.id,
        "category_id": _category(h),
        "name": h.name("Event"),
        "description": 'Ünïcode, "quotes" and a \\ line',
        "city": city,
        "country": country,
        "latitude": h.random.randrange(-900, 900) / 10,
        "longitude": h.random.random() * 180,
        "price": h.one([0, 999, 2500]),
        "duration_minutes": 90,
        "capacity": h.one([1, 3, 12]),
    }
    answer = h.send("POST", "/v3/events", h.spoiled(body))
    if answer.status_code == 201:
        h.events.append(Event(answer.json()["id"], vendor))


def change_event(h: History) -> None:
    """A price, a city, or its end."""
    body: dict[str, Any] = h.one(
        [{"price": h.random.randrange(5000)}, {"city": "Graz", "country": "AT"}, {"active": h.maybe(0.8)}]
    )
    h.send("PATCH", f"/v3/events/{_event_id(h)}", h.spoiled(body))


def delete_event(h: History) -> None:
    """With its dates, unless there are orders."""
    event = h.one(h.events) if h.events else None
    if event is None or h.send("DELETE", f"/v3/events/{event.id}").status_code != 204:
        return
    h.events.remove(event)
    h.dates = [date for date in h.dates if date.event is not event]


def create_date(h: History) -> None:
    """A day on which an event takes place."""
    event = h.one(h.events) if h.events else None
    body: dict[str, Any] = {"start_date": h.day(), "start_time": "10:30"}
    if h.maybe(0.5):
        body["capacity"] = h.one([1, 2, 5, 40])
    if h.maybe(0.3):
        body["price"] = h.one([0, 1250])
    path = f"/v3/events/{event.id if event and not h.maybe(0.04) else NOWHERE}/dates"
    answer = h.send("POST", path, h.spoiled(body))
    if event is not None and answer.status_code == 201:
        made = answer.json()
        h.dates.append(Date(made["id"], event, made["capacity"], made["price"]))


def change_date(h: History) -> None:
    """Fewer seats than are sold are refused."""
    body = h.one([{"capacity": h.random.randint(1, 9)}, {"price": h.one([0, 700])}])
    h.send("PATCH", f"/v3/dates/{h.one(h.dates).id if h.dates else NOWHERE}", h.spoiled(body))


def create_coupon(h: History) -> None:
    """A vendor's discount; the same code twice is refused."""
    vendor, code = h.one(h.vendors), h.slug("C")
    if h.coupons and h.maybe(0.2):
        vendor, _, code = h.one(h.coupons)
    body = {"code": code, "percent": h.one([5, 33, 100])}
    answer = h.send("POST", f"/v3/vendors/{vendor.id}/coupons", h.spoiled(body))
    if answer.status_code == 201:
        h.coupons.append((vendor, answer.json()["id"], code))


def change_coupon(h: History) -> None:
    """Another percentage, or its end."""
    if h.coupons:
        vendor, coupon, _ = h.one(h.coupons)
        h.send("PATCH", f"/v3/vendors/{vendor.id}/coupons/{coupon}", h.spoiled({"percent": 10, "active": h.maybe(0.7)}))


def create_voucher(h: History) -> None:
    """Money paid ahead."""
    vendor, code = h.one(h.vendors), h.slug("V")
    body = {"code": code, "value": h.one([500, 5000]), "expires_on": "2031-12-31"}
    answer = h.send("POST", f"/v3/vendors/{vendor.id}/vouchers", h.spoiled(body))
    if answer.status_code == 201:
        h.vouchers.append((vendor, answer.json()["id"], code))


def change_voucher(h: History) -> None:
    """Another balance."""
    if h.vouchers:
        vendor, voucher, _ = h.one(h.vouchers)
        body = {"balance": h.random.randrange(9000), "expires_on": None}
        h.send("PATCH", f"/v3/vendors/{vendor.id}/vouchers/{voucher}", h.spoiled(body))


def create_user(h: History) -> None:
    """Somebody who works for a vendor."""
    vendor = h.one(h.vendors)
    body = {"name": h.name("User"), "email": f"{h.slug('u')}@example.com", "role": "guide"}
    answer = h.send("POST", f"/v3/vendors/{vendor.id}/users", h.spoiled(body))
    if answer.status_code == 201:
        h.users.append((vendor, answer.json()["id"]))


def change_user(h: History) -> None:
    """Another role; now and then asked of the wrong vendor."""
    if h.users:
        vendor, user = h.one(h.users)
        asked = h.one(h.vendors) if h.maybe(0.1) else vendor
        h.send("PATCH", f"/v3/vendors/{asked.id}/users/{user}", h.spoiled({"role": "agent"}))


def _vendor_id(h: History) -> str:
    return NOWHERE if h.maybe(0.05) else h.one(h.vendors).id


def _event_id(h: History) -> str:
    return h.one(h.events).id if h.events and not h.maybe(0.05) else NOWHERE


def _category(h: History) -> str:
    return h.one(h.categories) if h.categories and not h.maybe(0.04) else NOWHERE


STEPS = {
    create_vendor: 3,
    change_vendor: 2,
    create_category: 1,
    change_category: 1,
    delete_category: 1,
    create_event: 5,
    change_event: 3,
    delete_event: 1,
    create_date: 8,
    change_date: 3,
    create_coupon: 3,
    change_coupon: 1,
    create_voucher: 3,
    change_voucher: 1,
    create_user: 2,
    change_user: 1,
}


def beginnings(h: History) -> None:
    """What a history needs before anything can be sold."""
    while len(h.vendors) < 2:
        create_vendor(h)
    for step in (create_category, create_event, create_event, create_date, create_date, create_date):
        step(h)
    if h.maybe(0.5):
        create_vendor(h)
        create_event(h)
        create_date(h)
