"""Two connections that have left HTTP: bytes pass, back-pressure passes, and ends pass."""

from typing import Any

import pytest

from shardgate.core.exchange import Exchange
from shardgate.net.client.tunnel import Tunnel
from shardgate.net.watch import Watch
from tests.net.screenplay import CLOSED, READS_AGAIN, STOPS_READING, Clock, Transport


class Before:
    """The protocol that a transport had: it still learns of the end."""

    def __init__(self) -> None:
        self.lost = False

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True


class End(Transport):
    """One side."""

    def __init__(self) -> None:
        self.log: list[Any] = []
        super().__init__(self.log)
        self.before = Before()
        self.protocol: Any = self.before

    def get_protocol(self) -> Any:
        return self.protocol

    def set_protocol(self, protocol: Any) -> None:
        self.protocol = protocol


class Joined:
    """A client and a shard, joined."""

    def __init__(self, idle_s: float = 300) -> None:
        self.clock = Clock()
        self.watch = Watch(self.clock)
        self.client, self.shard = End(), End()
        self.exchange = Exchange(None, b"id", "192.0.2.1", 0.0)
        Tunnel(self.watch, idle_s, self.exchange).join(self.client, self.shard)
        assert self.client.log == self.shard.log == [READS_AGAIN]
        self.client.log.clear()
        self.shard.log.clear()

    def passes(self, seconds: float) -> None:
        self.clock.at += seconds
        self.watch.look()


def test_bytes_pass_both_ways_and_are_counted() -> None:
    joined = Joined()
    joined.client.protocol.data_received(b"up!")
    joined.shard.protocol.data_received(b"down")
    assert (joined.shard.log, joined.client.log) == ([b"up!"], [b"down"])
    assert (joined.exchange.bytes_in, joined.exchange.bytes_out) == (3, 4)


@pytest.mark.parametrize("slow", ["client", "shard"])
def test_a_side_is_read_no_faster_than_the_other_takes(slow: str) -> None:
    joined = Joined()
    full, other = (joined.client, joined.shard) if slow == "client" else (joined.shard, joined.client)
    full.protocol.pause_writing()
    assert other.log == [STOPS_READING]
    full.protocol.resume_writing()
    assert other.log == [STOPS_READING, READS_AGAIN]


@pytest.mark.parametrize("gone", ["client", "shard"])
def test_the_end_of_one_side_ends_the_other_and_is_told_to_its_protocol(gone: str) -> None:
    joined = Joined()
    ended, other = (joined.client, joined.shard) if gone == "client" else (joined.shard, joined.client)
    ended.protocol.connection_lost(None)
    assert other.log == [CLOSED]
    assert ended.before.lost
    assert not other.before.lost


def test_a_tunnel_in_which_nothing_moves_is_closed() -> None:
    joined = Joined(idle_s=300)
    joined.passes(299)
    joined.client.protocol.data_received(b"x")
    joined.passes(299)
    assert joined.client.log == []
    joined.passes(2)
    assert joined.client.log == [CLOSED]
    assert joined.shard.log == [b"x", CLOSED]
