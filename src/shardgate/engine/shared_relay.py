"""One relay whose reply goes to several clients: equal reads that are under way at the same time.

    relay ──► SharedRelay ──► Follower ──► client
                          └─► Follower ──► client

Holds: each client gets the same bytes, in its own time: what a slow one has not taken waits for it, counted as held,
and the shard is read on as long as one client reads. A client that leaves ends nobody else's reply; the last one ends
the relay. Who comes after the reply has begun is too late to share it.
Never: gives a reply to others that is one client's.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

import msgspec

from shardgate.core.clients.load import ClientLoad
from shardgate.core.errors import ClientError, ShardgateError
from shardgate.core.exchange import DRAIN, Exchange
from shardgate.core.held import Holding
from shardgate.core.http import Reply, ReplyHead
from shardgate.core.replies.privacy import is_of_one_client
from shardgate.net.client.contracts import BackPressure, Client, Work
from shardgate.net.upload import Upload

# What a piece that waits takes besides its bytes.
_PIECE_BYTES: Final = 64


class Follower:
    """One client of a shared relay."""

    __slots__ = ("_ends_with", "_holding", "_open", "_relay", "_waiting", "alone", "client", "exchange", "is_paused")

    def __init__(
        self,
        relay: "SharedRelay",
        client: Client,
        exchange: Exchange,
        alone: Callable[[], None],
        open_holding: Callable[[], Holding],
    ) -> None:
        """`alone`: asks for this client by itself."""
        self._relay = relay
        self._open = open_holding
        self._holding: Holding | None = None
        self._waiting: deque[bytes] = deque()
        self._ends_with: bytes | None = None  # the trailers, once the reply is whole
        self.client = client
        self.exchange = exchange
        self.alone = alone
        self.is_paused = False
        """The client does not read."""

    def write(self, data: bytes) -> None:
        """Send a piece, or keep it until the client reads."""
        if not self.is_paused and not self._waiting:
            self.client.write(data)
            return
        self._waiting.append(data)
        holding = self._holding
        if holding is None:
            holding = self._holding = self._open()
            holding.begun = True
            holding.on_refused = self._no_room
        holding.set(holding.size + len(data) + _PIECE_BYTES)

    def finish(self, trailers: bytes) -> None:
        """The reply is whole; its end follows what waits."""
        if self._waiting:
            self._ends_with = trailers
        else:
            self._relay.leave(self)
            self.client.finish(trailers)

    def pause(self) -> None:
        """The client is slower than the shard."""
        self.is_paused = True
        self._relay.pace()

    def resume(self) -> None:
        """The client has caught up."""
        self.is_paused = False
        while self._waiting and not self.is_paused:
            self.client.write(self._waiting.popleft())
        if self._holding is not None:
            self._holding.set(sum(map(len, self._waiting)) + _PIECE_BYTES * len(self._waiting))
        if self._waiting:
            return
        if self._ends_with is not None:
            self._relay.leave(self)
            self.client.finish(self._ends_with)
        else:
            self._relay.pace()

    def cancel(self) -> None:
        """The client has left."""
        self._relay.left(self)

    def close(self) -> None:
        """Keep nothing more."""
        self._waiting.clear()
        if self._holding is not None:
            self._holding.close()
            self._holding = None

    def _no_room(self, error: ShardgateError) -> None:
        self._holding = None
        self.exchange.error = error.code
        self._relay.left(self)
        self.client.abort(error.cut_off)


class SharedRelay:
    """The client of a relay, in the place of all that wait for its reply."""

    __slots__ = (
        "_followers",
        "_is_paused",
        "_leader",
        "_over",
        "_stream",
        "_work",
        "exchange",
        "head_bytes",
        "hop",
        "is_proxied",
        "load",
        "peer",
    )

    def __init__(self, client: Client, exchange: Exchange, over: Callable[[], None]) -> None:
        """`client`, `exchange`: of the request that came first. `over`: called when nobody can join any more."""
        own = Exchange(exchange.request, exchange.request_id, exchange.peer, exchange.began_at)
        own.route = exchange.route
        self.exchange: Exchange | None = own
        """The record of the relay; each client's own is filled from it."""
        self.head_bytes = client.head_bytes
        self.peer = client.peer
        self.hop = client.hop
        self.is_proxied = client.is_proxied
        self.load: ClientLoad | None = None
        """None: it is counted for each client."""
        self._over = over
        self._followers: list[Follower] = []
        self._leader: Follower | None = None
        self._work: Work | None = None
        self._stream: BackPressure | None = None
        self._is_paused = False

    @property
    def incoming(self) -> Upload | None:
        """Nothing: only requests without a body are shared."""
        return None

    def join(self, follower: Follower) -> None:
        """One more client waits. The first one is whose the reply is, where it is one client's."""
        if self._leader is None:
            self._leader = follower
        self._followers.append(follower)
        follower.client.adopt(follower)

    def left(self, follower: Follower) -> None:
        """A client has left. With the last one, the relay ends."""
        self.leave(follower)
        if not self._followers and self._work is not None:
            work, self._work = self._work, None
            work.cancel()

    def leave(self, follower: Follower) -> None:
        """A client has all that it gets."""
        follower.close()
        if follower in self._followers:
            self._followers.remove(follower)
        if self._followers:
            self.pace()
        else:
            self._over()
            self._over, self._leader = _nothing, None  # break the reference cycles

    def pace(self) -> None:
        """Read the shard on while one client reads."""
        stream, pauses = self._stream, bool(self._followers) and all(each.is_paused for each in self._followers)
        if stream is not None and pauses != self._is_paused:
            self._is_paused = pauses
            if pauses:
                stream.pause()
            else:
                stream.resume()

    def adopt(self, work: Work) -> None:
        """Cancel this work once the last client has left."""
        self._work = work

    def collect(self) -> None:
        pass  # there is no body

    def hand_over(self) -> Holding | None:
        return None

    def annotate(self, lines: bytes) -> None:
        pass  # each client has its own

    def send(self, reply: Reply) -> None:
        """Send a whole reply to each."""
        relayed = self.exchange
        if relayed is not None and relayed.first_byte_at:
            self.abort()
            return
        is_ours = relayed is not None and bool(relayed.error)
        for follower in self._taking([*reply.fields], is_ours=is_ours):
            self.leave(follower)
            own = Reply(reply.status, [*reply.fields], reply.body, reply.reason)
            if is_ours:
                own.body = _of_request(reply.body, follower.exchange.request_id)
            follower.client.send(own)

    def interim(self, head: ReplyHead) -> None:
        for follower in [*self._followers]:
            follower.client.interim(head)

    def relay(self, head: ReplyHead, body: bytes) -> None:
        """Send a shard's reply, which came in one piece, to each."""
        for follower in self._taking(_named(head)):
            self.leave(follower)
            follower.client.relay(head, body)

    def begin(self, head: ReplyHead, data: bytes, *, stream: BackPressure) -> None:
        """Send a reply's head and the first piece of its body to each."""
        self._stream = stream
        for follower in self._taking(_named(head)):
            follower.client.begin(head, data, stream=follower)
        work = self._work
        if not self._followers and work is not None:  # it is the reply of one that has left
            self._work = None
            work.cancel()

    def write(self, data: bytes) -> None:
        """Send a piece of the body to each."""
        for follower in [*self._followers]:
            follower.write(data)

    def finish(self, trailers: bytes) -> None:
        """End the reply of each."""
        self._work = self._stream = None
        for follower in [*self._followers]:
            follower.finish(trailers)

    def switch(self, head: ReplyHead, data: bytes, upstream: asyncio.Transport) -> None:
        upstream.close()  # none was offered

    def abort(self, reason: str = "") -> None:
        """Cut the reply of each."""
        self._work = self._stream = None
        for follower in [*self._followers]:
            follower.exchange.error = "" if self.exchange is None else self.exchange.error
            self.leave(follower)
            follower.client.abort(reason)

    def end(self, error: ShardgateError, reason: str = DRAIN) -> None:
        for follower in [*self._followers]:
            follower.client.end(error, reason)

    def refuse(self, error: ClientError) -> None:
        pass  # it is no connection

    def rest(self, seconds: float) -> None:
        pass

    def retire(self) -> None:
        pass

    def close(self) -> None:
        pass

    def _taking(self, fields: list[tuple[bytes, bytes]], *, is_ours: bool = False) -> list[Follower]:
        """The reply begins: who gets it. The others ask for themselves, where it is one client's."""
        self._over()
        relayed = self.exchange
        followers = [*self._followers]
        if is_of_one_client(fields) and not is_ours:
            for follower in followers:
                if follower is not self._leader:
                    self._followers.remove(follower)
                    follower.alone()
            followers = [*self._followers]
        if relayed is not None:
            relayed.first_byte_at = relayed.began_at
            for follower in followers:
                own = follower.exchange
                own.shards, own.calls, own.upstream_s = relayed.shards, relayed.calls, relayed.upstream_s
                own.error = relayed.error
        return followers


def _nothing() -> None:
    pass


def _of_request(body: bytes, request_id: bytes) -> bytes:
    """A problem of the gateway, with the id of this request."""
    try:
        document = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return body
    if not isinstance(document, dict) or "request_id" not in document:
        return body
    return msgspec.json.encode({**document, "request_id": request_id.decode("ascii")})


def _named(head: ReplyHead) -> list[tuple[bytes, bytes]]:
    return [(name, value) for name, value, _ in head.fields]
