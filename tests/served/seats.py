"""A small booking application as a shard: dates have seats, and orders hold, confirm or cancel them."""

import json
from dataclasses import dataclass, field
from typing import Any

from proof.shop import Seats as Hall
from tests.cluster import Asked
from tests.served.things import said


@dataclass
class Seats(Hall):
    """The seats of one shard.

    `says` may answer in its place: with bytes, with b"" for a lost reply, or with None to let it answer.
    """

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
