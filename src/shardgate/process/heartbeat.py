"""A worker's sign of life at each tick; and the clients of a worker that gives none, which its heir accepts.

Holds: a client whose connection the kernel gave to a silent worker's queue is accepted by another after a moment,
whether the worker hangs, was stopped, is dead or cannot start. When the worker beats again, it has its queue alone.
"""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable

from shardgate.core.failures.pulse import inherited
from shardgate.net import tasks
from shardgate.net.clock import now
from shardgate.process.generation import Entrance

Serve = Callable[[socket.socket], Awaitable[asyncio.AbstractServer]]

_log = logging.getLogger("shardgate")


class Heartbeat:
    """Beats at each tick of one worker."""

    __slots__ = ("_entrance", "_has_ended", "_inherited", "_serve", "deadline_at")

    def __init__(self, entrance: Entrance, serve: Serve) -> None:
        """`serve`: accept from a socket; the server closes it."""
        self._entrance = entrance
        self._serve = serve
        self._inherited: dict[int, list[asyncio.AbstractServer]] = {}
        self._has_ended = False
        self.deadline_at = 0.0  # always due, so `expire` is called at each tick

    def expire(self) -> None:
        """Beat, and see who is silent."""
        pulses, me, instant = self._entrance.pulses, self._entrance.index, now()
        if pulses is None:
            return
        pulses.beat(me, instant)
        mine = frozenset[int]() if self._has_ended else inherited(pulses.beats(), me, instant)
        for index in mine - self._inherited.keys():
            _log.warning("worker %d of %d is silent; another accepts its clients", index + 1, len(self._entrance.peers))
            self._inherited[index] = []
            tasks.start(self._accept_for(index), "heir")
        for index in self._inherited.keys() - mine:
            _close(self._inherited.pop(index))

    def accept_no_more(self) -> None:
        """The worker drains: it accepts for nobody."""
        self._has_ended = True
        for servers in self._inherited.values():
            _close(servers)
        self._inherited.clear()
        for sockets in self._entrance.peers:
            for each in sockets:
                each.close()

    async def _accept_for(self, index: int) -> None:
        servers = self._inherited[index]
        for each in self._entrance.peers[index]:
            servers.append(await self._serve(each.dup()))
        if self._inherited.get(index) is not servers:
            _close(servers)  # the worker beats again


def _close(servers: list[asyncio.AbstractServer]) -> None:
    for server in servers:
        server.close()
