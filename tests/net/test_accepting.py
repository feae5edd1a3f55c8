"""New connections do not wait for one turn of the loop each."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import pytest
import uvloop

from shardgate.net.accepting import Accepting
from tests.waiting import one_turn, until

LOOPS = [asyncio.new_event_loop, uvloop.new_event_loop]


class Connected(asyncio.Protocol):
    def __init__(self, made: list[Any]) -> None:
        self.made = made

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.made.append(transport)

    def data_received(self, data: bytes) -> None:
        self.made[0].write(data)


def connecting(port: int) -> socket.socket:
    client = socket.socket()
    client.settimeout(0)
    client.connect_ex(("127.0.0.1", port))
    return client


@pytest.mark.parametrize("new_loop", LOOPS)
def test_a_queue_of_connections_is_taken_in_a_few_turns(new_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    # Found: uvloop took one connection a turn, so that under load clients waited until they gave up.
    async def run() -> None:
        made: list[Any] = []
        with socket.create_server(("127.0.0.1", 0), backlog=200) as listening:
            clients = [connecting(listening.getsockname()[1]) for _ in range(150)]
            server = await Accepting(listening, lambda: Connected(made), None, None).serve(200)
            for _ in range(20):
                await one_turn()
            assert len(made) == 150
            clients[0].send(b"x")
            await until(lambda: _received(clients[0]) == b"x")
            server.close()
            for each in clients:
                each.close()
            for each in made:
                each.abort()
            await one_turn()

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(run())


def _received(client: socket.socket) -> bytes:
    try:
        return client.recv(10)
    except BlockingIOError:
        return b""


def test_a_connection_that_was_taken_counts_before_its_protocol_knows_of_it() -> None:
    """Found: a worker ended its drain between the two, and a client that had just connected got no reply."""

    async def run() -> None:
        made: list[Any] = []
        taken: list[Connected] = []
        unseen_turns = 0

        def take() -> Connected:
            taken.append(Connected(made))
            return taken[-1]

        with socket.create_server(("127.0.0.1", 0), backlog=200) as listening:
            accepting = Accepting(listening, take, None, None)
            server = await accepting.serve(200)
            clients = [connecting(listening.getsockname()[1]) for _ in range(50)]
            while len(made) < len(clients):
                await one_turn()
                is_unseen = len(taken) > len(made) or 0 < len(made) < len(clients)
                assert accepting.opens or not is_unseen
                unseen_turns += is_unseen
            await until(lambda: not accepting.opens)
            assert unseen_turns > 0
            server.close()
            for each in clients:
                each.close()
            for each in made:
                each.abort()
            await one_turn()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())


@pytest.mark.parametrize("new_loop", LOOPS)
def test_a_server_that_is_closed_takes_no_more(new_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    async def run() -> None:
        made: list[Any] = []
        with socket.create_server(("127.0.0.1", 0), backlog=200) as listening:
            port = listening.getsockname()[1]
            server = await Accepting(listening, lambda: Connected(made), None, None).serve(200)
            client = connecting(port)
            await until(lambda: len(made) == 1)
            server.close()
            await one_turn()
            other = connecting(port)
            for _ in range(5):
                await one_turn()
            assert len(made) == 1
            for each in (client, other):
                each.close()
            made[0].abort()
            await one_turn()

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(run())
