"""A client whose reply is looked at on its way: what may be kept is kept, and what is kept answers where shards fail.

    handler ──► RecordingClient ──► the client's connection

Holds: a reply that is kept came whole. What its client gets is the same, with Cache-Status added. Bytes that wait for
the end of a reply are counted as held; where there is no room, the reply passes and is not kept.
Never: holds a reply back.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from shardgate.core.clients.load import ClientLoad
from shardgate.core.errors import ClientError, ShardgateError
from shardgate.core.exchange import DRAIN, Exchange
from shardgate.core.held import Holding
from shardgate.core.http import Reply, ReplyHead
from shardgate.core.replies.whole import whole_of
from shardgate.core.wire.fields import as_fields
from shardgate.net.client.contracts import BackPressure, Client, Work
from shardgate.net.upload import Upload

Named = list[tuple[bytes, bytes]]


class Recorder(Protocol):
    """Decides what becomes of the reply."""

    bytes_max: int
    """A longer reply is not kept."""

    def instead(self, status: int, fields: Named) -> Reply | None:
        """What answers in the place of this reply; None: it is the answer."""

    def wants(self, status: int, fields: Named, size: int) -> bool:
        """Whether the reply is to be kept, once it is whole. `size`: of its body, as far as it is known."""

    def keep(self, reply: Reply) -> bool:
        """The reply is whole. Whether it is kept."""

    def status(self, *, stored: bool) -> bytes:
        """What Cache-Status says of the reply that passes."""


class RecordingClient:
    """One client, for one request."""

    __slots__ = ("_client", "_head", "_holding", "_is_over", "_open", "_pieces", "_recorder", "_size")

    def __init__(self, client: Client, recorder: Recorder, open_holding: Callable[[], Holding]) -> None:
        self._client = client
        self._recorder = recorder
        self._open = open_holding
        self._holding: Holding | None = None
        self._head: ReplyHead | None = None  # of the reply that is being recorded
        self._pieces: list[bytes] = []
        self._size = 0
        self._is_over = False  # something else was the answer: what still comes is for nobody

    @property
    def exchange(self) -> Exchange | None:
        """The record of the request under way."""
        return self._client.exchange

    @exchange.setter
    def exchange(self, exchange: Exchange | None) -> None:
        self._client.exchange = exchange

    @property
    def head_bytes(self) -> int:
        """The size of the head that was read last."""
        return self._client.head_bytes

    @head_bytes.setter
    def head_bytes(self, size: int) -> None:
        self._client.head_bytes = size

    @property
    def peer(self) -> str:
        """The client's address."""
        return self._client.peer

    @peer.setter
    def peer(self, peer: str) -> None:
        self._client.peer = peer

    @property
    def hop(self) -> bytes:
        """The header lines that requests of this connection carry towards shards."""
        return self._client.hop

    @hop.setter
    def hop(self, hop: bytes) -> None:
        self._client.hop = hop

    @property
    def is_proxied(self) -> bool:
        """The connection comes from a trusted proxy."""
        return self._client.is_proxied

    @is_proxied.setter
    def is_proxied(self, is_proxied: bool) -> None:
        self._client.is_proxied = is_proxied

    @property
    def load(self) -> ClientLoad | None:
        """Where the connection is counted."""
        return self._client.load

    @load.setter
    def load(self, load: ClientLoad | None) -> None:
        self._client.load = load

    @property
    def incoming(self) -> Upload | None:
        """The request's body, until it is whole: there is none."""
        return self._client.incoming

    def collect(self) -> None:
        self._client.collect()

    def hand_over(self) -> Holding | None:
        return self._client.hand_over()

    def adopt(self, work: Work) -> None:
        """Cancel this work if the client leaves, and record no more."""
        self._client.adopt(_Recorded(work, self))

    def annotate(self, lines: bytes) -> None:
        self._client.annotate(lines)

    def send(self, reply: Reply) -> None:
        """Send a whole reply; keep it, where it may be."""
        if self._is_over or self._instead(reply.status, reply.fields):
            return
        stored = self._recorder.wants(reply.status, reply.fields, len(reply.body)) and self._recorder.keep(
            Reply(reply.status, [*reply.fields], reply.body, reply.reason)
        )
        reply.fields = [*reply.fields, (b"Cache-Status", self._recorder.status(stored=stored))]
        self._client.send(reply)

    def interim(self, head: ReplyHead) -> None:
        if not self._is_over:
            self._client.interim(head)

    def relay(self, head: ReplyHead, body: bytes) -> None:
        """Send a shard's reply, which came in one piece; keep it, where it may be."""
        fields = _named(head)
        if self._is_over or self._instead(head.status, fields):
            return
        stored = self._recorder.wants(head.status, fields, len(body)) and self._recorder.keep(whole_of(head, body))
        self._client.relay(self._marked(head, stored=stored), body)

    def begin(self, head: ReplyHead, data: bytes, *, stream: BackPressure) -> None:
        """Send a reply's head and the first piece of its body; record it, where it may be kept."""
        fields = _named(head)
        if self._is_over or self._instead(head.status, fields):
            return
        size = self._recorder.bytes_max + 1 if head.is_event_stream else head.content_length or 0
        wants = self._recorder.wants(head.status, fields, size)
        if wants:
            self._head = head
            self._record(data)
        self._client.begin(self._marked(head, stored=wants), data, stream=stream)

    def write(self, data: bytes) -> None:
        """Send a piece of the body."""
        if not self._is_over:
            if self._head is not None:
                self._record(data)
            self._client.write(data)

    def finish(self, trailers: bytes) -> None:
        """End the reply, which is whole now."""
        if self._is_over:
            return
        head = self._head
        if head is not None and not trailers and head.content_length in {None, self._size}:
            self._recorder.keep(whole_of(head, b"".join(self._pieces)))
        self.drop()
        self._client.finish(trailers)

    def switch(self, head: ReplyHead, data: bytes, upstream: asyncio.Transport) -> None:
        self._client.switch(head, data, upstream)

    def abort(self, reason: str = "") -> None:
        """Cut the connection: the reply is not whole, and not kept."""
        self.drop()
        if not self._is_over:
            self._client.abort(reason)

    def end(self, error: ShardgateError, reason: str = DRAIN) -> None:
        self._client.end(error, reason)

    def refuse(self, error: ClientError) -> None:
        self._client.refuse(error)

    def rest(self, seconds: float) -> None:
        self._client.rest(seconds)

    def retire(self) -> None:
        self._client.retire()

    def close(self) -> None:
        self._client.close()

    def drop(self) -> None:
        """Record no more."""
        self._head, self._pieces = None, []
        if self._holding is not None:
            self._holding.close()
            self._holding = None

    def _instead(self, status: int, fields: Named) -> bool:
        """Answer with what is kept, where it is the answer."""
        reply = self._recorder.instead(status, fields)
        if reply is None:
            return False
        self._is_over = True
        self._client.send(reply)
        return True

    def _record(self, data: bytes) -> None:
        if not data:
            return
        self._size += len(data)
        if self._size > self._recorder.bytes_max:
            self.drop()
            return
        holding = self._holding
        if holding is None:
            holding = self._holding = self._open()
            holding.on_refused = self._no_room
        self._pieces.append(data)
        holding.set(self._size)

    def _no_room(self, error: ShardgateError) -> None:
        self._holding = None
        self.drop()

    def _marked(self, head: ReplyHead, *, stored: bool) -> ReplyHead:
        fields = as_fields([(b"Cache-Status", self._recorder.status(stored=stored))])
        return head.with_fields([*head.fields, *fields])


class _Recorded:
    """What runs for the request, while its reply is recorded."""

    __slots__ = ("_recording", "_work")

    def __init__(self, work: Work, recording: RecordingClient) -> None:
        self._work = work
        self._recording = recording

    def cancel(self) -> object:
        """The client has left."""
        self._recording.drop()
        return self._work.cancel()


def _named(head: ReplyHead) -> Named:
    return [(name, value) for name, value, _ in head.fields]
