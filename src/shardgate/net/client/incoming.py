"""A request body that has not come whole: held until it has, or handed on piece by piece.

Holds: what is held is counted. No more bytes than the bound are taken, whatever the client announced. A client is read
no faster than its body is taken, and one turn of the loop reads only so many bytes and small chunks of it. Each next
piece must come in the time for a head, and the body may be behind its
minimum rate by no more than that; a body that is held must also be whole in time.
Never: decides where a body goes.
"""

import asyncio
from collections.abc import Callable
from io import BytesIO
from math import inf
from typing import Protocol

from shardgate.core.errors import BodyTooLargeError, ClientError, ShardgateError, SlowRequestError
from shardgate.core.held import Holding
from shardgate.core.http import Request
from shardgate.core.limits import BODY_BYTES_AT_ONCE, SMALL_BODY_BYTES_MAX
from shardgate.core.wire.body import BodyReader
from shardgate.core.wire.chunked import bytes_at_once
from shardgate.net.client.contracts import Settings
from shardgate.net.upload import BodyTaker
from shardgate.net.watch import Watch

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class BodyOwner(Protocol):
    """The connection that the body comes on."""

    peer: str
    """The client's address."""

    def body_whole(self, body: "IncomingBody") -> None:
        """All of the body has come."""

    def body_refused(self, error: ShardgateError) -> None:
        """The body is malformed, too large or too slow, or there is no room to hold it."""


class IncomingBody:
    """The body of one request, on its way in."""

    __slots__ = (
        "_bytes_max",
        "_came",
        "_deferred",
        "_due_at",
        "_ends_at",
        "_enough",
        "_held",
        "_is_paused",
        "_owner",
        "_reader",
        "_request",
        "_settings",
        "_taker",
        "_transport",
        "_turn",
        "_watch",
        "deadline_at",
        "holding",
        "is_wanted",
        "size",
    )

    def __init__(
        self, owner: BodyOwner, request: Request, transport: asyncio.Transport, settings: Settings, watch: Watch
    ) -> None:
        fields = request.fields
        self._owner = owner
        self._request = request
        self._transport = transport
        self._settings = settings
        self._watch = watch
        self._reader = BodyReader(None if fields.chunked else fields.content_length)
        self._bytes_max = settings.body_bytes_max
        # Not a list: the pieces of a client that sends byte by byte would take fifty times their bytes. Not a
        # bytearray: to make bytes of 16 MiB of it takes 10 ms. This keeps bytes, which grow in place.
        self._held = BytesIO()
        self.holding: Holding | None = None
        """What is held is counted by it; None: nothing is."""
        self.size = 0
        """What has come, in bytes."""
        self._taker: BodyTaker | None = None
        self.is_wanted = True
        """A handler takes the body; until one does, the client has time."""
        self._enough: Callable[[], None] | None = None
        """To be called when enough is held."""
        self._came = 0  # bytes since others last had their turn of the loop
        self._deferred = b""  # came, and is read in the next turns; nothing more is taken meanwhile
        self._turn: asyncio.Handle | None = None  # the next one that is awaited; until then nothing is read
        self._is_paused = False
        instant = watch.now()
        self._ends_at = instant + settings.total_timeout_s
        self._due_at = instant + settings.header_timeout_s
        """When the next piece must have come."""
        self.deadline_at = min(self._due_at, self._ends_at)
        watch.add(self)

    @property
    def is_chunked(self) -> bool:
        """Whether its length is unknown."""
        return self._request.fields.chunked

    @property
    def has_enough(self) -> bool:
        """Whether SMALL_BODY_BYTES_MAX bytes have come, or all."""
        return self._reader.done or self.size >= SMALL_BODY_BYTES_MAX

    @property
    def seen(self) -> bytes:
        """All of it, where it has come and nobody has taken it; else nothing."""
        return self._held.getvalue() if self._reader.done else b""

    @property
    def rest(self) -> bytes:
        """What came behind its end."""
        return self._reader.rest + self._deferred if self._deferred else self._reader.rest

    def feed(self, data: bytes) -> None:
        """Take what came: now, or in later turns of the loop."""
        if self._deferred:
            self._deferred += data
            return
        self._came += len(data)
        size = bytes_at_once(data) if self._request.fields.chunked else len(data)
        if size < len(data):
            self._deferred = data[size:]
            data = data[:size]
        if self._deferred or self._came > BODY_BYTES_AT_ONCE:
            self._await_turn()
        self._read(data)

    def read_on(self) -> None:
        """Let the client send, unless the body is paused, or a turn of the loop is awaited."""
        if not self._is_paused and self._turn is None and not self._transport.is_closing():
            self._transport.resume_reading()

    def _await_turn(self) -> None:
        """Read on in the next turn of the loop."""
        self._came = 0
        if self._turn is None and not self._transport.is_closing():
            self._transport.pause_reading()
            self._turn = asyncio.get_running_loop().call_soon(self._take_turn)

    def _take_turn(self) -> None:
        self._turn = None
        if self._is_paused:
            return  # `resume` awaits a turn again
        data, self._deferred = self._deferred, b""
        self.read_on()
        if data:
            self.feed(data)

    def _leave_turns(self) -> None:
        turn, self._turn = self._turn, None
        if turn is not None:
            turn.cancel()
            self.read_on()

    def _read(self, data: bytes) -> None:
        try:
            piece = self._reader.feed(data)
        except ClientError as error:
            self._owner.body_refused(error)
            return
        self.size += len(piece)
        if self.size > self._bytes_max:
            self._owner.body_refused(too_large(self._bytes_max))
            return
        if piece:
            self._moved(len(piece))
            if self._taker is not None:
                self._taker.body_data(piece)
            elif not self._hold(piece):
                return
        if self._enough is not None and self.has_enough:
            self._have_enough(self._enough)
        else:
            self._end_if_whole()

    def wait(self) -> None:
        """Read no more until a handler takes the body."""
        self.is_wanted = False
        self.pause()

    def collect(self) -> None:
        """Hold it until it is whole."""
        self._bytes_max = self._settings.held_body_bytes_max
        if self._request.fields.content_length > self._bytes_max:
            self._owner.body_refused(too_large(self._bytes_max))
            return
        self._go_on()

    def await_enough(self, then: Callable[[], None]) -> None:
        """Hold what comes until it is SMALL_BODY_BYTES_MAX bytes, or all. Then read no more, and call `then`."""
        if self.has_enough:
            then()
        else:
            self._enough = then
            self._ask_for_more()

    def stream_to(self, taker: BodyTaker) -> None:
        """Hand the body on as it comes; what was held goes at once."""
        self._taker = taker
        self._ends_at = inf
        if self._held.tell():
            held, self._held = self._held.getvalue(), BytesIO()
            self._give_back()
            taker.body_data(held)
        self._go_on()

    def pause(self) -> None:
        """The shard is slower than the client."""
        self.deadline_at = inf
        self._is_paused = True
        if not self._transport.is_closing():
            self._transport.pause_reading()

    def resume(self) -> None:
        """The shard has caught up."""
        self._due_at = self._watch.now() + self._settings.header_timeout_s
        self.deadline_at = min(self._due_at, self._ends_at)
        self._is_paused = False
        if self._deferred:
            self._await_turn()
        else:
            self.read_on()

    def whole(self) -> bytes:
        """All of it, where it was held. From now on it cannot be refused for want of room."""
        held, self._held = self._held.getvalue(), BytesIO()
        if self.holding is not None:
            self.holding.on_refused = None
        return held

    def end(self) -> None:
        """The body is over, or is not needed any more."""
        self._watch.discard(self)
        if self._turn is not None:
            self._leave_turns()

    def forget(self) -> None:
        """Nothing of the body is needed any more."""
        self.end()
        self._held = BytesIO()
        self._deferred = b""
        self._give_back()

    def expire(self) -> None:
        """The next piece did not come in time."""
        self._owner.body_refused(SlowRequestError("the request did not arrive in time"))

    def _hold(self, piece: bytes) -> bool:
        """Keep a piece, and count it; False: there was no room, and the owner was told."""
        holding = self.holding
        if holding is None:
            holding = self.holding = self._settings.held.open("request", self._owner.peer)
            holding.on_refused = self._owner.body_refused
        holding.add(len(piece))
        if not holding.is_open:
            return False
        self._held.write(piece)
        return True

    def _give_back(self) -> None:
        if self.holding is not None:
            self.holding.close()
            self.holding = None

    def _moved(self, size: int) -> None:
        """Each piece buys the time that it may take at the minimum rate, and no more than the time for a head."""
        rate = self._settings.body_bytes_per_s_min
        latest_at = self._watch.now() + self._settings.header_timeout_s
        self._due_at = min(self._due_at + size / rate, latest_at) if rate else latest_at
        self.deadline_at = min(self._due_at, self._ends_at)

    def _go_on(self) -> None:
        self.is_wanted = True
        self._ask_for_more()
        self._end_if_whole()

    def _ask_for_more(self) -> None:
        """RFC 9110 section 10.1.1: a 100 only now; a refusal before would have spared the client to send its body."""
        if self._request.fields.expects_continue and not self.size and not self._reader.done:
            self._transport.write(_CONTINUE)
        self.resume()

    def _have_enough(self, then: Callable[[], None]) -> None:
        self._enough = None
        self.wait()
        then()

    def _end_if_whole(self) -> None:
        if self._reader.done and self.is_wanted:
            if self._turn is not None:
                self._leave_turns()
            if self._taker is not None:
                self._taker.body_end(self._reader.trailers if self._settings.passes_trailers else b"")
            self._owner.body_whole(self)


def too_large(bytes_max: int) -> BodyTooLargeError:
    """The refusal of a longer body."""
    return BodyTooLargeError(f"the request body is larger than {bytes_max} bytes")
