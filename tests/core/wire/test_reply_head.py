"""Reply heads in raw bytes: a shard that is not plain is broken, and framing is decided once."""

import pytest

from shardgate.core.errors import BrokenReplyError
from shardgate.core.http import ReplyHead
from shardgate.core.limits import FIELDS_MAX
from shardgate.core.wire.addresses import ShardAddresses
from shardgate.core.wire.reply_head import ReplyHeadParser
from tests.core.members import members


def parse(line: bytes, *lines: bytes) -> ReplyHead:
    return ReplyHeadParser().parse(b"".join(part + b"\r\n" for part in (line, *lines)))


def ok(*lines: bytes) -> ReplyHead:
    return parse(b"HTTP/1.1 200 OK", *lines)


@pytest.mark.parametrize(
    ("line", "status", "reason"),
    [
        (b"HTTP/1.1 200 OK", 200, b"OK"),
        (b"HTTP/1.1 200 ", 200, b""),
        (b"HTTP/1.1 200", 200, b""),
        (b"HTTP/1.0 404 Not Found", 404, b"Not Found"),
        (b"HTTP/1.1 599 M\xe9h", 599, b"M\xe9h"),
        (b"HTTP/1.1 100 Continue", 100, b"Continue"),
    ],
)
def test_a_status_line_is_read(line: bytes, status: int, reason: bytes) -> None:
    head = parse(line)
    assert (head.status, head.reason) == (status, reason)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"HTTP/1.1",
        b"HTTP/1.1 20",
        b"HTTP/1.1 2000 OK",
        b"HTTP/1.1 600 No",
        b"HTTP/1.1 000 No",
        b"HTTP/1.1 2x0 No",
        b"HTTP/1.1  200 OK",
        b"HTTP/2 200 OK",
        b"HTTP/1.2 200 OK",
        b"http/1.1 200 OK",
        b" HTTP/1.1 200 OK",
        b"HTTP/1.1 200 O\x00K",
        b"HTTP/1.1 200 O\rK",
        b"HTTP/1.1 200 O\nX: y",
        b"<html>",
        b"SSH-2.0-OpenSSH_9.2",
    ],
)
def test_a_status_line_that_is_not_plain_is_a_broken_reply(line: bytes) -> None:
    with pytest.raises(BrokenReplyError):
        parse(line)


@pytest.mark.parametrize(
    ("lines", "length", "chunked"),
    [
        ([], None, False),
        ([b"Content-Length: 0"], 0, False),
        ([b"content-length: 12"], 12, False),
        ([b"Transfer-Encoding: chunked"], None, True),
        ([b"Transfer-Encoding: CHUNKED"], None, True),
    ],
)
def test_the_framing_of_a_reply_is_read_and_does_not_cross(
    lines: list[bytes], length: int | None, chunked: bool
) -> None:
    head = ok(*lines)
    assert (head.content_length, head.chunked, head.fields) == (length, chunked, [])


@pytest.mark.parametrize(
    "lines",
    [
        [b"Content-Length: 1", b"Content-Length: 1"],
        [b"Content-Length: 1", b"Content-Length: 2"],
        [b"Content-Length: 1, 1"],
        [b"Content-Length: +1"],
        [b"Content-Length: -1"],
        [b"Content-Length: 1_0"],
        [b"Content-Length: "],
        [b"Content-Length: 1234567890123456789"],
        [b"Content-Length: 1", b"Transfer-Encoding: chunked"],
        [b"Transfer-Encoding: gzip"],
        [b"Transfer-Encoding: gzip, chunked"],
        [b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"],
        [b"Transfer-Encoding: "],
        [b"X : y"],
        [b"X: a\x00b"],
        [b"X: a\nY: b"],
        [b"X: y\r\n folded"],
        [b"no colon"],
        [b"X: y"] * (FIELDS_MAX + 1),
    ],
)
def test_a_reply_that_is_not_plain_is_broken(lines: list[bytes]) -> None:
    with pytest.raises(BrokenReplyError):
        ok(*lines)


def test_a_1_0_reply_has_no_transfer_coding() -> None:
    with pytest.raises(BrokenReplyError):
        parse(b"HTTP/1.0 200 OK", b"Transfer-Encoding: chunked")


@pytest.mark.parametrize(
    ("line", "connection", "keeps"),
    [
        (b"HTTP/1.1 200 OK", b"X: y", True),
        (b"HTTP/1.1 200 OK", b"Connection: close", False),
        (b"HTTP/1.1 200 OK", b"Connection: Keep-Alive, Close", False),
        (b"HTTP/1.0 200 OK", b"X: y", False),
        (b"HTTP/1.0 200 OK", b"Connection: Keep-Alive", True),
        (b"HTTP/1.0 200 OK", b"Connection: close", False),
    ],
)
def test_whether_the_connection_stays_is_read(line: bytes, connection: bytes, keeps: bool) -> None:
    assert parse(line, connection).keep_alive is keeps


def test_hop_by_hop_fields_and_what_connection_names_stay_behind() -> None:
    head = ok(b"X-A: 1", b"Keep-Alive: 5", b"Connection: X-A", b"Upgrade: h2c", b"Trailer: T", b"X-B:  2 ")
    assert [(name, line) for name, _, line in head.fields] == [(b"x-b", b"X-B: 2\r\n")]


def test_repeated_fields_cross_one_by_one_in_their_order() -> None:
    head = ok(b"Set-Cookie: a", b"X: y", b"Set-Cookie: b")
    assert b"".join(line for _, _, line in head.fields) == b"Set-Cookie: a\r\nX: y\r\nSet-Cookie: b\r\n"


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: %b\r\nServer: a\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: %b\r\n",
        b"HTTP/1.0 404 Not Found\r\nX-A: content-length: 7\r\nContent-length: %b\r\nConnection: keep-alive, x-a\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length:  %b\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: %b\r\nContent-Length: 3\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: \r\nContent-Length: %b\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: %b\r\nTransfer-Encoding: chunked\r\n",
    ],
)
def test_heads_that_differ_in_their_length_alone_are_read_as_each_alone_would_be(head: bytes) -> None:
    parser = ReplyHeadParser()
    for number in (b"3", b"12", b"", b"x", b"0007", b"9" * 18, b"1" * 19, b"12"):
        try:
            expected: object = members(ReplyHeadParser().parse(head % number))
        except BrokenReplyError as error:
            expected = error.log
        try:
            found: object = members(parser.parse(head % number))
        except BrokenReplyError as error:
            found = error.log
        assert found == expected


def test_a_head_that_was_read_before_an_address_became_known_is_read_anew() -> None:
    """Found: a reply that named a replica, before and after DNS named it, was passed on with its address."""
    addresses = ShardAddresses([("10.0.0.1", 8080)])
    parser = ReplyHeadParser(addresses)
    head = b"HTTP/1.1 201 Created\r\nLocation: http://10.0.0.9:8080/v1/x\r\nContent-Length: %d\r\n"
    assert not parser.parse(head % 2).names_shard
    addresses.use([("10.0.0.1", 8080), ("10.0.0.9", 8080)])
    parser.renew()
    assert parser.last_read is None
    assert parser.parse(head % 2).names_shard
    assert parser.parse(head % 3).names_shard
    parser.renew()
    assert parser.last_read is not None
