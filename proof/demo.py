"""`make demo`: seeds a monolith of 33,000 attractions, splits it into three shards by vendor, and tours them as one."""

import argparse
import sys
import time
from collections.abc import Callable
from typing import TypeVar

import httpx
from rich.console import Console

from proof.data import CACHE, NAMES, Data, prepare, run
from proof.fleet import Fleet
from proof.move.readers import Readers
from proof.move.world import movements_of, tenants_of

SHARDS = 3
MOVED = 3
READ = ("/v3/events?order=-rating,name&limit=50", "/v3/vendors?order=name&limit=20&with_count=true")
T = TypeVar("T")
_console = Console(highlight=False, soft_wrap=True)


def main() -> None:
    """The whole demo; the last line says that all went as it should."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--scale", type=float, default=1.0, help="1 is 33,000 events")
    given = options.parse_args()
    _title("A monolith's data, and the same data cut into three shards by vendor")
    data = prepare(given.scale, SHARDS).copy(CACHE / "run")
    with Fleet(data, CACHE / "run", replicas={_twofold(data): 2}, settings=movements_of(data)) as fleet:
        with fleet.client(fleet.monolith) as monolith, fleet.client(fleet.gateway) as gateway:
            tour = _Tour(fleet, monolith, gateway)
            tour.run()
            tour.grow(data)
        if sys.stdout.isatty():
            _stay(fleet)
    print("demo: ok")


class _Tour:
    """What a visitor is shown, in order."""

    def __init__(self, fleet: Fleet, monolith: httpx.Client, gateway: httpx.Client) -> None:
        self._fleet = fleet
        self._monolith = monolith
        self._gateway = gateway

    def run(self) -> None:
        self._running()
        self._same_list()
        self._deep_page()
        self._one_event()
        self._order()
        self._replica_down()
        self._shard_down()

    def _running(self) -> None:
        _title("What is running")
        _say(f"monolith   {self._fleet.monolith.url}   all the data")
        for name, shard in self._fleet.shards.items():
            rows, _ = _timed(lambda url=shard.url: _count(url, self._monolith))  # type: ignore[misc]
            _say(f"{name:<10} {shard.url}   {rows} events")
        _say(f"gateway    {self._fleet.gateway.url}   the three as one")

    def _same_list(self) -> None:
        _title("The same list, from the monolith and through the gateway")
        for url in (
            "/v3/events?limit=3&fields=id,name,city&with_count=true",
            "/v3/events?order=-rating,name&limit=50",
            "/v3/orders?status=paid&order=-created_at&limit=100&with_count=true",
            "/v3/reports/sales?group_by=month",
            "/v3/events",
        ):
            self._compare(url)

    def _deep_page(self) -> None:
        _title("Page 400 in name order: rows 7,980 to 8,000 of all shards together")
        total = int(self._gateway.get("/v3/events?limit=1&with_count=true").headers["X-Total_Count"])
        offset = min(7980, total - 20)
        for row in self._compare(f"/v3/events?order=name&limit=20&offset={offset}").json()[:4]:
            _say(f"    {row['name']}")
        _say("    …")

    def _one_event(self) -> None:
        _title("An event by its id, which says nothing about its shard")
        event = self._monolith.get("/v3/events?order=-rating&limit=1&offset=25").json()[0]["id"]
        first = self._compare(f"/v3/events/{event}")
        _say(f"    {first.json()['name']}, {first.json()['city']}")
        _say("    asked of all at first; from then on it is known whose it is:")
        self._compare(f"/v3/events/{event}")

    def _order(self) -> None:
        _title("An order, created through the gateway and read back")
        date = self._gateway.get("/v3/dates?available=true&order=start_date&limit=1").json()[0]
        order = {"vendor_id": date["vendor_id"], "items": [{"date_id": date["id"], "quantity": 1}]}
        created, took = _timed(lambda: self._gateway.post("/v3/orders", json=order))
        _expect(created.status_code == 201, f"201 expected, {created.status_code}: {created.text}")
        _say(f"POST /v3/orders → {created.status_code}, order {created.json()['code']} {_ms(took)}")
        read, took = _timed(lambda: self._gateway.get(f"/v3/orders/{created.json()['id']}"))
        _expect(read.json() == created.json(), "the order reads back otherwise than it was created")
        _say(f"GET /v3/orders/{created.json()['id']} → {read.status_code}, the same order {_ms(took)}")
        paid, took = _timed(
            lambda: self._gateway.post(
                f"/v3/orders/{created.json()['id']}/payments",
                json={"amount": created.json()["price"], "method": "card"},
            )
        )
        _expect(paid.status_code == 201, f"201 expected, {paid.status_code}: {paid.text}")
        _say(f"POST /v3/orders/…/payments → {paid.status_code} {_ms(took)}")

    def _replica_down(self) -> None:
        name, servers = next((name, servers) for name, servers in self._fleet.replicas.items() if len(servers) > 1)
        _title(f"The shard {name} is served by two instances; one of them is killed, and nobody notices")
        here = self._event_of(servers[0].url)
        servers[0].kill()
        urls = ["/v3/events?order=name&limit=20", f"/v3/events/{here}"] * 20
        answers, took = _timed(lambda: [self._gateway.get(url) for url in urls])
        failed = [answer.status_code for answer in answers if answer.status_code != 200]
        _expect(not failed, f"a replica was killed, and clients were answered {failed}")
        _say(f"{len(urls)} lists and events → all 200 {_ms(took)}, the slowest {_ms(max(map(_seconds, answers)))}")
        servers[0].start()
        _say("it is started again, and gets calls again")

    def _shard_down(self) -> None:
        name, shard = next(iter(self._fleet.shards.items()))
        _title(f"The shard {name} is killed")
        here = self._event_of(shard.url)
        there = self._event_of(next(url for key, url in self._urls().items() if key != name))
        shard.kill()
        self._tell("a list", "/v3/events?limit=3", 503)
        self._tell(f"an event of {name}", f"/v3/events/{here}", 503)
        self._tell("an event of another shard", f"/v3/events/{there}", 200)
        self._tell("categories, the same everywhere", "/v3/categories?limit=1", 200)
        _title(f"The shard {name} is brought back")
        shard.start()
        self._compare("/v3/events?order=name&limit=3")
        self._compare(f"/v3/events/{here}")

    def grow(self, data: Data) -> None:
        """A shard is added, and tenants move there, while clients read the same lists all the time."""
        new = NAMES[len(data.shards)]
        _title(f"A shard is added while all goes on: {new}; then {MOVED} vendors move there")
        grown = Data(data.monolith, {**data.shards, new: str(CACHE / "run" / f"{new}.db")}, data.directory)
        config = str(self._fleet.config)
        tenants = list(tenants_of(data))[:MOVED]
        with Readers(self._fleet, self._fleet.token, tenants, [], 1, READ) as readers:
            run("shardgate", "shard", "add", new, "-c", config, "--database", f"{new}=sqlite:///{grown.shards[new]}")
            self._fleet.add(new, grown.shards[new])
            self._fleet.reload(movements_of(grown), grown.shards)
            _say("its instance is started, the gateway has read its configuration anew")
            for tenant in tenants:
                run("shardgate", "move", tenant, "--to", new, "-c", config)
        statuses = dict(readers.statuses)
        _expect(not readers.differences, f"the gateway answered otherwise meanwhile: {readers.differences[:1]}")
        slowest = max(readers.took_s, default=0.0)
        _say(
            f"{sum(statuses.values())} lists and vendors meanwhile → {statuses}, all equal, the slowest {_ms(slowest)}"
        )
        for name, server in self._fleet.shards.items():
            rows, _ = _timed(lambda url=server.url: _count(url, self._monolith))  # type: ignore[misc]
            _say(f"{name:<10} {rows} events")

    def _urls(self) -> dict[str, str]:
        return {name: server.url for name, server in self._fleet.shards.items()}

    def _event_of(self, url: str) -> str:
        headers = {"Authorization": self._monolith.headers["Authorization"]}
        event = httpx.get(f"{url}/v3/events?order=name&limit=1", headers=headers).json()[0]["id"]
        self._gateway.get(f"/v3/events/{event}")
        return str(event)

    def _tell(self, what: str, url: str, status: int) -> None:
        answer, took = _timed(lambda: self._gateway.get(url))
        _expect(answer.status_code == status, f"{url}: {status} expected, {answer.status_code}: {answer.text[:200]}")
        _say(f"{what}: GET {url[:34]} → {answer.status_code} {_ms(took)}")
        if status == 503:
            _say(f"    Retry-After: {answer.headers['retry-after']}  {answer.text}")

    def _compare(self, url: str) -> httpx.Response:
        expected, alone = _timed(lambda: self._monolith.get(url))
        answer, took = _timed(lambda: self._gateway.get(url))
        same = (answer.status_code, answer.content) == (expected.status_code, expected.content)
        _expect(same, f"{url}: the gateway answers otherwise than the monolith")
        count = f", X-Total_Count {answer.headers['x-total_count']}" if "x-total_count" in answer.headers else ""
        size = f"{len(answer.content):,} bytes"
        _say(f"GET {url} → {answer.status_code}, {size}{count}, equal   monolith {_ms(alone)}, gateway {_ms(took)}")
        return answer


def _stay(fleet: Fleet) -> None:
    """Let the visitor try; Ctrl-C ends it."""
    _title("All stays up until Ctrl-C. To try:")
    _say(f"TOKEN={fleet.token}")
    for url in ("/v3/events?order=-name&limit=2&with_count=true", "/v3/reports/sales?group_by=category"):
        _say(f'curl -i -H "Authorization: Bearer $TOKEN" "{fleet.gateway.url}{url}"')
    _say(f".venv/bin/shardgate explain -c {fleet.config} GET '/v3/events?order=-name&limit=20&offset=8000'")
    try:
        while True:
            time.sleep(1)
    except KeyboardInterrupt:
        print()


def _twofold(data: Data) -> str:
    """The shard that is served by two instances: the last one."""
    return list(data.shards)[-1]


def _seconds(answer: httpx.Response) -> float:
    return answer.elapsed.total_seconds()


def _count(url: str, monolith: httpx.Client) -> str:
    headers = {"Authorization": monolith.headers["Authorization"]}
    return httpx.get(f"{url}/v3/events?limit=1&with_count=true", headers=headers).headers["X-Total_Count"]


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    began = time.perf_counter()
    return work(), time.perf_counter() - began


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"


def _title(text: str) -> None:
    _console.print(f"\n[bold]{text}[/bold]")


def _say(text: str) -> None:
    _console.print(f"  {text}", markup=False)


def _expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise SystemExit(f"demo: failed: {otherwise}")


if __name__ == "__main__":
    main()
