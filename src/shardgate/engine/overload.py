"""Takes requests on, or refuses them at once, by how many are under way and how late the loop is.

Holds: the loop is watched only while many requests are under way.
Hot path: with few requests under way, nothing of this runs.
"""

import asyncio

from shardgate.clients.loads import ClientLoads
from shardgate.core.clients.shedding import SAMPLE_S
from shardgate.core.exchange import Exchange
from shardgate.net.clock import now
from shardgate.observe.meter import Meter


class Overload:
    """Of one worker."""

    __slots__ = ("_is_watching", "_loads", "_meter")

    def __init__(self, loads: ClientLoads, meter: Meter) -> None:
        self._loads = loads
        self._meter = meter
        self._is_watching = False
        """The loop is to take a sample of how late it is."""

    def take_on(self, exchange: Exchange, *, is_list: bool) -> None:
        """Refuse what is more than the worker can do now, and see how late the loop is. Raises OverloadError."""
        if not self._is_watching:
            self._watch()
        elif exchange.began_at > self._loads.shedding.late_at:
            self._loads.is_late(self._meter.in_flight)
        if not exchange.is_list:  # else it was taken on, and its body came meanwhile
            self._loads.take_on(exchange.load, self._meter.in_flight, is_list=is_list)

    def _watch(self) -> None:
        self._is_watching = True
        self._loads.shedding.expect(now())
        asyncio.get_running_loop().call_later(SAMPLE_S, self._sample)

    def _sample(self) -> None:
        self._is_watching = False
        if self._loads.sampled(self._meter.in_flight):
            self._watch()
