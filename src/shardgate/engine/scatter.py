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
from shardgate.core.wire.forwarding import request_head
from shardgate.engine.cluster import Cluster
from shardgate.net.upstream import Call

Outcome = Reply | ShardgateError


class Scatter:
    """The calls of one round."""

    __slots__ = ("_body_bytes_max", "_calls", "_cluster", "_done", "_outcomes", "_waiting")

    def __init__(self, cluster: Cluster, body_bytes_max: int) -> None:
        self._cluster = cluster
        self._body_bytes_max = body_bytes_max
        self._calls: list[Call] = []
        self._outcomes: dict[ShardId, Outcome] = {}
        self._waiting = 0
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def ask(self, asks: Sequence[Ask], host: bytes, lines: bytes, request_id: bytes) -> Mapping[ShardId, Outcome]:
        """The outcome of each call, when all have one. A scatter is used once."""
        self._waiting = len(asks)
        try:
            for ask in asks:
                length = len(ask.body) if ask.method == b"POST" else None
                head = request_head(ask.method, ask.target, host, lines, b"", request_id, length)
                sink = _Collector(self, ask.shard, self._body_bytes_max)
                # A gather only reads, so that a POST of it may be sent again as a GET may.
                sink.call = self._cluster.call(ask.shard, head, ask.body, sink, b"GET")
                self._calls.append(sink.call)
            await self._done
        finally:
            # A client that left, or a defect: nobody waits for these any more.
            for call in self._calls:
                if not call.done:
                    call.cancel()
        return self._outcomes

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

    def reply_head(self, head: ReplyHead, data: bytes) -> None:
        self._head = head
        self.reply_data(data)

    def reply_data(self, data: bytes) -> None:
        self._body.append(data)
        self._size += len(data)
        if self._size > self._body_bytes_max and self.call is not None:
            self.call.fail(ReplyTooLargeError(f"a shard's reply is larger than {self._body_bytes_max} bytes"))

    def reply_end(self) -> None:
        head = self._head
        if head is not None:
            fields = [(line[: len(name)], value) for name, value, line in head.fields]
            body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
            self._scatter.settle(self._shard, Reply(head.status, fields, body, head.reason))

    def reply_failed(self, error: ShardgateError) -> None:
        self._scatter.settle(self._shard, error)
