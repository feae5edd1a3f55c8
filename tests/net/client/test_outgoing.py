"""Replies on their way to one client: how each is framed, and what its head says of the connection."""

from typing import Any

import pytest

from shardgate.core.http import Reply, ReplyHead, Request
from shardgate.core.wire.reply_head import ReplyHeadParser
from shardgate.core.wire.request_head import RequestHeadParser
from shardgate.net.client.outgoing import OutgoingReply
from tests.net.screenplay import Transport


def head(lines: bytes) -> ReplyHead:
    return ReplyHeadParser().parse(lines)


def request(line: bytes = b"GET /any HTTP/1.1", fields: bytes = b"") -> Request:
    return RequestHeadParser().parse(line + b"\r\nHost: a\r\n" + fields)


class Out:
    """A reply, and what was written of it."""

    def __init__(self, asked: Request | None = None, *, keep_alive: bool = True) -> None:
        self.log: list[Any] = []
        self.reply = OutgoingReply(Transport(self.log))
        self.reply.request = asked or request()
        self.reply.keep_alive = keep_alive

    @property
    def written(self) -> bytes:
        return b"".join(self.log)


LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"


def test_the_size_is_that_of_what_was_written() -> None:
    out = Out()
    size = out.reply.begin(head(CHUNKED), b"ab") + out.reply.write(b"cd") + out.reply.finish(b"")
    assert out.written == CHUNKED + b"\r\n2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n"
    assert size == len(out.written)


def test_a_length_is_kept() -> None:
    out = Out()
    out.reply.begin(head(LENGTH), b"ab")
    out.reply.write(b"cd")
    assert out.reply.finish(b"") == 0
    assert out.written == LENGTH + b"\r\nabcd"


def test_a_client_of_1_0_gets_no_chunks_and_no_interim_reply() -> None:
    out = Out(request(b"GET /any HTTP/1.0"))
    out.reply.interim(head(b"HTTP/1.1 103 Early Hints\r\n"))
    out.reply.begin(head(CHUNKED), b"ab")
    out.reply.finish(b"")
    assert out.written == b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nab"
    assert out.reply.ends_by_close
    assert not out.reply.keep_alive


@pytest.mark.parametrize("status", [b"204 No Content\r\nContent-Length: 4", b"304 Not Modified"])
def test_a_reply_that_has_no_body_has_no_framing_of_one(status: bytes) -> None:
    out = Out()
    out.reply.begin(head(b"HTTP/1.1 " + status + b"\r\n"), b"")
    assert b"chunked" not in out.written
    assert b"Content-Length" not in out.written


def test_a_reply_to_head_has_no_framing_of_a_body_whose_length_is_not_known() -> None:
    out = Out(request(b"HEAD /any HTTP/1.1"))
    out.reply.begin(head(CHUNKED), b"")
    assert out.reply.finish(b"") == 0
    assert out.written == b"HTTP/1.1 200 OK\r\n\r\n"


def test_chunks_of_one_reply_do_not_frame_the_next() -> None:
    out = Out()
    out.reply.begin(head(CHUNKED), b"ab")
    out.reply.finish(b"")
    out.log.clear()
    out.reply.begin(head(LENGTH), b"okok")
    assert out.reply.finish(b"") == 0
    assert out.written == LENGTH + b"\r\nokok"


@pytest.mark.parametrize(("asks", "passes"), [(b"TE: trailers\r\nConnection: TE\r\n", True), (b"", False)])
def test_trailers_pass_to_a_client_that_takes_them(asks: bytes, passes: bool) -> None:
    out = Out(request(fields=asks))
    out.reply.begin(head(CHUNKED), b"")
    out.reply.finish(b"Sum: 1\r\n")
    assert out.written.endswith(b"0\r\nSum: 1\r\n\r\n" if passes else b"0\r\n\r\n")


def test_a_head_request_is_answered_without_a_body_and_a_refusal_of_what_is_no_request_with_one() -> None:
    out = Out(request(b"HEAD /any HTTP/1.1"))
    out.reply.send(Reply(200, [], b"ok"))
    assert out.written == b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
    out.reply.request = None
    out.reply.send(Reply(400, [], b"no"))
    assert out.written.endswith(b"\r\n\r\nno")


@pytest.mark.parametrize("whole", [True, False])
def test_the_last_reply_says_so(whole: bool) -> None:
    out = Out(keep_alive=False)
    if whole:
        out.reply.send(Reply(200, [], b"ok"))
    else:
        out.reply.begin(head(LENGTH), b"")
    assert b"\r\nConnection: close\r\n" in out.written


@pytest.mark.parametrize("whole", [True, False])
def test_what_a_client_has_left_is_said_once_and_in_place_of_the_shards_word(whole: bool) -> None:
    out = Out()
    for _ in range(2):
        if whole:
            out.reply.send(Reply(200, [(b"RateLimit", b"shard")], b"ok"))
        else:
            out.reply.begin(head(LENGTH), b"okok")
        out.reply.limits = b""
    out.log.clear()
    out.reply.limits = b"RateLimit: ours\r\n"
    if whole:
        out.reply.send(Reply(200, [(b"RateLimit", b"shard")], b"ok"))
    else:
        out.reply.begin(head(LENGTH + b"RateLimit: shard\r\n"), b"okok")
    assert b"RateLimit: ours\r\n" in out.written
    assert b"shard" not in out.written
    assert out.reply.limits == b""


def test_a_switch_names_the_protocol() -> None:
    out = Out()
    switched = head(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n")
    assert out.reply.switch(switched, b"first") == len(out.written)
    assert out.written.endswith(b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\nfirst")
