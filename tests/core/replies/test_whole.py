"""The whole reply of a shard."""

from shardgate.core.replies.whole import whole_of
from shardgate.core.wire.coding import packed_head
from shardgate.core.wire.reply_head import ReplyHeadParser


def test_a_whole_reply_has_the_fields_as_the_shard_wrote_them_whatever_was_made_with_its_head_before() -> None:
    parser = ReplyHeadParser()
    first = whole_of(parser.parse(b"HTTP/1.1 200 OK\r\nX-Tag: a\r\nContent-Length: 1\r\n"), b"1")
    first.fields.append((b"X-Ours", b"b"))
    second = whole_of(parser.parse(b"HTTP/1.1 200 OK\r\nX-Tag: a\r\nContent-Length: 2\r\n"), b"22")
    assert second.fields == [(b"X-Tag", b"a")]
    packed = packed_head(parser.parse(b"HTTP/1.1 200 OK\r\nX-Tag: a\r\nContent-Length: 1\r\n"), is_packed=True)
    assert (b"Content-Encoding", b"gzip") in whole_of(packed, b"").fields
