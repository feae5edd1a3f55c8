"""OCTO, an API of another shape, through a gateway over three shards: rules alone make it equal the monolith."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
import pytest
from jsonschema import Draft202012Validator, FormatChecker

from bookings.octo import standard
from proof.compare import difference
from proof.data import prepare
from proof.fleet import Fleet, token

pytestmark = pytest.mark.cluster

# What an instance makes up by itself; whether it is there must be the same.
MADE_UP = {"id", "supplierReference", "deliveryValue", "utcCreatedAt", "utcUpdatedAt", "utcExpiresAt", "utcConfirmedAt"}
MADE_UP |= {"utcCancelledAt"}


class Both:
    """The monolith and the gateway, asked the same."""

    def __init__(self, fleet: Fleet, monolith: httpx.Client, gateway: httpx.Client) -> None:
        self.fleet = fleet
        self.monolith = monolith
        self.gateway = gateway

    def same(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """One answer, byte for byte."""
        expected, answer = (each.request(method, path, json=body) for each in (self.monolith, self.gateway))
        assert difference(expected, answer) is None, (path, body)
        is_standard(path, answer)
        return answer

    def alike(self, method: str, path: str, body: Any = None) -> Any:
        """One answer, but for what each makes up."""
        expected, answer = (each.request(method, path, json=body) for each in (self.monolith, self.gateway))
        assert answer.status_code == expected.status_code, (path, answer.text, expected.text)
        assert _known(answer.json()) == _known(expected.json()), path
        is_standard(path, answer)
        return answer.json()

    def holders(self, path: str) -> list[str]:
        """The shards that answer a path by themselves."""
        headers = {"Authorization": self.gateway.headers["Authorization"]}
        found = {name: httpx.get(shard.url + path, headers=headers) for name, shard in self.fleet.shards.items()}
        return [name for name, answer in found.items() if answer.status_code == 200]


_KINDS = {"products": "Product", "bookings": "Booking", "availability": "Availability", "supplier": "Supplier"}
_KINDS |= {"capabilities": "Capability"}
_SCHEMAS = standard.schemas()


def is_standard(path: str, answer: httpx.Response) -> None:
    """What the gateway answers is what the standard's own document says."""
    kind = path.partition("?")[0].split("/")[2]
    kind = "AvailabilityCalendar" if path.endswith("calendar") else _KINDS[kind]
    body = answer.json()
    if answer.status_code == 400:
        words = body["error"].split("_")
        kind = "Error" + "".join(word.upper() if word in {"ID", "UUID"} else word.capitalize() for word in words)
    schema = {"$ref": f"#/components/schemas/{standard.PREFIX}{kind}", "components": {"schemas": _SCHEMAS}}
    for each in body if isinstance(body, list) else [body]:
        Draft202012Validator(schema, format_checker=FormatChecker()).validate(each)


def _known(value: Any, name: str = "") -> Any:
    if name in MADE_UP and value is not None:
        return "made up"
    if isinstance(value, dict):
        return {key: _known(each, key) for key, each in value.items()}
    return [_known(each) for each in value] if isinstance(value, list) else value


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    folder = tmp_path_factory.mktemp("octo")
    with (
        Fleet(prepare(0.01, 3).copy(folder), folder, workers=2) as fleet,
        fleet.client(fleet.monolith) as monolith,
        fleet.client(fleet.gateway) as gateway,
    ):
        yield Both(fleet, monolith, gateway)


@pytest.fixture(scope="module")
def slots(both: Both) -> list[tuple[str, str]]:
    """A product and a free date of it on each shard."""
    found: dict[str, tuple[str, str]] = {}
    active = {row["id"] for row in both.monolith.get("/octo/products").json()}
    for date in both.monolith.get("/v3/dates?available=true").json():
        if date["event_id"] in active and date["capacity"] - date["booked"] > 4:
            [shard] = both.holders(f"/octo/products/{date['event_id']}")
            found.setdefault(shard, (date["event_id"], date["id"]))
        if len(found) == 3:
            break
    assert len(found) == 3
    return list(found.values())


def reservation(slot: tuple[str, str], *units: str, **more: Any) -> dict[str, Any]:
    items = [{"uuid": str(uuid4()), "unitId": unit} for unit in units or ("adult",)]
    return {
        "uuid": str(uuid4()), "productId": slot[0], "optionId": "DEFAULT", "availabilityId": slot[1],
        "unitItems": items, **more,
    }  # fmt: skip


def test_bookings_of_all_shards_are_one_list(both: Both) -> None:
    # The first test: the others make bookings, and each instance gives them ids of its own.
    days = "localDateStart=2026-01-01&localDateEnd=2026-12-31"
    found = both.same("GET", f"/octo/bookings?{days}").json()
    assert len(found) > 20
    assert {len(both.holders(f"/octo/bookings/{each['uuid']}")) for each in found[:5]} == {1}
    for each in found[:5]:
        both.same("GET", f"/octo/bookings/{each['uuid']}")


def test_what_is_sold_is_the_same(both: Both, slots: list[tuple[str, str]]) -> None:
    for path in ("/supplier", "/capabilities/", "/products/", "/products?limit=2&order=-id"):
        both.same("GET", f"/octo{path}")
    for product, date in slots:
        both.same("GET", f"/octo/products/{product}")
        question = {"productId": product, "optionId": "DEFAULT"}
        year = {"localDateStart": "2026-01-01", "localDateEnd": "2026-12-31"}
        assert both.same("POST", "/octo/availability/", {**question, **year}).json()
        assert both.same("POST", "/octo/availability", {**question, "availabilityIds": [date]}).json()
        assert len(both.same("POST", "/octo/availability/calendar", {**question, **year}).json()) == 365


def test_many_refusals_become_one_in_the_applications_words(both: Both, slots: list[tuple[str, str]]) -> None:
    good = reservation(slots[0])
    uuid = f"/octo/bookings/{uuid4()}"
    for method, path, body, error in (
        ("GET", "/octo/products/nothing", None, "INVALID_PRODUCT_ID"),
        ("POST", "/octo/availability", {**good, "productId": "nothing"}, "INVALID_PRODUCT_ID"),
        ("POST", "/octo/availability", {}, "INVALID_PRODUCT_ID"),
        ("POST", "/octo/availability/calendar", good, "BAD_REQUEST"),
        ("POST", "/octo/bookings", {**good, "productId": "nothing"}, "INVALID_PRODUCT_ID"),
        ("POST", "/octo/bookings", {**good, "productId": slots[1][0]}, "INVALID_AVAILABILITY_ID"),
        ("POST", "/octo/bookings", {**good, "unitItems": []}, "UNPROCESSABLE_ENTITY"),
        ("POST", "/octo/bookings", {**good, "unitItems": [{"unitId": "dog"}]}, "INVALID_UNIT_ID"),
        ("GET", uuid, None, "INVALID_BOOKING_UUID"),
        ("PATCH", uuid, {}, "INVALID_BOOKING_UUID"),
        ("POST", f"{uuid}?method=PATCH", {}, "INVALID_BOOKING_UUID"),
        ("POST", f"{uuid}/confirm", {"contact": {}}, "INVALID_BOOKING_UUID"),
        ("POST", f"{uuid}/extend", {}, "INVALID_BOOKING_UUID"),
        ("POST", f"{uuid}/cancel", {}, "INVALID_BOOKING_UUID"),
        ("GET", "/octo/bookings", None, "BAD_REQUEST"),
    ):
        refused = both.same(method, path, body)
        assert (refused.status_code, refused.json()["error"]) == (400, error)


def test_who_has_no_token_hears_so_once(both: Both) -> None:
    for path in ("/octo/products", "/octo/products/x", "/octo/bookings/x", "/octo/bookings"):
        answers = [httpx.get(server.url + path) for server in (both.fleet.monolith, both.fleet.gateway)]
        assert difference(*answers) is None
        assert answers[1].json()["error"] == "UNAUTHORIZED"


@pytest.mark.parametrize("shard", [0, 1, 2])
def test_a_booking_lives_as_it_does_in_the_monolith(both: Both, slots: list[tuple[str, str]], shard: int) -> None:
    reference = f"mine-{shard}"
    body = reservation(slots[shard], "adult", "child", resellerReference=reference, notes="late")
    path = f"/octo/bookings/{body['uuid']}"
    held = both.alike("POST", "/octo/bookings/", body)
    assert held["status"] == "ON_HOLD"
    assert both.alike("POST", "/octo/bookings", body)["id"] == held["id"]  # a retry
    both.alike("GET", path)
    both.alike("POST", f"{path}/extend", {"expirationMinutes": 60})
    both.alike("PATCH", path, {"notes": "later"})
    both.alike("POST", f"{path}?method=PATCH", {"notes": "latest"})
    sold = both.alike("POST", f"{path}/confirm", {"contact": {"fullName": "Guest"}})
    assert (sold["status"], sold["notes"], len(sold["unitItems"])) == ("CONFIRMED", "latest", 2)
    assert len(both.alike("GET", f"/octo/bookings?resellerReference={reference}")) == 1
    both.alike("POST", "/octo/availability", {**body, "availabilityIds": [slots[shard][1]]})
    assert both.alike("POST", f"{path}/cancel", {"reason": "rain"})["status"] == "CANCELLED"
    assert both.alike("POST", f"{path}/cancel", {})["error"] == "UNPROCESSABLE_ENTITY"
    assert len(both.holders(path)) == 1


def test_one_uuid_is_one_booking_whatever_product_a_second_request_names(
    both: Both, slots: list[tuple[str, str]]
) -> None:
    body = reservation(slots[0])
    held = both.alike("POST", "/octo/bookings", body)
    for slot in slots[1:]:
        for _ in range(4):  # by each worker
            other = {**body, "productId": slot[0], "availabilityId": slot[1]}
            with httpx.Client(base_url=both.fleet.gateway.url, headers=both.gateway.headers) as fresh:
                refused = fresh.post("/octo/bookings", json=other)
            assert difference(both.monolith.post("/octo/bookings", json=other), refused) is None
            assert refused.json()["error"] == "INVALID_BOOKING_UUID"
    assert len(both.holders(f"/octo/bookings/{body['uuid']}")) == 1
    assert both.alike("POST", "/octo/bookings", body)["id"] == held["id"]


def test_a_uuid_whose_booking_was_refused_is_free_for_another_product(both: Both, slots: list[tuple[str, str]]) -> None:
    body = reservation(slots[0], "dog")
    assert both.same("POST", "/octo/bookings", body).json()["error"] == "INVALID_UNIT_ID"
    elsewhere = {**reservation(slots[1]), "uuid": body["uuid"]}
    assert both.alike("POST", "/octo/bookings", elsewhere)["status"] == "ON_HOLD"


def test_retries_at_once_reach_one_shard_and_take_their_seats_once(both: Both, slots: list[tuple[str, str]]) -> None:
    body = reservation(slots[2])
    with ThreadPoolExecutor(12) as retries:
        answers = list(retries.map(lambda _: both.gateway.post("/octo/bookings", json=body).json(), range(12)))
    assert len({answer["id"] for answer in answers}) == 1
    assert len(both.holders(f"/octo/bookings/{body['uuid']}")) == 1


def test_a_gateway_that_remembers_nothing_finds_a_booking_by_its_uuid(both: Both, slots: list[tuple[str, str]]) -> None:
    body = reservation(slots[1])
    [shard] = both.holders(f"/octo/products/{slots[1][0]}")
    with both.fleet.client(both.fleet.shards[shard]) as direct:
        held = direct.post("/octo/bookings", json=body).json()
    path = f"/octo/bookings/{body['uuid']}"
    assert both.gateway.post(f"{path}/confirm", json={"contact": {}}).json()["id"] == held["id"]
    assert both.gateway.post("/octo/bookings", json=body).json()["status"] == "CONFIRMED"


def test_two_clients_with_one_uuid_each_have_their_own_booking(both: Both, slots: list[tuple[str, str]]) -> None:
    gateway, fleet = both.gateway, both.fleet
    with httpx.Client(base_url=fleet.gateway.url, timeout=60) as vendor:
        vendor.headers["Authorization"] = f"Bearer {token(vendor, 'vendor-1')}"
        product = vendor.get("/octo/products").json()[0]["id"]
        [home] = both.holders(f"/octo/products/{product}")
        body = {"start_date": "2027-01-01", "start_time": "10:00", "capacity": 7}
        date = gateway.post(f"/v3/events/{product}/dates", json=body).json()["id"]
        elsewhere = next(slot for slot in slots if both.holders(f"/octo/products/{slot[0]}") != [home])
        mine, theirs = reservation((product, date)), reservation(elsewhere)
        theirs["uuid"] = mine["uuid"]
        path = f"/octo/bookings/{mine['uuid']}"
        for client, wanted in ((vendor, mine), (gateway, theirs)):
            assert client.post("/octo/bookings", json=wanted).json()["productId"] == wanted["productId"]
        for client, wanted in ((vendor, mine), (gateway, theirs)) * 2:
            assert client.get(path).json()["productId"] == wanted["productId"]
            sold = client.post(f"{path}/confirm", json={"contact": {}}).json()
            assert (sold["status"], sold["productId"]) == ("CONFIRMED", wanted["productId"])
