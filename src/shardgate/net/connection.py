"""One client connection: bytes → requests → handler → bytes, one request at a time.

Holds: requests that a client sends ahead wait in a bounded buffer, and for as long as it does not read what it asked
for before; a request that is not plainly valid is answered and the connection closed; a client that leaves cancels
what runs for it.
Never: knows a route or a shard.
Hot path: a request without a body goes from `data_received` to the handler in one call.
"""

import asyncio
import re
from typing import Protocol, cast

import msgspec

from shardgate.core.errors import (
    BodyTooLargeError,
    ClientError,
    HeadTooLargeError,
    SlowRequestError,
    TargetTooLongError,
)
from shardgate.core.exchange import CLIENT_GONE, Exchange
from shardgate.core.http import Reply, ReplyHead, Request
from shardgate.core.limits import (
    HALF_CLOSED_S,
    HEAD_BYTES_MAX,
    LAST_CHANCE_S,
    LINGER_S,
    TARGET_BYTES_MAX,
    WRITE_BUFFER_BYTES_MAX,
)
from shardgate.core.problem import problem_reply
from shardgate.core.wire.chunked import ChunkedDecoder
from shardgate.core.wire.forwarding import hop_lines, relayed_head, whole_reply
from shardgate.core.wire.request_head import RequestHeadParser
from shardgate.net.clock import now
from shardgate.net.watch import Watch

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_EMPTY_LINES = re.compile(rb"(?:\r\n)+")


class Work(Protocol):
    """What runs for a request."""

    def cancel(self) -> object:
        """The client has left."""


class BackPressure(Protocol):
    """Whoever writes a reply that streams."""

    def pause(self) -> None:
        """The client is slower than the shard."""

    def resume(self) -> None:
        """The client has caught up."""


class Handler(Protocol):
    """Answers requests."""

    def handle(self, request: Request, client: "ClientConnection") -> None:
        """Answer through the client's methods, now or later."""

    def opened(self, client: "ClientConnection") -> bool:
        """A client has come; False: there is no room for it."""

    def closed(self, client: "ClientConnection") -> None:
        """A client has gone."""

    def refused(self, request: Request | None, client: "ClientConnection", error: ClientError) -> None:
        """The connection itself is about to refuse a request; None: the bytes were none."""

    def finished(self, exchange: Exchange) -> None:
        """A request is over, well or not."""


class Settings(msgspec.Struct, frozen=True):
    """What a connection needs to know."""

    body_bytes_max: int
    header_timeout_s: float
    idle_timeout_s: float


class ClientConnection(asyncio.Protocol):
    """A connection that a client opened."""

    __slots__ = (
        "_body",
        "_body_size",
        "_buffer",
        "_chunked",
        "_chunked_reply",
        "_closing",
        "_draining",
        "_eof",
        "_handler",
        "_head_begun",
        "_keep_alive",
        "_parser",
        "_pausable",
        "_request",
        "_retiring",
        "_settings",
        "_stalled",
        "_transport",
        "_unsent",
        "_watch",
        "_work",
        "_writes_body",
        "busy",
        "deadline_at",
        "exchange",
        "head_bytes",
        "hop",
        "peer",
    )

    def __init__(self, handler: Handler, parser: RequestHeadParser, watch: Watch, settings: Settings) -> None:
        self._handler = handler
        self._parser = parser
        self._watch = watch
        self._settings = settings
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._request: Request | None = None
        self._body: list[bytes] = []
        self._body_size = 0
        self._chunked: ChunkedDecoder | None = None
        self._work: Work | None = None
        self._pausable: BackPressure | None = None
        self._keep_alive = True
        self._chunked_reply = False
        self._writes_body = True
        self._closing = False
        self._eof = False
        self._draining = False
        self._retiring = False
        self._head_begun = False
        self._stalled = False  # the client does not read what was written
        self._unsent = 0
        self.busy = False
        """A request is with the handler."""
        self.exchange: Exchange | None = None
        """What is noted of it."""
        self.head_bytes = 0
        """The size of the last head that was read."""
        self.peer = ""
        self.hop = b""
        """The lines that requests of this connection carry towards shards."""
        self.deadline_at = 0.0

    # Receiving.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES_MAX)
        name = transport.get_extra_info("peername")
        self.peer = name[0] if name else "unknown"
        self.hop = hop_lines(self.peer, "http")
        self.deadline_at = now() + self._settings.header_timeout_s
        self._watch.add(self)
        if not self._handler.opened(self):
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._watch.discard(self)
        self._transport = None
        self._handler.closed(self)
        work, self._work = self._work, None
        if work is not None:
            work.cancel()
        if self.exchange is not None:
            self._close_exchange(self.exchange, cut_off=CLIENT_GONE)

    def eof_received(self) -> bool:
        # Most clients that end their side have left; some still read their replies, as `printf … | nc` does.
        self._eof = True
        self.deadline_at = now() + HALF_CLOSED_S
        if self._buffer and not self.busy:
            asyncio.get_running_loop().call_soon(self._next)
        return self.busy or bool(self._buffer)

    def data_received(self, data: bytes) -> None:
        if self._draining:
            return
        if self._buffer:
            data = self._buffer + data
            self._buffer = b""
        if self.busy or self._stalled:
            self._hold(data)
        elif self._request is not None:
            self._read_body(self._request, data)
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
        if self.busy:
            if self._eof and self._pausable is None:
                self._transport.abort()  # connection_lost cancels what runs for it
            return
        unsent = self._transport.get_write_buffer_size()
        if unsent and (not self._unsent or unsent < self._unsent):
            # The end of a reply is still on its way to a slow client.
            self._unsent = unsent
            self.deadline_at = now() + self._settings.idle_timeout_s
        elif unsent or self._draining:
            self.abort()
        elif self._buffer or self._request is not None:
            self._refuse(SlowRequestError("the request did not arrive in time"))
        else:
            self.close()

    def close(self) -> None:
        """Take no more requests; the one under way is answered first."""
        self._closing = True
        self._keep_alive = False
        if not self.busy and self._transport is not None:
            self._transport.close()

    def retire(self) -> None:
        """The next reply says that it is the last. An idle connection stays a moment: a request may be on its way."""
        if not self._retiring:
            self._retiring = True
            if not (self.busy or self._buffer or self._request):
                self.deadline_at = min(self.deadline_at, now() + LAST_CHANCE_S)

    # Replying.

    def adopt(self, work: Work) -> None:
        """This now runs for the request, and is cancelled if the client leaves."""
        self._work = work

    def send(self, reply: Reply) -> None:
        """Send a whole reply."""
        self._keep_alive = self._keep_alive and not self._retiring
        if self._transport is not None:
            written = whole_reply(reply, with_body=self._writes_body, closes=not self._keep_alive)
            self._transport.write(written)
            if (exchange := self.exchange) is not None:
                exchange.status, exchange.bytes_out, exchange.first_byte_at = reply.status, len(written), now()
        self._finished()

    def begin(self, head: ReplyHead, data: bytes, *, has_body: bool, stream: BackPressure) -> None:
        """Send the head of a shard's reply and the first piece of its body; the rest follows by `write`."""
        framing = b""
        self._keep_alive = self._keep_alive and not self._retiring
        if head.status == 204:
            pass  # RFC 9110 section 8.6: whatever the shard says, there is no Content-Length
        elif head.content_length is not None:
            framing = b"Content-Length: %d\r\n" % head.content_length
        elif has_body:
            # RFC 9112 section 6.1: a 1.0 client does not know chunks; the end of the connection is the end.
            self._chunked_reply = self._request is not None and self._request.minor == 1
            self._keep_alive = self._keep_alive and self._chunked_reply
            framing = b"Transfer-Encoding: chunked\r\n" if self._chunked_reply else b""
        if not self._keep_alive:
            framing += b"Connection: close\r\n"
        self._pausable = stream
        if self._transport is not None:
            written = relayed_head(head, framing)
            if data:
                written += b"%x\r\n%b\r\n" % (len(data), data) if self._chunked_reply else data
            self._transport.write(written)
            if (exchange := self.exchange) is not None:
                exchange.status, exchange.bytes_out, exchange.first_byte_at = head.status, len(written), now()

    def write(self, data: bytes) -> None:
        """Send a piece of the body."""
        if self._transport is not None:
            written = b"%x\r\n%b\r\n" % (len(data), data) if self._chunked_reply else data
            self._transport.write(written)
            if self.exchange is not None:
                self.exchange.bytes_out += len(written)

    def finish(self) -> None:
        """The reply is whole."""
        if self._chunked_reply and self._transport is not None:
            self._transport.write(b"0\r\n\r\n")
            if self.exchange is not None:
                self.exchange.bytes_out += 5
        self._finished()

    def abort(self, reason: str = "") -> None:
        """The reply cannot be ended well: the client must see that it is not whole. `reason` is noted."""
        if self.exchange is not None:
            self.exchange.cut_off = reason
        if self._transport is not None:
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
        self._writes_body = request.sent_method != b"HEAD"
        self._keep_alive = fields.keep_alive and not self._closing
        rest = data[end + 4 :]
        if fields.chunked or fields.content_length:
            self._start_body(request, rest)
        else:
            self._buffer = rest
            self._dispatch(request)

    def _start_body(self, request: Request, rest: bytes) -> None:
        if request.fields.content_length > self._settings.body_bytes_max:
            self._refuse(_too_large(self._settings))
            return
        if request.fields.expects_continue and not rest and self._transport is not None:
            self._transport.write(_CONTINUE)
        self._chunked = ChunkedDecoder() if request.fields.chunked else None
        self.deadline_at = now() + self._settings.header_timeout_s
        self._read_body(request, rest)

    def _read_body(self, request: Request, data: bytes) -> None:
        if self._chunked is not None:
            try:
                piece = self._chunked.feed(data)
            except ClientError as error:
                self._refuse(error)
                return
            done, rest = self._chunked.done, self._chunked.rest
        else:
            missing = request.fields.content_length - self._body_size
            piece, rest = data[:missing], data[missing:]
            done = len(piece) == missing
        self._body.append(piece)
        self._body_size += len(piece)
        if self._body_size > self._settings.body_bytes_max:
            self._refuse(_too_large(self._settings))
        elif done:
            request.body = b"".join(self._body)
            self._body, self._body_size, self._chunked = [], 0, None
            self._buffer = rest
            self._dispatch(request)
        elif piece:
            self.deadline_at = now() + self._settings.header_timeout_s

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
        self._chunked_reply = False
        self._writes_body = True
        instant = now()
        if self.exchange is not None:
            self._close_exchange(self.exchange, instant)
        transport = self._transport
        if transport is None or self._draining:
            return
        if self._eof:
            self.deadline_at = instant + HALF_CLOSED_S
        else:
            self.deadline_at = instant + (LAST_CHANCE_S if self._retiring else self._settings.idle_timeout_s)
        self._unsent = 0
        if not self._keep_alive or self._closing or (self._eof and not self._buffer):
            transport.close()
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
        self._keep_alive = False
        self._closing = True
        self._draining = True
        self._buffer = b""
        self._handler.refused(self._request, self, error)
        self.send(problem_reply(error))
        # To close now would reset the connection, and the client might never read why (RFC 9112 section 9.6).
        if self._transport is not None:
            self._transport.write_eof()
            self.deadline_at = now() + LINGER_S
            self._transport.resume_reading()


def _head_too_large(data: bytes) -> ClientError:
    if b"\r\n" not in data[: TARGET_BYTES_MAX + 2]:
        return TargetTooLongError(f"the request line is longer than {TARGET_BYTES_MAX} bytes")
    return HeadTooLargeError(f"the header section is larger than {HEAD_BYTES_MAX} bytes")


def _too_large(settings: Settings) -> BodyTooLargeError:
    return BodyTooLargeError(f"the request body is larger than {settings.body_bytes_max} bytes")
