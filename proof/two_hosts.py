"""`make hosts`: two gateways on two hosts, four shards and a store in PostgreSQL, each in a network of its own; one
gateway is cut off, first from the store alone, then from everything.

Holds: a gateway that is cut off refuses changes before its lease can end for the others, and reads on. A client that
repeats a request with its key at the other gateway gets one answer, and the request is done once. A quota holds over
both, a name is placed once, and no seat is sold twice or lost.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Final

import httpx
import jwt
import yaml

from proof.data import BIN
from proof.fleet import Server
from proof.hosts import SWITCHES, Hosts, NoHostsError, enter
from proof.postgres_server import PostgresServer
from proof.shop import Seats, Shop
from shardgate.net.clock import wall
from shardgate.store.desk import Desk
from shardgate.store.opening import open_store, store_place

NAMES: Final = ("north", "south", "west", "east")
HERE, THERE = 2, 3
"""The hosts of the gateways; the second is cut off."""
STORE_ONLY, EVERYTHING = (1,), (0, 1)
QUOTA, CAPACITY, BUYERS = 200, 20, 40
CUT_S, PATIENCE_S, SETTLED_S = 8.0, 3.0, 40.0
LEASE_ENDS_S: Final = 5.0
IN_DOUBT, CUT_OFF = "SG1018", "SG4011"
SECRET: Final = "a secret of this proof, which nobody else has"
_ORDERS = {"rule": "divide", "items": "items", "key": "date", "locate": "date", "mode": "all_or_none"}
RULES: dict[str, Any] = {
    "workers": 2,
    "timeouts": {"worker_lease_s": 0.5, "request_timeout_s": 10},
    "locators": {
        "vendor": [{"kind": "directory", "space": "vendors"}],
        "date": [{"kind": "prefix", "shards": {name: name for name in NAMES}}],
        "made": [{"kind": "hash"}],
    },
    "rules": {
        "POST /vendors": {"rule": "place", "space": "vendors", "key": "body.id", "check": "/vendors/{key}"},
        "GET /vendors/{v}": {"rule": "one", "key": "path.v", "locate": "vendor"},
        "POST /things": {
            "rule": "every",
            "check": "/things/{id}",
            "undo": {"method": "DELETE", "path": "/things/{id}"},
        },
        "POST /made": {"rule": "one", "key": "body.id", "locate": "made"},
        "POST /orders": {
            **_ORDERS,
            "check": "/orders/{id}",
            "assign": {"id": "hex"},
            "sum": ["price"],
            "confirm": {"method": "POST", "path": "/orders/{id}/confirm"},
            "undo": {"method": "POST", "path": "/orders/{id}/cancel"},
        },
    },
}


@dataclass
class World:
    """The shards, the gateways, and what was found."""

    hosts: Hosts
    server: PostgresServer
    store: str
    shops: list[Shop]
    gateways: list[httpx.AsyncClient]
    findings: list[str] = field(default_factory=list)
    tries: Counter[int] = field(default_factory=Counter)
    _turns: Iterator[int] = field(default_factory=count)

    def expect(self, holds: bool, what: str) -> None:
        """Note what does not hold."""
        if not holds:
            self.findings.append(what)

    async def settle(self) -> None:
        """Wait until no change is open."""
        until = time.monotonic() + SETTLED_S
        while time.monotonic() < until:
            with Desk(store_place(self.store)) as desk:
                entries = desk.entries(everything=False)
            if not entries:
                return
            await asyncio.sleep(0.1)
        self.findings.append(f"{len(entries)} changes are still open, {entries[0][0].state}")

    async def insist(self, path: str, body: Any, key: str, who: str) -> httpx.Response:
        """As a client does: with its key, at the other gateway where one does not answer or cannot do it now."""
        fields = {**bearer(who), "Idempotency-Key": f'"{key}"'}
        until = time.monotonic() + SETTLED_S
        for turn in count(next(self._turns)):
            self.tries[turn % 2] += 1
            try:
                answer = await self.gateways[turn % 2].post(path, json=body, headers=fields)
            except httpx.TransportError:
                if time.monotonic() > until:
                    raise
                continue
            if (answer.status_code < 500 and answer.headers.get("Retry-After") is None) or time.monotonic() > until:
                return answer
            await asyncio.sleep(0.1)
        raise AssertionError


def bearer(who: str) -> dict[str, str]:
    """A client's token."""
    claims = {"sub": who, "exp": int(wall()) + 3600}
    return {"Authorization": f"Bearer {jwt.encode(claims, SECRET, algorithm='HS256')}", "Host": "shop.example"}


def code_of(answer: httpx.Response) -> str:
    """The gateway's code of a refusal; empty where it is a shard's reply."""
    said = answer.json()
    return str(said.get("code", "")) if isinstance(said, dict) else ""


async def names_race(world: World, names: int) -> str:
    """The same name is asked for at both gateways at once."""

    async def one(name: str) -> None:
        asking = [each.post("/vendors", json={"id": name}, headers=bearer("placer")) for each in world.gateways * 2]
        statuses = sorted([answer.status_code for answer in await asyncio.gather(*asking)])
        holders = [shard for shard, shop in zip(NAMES, world.shops, strict=True) if name in shop.things.held]
        made = sum(shop.things.effects[name] for shop in world.shops)
        world.expect(statuses == [201, 409, 409, 409], f"place {name}: {statuses}")
        world.expect(len(holders) == made == 1, f"place {name}: on {holders}, made {made} times")
        with open_store(store_place(world.store)) as store:
            world.expect([store.find("vendors", name)] == holders, f"place {name}: the directory says otherwise")

    await asyncio.gather(*[one(f"v{number}") for number in range(names)])
    return f"{names} names placed once each, of 4 creates at two gateways"


async def quota(world: World) -> str:
    """A client calls both gateways, half as often again as it may."""
    at_once = asyncio.Semaphore(16)

    async def call(number: int) -> int:
        async with at_once:
            gateway = world.gateways[number % 2]
            return (await gateway.get("/vendors/v0", headers=bearer("counted"))).status_code

    statuses = Counter(await asyncio.gather(*[call(number) for number in range(QUOTA * 3 // 2)]))
    world.expect(statuses == {200: QUOTA, 429: QUOTA // 2}, f"quota of {QUOTA}: {dict(statuses)}")
    return f"quota {statuses[200]} of {QUOTA}"


async def cut_from_the_store(world: World) -> str:
    """The second gateway loses the store; clients and shards still reach it."""
    far, near = world.gateways[1], world.gateways[0]
    accepted: list[float] = []
    made: dict[str, bool] = {}
    over = asyncio.Event()

    async def change(number: int) -> None:
        for turn in count():
            if over.is_set():
                return
            name, sent_at = f"cut-{number}-{turn}", time.monotonic()
            answer = await far.post("/made", json={"id": name}, headers=bearer(f"changer{number}-{turn // 100}"))
            made[name] = answer.status_code == 201
            if made[name]:
                accepted.append(sent_at)
            world.expect(made[name] or code_of(answer) == CUT_OFF, f"cut from the store: {answer.text}")
            await asyncio.sleep(0.02)

    changing = [asyncio.ensure_future(change(number)) for number in range(8)]
    await asyncio.sleep(0.5)
    world.hosts.cut(THERE, STORE_ONLY)
    cut_at = time.monotonic()
    free_at = await _lease_ended(world)
    fenced_s, free_s = max(accepted) - cut_at, free_at - cut_at
    world.expect(fenced_s < free_s, f"the last change was sent {fenced_s:.2f} s, the lease free {free_s:.2f} s after")
    world.expect(free_s < LEASE_ENDS_S + 3, f"the lease ended only after {free_s:.1f} s")
    read = await far.get("/vendors/v0", headers=bearer("reader"))
    world.expect(read.status_code == 200, f"cut off, a read is {read.text}")
    placed = await far.post("/vendors", json={"id": "nobody"}, headers=bearer("placer"))
    world.expect(placed.status_code == 503, f"cut off, it places: {placed.text}")
    placed = await near.post("/vendors", json={"id": "somebody"}, headers=bearer("placer"))
    world.expect(placed.status_code == 201, f"the other does not place: {placed.text}")
    world.hosts.join(THERE, STORE_ONLY)
    joined_at, before = time.monotonic(), len(accepted)
    for _ in range(int(SETTLED_S / 0.1)):
        await asyncio.sleep(0.1)
        if len(accepted) > before:
            break
    world.expect(len(accepted) > before, "it takes no changes after it was joined again")
    back_s = accepted[before] - joined_at if len(accepted) > before else 0.0
    over.set()
    await asyncio.gather(*changing)
    wrong = [name for name, done in made.items() if sum(s.things.effects[name] for s in world.shops) != done]
    world.expect(not wrong, f"changes that were told otherwise than they were made: {wrong}")
    return f"fenced {fenced_s:.1f} s after the cut, its lease free after {free_s:.1f} s, back after {back_s:.1f} s"


async def _lease_ended(world: World) -> float:
    """When no session of the second gateway has a lease any more."""
    query = (
        "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory'"
        f" AND l.granted AND l.mode = 'ExclusiveLock' AND a.client_addr = '{SWITCHES[1]}.{THERE}'"
    )
    while True:
        if (await asyncio.to_thread(world.server.ask, query)) == [(0,)]:
            return time.monotonic()
        await asyncio.sleep(0.02)


async def cut_wholly(world: World, clients: int, each: int) -> str:
    """The second gateway loses everything while clients make changes with keys, and repeat them at the other one."""
    answers: dict[tuple[str, str], httpx.Response] = {}

    async def client(number: int) -> None:
        for turn in range(each):
            path, name = ("/made", "/things")[turn % 2], f"key-{number}-{turn}"
            answers[path, name] = await world.insist(path, {"id": name}, name, f"client{number}")

    await _during_a_cut(world, [client(number) for number in range(clients)])
    await world.settle()
    doubts = 0
    for (path, name), answer in answers.items():
        effects = [shop.things.effects[name] for shop in world.shops]
        made = sum(effects) / (1 if path == "/made" else len(NAMES))
        in_doubt = code_of(answer) == IN_DOUBT
        doubts += in_doubt
        world.expect(made in ((0, 1) if in_doubt else (1,)), f"{path} {name}: {effects}, told {answer.text}")
        world.expect(in_doubt or answer.status_code == 201, f"{path} {name}: {answer.status_code} {answer.text}")
    both = f"{world.tries[0]} and {world.tries[1]} tries"
    return f"{len(answers)} changes with keys done once each, by {both}, {doubts} told as in doubt"


async def cut_in_a_rush(world: World) -> str:
    """The second gateway loses everything while buyers want the last seats of all shards."""
    told: set[str] = set()

    async def buy(number: int) -> bool:
        items = [{"date": f"{name}-seats", "quantity": 1} for name in NAMES]
        turned = [*items[number % len(items) :], *items[: number % len(items)]]
        answer = await world.insist("/orders", {"items": turned}, f"order-{number}", f"buyer{number}")
        if answer.status_code == 201:
            told.add(answer.json()["id"])
        return answer.status_code == 201

    await _during_a_cut(world, [buy(number) for number in range(BUYERS)], after_s=0.2)
    await world.settle()
    for number in count(BUYERS):  # what was given back, or is nobody's since its buyer is in doubt
        if not await buy(number):
            break
    await world.settle()
    sold = []
    for name, shop in zip(NAMES, world.shops, strict=True):
        states = Counter(order["status"] for order in shop.seats.orders.values())
        bought = {key for key, order in shop.seats.orders.items() if order["status"] == "sold"}
        sold.append(len(bought))
        world.expect(states["held"] == 0, f"{name}: {states['held']} seats are held for ever")
        world.expect(told <= bought, f"{name}: {len(told - bought)} orders were promised and are not there")
        world.expect(shop.seats.free[f"{name}-seats"] == 0, f"{name}: {shop.seats.free} left")
        world.expect(len(bought) == CAPACITY, f"{name}: {len(bought)} of {CAPACITY} seats sold")
    return f"{sum(sold)} of {CAPACITY * len(NAMES)} seats sold"


async def _during_a_cut(world: World, work: Sequence[Awaitable[Any]], after_s: float = 1.0) -> None:
    working = asyncio.gather(*work)
    await asyncio.sleep(after_s)
    world.hosts.cut(THERE, EVERYTHING)
    await asyncio.sleep(CUT_S)
    world.hosts.join(THERE, EVERYTHING)
    await working


async def enter_world(folder: Path, stack: AsyncExitStack) -> World:
    """Start the hosts, the database, the shards and the gateways."""
    hosts = stack.enter_context(Hosts(2))
    server = stack.enter_context(PostgresServer(network=SWITCHES[1]))
    store = server.create("store").replace("127.0.0.1", f"{SWITCHES[1]}.1")
    shops = []
    for name in NAMES:
        shop = Shop(Seats({f"{name}-seats": CAPACITY}), host=f"{SWITCHES[0]}.1")
        shops.append(await stack.enter_async_context(shop))
    (folder / "secret").write_text(SECRET)
    clients = []
    for host in (HERE, THERE):
        config = {
            **RULES,
            "listen": f"{SWITCHES[0]}.{host}:8080",
            "store": store,
            "shards": {name: shop.url for name, shop in zip(NAMES, shops, strict=True)},
            "clients": {
                "jwt": {"algorithms": ["HS256"], "key_file": str(folder / "secret")},
                "quota": {"calls": QUOTA},
            },
        }
        file = folder / f"gateway-{host}.yaml"
        file.write_text(yaml.safe_dump(config))
        command = [*hosts.inside(host), str(BIN / "shardgate"), "serve", "-c", str(file)]
        gateway = Server(command, folder / f"gateway-{host}.log")
        await asyncio.to_thread(gateway.start)
        stack.callback(gateway.kill)
        client = httpx.AsyncClient(base_url=gateway.url, timeout=PATIENCE_S, verify=False)
        clients.append(await stack.enter_async_context(client))
    return World(hosts, server, store, shops, clients)


async def run(folder: Path, *, quick: bool, report: Callable[[str], None] = print) -> list[str]:
    """Run all; what does not hold."""
    async with AsyncExitStack() as stack:
        world = await enter_world(folder, stack)
        report(await names_race(world, 5 if quick else 30))
        report(await quota(world))
        report(await cut_from_the_store(world))
        report(await cut_wholly(world, 8, 8 if quick else 40))
        report(await cut_in_a_rush(world))
        return world.findings


def main() -> None:
    """Run, and exit with 1 where something does not hold; with 2 where there can be no hosts."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--quick", action="store_true", help="fewer names and changes")
    try:
        enter("proof.two_hosts")
        given = options.parse_args()
        with tempfile.TemporaryDirectory(prefix="shardgate-hosts-") as folder:
            findings = asyncio.run(run(Path(folder), quick=given.quick, report=lambda text: print(text, flush=True)))
            if findings:
                for file in sorted(Path(folder).glob("*.log")):
                    print(f"{file.name}:\n{file.read_text()[-2000:]}")
    except NoHostsError as error:
        print(f"hosts: cannot be run here: {error}")
        sys.exit(2)
    for finding in findings:
        print(finding)
    print(f"hosts: 2 gateways, {len(NAMES)} shards, 3 cuts: {len(findings)} findings")
    sys.exit(1 if findings else 0)


if __name__ == "__main__":
    main()
