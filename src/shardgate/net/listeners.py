"""Listening sockets that outlive the workers that accept from them.

Holds: a connection that the kernel has accepted waits in the queue of its listening socket until a process takes it.
The kernel resets what still waits when the last copy of the socket is closed. So the supervisor keeps a copy of each
socket: a worker's successor accepts from the socket that the worker accepted from. A socket that is given up takes no
new connections first (`take_no_more`), and is closed when nothing waits in its queue (`waiting`). A socket that the
system's service manager has opened (`passed_sockets`) is never given up: what waits in its queue is for the process
that the manager starts next.
"""

import array
import os
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
# sd_listen_fds(3): where the sockets begin that a service manager passes.
_FIRST_PASSED = 3
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


def passed_sockets() -> list[socket.socket]:
    """The sockets that a service manager has opened for this process (sd_listen_fds(3)); to be called once."""
    wanted, count = os.environ.pop("LISTEN_PID", ""), os.environ.pop("LISTEN_FDS", "")
    os.environ.pop("LISTEN_FDNAMES", None)
    if wanted != str(os.getpid()) or not count.isdecimal():
        return []
    passed = [socket.socket(fileno=number) for number in range(_FIRST_PASSED, _FIRST_PASSED + int(count))]
    for each in passed:
        each.set_inheritable(False)
    return [each for each in passed if each.family in {socket.AF_INET, socket.AF_INET6}]


class Listeners:
    """The sockets of one address, one for each worker. They are bound here; a worker begins to listen on them."""

    __slots__ = ("address", "is_passed", "sockets")

    def __init__(
        self,
        host: str,
        port: int,
        *,
        shared: bool = True,
        passed: Iterable[socket.socket] = (),
        inherited: Iterable[socket.socket] = (),
    ) -> None:
        """Take the address; port 0 is any free one. Raises OSError.

        `passed`: sockets that a service manager has opened; those of this address are taken in place of new ones.
        `inherited`: the same, of the gateway that this one follows.
        """
        self.address = (host, port)
        mine = [each for each in passed if each.getsockname()[:2] == self.address]
        self.is_passed = bool(mine)
        mine = mine or [each for each in inherited if each.getsockname()[:2] == self.address]
        """A service manager has opened them: their number is fixed, and they stay open when this process ends."""
        self.sockets = mine or [listen(host, port, shared=shared)]

    @property
    def port(self) -> int:
        """The port, also where any was asked for."""
        port: int = self.sockets[0].getsockname()[1]
        return port

    def ensure(self, count: int) -> None:
        """Have at least `count` sockets. Raises OSError."""
        while len(self.sockets) < count and not self.is_passed:
            self.sockets.append(listen(self.address[0], self.port))

    def give_up(self, kept: int) -> list[socket.socket]:
        """Keep the first `kept` sockets and return the others; the caller closes them. What was passed is kept."""
        if self.is_passed:
            return []
        given = self.sockets[kept:]
        del self.sockets[kept:]
        return given

    def given_up(self) -> list[socket.socket]:
        """The sockets that nobody needs any more, at the end or where the address is left. What was passed stays."""
        return [] if self.is_passed else self.sockets

    def of(self, index: int, count: int) -> Sequence[socket.socket]:
        """The sockets of worker `index` of `count`: more than one where there were more workers before.

        Where a service manager has passed fewer, workers share one.
        """
        return self.sockets[index::count] or [self.sockets[index % len(self.sockets)]]

    def close(self) -> None:
        """Close the supervisor's copies; a worker that accepts from a socket keeps its own."""
        close_all(self.sockets)


def close_all(sockets: Iterable[socket.socket]) -> None:
    """Close each."""
    for each in sockets:
        each.close()
