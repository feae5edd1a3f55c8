"""The connections that clients have opened to one worker: how many there may be, and how they end.

Holds: each connection has a number that no other one of the worker ever has.
Never: answers a request.
"""

from itertools import count

from shardgate.clients.loads import ClientLoads
from shardgate.core.clients.shedding import LASTING_S
from shardgate.core.errors import EndedError
from shardgate.core.exchange import DRAIN, Exchange
from shardgate.core.http import SAFE_METHODS
from shardgate.net.client.contracts import Client
from shardgate.net.clock import now
from shardgate.observe.meter import Meter


class Connections:
    """Those of one worker."""

    __slots__ = ("_loads", "_meter", "_numbers", "open")

    def __init__(self, loads: ClientLoads, meter: Meter) -> None:
        self._loads = loads
        self._meter = meter
        self._numbers = count()
        self.open: dict[Client, int] = {}
        """Each one, with its number."""

    def opened(self, client: Client) -> bool:
        """Count a new connection; False: there is no room for it."""
        self.open[client] = next(self._numbers)
        self._loads.accepted()
        has_room = len(self.open) <= self._loads.limits.client_connections_max
        too_many = None
        if not client.is_proxied:
            client.load = self._loads.connected(client.peer)
            too_many = self._loads.too_many(client.load)
        self._meter.client_came(refused=not has_room or too_many is not None)
        if not has_room or too_many is None:
            return has_room
        if client.load is not None and self._loads.far_too_many(client.load):
            self._meter.refused(too_many.budget)
            return False
        client.refuse(too_many)
        return True

    def closed(self, client: Client) -> None:
        """Forget a connection that is closed."""
        self.open.pop(client, None)
        if client.load is not None:
            self._loads.left(client.load)
        self._meter.client_went()

    def number(self, client: Client) -> int:
        """The number of a connection; of one that is closed, a new one."""
        number = self.open.get(client)
        return next(self._numbers) if number is None else number

    def exchanges(self) -> list[Exchange]:
        """The requests under way."""
        return [each for client in self.open if (each := client.exchange) is not None]

    def lasting(self) -> list[int]:
        """The ranks of the requests, but for lists, that have been under way for long; -1: of one without a class."""
        before = now() - LASTING_S
        return [each.rank for each in self.exchanges() if each.began_at < before and not each.is_list]

    def retire(self) -> int:
        """Close each after its next reply, or after a moment without a request. Returns how many are open."""
        for client in self.open:
            client.retire()
        return len(self.open)

    def abort(self) -> None:
        """Answer the requests that did not end within the drain time, and close all."""
        for client in list(self.open):
            exchange = client.exchange
            if exchange is None:
                client.abort(DRAIN)
            else:
                client.end(_ended(exchange))


def _ended(exchange: Exchange) -> EndedError:
    """What the client of a request is told that did not end within the drain time."""
    if exchange.request is None or exchange.request.method in SAFE_METHODS:
        return EndedError("the gateway ended before the reply had come; nothing was changed")
    return EndedError("the gateway ended before the reply had come; the change may have been made or not")
