"""Streams one merged list from several shards to a client: rows are written, in order, while replies still arrive.

Callbacks receive pieces of replies. Steps, which take turns with those of other lists, cut the pieces into rows and
merge them (core/lists/flow.py).

Holds: no more than a window of each shard's reply waits here: a shard that is ahead of the others, or of the client,
is paused. A failure after the reply has begun closes the connection, so the client sees that the list is not whole.
Never: decides what is merged, or how.
"""

import asyncio
import zlib
from collections.abc import Sequence

from shardgate.core.errors import DeadlineError, ShardgateError, SlowClientError
from shardgate.core.held import Holding
from shardgate.core.http import Reply, ReplyHead, Request
from shardgate.core.limits import FLOW_WINDOW_BYTES
from shardgate.core.lists.flow import Flow
from shardgate.core.topology import ShardId
from shardgate.core.wire.coding import packed_fields, takes_gzip
from shardgate.core.wire.forwarding import head_of
from shardgate.engine.cluster import Cluster
from shardgate.engine.gather.pace import CLIENT_DOES_NOT_READ, Pace
from shardgate.engine.gather.round import PendingReply
from shardgate.net.client.contracts import Client
from shardgate.net.turns import Turns
from shardgate.net.upstream.call import Call


class RunningFlow:
    """A flow, its shards and its client."""

    __slots__ = (
        "_client",
        "_cluster",
        "_flow",
        "_head",
        "_holding",
        "_over",
        "_pace",
        "_packer",
        "_rank",
        "_sources",
        "_turns",
        "begun",
        "failed",
    )

    def __init__(
        self, cluster: Cluster, client: Client, flow: Flow, holding: Holding, turns: Turns, rank: int = 0
    ) -> None:
        """`rank`: whose turns come first, as of `Turns`."""
        self._cluster = cluster
        self._client = client
        self._flow = flow
        self._holding = holding
        self._turns = turns
        self._rank = rank
        self._head: ReplyHead | None = None
        self._packer: zlib._Compress | None = None
        self._sources: list[_Source] = []
        self._pace = Pace(cluster.reply_idle_s, self._go_on, self.fail)
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.begun = False
        """The head was sent to the client."""
        self.failed: ShardId | None = None
        """The shard that gave no whole reply."""

    async def run(self, reply: Reply, request: Request, coming: Sequence[PendingReply]) -> None:
        """Stream the list to its end. Raises the error that ends it early."""
        self._head = self._packed_head(reply, request)
        self._holding.on_refused = self.fail
        try:
            for part in coming:
                source = _Source(self, self._flow, part)
                self._sources.append(source)
                if not part.ended:
                    self._cluster.streams(part.call)
                    part.call.sink = source
            self._turns.add(self, self._rank)
            await self._over
        finally:
            self._pace.end()

    def step(self) -> bool:
        """Cut or merge a little, and write the result. False: more must arrive, or the client must read, first."""
        if self._pace.is_paused or self._over.done():
            return False
        try:
            data = self._flow.advance()
            if data:
                self._write(data)
        except Exception as error:
            self.fail(error)
            return False
        if self._flow.done:
            self._finish()
            return False
        self._balance(needs_more=data is None)
        return data is not None

    def came(self, size: int) -> None:
        """Count a piece of a reply; a size of 0 says that a reply has ended."""
        self._holding.add(size)
        if not self._pace.is_paused:
            self._turns.add(self, self._rank)

    def fail(self, error: Exception, shard: ShardId | None = None) -> None:
        """End the list with this error; `shard` gave no whole reply."""
        if not self._over.done():
            self.failed = shard
            self._over.set_exception(error)

    def shard_failed(self, shard: ShardId, error: ShardgateError) -> None:
        """A shard gave no whole reply; or it waited for a client that did not read."""
        if self._pace.is_paused and isinstance(error, DeadlineError):
            self.fail(SlowClientError(CLIENT_DOES_NOT_READ))
            return
        self._cluster.failed(shard, error)
        self.fail(error, shard)

    def _go_on(self) -> None:
        self._turns.add(self, self._rank)

    def _balance(self, *, needs_more: bool) -> None:
        """Resume the shards whose rows are needed or whose window has room; the paused ones must not time out."""
        slowest = self._flow.slowest if needs_more else None
        size = 0
        for source in self._sources:
            waiting = source.waiting_bytes
            size += waiting
            if source.is_paused and (waiting < FLOW_WINDOW_BYTES // 2 or source.shard == slowest):
                source.resume()
            elif source.is_paused:
                source.call.moved()
        self._holding.set(size)

    def _write(self, data: bytes) -> None:
        packer = self._packer
        if packer is not None:
            # The first rows are flushed, to be read at once; later ones leave when the compressor has enough of them.
            data = packer.compress(data) + (b"" if self.begun else packer.flush(zlib.Z_SYNC_FLUSH))
        if self.begun:
            if data:
                self._client.write(data)
        elif self._head is not None:
            self.begun = self._holding.begun = True
            self._client.begin(self._head, data, stream=self._pace)

    def _finish(self) -> None:
        if self._packer is not None and (rest := self._packer.flush()):
            self._client.write(rest)
        self._over.set_result(None)
        self._client.finish(b"")

    def _packed_head(self, reply: Reply, request: Request) -> ReplyHead:
        """The head to write, and a compressor where the client takes a compressed body."""
        compress = self._cluster.compress
        if compress is not None and compress.may_pack(reply.status, reply.fields, None):
            packs = takes_gzip(request.fields)
            self._packer = compress.packer() if packs else None
            reply.fields = packed_fields(reply.fields, is_packed=packs)
        return head_of(reply, None)


class _Source:
    """One shard's reply, on its way into the flow."""

    __slots__ = ("_flow", "_running", "call", "is_paused", "shard")

    def __init__(self, running: RunningFlow, flow: Flow, part: PendingReply) -> None:
        self._running = running
        self._flow = flow
        self.shard = part.shard
        self.call: Call = part.call
        self.is_paused = not part.ended
        """The shard is not read until `resume`."""
        for piece in part.pieces:
            flow.feed(part.shard, piece)
        if part.ended:
            flow.end(part.shard)

    @property
    def waiting_bytes(self) -> int:
        """How much has come and was not cut into rows yet."""
        return self._flow.waiting_bytes(self.shard)

    def resume(self) -> None:
        """Read on."""
        self.is_paused = False
        if not self.call.done:
            self.call.resume()

    def reply_interim(self, head: ReplyHead) -> None:
        pass  # of no use to a merge

    def reply_head(self, head: ReplyHead, data: bytes) -> None:
        pass  # it had come before

    def reply_whole(self, head: ReplyHead, body: bytes) -> None:
        pass  # its head had come before

    def reply_data(self, data: bytes) -> None:
        self._flow.feed(self.shard, data)
        if self.waiting_bytes > FLOW_WINDOW_BYTES and not self.is_paused:
            self.is_paused = True
            self.call.pause()
        self._running.came(len(data))

    def reply_end(self, trailers: bytes) -> None:
        self.is_paused = False
        self._flow.end(self.shard)
        self._running.came(0)

    def reply_switched(self, head: ReplyHead, data: bytes, upstream: asyncio.Transport) -> None:
        upstream.abort()  # never: nothing was offered

    def reply_failed(self, error: ShardgateError) -> None:
        self._running.shard_failed(self.shard, error)
