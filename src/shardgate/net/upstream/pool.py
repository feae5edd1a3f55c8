"""Connections to one address: sends a call on an idle one, opens new ones up to a bound, and queues further calls.

Holds: at most `connections_max` are open. Queued calls are served first in, first out. A call that is over leaves the
queue unsent; so does one that another replica answers meanwhile. Bodies that still arrive hold no more than a share of
the connections (`uploads.py`); nor do, while calls wait, replies whose clients do not read.
Never: knows which shard lives at the address, or how a connection is opened.
Hot path: `start` on an idle connection is a pop and a write.
"""

from collections import deque
from collections.abc import Sequence
from typing import Protocol

from shardgate.core.errors import OverloadError, ShardDownError, SlowClientError
from shardgate.core.failures.silence import Silence
from shardgate.core.limits import GIVE_WAY_S, SLOW_READER_S, SLOW_READERS_ONE_IN, UPLOADS_ONE_IN
from shardgate.core.value import Value
from shardgate.core.wire.addresses import NO_ADDRESSES, ShardAddresses
from shardgate.core.wire.reply_head import ReplyHeadParser
from shardgate.net import tasks
from shardgate.net.upstream.call import Call
from shardgate.net.upstream.connection import UpstreamConnection
from shardgate.net.upstream.uploads import Uploads
from shardgate.net.watch import Watch

# A change is not sent on a connection that has idled this long: the shard may just be closing it, and a change cannot
# be sent again.
FRESH_S = 1.0


class PoolSettings(Value, frozen=True):
    """The bounds of one pool."""

    connections_max: int
    waiting_max: int
    idle_timeout_s: float
    addresses: ShardAddresses = NO_ADDRESSES
    """What clients must not read of replies."""


class Dialling(Protocol):
    """Opens connections to one address."""

    async def connect(self, connection: UpstreamConnection) -> None:
        """Open a connection. Raises ShardDownError."""

    def failed(self, reason: str) -> ShardDownError:
        """The error that says why there is no connection."""

    def gone(self) -> frozenset[str]:
        """The addresses that connections were opened to, and that the shard's name does not have any more."""


class Pool:
    """The connections of one worker to one address."""

    __slots__ = (
        "_answered",
        "_connections",
        "_dialler",
        "_idle",
        "_is_closed",
        "_now",
        "_open",
        "_parser",
        "_settings",
        "_uploads",
        "_waiting",
        "_waits",
        "_watch",
        "deadline_at",
        "silence",
    )

    def __init__(self, dialler: Dialling, watch: Watch, settings: PoolSettings) -> None:
        self._dialler = dialler
        self._watch = watch
        self._now = watch.now
        self._settings = settings
        self._is_closed = False
        self._parser = ReplyHeadParser(settings.addresses)
        self._idle: list[UpstreamConnection] = []
        self._connections: set[UpstreamConnection] = set()
        self._waiting: deque[Call] = deque()
        self._uploads = Uploads(
            self._start_upload,
            max(1, settings.connections_max // UPLOADS_ONE_IN),
            settings.waiting_max // UPLOADS_ONE_IN,
        )
        self._open = 0
        self._waits = 0
        self._answered = 0  # calls that were answered since the last tick
        self.silence = Silence(settings.connections_max, self._now())
        """Whether the address answers."""
        self.deadline_at = self._now()
        watch.add(self)

    def start(self, call: Call, *, admitted: bool = False) -> None:
        """Send the call as soon as a connection is free. Its sink is told of a failure, too.

        `admitted`: enough of its arriving body has come, and it has a place among the uploads.
        """
        self._watch.add(call)
        if call.upload is not None and not admitted:
            self._uploads.admit(call)
            return
        idle = self._idle
        while idle:
            connection = idle.pop()
            if connection.usable and (call.repeatable or self._is_fresh(connection)):
                connection.send(call)
                return
            connection.abort()
        if self._has_room and not self._is_closed:
            self._open += 1
            tasks.start(self._connect(call), "connect")
        elif len(self._waiting) < self._settings.waiting_max:
            self._waiting.append(call)
            self._waits += 1
        else:
            call.fail(OverloadError("too many requests wait for the shard", budget="shard_waiting"))

    @property
    def is_silent(self) -> bool:
        """Whether the address takes calls and answers none."""
        return self.silence.is_silent

    def alone(self) -> "Sequence[Pool]":
        """Each instance that takes changes, by itself: there is one."""
        return [self]

    def figures(self) -> tuple[int, int, int, int]:
        """Open connections, idle ones, calls that wait, and how many calls have ever waited."""
        return self._open, len(self._idle), len(self._waiting), self._waits

    def close(self) -> None:
        """Close idle connections; the others are closed when their calls end."""
        self._watch.discard(self)
        self._is_closed = True
        while self._idle:
            self._idle.pop().abort()

    def released(self, connection: UpstreamConnection) -> None:
        """A connection can be used again."""
        self._answered += 1
        connection.idle_at = self._now()
        if self._waiting and (call := self._next_waiting()) is not None:
            call.await_first_byte()
            connection.send(call)
        elif not self._is_closed:
            self._idle.append(connection)
        else:
            connection.abort()

    def answered(self) -> None:
        """The address has said something on a connection that cannot be used again."""
        self._answered += 1

    def lost(self, connection: UpstreamConnection) -> None:
        """A connection is closed."""
        self._connections.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        self._one_less()

    def again(self, call: Call) -> None:
        """Send a call again, on a new connection: other idle ones may be closing, too.

        If all connections are taken, the call gets the next free one, which was in use a moment ago.
        """
        if self._has_room:
            self._open += 1
            tasks.start(self._connect(call), "connect again")
        else:
            self._waiting.appendleft(call)

    def expire(self) -> None:
        """Each tick: close the connections that have idled too long, the oldest first; cut off the slowest readers;
        forget what was read with other addresses."""
        instant = self._now()
        self.deadline_at = instant
        self._parser.renew()
        if self._waiting:
            self._cut_slow_readers(instant)
        while self._idle and instant - (self._idle[0].idle_at or 0.0) > self._settings.idle_timeout_s:
            self._idle.pop(0).abort()
        if self._open and (gone := self._dialler.gone()):
            self._leave(gone)
        self._listen(instant)

    def _leave(self, gone: frozenset[str]) -> None:
        """Use no connection to these addresses again."""
        for connection in [each for each in self._connections if each.address in gone]:
            connection.is_retiring = True
            if connection.call is None:
                connection.abort()

    @property
    def _has_room(self) -> bool:
        """Whether one more connection may be opened."""
        return self._open < self._settings.connections_max + self.silence.more

    def _listen(self, instant: float) -> None:
        """Find out whether the address answers, and what follows for the calls that wait."""
        silence, answered = self.silence, self._answered
        self._answered = 0
        if silence.is_calm and (answered or self._open == len(self._idle)):
            silence.look(instant, frozenset(), answered)
            return
        calls = [call for each in self._connections if (call := each.call) is not None]
        begun = [call for call in calls if call.has_begun and call in silence.awaiting]
        awaiting = {call for call in calls if call.awaits_first_byte}
        silence.look(instant, awaiting, answered + len(begun), queued=bool(self._waiting))
        if silence.is_silent:
            for call in [*awaiting, *self._waiting]:
                if call.gives_way and not call.done and instant - call.started_at >= GIVE_WAY_S:
                    call.give_way()
        while self._waiting and self._has_room and (waiting := self._next_waiting()) is not None:
            self.start(waiting, admitted=True)

    def _start_upload(self, call: Call) -> None:
        self.start(call, admitted=True)

    def _cut_slow_readers(self, instant: float) -> None:
        """Calls wait while clients do not read: those that have not for longest lose their replies, beyond a share."""
        calls = [call for each in self._connections if (call := each.call) is not None]
        slow = sorted([call for call in calls if instant - call.slow_since >= SLOW_READER_S], key=_slow_since)
        kept = max(1, self._settings.connections_max // SLOW_READERS_ONE_IN)
        for call in slow[: max(0, len(slow) - kept)]:
            call.fail(SlowClientError("the client reads slowly, and others wait", budget="shard_slow_readers"))

    async def _connect(self, call: Call) -> None:
        connection = UpstreamConnection(self, self._parser)
        try:
            await self._dialler.connect(connection)
        except ShardDownError as error:
            if call.carrier is None:
                call.fail(error)
            self._one_less()
            return
        self._connections.add(connection)
        if call.done or call.carrier is not None:
            self._answered -= 1  # nothing was asked on it
            self.released(connection)
        elif connection.usable:
            call.await_first_byte()
            connection.send(call)
        else:
            call.fail(self._dialler.failed("it closed the connection at once"))

    def _one_less(self) -> None:
        self._open -= 1
        call = self._next_waiting()
        if call is not None:
            self.start(call, admitted=True)

    def _is_fresh(self, connection: UpstreamConnection) -> bool:
        return connection.idle_at is None or self._now() - connection.idle_at < FRESH_S

    def _next_waiting(self) -> Call | None:
        while self._waiting:
            call = self._waiting.popleft()
            if not call.done and call.carrier is None:
                return call
        return None


def _slow_since(call: Call) -> float:
    return call.slow_since
