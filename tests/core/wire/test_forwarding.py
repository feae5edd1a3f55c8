"""Heads written anew read back as what was meant, and as nothing more."""

import pytest

from shardgate.core.http import Reply
from shardgate.core.wire.forwarding import (
    body_framing,
    hop_lines,
    relayed_head,
    relayed_whole,
    request_head,
    whole_reply,
)
from shardgate.core.wire.reply_head import ReplyHeadParser
from shardgate.core.wire.request_head import RequestHeadParser


def test_a_forwarded_request_reads_back_as_the_same_request() -> None:
    sent = b"POST /a?b=c HTTP/1.1\r\nHost: h:1\r\nX-Mine:  1 \r\nContent-Length: 5\r\nConnection: close\r\n"
    request = RequestHeadParser().parse(sent)
    fields = request.fields
    request.body = b"12345"
    framing = body_framing(request)
    hop = hop_lines("1.2.3.4", "http")
    written = request_head(request.sent_method, request.target, fields.host, fields.end_to_end, hop, b"id-1", framing)
    assert written.endswith(b"\r\n\r\n")
    again = RequestHeadParser().parse(written[:-2])
    assert (again.method, again.target, again.fields.host) == ("POST", b"/a?b=c", b"h:1")
    assert again.fields.content_length == 5
    assert again.fields.keep_alive
    assert again.fields.values[b"x-mine"] == b"1"
    assert again.fields.values[b"x-forwarded-for"] == b"1.2.3.4"
    assert again.fields.values[b"via"] == b"1.1 shardgate"
    assert again.fields.request_id == b"id-1"
    assert not again.fields.repeated


def test_a_request_without_a_body_states_no_length() -> None:
    written = request_head(b"GET", b"/", b"h", b"", b"", b"i", b"")
    assert written == b"GET / HTTP/1.1\r\nHost: h\r\nX-Request-Id: i\r\n\r\n"


def test_a_relayed_reply_keeps_its_reason_and_fields_and_has_our_framing() -> None:
    head = ReplyHeadParser().parse(b"HTTP/1.0 299 So so\r\nX:  y\r\nContent-Length: 3\r\nKeep-Alive: 1\r\n")
    assert relayed_head(head, b"Content-Length: 3\r\n") == b"HTTP/1.1 299 So so\r\nX: y\r\nContent-Length: 3\r\n\r\n"
    assert relayed_head(ReplyHeadParser().parse(b"HTTP/1.1 200\r\n"), b"") == b"HTTP/1.1 200 \r\n\r\n"


def test_a_head_that_was_written_before_is_written_alike_and_one_made_of_it_is_not() -> None:
    head = ReplyHeadParser().parse(b"HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 3\r\n")
    first = relayed_whole(head, 3)
    assert first == relayed_head(head, b"Content-Length: 3\r\n")
    assert relayed_whole(head, 3) is first
    longer = head.with_length(4)
    assert relayed_whole(longer, 4) == b"HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 4\r\n\r\n"
    other = head.with_fields([(b"z", b"1", b"Z: 1\r\n")])
    assert relayed_whole(other, 3) == b"HTTP/1.1 200 OK\r\nZ: 1\r\nContent-Length: 3\r\n\r\n"
    assert relayed_whole(head, 3) == first


@pytest.mark.parametrize(
    ("status", "with_body", "closes", "written"),
    [
        (200, True, False, b"HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 2\r\n\r\nhi"),
        (200, False, False, b"HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 2\r\n\r\n"),
        (200, True, True, b"HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi"),
        (204, True, False, b"HTTP/1.1 204 No Content\r\nX: y\r\n\r\n"),
        (304, True, False, b"HTTP/1.1 304 Not Modified\r\nX: y\r\n\r\n"),
        (299, True, False, b"HTTP/1.1 299 \r\nX: y\r\nContent-Length: 2\r\n\r\nhi"),
    ],
)
def test_a_whole_reply_in_bytes(status: int, with_body: bool, closes: bool, written: bytes) -> None:
    assert whole_reply(Reply(status, [(b"X", b"y")], b"hi"), with_body=with_body, closes=closes) == written
