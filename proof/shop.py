"""A shop in a few lines, as a shard of the proofs of writes: things that are the same everywhere, and orders of seats.

Holds: it counts what took effect, so that a proof can say what was lost and what was done twice.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from http import HTTPStatus
from types import TracebackType
from typing import Any

Said = tuple[int, Any]
"""A status and a JSON body."""


@dataclass
class Things:
    """Things by id: created, changed, deleted."""

    held: dict[str, dict[str, Any]] = field(default_factory=dict)
    effects: Counter[str] = field(default_factory=Counter)

    def act(self, method: str, path: list[str], given: Any) -> Said:
        """Do what a request says, at once."""
        if method == "POST" and len(path) == 1:
            return self._create(given)
        thing = self.held.get(path[1]) if len(path) > 1 else None
        if thing is None:
            return (200, sorted(self.held)) if len(path) == 1 else (404, {"error": "no"})
        if method == "PATCH":
            thing |= given
        elif method == "DELETE":
            del self.held[path[1]]
            return 200, {}
        return 200, thing

    def _create(self, given: Any) -> Said:
        key = str(given.get("id") or f"made-{len(self.held)}")
        if key in self.held:
            return 409, {"error": "taken"}
        if given.get("name") == "bad":
            return 422, {"error": "name"}
        self.effects[key] += 1
        self.held[key] = {**given, "id": key}
        return 201, self.held[key]


@dataclass
class Seats:
    """Dates with free seats, and orders that hold them, sell them, and give them back."""

    free: dict[str, int]
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    effects: Counter[str] = field(default_factory=Counter)

    def act(self, method: str, path: list[str], given: Any) -> Said:
        """Do what a request says, at once."""
        if path == ["check"]:
            return self._check(given)
        if path[0] == "dates":
            return (200, {"id": path[1]}) if path[1] in self.free else (404, {"error": "no date"})
        if path == ["orders"] and method == "POST":
            return self._order(given)
        if path[2:] == ["pay"]:
            return self._pay(self.orders.get(path[1]), given)
        return self._change(self.orders.get(path[1]), path[2:])

    def _check(self, given: Any) -> Said:
        items = given["items"] if isinstance(given, dict) else None
        if not isinstance(items, list) or not items:
            return 422, {"error": "items"}
        for position, item in enumerate(items):
            if not isinstance(item.get("quantity"), int):
                return 422, {"error": f"items.{position}.quantity"}
        for item in items:
            if item["date"] not in self.free:
                return 404, {"error": f"no date {item['date']}"}
        found = [{"date": each["date"], "free": self.free[each["date"]] >= each["quantity"]} for each in items]
        return 200, {"currency": "EUR", "items": found}

    def _order(self, given: Any) -> Said:
        if given["id"] in self.orders:
            return 409, {"error": "taken"}
        wanted = Counter[str]()
        for item in given["items"]:
            wanted[item["date"]] += item["quantity"]
        if any(self.free[date] < count for date, count in wanted.items()):
            return 409, {"error": "sold out"}
        self.effects[given["id"]] += 1
        for date, count in wanted.items():
            self.free[date] -= count
        items = [{"date": item["date"], "price": 10 * item["quantity"]} for item in given["items"]]
        order = {"id": given["id"], "price": sum(item["price"] for item in items), "status": "held", "items": items}
        self.orders[given["id"]] = {**order, "wanted": wanted}
        return 201, order

    def _change(self, order: Any, action: list[str]) -> Said:
        if order is None:
            return 404, {"error": "no order"}
        if action == ["confirm"]:
            if order["status"] == "cancelled":
                return 409, {"error": "cancelled"}
            order["status"] = "sold"
        if action == ["void"]:
            if order["status"] == "cancelled":
                return 409, {"error": "cancelled"}
            self.effects[f"void {order['id']}"] += 1
            order["status"] = "held"
        if action in (["cancel"], ["void"]) and order["status"] != "cancelled":
            if order["status"] == "sold":
                return 409, {"error": "sold"}
            order["status"] = "cancelled"
            for date, count in order["wanted"].items():
                self.free[date] += count
        return 200, {name: value for name, value in order.items() if name != "wanted"}

    def _pay(self, order: Any, given: Any) -> Said:
        if order is None:
            return 404, {"error": "no order"}
        paid = order.get("paid", 0) + given["amount"]
        if paid > order["price"]:
            return 409, {"error": "less is due"}
        self.effects[f"pay {order['id']}"] += 1
        order["paid"] = paid
        return 201, {"id": given["id"], "amount": given["amount"]}


Hook = Callable[[str], None]


@dataclass
class Shop(AbstractAsyncContextManager["Shop"]):
    """A shard that serves both, over HTTP. `before` and `after` hear of each call as it takes effect.

    While `gate` is cleared, it takes no call.
    """

    seats: Seats = field(default_factory=lambda: Seats({}))
    things: Things = field(default_factory=Things)
    before: Hook = lambda line: None
    after: Hook = lambda line: None
    port: int = 0
    host: str = "127.0.0.1"
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        """It takes calls."""
        self.gate.set()

    def act(self, method: str, target: str, body: bytes) -> Said:
        """Whoever the path belongs to does it."""
        path = target.partition("?")[0].split("/")[1:]
        given = json.loads(body) if body else {}
        room = self.seats if path[0] in {"orders", "dates", "check"} else self.things
        return room.act(method, path, given)

    async def __aenter__(self) -> "Shop":
        """Serve, on the same port as before."""
        self._writers: set[asyncio.StreamWriter] = set()
        self._server = await asyncio.start_server(self._serve, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        self.cut()
        await self._server.wait_closed()

    def cut(self) -> None:
        """Break all connections: what came on them and was not taken never is."""
        for writer in list(self._writers):
            writer.transport.abort()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{self.host}:{self.port}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while not writer.is_closing():
                await self._answer(reader, writer.write)
                await writer.drain()
                await self.gate.wait()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, write: Callable[[bytes], None]) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        lines = head.split("\r\n")
        lengths = [line.partition(":")[2] for line in lines if line.lower().startswith("content-length:")]
        body = await reader.readexactly(int(lengths[0])) if lengths else b""
        method, target, _ = lines[0].split()
        self.before(lines[0])
        status, said = self.act(method, target, body)
        self.after(lines[0])
        data = json.dumps(said, separators=(",", ":")).encode()
        start = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: application/json\r\n"
        write(f"{start}Content-Length: {len(data)}\r\n\r\n".encode() + data)
