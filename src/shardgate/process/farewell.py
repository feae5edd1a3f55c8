"""Sockets that are given up: they take no new connections, and are closed when their queues are empty.

Holds: a client whose connection the kernel has accepted is answered, not reset, as long as a worker accepts from its
socket. A client that comes later is refused at once, or taken by another process that listens on the same port.
"""

import socket
from collections.abc import Iterable
from contextlib import suppress

import msgspec

from shardgate.net.listeners import close_all, take_no_more, waiting
from shardgate.process.generation import Generation

# Longer than a round trip in a data centre: a connection whose first packet was answered reaches the queue meanwhile.
ROUND_TRIP_S = 0.1
# A worker that has not emptied its queue by then hangs.
PATIENCE_S = 1.0
POLL_S = 0.01


class Farewell(msgspec.Struct):
    """The workers of some generations are to end, once nothing waits for them."""

    generations: list[Generation]
    sockets: list[socket.socket]
    """Those that no other worker accepts from."""
    began_at: float

    def is_over(self, instant: float) -> bool:
        """Nothing waits in the queues, or it has waited long enough."""
        if not self.sockets:
            return True
        passed_s = instant - self.began_at
        return passed_s > PATIENCE_S or (passed_s > ROUND_TRIP_S and not any(map(waiting, self.sockets)))

    def close(self) -> None:
        """Give the sockets up, for all who hold a copy: a worker that hangs must not keep the port open.

        Where clients still wait, all workers hang: they are let go.
        """
        for each in self.sockets:
            with suppress(OSError):  # where no worker came to listen on it
                each.shutdown(socket.SHUT_RDWR)
        close_all(self.sockets)


def begin(generations: Iterable[Generation], sockets: Iterable[socket.socket], instant: float) -> Farewell:
    """From now on these sockets take no new connections."""
    farewell = Farewell([*generations], [*sockets], instant)
    for each in farewell.sockets:
        take_no_more(each)
    return farewell
