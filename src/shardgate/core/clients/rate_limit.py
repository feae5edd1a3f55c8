"""The headers RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers-11).

Holds: where the gateway states a limit, a shard's own limits, which count the calls to one shard, are removed; so are
the older headers with the same meaning.
"""

from shardgate.core.clients.period import Period, Window
from shardgate.core.http import Reply, ReplyHead

_RATE_LIMIT_FIELDS = frozenset({b"ratelimit", b"ratelimit-policy"} | {
    b"%bratelimit-%b" % (start, end) for start in (b"", b"x-") for end in (b"limit", b"remaining", b"reset")
})  # fmt: skip


def policy_line(window: Window, calls: int, period: Period) -> bytes:
    """The quota, `q` calls in `w` seconds, as a header line."""
    seconds = int(period.ends_at - period.begins_at)
    return b'RateLimit-Policy: "%b";q=%d;w=%d\r\n' % (window.encode(), calls, seconds)


def limit_line(window: Window, left: int, seconds: int) -> bytes:
    """What is left of the quota, `r` calls for another `t` seconds, as a header line."""
    return b'RateLimit: "%b";r=%d;t=%d\r\n' % (window.encode(), left, seconds)


def without_limits(head: ReplyHead) -> bytes:
    """The lines of a shard's head without its own rate limits."""
    fields = head.fields
    lines = [line for name, _, line in fields if name not in _RATE_LIMIT_FIELDS]
    return head.lines if len(lines) == len(fields) else b"".join(lines)


def limited(reply: Reply, lines: bytes) -> Reply:
    """A whole reply with these rate limit lines in place of its own."""
    added = [(name, value) for line in lines.split(b"\r\n") if line for name, _, value in [line.partition(b": ")]]
    kept = [field for field in reply.fields if field[0].lower() not in _RATE_LIMIT_FIELDS]
    return Reply(reply.status, [*kept, *added], reply.body, reply.reason)
