"""An application that speaks a dialect, twice: one instance with all rows, and three shards with a part of them each.

Holds: `World.both` compares the gateway over the shards with the one instance, body and header fields.
"""

import random
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx

from tests.cluster import Asked, Gateway, Shard, running_gateway, running_shard

Row = dict[str, Any]
Speak = Callable[[list[Row], "Question"], bytes]
NAMES = ["Åre", "Bern", "Cham", "Ulm", "Zug", 'a "quoted" one', "\U0001f600"]
SPEAKING = ("content-type", "link", "x-total-count", "x-total-pages", "content-range")


class Question:
    """The request for a list: its target as it came, and its parameters."""

    def __init__(self, asked: Asked) -> None:
        self.target = asked.line.split(" ")[1]
        self.url = f"http://{asked.field('host')[0]}{self.target}"
        self.query = urlsplit(self.target).query
        self.values = dict(parse_qsl(self.query, keep_blank_values=True))
        self.pairs = parse_qsl(self.query, keep_blank_values=True)
        self.body = asked.body
        self.field = asked.field

    def number(self, name: str, default: int) -> int:
        return int(self.values.get(name, default))


def ranked(rows: list[Row], order: list[tuple[str, bool]]) -> list[Row]:
    """The rows sorted by (member, descends), and by id where those are equal."""
    rows = sorted(rows, key=lambda row: row["id"])
    for name, descends in reversed(order):
        rows.sort(key=lambda row: row[name], reverse=descends)
    return rows


def minus(text: str | None) -> list[tuple[str, bool]]:
    """Read an order as `-name,id` writes it."""
    return [(name.removeprefix("-"), name.startswith("-")) for name in text.split(",")] if text else []


def table(size: int) -> list[Row]:
    chance = random.Random(size)
    ids = chance.sample(range(100_000), size)
    return [{"id": f"{n:05d}", "name": chance.choice(NAMES), "price": chance.randrange(50) / 4} for n in ids]


class World:
    """The gateway over three shards of unequal size, and one instance with all rows."""

    def __init__(self, gateway: Gateway, rows: list[Row], whole: Shard, parts: list[Shard]) -> None:
        self.gateway = gateway
        self.rows = rows
        self.whole = whole
        self.parts = parts

    async def both(self, target: str, *, body: bytes | None = None, **headers: str) -> httpx.Response:
        """The gateway's reply, after it was found equal to the one instance's. With a body it asks by POST."""
        host, method = f"127.0.0.1:{self.gateway.port}", "GET" if body is None else "POST"
        ask = self.gateway.client.request
        expected = await ask(method, self.whole.url + target, content=body, headers={"Host": host, **headers})
        answer = await ask(method, target, content=body, headers=headers)
        assert (answer.status_code, answer.text) == (expected.status_code, expected.text), (target, body)
        for name in SPEAKING:
            assert answer.headers.get(name) == expected.headers.get(name), (target, name)
        return answer

    def local(self, link: str) -> str:
        """The target of a link, which must be to the gateway."""
        base = f"http://127.0.0.1:{self.gateway.port}"
        assert link.startswith((base + "/", "/")), link
        return link.removeprefix(base)


async def world(
    stack: AsyncExitStack,
    folder: Path,
    speak: Speak,
    dialect: dict[str, Any],
    size: int = 120,
    operation: str = "GET /rows",
    prune: dict[str, str] | None = None,
    instead: dict[str, Any] | None = None,
    missing: Any = "strict",
    **merge: Any,
) -> World:
    """Start the shards, the one instance and the gateway. `instead`: another merge than a list. `missing`: the rule's
    own."""
    rows = table(size)
    chance = random.Random(7)
    parts: list[list[Row]] = [[], [], []]
    for row in rows:
        part = chance.choice([0, 0, 0, 0, 1, 1, 2])
        parts[part].append(row)
        row["vendor"] = f"{'abc'[part]}-1"
    whole = await stack.enter_async_context(running_shard(lambda asked: speak(rows, Question(asked))))
    shards = [
        await stack.enter_async_context(running_shard(lambda asked, part=part: speak(part, Question(asked))))  # type: ignore[misc]
        for part in parts
    ]
    rule = {"kind": "list", "dialect": dialect, "keys": {"id": "text", "name": "text", "price": "number"}, **merge}
    rule = instead or rule
    config = {
        "shards": {f"s{n}": shard.url for n, shard in enumerate(shards)},
        "rules": {operation: {"rule": "gather", "merge": rule, "prune": prune or {}, "missing": missing}},
        "locators": {"part": [{"kind": "prefix", "shards": {"a": "s0", "b": "s1", "c": "s2"}}]},
        "cursors": {"secret_file": "cursor.secret"},
    }
    (folder / "cursor.secret").write_text("0123456789abcdef" * 4)
    gateway = await stack.enter_async_context(running_gateway(config, folder))
    return World(gateway, rows, whole, shards)
