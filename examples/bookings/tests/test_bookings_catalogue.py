"""Creating, changing and deleting in the catalogue, and the method override."""

from typing import Any

from bookings_running import Platform


def new_event(platform: Platform, **changes: Any) -> dict[str, Any]:
    model = platform.get("/v3/events", limit=1)[0]
    names = (
        "vendor_id", "category_id", "name", "description", "city", "country", "latitude",
        "longitude", "price", "duration_minutes", "capacity",
    )  # fmt: skip
    return {**{name: model[name] for name in names}, **changes}


def test_an_event_lives(either: Platform) -> None:
    client = either.client()
    created = client.post("/v3/events/", json=new_event(either, name="Ödön's walk"))
    assert created.status_code == 201
    path = f"/v3/events/{created.json()['id']}"
    assert either.get(path) == created.json()
    changed = client.patch(path, json={"name": "A Walk", "active": False})
    assert (changed.status_code, changed.json()["name"]) == (200, "A Walk")
    assert either.get("/v3/events", match="a wALk", accept=created.json()["id"])
    assert not either.get("/v3/events", match="ödön", accept=created.json()["id"])
    assert client.delete(path).status_code == 204
    assert client.get(path).status_code == 404


def test_an_event_with_orders_stays(platform: Platform) -> None:
    item = platform.get("/v3/orders", limit=1)[0]["items"][0]
    assert platform.client().delete(f"/v3/events/{item['event_id']}").status_code == 409


def test_post_with_a_method_is_that_method(platform: Platform) -> None:
    client = platform.client()
    path = f"/v3/events/{client.post('/v3/events', json=new_event(platform)).json()['id']}"
    changed = client.post(f"{path}?method=PATCH", json={"price": 1})
    assert (changed.status_code, changed.json()["price"]) == (200, 1)
    assert client.post(f"{path}?method=PUT").status_code == 400
    assert client.get(f"{path}?method=DELETE").status_code == 200
    assert client.post(f"{path}/?method=DELETE").status_code == 204
    assert client.get(path).status_code == 404


def test_a_category_lives(platform: Platform) -> None:
    client = platform.client()
    body = {"id": "ab" * 16, "slug": "kite-flying", "name": "Kite flying"}
    created = client.post("/v3/categories", json=body)
    assert created.json().items() >= body.items()
    assert client.post("/v3/categories", json=body).status_code == 409
    path = f"/v3/categories/{body['id']}"
    assert client.patch(path, json={"slug": "wine-tastings"}).status_code == 409
    assert client.patch(path, json={"name": "Kites"}).json()["name"] == "Kites"
    assert client.delete(path).status_code == 204
    used = platform.get("/v3/events", limit=1)[0]["category_id"]
    assert client.delete(f"/v3/categories/{used}").status_code == 409


def test_a_vendor_lives(platform: Platform) -> None:
    client = platform.client()
    body = {"name": "New Tours", "email": "office@new.example", "city": "Gent", "country": "BE"}
    created = client.post("/v3/vendors", json=body)
    assert created.status_code == 201
    path = f"/v3/vendors/{created.json()['id']}"
    assert client.patch(path, json={"city": "Brugge"}).json()["city"] == "Brugge"
    user = client.post(f"{path}/users", json={"name": "Front desk", "email": "desk@new.example", "role": "agent"})
    changed = client.patch(f"{path}/users/{user.json()['id']}", json={"role": "manager"})
    assert platform.get(f"{path}/users") == [changed.json()]
    assert platform.get(f"{path}/users/{user.json()['id']}") == changed.json()


def test_a_date_keeps_room_for_what_is_booked(platform: Platform) -> None:
    date = next(row for row in platform.get("/v3/dates") if row["booked"] > 1)
    path = f"/v3/dates/{date['id']}"
    too_small = {"capacity": date["booked"] - 1}
    assert platform.client().patch(path, json=too_small).status_code == 409
    assert platform.client().patch(path, json={"capacity": 999}).json()["capacity"] == 999


def test_what_is_not_there_cannot_be_referred_to(platform: Platform) -> None:
    client = platform.client()
    assert client.post("/v3/events", json=new_event(platform, vendor_id="x")).status_code == 404
    assert client.post("/v3/events", json=new_event(platform, category_id="x")).status_code == 422
