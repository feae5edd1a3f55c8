"""The head of a shard's reply as a value."""

from shardgate.core.http import ReplyHead, with_body
from shardgate.core.wire.forwarding import relayed_whole
from shardgate.core.wire.reply_head import ReplyHeadParser

HEAD = (
    b"HTTP/1.1 200 OK\r\nX-Tag: a\r\nContent-Encoding: gzip\r\nContent-Type: text/event-stream\r\nContent-Length: 3\r\n"
)


def test_a_head_with_another_length_says_all_else_alike() -> None:
    head = read(HEAD)
    other = head.with_length(4)
    assert (other.content_length, head.content_length) == (4, 3)
    assert said(other) == said(head)
    assert (other.fields, other.lines) == (head.fields, head.lines)


def test_a_head_with_other_fields_is_written_and_named_by_these() -> None:
    head = read(HEAD)
    assert b"X-Tag" in relayed_whole(head, 3)
    assert with_body(head, b"abc").field(b"x-tag") == b"a"
    other = head.with_fields([(b"x-own", b"b", b"X-Own: b\r\n")], b"Fine")
    assert relayed_whole(other, 3) == b"HTTP/1.1 200 Fine\r\nX-Own: b\r\nContent-Length: 3\r\n\r\n"
    assert with_body(other, b"abc").fields == [(b"X-Own", b"b")]
    assert said(other) == said(head)


def test_a_head_with_other_lines_keeps_its_fields() -> None:
    head = read(HEAD)
    assert relayed_whole(head.with_lines(b"A: b\r\n"), 3) == b"HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 3\r\n\r\n"
    assert head.with_lines(b"A: b\r\n").fields == head.fields


def said(head: ReplyHead) -> tuple[object, ...]:
    framing = (head.status, head.chunked, head.keep_alive, head.upgrade)
    return (*framing, head.is_packed, head.is_event_stream, head.names_shard)


def read(head: bytes) -> ReplyHead:
    return ReplyHeadParser().parse(head)
