"""One client's request, as it is carried out with a whole reply; and what is noted of it.

Never: sends.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import msgspec

from shardgate.core.exchange import Exchange
from shardgate.core.http import Request
from shardgate.core.topology import ShardId
from shardgate.engine.change.awaited_call import without
from shardgate.engine.cluster import Snapshot
from shardgate.net.clock import now


class ChangeRequest(msgspec.Struct, frozen=True):
    """A request, what it may look at, and its exchange, which may be over before the request is: the client left."""

    request: Request
    snapshot: Snapshot
    hop: bytes
    exchange: Exchange

    @property
    def request_id(self) -> bytes:
        """What the request is called in logs and towards shards."""
        return self.exchange.request_id

    @property
    def lines(self) -> bytes:
        """The header lines for journaled and divided calls: no conditions, and no key: each call has its own."""
        return without(self.request.fields.unconditional, b"idempotency-key") + self.hop

    def sent_to(self, shards: Sequence[ShardId]) -> None:
        """Note whom the request, or a part of it, was sent to."""
        self.exchange.shards = (*self.exchange.shards, *shards)

    @contextmanager
    def waiting_for(self, shards: Sequence[ShardId]) -> Iterator[None]:
        """Shards are asked: which, and how long it takes, is noted."""
        began_at = now()
        self.sent_to(shards)
        try:
            yield
        finally:
            self.exchange.upstream_s += now() - began_at
