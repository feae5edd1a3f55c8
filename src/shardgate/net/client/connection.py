"""One client connection: bytes → requests → handler → bytes, one request at a time (states: `state.py`).

Holds: pipelined requests wait in a bounded buffer, also while the client has unread replies. A request that is not
plainly valid is refused, and the connection closed. A client that leaves cancels the work for its request.
Never: knows a route or a shard.
Hot path: a request that came in one piece goes from `data_received` to the handler in one call.
"""

import asyncio
from typing import Final, cast

from shardgate.core.clients.load import ClientLoad
from shardgate.core.errors import ClientError, ShardgateError, SlowRequestError
from shardgate.core.exchange import CLIENT_GONE, DRAIN
from shardgate.core.http import Request
from shardgate.core.limits import (
    COUNTED_BYTES_MIN,
    HALF_CLOSED_S,
    HEAD_BYTES_MAX,
    LAST_CHANCE_S,
    SMALL_BODY_BYTES_MAX,
    UNSENT_BYTES_MAX,
)
from shardgate.core.replies.problem import problem_reply
from shardgate.core.wire.request_head import RequestHeadParser
from shardgate.net.client.contracts import Handler, Settings
from shardgate.net.client.head_bytes import head_too_large, without_empty_lines
from shardgate.net.client.incoming import IncomingBody, too_large
from shardgate.net.client.outgoing import OutgoingReply
from shardgate.net.client.replies import ReplyWriter
from shardgate.net.client.state import (
    ANSWERING,
    BODY_BEGUN,
    BODY_STREAMED,
    BODY_WANTED,
    BODY_WHOLE,
    CLOSED,
    HEAD,
    HEAD_BEGUN,
    HOLDING,
    IDLE,
    LINGERING,
    LOST,
    REFUSED,
    REQUEST_WHOLE,
    TUNNELLED,
    UPLOADING,
)
from shardgate.net.watch import Watch

# Names of this module: compiled, those of another one are looked up in a dict.
_WHOLE: Final = REQUEST_WHOLE
_READS: Final = frozenset({IDLE, HEAD})
_WORKS: Final = frozenset({HOLDING, UPLOADING, ANSWERING})


class ClientConnection(ReplyWriter):
    """A connection that a client opened: an `asyncio.Protocol` by its methods.

    It does not derive from that class: otherwise mypyc could not compile it to a class with fields of its own.
    """

    __slots__ = (
        "_parser",
        "_proxy",
        "head_bytes",
        "hop",
        "is_proxied",
        "load",
        "peer",
        "scheme",
    )

    def __init__(self, handler: Handler, parser: RequestHeadParser, watch: Watch, settings: Settings) -> None:
        super().__init__(handler, watch, settings)
        self._parser = parser
        self.head_bytes = 0
        """The size of the head that was read last."""
        self._proxy: str | None = None  # the trusted one that the connection comes from
        self.is_proxied = False
        """The connection comes from a trusted proxy, and carries requests of several clients."""
        self.load: ClientLoad | None = None
        """Where the connection is counted; None: nowhere."""
        self.peer = ""
        """The client's address; behind a trusted proxy, the one that the proxy names."""
        self.scheme = "http"
        self.hop = b""
        """The header lines that requests of this connection carry towards shards."""

    # The connection.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=UNSENT_BYTES_MAX)
        self._out = OutgoingReply(self._transport)
        name = transport.get_extra_info("peername")
        self.peer = name[0] if name else "unknown"
        if transport.get_extra_info("ssl_object") is not None:
            self.scheme = "https"
        self.hop = self._settings.trusted.direct_lines(self.peer, self.scheme)
        if self._settings.trusted.covers(self.peer):
            self._proxy = self.peer
            self.is_proxied = True
        self.deadline_at = self._now() + self._settings.header_timeout_s
        self._watch.add(self)
        if not self._handler.opened(self):
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._state = LOST[self._state]
        self._watch.discard(self)
        self._transport = None
        self._forget_body()
        self._buffer = b""
        self._give_back()
        self._count_unread(0)
        self._handler.closed(self)
        self._cancel_work()
        if (exchange := self.exchange) is not None:
            self.exchange = None
            exchange.ended_at = self._now()
            # Behind a 101 there is no reply that could be cut off: either side ends it when it likes.
            exchange.cut_off = exchange.cut_off or ("" if exchange.status == 101 else CLIENT_GONE)
            self._handler.finished(exchange)

    def pause_writing(self) -> None:
        self._stalled = True
        if self._transport is not None:
            self._count_unread(self._transport.get_write_buffer_size())
        if self._pausable is not None:
            self._pausable.pause()

    def resume_writing(self) -> None:
        self._stalled = False
        self._count_unread(0)
        if self._pausable is not None:
            self._pausable.resume()
        elif self._buffer and not self._rest_s:
            self._go_on()

    def expire(self) -> None:
        """No request came in time (RFC 9110 section 15.5.9); an idle connection is closed without a reply.

        A client that has ended its side gets no more than a moment: most have left.
        """
        if self._transport is None or self._state == TUNNELLED:
            return
        if self._state in _WORKS:
            if self._eof and (self._pausable is None or self._is_endless):
                self._transport.abort()  # connection_lost cancels the work for it
            return
        if self._rest_s and self._state == IDLE:
            self._end_rest()
            return
        unsent = self._transport.get_write_buffer_size()
        if unsent and self._drains(unsent):
            # The end of a reply is still on its way to a slow client.
            self._unsent = unsent
            self.deadline_at = self._now() + self._settings.reply_idle_timeout_s
        elif unsent or self._state == LINGERING:
            self.abort()
        elif self._buffer:
            self._refuse(SlowRequestError("the request did not arrive in time"))
        else:
            self.close()

    def _end_rest(self) -> None:
        self._rest_s = 0.0
        if self._eof and not self._buffer and not self._aside:
            self.close()
            return
        self.deadline_at = self._now() + (LAST_CHANCE_S if self._retiring else self._settings.idle_timeout_s)
        self._go_on()

    def _drains(self, unsent: int) -> bool:
        """Whether the client reads at the minimum rate, as far as is known: the first look only notes where it is."""
        due = int(self._settings.reply_bytes_per_s_min * self._settings.reply_idle_timeout_s)
        return not self._unsent or unsent <= self._unsent - max(1, due)

    def close(self) -> None:
        """Take no more requests; answer the one under way."""
        self._out.keep_alive = False
        if self._transport is not None and self._state not in {ANSWERING, UPLOADING, TUNNELLED}:
            self._state = CLOSED[self._state]
            self._transport.close()

    def end(self, error: ShardgateError, reason: str = DRAIN) -> None:
        """Answer the request under way with this error, and close: the process ends, or the request's time is over.

        A reply that has begun is cut.
        """
        exchange, transport = self.exchange, self._transport
        if exchange is None or exchange.first_byte_at or transport is None:
            self.abort(reason)
            return
        self._cancel_work()
        self._handler.refused(self._out.request, self, error)
        self._out.keep_alive = False
        exchange.bytes_out = self._out.send(problem_reply(error, exchange.request_id.decode("ascii")))
        exchange.status, exchange.first_byte_at, exchange.cut_off = error.status, self._now(), reason
        self._transport = None  # what goes on for this request writes nothing more; `connection_lost` does the rest
        transport.close()

    def refuse(self, error: ClientError) -> None:
        """Answer before any request was read, and close."""
        self._refuse(error)

    def rest(self, seconds: float) -> None:
        """After the reply to come, read no request for so long."""
        self._rest_s = seconds

    def retire(self) -> None:
        """Close after the next reply. An idle connection stays a moment: a request may be on its way."""
        if not self._retiring:
            self._retiring = True
            if self._state == IDLE and not self._buffer:
                self.deadline_at = min(self.deadline_at, self._now() + LAST_CHANCE_S)

    # Requests.

    def data_received(self, data: bytes) -> None:
        if self._is_ahead and self._aside:
            self._aside.insert(0, data)
            return
        if self._buffer:
            data = self._buffer + data
            self._buffer = b""
        if self.incoming is not None:
            self.incoming.feed(data)
        elif self._state == ANSWERING or self._stalled:
            self._hold(data)
        elif self._state in _READS:
            self._read_head(data)

    def eof_received(self) -> bool:
        # Most clients that end their side have left; some still read their replies, as `printf … | nc` does.
        self._eof = True
        self.deadline_at = self._now() + HALF_CLOSED_S
        if self.incoming is not None:
            return False  # the rest of this body will never come: connection_lost cancels the work for it
        is_busy = self._state == ANSWERING
        if self._buffer and not is_busy:
            asyncio.get_running_loop().call_soon(self._next)
        return is_busy or bool(self._buffer or self._aside)

    def _read_head(self, data: bytes) -> None:
        if len(data) > COUNTED_BYTES_MIN:
            self._count_ahead(len(data))
            if self._state == LINGERING:
                return
        end = data.find(b"\r\n\r\n")
        if not 0 <= end <= HEAD_BYTES_MAX:
            self._await_more(data, end)
            return
        try:
            request = self._parser.parse(data[: end + 2])
        except ClientError as error:
            if data.startswith(b"\r\n"):
                self._read_head(without_empty_lines(data))
            else:
                self._refuse(error)
            return
        fields = request.fields
        self.head_bytes = end + 4
        self._out.request = request
        self._out.keep_alive = fields.keep_alive
        self._buffer = data[end + 4 :]
        if self._ahead is not None:
            self._count_ahead(len(self._buffer))
        request.scheme = self.scheme
        if self._proxy is not None:
            trusted = self._settings.trusted
            self.hop, request.scheme, self.peer = trusted.read(fields, self._proxy, self.scheme)
        if fields.has_body and (fields.chunked or fields.content_length):
            self._start_body(request)
        else:
            self._state = _WHOLE[self._state]
            self._handler.handle(request, self)

    def _await_more(self, data: bytes, end: int) -> None:
        """The end of a head, at `end`, has not come, or has come too late.

        A head that has begun must end in its own time, however long the connection idled before.
        """
        if data.startswith(b"\r\n"):
            data = without_empty_lines(data)
            end = data.find(b"\r\n\r\n")
            if 0 <= end <= HEAD_BYTES_MAX:
                self._read_head(data)
                return
        if (end if end >= 0 else len(data) - 3) > HEAD_BYTES_MAX:
            self._refuse(head_too_large(data))
            return
        if self._state == IDLE:
            self.deadline_at = self._now() + self._settings.header_timeout_s
        self._state = HEAD_BEGUN[self._state]
        self._buffer = data

    def _hold(self, data: bytes) -> None:
        """Keep what came ahead; a client that sends on and on without reading waits."""
        self._buffer = data
        if len(data) > HEAD_BYTES_MAX:
            self._read_no_more()
        if len(data) > COUNTED_BYTES_MIN:
            self._count_ahead(len(data))

    def _read_no_more(self) -> None:
        if self._transport is not None and not self._is_ahead:
            self._is_ahead = True
            self._transport.pause_reading()

    def _read_on(self) -> None:
        self._is_ahead = False
        if self._transport is not None:
            self._transport.resume_reading()

    def _go_on(self) -> None:
        """The next request of those that came ahead.

        The client is read on only when few bytes of it are left: each turn would add 256 KiB. Many bytes are set aside
        in pieces: each request copies what is left of the buffer.
        """
        if len(self._buffer) > 2 * HEAD_BYTES_MAX:
            self._set_aside()
        while self._aside and len(self._buffer) <= HEAD_BYTES_MAX:
            self._buffer += self._aside.pop()
        if len(self._buffer) <= HEAD_BYTES_MAX:
            self._read_on()
        else:
            self._read_no_more()
        # By way of the loop: a long pipeline must not become a deep recursion.
        asyncio.get_running_loop().call_soon(self._next)

    def _set_aside(self) -> None:
        ahead, size = self._buffer, 2 * HEAD_BYTES_MAX
        self._buffer = ahead[:size]
        self._aside += [ahead[at : at + size] for at in range(size, len(ahead), size)][::-1]

    def _next(self) -> None:
        """Read the next of the requests that came ahead."""
        if self._stalled or self._rest_s or not self._buffer or self._state not in _READS:
            return
        data, self._buffer = self._buffer, b""
        self._read_head(data)
        if self._eof and self._state in {HEAD, HOLDING}:
            self.close()  # the rest of this request will never come

    # The request's body, where it did not come with its head.

    def _start_body(self, request: Request) -> None:
        """Go on when it is whole; sooner where it is long, or may be: then it can be sent on while it comes."""
        fields, length = request.fields, request.fields.content_length
        rest, self._buffer = self._buffer, b""
        if self._ahead is not None:
            self._count_ahead(len(rest) - length if 0 < length < len(rest) else 0)
        if length > self._settings.body_bytes_max:
            self._refuse(too_large(self._settings.body_bytes_max))
        elif length and len(rest) >= length:
            if length >= COUNTED_BYTES_MIN and not self._has_room(length):
                return
            request.body, self._buffer = rest[:length], rest[length:]
            self._state = _WHOLE[self._state]
            self._handler.handle(request, self)
        elif self._transport is not None:
            try:
                self._upload = self._handler.upload_begun(self)
            except ClientError as error:
                self._refuse(error)
                return
            self._state = BODY_BEGUN[self._state]
            incoming = IncomingBody(self, request, self._transport, self._settings, self._watch)
            self._receive(incoming, rest)
            may_be_long = fields.chunked or length > SMALL_BODY_BYTES_MAX
            if self.incoming is incoming and (may_be_long or fields.expects_continue):
                request.arriving = True
                incoming.wait()
                self._state = BODY_STREAMED[self._state]
                self._handler.handle(request, self)

    def _has_room(self, length: int) -> bool:
        """Count a body that came whole; False: there is no room for it, and it was refused."""
        self._body_held = holding = self._settings.held.open("request", self.peer)
        try:
            holding.take(length)
        except ShardgateError as error:
            self._refuse(error)
        return holding.is_open

    def _receive(self, body: IncomingBody, data: bytes) -> None:
        # Not in `_start_body`: compiled, it would believe that `incoming` is still there (decision 54).
        self.incoming = body
        body.feed(data)  # which may end it
        if self._is_ahead:
            self._feed_aside(body)

    def _feed_aside(self, body: IncomingBody) -> None:
        """What came ahead is part of this body, as far as it goes."""
        while self._aside and self.incoming is body:
            body.feed(self._aside.pop())
        if not self._aside and self.incoming is body:
            self._is_ahead = False
            body.read_on()

    def collect(self) -> None:
        """Hold the arriving body until it is whole; the handler then gets the request again."""
        if self.incoming is not None:
            self._state = BODY_WANTED[self._state]
            self.incoming.collect()

    def body_whole(self, body: IncomingBody) -> None:
        """All of the body has come; a handler that waits for it gets the request now."""
        waits = self._state == HOLDING
        whole = body.whole() if waits else b""
        self._body_held, body.holding = body.holding, None
        rest = body.rest
        self._forget_body()
        self._buffer = rest
        if len(self._buffer) > COUNTED_BYTES_MIN:
            self._count_ahead(len(self._buffer))
        self._state = BODY_WHOLE[self._state]
        request = self._out.request
        if waits and request is not None:
            request.body = whole
            request.arriving = False
            self._handler.handle(request, self)

    def body_refused(self, error: ShardgateError) -> None:
        """The body is malformed, too large or too slow, or there is no room to hold it."""
        self._refuse(error)

    # What is held is counted.

    def _count_ahead(self, size: int) -> None:
        """So much has come that is not handled yet, and what is set aside."""
        holding = self._ahead
        if self._aside:
            size += sum(map(len, self._aside))
        if size <= COUNTED_BYTES_MIN:
            if holding is not None:
                holding.close()
                self._ahead = None
            return
        if holding is None:
            holding = self._ahead = self._settings.held.open("ahead", self.peer)
            holding.on_refused = self._refuse_ahead
        holding.set(size)

    def _refuse_ahead(self, error: ShardgateError) -> None:
        """Answer no more than the request under way: there is no room for those behind it."""
        self._ahead = None
        self._buffer = b""
        self._aside = []
        if self._state in _READS:
            self._refuse(error)
        else:
            self._out.keep_alive = False  # what follows is read over

    def _count_unread(self, size: int) -> None:
        """The client has not read so much."""
        holding = self._unread
        if not size:
            if holding is not None:
                holding.close()
                self._unread = None
            return
        if holding is None:
            holding = self._unread = self._settings.held.open("unsent", self.peer)
            holding.begun = True
            holding.on_refused = self._refuse_unread
        holding.set(size)

    def _refuse_unread(self, error: ShardgateError) -> None:
        """Cut the reply off: there is no room for what the client does not read."""
        self._unread = None
        if self.exchange is not None:
            self._handler.refused(self._out.request, self, error)
        self.abort(error.cut_off)

    def _refuse(self, error: ShardgateError) -> None:
        """Answer, and close: where this request ends, and where another would begin, is not known."""
        self._buffer = b""
        self._aside = []
        self._cancel_work()
        if self._pausable is not None:
            self.abort()  # a reply is on its way already
            return
        self._state = REFUSED[self._state]
        self._out.keep_alive = False
        self._handler.refused(self._out.request, self, error)
        self.send(problem_reply(error, self.exchange.request_id.decode("ascii") if self.exchange is not None else None))
        self._linger()
