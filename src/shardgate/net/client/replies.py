"""The half of a client's connection that writes: what a handler says becomes bytes, and is noted.

Holds: a reply that cannot be ended well is cut off, so that the client sees that it is not whole.
Never: reads; `ClientConnection` does, and knows when a reply was the last.
"""

import asyncio
import socket
import struct

from shardgate.core.exchange import Exchange
from shardgate.core.http import Reply, ReplyHead
from shardgate.net.client.contracts import BackPressure, Settings, Work
from shardgate.net.client.incoming import IncomingBody
from shardgate.net.client.outgoing import OutgoingReply
from shardgate.net.client.state import IDLE, SWITCHED, State
from shardgate.net.client.tunnel import Tunnel
from shardgate.net.watch import Watch

_RESET = struct.pack("ii", 1, 0)


class ReplyWriter:
    """Writes replies; the base of `ClientConnection`."""

    __slots__ = (
        "_buffer",
        "_is_endless",
        "_now",
        "_out",
        "_pausable",
        "_retiring",
        "_settings",
        "_stalled",
        "_state",
        "_transport",
        "_watch",
        "_work",
        "exchange",
        "incoming",
    )

    _out: OutgoingReply  # from connection_made on

    def __init__(self, watch: Watch, settings: Settings) -> None:
        self._watch = watch
        self._now = watch.now
        self._settings = settings
        self._state: State = IDLE
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._work: Work | None = None
        self._pausable: BackPressure | None = None
        self._is_endless = False  # the reply is a stream of events: it ends when the client leaves
        self._retiring = False  # the process ends: the next reply is the last
        self._stalled = False  # the client does not read what was written
        self.incoming: IncomingBody | None = None
        """The request's body, until it is whole."""
        self.exchange: Exchange | None = None
        """The record of the request under way."""

    def adopt(self, work: Work) -> None:
        """Cancel this work if the client leaves."""
        self._work = work

    def send(self, reply: Reply) -> None:
        """Send a whole reply."""
        if self.incoming is not None or self._retiring:
            self._out.keep_alive = False  # what else the client sends is not read
        if self._transport is not None:
            size = self._out.send(reply)
            if (exchange := self.exchange) is not None:
                exchange.status, exchange.bytes_out, exchange.first_byte_at = reply.status, size, self._now()
        self._finished()

    def annotate(self, lines: bytes) -> None:
        """Add header lines to the reply to come, whoever makes it."""
        self._out.limits = lines

    def interim(self, head: ReplyHead) -> None:
        """Pass a 1xx on, unless the client is so slow that it would have to be held."""
        if self._transport is not None and not self._stalled:
            self._out.interim(head)

    def begin(self, head: ReplyHead, data: bytes, *, has_body: bool, stream: BackPressure) -> None:
        """Send the head of a shard's reply and the first piece of its body; the rest follows by `write`."""
        if self.incoming is not None or self._retiring:
            self._out.keep_alive = False
        self._pausable = stream
        self._is_endless = head.is_event_stream
        if self._transport is not None:
            size = self._out.begin(head, data, has_body)
            if (exchange := self.exchange) is not None:
                exchange.status, exchange.bytes_out, exchange.first_byte_at = head.status, size, self._now()

    def write(self, data: bytes) -> None:
        """Send a piece of the body."""
        if self._transport is not None:
            size = self._out.write(data)
            if self.exchange is not None:
                self.exchange.bytes_out += size

    def finish(self, trailers: bytes) -> None:
        """End the reply."""
        if self._transport is not None:
            size = self._out.finish(trailers)
            if self.exchange is not None:
                self.exchange.bytes_out += size
        self._finished()

    def switch(self, head: ReplyHead, data: bytes, upstream: asyncio.Transport) -> None:
        """Join the two connections: from now on bytes pass both ways unread."""
        ahead, self._buffer = self._buffer, b""
        if self._transport is None:
            upstream.close()
            return
        self._state = SWITCHED[self._state]
        size = self._out.switch(head, data)
        if ahead:
            upstream.write(ahead)
        if (exchange := self.exchange) is not None:
            exchange.status, exchange.bytes_out, exchange.first_byte_at = head.status, size, self._now()
            exchange.bytes_in += len(ahead)
        Tunnel(self._watch, self._settings.stream_idle_timeout_s, self.exchange).join(self._transport, upstream)

    def abort(self, reason: str = "") -> None:
        """Cut the connection, so that the client sees that its reply is not whole. `reason` is noted."""
        if self.exchange is not None:
            self.exchange.cut_off = reason
        if self._transport is not None:
            if self._pausable is not None and self._out.ends_by_close:
                # RFC 9112 section 8: a peaceful end would say that the reply is whole.
                self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self._transport.abort()

    def _finished(self) -> None:
        """The reply is written whole."""
        raise NotImplementedError
