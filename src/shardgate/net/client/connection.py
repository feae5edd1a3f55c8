"""One client connection: bytes → requests → handler → bytes, one request at a time.

Holds: requests that a client sends ahead wait in a bounded buffer, and for as long as it does not read what it asked
for before; a request that is not plainly valid is answered and the connection closed; a client that leaves cancels
what runs for it.
Never: knows a route or a shard.
Hot path: a request that came in one piece goes from `data_received` to the handler in one call.
"""

import asyncio
import re
import socket
import struct
from typing import cast

from shardgate.core.errors import ClientError, HeadTooLargeError, SlowRequestError, TargetTooLongError
from shardgate.core.exchange import CLIENT_GONE, Exchange
from shardgate.core.http import Reply, ReplyHead, Request
from shardgate.core.limits import (
    HALF_CLOSED_S,
    HEAD_BYTES_MAX,
    LAST_CHANCE_S,
    LINGER_S,
    SMALL_BODY_BYTES_MAX,
    TARGET_BYTES_MAX,
    WRITE_BUFFER_BYTES_MAX,
)
from shardgate.core.replies.problem import problem_reply
from shardgate.core.wire.request_head import RequestHeadParser
from shardgate.net.client.contracts import BackPressure, Handler, Settings, Work
from shardgate.net.client.incoming import IncomingBody, too_large
from shardgate.net.client.outgoing import OutgoingReply
from shardgate.net.client.tunnel import Tunnel
from shardgate.net.clock import now
from shardgate.net.watch import Watch

_RESET = struct.pack("ii", 1, 0)
_EMPTY_LINES = re.compile(rb"(?:\r\n)+")


class ClientConnection:
    """A connection that a client opened: an `asyncio.Protocol` by its methods.

    It does not derive from that class, for then it could not be compiled to one with fields of its own.
    """

    __slots__ = (
        "_buffer",
        "_closing",
        "_draining",
        "_endless",
        "_eof",
        "_handler",
        "_head_begun",
        "_out",
        "_parser",
        "_pausable",
        "_proxy",
        "_request",
        "_retiring",
        "_settings",
        "_stalled",
        "_transport",
        "_unsent",
        "_watch",
        "_work",
        "busy",
        "deadline_at",
        "exchange",
        "head_bytes",
        "hop",
        "incoming",
        "peer",
        "scheme",
    )

    _out: OutgoingReply  # from connection_made on

    def __init__(self, handler: Handler, parser: RequestHeadParser, watch: Watch, settings: Settings) -> None:
        self._handler = handler
        self._parser = parser
        self._watch = watch
        self._settings = settings
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._request: Request | None = None
        self._work: Work | None = None
        self._pausable: BackPressure | None = None
        self._closing = False
        self._eof = False
        self._draining = False
        self._retiring = False
        self._endless = False  # the reply is a stream of events: only a client that is still there ends it
        self._head_begun = False
        self._stalled = False  # the client does not read what was written
        self._unsent = 0
        self.incoming: IncomingBody | None = None
        """The request's body, while it has not come whole."""
        self.busy = False
        """A request is with the handler."""
        self.exchange: Exchange | None = None
        """What is noted of it."""
        self.head_bytes = 0
        """The size of the last head that was read."""
        self._proxy: str | None = None  # the trusted one that the connection comes from
        self.peer = ""
        """The client's address, as far as it can be believed."""
        self.scheme = "http"
        self.hop = b""
        """The lines that requests of this connection carry towards shards."""
        self.deadline_at = 0.0

    # Receiving.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES_MAX)
        self._out = OutgoingReply(self._transport)
        name = transport.get_extra_info("peername")
        self.peer = name[0] if name else "unknown"
        if transport.get_extra_info("ssl_object") is not None:
            self.scheme = "https"
        self.hop = self._settings.trusted.direct_lines(self.peer, self.scheme)
        if self._settings.trusted.covers(self.peer):
            self._proxy = self.peer
        self.deadline_at = now() + self._settings.header_timeout_s
        self._watch.add(self)
        if not self._handler.opened(self):
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._watch.discard(self)
        self._transport = None
        self._forget_body()
        self._handler.closed(self)
        self._cancel_work()
        if self.exchange is not None:
            # Behind a 101 there is no reply that could be cut off: either side ends it when it likes.
            self._close_exchange(self.exchange, cut_off="" if self.exchange.status == 101 else CLIENT_GONE)

    def eof_received(self) -> bool:
        # Most clients that end their side have left; some still read their replies, as `printf … | nc` does.
        self._eof = True
        self.deadline_at = now() + HALF_CLOSED_S
        if self.incoming is not None:
            return False  # the rest of this body will never come: connection_lost cancels what runs for it
        if self._buffer and not self.busy:
            asyncio.get_running_loop().call_soon(self._next)
        return self.busy or bool(self._buffer)

    def data_received(self, data: bytes) -> None:
        if self._draining:
            return
        if self._buffer:
            data = self._buffer + data
            self._buffer = b""
        if self.incoming is not None:
            self.incoming.feed(data)
        elif self.busy or self._stalled:
            self._hold(data)
        else:
            self._read_head(data)

    def pause_writing(self) -> None:
        self._stalled = True
        if self._pausable is not None:
            self._pausable.pause()

    def resume_writing(self) -> None:
        self._stalled = False
        if self._pausable is not None:
            self._pausable.resume()
        elif self._buffer:
            self._go_on()

    def expire(self) -> None:
        """No request came in time (RFC 9110 section 15.5.9); an idle connection is closed in silence.

        Nor is a reply waited for long that its client most likely does not wait for any more.
        """
        if self._transport is None:
            return
        if self.busy or self.incoming is not None:
            if self._eof and (self._pausable is None or self._endless):
                self._transport.abort()  # connection_lost cancels what runs for it
            return
        unsent = self._transport.get_write_buffer_size()
        if unsent and (not self._unsent or unsent < self._unsent):
            # The end of a reply is still on its way to a slow client.
            self._unsent = unsent
            self.deadline_at = now() + self._settings.idle_timeout_s
        elif unsent or self._draining:
            self.abort()
        elif self._buffer:
            self._refuse(SlowRequestError("the request did not arrive in time"))
        else:
            self.close()

    def close(self) -> None:
        """Take no more requests; the one under way is answered first."""
        self._closing = True
        self._out.keep_alive = False
        if not self.busy and self._transport is not None:
            self._transport.close()

    def retire(self) -> None:
        """The next reply says that it is the last. An idle connection stays a moment: a request may be on its way."""
        if not self._retiring:
            self._retiring = True
            if not (self.busy or self._buffer or self._request):
                self.deadline_at = min(self.deadline_at, now() + LAST_CHANCE_S)

    # The request's body, where it did not come with its head.

    def collect(self) -> None:
        """Hold the arriving body until it is whole; the handler then sees the request again."""
        if self.incoming is not None:
            self.busy = False
            self.incoming.collect()

    def body_whole(self, body: IncomingBody) -> None:
        """All of it has come, and is with the handler, or goes to it now."""
        self._forget_body()
        self._buffer = body.rest
        if not self.busy and self._request is not None:
            self._request.body = body.whole()
            self._request.arriving = False
            self._dispatch(self._request)

    def body_refused(self, error: ClientError) -> None:
        """It is malformed, too large or too slow."""
        self._refuse(error)

    # Replying.

    def adopt(self, work: Work) -> None:
        """This now runs for the request, and is cancelled if the client leaves."""
        self._work = work

    def send(self, reply: Reply) -> None:
        """Send a whole reply."""
        if self.incoming is not None or self._retiring:
            self._out.keep_alive = False  # nobody will read what else the client sends
        if self._transport is not None:
            size = self._out.send(reply)
            if (exchange := self.exchange) is not None:
                exchange.status, exchange.bytes_out, exchange.first_byte_at = reply.status, size, now()
        self._finished()

    def annotate(self, lines: bytes) -> None:
        """Header lines that the reply has besides, whoever answers."""
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
        self._endless = head.is_event_stream
        if self._transport is not None:
            size = self._out.begin(head, data, has_body)
            if (exchange := self.exchange) is not None:
                exchange.status, exchange.bytes_out, exchange.first_byte_at = head.status, size, now()

    def write(self, data: bytes) -> None:
        """Send a piece of the body."""
        if self._transport is not None:
            size = self._out.write(data)
            if self.exchange is not None:
                self.exchange.bytes_out += size

    def finish(self, trailers: bytes) -> None:
        """The reply is whole."""
        if self._transport is not None:
            size = self._out.finish(trailers)
            if self.exchange is not None:
                self.exchange.bytes_out += size
        self._finished()

    def switch(self, head: ReplyHead, data: bytes, upstream: asyncio.Transport) -> None:
        """The shard has switched protocols: from now on bytes pass both ways unread."""
        ahead, self._buffer = self._buffer, b""
        if self._transport is None:
            upstream.close()
            return
        size = self._out.switch(head, data)
        if ahead:
            upstream.write(ahead)
        if (exchange := self.exchange) is not None:
            exchange.status, exchange.bytes_out, exchange.first_byte_at = head.status, size, now()
            exchange.bytes_in += len(ahead)
        Tunnel(self._watch, self._settings.stream_idle_timeout_s, self.exchange).join(self._transport, upstream)

    def abort(self, reason: str = "") -> None:
        """The reply cannot be ended well: the client must see that it is not whole. `reason` is noted."""
        if self.exchange is not None:
            self.exchange.cut_off = reason
        if self._transport is not None:
            if self._pausable is not None and self._out.ends_by_close:
                # RFC 9112 section 8: a peaceful end would say that the reply is whole.
                self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self._transport.abort()

    # Inside.

    def _read_head(self, data: bytes) -> None:
        if data.startswith(b"\r\n"):
            data = _EMPTY_LINES.sub(b"", data, 1)  # RFC 9112 section 2.2: an empty line before a request is forgiven
        end = data.find(b"\r\n\r\n")
        if (end if end >= 0 else len(data) - 3) > HEAD_BYTES_MAX:
            self._refuse(_head_too_large(data))
            return
        if end < 0:
            self._await_more(data)
            return
        try:
            request = self._parser.parse(data[: end + 2])
        except ClientError as error:
            self._refuse(error)
            return
        fields = request.fields
        self._request = request
        self.head_bytes = end + 4
        self._head_begun = False
        self._out.announce(request, fields.keep_alive and not self._closing)
        self._buffer = data[end + 4 :]
        request.scheme = self.scheme
        if self._proxy is not None:
            trusted = self._settings.trusted
            self.hop, request.scheme, self.peer = trusted.read(fields, self._proxy, self.scheme)
        if fields.chunked or fields.content_length:
            self._start_body(request)
        else:
            self._dispatch(request)

    def _start_body(self, request: Request) -> None:
        """Go on when it is whole; sooner where it is long, or may be: then it can be sent on while it comes."""
        fields, length = request.fields, request.fields.content_length
        rest, self._buffer = self._buffer, b""
        if length > self._settings.body_bytes_max:
            self._refuse(too_large(self._settings.body_bytes_max))
        elif length and len(rest) >= length:
            request.body, self._buffer = rest[:length], rest[length:]
            self._dispatch(request)
        elif self._transport is not None:
            incoming = IncomingBody(self, request, self._transport, self._settings, self._watch)
            self._receive(incoming, rest)
            may_be_long = fields.chunked or length > SMALL_BODY_BYTES_MAX
            if self.incoming is not None and (may_be_long or fields.expects_continue):
                request.arriving = True
                incoming.wait()
                self._dispatch(request)

    def _receive(self, body: IncomingBody, data: bytes) -> None:
        self.incoming = body
        body.feed(data)  # which may end it

    def _dispatch(self, request: Request) -> None:
        self.busy = True
        self._handler.handle(request, self)

    def _hold(self, data: bytes) -> None:
        """Keep what came ahead; a client that sends on and on without reading waits."""
        self._buffer = data
        if len(data) > HEAD_BYTES_MAX and self._transport is not None:
            self._transport.pause_reading()

    def _await_more(self, data: bytes) -> None:
        """A head that has begun must end in its own time, however long the connection idled before."""
        if not self._head_begun:
            self._head_begun = True
            self.deadline_at = now() + self._settings.header_timeout_s
        self._buffer = data

    def _finished(self) -> None:
        self.busy = False
        self._work = None
        self._pausable = None
        self._request = None
        instant = now()
        if self.exchange is not None:
            self._close_exchange(self.exchange, instant)
        transport = self._transport
        if transport is None or self._draining:
            return
        if self.incoming is not None:
            self._linger()
            return
        if self._eof:
            self.deadline_at = instant + HALF_CLOSED_S
        else:
            self.deadline_at = instant + (LAST_CHANCE_S if self._retiring else self._settings.idle_timeout_s)
        self._unsent = 0
        if self._eof and not self._buffer:
            transport.close()
        elif not self._out.keep_alive or self._closing:
            self._linger()
        elif self._buffer and not self._stalled:
            self._go_on()

    def _close_exchange(self, exchange: Exchange, instant: float | None = None, cut_off: str = "") -> None:
        """The request is over: what was noted of it is told once."""
        self.exchange = None
        exchange.ended_at = now() if instant is None else instant
        exchange.cut_off = exchange.cut_off or cut_off
        self._handler.finished(exchange)

    def _go_on(self) -> None:
        if self._transport is not None:
            self._transport.resume_reading()
        # By way of the loop: a long pipeline must not become a deep recursion.
        asyncio.get_running_loop().call_soon(self._next)

    def _next(self) -> None:
        if self.busy or self._stalled or self._closing or not self._buffer:
            return
        data, self._buffer = self._buffer, b""
        self.data_received(data)
        if self._eof and not self.busy and (self._head_begun or self._request is not None):
            self.close()  # the rest of this request will never come

    def _refuse(self, error: ClientError) -> None:
        """Answer, and close: where this request ends, and where another would begin, is not known."""
        self._closing = True
        self._buffer = b""
        self._cancel_work()
        if self._pausable is not None:
            self.abort()  # a reply is on its way already
            return
        self._draining = True
        self._out.keep_alive = False
        if self._request is None:
            self._out.refuse()
        self._handler.refused(self._request, self, error)
        self.send(problem_reply(error, self.exchange.request_id.decode("ascii") if self.exchange is not None else None))
        self._linger()

    def _linger(self) -> None:
        """To close now would reset the connection, and the client might never read why (RFC 9112 section 9.6)."""
        self._forget_body()
        self._draining = True
        if self._transport is None:
            return
        if not self._transport.can_write_eof():  # TLS: its own end says that nothing more comes
            self._transport.close()
            return
        self._transport.write_eof()
        self.deadline_at = now() + LINGER_S
        self._transport.resume_reading()

    def _cancel_work(self) -> None:
        work, self._work = self._work, None
        if work is not None:
            work.cancel()

    def _forget_body(self) -> None:
        body, self.incoming = self.incoming, None
        if body is not None:
            body.end()
            if self.exchange is not None:
                self.exchange.bytes_in += body.size


def _head_too_large(data: bytes) -> ClientError:
    if b"\r\n" not in data[: TARGET_BYTES_MAX + 2]:
        return TargetTooLongError(f"the request line is longer than {TARGET_BYTES_MAX} bytes")
    return HeadTooLargeError(f"the header section is larger than {HEAD_BYTES_MAX} bytes")
