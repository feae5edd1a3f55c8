"""Equal reads of one key, or of any shard, that are under way at the same time: one relay, and its reply to each.

Holds: requests are equal as for gathers (engine/gather/coalescing.py). Who comes after a change gets no reply that was
asked for before it.
Never: keeps a reply that has come.
"""

from collections.abc import Callable, Hashable

from shardgate.core.exchange import Exchange
from shardgate.core.held import HeldBytes
from shardgate.core.http import Request
from shardgate.core.plan.plan import ToOne
from shardgate.core.routes.route import Plan
from shardgate.core.topology import Topology
from shardgate.engine.gather.coalescing import key_of
from shardgate.engine.shared_relay import Follower, SharedRelay
from shardgate.net.client.contracts import Client
from shardgate.observe.meter import Meter

Begin = Callable[[Client, Exchange], None]
"""Asks for a client, and records it."""


class CoalescedRelays:
    """The relays of one worker that others may join."""

    __slots__ = ("_held", "_meter", "_open")

    def __init__(self, held: HeldBytes, meter: Meter) -> None:
        self._held = held
        self._meter = meter
        self._open: dict[Hashable, SharedRelay] = {}

    def changed(self) -> None:
        """A change was made: nobody joins what is under way any more."""
        self._open.clear()

    def answer(
        self, request: Request, plan: Plan, topology: Topology, client: Client, exchange: Exchange, begin: Begin
    ) -> None:
        """Join an equal request that is under way; or ask, so that others can join."""
        fields = request.fields
        if request.sent_method not in {b"GET", b"HEAD"} or fields.has_body or fields.upgrade:
            begin(client, exchange)
            return
        key = key_of(request, plan.route, client.hop, (plan.shard,) if isinstance(plan, ToOne) else (), topology)
        shared = self._open.get(key)
        is_first = shared is None
        if shared is None:
            shared = self._open[key] = SharedRelay(client, exchange, lambda: self._close(key, shared))

        def alone() -> None:
            begin(client, exchange)

        shared.join(Follower(shared, client, exchange, alone, lambda: self._held.open("reply", exchange.peer)))
        if not is_first:
            self._meter.coalesced()
        elif shared.exchange is not None:
            begin(shared, shared.exchange)
        if shared.exchange is not None:
            # A movement of a tenant waits for what is under way at a shard, by the records of clients.
            exchange.shards = shared.exchange.shards

    def _close(self, key: Hashable, shared: SharedRelay | None) -> None:
        """Nobody joins any more."""
        if self._open.get(key) is shared:
            del self._open[key]
