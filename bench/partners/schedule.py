"""When journeys begin: by chance, at their rate, decided before the load and whatever the replies do.

Holds: the same seed gives the same schedule. Arrivals are a Poisson process, as those of many independent clients are.
"""

from collections.abc import Sequence
from random import Random

import msgspec

from bench.partners.definition import Definition, Journey


class Arrival(msgspec.Struct, frozen=True):
    """A client comes."""

    at_s: float
    partner: str
    journey: Journey


def arrivals(definition: Definition, lasts_s: float, chance: Random) -> Sequence[Arrival]:
    """All clients of a run, in the order in which they come; each kind once at least."""
    found = []
    for scenario in definition.scenarios:
        for journey in scenario.journeys:
            at = chance.uniform(0, min(lasts_s / 2, 1 / journey.per_s))
            while at < lasts_s:
                found.append(Arrival(at, scenario.partner, journey))
                at += chance.expovariate(journey.per_s)
    return sorted(found, key=lambda arrival: arrival.at_s)
