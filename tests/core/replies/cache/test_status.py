"""The field Cache-Status (RFC 9211 section 2)."""

from math import inf

from shardgate.core.replies.cache import status


def test_what_it_says() -> None:
    assert status.hit(12.7) == b"shardgate; hit; ttl=12"
    assert status.hit(-inf) == b"shardgate; hit"
    assert status.forwarded("uri-miss", stored=True) == b"shardgate; fwd=uri-miss; stored"
    assert status.forwarded("stale", stored=False, not_kept="private") == b"shardgate; fwd=stale; detail=private"
    assert status.forwarded("vary-miss", stored=False) == b"shardgate; fwd=vary-miss"
    assert status.answered_by_stored("stale", 503, -3.0) == b"shardgate; fwd=stale; fwd-status=503; ttl=-3"
