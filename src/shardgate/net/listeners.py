"""Listening sockets that outlive those who accept from them.

Holds: a connection that the kernel has taken waits in the queue of its socket. To close the socket would reset it, so
the supervisor holds them all, and a worker's successor accepts from the socket that the worker accepted from.
"""

import socket
from collections.abc import Iterable, Sequence


def listen(host: str, port: int, *, shared: bool = True) -> socket.socket:
    """A bound socket; `shared`: with others on its port, among which the kernel spreads clients. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listening.bind((host, port))
    except OSError:
        listening.close()
        raise
    return listening


class Listeners:
    """The sockets of one address, one a worker. Bound, not yet listening: they hold the port and take no client."""

    __slots__ = ("address", "sockets")

    def __init__(self, host: str, port: int, *, shared: bool = True) -> None:
        """Take the address; port 0 is any free one. Raises OSError."""
        self.address = (host, port)
        self.sockets = [listen(host, port, shared=shared)]

    @property
    def port(self) -> int:
        """The port, also where any was asked for."""
        port: int = self.sockets[0].getsockname()[1]
        return port

    def ensure(self, count: int) -> None:
        """Have at least so many. Raises OSError."""
        while len(self.sockets) < count:
            self.sockets.append(listen(self.address[0], self.port))

    def keep(self, count: int) -> None:
        """Give up all but the first so many, which nobody accepts from."""
        close_all(self.sockets[count:])
        del self.sockets[count:]

    def of(self, index: int, count: int) -> Sequence[socket.socket]:
        """What the worker of this number, of so many, accepts from; more than one where there were more workers."""
        return self.sockets[index::count]

    def close(self) -> None:
        """Let go of them; who accepts from one still holds it."""
        close_all(self.sockets)


def close_all(sockets: Iterable[socket.socket]) -> None:
    """Close each."""
    for each in sockets:
        each.close()
