"""One request to one shard, and its whole reply, which is awaited: how changes are sent.

Holds: the reply is bounded, and counted as held until the change is over. A call that is not awaited any more is
cancelled.
Never: repeats a call, or interprets a status.
"""

import asyncio

from shardgate.core.changes.calls import Outgoing
from shardgate.core.contracts import Outcome
from shardgate.core.errors import LostReplyError, ReplyTooLargeError, ShardgateError
from shardgate.core.held import Holdings
from shardgate.core.http import Reply, ReplyHead
from shardgate.core.replies.whole import whole_of
from shardgate.core.routes.calls import CallWords
from shardgate.core.topology import ShardId
from shardgate.core.wire.forwarding import request_head
from shardgate.engine.cluster import Cluster
from shardgate.engine.upstreams import Upstream
from shardgate.net.upstream.call import Call


class AwaitedCall:
    """One call under way."""

    __slots__ = (
        "_body",
        "_body_bytes_max",
        "_call",
        "_cluster",
        "_done",
        "_head",
        "_holding",
        "_reads",
        "_shard",
        "_size",
    )

    def __init__(self, cluster: Cluster, shard: ShardId, body_bytes_max: int, holdings: Holdings) -> None:
        """`holdings`: all that the change holds; it closes them."""
        self._holding = holdings.open("reply")
        self._holding.on_refused = self._refuse
        self._cluster = cluster
        self._shard = shard
        self._body_bytes_max = body_bytes_max
        self._reads = False
        self._head: ReplyHead | None = None
        self._body = bytearray()  # not a list of pieces: their memory would be needed once more when they are joined
        self._size = 0
        self._call: Call | None = None
        self._done: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

    async def send(
        self,
        outgoing: Outgoing,
        host: bytes,
        lines: bytes,
        request_id: bytes,
        *,
        reads: bool = False,
        upstream: Upstream | None = None,
        words: CallWords | None = None,
    ) -> Outcome:
        """The reply, or the error. `reads`: the call only reads, whatever its method. An AwaitedCall is used once.

        `upstream`: the instance that it is for; None: any that takes changes. `words`: what the rule says of the calls.
        """
        body, self._reads = outgoing.body, reads or outgoing.method in {b"GET", b"HEAD"}
        if outgoing.is_ours:
            lines = without(lines, b"content-type") + b"Content-Type: application/json\r\n"
        if outgoing.key is not None:
            lines = b"%bIdempotency-Key: %b\r\n" % (lines, outgoing.key)
        lines += outgoing.conditions
        framing = b"" if body is None else b"Content-Length: %d\r\n" % len(body)
        head = request_head(outgoing.method, outgoing.target, host, lines, b"", request_id, framing)
        if reads:
            self._call = self._cluster.read(self._shard, head, body or b"", self, outgoing.method)
        else:
            self._call = self._cluster.change(self._shard, head, body or b"", self, outgoing.method, upstream, words)
        try:
            return await self._unpacked(await self._done)
        finally:
            self._holding.on_refused = None
            if not self._call.done:
                self._call.cancel()
            self._call = None  # break the reference cycle, which would be garbage that holds the reply

    def is_connected(self) -> bool:
        """Whether the call has a connection, or is over."""
        call = self._call
        return call is None or call.done or call.carrier is not None

    def reply_interim(self, head: ReplyHead) -> None:
        pass  # the reply is awaited whole

    def reply_head(self, head: ReplyHead, data: bytes) -> None:
        self._head = head
        if self._call is not None:
            self._cluster.replied(self._shard, self._call)
        self.reply_data(data)

    def reply_whole(self, head: ReplyHead, body: bytes) -> None:
        self.reply_head(head, body)
        if self._call is None or not self._call.done:
            self.reply_end(b"")

    def reply_data(self, data: bytes) -> None:
        self._body += data
        self._size += len(data)
        if self._size > self._body_bytes_max and self._call is not None:
            problem, log = (
                f"a shard's reply is larger than {self._body_bytes_max} bytes",
                f"{self._size} bytes had come",
            )
            self._call.fail(ReplyTooLargeError(problem, log=log))
        else:
            self._holding.add(len(data))

    def reply_end(self, trailers: bytes) -> None:
        head = self._head
        if head is not None:
            self._holding.on_refused = None  # it is whole: to refuse it would free nothing
            body, self._body = bytes(self._body), bytearray()
            self._settle(whole_of(head, body))

    def reply_switched(self, head: ReplyHead, data: bytes, upstream: asyncio.Transport) -> None:
        upstream.abort()  # never: nothing was offered

    def reply_failed(self, error: ShardgateError) -> None:
        self._body = bytearray()
        if not error.budget:
            self._cluster.failed(self._shard, error)
        self._settle(error)

    def _refuse(self, error: ShardgateError) -> None:
        """There is no room for more of the reply. The request was sent, so that a change may have been made."""
        if self._call is not None:
            self._call.fail(self._in_doubt(error))

    def _in_doubt(self, error: ShardgateError) -> ShardgateError:
        if self._reads:
            return error
        problem = "there is no room to hold the shard's reply; the change may have been made or not"
        return LostReplyError(problem, log=error.detail, budget=error.budget)

    async def _unpacked(self, outcome: Outcome) -> Outcome:
        """Decompress a reply that came compressed though it was not asked for; on a thread, since it may be long."""
        if self._head is None or not self._head.is_packed or not isinstance(outcome, Reply):
            return outcome
        try:
            return await self._cluster.unpacker.unpack(outcome, self._body_bytes_max, self._holding)
        except ShardgateError as error:
            error.shard = self._shard
            return self._in_doubt(error) if error.budget else error

    def _settle(self, outcome: Outcome) -> None:
        if not self._done.done():
            self._done.set_result(outcome)


def without(lines: bytes, name: bytes) -> bytes:
    """Header lines without a field, by its lower-case name."""
    kept = [line for line in lines.split(b"\r\n") if line and not line.lower().startswith(name + b":")]
    return b"".join([line + b"\r\n" for line in kept])
