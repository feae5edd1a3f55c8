"""A small application that holds things, as a shard: what it is sent it does, and notes; it can be told to fail."""

import asyncio
import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from proof.shop import Things as Shelf
from tests.cluster import Asked, reply


@dataclass
class Things:
    """The things of one shard; `says` may answer first, with bytes, or b"" for a lost reply, or None to go on."""

    shelf: Shelf = field(default_factory=Shelf)
    log: list[str] = field(default_factory=list)
    says: Any = None
    delay_s: float = 0.0

    @property
    def held(self) -> dict[str, dict[str, Any]]:
        return self.shelf.held

    async def __call__(self, asked: Asked) -> bytes:
        if self.delay_s:
            await asyncio.sleep(self.delay_s)
        if self.says is not None and (said := self.says(asked)) is not None:
            return said
        return self.act(asked)

    def act(self, asked: Asked) -> bytes:
        method, target, _ = asked.line.split()
        if method != "GET":
            self.log.append(f"{method} {target}")
        return said(*self.shelf.act(method, target.split("/")[1:], json.loads(asked.body) if asked.body else {}))


def said(status: int, body: Any) -> bytes:
    text = json.dumps(body, separators=(",", ":"))
    return reply(text, status=f"{status} {HTTPStatus(status).phrase}")
