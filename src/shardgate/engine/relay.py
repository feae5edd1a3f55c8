"""Carries out ToOne and ToAny: streams the shard's reply to the client, with back-pressure.

Holds: no body is decoded, except the small reply of a create, from which the new id is learned.
Hot path: most requests are relayed; `make bench` shows the cost as relay CPU.
"""

import asyncio
import zlib
from collections.abc import Callable, Sequence

from shardgate.core.contracts import KeyMemory
from shardgate.core.errors import (
    BrokenReplyError,
    DeadlineError,
    DeclaredFailureError,
    ShardDownError,
    ShardgateError,
    SlowClientError,
)
from shardgate.core.exchange import Exchange
from shardgate.core.http import SAFE_METHODS, ReplyHead, Request
from shardgate.core.limits import LEARNED_BODY_BYTES_MAX
from shardgate.core.replies.problem import problem_reply
from shardgate.core.routes.calls import CallWords
from shardgate.core.routes.route import Route
from shardgate.core.topology import ShardId
from shardgate.core.wire.coding import Compress, known_head, packed_head, takes_gzip
from shardgate.core.wire.forwarding import body_framing, request_head, upgrade_lines
from shardgate.engine.cluster import Cluster
from shardgate.engine.failover import FailoverQueue
from shardgate.engine.judged_sink import JudgedSink
from shardgate.engine.learning import learn, learn_from_head
from shardgate.net.client.contracts import Client
from shardgate.net.upstream.call import Call

Doubt = Callable[[], bool]
"""Called when the shard turns out not to have the key. Returns whether another answers, so that this relay is over."""


class Relay:
    """One request on its way to one shard, and the reply on its way back."""

    __slots__ = (
        "_call",
        "_client",
        "_cluster",
        "_doubt",
        "_exchange",
        "_is_paused",
        "_kept",
        "_memory",
        "_others",
        "_packer",
        "_request",
        "_route",
        "_shard",
        "_was_cut",
    )

    def __init__(
        self,
        cluster: Cluster,
        client: Client,
        request: Request,
        route: Route,
        exchange: Exchange,
        memory: KeyMemory,
    ) -> None:
        self._cluster = cluster
        self._client = client
        self._request = request
        self._route = route
        self._exchange = exchange
        self._memory = memory
        self._packer: zlib._Compress | None = None
        self._doubt: Doubt | None = None
        self._call: Call | None = None
        self._is_paused = False  # the client has not read what was written
        self._shard = ""
        self._others: Sequence[ShardId] = ()
        self._kept: list[bytes] | None = None
        self._was_cut = False  # the connection broke before the reply's head was whole, and the request was sent again

    def start(self, shard: ShardId, *, others: Sequence[ShardId] = (), doubt: Doubt | None = None) -> None:
        """Send the request.

        `others`: the shards to try where this one cannot be reached. `doubt`: called where it does not have the key.
        """
        self._doubt = doubt
        request = self._request
        fields = request.fields
        offers = self._offers(fields.upgrade) if fields.upgrade else b""
        head = request_head(
            request.sent_method,
            request.target,
            fields.host,
            fields.end_to_end,
            self._client.hop,
            self._exchange.request_id,
            upgrade_lines(offers) if offers else body_framing(request),
        )
        self._shard = shard
        asked = self._exchange.shards
        self._exchange.shards = (*asked, shard) if asked else (shard,)
        self._others = others
        words = self._route.calls
        if words is None:
            self._call = self._cluster.relay(shard, head, request, self, self._client.incoming, offers)
        else:
            self._call = self._guided(words, shard, head, offers)
        if others and request.method in SAFE_METHODS:
            self._call.gives_way = words is None or words.retry != "unsent"

    def _guided(self, words: CallWords, shard: ShardId, head: bytes, offers: bytes) -> Call:
        """Send the request as the rule says of its calls."""
        if not words.failure_is:
            return self._cluster.relay(shard, head, self._request, self, self._client.incoming, offers, words)
        judged = JudgedSink(self, words.failure_is, self._declared)
        call = self._cluster.relay(shard, head, self._request, judged, self._client.incoming, offers, words)
        judged.call = call
        return call

    def _declared(self, why: str) -> bool:
        """The reply says in its body that it failed. Whether another shard is asked."""
        words, before = self._route.calls, self._call
        self._cluster.declared(self._shard, DeclaredFailureError("the shard says that the request failed", log=why))
        if not self._others or self._request.method not in SAFE_METHODS or (words and words.retry == "unsent"):
            return False
        self.start(self._others[0], others=self._others[1:])
        if before is not None and self._call is not None:
            self._call.continues(before)
            before.cancel()
        return True

    def _offers(self, wanted: bytes) -> bytes:
        """The protocol that the client wants to switch to, where the rule allows it."""
        request, rule = self._request, self._route.rule
        if rule is None or request.method != "GET" or request.fields.has_body:
            return b""
        return wanted if wanted.decode("latin-1") in rule.upgrade else b""

    def cancel(self) -> None:
        """The client has left."""
        if self._call is not None and not self._call.done:
            self._call.cancel()

    def pause(self) -> None:
        """The client is slower than the shard."""
        self._is_paused = True
        if self._call is not None:
            self._call.wait_for_client()

    def resume(self) -> None:
        """The client has caught up."""
        self._is_paused = False
        if self._call is not None:
            self._call.resume()

    def reply_interim(self, head: ReplyHead) -> None:
        """Pass a 1xx on."""
        self._client.interim(head)

    def reply_head(self, head: ReplyHead, data: bytes) -> None:
        """Pass the head on, unless the shard says that it does not have the key."""
        if self._call is not None:
            self._exchange.upstream_s += self._cluster.replied(self._shard, self._call)
        rule = self._route.rule
        if rule is not None:
            if self._doubt is not None and head.status in rule.not_here and self._doubt():
                if self._call is not None:
                    self._call.cancel()
                return
            if rule.learns_from_reply and rule.learn and 200 <= head.status < 400:
                learn_from_head(rule.learn, [field[:2] for field in head.fields], self._shard, self._memory)
                self._kept = [data] if head.status < 300 else None
        if head.is_event_stream and self._call is not None:
            self._call.may_be_silent(self._cluster.stream_idle_s)
        if self._cluster.compress is not None:
            head, data = self._pack_from(head, data, self._cluster.compress)
        self._client.begin(head, data, stream=self)

    def reply_whole(self, head: ReplyHead, body: bytes) -> None:
        """Pass the reply on, unless the shard says that it does not have the key."""
        call, self._call = self._call, None  # a reference cycle would be left to the garbage collector
        if call is not None:
            self._exchange.upstream_s += self._cluster.replied(self._shard, call)
        rule = self._route.rule
        if rule is not None:
            if self._doubt is not None and head.status in rule.not_here and self._doubt():
                return
            if rule.learn and rule.learns_from_reply and 200 <= head.status < 400:
                learn_from_head(rule.learn, [field[:2] for field in head.fields], self._shard, self._memory)
                if head.status < 300:
                    learn(rule.learn, body, self._shard, self._memory)
        if self._cluster.compress is not None:
            head, body = self._pack_whole(head, body, self._cluster.compress)
        self._client.relay(head, body)

    def reply_data(self, data: bytes) -> None:
        """Pass a piece of the body on."""
        if self._kept is not None:
            self._keep(self._kept, data)
        self._client.write(data if self._packer is None else _packed(self._packer, data))

    def reply_end(self, trailers: bytes) -> None:
        """The reply is whole."""
        if self._kept:
            self._learn(b"".join(self._kept))
        if self._packer is not None and (rest := self._packer.flush()):
            self._client.write(rest)
        self._call = None  # break the reference cycle, which would be left to the garbage collector
        self._client.finish(trailers)

    def reply_switched(self, head: ReplyHead, data: bytes, upstream: asyncio.Transport) -> None:
        """The shard has switched protocols: join the two connections."""
        if self._call is not None:
            self._exchange.upstream_s += self._cluster.replied(self._shard, self._call)
        self._client.switch(head, data, upstream)

    def reply_failed(self, error: ShardgateError) -> None:
        """Try another shard where any will do; otherwise report the failure and tell the client."""
        if self._is_paused and isinstance(error, DeadlineError):
            error = SlowClientError("the client does not read its reply")
        elif not isinstance(error, SlowClientError):
            self._cluster.failed(self._shard, error)
        if self._others and error.another_may_answer and self._request.method in SAFE_METHODS:
            before = self._call
            self.start(self._others[0], others=self._others[1:])
            if before is not None and self._call is not None:
                self._call.continues(before)
            return
        if self._cluster.failovers and self._goes_on(error):
            return
        self.report(error)

    def report(self, error: ShardgateError) -> None:
        """Tell the client of the failure."""
        self._cluster.reporter.report(error, self._exchange)
        if self._exchange.first_byte_at:
            self._client.abort(error.cut_off)
        else:
            self._client.send(problem_reply(error, self._exchange.request_id.decode("ascii")))

    @property
    def is_sent(self) -> bool:
        """Whether the request has a connection, or is over."""
        return self._call is None or self._call.done or self._call.carrier is not None

    def again(self) -> None:
        """Send the request again: nothing of it was sent, or it changes nothing."""
        before = self._call
        self._client.adopt(self)
        self._exchange.shards = ()
        self.start(self._shard, doubt=self._doubt)
        if before is not None and self._call is not None:
            self._call.continues(before)

    def _goes_on(self, error: ShardgateError) -> bool:
        """Send the request once more, or wait for the shard, where requests for its keys do.

        What could not be sent waits. A read that was cut before the head of its reply was whole is sent again at once,
        and once: a shard that is there answers it, and where that cannot be sent, it waits.
        """
        queue, rule = self._cluster.failovers.get(self._shard), self._route.rule
        if queue is None or rule is None or not rule.finds_owner or self._client.incoming is not None:
            return False
        if len(self._exchange.shards) > 1:
            return False
        if isinstance(error, ShardDownError):
            return self._waits(queue, error)
        if self._was_cut or not error.another_may_answer or not isinstance(error, BrokenReplyError):
            return False
        self._was_cut = True
        self.again()
        return True

    def _waits(self, queue: FailoverQueue, error: ShardgateError) -> bool:
        """Wait for the shard, unless there is no room."""
        since_s = self._cluster.now() if self._call is None else self._cluster.came_at(self._call)
        waiting = RelayWaiting(self, queue, error, since_s, len(self._request.body))
        if not queue.join(waiting):
            return False
        self._client.adopt(waiting)
        return True

    def _pack_from(self, head: ReplyHead, data: bytes, compress: Compress) -> tuple[ReplyHead, bytes]:
        """Compress the body from here on, where it is worth it and the client takes it."""
        if head.status == 304 and self._request.fields.packed_tags:
            return known_head(head, self._request.fields.packed_tags), data
        named = [(name, value) for name, value, _ in head.fields]
        if not compress.may_pack(head.status, named, head.content_length):
            return head, data
        packs = takes_gzip(self._request.fields)
        if packs and self._request.sent_method != b"HEAD":
            self._packer = compress.packer()
            data = _packed(self._packer, data)
        return packed_head(head, is_packed=packs), data

    def _pack_whole(self, head: ReplyHead, body: bytes, compress: Compress) -> tuple[ReplyHead, bytes]:
        """The same for a whole body."""
        if head.status == 304 and self._request.fields.packed_tags:
            return known_head(head, self._request.fields.packed_tags), body
        named = [(name, value) for name, value, _ in head.fields]
        if not compress.may_pack(head.status, named, head.content_length):
            return head, body
        if not takes_gzip(self._request.fields):
            return packed_head(head, is_packed=False), body
        body = compress.pack(body)
        return packed_head(head, is_packed=True, packed_bytes=len(body)), body

    def _keep(self, kept: list[bytes], data: bytes) -> None:
        kept.append(data)
        if sum(map(len, kept)) > LEARNED_BODY_BYTES_MAX:
            self._kept = None

    def _learn(self, body: bytes) -> None:
        rule = self._route.rule
        if rule is not None:
            learn(rule.learn, body, self._shard, self._memory)


class RelayWaiting:
    """A relay that waits for its shard; its client's connection cancels it."""

    def __init__(self, relay: Relay, queue: FailoverQueue, error: ShardgateError, since_s: float, size: int) -> None:
        """`error`: what the client is told where the shard does not come back in time."""
        self.owner: object = relay
        self.since_s = since_s
        self.size = size
        self._relay = relay
        self._queue = queue
        self._error = error

    @property
    def is_sent(self) -> bool:
        """Whether the request has a connection, or is over."""
        return self._relay.is_sent

    def resume(self) -> None:
        """Send it now."""
        self._relay.again()

    def give_up(self) -> None:
        """It has waited long enough."""
        self._relay.report(self._error)

    def cancel(self) -> None:
        """The client has left."""
        self._queue.leave(self)


def _packed(packer: "zlib._Compress", data: bytes) -> bytes:
    """Compress and flush, so that the client can read at once what has come."""
    return packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH) if data else b""
