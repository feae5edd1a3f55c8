"""Accepts what waits in the queue of a listening socket, many connections in one turn of the loop.

uvloop takes one connection from a listening socket in each turn. Where a turn is long, because many requests are under
way, new clients waited in the queue until they gave up, while those that were connected were served.

Holds: after the one that the loop has taken, up to ACCEPTED_AT_ONCE more are taken in the same turn.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable

from shardgate.core.limits import ACCEPTED_AT_ONCE
from shardgate.net import tasks
from shardgate.net.listeners import waiting


class Accepting:
    """One listening socket."""

    __slots__ = ("_handshake_timeout_s", "_is_due", "_listening", "_loop", "_make", "_opening", "_tls")

    def __init__(
        self,
        listening: socket.socket,
        make: Callable[[], asyncio.Protocol],
        tls: ssl.SSLContext | None,
        handshake_timeout_s: float | None,
    ) -> None:
        """`make`: makes the protocol of a connection."""
        self._listening = listening
        self._make = make
        self._tls = tls
        self._handshake_timeout_s = handshake_timeout_s
        self._is_due = False
        self._opening = 0
        self._loop = asyncio.get_running_loop()

    async def serve(self, backlog: int) -> asyncio.Server:
        """Begin to accept; closing the server ends it."""
        self._listening.settimeout(0)
        return await asyncio.get_running_loop().create_server(
            self._made,
            sock=self._listening,
            backlog=backlog,
            ssl=self._tls,
            ssl_handshake_timeout=self._handshake_timeout_s,
        )

    def waiting(self) -> int:
        """How many connections are not accepted yet; 0 once the server is closed."""
        return waiting(self._listening) if self._listening.fileno() >= 0 else 0

    @property
    def opens(self) -> bool:
        """Whether a connection was accepted whose protocol does not know of it yet."""
        return self._is_due or self._opening > 0

    def _made(self) -> asyncio.Protocol:
        """The loop has taken a connection: there may be more."""
        if not self._is_due:
            self._is_due = True
            self._loop.call_soon(self._take)
        return self._make()

    def _take(self) -> None:
        self._is_due = False
        for _ in range(ACCEPTED_AT_ONCE):
            try:
                accepted, _ = self._listening.accept()
            except ConnectionAbortedError:
                continue  # its client has left
            except OSError:
                return  # none is left, or the server was closed; what else is wrong befalls the loop, too
            self._opening += 1
            tasks.start(self._open(accepted), "accept")

    async def _open(self, accepted: socket.socket) -> None:
        accepted.settimeout(0)
        try:
            if accepted.family in {socket.AF_INET, socket.AF_INET6}:
                accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await asyncio.get_running_loop().connect_accepted_socket(
                self._make, accepted, ssl=self._tls, ssl_handshake_timeout=self._handshake_timeout_s
            )
        except OSError:
            accepted.close()  # the client has left, or its handshake has failed
        finally:
            self._opening -= 1
