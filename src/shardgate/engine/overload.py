"""Takes requests on, or refuses them at once, by how many are under way and how late the loop is.

Holds: the loop is watched only while many requests are under way. While it sheds, a sample of how late it is waits in
turn as one more merge would.
Hot path: with few requests under way, and without priority classes, nothing of this runs.
"""

import asyncio

from shardgate.clients.loads import ClientLoads
from shardgate.clients.ranks import Ranks
from shardgate.core.clients.shedding import SAMPLE_S
from shardgate.core.errors import OverloadError
from shardgate.core.exchange import Exchange
from shardgate.core.http import Request
from shardgate.core.routes.route import Route
from shardgate.net.client.contracts import Client
from shardgate.net.clock import now
from shardgate.net.turns import Turns
from shardgate.observe.meter import Meter


class Overload:
    """Of one worker."""

    __slots__ = ("_is_watching", "_loads", "_meter", "_turns", "ranks")

    def __init__(self, loads: ClientLoads, turns: Turns, meter: Meter) -> None:
        self._loads = loads
        self._turns = turns
        self._meter = meter
        self._is_watching = False
        """The loop is to take a sample of how late it is."""
        self.ranks: Ranks | None = None
        """Of requests; None: there are no classes."""

    def take_on(
        self, request: Request, route: Route, client: Client, exchange: Exchange, *, batch_rank: int = -1
    ) -> None:
        """Refuse what is more than the worker can do now, and see how late the loop is. Raises OverloadError.

        `batch_rank`: of the batch that the request is in; -1: it is in none.
        """
        if self.ranks is None:
            self._take_on(exchange, 0, is_list=route.is_list)
        elif exchange.rank < 0:  # else it was taken on, and its body came meanwhile
            rank = self.ranks.rank_of(request, route, client) if batch_rank < 0 else batch_rank
            self._take_on_of_class(self.ranks.classes.names[rank], rank, route, exchange)

    def over(self, exchange: Exchange) -> None:
        """A request is over: one less of its class."""
        if exchange.rank >= 0:
            self._loads.shedding.end(exchange.rank, is_list=exchange.is_list)

    def _take_on_of_class(self, name: str, rank: int, route: Route, exchange: Exchange) -> None:
        if self._meter.in_flight > self._loads.watched_from:
            try:
                self._take_on(exchange, rank, is_list=route.is_list)
            except OverloadError:
                self._meter.ranked(name, is_refused=True)
                raise
        self._loads.shedding.begin(rank, is_list=route.is_list)
        exchange.rank = rank
        self._meter.ranked(name, is_refused=False)

    def _take_on(self, exchange: Exchange, rank: int, *, is_list: bool) -> None:
        if not self._is_watching:
            self._watch()
        elif exchange.began_at > self._loads.shedding.late_at:
            self._loads.is_late(self._meter.in_flight)
            self._turns.paces = self._loads.shedding.is_shedding
        if not exchange.is_list:  # else it was taken on, and its body came meanwhile
            self._loads.take_on(exchange.load, self._meter.in_flight, is_list=is_list, rank=rank)

    def _watch(self) -> None:
        self._is_watching = True
        self._turns.paces = self._loads.shedding.is_shedding
        self._loads.shedding.expect(now())
        asyncio.get_running_loop().call_later(SAMPLE_S, self._sample)

    def _sample(self) -> None:
        if self._turns.is_idle:
            self._sampled()
        else:
            self._loads.shedding.waits(now())
            self._turns.mark(self._sampled)

    def _sampled(self) -> None:
        self._is_watching = self._turns.paces = False
        if self._loads.sampled(self._meter.in_flight):
            self._watch()
