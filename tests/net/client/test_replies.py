"""What a handler says becomes bytes, and is noted in the request's record; also for a client that has gone."""

from typing import Any

from shardgate.core.exchange import Exchange
from shardgate.core.http import ReplyHead
from shardgate.core.wire.reply_head import ReplyHeadParser
from tests.net.client.play import Begins, ClientPlay, Finishes, Goes, Handed, Says
from tests.net.screenplay import CLOSED, FULL, LOST, READS_AGAIN, Transport

GET = b"GET /any HTTP/1.1\r\nHost: a\r\n\r\n"
HINTS = b"HTTP/1.1 103 Early Hints\r\n"
WEBSOCKET = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"


def parsed(lines: bytes) -> ReplyHead:
    return ReplyHeadParser().parse(lines)


def asked() -> tuple[ClientPlay, Exchange]:
    """A request that is with the handler, and its record."""
    play = ClientPlay()
    play >> GET
    play << Handed("GET /any")
    exchange = play.protocol.exchange
    play.clock.at += 2
    return play, exchange


def test_a_whole_reply_is_noted() -> None:
    play, exchange = asked()
    play >> Says(b"ok")
    written = play.log[0]
    assert (exchange.status, exchange.bytes_out) == (200, len(written))
    assert exchange.first_byte_at == exchange.ended_at == play.clock.at


def test_a_reply_that_streams_is_noted_piece_by_piece() -> None:
    play, exchange = asked()
    play >> Begins(b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n", b"a")
    begun_at = play.clock.at
    play.clock.at += 5
    play >> Goes(b"b") >> Finishes(b"")
    assert (exchange.status, exchange.bytes_out) == (201, len(play.log[0]))
    assert (exchange.first_byte_at, exchange.ended_at) == (begun_at, play.clock.at)


def test_what_is_said_to_a_client_that_has_gone_is_not_written() -> None:
    play, _ = asked()
    play >> LOST
    play.log.clear()
    for happening in (Begins(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n"), Goes(b"x"), Finishes(b"")):
        play >> happening
    play.protocol.interim(parsed(HINTS))
    play.protocol.abort("shard")
    upstream: list[Any] = []
    play.protocol.switch(parsed(WEBSOCKET), b"", Transport(upstream))
    assert play.log == []
    assert upstream == [CLOSED]


def test_interim_replies_are_not_held_for_a_client_that_does_not_read() -> None:
    play, _ = asked()
    play.protocol.interim(parsed(HINTS))
    assert play.log == [b"HTTP/1.1 103 Early Hints\r\n\r\n"]
    play >> FULL
    play.protocol.interim(parsed(HINTS))
    assert len(play.log) == 1


def test_bytes_that_came_before_the_switch_go_to_the_shard() -> None:
    play, exchange = asked()
    play >> b"ahead"
    upstream: list[Any] = []

    class Upstream(Transport):
        def get_protocol(self) -> Any:
            return play.protocol

        def set_protocol(self, protocol: Any) -> None:
            pass

    play.transport.get_protocol = lambda: play.protocol  # type: ignore[method-assign]
    play.transport.set_protocol = lambda protocol: None  # type: ignore[method-assign]
    play.protocol.switch(parsed(WEBSOCKET), b"first", Upstream(upstream))
    assert play.state == "tunnelled"
    assert play.log[0].endswith(b"\r\n\r\nfirst")
    assert upstream == [b"ahead", READS_AGAIN]
    assert exchange.bytes_in == 5
