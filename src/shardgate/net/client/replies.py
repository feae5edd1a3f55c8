"""The half of a client's connection that writes: a handler's replies become bytes, and each ends its request.

Holds: a reply that cannot be ended well is cut off, so that the client sees that it is not whole. The record of a
request is handed on once, with its end.
Never: reads a request; `ClientConnection` does.
"""

import asyncio
import socket
import struct
from typing import Final

from shardgate.core.clients.load import ClientLoad
from shardgate.core.exchange import Exchange
from shardgate.core.held import Holding
from shardgate.core.http import Reply, ReplyHead
from shardgate.core.limits import HALF_CLOSED_S, LAST_CHANCE_S, LINGER_S
from shardgate.net.client.contracts import BackPressure, Handler, Settings, Work
from shardgate.net.client.incoming import IncomingBody
from shardgate.net.client.outgoing import OutgoingReply
from shardgate.net.client.state import IDLE, LINGERING, REPLIED, REPLIED_LAST, SWITCHED, State
from shardgate.net.client.tunnel import Tunnel
from shardgate.net.watch import Watch

# A name of this module: compiled, that of another one is looked up in a dict.
_REPLIED: Final = REPLIED
_RESET = struct.pack("ii", 1, 0)


class ReplyWriter:
    """Writes replies; the base of `ClientConnection`."""

    __slots__ = (
        "_ahead",
        "_aside",
        "_body_held",
        "_buffer",
        "_eof",
        "_handler",
        "_is_ahead",
        "_is_endless",
        "_now",
        "_out",
        "_pausable",
        "_rest_s",
        "_retiring",
        "_settings",
        "_stalled",
        "_state",
        "_transport",
        "_unread",
        "_unsent",
        "_upload",
        "_watch",
        "_work",
        "deadline_at",
        "exchange",
        "incoming",
    )

    _out: OutgoingReply  # from connection_made on

    def __init__(self, handler: Handler, watch: Watch, settings: Settings) -> None:
        self._handler = handler
        self._watch = watch
        self._now = watch.now
        self._settings = settings
        self._state: State = IDLE
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._aside: list[bytes] = []  # what came behind the buffer, where much came ahead; the next piece is last
        self._work: Work | None = None
        self._pausable: BackPressure | None = None
        self._is_endless = False  # the reply is a stream of events: it ends when the client leaves
        self._retiring = False  # the process ends: the next reply is the last
        self._is_ahead = False  # so much came ahead that no more is read
        self._stalled = False  # the client does not read what was written
        self._eof = False  # the client has ended its side
        self._unsent = 0
        self._body_held: Holding | None = None  # what the whole body of the request is counted by
        self._ahead: Holding | None = None  # the same for what the client sent before its turn
        self._unread: Holding | None = None  # the same for what it has not read
        self._rest_s = 0.0  # for so long no request is read: the client was refused for its share
        self._upload: ClientLoad | None = None  # where the arriving body is counted
        self.deadline_at = 0.0
        self.incoming: IncomingBody | None = None
        """The request's body, until it is whole."""
        self.exchange: Exchange | None = None
        """The record of the request under way."""

    def hand_over(self) -> Holding | None:
        """What the request's body is counted by, for work that goes on when the client leaves; it must close it."""
        holding, self._body_held = self._body_held, None
        return holding

    def adopt(self, work: Work) -> None:
        """Cancel this work if the client leaves."""
        self._work = work

    def send(self, reply: Reply) -> None:
        """Send a whole reply."""
        if self.incoming is not None or self._retiring:
            self._out.keep_alive = False  # what else the client sends is not read
        instant = 0.0
        if self._transport is not None:
            size = self._out.send(reply)
            instant = self._now()
            if (exchange := self.exchange) is not None:
                exchange.status, exchange.bytes_out, exchange.first_byte_at = reply.status, size, instant
        self._finished(instant or self._now())

    def annotate(self, lines: bytes) -> None:
        """Add header lines to the reply to come, whoever makes it."""
        self._out.limits = lines

    def interim(self, head: ReplyHead) -> None:
        """Pass a 1xx on, unless the client is so slow that it would have to be held."""
        if self._transport is not None and not self._stalled:
            self._out.interim(head)

    def relay(self, head: ReplyHead, body: bytes) -> None:
        """Send a shard's reply, which came in one piece."""
        if self.incoming is not None or self._retiring:
            self._out.keep_alive = False
        if self._transport is None:
            self._finished(self._now())
            return
        size = self._out.begin(head, body)
        instant = self._now()
        if (exchange := self.exchange) is not None:
            exchange.status, exchange.bytes_out, exchange.first_byte_at = head.status, size, instant
        self._finished(instant)

    def begin(self, head: ReplyHead, data: bytes, *, stream: BackPressure) -> None:
        """Send the head of a shard's reply and the first piece of its body; the rest follows by `write`."""
        if self.incoming is not None or self._retiring:
            self._out.keep_alive = False
        self._pausable = stream
        self._is_endless = head.is_event_stream
        if self._transport is not None:
            size = self._out.begin(head, data)
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
        self._finished(self._now())

    def switch(self, head: ReplyHead, data: bytes, upstream: asyncio.Transport) -> None:
        """Join the two connections: from now on bytes pass both ways unread."""
        ahead = b"".join([self._buffer, *self._aside[::-1]])
        self._buffer, self._aside = b"", []
        self._give_back()
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

    # The end of a request.

    def _finished(self, instant: float) -> None:
        """The reply was written whole at this instant: the connection goes on, or ends."""
        self._work = None
        self._pausable = None
        self._out.request = None
        if (exchange := self.exchange) is not None:
            self.exchange = None
            exchange.ended_at = instant
            self._handler.finished(exchange)
        if self._body_held is not None:
            self._body_held.close()
            self._body_held = None
        transport = self._transport
        if transport is None or self._state == LINGERING:
            return
        if self.incoming is not None or not self._out.keep_alive:
            self._state = REPLIED_LAST[self._state]
            self._linger()
            return
        self._state = _REPLIED[self._state]
        self.deadline_at = instant + self._settings.idle_timeout_s
        self._unsent = 0
        if self._eof or self._retiring or self._rest_s:
            self._go_on_otherwise(transport, instant)
        elif (self._buffer or self._is_ahead) and not self._stalled:
            self._go_on()

    def _go_on_otherwise(self, transport: asyncio.Transport, instant: float) -> None:
        """The client has ended its side, the process ends, or the client rests."""
        if self._eof:
            self.deadline_at = instant + HALF_CLOSED_S
        elif self._retiring:
            self.deadline_at = instant + LAST_CHANCE_S
        if self._rest_s:
            self._pause_for(transport, instant + self._rest_s)
        elif self._eof and not self._buffer and not self._aside:
            self.close()
        elif (self._buffer or self._is_ahead) and not self._stalled:
            self._go_on()

    def _pause_for(self, transport: asyncio.Transport, until: float) -> None:
        """`expire` reads on."""
        self.deadline_at = until
        transport.pause_reading()

    def _linger(self) -> None:
        """To close now would reset the connection, and the client might never read why (RFC 9112 section 9.6)."""
        self._forget_body()
        self._buffer = b""
        self._aside = []
        self._give_back()
        if self._transport is None:
            return
        # TLS ends its side by itself; and behind the client's own end nothing comes that could cause a reset.
        if self._eof or not self._transport.can_write_eof():
            self._transport.close()
            return
        self._transport.write_eof()
        self.deadline_at = self._now() + LINGER_S
        self._transport.resume_reading()

    def _cancel_work(self) -> None:
        work, self._work = self._work, None
        if work is not None:
            work.cancel()

    def _forget_body(self) -> None:
        body, self.incoming = self.incoming, None
        if body is not None:
            body.forget()
            load, self._upload = self._upload, None
            if load is not None:
                self._handler.upload_over(load)
            if self.exchange is not None:
                self.exchange.bytes_in += body.size

    def _give_back(self) -> None:
        """Nothing is held of the request, or of what follows it."""
        for holding in (self._body_held, self._ahead):
            if holding is not None:
                holding.close()
        self._body_held = self._ahead = None

    # What the reading half does.

    def close(self) -> None:
        """Take no more requests; answer the one under way."""
        raise NotImplementedError

    def _go_on(self) -> None:
        """Read the next of the requests that came ahead."""
        raise NotImplementedError
