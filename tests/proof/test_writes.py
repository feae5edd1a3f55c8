"""Changes of the reference platform: the same to the monolith, and to a gateway of two workers over three shards."""

import itertools
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from proof.data import prepare
from proof.fleet import Fleet

pytestmark = pytest.mark.cluster

MADE_NEW = {"id", "created_at", "updated_at"}
"""What differs in things just created."""


class Both:
    """A client of each."""

    def __init__(self, fleet: Fleet, monolith: httpx.Client, gateway: httpx.Client, shards: list[httpx.Client]) -> None:
        self.fleet, self.monolith, self.gateway, self.shards = fleet, monolith, gateway, shards

    def alike(self, method: str, url: str, **options: Any) -> httpx.Response:
        """Ask both; the replies must be one, but for what was just made. The gateway's."""
        wanted = self.monolith.request(method, url, **options)
        answer = self.gateway.request(method, url, **options)
        assert (answer.status_code, _plain(answer)) == (wanted.status_code, _plain(wanted))
        return answer


def _plain(answer: httpx.Response) -> Any:
    body = answer.json() if answer.content else None
    if isinstance(body, dict):
        return {name: value for name, value in body.items() if name not in MADE_NEW}
    return body


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    folder: Path = tmp_path_factory.mktemp("writes")
    with (
        Fleet(prepare(0.01, 3).copy(folder), folder, workers=2) as fleet,
        fleet.client(fleet.monolith) as monolith,
        fleet.client(fleet.gateway) as gateway,
    ):
        shards = [httpx.Client(base_url=s.url, headers=gateway.headers) for s in fleet.shards.values()]
        yield Both(fleet, monolith, gateway, shards)
        for shard in shards:
            shard.close()


def test_a_category_is_the_same_everywhere_from_its_creation_to_its_end(both: Both) -> None:
    answer = both.alike(
        "POST", "/v3/categories", json={"id": "c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1", "slug": "new", "name": "New"}
    )
    assert answer.status_code == 201
    both.alike("POST", "/v3/categories", json={"slug": "new", "name": "New"})
    both.alike("POST", "/v3/categories", json={"slug": "NO SLUG"})
    both.alike("PATCH", "/v3/categories/c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1", json={"name": "Newer"})
    both.alike("PATCH", "/v3/categories/none", json={"name": "Newer"})
    for _, each in itertools.product(range(4), [both.gateway, *both.shards]):
        assert each.get("/v3/categories/c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1").json()["name"] == "Newer"
    assert both.alike("DELETE", "/v3/categories/c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1").status_code == 204
    assert {each.get("/v3/categories/c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1").status_code for each in both.shards} == {404}


def test_an_id_that_the_client_leaves_out_is_the_same_everywhere(both: Both) -> None:
    made = both.alike("POST", "/v3/categories", json={"slug": "one-id", "name": "One id"}).json()["id"]
    assert {each.get(f"/v3/categories/{made}").json()["slug"] for each in both.shards} == {"one-id"}


def test_a_category_with_events_on_one_shard_only_stays_on_all(both: Both) -> None:
    both.alike(
        "POST", "/v3/categories", json={"id": "c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2", "slug": "used", "name": "Used"}
    )
    owners = {v["id"]: shard for shard in both.shards for v in shard.get("/v3/vendors").json()}
    vendor = next(vendor for vendor, shard in owners.items() if shard is both.shards[-1])
    event = both.gateway.get("/v3/events?limit=1").json()[0]
    kept = ("name", "description", "city", "country", "latitude", "longitude", "price", "duration_minutes", "capacity")
    new = {name: event[name] for name in kept} | {
        "vendor_id": vendor,
        "category_id": "c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2",
    }
    assert both.alike("POST", "/v3/events", json=new).status_code == 201
    assert both.alike("DELETE", "/v3/categories/c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2").status_code == 409
    assert {each.get("/v3/categories/c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2").json()["name"] for each in both.shards} == {
        "Used"
    }


def test_a_new_vendor_is_put_on_one_shard_and_served_by_every_worker_at_once(both: Both) -> None:
    count = both.gateway.get("/v3/vendors?limit=1&with_count=true").headers["x-total_count"]
    new = {"name": "Vendor", "email": "v@example.com", "city": "Porto", "country": "PT"}
    for number in range(6):
        made = both.alike("POST", "/v3/vendors", json={**new, "name": f"Vendor {number}"}).json()
        for _ in range(4):
            with httpx.Client(base_url=both.fleet.gateway.url, headers=both.gateway.headers) as fresh:
                answer = fresh.patch(f"/v3/vendors/{made['id']}", json={"city": "Lisboa"})
                assert (answer.status_code, answer.json()["city"]) == (200, "Lisboa")
        assert sum(each.get(f"/v3/vendors/{made['id']}").status_code == 200 for each in both.shards) == 1
    both.alike("POST", "/v3/vendors", json={"name": "Vendor"})
    after = both.gateway.get("/v3/vendors?limit=1&with_count=true").headers["x-total_count"]
    assert int(after) == int(count) + 6


def test_an_availability_check_over_all_shards_is_the_monoliths(both: Both) -> None:
    chance = random.Random(7)
    dates = [date["id"] for date in both.monolith.get("/v3/dates?limit=500&fields=id").json()] + ["none", "", "ü"]
    odd: list[Any] = [{}, [], {"items": []}, {"items": [{"date_id": 7, "quantity": 1}]}, {"items": "x"}, {"items": [7]}]
    for body in odd:
        both.alike("POST", "/v3/availability/check", json=body)
    for _ in range(60):
        chosen = chance.choices(dates, k=chance.choice((1, 2, 5, 20)))
        quantities = [chance.choice((1, 1, 2, 5, 50, *([0, "many"] * chance.choice((0, 0, 0, 1))))) for _ in chosen]
        items = [{"date_id": d, "quantity": q} for d, q in zip(chosen, quantities, strict=True)]
        both.alike("POST", "/v3/availability/check", json={"items": items})
    longest = [{"date_id": dates[0], "quantity": 1}] * 600 + [{"date_id": dates[1], "quantity": 1}] * 600
    assert both.alike("POST", "/v3/availability/check", json={"items": longest}).status_code == 422


def test_a_shard_that_is_down_leaves_a_category_unmade_everywhere(both: Both) -> None:
    name, server = list(both.fleet.shards.items())[-1]
    server.kill()
    try:
        answer = both.gateway.post(
            "/v3/categories", json={"id": "c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3", "slug": "down", "name": "Down"}
        )
        assert (answer.status_code, answer.json()["missing"]) == (503, [name])
    finally:
        server.start()
    assert {each.get("/v3/categories/c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3").status_code for each in both.shards} == {404}
