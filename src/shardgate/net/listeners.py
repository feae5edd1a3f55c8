"""Listening sockets that outlive the workers that accept from them.

Holds: a connection that the kernel has accepted waits in the queue of its listening socket until a process takes it.
The kernel resets what still waits when the last copy of the socket is closed. So the supervisor keeps a copy of each
socket: a worker's successor accepts from the socket that the worker accepted from. A socket that is given up takes no
new connections first (`take_no_more`), and is closed when nothing waits in its queue (`waiting`).
"""

import array
import socket
import struct
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress

# linux/filter.h: a socket's filter is a program; the program sees a packet from its TCP header on.
_SO_ATTACH_FILTER = 26
_NO_SYN = (
    (0x30, 0, 0, 13),  # load the byte with the flags
    (0x54, 0, 0, 0x12),  # keep SYN and ACK of them
    (0x15, 0, 1, 0x02),  # SYN alone:
    (0x06, 0, 0, 0),  # drop the packet
    (0x06, 0, 0, 0xFFFF_FFFF),  # anything else: take the packet whole
)
# linux/tcp.h: in `tcp_info` of a listening socket, tcpi_unacked is the length of its queue.
_QUEUE_AT = 24


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


def take_no_more(listening: socket.socket) -> None:
    """Drop the first packet of new connections; those that the kernel has begun to accept still reach the queue.

    A client whose packet was dropped sends it again after a second. By then the socket is closed: the client is
    refused, or another process that listens on the port takes it. Nothing happens where the system has no such filter.
    """
    if sys.platform != "linux":
        return
    code = array.array("B", b"".join(struct.pack("HBBI", *step) for step in _NO_SYN))
    program = struct.pack("HP", len(_NO_SYN), code.buffer_info()[0])
    with suppress(OSError):
        listening.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)


def waiting(listening: socket.socket) -> int:
    """How many connections wait in the queue to be accepted; 0 where the system does not tell."""
    if sys.platform != "linux":
        return 0
    info = listening.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _QUEUE_AT + 4)
    count: int = struct.unpack_from("I", info, _QUEUE_AT)[0]
    return count


class Listeners:
    """The sockets of one address, one for each worker. They are bound here; a worker begins to listen on them."""

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
        """Have at least `count` sockets. Raises OSError."""
        while len(self.sockets) < count:
            self.sockets.append(listen(self.address[0], self.port))

    def give_up(self, kept: int) -> list[socket.socket]:
        """Keep the first `kept` sockets and return the others; the caller closes them."""
        given = self.sockets[kept:]
        del self.sockets[kept:]
        return given

    def of(self, index: int, count: int) -> Sequence[socket.socket]:
        """The sockets of worker `index` of `count`: more than one where there were more workers before."""
        return self.sockets[index::count]

    def close(self) -> None:
        """Close the supervisor's copies; a worker that accepts from a socket keeps its own."""
        close_all(self.sockets)


def close_all(sockets: Iterable[socket.socket]) -> None:
    """Close each."""
    for each in sockets:
        each.close()
