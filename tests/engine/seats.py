"""A small booking application, as a shard: dates with seats, orders that hold, confirm and cancel them."""

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.cluster import Asked, reply


@dataclass
class Seats:
    """One shard's seats. `says` may answer first: bytes, or b"" for a lost reply, or None to go on."""

    free: dict[str, int]
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    says: Any = None

    def __call__(self, asked: Asked) -> bytes:
        if self.says is not None and (said := self.says(asked)) is not None:
            return said
        return self.act(asked)

    def act(self, asked: Asked) -> bytes:
        method, target, _ = asked.line.split()
        path = target.split("/")[1:]
        given = json.loads(asked.body) if asked.body else None
        if method == "POST":
            self.log.append(f"{method} {target}")
        if path == ["check"]:
            return self._check(given)
        if path[0] == "dates":
            return _said(200, {"id": path[1]}) if path[1] in self.free else _said(404, {"error": "no date"})
        if path == ["orders"]:
            return self._order(given)
        return self._change(self.orders.get(path[1]), path[2:])

    def _check(self, given: Any) -> bytes:
        items = given["items"] if isinstance(given, dict) else None
        if not isinstance(items, list) or not items:
            return _said(422, {"error": "items"})
        for position, item in enumerate(items):
            if not isinstance(item.get("quantity"), int):
                return _said(422, {"error": f"items.{position}.quantity"})
        for item in items:
            if item["date"] not in self.free:
                return _said(404, {"error": f"no date {item['date']}"})
        found = [{"date": i["date"], "free": self.free[i["date"]] >= i["quantity"]} for i in items]
        return _said(200, {"currency": "EUR", "items": found})

    def _order(self, given: Any) -> bytes:
        if given["id"] in self.orders:
            return _said(409, {"error": "taken"})
        wanted = Counter[str]()
        for item in given["items"]:
            wanted[item["date"]] += item["quantity"]
        if any(self.free[date] < count for date, count in wanted.items()):
            return _said(409, {"error": "sold out"})
        for date, count in wanted.items():
            self.free[date] -= count
        items = [{"date": item["date"], "price": 10 * item["quantity"]} for item in given["items"]]
        order = {"id": given["id"], "price": sum(item["price"] for item in items), "status": "held", "items": items}
        self.orders[given["id"]] = {**order, "wanted": wanted}
        return _said(201, order)

    def _change(self, order: Any, action: list[str]) -> bytes:
        if order is None:
            return _said(404, {"error": "no order"})
        if action == ["confirm"]:
            if order["status"] == "cancelled":
                return _said(409, {"error": "cancelled"})
            order["status"] = "sold"
        if action == ["cancel"] and order["status"] != "cancelled":
            assert order["status"] == "held"
            order["status"] = "cancelled"
            for date, count in order["wanted"].items():
                self.free[date] += count
        return _said(200, {name: value for name, value in order.items() if name != "wanted"})


_PHRASES = {200: "OK", 201: "Created", 404: "Not Found", 409: "Conflict", 422: "Unprocessable Content"}


def _said(status: int, body: Any) -> bytes:
    return reply(json.dumps(body, separators=(",", ":")), status=f"{status} {_PHRASES[status]}")
