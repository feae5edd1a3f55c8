"""A port that is given to a server which starts later is that server's alone.

The tutorial once chose free ports and closed them. Beside other tests, one of its shards could not listen: another
program's monolith had got the port meanwhile, and the gateway merged that monolith's list.
"""

import socket

import pytest

from tools.ports import LOOPBACK, reserved_port


def test_a_server_that_reuses_addresses_listens_on_a_reserved_port() -> None:
    port = reserved_port()
    with socket.create_server((LOOPBACK, port)), socket.create_connection((LOOPBACK, port)):
        pass
    with socket.create_server((LOOPBACK, port)):  # and again, when that server has ended
        pass


def test_nobody_answers_on_a_reserved_port_before_its_server_does() -> None:
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((LOOPBACK, reserved_port()))


def test_a_reserved_port_is_in_use_for_whoever_did_not_ask_for_it() -> None:
    port = reserved_port()
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind((LOOPBACK, port))  # as the kernel asks before it gives a port to anybody
