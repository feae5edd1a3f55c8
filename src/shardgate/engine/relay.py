"""Carries out ToOne and ToAny: the shard's reply passes through as it comes, with back-pressure.

Holds: nothing of the reply is decoded, but for a create's, whose new id is learned when it is small.
Hot path: this is what most requests are; `make bench` shows it as relay CPU.
"""

from collections.abc import Callable, Sequence

import msgspec

from shardgate.core.contracts import Memory
from shardgate.core.errors import DeadlineError, ShardDownError, ShardgateError
from shardgate.core.exchange import DEADLINE, SHARD_BROKE, Exchange
from shardgate.core.http import SAFE_METHODS, ReplyHead, Request
from shardgate.core.limits import LEARNED_BODY_BYTES_MAX
from shardgate.core.problem import problem_reply
from shardgate.core.routes.route import Route
from shardgate.core.routes.rule import One
from shardgate.core.topology import ShardId
from shardgate.core.wire.forwarding import request_head
from shardgate.engine.cluster import Cluster
from shardgate.net.connection import ClientConnection
from shardgate.net.upstream import Call

Doubt = Callable[[], None]
"""What to do when the shard turns out not to hold the key."""


class Relay:
    """One request on its way to one shard, and the reply on its way back."""

    __slots__ = (
        "_begun",
        "_call",
        "_client",
        "_cluster",
        "_doubt",
        "_exchange",
        "_kept",
        "_memory",
        "_others",
        "_request",
        "_route",
        "_shard",
    )

    def __init__(
        self,
        cluster: Cluster,
        client: ClientConnection,
        request: Request,
        route: Route,
        exchange: Exchange,
        memory: Memory,
    ) -> None:
        self._cluster = cluster
        self._client = client
        self._request = request
        self._route = route
        self._exchange = exchange
        self._memory = memory
        self._doubt: Doubt | None = None
        self._call: Call | None = None
        self._begun = False
        self._shard = ""
        self._others: Sequence[ShardId] = ()
        self._kept: list[bytes] | None = None

    def start(self, shard: ShardId, *, others: Sequence[ShardId] = (), doubt: Doubt | None = None) -> None:
        """Send the request. `others` may be asked when the shard cannot be reached; `doubt` when it has not the key."""
        self._doubt = doubt
        request = self._request
        fields = request.fields
        has_body = fields.chunked or b"content-length" in fields.values
        head = request_head(
            request.sent_method,
            request.target,
            fields.host,
            fields.end_to_end,
            self._client.hop,
            self._exchange.request_id,
            len(request.body) if has_body else None,
        )
        self._shard = shard
        self._exchange.shards = (*self._exchange.shards, shard)
        self._others = others
        self._call = self._cluster.call(shard, head, request.body, self, request.sent_method)

    def cancel(self) -> None:
        """The client has left."""
        if self._call is not None and not self._call.done:
            self._call.cancel()

    def pause(self) -> None:
        """The client is slower than the shard."""
        if self._call is not None:
            self._call.pause()

    def resume(self) -> None:
        """The client has caught up."""
        if self._call is not None:
            self._call.resume()

    def reply_head(self, head: ReplyHead, data: bytes) -> None:
        """Pass the head on, unless the shard says that it does not hold the key."""
        if self._call is not None:
            self._exchange.upstream_s += self._cluster.replied(self._shard, self._call)
        rule = self._route.rule
        if isinstance(rule, One):
            if self._doubt is not None and head.status in rule.not_here:
                if self._call is not None:
                    self._call.cancel()
                self._doubt()
                return
            if rule.learn and 200 <= head.status < 300:
                self._kept = [data]
        self._begun = True
        has_body = self._request.sent_method != b"HEAD" and head.status not in {204, 304}
        self._client.begin(head, data, has_body=has_body, stream=self)

    def reply_data(self, data: bytes) -> None:
        """Pass a piece of the body on."""
        if self._kept is not None:
            self._keep(self._kept, data)
        self._client.write(data)

    def reply_end(self) -> None:
        """The reply is whole."""
        if self._kept:
            self._learn(b"".join(self._kept))
        self._client.finish()

    def reply_failed(self, error: ShardgateError) -> None:
        """Try another shard where any will do, or say what happened."""
        self._cluster.failed(self._shard, error)
        if self._begun:
            self._exchange.error = error.code
            self._client.abort(DEADLINE if isinstance(error, DeadlineError) else SHARD_BROKE)
        elif self._others and isinstance(error, ShardDownError) and self._request.method in SAFE_METHODS:
            self.start(self._others[0], others=self._others[1:])
        else:
            self._exchange.error = error.code
            self._client.send(problem_reply(error, self._exchange.request_id.decode("ascii")))

    def _keep(self, kept: list[bytes], data: bytes) -> None:
        kept.append(data)
        if sum(map(len, kept)) > LEARNED_BODY_BYTES_MAX:
            self._kept = None

    def _learn(self, body: bytes) -> None:
        rule = self._route.rule
        if not isinstance(rule, One):
            return
        try:
            document = msgspec.json.decode(body, type=dict[str, object])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return
        for space, member in rule.learn.items():
            if isinstance(key := document.get(member), str | int):
                self._memory.learn(space, str(key), self._shard)
