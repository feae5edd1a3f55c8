"""Asks several shards at once and waits for all of their replies, or until it is seen that they are large.

Holds: one future for all calls; a reply larger than the bound ends its call, the others go on.
Never: merges, or judges a status.
"""

import asyncio
from collections.abc import Mapping, Sequence

from shardgate.core.contracts import Ask, Outcome
from shardgate.core.errors import ReplyTooLargeError, ShardgateError
from shardgate.core.http import Reply, ReplyHead
from shardgate.core.limits import FLOW_WINDOW_BYTES
from shardgate.core.topology import ShardId
from shardgate.core.value import Value
from shardgate.core.wire.coding import unpacked
from shardgate.core.wire.forwarding import request_head
from shardgate.engine.cluster import Cluster
from shardgate.engine.gather.held import Holding
from shardgate.net.upstream.call import Call


class PendingReply(Value, frozen=True):
    """A reply that is still on its way, or has just come whole."""

    shard: ShardId
    call: Call
    pieces: Sequence[bytes]
    ended: bool


class Round:
    """The calls of one round."""

    __slots__ = (
        "_body_bytes_max",
        "_collectors",
        "_done",
        "_heads",
        "_holding",
        "_outcomes",
        "_waiting",
        "cluster",
        "large_bytes",
        "packed",
    )

    def __init__(
        self, cluster: Cluster, body_bytes_max: int, holding: Holding, *, large_bytes: int | None = None
    ) -> None:
        self.cluster = cluster
        self._body_bytes_max = body_bytes_max
        self._holding = holding
        self.large_bytes = large_bytes
        """From so many bytes on the replies are large; None: that does not matter, or not any more."""
        self._collectors: list[_Collector] = []
        self._outcomes: dict[ShardId, Outcome] = {}
        self.packed: list[ShardId] = []
        """Whose replies must be unpacked."""
        self._waiting = self._heads = 0
        self._done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        holding.on_refused = self._refuse

    async def ask(self, asks: Sequence[Ask], host: bytes, lines: bytes, request_id: bytes) -> Mapping[ShardId, Outcome]:
        """The outcome of each call, when all have one. Raises OverloadError."""
        try:
            self.start(asks, host, lines, request_id)
            return await self.outcomes()
        finally:
            self.cancel()

    def start(self, asks: Sequence[Ask], host: bytes, lines: bytes, request_id: bytes) -> None:
        """Send all requests. A round is used once."""
        self._waiting = self._heads = len(asks)
        for ask in asks:
            framing = b"" if ask.method == b"GET" else b"Content-Length: %d\r\n" % len(ask.body)
            head = request_head(ask.method, ask.target, host, lines, b"", request_id, framing)
            sink = _Collector(self, ask.shard, self._body_bytes_max, self._holding)
            sink.call = self.cluster.read(ask.shard, head, ask.body, sink, ask.method)
            self._collectors.append(sink)

    async def outcomes(self) -> Mapping[ShardId, Outcome]:
        """The outcome of each call, when all have one. Raises OverloadError."""
        await self._done
        for shard in self.packed:
            self._outcomes[shard] = await self._unpacked(shard, self._outcomes[shard])
        return self._outcomes

    async def is_large(self) -> bool:
        """Whether all heads have come, and large bodies follow them; False when all is over. Raises OverloadError."""
        is_large = await self._done
        if is_large and any(isinstance(outcome, ShardgateError) for outcome in self._outcomes.values()):
            self.keep_waiting()  # it broke off before anybody could hear that it is large
            return False
        return is_large

    def heads(self) -> Mapping[ShardId, Reply]:
        """The heads of replies that are large, as replies without a body."""
        heads: dict[ShardId, Reply] = {}
        for sink in self._collectors:
            if (head := sink.head) is not None:
                heads[sink.shard] = head.with_body(b"")
        return heads

    def coming(self) -> Sequence[PendingReply]:
        """The large replies, for somebody else to receive; nothing of them is kept here."""
        coming = [
            PendingReply(sink.shard, sink.call, sink.body, sink.shard in self._outcomes)
            for sink in self._collectors
            if sink.call is not None
        ]
        for sink in self._collectors:
            sink.body = []
        self._outcomes.clear()
        return coming

    def keep_waiting(self) -> None:
        """Large or not, all are waited for."""
        self._resume()
        self._done = asyncio.get_running_loop().create_future()
        if not self._waiting:
            self._done.set_result(False)

    def cancel(self) -> None:
        """Nobody waits for what is still to come. What refers to each other is parted, to leave no garbage."""
        for sink in self._collectors:
            if sink.call is not None and not sink.call.done:
                sink.call.cancel()
            sink.call = None
        self._collectors.clear()
        self._holding.on_refused = None

    async def _unpacked(self, shard: ShardId, outcome: Outcome) -> Outcome:
        """A shard packed its reply, though nobody asked it to; on a thread of its own, since it may be long."""
        try:
            if isinstance(outcome, Reply):
                return await asyncio.to_thread(unpacked, outcome, self._body_bytes_max)
        except ShardgateError as error:
            error.shard = shard
            return error
        return outcome

    def begun(self, shard: ShardId, call: Call, head: ReplyHead) -> None:
        """The head of a reply has come."""
        self.cluster.replied(shard, call)
        self._heads -= 1
        if self.large_bytes is not None:
            if head.is_packed:
                self.large_bytes = None  # a packed one is unpacked whole
            if not self._heads or self.large_bytes is None:
                self._resume()

    def look(self, sink: "_Collector", large_bytes: int) -> None:
        """A piece of a body has come: is it large?"""
        if self._heads:
            # Nobody knows yet whether this will pass on, so that no more of it is held than would be then.
            if sink.size > FLOW_WINDOW_BYTES:
                sink.pause()
        elif sum(collector.expected for collector in self._collectors) >= large_bytes and not self._done.done():
            self.large_bytes = None
            self._done.set_result(True)
            # One event of a socket brings up to 8 MB, before anybody else is heard.
            for collector in self._collectors:
                collector.pause()

    def settle(self, shard: ShardId, outcome: Outcome) -> None:
        """One call is over."""
        self._outcomes[shard] = outcome
        if not isinstance(outcome, Reply) and self.large_bytes is not None:
            self.large_bytes = None
            self._resume()
        self._waiting -= 1
        if self._waiting == 0 and not self._done.done():
            self._done.set_result(False)

    def _resume(self) -> None:
        for sink in self._collectors:
            if sink.is_paused and sink.call is not None and not sink.call.done:
                sink.is_paused = False
                sink.call.resume()

    def _refuse(self, error: ShardgateError) -> None:
        if not self._done.done():
            self._done.set_exception(error)


class _Collector:
    """Receives one reply whole."""

    __slots__ = ("_body_bytes_max", "_holding", "_round", "body", "call", "head", "is_paused", "shard", "size")

    def __init__(self, of_round: Round, shard: ShardId, body_bytes_max: int, holding: Holding) -> None:
        self._round = of_round
        self._holding = holding
        self.is_paused = False
        self._body_bytes_max = body_bytes_max
        self.shard = shard
        self.head: ReplyHead | None = None
        self.body: list[bytes] = []
        self.size = 0
        self.call: Call | None = None

    @property
    def expected(self) -> int:
        """How long the body is, as far as it is known."""
        length = None if self.head is None else self.head.content_length
        return self.size if length is None else length

    def pause(self) -> None:
        """No more for now."""
        if self.call is not None and not self.call.done:
            self.is_paused = True
            self.call.pause()

    def reply_interim(self, head: ReplyHead) -> None:
        pass  # of no use to a merge

    def reply_head(self, head: ReplyHead, data: bytes) -> None:
        self.head = head
        if self.call is not None:
            self._round.begun(self.shard, self.call, head)
        self.reply_data(data)

    def reply_data(self, data: bytes) -> None:
        self.body.append(data)
        self.size += len(data)
        if self.size > self._body_bytes_max and self.call is not None:
            self.call.fail(ReplyTooLargeError(f"a shard's reply is larger than {self._body_bytes_max} bytes"))
        else:
            self._holding.add(len(data))
            if (large_bytes := self._round.large_bytes) is not None:
                self._round.look(self, large_bytes)

    def reply_end(self, trailers: bytes) -> None:
        head = self.head
        if head is not None:
            body = self.body[0] if len(self.body) == 1 else b"".join(self.body)
            if head.is_packed:
                self._round.packed.append(self.shard)
            self._round.settle(self.shard, head.with_body(body))

    def reply_switched(self, head: ReplyHead, data: bytes, upstream: asyncio.Transport) -> None:
        upstream.abort()  # never: nothing was offered

    def reply_failed(self, error: ShardgateError) -> None:
        self._round.cluster.failed(self.shard, error)
        self._round.settle(self.shard, error)
