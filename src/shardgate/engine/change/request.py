"""One client's request that is answered with a whole reply, and the record of what is done for it.

Never: sends.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import msgspec

from shardgate.core.changes.conditions import OF_CHANGES, conditions_in
from shardgate.core.changes.entry import Entry
from shardgate.core.exchange import Exchange
from shardgate.core.held import Holdings
from shardgate.core.http import Request
from shardgate.core.topology import ShardId
from shardgate.engine.change.awaited_call import without
from shardgate.engine.cluster import Snapshot
from shardgate.net.clock import now


class ChangeRequest(msgspec.Struct, frozen=True):
    """A request, its snapshot, and its exchange, which is over before the request is where the client leaves."""

    request: Request
    snapshot: Snapshot
    hop: bytes
    exchange: Exchange
    holdings: Holdings
    """What is held for the request."""
    connection: bytes = b""
    """Names the client's connection among all connections of all workers."""
    journaled: list[Entry] = []
    """What of it is in the journal, as it is answered."""

    @property
    def request_id(self) -> bytes:
        """The request's id in logs, and towards shards."""
        return self.exchange.request_id

    @property
    def lines(self) -> bytes:
        """The header lines of journaled and divided calls: without conditions, and without the client's key."""
        return without(self.request.fields.unconditional, b"idempotency-key") + self.hop

    @property
    def conditions(self) -> bytes:
        """The header lines that say under which condition a change is wanted; empty: there are none."""
        fields = self.request.fields
        return b"" if OF_CHANGES.isdisjoint(fields.values) else conditions_in(fields.end_to_end)

    def is_wanted(self) -> bool:
        """Whether the client is still there."""
        return not self.exchange.ended_at

    def sent_to(self, shards: Sequence[ShardId]) -> None:
        """Note the shards that the request, or a part of it, was sent to."""
        self.exchange.shards = (*self.exchange.shards, *shards)
        self.exchange.calls += len(shards)

    @contextmanager
    def waiting_for(self, shards: Sequence[ShardId]) -> Iterator[None]:
        """Note which shards are asked, and how long their replies take."""
        began_at = now()
        self.sent_to(shards)
        try:
            yield
        finally:
            self.exchange.upstream_s += now() - began_at
