"""A small booking application, as a shard: dates with seats, orders that hold, confirm and cancel them."""

import json
from dataclasses import dataclass, field
from typing import Any

from proof.shop import Seats as Hall
from tests.cluster import Asked
from tests.served.things import said


@dataclass
class Seats(Hall):
    """One shard's seats. `says` may answer first: bytes, or b"" for a lost reply, or None to go on."""

    log: list[str] = field(default_factory=list)
    says: Any = None

    def __call__(self, asked: Asked) -> bytes:
        if self.says is not None and (answer := self.says(asked)) is not None:
            return answer
        return self.answer(asked)

    def answer(self, asked: Asked) -> bytes:
        method, target, _ = asked.line.split()
        if method == "POST":
            self.log.append(f"{method} {target}")
        return said(*self.act(method, target.split("/")[1:], json.loads(asked.body) if asked.body else {}))
