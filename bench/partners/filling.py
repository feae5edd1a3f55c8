"""Fills the holes of a request: `{0.date}` is a date of the first product that the journey looks at.

Holds: a hole without a value is an error, never an empty text.
"""

import json
import re
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any
from uuid import UUID

import msgspec

from bench.partners.definition import Step

PICKS = 10
"""Products that one journey can look at."""
_HOLE = re.compile(r"\{([a-z0-9.+]+)\}")


class Pool(msgspec.Struct, frozen=True):
    """What the platform has to offer, as it was read before the load."""

    dates: Sequence[Mapping[str, str]]
    """`date`, `event`, `day`, and days after it: `day+30`."""
    offsets_max: int
    """The last offset from which a list has a page."""
    reference: str
    """The mark of all bookings of this run."""


class Request(msgspec.Struct, frozen=True):
    """Ready to be sent."""

    method: str
    target: str
    body: bytes | None


class Values:
    """What fills the holes of one journey."""

    def __init__(self, pool: Pool, chance: Random) -> None:
        self._picked = [chance.choice(pool.dates) for _ in range(PICKS)]
        self._of_journey = {
            "uuid": str(UUID(int=chance.getrandbits(128), version=4)),
            "reference": pool.reference,
            "offset": str(chance.randint(0, pool.offsets_max)),
        }

    def request(self, step: Step) -> Request:
        """The request of a step. Raises KeyError where a hole is not known."""
        body = None if step.body is None else self._filled(json.dumps(step.body)).encode()
        return Request(step.method, self._filled(step.target), body)

    def _filled(self, text: str) -> str:
        return _HOLE.sub(self._value, text)

    def _value(self, hole: "re.Match[str]") -> str:
        place, dot, name = hole[1].partition(".")
        found: Any = self._picked[int(place)][name] if dot else self._of_journey[place]
        return str(found)
