"""An event loop whose connections are memory: the whole gateway runs on it, without the kernel's part of the price.

Holds: a write to a shard is answered when the work says so, never by itself, so that each run is the same.
Never: opens a socket.
"""

import asyncio
from collections.abc import Callable
from typing import Any


class MemoryTransport(asyncio.Transport):
    """Keeps what was written, until someone takes it away."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1)})
        self.written = b""
        self._closing = False

    def write(self, data: Any) -> None:
        """Take bytes."""
        self.written += data

    def is_closing(self) -> bool:
        """Whether it was closed."""
        return self._closing

    def close(self) -> None:
        """End; the measured work never comes here."""
        self._closing = True

    abort = close

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """There is always room."""

    def get_write_buffer_size(self) -> int:
        """Nothing ever waits."""
        return 0

    def pause_reading(self) -> None:
        """Nothing comes by itself."""

    def resume_reading(self) -> None:
        """Nothing comes by itself."""


class MemoryLoop(asyncio.SelectorEventLoop):
    """Remembers the protocols of both sides in place of opening sockets. Its time passes when the work says so."""

    def __init__(self) -> None:
        self.now_s = 0.0
        super().__init__()
        self.clients: Callable[[], asyncio.BaseProtocol] | None = None
        self.upstreams: list[tuple[MemoryTransport, asyncio.Protocol]] = []

    def time(self) -> float:
        """Seconds of its own clock: timers are due at the same call in each run."""
        return self.now_s

    async def create_server(self, protocol_factory: Any, *_: Any, **__: Any) -> Any:
        """Someone listens."""
        self.clients = protocol_factory
        return _NoServer()

    async def create_connection(self, protocol_factory: Any, *_: Any, **__: Any) -> Any:
        """A connection to a shard is there at once."""
        transport, protocol = MemoryTransport(), protocol_factory()
        self.upstreams.append((transport, protocol))
        protocol.connection_made(transport)
        return transport, protocol

    def run_ready(self) -> None:
        """Run what is ready now."""
        self.call_soon(self.stop)
        self.run_forever()


class _NoServer:
    def close(self) -> None:
        """There is nothing to close."""
