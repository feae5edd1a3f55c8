"""Asks several shards at once, and waits until all have replied, or until their replies turn out to be large.

Holds: one future serves all calls. A reply larger than the bound ends its own call; the others go on.
Never: merges replies, or interprets a status.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from math import inf
from typing import cast

from shardgate.core.contracts import Ask, Outcome
from shardgate.core.errors import OverloadError, ReplyTooLargeError, ShardgateError
from shardgate.core.held import Holding
from shardgate.core.http import Reply, ReplyHead
from shardgate.core.limits import FAIL_TOGETHER_S, FLOW_WINDOW_BYTES, PIECED_BYTES_MAX, PIECES_MAX
from shardgate.core.replies.whole import whole_of
from shardgate.core.routes.calls import CallWords
from shardgate.core.topology import ShardId
from shardgate.core.value import Value
from shardgate.core.wire.forwarding import request_head
from shardgate.engine.cluster import Cluster
from shardgate.net.clock import now
from shardgate.net.upstream.call import Call


class PendingReply(Value, frozen=True):
    """A reply that is still arriving, or has just become whole."""

    shard: ShardId
    call: Call
    pieces: Sequence[bytes]
    ended: bool


class Round:
    """The calls of one round."""

    __slots__ = (
        "_body_bytes_max",
        "_bytes_max",
        "_collectors",
        "_gives_up",
        "_heads",
        "_lacks",
        "_needs_all",
        "_outcomes",
        "_refusal",
        "_taken_max",
        "_timer",
        "_tolerant",
        "_waiting",
        "began_at",
        "cluster",
        "done",
        "holding",
        "large_bytes",
        "looked_at",
        "packed",
        "refused",
        "then",
        "words",
    )

    def __init__(
        self,
        cluster: Cluster,
        body_bytes_max: int,
        holding: Holding,
        *,
        large_bytes: int | None = None,
        bytes_max: int | None = None,
        needs_all: bool = False,
        tolerant: bool = False,
    ) -> None:
        """`bytes_max`: of all replies together; None: no more than that of each counts.

        `needs_all`: one failure fails the round, so that nothing more is read then. Otherwise, once one shard has what
        is asked for, a shard that answers nothing to anybody is not waited for.

        `tolerant`: the outcome of each call matters, and a failure ends no other call: replies that are ahead wait for
        those whose heads are late, and are large whether a shard has failed or not.
        """
        self.cluster = cluster
        self._body_bytes_max = body_bytes_max
        self._bytes_max = bytes_max
        self.holding = holding
        """Counts the replies."""
        self.large_bytes = large_bytes
        """From so many bytes on the replies are large; None: it does not matter whether they are, or not any more."""
        self.looked_at = min(FLOW_WINDOW_BYTES, body_bytes_max) if needs_all or tolerant else -1
        """From so many bytes of a reply on, each piece may be too many, and a whole one is looked at more closely."""
        self._taken_max = self.looked_at if large_bytes is None else -1
        """Up to so many bytes a reply that comes in one piece is taken in without a closer look."""
        self._collectors: list[_Collector] = []
        self._outcomes: dict[ShardId, Outcome] = {}
        self._needs_all = needs_all
        self._tolerant = tolerant
        self._gives_up = False
        self._lacks = False  # a call has failed
        self._timer: asyncio.TimerHandle | None = None
        self.packed: list[ShardId] = []
        """The shards whose replies are compressed."""
        self._refusal: ShardgateError | None = None
        self._waiting = self._heads = 0
        self.done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        """Whether the replies are large, once it is known."""
        self.then: Callable[[], bool] | None = None
        """Called when each shard has replied: True where `done` is not waited for any more."""
        self.began_at = now()
        """When the shards were asked."""
        self.words: CallWords | None = None
        """What the rule says of its calls."""
        holding.on_refused = self._refuse

    async def ask(self, asks: Sequence[Ask], host: bytes, lines: bytes, request_id: bytes) -> Mapping[ShardId, Outcome]:
        """Send all requests, and wait for the outcome of each. Raises OverloadError."""
        try:
            self.start(asks, host, lines, request_id)
            return await self.outcomes()
        finally:
            self.cancel()

    def start(self, asks: Sequence[Ask], host: bytes, lines: bytes, request_id: bytes) -> None:
        """Send all requests. A round is used once."""
        self._waiting = self._heads = len(asks)
        target, method, head = b"", b"", b""
        cluster, collectors, words = self.cluster, self._collectors, self.words
        for ask in asks:
            shard, asked_by, body = ask.shard, ask.method, ask.body
            if ask.target is not target or asked_by != method or body:
                framing = b"Content-Length: %d\r\n" % len(body) if asked_by == b"POST" else b""
                head = request_head(asked_by, ask.target, host, lines, b"", request_id, framing)
                target, method = ask.target, b"" if body else asked_by  # no head with a body is sent twice
            sink = _Collector(self, shard)
            sink.call = cluster.read(shard, head, body, sink, asked_by, words)
            collectors.append(sink)

    async def outcomes(self) -> Mapping[ShardId, Outcome]:
        """Wait for the outcome of each call. Raises OverloadError."""
        await self.done
        if self._refusal is not None:
            raise self._refusal  # refused after the last reply was whole: nothing is left of them
        outcomes = self._outcomes
        for shard in self.packed:
            outcomes[shard] = await self._unpacked(shard, outcomes[shard])
            if self._refusal is not None:
                raise self._refusal
        return outcomes

    async def is_large(self) -> bool:
        """Wait until all heads have come and large bodies follow, or until all is over: then False.

        Raises OverloadError.
        """
        is_large = await self.done
        if is_large and self._refusal is not None:
            raise self._refusal
        if is_large and self.failed and not self._tolerant:
            self.keep_waiting()  # a reply broke off just before this
            return False
        return is_large

    def heads(self) -> Mapping[ShardId, Reply]:
        """The heads of the large replies, as replies without a body."""
        heads: dict[ShardId, Reply] = {}
        for sink in self._collectors:
            if (head := sink.head) is not None and sink.shard not in self.failed:
                heads[sink.shard] = whole_of(head, b"")
        return heads

    @property
    def failed(self) -> Mapping[ShardId, ShardgateError]:
        """The calls that have failed so far."""
        return {shard: error for shard, error in self._outcomes.items() if isinstance(error, ShardgateError)}

    @property
    def come(self) -> Mapping[ShardId, Reply]:
        """The replies that have come so far."""
        return {shard: reply for shard, reply in self._outcomes.items() if isinstance(reply, Reply)}

    def leave_out(self, shard: ShardId) -> None:
        """The rest of this shard's reply is of no use."""
        for sink in self._collectors:
            if sink.shard == shard and sink.call is not None:
                if not sink.call.done:
                    sink.call.cancel()
                    self._waiting -= 1
                sink.call = None

    def coming(self) -> Sequence[PendingReply]:
        """Hand over the large replies: the caller receives the rest of them, and nothing is kept here."""
        coming = [
            PendingReply(sink.shard, sink.call, sink.pieces(), sink.shard in self._outcomes)
            for sink in self._collectors
            if sink.call is not None and sink.shard not in self.failed
        ]
        for sink in self._collectors:
            sink.body = None
        self._outcomes.clear()
        return coming

    def keep_waiting(self) -> None:
        """Wait for whole replies, whether they are large or not."""
        self._resume()
        self.done = asyncio.get_running_loop().create_future()
        if not self._waiting:
            self.done.set_result(False)

    def cancel(self) -> None:
        """Cancel the calls that are not over. Reference cycles are broken, to leave no garbage."""
        if self._timer is not None:
            self._timer.cancel()
        for sink in self._collectors:
            if sink.call is not None:
                if not sink.call.done and sink.shard not in self._outcomes:
                    sink.call.cancel()
                sink.call = None
        self._collectors.clear()
        self._outcomes = {}
        self.holding.on_refused = None

    async def _unpacked(self, shard: ShardId, outcome: Outcome) -> Outcome:
        """Decompress a reply that came compressed though it was not asked for; on a thread, since it may be long."""
        try:
            if isinstance(outcome, Reply):
                return await self.cluster.unpacker.unpack(outcome, self._body_bytes_max, self.holding)
        except OverloadError:
            raise
        except ShardgateError as error:
            error.shard = shard
            return error
        return outcome

    def whole(self, sink: "_Collector", call: Call, head: ReplyHead, body: bytes) -> bool:
        """Take in a reply that came in one piece; False: it was not taken in, and needs a closer look."""
        size = len(body)
        if size > self._taken_max or head.is_packed:
            return False
        self.cluster.replied(sink.shard, call)
        self._heads -= 1
        sink.call = None
        sink.size = size
        self._outcomes[sink.shard] = whole_of(head, body)
        self.holding.add(size)
        waiting = self._waiting = self._waiting - 1
        if waiting == 0 and not self.done.done() and (self.then is None or not self.then()):
            self.done.set_result(False)
        return True

    def replies(self) -> Mapping[ShardId, Reply] | None:
        """The replies, where every shard has replied, and none must be decompressed; None where not."""
        if self.packed or self._lacks:
            return None
        return cast("Mapping[ShardId, Reply]", self._outcomes)

    @property
    def size(self) -> int:
        """How many bytes of bodies have come."""
        return sum([collector.size for collector in self._collectors])

    def begun(self, shard: ShardId, call: Call, head: ReplyHead) -> None:
        """Take in the head of a reply."""
        self.cluster.replied(shard, call)
        self._heads -= 1
        if not self._needs_all and not self._tolerant and head.status < 400:
            for sink in self._collectors:  # what another says is less than this, and not worth waiting for in vain
                if sink.call is not None:
                    sink.call.gives_way = True
        if self._gives_up:
            self._drop(call)
            return
        if self.large_bytes is not None:
            if head.is_packed:
                self.large_bytes = None  # a compressed reply is decompressed whole
            if not self._heads or self.large_bytes is None:
                self._resume()

    def look(self, sink: "_Collector", large_bytes: int) -> None:
        """Find out, after a piece of a body, whether the replies are large."""
        if self._heads:
            # It is not known yet whether this will be streamed, so no more of it is held than when streaming.
            if sink.size > FLOW_WINDOW_BYTES:
                sink.pause()
        elif sum(collector.expected for collector in self._collectors) >= large_bytes and not self.done.done():
            self._are_large()

    def _are_large(self) -> None:
        self.large_bytes = None
        self.done.set_result(True)
        # One event of a socket brings up to 8 MB before any other event is handled.
        for collector in self._collectors:
            collector.pause()

    def pause(self, call: Call) -> None:
        """Take no more bytes of a reply for now."""
        if not self._tolerant:
            call.pause()
            return
        # It waits for another shard's head, which has a deadline; its own begins anew when it is read on.
        self.cluster.streams(call)
        call.pause()
        call.deadline_at = inf

    def excess(self, size: int) -> ReplyTooLargeError | None:
        """The error that a reply of this size is, or that makes the replies too large together; None: there is room."""
        if size > self._body_bytes_max:
            problem = f"a shard's reply is larger than {self._body_bytes_max} bytes"
            return ReplyTooLargeError(problem, log=f"{size} bytes had come")
        together = sum([collector.size for collector in self._collectors])
        if self._bytes_max is not None and together > self._bytes_max:
            problem = f"the shards' replies are together larger than {self._bytes_max} bytes"
            return ReplyTooLargeError(problem, log=f"{together} bytes had come, {size} of them of this shard")
        return None

    def settle(self, shard: ShardId, outcome: Outcome) -> None:
        """Take in the outcome of one call."""
        self._outcomes[shard] = outcome
        failed = not isinstance(outcome, Reply)
        if failed:
            self._lacks = True
        if failed and self.large_bytes is not None:
            if self._tolerant:
                self._lost(shard, self.large_bytes)
            else:
                self.large_bytes = None
                self._resume()
        self._waiting -= 1
        if self._waiting == 0:
            if not self.done.done() and (self.then is None or not self.then()):
                self.done.set_result(False)
        elif failed and self._needs_all and not self._gives_up:
            self._give_up()

    def _lost(self, shard: ShardId, large_bytes: int) -> None:
        """A shard has failed before it was known whether the replies are large: the others tell."""
        late = False
        for sink in self._collectors:
            if sink.shard == shard:
                if sink.head is None:
                    self._heads -= 1
                sink.size, sink.head, sink.body = 0, None, None
            elif sink.head is None:
                late = True
        if late or self.done.done():
            return
        if sum(collector.expected for collector in self._collectors) >= large_bytes:
            self._are_large()
        else:
            self._resume()

    def _give_up(self) -> None:
        """A shard has failed, so the others' rows are of no use. Those that have not answered may fail, too: the error
        names all that fail within a moment."""
        self._gives_up = True
        self._taken_max = -1
        self._timer = asyncio.get_running_loop().call_later(FAIL_TOGETHER_S, self._drop_all)
        for sink in self._collectors:
            if sink.head is not None and sink.call is not None:
                self._drop(sink.call)

    def _drop_all(self) -> None:
        for sink in self._collectors:
            if sink.call is not None:
                self._drop(sink.call)

    def _drop(self, call: Call) -> None:
        """Wait no more for a call."""
        if not call.done:
            call.cancel()
            self._waiting -= 1
            if self._waiting == 0 and not self.done.done():
                self.done.set_result(False)

    def _resume(self) -> None:
        for sink in self._collectors:
            if sink.is_paused and sink.call is not None and not sink.call.done:
                sink.is_paused = False
                sink.call.resume()

    def _refuse(self, error: ShardgateError) -> None:
        if not self.done.done():
            self.done.set_exception(error)
        self._refusal = error
        for sink in self._collectors:
            sink.body = None
        self.cancel()  # now: one event of a socket brings up to 8 MB


class _Collector:
    """Receives one reply whole. Compiled, its members have known places, whatever they begin with."""

    is_paused: bool = False
    head: ReplyHead | None = None
    size: int = 0
    call: Call | None = None
    body: list[bytes] | None = None
    """The pieces of a short body; those of a long one would need their memory once more when they are joined. None:
    none has come, or the reply came in one piece."""
    _long: bytearray | None = None

    def __init__(self, of_round: Round, shard: ShardId) -> None:
        self._round = of_round
        self.shard = shard

    @property
    def expected(self) -> int:
        """How long the body is, as far as it is known."""
        length = None if self.head is None else self.head.content_length
        return self.size if length is None else length

    def pause(self) -> None:
        """Take no more bytes for now."""
        if self.call is not None and not self.call.done:
            self.is_paused = True
            self._round.pause(self.call)

    def reply_interim(self, head: ReplyHead) -> None:
        pass  # of no use to a merge

    def reply_head(self, head: ReplyHead, data: bytes) -> None:
        self.head = head
        if self.call is not None:
            self._round.begun(self.shard, self.call, head)
        self.reply_data(data)

    def reply_whole(self, head: ReplyHead, body: bytes) -> None:
        call = self.call
        if call is None or self._round.whole(self, call, head, body):
            return
        self.reply_head(head, body)
        if self.call is not None and not self.call.done:
            self.reply_end(b"")

    def reply_data(self, data: bytes) -> None:
        self.size += len(data)
        if self.size > self._round.looked_at and self.call is not None:
            error = self._round.excess(self.size)
            if error is not None:
                self.call.fail(error)
                return
        if self.body is None:
            self.body = [data]
        else:
            self._go_on(self.body, data)
        self._round.holding.add(len(data))
        if (large_bytes := self._round.large_bytes) is not None:
            self._round.look(self, large_bytes)

    def reply_end(self, trailers: bytes) -> None:
        head = self.head
        if head is not None:
            pieces = self.pieces()
            body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
            if head.is_packed:
                self._round.packed.append(self.shard)
            self._round.settle(self.shard, whole_of(head, body))

    def pieces(self) -> list[bytes]:
        """What has come of the body."""
        if self._long is not None:
            self.body, self._long = [bytes(self._long)], None
        return self.body or []

    def _go_on(self, pieces: list[bytes], data: bytes) -> None:
        """Keep a piece that is not the first."""
        if self._long is not None:
            self._long += data
        elif self.size <= PIECED_BYTES_MAX and len(pieces) < PIECES_MAX:
            pieces.append(data)
        else:
            self._long, self.body = bytearray(b"".join([*pieces, data])), []

    def reply_switched(self, head: ReplyHead, data: bytes, upstream: asyncio.Transport) -> None:
        upstream.abort()  # never: nothing was offered

    def reply_failed(self, error: ShardgateError) -> None:
        self._round.cluster.failed(self.shard, error)
        self._round.settle(self.shard, error)
