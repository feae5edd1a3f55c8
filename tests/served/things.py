"""A small application as a shard: it stores things, logs each change, and can be told to fail or to wait.

Used by the tests of changes, which look at what each shard stored.
"""

import asyncio
import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from proof.shop import Things as Shelf
from tests.cluster import Asked, reply


@dataclass
class Things:
    """The things of one shard.

    `says` may answer in its place: with bytes, with b"" for a lost reply, or with None to let it answer. While
    `gate` is cleared, requests wait for it.
    """

    shelf: Shelf = field(default_factory=Shelf)
    log: list[str] = field(default_factory=list)
    says: Any = None
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    @property
    def held(self) -> dict[str, dict[str, Any]]:
        return self.shelf.held

    async def __call__(self, asked: Asked) -> bytes:
        await self.gate.wait()
        if self.says is not None and (said := self.says(asked)) is not None:
            return said
        return self.act(asked)

    def act(self, asked: Asked) -> bytes:
        method, target, _ = asked.line.split()
        if method != "GET":
            self.log.append(f"{method} {target}")
        return said(*self.shelf.act(method, target.split("/")[1:], json.loads(asked.body) if asked.body else {}))


def said(status: int, body: Any) -> bytes:
    """A reply in compact JSON."""
    text = json.dumps(body, separators=(",", ":"))
    return reply(text, status=f"{status} {HTTPStatus(status).phrase}")
