"""Listening sockets: shared addresses, queues, and sockets that take no new connections."""

import socket

import pytest

from shardgate.net.listeners import Listeners, listen, take_no_more, waiting
from tests.waiting import wait_until


@pytest.fixture
def listening() -> object:
    with listen("127.0.0.1", 0) as listening:
        listening.listen()
        yield listening


def connected(listening: socket.socket) -> socket.socket:
    return socket.create_connection(listening.getsockname(), timeout=5)


def test_the_queue_is_counted(listening: socket.socket) -> None:
    clients = [connected(listening) for _ in range(3)]
    assert waiting(listening) == 3
    for left in (2, 1, 0):
        listening.accept()[0].close()
        assert waiting(listening) == left
    for client in clients:
        client.close()


def test_a_socket_that_takes_no_more_still_gives_out_its_queue(listening: socket.socket) -> None:
    with connected(listening) as before:
        take_no_more(listening)
        with socket.socket() as after:
            after.settimeout(0)
            after.connect_ex(listening.getsockname())
            accepted, _ = listening.accept()
            accepted.sendall(b"hello")
            assert before.recv(5) == b"hello"
            accepted.close()
            listening.settimeout(0)
            with pytest.raises(BlockingIOError):
                listening.accept()
            assert waiting(listening) == 0


def test_a_connection_that_was_accepted_from_it_goes_on(listening: socket.socket) -> None:
    take_no_more(listening)
    listening.close()
    with listen("127.0.0.1", 0) as other:
        other.listen()
        client = connected(other)
        take_no_more(other)
        accepted, _ = other.accept()
        for data in (b"one", b"two"):
            client.sendall(data)
            assert accepted.recv(3) == data
        client.close()
        assert accepted.recv(1) == b""
        accepted.close()


def test_two_may_share_an_address_and_a_third_that_does_not_may_not() -> None:
    with listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        first.listen()
        listen("127.0.0.1", port).close()
        with pytest.raises(OSError, match="in use"):
            listen("127.0.0.1", port, shared=False)


def test_while_one_takes_no_more_and_is_closed_the_other_gets_all() -> None:
    with listen("127.0.0.1", 0) as first, listen("127.0.0.1", first.getsockname()[1]) as second:
        first.listen()
        second.listen(64)
        take_no_more(first)
        first.close()
        clients = [connected(second) for _ in range(20)]
        wait_until(lambda: waiting(second) == 20)
        for client in clients:
            client.close()


@pytest.mark.parametrize(("workers", "shares"), [(3, [1, 1, 1]), (2, [2, 1]), (1, [3])])
def test_each_socket_has_one_worker_also_where_there_are_fewer(workers: int, shares: list[int]) -> None:
    listeners = Listeners("127.0.0.1", 0)
    listeners.ensure(3)
    assert {each.getsockname()[1] for each in listeners.sockets} == {listeners.port}
    given = [listeners.of(index, workers) for index in range(workers)]
    assert [len(each) for each in given] == shares
    assert {id(one) for each in given for one in each} == {id(one) for one in listeners.sockets}
    listeners.close()


def test_sockets_that_are_given_up_are_the_last_ones() -> None:
    listeners = Listeners("127.0.0.1", 0)
    listeners.ensure(3)
    first, *others = listeners.sockets
    assert listeners.give_up(1) == others
    assert listeners.sockets == [first]
    for each in (first, *others):
        each.close()
