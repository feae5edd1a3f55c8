"""Two connections that have left HTTP behind (RFC 9110 section 7.8): every byte of one goes to the other.

Holds: each side is read no faster than the other takes. When one side ends, the other is closed after what was written
to it has left. A tunnel in which no byte moves for its idle time is closed. Bytes are counted.
Never: looks at the bytes.
"""

import asyncio

from shardgate.core.exchange import Exchange
from shardgate.net.watch import Watch


class Tunnel:
    """The pair."""

    __slots__ = ("_ends", "_exchange", "_idle_s", "_watch", "deadline_at")

    def __init__(self, watch: Watch, idle_s: float, exchange: Exchange | None) -> None:
        self._watch = watch
        self._exchange = exchange
        self._idle_s = idle_s
        self._ends: list[TunnelEnd] = []
        self.deadline_at = watch.now() + idle_s

    def join(self, client: asyncio.Transport, upstream: asyncio.Transport) -> None:
        """From now on bytes of either transport go to the other; their protocols are still told of the end."""
        first, second = TunnelEnd(self, client, upstream), TunnelEnd(self, upstream, client)
        self._ends = [first, second]
        self._watch.add(self)
        for end in self._ends:
            end.begin()

    def moved(self, end: "TunnelEnd", size: int) -> None:
        """`size` bytes have come from this end."""
        self.deadline_at = self._watch.now() + self._idle_s
        if self._exchange is None:
            return
        if end is self._ends[0]:
            self._exchange.bytes_in += size
        else:
            self._exchange.bytes_out += size

    def ended(self) -> None:
        """One side is gone."""
        self._watch.discard(self)

    def expire(self) -> None:
        """No byte has moved for the idle time."""
        for end in self._ends:
            end.close()


class TunnelEnd(asyncio.Protocol):
    """One end: what is read from it is written to the other."""

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
        """Close this side when what was written to it has left."""
        self._from.close()

    def data_received(self, data: bytes) -> None:
        self._tunnel.moved(self, len(data))
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
