"""`make crash`: kills the gateway at every step of every kind of change, brings it back, and looks at what is left.

A point is a step of the journal (before it is on the disk, and after) or a call to a shard (before it takes effect, and
after, before its reply). Each is killed once, by SIGKILL, on real gateway processes.

Holds: after each, every change is everywhere or nowhere, once; what a client was promised is there; nothing is stuck.
"""

import argparse
import asyncio
import os
import signal
import ssl
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import httpx
import yaml

from proof.fleet import READY_TIMEOUT_S
from proof.shop import Seats, Shop
from proof.stores import add_option, empty_stores
from shardgate.store.database import StorePlace
from shardgate.store.desk import Desk
from shardgate.store.opening import open_store, store_place
from shardgate.store.parts import record_parts

NAMES = ("north", "south", "west")
SETTLED_WITHIN_S = 20.0
LEASE_S = 0.5
_READY = "ready on http://127.0.0.1:"
_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # without it each client reads the machine's certificates (20 ms)

_UNDO_CREATE = {"method": "DELETE", "path": "/things/{id}"}
_EVERY = {"rule": "every", "check": "/things/{id}"}
_SPLIT = {
    "rule": "divide",
    "items": "items",
    "key": "date",
    "locate": "date",
    "mode": "all_or_none",
    "check": "/orders/{id}",
}
_OF_ORDER = {"rule": "one", "key": "path.id", "locate": "order"}
_PARTS = {"kind": "entity", "parts": {"sum": ["price", "amount"], "lists": {"items": ["date"]}}}
RULES: dict[str, Any] = {
    "workers": 1,
    "timeouts": {"worker_lease_s": LEASE_S, "request_timeout_s": 5},
    "locators": {
        "date": [{"kind": "prefix", "shards": {name: name for name in NAMES}}],
        "made": [{"kind": "hash"}],
        "order": [{"kind": "probe", "path": "/orders/{key}"}],
    },
    "rules": {
        "POST /things": {**_EVERY, "undo": _UNDO_CREATE},
        "POST /notes": {**_EVERY, "mode": "eventual", "check": "/notes/{id}"},
        "POST /vendors": {"rule": "place", "space": "vendors", "key": "body.id", "check": "/vendors/{key}"},
        "POST /made": {"rule": "one", "key": "body.id", "locate": "made"},
        "POST /orders": {
            **_SPLIT,
            "assign": {"id": "hex"},
            "sum": ["price"],
            "confirm": {"method": "POST", "path": "/orders/{id}/confirm"},
            "undo": {"method": "POST", "path": "/orders/{id}/cancel"},
        },
        "POST /orders/{id}/void": {**_OF_ORDER, "parts": _PARTS, "change": {"read": "/orders/{id}"}},
        "POST /orders/{id}/pay": {
            **_OF_ORDER,
            "parts": _PARTS,
            "change": {
                "read": "/orders/{id}",
                "assign": {"id": "hex"},
                "share": {"member": "amount", "of": "price", "less": "paid"},
            },
        },
    },
}


class Gateway:
    """The gateway's processes, one group, so that they die together."""

    def __init__(self, folder: Path, workers: int = 1) -> None:
        self._folder = folder
        self._pid = 0
        self.trap = folder / "trap"
        self.port = 0
        self.starts = 0
        command = [sys.executable, "-m", "proof.killed", str(self.trap), "serve", "-c", str(folder / "gate.yaml")]
        command += ["--workers", str(workers)]
        self._maker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def start(self) -> None:
        """Start, and wait until it is ready."""
        self.kill()
        self.trap.write_text("")
        self.starts += 1
        log = self._folder / "gateway.log"
        log.write_text("")
        assert self._maker.stdin is not None
        assert self._maker.stdout is not None
        self._maker.stdin.write(f"{log}\n")
        self._maker.stdin.flush()
        self._pid = int(self._maker.stdout.readline())
        deadline_at = time.monotonic() + READY_TIMEOUT_S
        while _READY not in (text := log.read_text()):
            if time.monotonic() > deadline_at or not self.lives:
                raise RuntimeError(f"the gateway did not become ready:\n{text}")
            time.sleep(0.01)
        self.port = int(text.partition(_READY)[2].partition(" ")[0])

    def kill(self) -> None:
        """As a power cut would."""
        with suppress(ProcessLookupError):
            if self._pid:
                os.killpg(self._pid, signal.SIGKILL)
        while self.lives:
            time.sleep(0.001)

    def close(self) -> None:
        """End all."""
        self.kill()
        self._maker.kill()
        self._maker.communicate()

    @property
    def lives(self) -> bool:
        """Whether it still runs."""
        return bool(self._pid) and Path(f"/proc/{self._pid}").exists()


@dataclass
class World:
    """Three shards in this process, and the gateway before them."""

    store: StorePlace
    gateway: Gateway
    shops: list[Shop]
    told: int = 0
    number: int = 0
    kill_at: str = ""
    calls: int = 0
    slowest_s: float = 0.0

    def arm(self, point: str) -> None:
        """Die at a point: `journal 3 before`, `call 2 after`; from here on it is counted anew."""
        kind, _, rest = point.partition(" ")
        self.told += 1
        self.gateway.trap.write_text(f"{rest}#{self.told}" if kind == "journal" else f"#{self.told}")
        self.kill_at, self.calls = (rest if kind == "call" else ""), 0

    def hear(self, when: str) -> None:
        """A call has come to a shard."""
        self.calls += when == "before"
        if self.kill_at == f"{self.calls} {when}":
            self.kill_at = ""
            self.gateway.kill()

    async def ask(self, path: str, body: Any, **headers: str) -> httpx.Response | None:
        """A client's request; None where the gateway died before it answered."""
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{self.gateway.port}", timeout=15, verify=_NO_TLS
        ) as client:
            try:
                return await client.post(path, json=body, headers=headers)
            except httpx.TransportError:
                return None

    async def settle(self) -> bool:
        """Wait until nothing is open; False: something is stuck."""
        begun = time.monotonic()
        while self.gateway.lives and time.monotonic() - begun < SETTLED_WITHIN_S:
            with Desk(self.store) as desk:
                entries = desk.entries(everything=False)
            if not entries:
                return True
            if any(entry.state == "stuck" for entry, _ in entries):
                return False
            await asyncio.sleep(0.02)
        return False

    def tenants(self) -> dict[str, str]:
        """The directory."""
        with open_store(self.store) as store:
            return store.read("vendors")


@dataclass
class Verdict:
    """What is left after a point."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)


def _judge(present: list[bool], effects: list[int], promised: bool | None) -> Verdict:
    """Everywhere or nowhere, once; and as the client was told, if it was."""
    found = Verdict()
    if any(present) != all(present) or (promised is not None and promised != all(present)):
        found.lost.append(f"on {present}, promised {promised}")
    if max(effects) > 1:
        found.doubled.append(f"made {effects} times")
    return found


def _promise(answer: httpx.Response | None) -> bool | None:
    if answer is None or answer.status_code >= 500:
        return None
    return answer.status_code < 300


Scenario = Callable[[World, str], Any]


async def order(world: World, key: str, *, sold_out: bool = False) -> Callable[[], Verdict]:
    """An order over three shards; where one is sold out it must take no seat anywhere."""
    dates = [f"{name}-{'none' if sold_out and name == 'west' else 'seats'}" for name in NAMES]
    answer = await world.ask("/orders", {"id": key, "items": [{"date": date, "quantity": 1} for date in dates]})

    def judge() -> Verdict:
        halls = [shop.seats for shop in world.shops]
        states = [hall.orders.get(key, {}).get("status", "none") for hall in halls]
        found = _judge([state == "sold" for state in states], [hall.effects[key] for hall in halls], _promise(answer))
        if "held" in states or (sold_out and "sold" in states):
            found.lost.append(f"seats are {states}")
        for hall, name in zip(halls, NAMES, strict=True):
            sold = sum(each["status"] == "sold" for each in hall.orders.values())
            if hall.free[f"{name}-seats"] + sold != SEATS:
                found.lost.append(f"{name} has {hall.free[f'{name}-seats']} seats free and {sold} sold")
        return found

    return judge


async def refused_order(world: World, key: str) -> Callable[[], Verdict]:
    """An order of which the last shard has nothing left."""
    return await order(world, key, sold_out=True)


async def strict(world: World, key: str, *, refused: bool = False) -> Callable[[], Verdict]:
    """A thing on every shard; where one refuses it, on none."""
    if refused:
        world.shops[2].things.held[key] = {"id": "in the way"}
    answer = await world.ask("/things", {"id": key})

    def judge() -> Verdict:
        shelves = [shop.things for shop in world.shops]
        if refused:
            shelves[2].held.pop(key, None)
        present = [key in shelf.held for shelf in shelves]
        return _judge(present, [shelf.effects[key] for shelf in shelves], False if refused else _promise(answer))

    return judge


async def refused_strict(world: World, key: str) -> Callable[[], Verdict]:
    """A thing that the last shard refuses."""
    return await strict(world, key, refused=True)


async def eventual(world: World, key: str) -> Callable[[], Verdict]:
    """Two notes while a shard is down; it must get both, in order, on its return."""
    down = world.shops[1]
    await down.__aexit__(None, None, None)
    answers = [await world.ask("/notes", {"id": f"{key}{which}"}) for which in "ab"]
    await down.__aenter__()

    def judge() -> Verdict:
        shelves = [shop.things for shop in world.shops]
        found = Verdict()
        for answer, which in zip(answers, "ab", strict=True):
            name = f"{key}{which}"
            one = _judge([name in s.held for s in shelves], [s.effects[name] for s in shelves], _promise(answer))
            found.lost += one.lost
            found.doubled += one.doubled
        mine = [name for name in down.things.held if name.startswith(key)]
        if mine != sorted(mine):
            found.lost.append(f"out of order: {mine}")
        return found

    return judge


def _sold(world: World, key: str) -> None:
    """An order over three shards, made before anything is killed."""
    for shop, name in zip(world.shops, NAMES, strict=True):
        said, _ = shop.seats.act("POST", ["orders"], {"id": key, "items": [{"date": f"{name}-seats", "quantity": 1}]})
        assert said == 201
        shop.seats.orders[key] |= {"status": "sold", "paid": 0}
    with open_store(world.store) as store, store.transaction():
        record_parts(store, "order", key, NAMES)


async def parts_cancelled(world: World, key: str) -> Callable[[], Verdict]:
    """An order in three parts is cancelled: all parts are, or none; each gives its seat back once."""
    _sold(world, key)
    answer = await world.ask(f"/orders/{key}/void", {})

    def judge() -> Verdict:
        halls = [shop.seats for shop in world.shops]
        cancelled = [hall.orders[key]["status"] == "cancelled" for hall in halls]
        return _judge(cancelled, [hall.effects[f"void {key}"] for hall in halls], _promise(answer))

    return judge


async def parts_paid(world: World, key: str) -> Callable[[], Verdict]:
    """One payment of an order in three parts: all are paid, or none."""
    _sold(world, key)
    answer = await world.ask(f"/orders/{key}/pay", {"amount": 30})

    def judge() -> Verdict:
        halls = [shop.seats for shop in world.shops]
        paid = [hall.orders[key]["paid"] == 10 for hall in halls]
        return _judge(paid, [hall.effects[f"pay {key}"] for hall in halls], _promise(answer))

    return judge


async def place(world: World, key: str) -> Callable[[], Verdict]:
    """A new tenant: on one shard, and in the directory if it is there."""
    answer = await world.ask("/vendors", {"id": key})

    def judge() -> Verdict:
        holders = [name for name, shop in zip(NAMES, world.shops, strict=True) if key in shop.things.held]
        made = sum(shop.things.effects[key] for shop in world.shops)
        found = _judge([bool(holders)], [made], _promise(answer))
        if holders != [shard for tenant, shard in world.tenants().items() if tenant == key]:
            found.lost.append(f"on {holders}, the directory says {world.tenants().get(key)}")
        return found

    return judge


async def keyed(world: World, key: str) -> Callable[[], Verdict]:
    """A create with an idempotency key, which its client repeats until it knows."""
    # A key belongs to a client and to one request: this one says who it is, and asks the same host again.
    fields = {"Idempotency-Key": f'"{key}"', "Authorization": "Bearer partner", "Host": "shop.example"}
    answer = await world.ask("/made", {"id": key}, **fields)
    if answer is None:
        await asyncio.to_thread(world.gateway.start)
        await asyncio.sleep(LEASE_S * 1.5)
        answer = await world.ask("/made", {"id": key}, **fields)
    until = time.monotonic() + KNOWN_WITHIN_S
    while answer is not None and answer.json().get("code") == "SG1016" and time.monotonic() < until:
        await asyncio.sleep(float(answer.headers["Retry-After"]))  # it is told to ask again, and nothing else
        answer = await world.ask("/made", {"id": key}, **fields)

    def judge() -> Verdict:
        made = sum(shop.things.effects[key] for shop in world.shops)
        known = None if answer is None or answer.json().get("code") == "SG1018" else answer.status_code < 300
        return _judge([made > 0], [made], known)

    return judge


SCENARIOS: dict[str, Scenario] = {
    "order": order,
    "refused order": refused_order,
    "strict": strict,
    "refused strict": refused_strict,
    "eventual": eventual,
    "place": place,
    "keyed": keyed,
    "parts cancelled": parts_cancelled,
    "parts paid": parts_paid,
}
SEATS = 1000
KNOWN_WITHIN_S = 15.0
"""A server of PostgreSQL that has just started calls nobody dead for 5 s, and a worker is looked at twice."""


KINDS = ("journal", "call")
WHENS = ("before", "after")


def _points(kinds: Sequence[str], whens: Sequence[str]) -> Iterator[Iterator[str]]:
    for kind in kinds:
        for when in whens:
            yield (f"{kind} {number} {when}" for number in range(1, 1000))


async def _kill_once(world: World, name: str, scenario: Scenario, point: str) -> tuple[bool, Verdict]:
    """Whether the gateway was killed at this point, and what was left."""
    world.number += 1
    key = f"{name.replace(' ', '-')}-{world.number}"
    world.arm(point)
    starts = world.gateway.starts
    judge = await scenario(world, key)
    await world.settle()
    begun = time.monotonic()
    if not world.gateway.lives:
        await asyncio.to_thread(world.gateway.start)
    calm = await world.settle()
    world.slowest_s = max(world.slowest_s, time.monotonic() - begun)
    verdict: Verdict = judge()
    if not calm:
        verdict.stuck.append("something is still open")
    return world.gateway.starts > starts, verdict


async def run(
    folder: Path,
    names: list[str],
    kinds: Sequence[str] = KINDS,
    store: str = "",
    whens: Sequence[str] = WHENS,
) -> tuple[Counter[str], list[str], float]:
    """Kill each point of each scenario; what was counted, the findings, and the longest recovery in seconds."""
    counted: Counter[str] = Counter()
    findings: list[str] = []
    async with AsyncExitStack() as stack:
        world = await enter_world(folder, stack, store=store)
        for name in names:
            for points in _points(kinds, whens):
                for point in points:
                    killed, verdict = await _kill_once(world, name, SCENARIOS[name], point)
                    for what in ("lost", "doubled", "stuck"):
                        counted[what] += bool(getattr(verdict, what))
                        findings += [f"{name}, {point}: {what}: {why}" for why in getattr(verdict, what)]
                    if not killed:
                        break
                    counted["points"] += 1
        return counted, findings, world.slowest_s


async def enter_world(
    folder: Path, stack: AsyncExitStack, workers: int = 1, lease_s: float = LEASE_S, store: str = ""
) -> World:
    """Start the shards and the gateway. `store`: the URL of an empty database; without it a file."""
    gateway = Gateway(folder, workers)
    stack.callback(gateway.close)
    world = World(store_place(store or str(folder / "store.db")), gateway, [])
    for name in NAMES:
        shop = Shop(Seats({f"{name}-seats": SEATS, f"{name}-none": 0}))
        shop.before, shop.after = (lambda _: world.hear("before")), (lambda _: world.hear("after"))
        world.shops.append(await stack.enter_async_context(shop))
    open_store(world.store).close()
    urls = {name: shop.url for name, shop in zip(NAMES, world.shops, strict=True)}
    timeouts = {**RULES["timeouts"], "worker_lease_s": lease_s}
    places = {"directory": store or "store.db"}
    config = {"listen": "127.0.0.1:0", "shards": urls, **RULES, **places, "timeouts": timeouts}
    (folder / "gate.yaml").write_text(yaml.safe_dump(config))
    await asyncio.to_thread(gateway.start)
    return world


def run_chain(name: str, kind: str, when: str, store: str) -> tuple[Counter[str], list[str], float]:
    """Kill at one kind of point of one scenario, at the first, the second, and so on, in a world of its own."""
    with tempfile.TemporaryDirectory(prefix="shardgate-crash-") as folder:
        return asyncio.run(run(Path(folder), [name], kinds=[kind], store=store, whens=[when]))


def main() -> None:
    """Run all, show how far it is, and end with one line."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--only", choices=list(SCENARIOS), action="append", help="one kind of change")
    options.add_argument("--at-once", type=int, default=(os.cpu_count() or 1) * 2, help="worlds at a time")
    add_option(options)
    given = options.parse_args()
    counted, findings, slowest_s = Counter[str](), list[str](), 0.0
    # A world waits for leases to end most of the time: two for each core keep it busy.
    with empty_stores(given.store) as new_store, ProcessPoolExecutor(given.at_once, get_context("spawn")) as pool:
        chains = {
            pool.submit(run_chain, name, kind, when, new_store()): f"{name}, {kind} {when}"
            for name in given.only or SCENARIOS
            for kind in KINDS
            for when in WHENS
        }
        for chain in as_completed(chains):
            its_counted, its_findings, its_slowest_s = chain.result()
            counted, slowest_s = counted + its_counted, max(slowest_s, its_slowest_s)
            findings += its_findings
            print(f"{chains[chain]}: {its_counted['points']} points, {len(its_findings)} findings", flush=True)
    for finding in findings:
        print(finding)
    print(f"each time all was settled within {slowest_s:.1f} s, the start of the new gateway included")
    print(
        f"crash: {counted['points']} points, {counted['lost']} lost, {counted['doubled']} doubled,"
        f" {counted['stuck']} stuck"
    )
    with suppress(KeyboardInterrupt):
        sys.exit(1 if findings else 0)


if __name__ == "__main__":
    main()
