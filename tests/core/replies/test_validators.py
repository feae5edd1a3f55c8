"""One ETag and one Last-Modified for a merged reply, and the 304 that follows from them."""

from shardgate.core.contracts import Ask
from shardgate.core.http import Reply
from shardgate.core.replies.validators import Validators
from tests.core.requests import request

ASKS = [Ask("north", b"/events"), Ask("south", b"/events")]
MAY, JUNE = b"Fri, 01 May 2026 00:00:00 GMT", b"Mon, 01 Jun 2026 00:00:00 GMT"


def merged(*headers: str, tags: tuple[bytes | None, ...] = (), times: tuple[bytes | None, ...] = ()) -> Reply:
    """A merged reply to a request with these headers, of two shards with these validators."""
    replies: dict[str, Reply] = {}
    for n, ask in enumerate(ASKS):
        tag, time = tags[n] if tags else None, times[n] if times else None
        fields = [(name, value) for name, value in ((b"ETag", tag), (b"Last-Modified", time)) if value is not None]
        replies[ask.shard] = Reply(200, fields)
    validators = Validators()
    validators.add(ASKS, replies)
    return validators.apply(request("GET /events", *headers), Reply(200, [(b"Content-Type", b"x")], b"[]"), "rule")


def test_the_merged_etag_is_weak_and_changes_with_each_shards() -> None:
    one, two = merged(tags=(b'"a"', b'"b"')), merged(tags=(b'"a"', b'"c"'))
    assert (one.field(b"etag") or b"").startswith(b'W/"')
    assert one.field(b"etag") == merged(tags=(b'"a"', b'"b"')).field(b"etag")
    assert one.field(b"etag") != two.field(b"etag")


def test_without_every_shards_etag_there_is_none() -> None:
    assert merged(tags=(b'"a"', None)).field(b"etag") is None
    assert merged(tags=(b'"a"', b"unquoted")).field(b"etag") is None


def test_last_modified_is_the_latest() -> None:
    assert merged(times=(JUNE, MAY)).field(b"last-modified") == JUNE
    assert merged(times=(JUNE, None)).field(b"last-modified") is None
    assert merged(times=(JUNE, b"yesterday")).field(b"last-modified") is None


def test_a_client_that_has_the_reply_is_sent_304() -> None:
    tag = (merged(tags=(b'"a"', b'"b"')).field(b"etag") or b"").decode()
    again = merged(f"If-None-Match: {tag}", tags=(b'"a"', b'"b"'))
    assert (again.status, again.body, again.field(b"content-type")) == (304, b"", None)
    assert merged(f"If-None-Match: {tag}", tags=(b'"a"', b'"c"')).status == 200
    assert merged(f"If-Modified-Since: {JUNE.decode()}", times=(JUNE, MAY)).status == 304
    assert merged(f"If-Modified-Since: {MAY.decode()}", times=(JUNE, MAY)).status == 200


def test_if_none_match_decides_alone() -> None:
    """RFC 9110 section 13.2.2."""
    since = f"If-Modified-Since: {JUNE.decode()}"
    assert merged('If-None-Match: "x"', since, tags=(b'"a"', b'"b"'), times=(MAY, MAY)).status == 200
