"""A request as a value, and the head of a reply."""

from shardgate.core.http import ReplyHead, Request, RequestFields
from shardgate.core.replies.whole import whole_of
from shardgate.core.wire.forwarding import relayed_whole
from shardgate.core.wire.reply_head import ReplyHeadParser
from shardgate.core.wire.request_head import RequestHeadParser
from tests.core.members import members

HEAD = b"POST /a?secret=1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nAuthorization: Bearer abc\r\n"


def test_a_request_that_asks_something_else_keeps_body_and_claims() -> None:
    request = read(HEAD)
    request.body, request.claims, request.binding = b"abc", {"sub": "1"}, frozenset({"sub"})
    other = request.asking(query="x=2", target=b"/a?x=2")
    assert (other.query, other.target, other.path) == ("x=2", b"/a?x=2", "/a")
    assert (other.body, other.claims, other.binding) == (b"abc", {"sub": "1"}, frozenset({"sub"}))
    assert (request.query, request.target) == ("secret=1", b"/a?secret=1")


def test_the_length_of_a_body_is_known_unless_it_arrives_in_chunks() -> None:
    request = read(HEAD)
    request.arriving = True
    assert request.length == 3
    request.arriving, request.body = False, b"abc"
    assert request.length == 3
    chunked = read(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n")
    chunked.arriving = True
    assert chunked.length is None
    assert read(b"GET / HTTP/1.1\r\nHost: a\r\n").length is None


def test_a_copied_header_section_says_the_same_and_is_changed_alone() -> None:
    head = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close, te, upgrade\r\nTE: trailers\r\nUpgrade: websocket\r\n"
    first = read(
        head + b"X-HTTP-Method: PUT\r\nX-Request-Id: 1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n"
    ).fields
    first.packed_tags = frozenset({b'"a"'})
    other = first.copy()
    assert members(other) == members(first)
    other.end_to_end = b""
    assert first.end_to_end


def test_a_request_that_a_log_shows_has_no_query_and_no_credentials() -> None:
    request = read(HEAD)
    assert repr(request) == "Request(POST /a)"
    assert "abc" not in repr(request.fields)
    assert isinstance(request.fields, RequestFields)


def read(head: bytes) -> Request:
    return RequestHeadParser().parse(head)


REPLY = (
    b"HTTP/1.1 200 OK\r\nX-Tag: a\r\nContent-Encoding: gzip\r\nContent-Type: text/event-stream\r\nContent-Length: 3\r\n"
)


def test_a_head_with_another_length_says_all_else_alike() -> None:
    head = read_reply(REPLY)
    other = head.with_length(4)
    assert (other.content_length, head.content_length) == (4, 3)
    assert said(other) == said(head)
    assert (other.fields, other.lines) == (head.fields, head.lines)


def test_a_head_with_other_fields_is_written_and_named_by_these() -> None:
    head = read_reply(REPLY)
    assert b"X-Tag" in relayed_whole(head, 3)
    assert whole_of(head, b"abc").field(b"x-tag") == b"a"
    other = head.with_fields([(b"x-own", b"b", b"X-Own: b\r\n")], b"Fine")
    assert relayed_whole(other, 3) == b"HTTP/1.1 200 Fine\r\nX-Own: b\r\nContent-Length: 3\r\n\r\n"
    assert whole_of(other, b"abc").fields == [(b"X-Own", b"b")]
    assert said(other) == said(head)


def test_a_head_with_other_lines_keeps_its_fields() -> None:
    head = read_reply(REPLY)
    assert relayed_whole(head.with_lines(b"A: b\r\n"), 3) == b"HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 3\r\n\r\n"
    assert head.with_lines(b"A: b\r\n").fields == head.fields


def said(head: ReplyHead) -> tuple[object, ...]:
    framing = (head.status, head.chunked, head.keep_alive, head.upgrade)
    return (*framing, head.is_packed, head.is_event_stream, head.names_shard)


def read_reply(head: bytes) -> ReplyHead:
    return ReplyHeadParser().parse(head)
