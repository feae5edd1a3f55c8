"""Conversations of values: what happens to a connection (`>>`), and what it does then (`<<`), without a socket.

    play >> b"GET /any HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n"
    play << Handed("GET /any")
    play >> Passes(75)
    play << CLOSED

Every action must be expected, in its order; a play that ends before its last action fails.
"""

import asyncio
from dataclasses import dataclass
from typing import Any

from shardgate.net.watch import Watch


class Clock:
    """Time that passes only when a test says so."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


@dataclass(frozen=True)
class Action:
    """Something that a connection did to its transport."""

    name: str

    def __repr__(self) -> str:
        return self.name


CLOSED = Action("CLOSED")
ABORTED = Action("ABORTED")
ENDED = Action("ENDED")
"""Its own side of the connection, so that the other reads an end of stream."""
STOPS_READING = Action("STOPS_READING")
READS_AGAIN = Action("READS_AGAIN")


@dataclass(frozen=True)
class Passes:
    """So many seconds pass, and the deadlines are looked at."""

    seconds: float


@dataclass(frozen=True)
class Happening:
    """Something that happens to a transport."""

    name: str


EOF = Happening("EOF")
LOST = Happening("LOST")
RESET = Happening("RESET")
FULL = Happening("FULL")
"""The write buffer is full: the other side does not read."""
EMPTY = Happening("EMPTY")


class Transport(asyncio.Transport):
    """Notes what is done to it."""

    def __init__(self, log: list[Any], *, is_tls: bool = False) -> None:
        super().__init__({"peername": ("192.0.2.1", 1), "socket": Socket(log)})
        self._log = log
        self._is_tls = is_tls
        self._closing = False
        self.unsent = 0
        """How much of what was written has not left."""

    def write(self, data: Any) -> None:
        if self._log and isinstance(self._log[-1], bytes):
            self._log[-1] += bytes(data)
        else:
            self._log.append(bytes(data))

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            self._log.append(CLOSED)

    def abort(self) -> None:
        self._closing = True
        self._log.append(ABORTED)

    def write_eof(self) -> None:
        self._log.append(ENDED)

    def can_write_eof(self) -> bool:
        return not self._is_tls

    def is_closing(self) -> bool:
        return self._closing

    def pause_reading(self) -> None:
        self._log.append(STOPS_READING)

    def resume_reading(self) -> None:
        self._log.append(READS_AGAIN)

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass


class Socket:
    def __init__(self, log: list[Any]) -> None:
        self._log = log

    def setsockopt(self, *_: Any) -> None:
        self._log.append(RESET)


class Play:
    """One conversation with a protocol. A test adds what else may happen to it by deriving."""

    def __init__(self, *, is_tls: bool = False) -> None:
        self.clock = Clock()
        self.watch = Watch(self.clock)
        self.log: list[Any] = []
        self.transport = Transport(self.log, is_tls=is_tls)
        self.protocol: Any = None

    def __rshift__(self, happening: Any) -> "Play":
        if isinstance(happening, bytes):
            self.protocol.data_received(happening)
        elif isinstance(happening, Passes):
            self.clock.at += happening.seconds
            self.watch.look()
        elif happening is EOF:
            if not self.protocol.eof_received():
                self.transport.close()
        elif happening is LOST:
            self.protocol.connection_lost(None)
        elif happening is RESET:
            self.protocol.connection_lost(ConnectionResetError())
        elif happening is FULL:
            self.protocol.pause_writing()
        elif happening is EMPTY:
            self.protocol.resume_writing()
        else:
            self.happens(happening)
        return self

    def happens(self, happening: Any) -> None:
        raise TypeError(f"nobody knows what {happening!r} is")

    def __lshift__(self, expected: Any) -> "Play":
        assert self.log, f"{expected!r} was expected, and nothing was done"
        done = self.log.pop(0)
        assert done == expected, f"{expected!r} was expected, and {done!r} was done; then {self.log!r}"
        return self

    def is_over(self) -> None:
        """Nothing was done that no line of the script expects."""
        assert self.log == []
