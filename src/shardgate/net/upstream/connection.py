"""One connection to a shard: sends a request, reads its reply, and hands the reply's bytes on as they come.

Holds: a connection is used again only after a reply that was read to its end, with no byte behind it.
Never: chooses a shard, tries again or waits: the pool does.
Hot path: a reply that comes in one piece is parsed and handed on in one call.
"""

import asyncio
from typing import Final, Protocol, cast

from shardgate.core.errors import (
    BrokenReplyError,
    ClientError,
    LostReplyError,
    ShardgateError,
)
from shardgate.core.excerpt import excerpt
from shardgate.core.http import ReplyHead
from shardgate.core.limits import (
    BODY_BYTES_AT_ONCE,
    HEAD_BYTES_MAX,
    INTERIM_BYTES_MAX,
    INTERIM_REPLIES_MAX,
    SMALL_BODY_BYTES_MAX,
)
from shardgate.core.wire.chunked import ChunkedDecoder, bytes_at_once
from shardgate.core.wire.forwarding import chunk, last_chunk
from shardgate.core.wire.reply_head import ReplyHeadParser
from shardgate.net.upstream.call import Call

# RFC 9112 section 6.3: a reply with one of these ends with its head, whatever the head says of a body.
_BODILESS: Final = frozenset({204, 304})


class ConnectionOwner(Protocol):
    """The pool that the connection belongs to."""

    def released(self, connection: "UpstreamConnection") -> None:
        """The connection can be used again."""

    def answered(self) -> None:
        """The shard has said something on a connection that cannot be used again."""

    def lost(self, connection: "UpstreamConnection") -> None:
        """The connection is closed."""

    def again(self, call: Call) -> None:
        """Try the call once more, on another connection."""


class UpstreamConnection:
    """A connection that carries one call at a time: an `asyncio.Protocol` by its methods, as `ClientConnection` is."""

    __slots__ = (
        "_buffer",
        "_call",
        "_came",
        "_chunked",
        "_deferred",
        "_head",
        "_owner",
        "_parser",
        "_paused",
        "_remaining",
        "_transport",
        "_turn",
        "address",
        "idle_at",
        "is_retiring",
    )

    def __init__(self, owner: ConnectionOwner, parser: ReplyHeadParser) -> None:
        self._owner = owner
        self._parser = parser
        self._transport: asyncio.Transport | None = None
        self._call: Call | None = None
        self._buffer = b""
        self._head: ReplyHead | None = None
        self._chunked: ChunkedDecoder | None = None
        self._came = 0  # bytes of bodies since others last had their turn of the loop
        self._deferred = b""  # came, and is read in the next turns; nothing more is taken meanwhile
        self._turn: asyncio.Handle | None = None  # the next one that is awaited; until then nothing is read
        self._paused = False
        self._remaining: int | None = 0  # bytes to come; None: until the connection ends
        self.idle_at: float | None = None
        """Since when the connection waits for work again; None: it is new."""
        self.address = ""
        """The address that the shard's name had when it was opened; empty: the shard has no name."""
        self.is_retiring = False
        """It ends with the reply that it carries."""

    @property
    def usable(self) -> bool:
        """Whether the connection is open."""
        return self._transport is not None and not self._transport.is_closing()

    @property
    def call(self) -> Call | None:
        """The call that it carries."""
        return self._call

    @property
    def has_unsent(self) -> bool:
        """Whether bytes of the request still wait to be sent."""
        return self._transport is not None and self._transport.get_write_buffer_size() > 0

    @property
    def has_head(self) -> bool:
        """Whether the head of a reply has passed on, and its body comes now."""
        return self._head is not None

    def send(self, call: Call) -> None:
        """Send a request; its reply goes to the call's sink."""
        self._call = call
        call.on(self)
        transport = self._transport
        assert transport is not None
        if not call.body:
            transport.write(call.head)
        elif len(call.body) <= SMALL_BODY_BYTES_MAX:
            transport.write(call.head + call.body)
        else:
            transport.write(call.head)  # in one piece with its head, a long body would be in memory twice
            transport.write(call.body)
        if call.upload is not None:
            call.await_body()
            call.upload.stream_to(call)

    def write_body(self, call: Call, data: bytes) -> None:
        """Send a piece of an arriving body, framed as its head says."""
        if self._transport is not None:
            self._transport.write(chunk(data) if call.is_chunked else data)

    def end_body(self, call: Call, trailers: bytes) -> None:
        """Send the end of an arriving body."""
        if self._transport is not None and call.is_chunked:
            self._transport.write(last_chunk(trailers))

    def pause_writing(self) -> None:
        if self._call is not None and self._call.upload is not None:
            self._call.upload.pause()

    def resume_writing(self) -> None:
        if self._call is not None and self._call.upload is not None:
            self._call.moved()
            self._call.upload.resume()

    def abort(self) -> None:
        """Close at once."""
        self._call = None
        if self._transport is not None:
            self._transport.abort()

    def carry(self, call: Call) -> None:
        """The reply that has begun here is this call's from now on."""
        self._call = call
        call.on(self)

    def pause_reading(self) -> None:
        """Read no more for now, so that the shard must wait."""
        if self.usable:
            self._paused = True
            cast("asyncio.Transport", self._transport).pause_reading()

    def resume_reading(self) -> None:
        """Read on."""
        if self.usable:
            self._paused = False
            if self._deferred:
                self._await_turn()
            elif self._turn is None:
                cast("asyncio.Transport", self._transport).resume_reading()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        call = self._call
        if call is None:
            # Bytes that no request asked for: the two sides disagree on where a reply ends.
            self.abort()
            return
        try:
            if self._head is None:
                if self._buffer:
                    data = self._buffer + data
                    self._buffer = b""
                self._read_head(call, data)
            else:
                self._read_body(call, data)
        except ShardgateError as error:
            (self._call or call).fail(error)

    def eof_received(self) -> bool:
        """RFC 9112 section 9.6: the shard sends nothing more, so it is sent no more requests."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        call, self._call = self._call, None
        self._transport = None
        self._owner.lost(self)
        if call is None or call.done:
            return
        self._owner.answered()
        if exc is None and self._head is not None and self._remaining is None and self._chunked is None:
            call.end()
            call.sink.reply_end(b"")
        elif self._head is not None or self._buffer:
            error = BrokenReplyError("a shard's reply broke off", log=self._what_is_missing(exc))
            # Of a head that is not whole nothing has passed on.
            error.another_may_answer = self._head is None and call.reads and call.repeatable
            call.fail(error)
        elif call.repeatable and self.idle_at is not None and not call.tried_again:
            # The upstream closed an idle connection while we wrote: RFC 9110 section 9.2.2 allows to repeat.
            call.tried_again = True
            call.detach()
            self._owner.again(call)
        elif call.reads:
            log = "no byte of a reply came" if exc is None else f"no byte of a reply came: {exc}"
            error = BrokenReplyError("a shard closed the connection without a reply", log=log)
            error.another_may_answer = call.repeatable
            call.fail(error)
        else:
            log = "no byte of a reply came" if exc is None else f"no byte of a reply came: {exc}"
            problem = "the connection to the shard broke; the change may have been made or not"
            call.fail(LostReplyError(problem, log=log))

    def _what_is_missing(self, exc: Exception | None) -> str:
        if self._head is None:
            came = f"{len(self._buffer)} bytes of its head came"
        elif self._remaining is not None:
            came = f"{self._remaining} bytes of its body did not come"
        else:
            came = "the end of its body did not come"
        return came if exc is None else f"{came}: {exc}"

    def _read_head(self, call: Call, data: bytes) -> None:
        rest, parser = data, self._parser
        while True:
            head, size = parser.last_read, len(parser.last)
            if head is None or not rest.startswith(parser.last):
                end = rest.find(b"\r\n\r\n")
                if not 0 <= end <= HEAD_BYTES_MAX:
                    self._await_head(call, rest, end)
                    return
                head, size = parser.parse(rest[: end + 2]), end + 4
            if head.names_shard:
                head = parser.for_client(head, call.head)
            rest = rest[size:]
            status = head.status
            if status >= 200:
                break
            if status == 101:
                self._switch(call, head, rest)
                return
            self._pass_interim(call, head, size)  # the reply itself is still to come
        if call.attempt is not None:
            answered = call.attempt.answered(call, status)
            if answered is None:
                return
            call = answered
        if head.content_length == len(rest) and not call.is_head and status not in _BODILESS:
            call.sink.reply_whole(head, rest)  # the reply came in one piece, as most do
            self._end_whole(call, head)
        else:
            self._take_first_piece(call, head, rest)

    def _take_first_piece(self, call: Call, head: ReplyHead, rest: bytes) -> None:
        """Head and first piece go on together: one write to the client instead of two (8 µs a request)."""
        call.heard()
        self._frame(call, head)
        data, over = self._cut(rest)  # raises where it is broken: of such a reply nothing has passed on
        self._head = head
        if over is None:
            call.moved()
        call.sink.reply_head(head, data)
        if over is not None and self._call is call:
            self._finish(call, clean=over)

    def _await_head(self, call: Call, data: bytes, end: int) -> None:
        """Its end, at `end`, has not come, or has come too late."""
        if (end if end >= 0 else len(data) - 3) > HEAD_BYTES_MAX:
            log = f"{len(data)} bytes came without its end; at most {HEAD_BYTES_MAX} are read"
            raise BrokenReplyError("a shard's header section is too large", where="the head", log=log)
        self._buffer = data
        call.heard()

    def _pass_interim(self, call: Call, head: ReplyHead, size: int) -> None:
        """Pass a 1xx on. Their number has a bound: each costs work, and none of them is the reply."""
        replies, came = call.interim or (0, 0)
        call.interim = replies + 1, came + size
        if replies >= INTERIM_REPLIES_MAX or came + size > INTERIM_BYTES_MAX:
            log = f"{replies + 1} of them came, with {came + size} bytes"
            raise BrokenReplyError("a shard sends interim replies without end", where="the head", log=log)
        if head.status > 100:
            call.sink.reply_interim(head)

    def _switch(self, call: Call, head: ReplyHead, data: bytes) -> None:
        """RFC 9110 section 7.8: only to what was offered."""
        if not call.offers or head.upgrade != call.offers:
            offered = excerpt(call.offers) or "nothing"
            log = f"it switches to {excerpt(head.upgrade) or 'nothing'}; offered was {offered}"
            raise BrokenReplyError("a shard switches protocols unasked", where="the header Upgrade", log=log)
        call.end()
        self._call = None
        self._owner.answered()
        call.sink.reply_switched(head, data, cast("asyncio.Transport", self._transport))

    def _frame(self, call: Call, head: ReplyHead) -> None:
        """Where the body ends: RFC 9112 section 6.3."""
        if call.is_head or head.status in _BODILESS:
            self._remaining = 0
        elif head.chunked:
            self._chunked = ChunkedDecoder()
            self._remaining = None
        else:
            self._remaining = head.content_length

    def _read_body(self, call: Call, data: bytes) -> None:
        self._came += len(data)
        if self._came > BODY_BYTES_AT_ONCE:
            self._await_turn()
        piece, over = self._cut(data)
        call.moved()
        if piece:
            call.sink.reply_data(piece)
        if over is not None and self._call is call:
            self._finish(call, clean=over)

    def _cut(self, data: bytes) -> tuple[bytes, bool | None]:
        """What of the data is body, and whether the body is over: None if not, False if bytes follow its end."""
        if self._chunked is not None:
            size = bytes_at_once(data)
            if size < len(data):
                self._deferred = data[size:]
                data = data[:size]
                self._await_turn()
            try:
                piece = self._chunked.feed(data)
            except ClientError as error:
                log = f"{error.detail}; near {excerpt(data)}"
                raise BrokenReplyError("a shard's chunked coding is broken", where="the body", log=log) from error
            return piece, (not self._chunked.rest if self._chunked.done else None)
        if self._remaining is None:
            return data, None
        if len(data) <= self._remaining:
            self._remaining -= len(data)
            return data, None if self._remaining else True
        # More bytes than were announced: the reply's own pass, and the connection is not used again.
        return data[: self._remaining], False

    def _await_turn(self) -> None:
        """Read on in the next turn of the loop."""
        self._came = 0
        if self._turn is None and self.usable:
            cast("asyncio.Transport", self._transport).pause_reading()
            self._turn = asyncio.get_running_loop().call_soon(self._take_turn)

    def _take_turn(self) -> None:
        """Read on, unless the receiver has paused, or the call is over."""
        self._turn = None
        if self._paused:
            return  # `resume_reading` awaits a turn again
        if self.usable:
            cast("asyncio.Transport", self._transport).resume_reading()
        call, data = self._call, self._deferred
        self._deferred = b""
        if data and call is not None and not call.done:
            try:
                self._read_body(call, data)
            except ShardgateError as error:
                call.fail(error)

    def _end_whole(self, call: Call, head: ReplyHead) -> None:
        """The call is over, whose reply came in one piece; unless it has gone on to another replica."""
        if self._call is not call:
            return
        call.end()
        self._call = None
        if self._paused:
            self.resume_reading()  # its receiver paused; the next one's has not
        if head.keep_alive and not self.is_retiring and not (call.has_body and self._still_sends(call)):
            self._owner.released(self)
        else:
            self._owner.answered()
            self.abort()

    def _finish(self, call: Call, *, clean: bool) -> None:
        if call.done:
            return
        call.end()
        self._call = None
        reusable = (
            clean
            and not self.is_retiring
            and not self._deferred
            and self._head is not None
            and self._head.keep_alive
            and not (call.has_body and self._still_sends(call))
        )
        trailers = self._chunked.trailers if self._chunked is not None else b""
        self._head = None
        self._chunked = None
        self._remaining = 0
        if self._paused:
            self.resume_reading()  # the client was slow for the end of this reply; the next one's is not
        if reusable:
            self._owner.released(self)
        else:
            self._owner.answered()
            self.abort()
        call.sink.reply_end(trailers)

    def _still_sends(self, call: Call) -> bool:
        """Whether the reply came before its request was sent whole: the shard may never read the rest."""
        return call.upload is not None or self.has_unsent
