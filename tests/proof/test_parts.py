"""Orders over several vendors, on several shards: the same to the monolith, and to a gateway of two workers."""

import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from proof.data import prepare
from proof.fleet import Fleet

pytestmark = pytest.mark.cluster

_TIMES = re.compile(r'"\d{4}-\d\d-\d\dT[\d:.]+Z"')
_ITEM_IDS = re.compile(r'"id":"[0-9a-f]{32}","event_id"|"item_id":"[0-9a-f]{32}"')
COUNTED = "X-Total_Count"


class Both:
    """A client of each; and the dates that can be bought, shard by shard."""

    def __init__(self, monolith: httpx.Client, gateway: httpx.Client, shards: list[httpx.Client]) -> None:
        self.monolith, self.gateway, self.shards = monolith, gateway, shards
        self.dates = [self._dates(shard) for shard in shards]
        self.numbers = iter(range(10_000))
        self.chance = random.Random(5)

    def alike(self, method: str, url: str, **options: Any) -> httpx.Response:
        """Ask both; status, count and body must be the same, byte for byte, but for what an instance makes itself."""
        wanted = self.monolith.request(method, url, **options)
        answer = self.gateway.request(method, url, **options)
        assert (answer.status_code, _plain(answer)) == (wanted.status_code, _plain(wanted)), url
        assert answer.headers.get(COUNTED) == wanted.headers.get(COUNTED), url
        return answer

    def order(self, *shards: int, **more: Any) -> str:
        """An order of one date of each of these shards; its id."""
        number = next(self.numbers)
        id_, code = f"{self.chance.getrandbits(128):032x}", f"PART-{number:06}"
        items = [{"date_id": self.dates[shard].pop(), "quantity": 1 + number % 2} for shard in shards]
        body = {"id": id_, "code": code, "items": items, "customer": {"name": f"Buyer {number % 7}"}, **more}
        assert self.alike("POST", "/v3/orders", json=body).status_code == 201
        return id_

    def _dates(self, shard: httpx.Client) -> list[str]:
        events = {each["id"] for each in shard.get("/v3/events?limit=2000").json() if each["active"]}
        listed = shard.get("/v3/dates?limit=4000").json()
        return [each["id"] for each in listed if each["event_id"] in events and each["capacity"] - each["booked"] > 3]


def _plain(answer: httpx.Response) -> str:
    return _ITEM_IDS.sub("ITEM", _TIMES.sub("TIME", answer.text))


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    folder: Path = tmp_path_factory.mktemp("parts")
    with (
        Fleet(prepare(0.01, 3).copy(folder), folder, workers=2) as fleet,
        fleet.client(fleet.monolith) as monolith,
        fleet.client(fleet.gateway) as gateway,
    ):
        shards = [httpx.Client(base_url=s.url, headers=gateway.headers) for s in fleet.shards.values()]
        yield Both(monolith, gateway, shards)
        for shard in shards:
            shard.close()


def test_an_order_over_three_shards_reads_as_one(both: Both) -> None:
    order = both.order(0, 2, 1)
    for _ in range(4):
        both.alike("GET", f"/v3/orders/{order}")
    assert [shard.get(f"/v3/orders/{order}").status_code for shard in both.shards] == [200, 200, 200]
    read = both.gateway.get(f"/v3/orders/{order}").json()
    assert (read["vendor_id"], len(read["items"])) == (None, 3)
    both.alike("GET", "/v3/orders/nobodys")
    assert both.alike("HEAD", f"/v3/orders/{order}").status_code == 200


def test_it_is_one_row_of_a_list_in_its_place_and_counted_once(both: Both) -> None:
    orders = [both.order(*places) for places in [(0, 1), (1, 2), (2, 0, 1), (0,), (1, 0), (2, 1)]]
    total = int(both.alike("GET", "/v3/orders?limit=1&with_count=true&order=id").headers[COUNTED])
    for order in ("id", "-id", "price,id", "-price", "code", "-code,id", "status,-price", "vendor_id", "paid,code"):
        for offset in [0, 1, 2, 5, total // 3, total // 2, total - 7, total - 1, total, total + 3]:
            for limit in (1, 3, 20):
                both.alike("GET", f"/v3/orders?order={order}&limit={limit}&offset={offset}&with_count=true")
    both.alike("GET", f"/v3/orders?accept={','.join(orders)}&order=-price&with_count=true")
    both.alike("GET", f"/v3/orders?exclude={','.join(orders[1:3])}&order=-id&limit=50&with_count=true")
    both.alike("GET", "/v3/orders?match=PART-&order=code&with_count=true")
    both.alike("GET", "/v3/orders?order=price&fields=id,price&limit=40")
    both.alike("GET", "/v3/orders?order=price&fields=code,vendor_id,items&limit=40&offset=3")
    both.alike("GET", "/v3/orders?order=price&fields=nothing&limit=4")
    both.alike("GET", "/v3/orders?status=lost")
    both.alike("GET", "/v3/orders?limit=0")
    both.alike("GET", "/v3/orders?order=id")


def test_a_filter_by_vendor_or_day_shows_the_whole_order(both: Both) -> None:
    order = both.order(0, 1)
    items = both.gateway.get(f"/v3/orders/{order}").json()["items"]
    vendor = both.gateway.get(f"/v3/events/{items[0]['event_id']}").json()["vendor_id"]
    both.alike("GET", f"/v3/orders?accept_vendors={vendor}&order=id&with_count=true")
    day = items[1]["start_date"]
    both.alike("GET", f"/v3/orders?start_event_date={day}&end_event_date={day}&order=id&with_count=true")
    both.alike("GET", f"/v3/vendors/{vendor}/orders?order=id&with_count=true")


def test_pages_one_after_the_other_show_each_order_once(both: Both) -> None:
    for places in [(0, 1), (2, 1), (0, 2, 1)]:
        both.order(*places)
    total = int(both.monolith.get("/v3/orders?limit=1&with_count=true").headers[COUNTED])
    for order in ("-price", "id"):
        seen: list[str] = []
        while page := both.alike("GET", f"/v3/orders?order={order}&limit=37&offset={len(seen)}&fields=id").json():
            seen += [each["id"] for each in page]
        assert len(seen) == len(set(seen)) == total


def test_its_tickets_and_its_payment_are_listed_as_one(both: Both) -> None:
    order = both.order(2, 0)
    ticket_fields = "order_id,event_id,date_id,valid"
    both.alike("GET", f"/v3/orders/{order}/tickets?order=date_id&fields={ticket_fields}&with_count=true")
    both.alike("GET", f"/v3/orders/{order}/tickets?order=-date_id&fields={ticket_fields}&limit=2&offset=1")
    price = both.gateway.get(f"/v3/orders/{order}").json()["price"]
    pay = {"id": f"{both.chance.getrandbits(128):032x}", "method": "card"}
    assert both.alike("POST", f"/v3/orders/{order}/payments", json={**pay, "amount": price + 1}).status_code == 409
    assert both.alike("POST", f"/v3/orders/{order}/payments", json={**pay}).status_code == 422
    assert both.alike("POST", f"/v3/orders/{order}/payments", json={**pay, "amount": price}).status_code == 201
    both.alike("GET", f"/v3/orders/{order}")
    both.alike("GET", f"/v3/orders/{order}/payments?with_count=true")
    assert both.alike("POST", f"/v3/orders/{order}/payments", json={**pay, "amount": price}).status_code == 409


def test_a_payment_that_is_not_what_is_due_changes_nothing(both: Both) -> None:
    order = both.order(2, 0)
    pay = {"id": f"{both.chance.getrandbits(128):032x}", "method": "card", "amount": 1}
    assert both.gateway.post(f"/v3/orders/{order}/payments", json=pay).status_code == 409
    assert both.alike("GET", f"/v3/orders/{order}").json()["paid"] == 0


def test_cancel_confirm_and_change_reach_all_parts(both: Both) -> None:
    order = both.order(0, 1, 2, reserve_minutes=30)
    both.alike("GET", f"/v3/orders/{order}")
    both.alike("PATCH", f"/v3/orders/{order}", json={"customer": {"name": "Ann", "email": "ann@example.com"}})
    both.alike("PATCH", f"/v3/orders/{order}", json={"customer": 7})
    both.alike("POST", f"/v3/orders/{order}/confirm")
    both.alike("POST", f"/v3/orders/{order}/confirm")
    both.alike("POST", f"/v3/orders/{order}/cancel")
    both.alike("POST", f"/v3/orders/{order}/cancel")
    both.alike("POST", f"/v3/orders/{order}/confirm")
    both.alike("GET", f"/v3/orders/{order}")
    both.alike("GET", f"/v3/orders/{order}/tickets?order=date_id&fields=date_id,valid")
    parts = [shard.get(f"/v3/orders/{order}").json() for shard in both.shards]
    assert [(part["status"], part["customer"]["name"]) for part in parts] == [("cancelled", "Ann")] * 3


def test_an_order_that_one_shard_refuses_is_nowhere(both: Both) -> None:
    id_ = f"{both.chance.getrandbits(128):032x}"
    items = [{"date_id": both.dates[0].pop(), "quantity": 1}, {"date_id": both.dates[2].pop(), "quantity": 100}]
    assert both.alike("POST", "/v3/orders", json={"id": id_, "code": "NOWHERE", "items": items}).status_code == 409
    for url in (f"/v3/orders/{id_}", f"/v3/orders/{id_}/tickets"):
        assert both.alike("GET", url).status_code == 404
    assert both.alike("POST", f"/v3/orders/{id_}/cancel").status_code == 404
    assert both.alike("GET", "/v3/orders?accept_code=NOWHERE&with_count=true").text == "[]"
    both.alike("GET", f"/v3/orders?accept={id_}&with_count=true")
    both.alike("GET", "/v3/orders?order=-code&limit=30&offset=10&with_count=true")
