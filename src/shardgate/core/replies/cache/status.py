"""The field Cache-Status (RFC 9211): what this cache did with a request, for whoever wonders."""

from math import isfinite
from typing import Literal

Forwarded = Literal["uri-miss", "vary-miss", "stale", "request", "bypass"]
"""Why the shards were asked."""


def hit(left_s: float) -> bytes:
    """What is kept was the answer. `left_s`: how long it is fresh yet."""
    return b"shardgate; hit%b" % _ttl(left_s)


def forwarded(why: Forwarded, *, stored: bool, not_kept: str | None = None) -> bytes:
    """The shards were the answer. `not_kept`: why their reply is not kept."""
    kept = b"; stored" if stored else b"" if not_kept is None else b"; detail=%b" % not_kept.encode()
    return b"shardgate; fwd=%b%b" % (why.encode(), kept)


def answered_by_stored(why: Forwarded, status: int, left_s: float) -> bytes:
    """The shards were asked and what is kept is the answer: they said that it holds, or they failed."""
    return b"shardgate; fwd=%b; fwd-status=%d%b" % (why.encode(), status, _ttl(left_s))


def _ttl(left_s: float) -> bytes:
    return b"; ttl=%d" % left_s if isfinite(left_s) else b""
