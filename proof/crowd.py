"""`make crowd`: 50 buyers at once want the last seats on three shards, through two workers of the gateway, by every
door: orders of one vendor, orders over several vendors, OCTO, and retries with a key.

Holds: what is sold is what there was, on every shard; who was told that seats are theirs has them, and nobody else.
"""

import argparse
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from proof.data import CACHE, prepare
from proof.fleet import Fleet
from proof.stores import add_option, empty_store
from proof.writes.run import serves_orders_across

BUYERS = 50
CAPACITY = 20
SHARDS = 3
WORKERS = 2
ACROSS = {
    "rule": "divide",
    "whole_key": "body.vendor_id",
    "whole_locate": "vendor",
    "items": "items",
    "key": "date_id",
    "locate": "date",
    "mode": "all_or_none",
    "assign": {"id": "hex", "code": "BK-?????-?????"},
    "sum": ["price", "paid"],
    "check": "/v3/orders/{id}",
    "undo": {"method": "POST", "path": "/v3/orders/{id}/cancel"},
}
"""Orders over several vendors, where the document does not serve them: taken by every shard, or cancelled again."""


@dataclass(frozen=True)
class Seat:
    """A date with seats, on a shard of its own."""

    vendor: str
    event: str
    date: str


Door = Callable[["Crowd", int], dict[str, int]]
"""One buyer's request: how many seats of which date it was told that it has."""


@dataclass
class Crowd:
    """The buyers and what they want."""

    gateways: list[httpx.Client]
    seats: list[Seat]
    statuses: Counter[int] = field(default_factory=Counter)
    _turns: Iterator[int] = field(default_factory=count)

    def post(self, path: str, body: dict[str, Any], key: str | None = None) -> httpx.Response:
        """Buy, at the next gateway, as the second of two equal requests is; and count the answer."""
        answer = self.gateways[next(self._turns) % len(self.gateways)].post(
            path, json=body, headers={} if key is None else {"Idempotency-Key": f'"{key}"'}
        )
        self.statuses[answer.status_code] += 1
        return answer


def one_vendor(crowd: Crowd, buyer: int) -> dict[str, int]:
    """An order of one vendor."""
    seat = crowd.seats[buyer % SHARDS]
    body = {"vendor_id": seat.vendor, "items": [{"date_id": seat.date, "quantity": 1}]}
    return {seat.date: 1} if crowd.post("/v3/orders", body).status_code == 201 else {}


def with_retries(crowd: Crowd, buyer: int) -> dict[str, int]:
    """The same with a key, by a client that does not wait for the first reply."""
    seat, key = crowd.seats[buyer % SHARDS], str(uuid4())
    body = {"vendor_id": seat.vendor, "items": [{"date_id": seat.date, "quantity": 1}]}
    with ThreadPoolExecutor(2) as twice:
        answers = list(twice.map(lambda _: crowd.post("/v3/orders", body, key), range(2)))
    return {seat.date: 1} if any(answer.status_code == 201 for answer in answers) else {}


def octo(crowd: Crowd, buyer: int) -> dict[str, int]:
    """An OCTO booking, reserved and confirmed; the reservation is sent twice."""
    seat, uuid = crowd.seats[buyer % SHARDS], str(uuid4())
    body = {"uuid": uuid, "productId": seat.event, "optionId": "DEFAULT", "availabilityId": seat.date}
    for _ in range(2):
        held = crowd.post("/octo/bookings", {**body, "unitItems": [{"unitId": "adult"}]})
    sold = crowd.post(f"/octo/bookings/{uuid}/confirm", {"contact": {}}) if held.status_code == 200 else held
    return {seat.date: 1} if sold.status_code == 200 and sold.json()["status"] == "CONFIRMED" else {}


def several_vendors(crowd: Crowd, buyer: int) -> dict[str, int]:
    """An order over all shards, in an order of its own; all of it, or none."""
    turned = [*crowd.seats[buyer % SHARDS :], *crowd.seats[: buyer % SHARDS]]
    body = {"items": [{"date_id": seat.date, "quantity": 1} for seat in turned]}
    return {seat.date: 1 for seat in turned} if crowd.post("/v3/orders", body).status_code == 201 else {}


def any_door(crowd: Crowd, buyer: int) -> dict[str, int]:
    """By one of the doors, each beside the others."""
    return (one_vendor, octo, with_retries, several_vendors)[buyer % 4](crowd, buyer)


DOORS: dict[str, tuple[Door, int]] = {
    "orders of one vendor": (one_vendor, CAPACITY // 2),
    "orders with retries": (with_retries, CAPACITY // 2),
    "OCTO": (octo, CAPACITY // 2),
    "orders over three vendors": (several_vendors, CAPACITY),
    "all doors at once": (any_door, CAPACITY // 2),
}
"""What is bought, and how many seats each date has: fewer than its buyers want."""


def run(folder: Path, gateways: int = 1, store: str = "") -> tuple[int, int, list[str]]:
    """Seats there were, seats sold, and what is wrong. With several `gateways` they share a `store`."""
    settings = {} if serves_orders_across() else {"rules": {"POST /v3/orders": ACROSS}}
    capacity, sold, findings = 0, 0, []
    with (
        Fleet(
            prepare(0.01, SHARDS).copy(folder),
            folder,
            workers=WORKERS,
            settings=settings,
            store=store,
            gateways=gateways,
        ) as fleet,
        fleet.client(fleet.gateway) as gateway,
        ExitStack() as stack,
    ):
        who = {"Authorization": gateway.headers["Authorization"]}
        others = [stack.enter_context(httpx.Client(base_url=each.url, timeout=60, headers=who)) for each in fleet.more]
        events = _event_of_each_shard(fleet, gateway)
        for number, (name, (door, seats)) in enumerate(DOORS.items()):
            crowd = Crowd([gateway, *others], [_seat(gateway, event, seats, number) for event in events])
            told = _rush(crowd, door)
            late = _buy_what_is_left(crowd) if door is any_door else Counter()
            told.update(late)
            booked = {seat.date: _booked(gateway, seat) for seat in crowd.seats}
            capacity += seats * SHARDS
            sold += sum(booked.values())
            findings += [
                f"{name}: {told[d]} seats promised, {n} of {seats} sold" for d, n in booked.items() if told[d] != n
            ]
            if any(n != seats for n in booked.values()):
                findings.append(f"{name}: {booked} sold of {seats} each")
            answers = ", ".join(f"{count} × {status}" for status, count in sorted(crowd.statuses.items()))
            print(
                f"{name}: {sum(booked.values())} of {seats * SHARDS} seats sold, {late.total()} late; {answers}",
                flush=True,
            )
    return capacity, sold, findings


def _buy_what_is_left(crowd: Crowd) -> Counter[str]:
    """A basket that is refused gives back what it held, maybe after others were refused for it (decision 37): whoever
    asks again gets it. A seat that nobody can buy now is lost."""
    told: Counter[str] = Counter()
    for buyer in range(SHARDS):
        while got := one_vendor(crowd, buyer):
            told.update(got)
    return told


def _rush(crowd: Crowd, door: Door) -> Counter[str]:
    """All buyers at once; what they were told is theirs."""
    start = threading.Barrier(BUYERS)

    def buy(buyer: int) -> dict[str, int]:
        start.wait(30)
        return door(crowd, buyer)

    told: Counter[str] = Counter()
    with ThreadPoolExecutor(BUYERS) as buyers:
        for got in buyers.map(buy, range(BUYERS)):
            told.update(got)
    return told


def _event_of_each_shard(fleet: Fleet, gateway: httpx.Client) -> list[dict[str, Any]]:
    headers = {"Authorization": gateway.headers["Authorization"]}
    lists = [httpx.get(f"{shard.url}/v3/events", headers=headers).json() for shard in fleet.shards.values()]
    return [next(event for event in events if event["active"]) for events in lists]


def _seat(gateway: httpx.Client, event: dict[str, Any], seats: int, number: int) -> Seat:
    body = {"start_date": f"2027-01-{1 + number:02}", "start_time": "10:00", "capacity": seats, "price": 500}
    made = gateway.post(f"/v3/events/{event['id']}/dates", json=body)
    made.raise_for_status()
    return Seat(event["vendor_id"], event["id"], made.json()["id"])


def _booked(gateway: httpx.Client, seat: Seat) -> int:
    return int(gateway.get(f"/v3/dates/{seat.date}").json()["booked"])


def main() -> None:
    """Run, and exit with 1 where a seat was sold twice or lost."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--gateways", type=int, default=1, help="so many gateways, on one store in PostgreSQL")
    add_option(options)
    given = options.parse_args()
    with empty_store("postgresql" if given.gateways > 1 else given.store) as store:
        capacity, sold, findings = run(CACHE / "crowd", given.gateways, store)
    for finding in findings:
        print(finding)
    who = f"{BUYERS} buyers, {SHARDS} shards, {WORKERS} workers" + (
        f" of each of {given.gateways} gateways" if given.gateways > 1 else ""
    )
    print(f"crowd: {who}: {sold} of {capacity} seats sold, {len(findings)} findings")
    sys.exit(1 if findings else 0)


if __name__ == "__main__":
    main()
