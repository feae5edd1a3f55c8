"""One configuration and the sockets that its workers accept from.

Holds: a configuration whose addresses cannot all be taken takes none; an address that the configuration before has
already is taken over with its sockets, so that no client waits in a queue that nobody accepts from.
"""

import os
import socket
from collections.abc import Iterator, Sequence

import msgspec

from shardgate.config.load import Loaded
from shardgate.net.listeners import Listeners
from shardgate.net.upstream.own_changes import OwnChanges
from shardgate.observe.layout import Layout
from shardgate.process.pulses import Pulses


class Entrance(msgspec.Struct, frozen=True):
    """The sockets that one worker accepts from."""

    clients: Sequence[socket.socket]
    admin: socket.socket | None = None
    index: int = 0
    """Which of the workers it is."""
    peers: Sequence[Sequence[socket.socket]] = ()
    """The sockets of all workers, for those that are silent."""
    pulses: Pulses | None = None
    """Where workers give their sign of life; None: nobody looks."""


class Generation(msgspec.Struct):
    """One configuration, from when its workers are started until they have ended."""

    loaded: Loaded
    layout: Layout
    clients: Listeners
    admin: Listeners | None
    workers: int
    sockets: int
    """How many of the clients' sockets its workers accept from."""
    pulses: Pulses
    """The signs of life of its workers."""
    own_changes: OwnChanges = msgspec.field(default_factory=OwnChanges)
    started_at: float = 0.0

    def entrance(self, index: int) -> Entrance:
        """The sockets of one of its workers."""
        admin = self.admin.sockets[0] if self.admin is not None else None
        peers = [self.clients.of(other, self.workers) for other in range(self.workers)]
        return Entrance(peers[index], admin, index, peers, self.pulses)

    def listening(self) -> Iterator[socket.socket]:
        """All of its sockets."""
        yield from self.clients.sockets
        if self.admin is not None:
            yield from self.admin.sockets


def prepare(
    loaded: Loaded,
    layout: Layout,
    before: Generation | None,
    passed: Sequence[socket.socket] = (),
    inherited: Sequence[socket.socket] = (),
) -> Generation:
    """Take the addresses that a configuration needs. Raises OSError where one cannot be taken.

    `passed`: sockets that a service manager has opened for this process. `inherited`: those of the gateway that this
    one follows.
    """
    clients = before.clients if before and before.clients.address == (loaded.host, loaded.port) else None
    admin = before.admin if before and before.admin and before.admin.address == loaded.admin else None
    new: list[Listeners] = []
    try:
        if clients is None:
            new.append(clients := Listeners(loaded.host, loaded.port, passed=passed, inherited=inherited))
        workers = workers_of(loaded)
        clients.ensure(workers)
        if admin is None and loaded.admin is not None:
            new.append(admin := Listeners(*loaded.admin, shared=False, passed=passed, inherited=inherited))
    except OSError:
        for each in new:
            each.close()
        raise
    return Generation(loaded, layout, clients, admin, workers, len(clients.sockets), Pulses(workers))


def workers_of(loaded: Loaded) -> int:
    """How many workers a configuration asks for."""
    return loaded.config.workers or len(os.sched_getaffinity(0))
