"""A worker beats, accepts for a silent one until that beats again, and for nobody once it drains."""

import asyncio
import socket
from collections.abc import Iterator

import pytest

from shardgate.core.failures.pulse import HEIR_S
from shardgate.net.clock import now
from shardgate.net.listeners import listen
from shardgate.process.generation import Entrance
from shardgate.process.heartbeat import Heartbeat
from shardgate.process.pulses import Pulses
from tests.waiting import one_turn, until


class World:
    """Worker 0 of two; the test beats for the other, whose socket is in its hands."""

    def __init__(self) -> None:
        self.sockets = [listen("127.0.0.1", 0) for _ in range(2)]
        for each in self.sockets:
            each.listen()
        self.pulses = Pulses(2)
        self.accepted = 0
        peers = [[each] for each in self.sockets]
        self.heartbeat = Heartbeat(Entrance(peers[0], None, 0, peers, self.pulses), self.serve)

    async def serve(self, listening: socket.socket) -> asyncio.AbstractServer:
        def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.accepted += 1
            writer.close()

        return await asyncio.start_server(accept, sock=listening)

    async def connect(self) -> None:
        _, writer = await asyncio.open_connection(*self.sockets[1].getsockname())
        writer.close()


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    yield world
    for each in world.sockets:
        each.close()


async def test_the_clients_of_a_silent_worker_are_accepted_until_it_beats_again(world: World) -> None:
    world.pulses.beat(1, now())
    world.heartbeat.expire()
    assert world.pulses.beats()[0] > 0
    await world.connect()
    await one_turn()
    assert world.accepted == 0
    world.pulses.beat(1, now() - HEIR_S)
    world.heartbeat.expire()
    await until(lambda: world.accepted == 1)  # also the one that waited
    await world.connect()
    await until(lambda: world.accepted == 2)
    world.pulses.beat(1, now())
    world.heartbeat.expire()
    await one_turn()
    await world.connect()
    await one_turn()
    assert world.accepted == 2


async def test_a_worker_that_drains_accepts_for_nobody(world: World) -> None:
    world.pulses.beat(1, now() - HEIR_S)
    world.heartbeat.expire()
    await world.connect()
    await until(lambda: world.accepted == 1)
    world.heartbeat.accept_no_more()
    world.heartbeat.expire()
    await one_turn()
    assert all(each.fileno() == -1 for each in world.sockets)
