"""Two connections that have left HTTP behind (RFC 9110 section 7.8): every byte of one goes to the other.

Holds: each side is read no faster than the other takes; when one ends, the other is ended after what was sent to it;
a tunnel in which nothing moves for its idle time is closed.
Never: looks at the bytes.
"""

import asyncio

from shardgate.net.clock import now
from shardgate.net.watch import Watch


class Tunnel:
    """The pair."""

    __slots__ = ("_ends", "_idle_s", "_watch", "deadline_at")

    def __init__(self, watch: Watch, idle_s: float) -> None:
        self._watch = watch
        self._idle_s = idle_s
        self._ends: list[TunnelEnd] = []
        self.deadline_at = now() + idle_s

    def join(self, one: asyncio.Transport, other: asyncio.Transport) -> None:
        """From now on bytes of either transport go to the other; their protocols still hear of the end."""
        first, second = TunnelEnd(self, one, other), TunnelEnd(self, other, one)
        self._ends = [first, second]
        self._watch.add(self)
        for end in self._ends:
            end.begin()

    def moved(self) -> None:
        """Bytes have passed."""
        self.deadline_at = now() + self._idle_s

    def ended(self) -> None:
        """One side is gone."""
        self._watch.discard(self)

    def expire(self) -> None:
        """Nothing has moved for too long."""
        for end in self._ends:
            end.close()


class TunnelEnd(asyncio.Protocol):
    """What is read here is written there."""

    __slots__ = ("_before", "_from", "_to", "_tunnel")

    def __init__(self, tunnel: Tunnel, source: asyncio.Transport, target: asyncio.Transport) -> None:
        self._tunnel = tunnel
        self._from = source
        self._to = target
        self._before = source.get_protocol()

    def begin(self) -> None:
        """Take the transport over."""
        self._from.set_protocol(self)
        self._from.resume_reading()

    def close(self) -> None:
        """End this side when what was sent to it has left."""
        self._from.close()

    def data_received(self, data: bytes) -> None:
        self._tunnel.moved()
        self._to.write(data)

    def pause_writing(self) -> None:
        if not self._to.is_closing():
            self._to.pause_reading()

    def resume_writing(self) -> None:
        if not self._to.is_closing():
            self._to.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self._tunnel.ended()
        self._to.close()
        self._before.connection_lost(exc)
