"""A small application that holds things, as a shard: what it is sent it does, and counts; it can be told to fail."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from tests.cluster import Asked, reply


@dataclass
class Things:
    """The things of one shard; `says` may answer first, with bytes, or b"" for a lost reply, or None to go on."""

    held: dict[str, dict[str, Any]] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    says: Any = None
    delay_s: float = 0.0

    async def __call__(self, asked: Asked) -> bytes:
        method, target, _ = asked.line.split()
        if self.delay_s:
            await asyncio.sleep(self.delay_s)
        if self.says is not None and (said := self.says(asked)) is not None:
            return said
        status, body = self._act(method, target.partition("?")[0].split("/")[1:], asked.body)
        return reply(json.dumps(body, separators=(",", ":")), status=status)

    def _act(self, method: str, path: list[str], body: bytes) -> tuple[str, Any]:
        given = json.loads(body) if body else {}
        if method != "GET":
            self.log.append(f"{method} /{'/'.join(path)}")
        if method == "POST" and len(path) == 1:
            key = str(given.get("id") or f"made-{len(self.held)}")
            if key in self.held:
                return "409 Conflict", {"error": "taken"}
            if given.get("name") == "bad":
                return "422 Unprocessable Content", {"error": "name"}
            self.held[key] = {**given, "id": key}
            return "201 Created", self.held[key]
        thing = self.held.get(path[1]) if len(path) > 1 else None
        if thing is None:
            return ("200 OK", sorted(self.held)) if len(path) == 1 else ("404 Not Found", {"error": "no"})
        if method == "PATCH":
            thing |= given
        elif method == "DELETE":
            del self.held[path[1]]
            return "200 OK", {}
        return "200 OK", thing
