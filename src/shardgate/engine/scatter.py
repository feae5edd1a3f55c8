"""Asks several shards at once and waits for all of their replies.

Holds: one future for all calls; a reply larger than the bound ends its call, the others go on.
Never: merges, or judges a status.
"""

import asyncio
from collections.abc import Mapping, Sequence

from shardgate.core.contracts import Ask
from shardgate.core.errors import ReplyTooLargeError, ShardgateError
from shardgate.core.http import Reply, ReplyHead
from shardgate.core.topology import ShardId
from shardgate.core.wire.coding import unpacked
from shardgate.core.wire.forwarding import request_head
from shardgate.engine.cluster import Cluster
from shardgate.net.call import Call

Outcome = Reply | ShardgateError


class Scatter:
    """The calls of one round."""

    __slots__ = ("_body_bytes_max", "_calls", "_done", "_outcomes", "_waiting", "cluster", "packed")

    def __init__(self, cluster: Cluster, body_bytes_max: int) -> None:
        self.cluster = cluster
        self._body_bytes_max = body_bytes_max
        self._calls: list[Call] = []
        self._outcomes: dict[ShardId, Outcome] = {}
        self.packed: list[ShardId] = []
        """Whose replies must be unpacked."""
        self._waiting = 0
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def ask(self, asks: Sequence[Ask], host: bytes, lines: bytes, request_id: bytes) -> Mapping[ShardId, Outcome]:
        """The outcome of each call, when all have one. A scatter is used once."""
        self._waiting = len(asks)
        try:
            for ask in asks:
                framing = b"" if ask.method == b"GET" else b"Content-Length: %d\r\n" % len(ask.body)
                head = request_head(ask.method, ask.target, host, lines, b"", request_id, framing)
                sink = _Collector(self, ask.shard, self._body_bytes_max)
                sink.call = self.cluster.read(ask.shard, head, ask.body, sink, ask.method)
                self._calls.append(sink.call)
            await self._done
        finally:
            # A client that left, or a defect: nobody waits for these any more.
            for call in self._calls:
                if not call.done:
                    call.cancel()
        for shard in self.packed:
            self._outcomes[shard] = await self._unpacked(self._outcomes[shard])
        return self._outcomes

    async def _unpacked(self, outcome: Outcome) -> Outcome:
        """A shard packed its reply, though nobody asked it to; on a thread of its own, since it may be long."""
        try:
            if isinstance(outcome, Reply):
                return await asyncio.to_thread(unpacked, outcome, self._body_bytes_max)
        except ShardgateError as error:
            return error
        return outcome

    def settle(self, shard: ShardId, outcome: Outcome) -> None:
        """One call is over."""
        self._outcomes[shard] = outcome
        self._waiting -= 1
        if self._waiting == 0 and not self._done.done():
            self._done.set_result(None)


class _Collector:
    """Receives one reply whole."""

    __slots__ = ("_body", "_body_bytes_max", "_head", "_scatter", "_shard", "_size", "call")

    def __init__(self, scatter: Scatter, shard: ShardId, body_bytes_max: int) -> None:
        self._scatter = scatter
        self._shard = shard
        self._body_bytes_max = body_bytes_max
        self._head: ReplyHead | None = None
        self._body: list[bytes] = []
        self._size = 0
        self.call: Call | None = None

    def reply_interim(self, head: ReplyHead) -> None:
        pass  # of no use to a merge

    def reply_head(self, head: ReplyHead, data: bytes) -> None:
        self._head = head
        if self.call is not None:
            self._scatter.cluster.replied(self._shard, self.call)
        self.reply_data(data)

    def reply_data(self, data: bytes) -> None:
        self._body.append(data)
        self._size += len(data)
        if self._size > self._body_bytes_max and self.call is not None:
            self.call.fail(ReplyTooLargeError(f"a shard's reply is larger than {self._body_bytes_max} bytes"))

    def reply_end(self, trailers: bytes) -> None:
        head = self._head
        if head is not None:
            fields = [(line[: len(name)], value) for name, value, line in head.fields]
            body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
            if head.is_packed:
                self._scatter.packed.append(self._shard)
            self._scatter.settle(self._shard, Reply(head.status, fields, body, head.reason))

    def reply_switched(self, head: ReplyHead, data: bytes, upstream: asyncio.Transport) -> None:
        upstream.abort()  # never: nothing was offered

    def reply_failed(self, error: ShardgateError) -> None:
        self._scatter.cluster.failed(self._shard, error)
        self._scatter.settle(self._shard, error)
