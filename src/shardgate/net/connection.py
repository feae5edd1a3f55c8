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
    ClientError,
    HeadTooLargeError,
    SlowRequestError,
    TargetTooLongError,
)
from shardgate.core.http import Reply, ReplyHead, Request
from shardgate.core.limits import (
    HALF_CLOSED_S,
    HEAD_BYTES_MAX,
    LINGER_S,
    SMALL_BODY_BYTES_MAX,
    TARGET_BYTES_MAX,
    WRITE_BUFFER_BYTES_MAX,
)
from shardgate.core.problem import problem_reply
from shardgate.core.wire.forwarding import chunk, hop_lines, last_chunk, relayed_head, upgrade_lines, whole_reply
from shardgate.core.wire.request_head import RequestHeadParser
from shardgate.net.clock import now
from shardgate.net.incoming import BodyTaker, IncomingBody, too_large
from shardgate.net.tunnel import Tunnel
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


class Settings(msgspec.Struct, frozen=True):
    """What a connection needs to know."""

    body_bytes_max: int
    """Of any request."""
    held_body_bytes_max: int
    """Of a body that is held until it is whole."""
    header_timeout_s: float
    idle_timeout_s: float
    stream_idle_timeout_s: float


class ClientConnection(asyncio.Protocol):
    """A connection that a client opened."""

    __slots__ = (
        "_buffer",
        "_chunked_reply",
        "_closing",
        "_draining",
        "_endless",
        "_eof",
        "_handler",
        "_head_begun",
        "_incoming",
        "_keep_alive",
        "_parser",
        "_pausable",
        "_request",
        "_settings",
        "_stalled",
        "_transport",
        "_unsent",
        "_upload_waits",
        "_watch",
        "_work",
        "_writes_body",
        "busy",
        "deadline_at",
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
        self._incoming: IncomingBody | None = None
        self._upload_waits = False  # nobody takes the body just now; the client need not hurry
        self._work: Work | None = None
        self._pausable: BackPressure | None = None
        self._keep_alive = True
        self._chunked_reply = False
        self._writes_body = True
        self._closing = False
        self._endless = False  # the reply is a stream of events: only a client that is still there ends it
        self._eof = False
        self._draining = False
        self._head_begun = False
        self._stalled = False  # the client does not read what was written
        self._unsent = 0
        self.busy = False
        """A request is with the handler."""
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

    def eof_received(self) -> bool:
        # Most clients that end their side have left; some still read their replies, as `printf … | nc` does.
        self._eof = True
        self.deadline_at = now() + HALF_CLOSED_S
        if self._incoming is not None:
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
        if self._incoming is not None:
            self._read_body(self._incoming, data)
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
        if self.busy:
            if self._incoming is not None and not self._upload_waits:
                self._refuse(SlowRequestError("the request did not arrive in time"))
            elif self._eof and (self._pausable is None or self._endless):
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

    # Taking a request's body while it comes.

    def collect(self) -> None:
        """Hold the arriving body until it is whole; the handler then sees the request again."""
        incoming, request = self._incoming, self._request
        if incoming is None or request is None:
            return
        self.busy = False
        if request.fields.content_length > self._settings.held_body_bytes_max:
            self._refuse(too_large(self._settings.held_body_bytes_max))
            return
        incoming.hold_at_most(self._settings.held_body_bytes_max)
        self._ask_for_body(incoming)
        if incoming.is_whole:
            self._body_whole(incoming)

    @property
    def upload_is_chunked(self) -> bool:
        """Whether the arriving body is of unknown length."""
        return self._request is not None and self._request.fields.chunked

    def stream_to(self, taker: BodyTaker) -> None:
        """Hand the arriving body on as it comes."""
        incoming = self._incoming
        if incoming is not None:
            incoming.hand_to(taker)
            self._ask_for_body(incoming)
            if incoming.is_whole:
                self._body_whole(incoming)

    def pause_upload(self) -> None:
        """The shard is slower than the client."""
        self._upload_waits = True
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def resume_upload(self) -> None:
        """The shard has caught up."""
        if self._incoming is not None:
            self._upload_waits = False
            self.deadline_at = now() + self._settings.header_timeout_s
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def _ask_for_body(self, incoming: IncomingBody) -> None:
        """RFC 9110 section 10.1.1: only now, since a refusal would have spared the client its body."""
        expected = self._request is not None and self._request.fields.expects_continue
        if expected and not incoming.has_begun and self._transport is not None:
            self._transport.write(_CONTINUE)
        self.resume_upload()

    # Replying.

    def adopt(self, work: Work) -> None:
        """This now runs for the request, and is cancelled if the client leaves."""
        self._work = work

    def send(self, reply: Reply) -> None:
        """Send a whole reply."""
        if self._incoming is not None:
            self._keep_alive = False  # nobody will read the rest of the request
        if self._transport is not None:
            self._transport.write(whole_reply(reply, with_body=self._writes_body, closes=not self._keep_alive))
        self._finished()

    def interim(self, head: ReplyHead) -> None:
        """Pass a 1xx on; RFC 9110 section 15.2: not to a 1.0 client."""
        if self._transport is not None and self._request is not None and self._request.minor == 1:
            self._transport.write(relayed_head(head, b""))

    def begin(self, head: ReplyHead, data: bytes, *, has_body: bool, stream: BackPressure) -> None:
        """Send the head of a shard's reply and the first piece of its body; the rest follows by `write`."""
        if self._incoming is not None:
            self._keep_alive = False
        framing = b""
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
        self._endless = head.is_event_stream
        if self._transport is not None:
            written = relayed_head(head, framing)
            self._transport.write(written + (chunk(data) if self._chunked_reply else data) if data else written)

    def write(self, data: bytes) -> None:
        """Send a piece of the body."""
        if self._transport is not None:
            self._transport.write(chunk(data) if self._chunked_reply else data)

    def finish(self, trailers: bytes = b"") -> None:
        """The reply is whole. Trailers pass where the client has said that it takes them."""
        if self._chunked_reply and self._transport is not None:
            takes = self._request is not None and self._request.fields.takes_trailers
            self._transport.write(last_chunk(trailers if takes else b""))
        self._finished()

    def switch(self, head: ReplyHead, data: bytes, upstream: asyncio.Transport) -> None:
        """The shard has switched protocols: from now on bytes pass both ways unread."""
        ahead, self._buffer = self._buffer, b""
        if self._transport is None:
            upstream.close()
            return
        self._transport.write(relayed_head(head, upgrade_lines(head.upgrade)) + data)
        if ahead:
            upstream.write(ahead)
        Tunnel(self._watch, self._settings.stream_idle_timeout_s).join(self._transport, upstream)

    def abort(self) -> None:
        """The reply cannot be ended well: the client must see that it is not whole."""
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
        fields, length = request.fields, request.fields.content_length
        if length > self._settings.body_bytes_max:
            self._refuse(too_large(self._settings.body_bytes_max))
            return
        if length and len(rest) >= length:
            request.body, self._buffer = rest[:length], rest[length:]
            self._dispatch(request)
            return
        incoming = self._incoming = IncomingBody(fields, self._settings.body_bytes_max)
        self._upload_waits = False
        self.deadline_at = now() + self._settings.header_timeout_s
        self._read_body(incoming, rest)
        if self._incoming is incoming and (fields.expects_continue or length > SMALL_BODY_BYTES_MAX or fields.chunked):
            request.arriving = True
            self.pause_upload()  # until it is decided who takes it
            self._dispatch(request)

    def _read_body(self, incoming: IncomingBody, data: bytes) -> None:
        try:
            if incoming.feed(data):
                self.deadline_at = now() + self._settings.header_timeout_s
        except ClientError as error:
            self._refuse(error)
            return
        if incoming.is_whole and not (self.busy and incoming.is_undecided):
            self._body_whole(incoming)

    def _body_whole(self, incoming: IncomingBody) -> None:
        self._incoming = None
        self._buffer = incoming.rest
        if not self.busy and self._request is not None:
            self._request.body = incoming.whole()
            self._request.arriving = False
            self._dispatch(self._request)

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
        transport = self._transport
        if transport is None or self._draining:
            return
        if self._incoming is not None:
            self._linger()
            return
        self.deadline_at = now() + (HALF_CLOSED_S if self._eof else self._settings.idle_timeout_s)
        self._unsent = 0
        if not self._keep_alive or self._closing or (self._eof and not self._buffer):
            transport.close()
        elif self._buffer and not self._stalled:
            self._go_on()

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
        self._buffer = b""
        work, self._work = self._work, None
        if work is not None:
            work.cancel()
        if self._pausable is not None:
            self.abort()  # a reply is on its way already
            return
        self._draining = True
        self.send(problem_reply(error))
        self._linger()

    def _linger(self) -> None:
        """To close now would reset the connection, and the client might never read why (RFC 9112 section 9.6)."""
        self._incoming = None
        self._draining = True
        if self._transport is None:
            return
        if not self._transport.can_write_eof():  # TLS: its own end says that nothing more comes
            self._transport.close()
            return
        self._transport.write_eof()
        self.deadline_at = now() + LINGER_S
        self._transport.resume_reading()


def _head_too_large(data: bytes) -> ClientError:
    if b"\r\n" not in data[: TARGET_BYTES_MAX + 2]:
        return TargetTooLongError(f"the request line is longer than {TARGET_BYTES_MAX} bytes")
    return HeadTooLargeError(f"the header section is larger than {HEAD_BYTES_MAX} bytes")
