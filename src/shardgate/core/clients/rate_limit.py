"""The fields RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers-11).

Holds: where the gateway says how much is left, nothing of what a shard says of it reaches the client: each shard counts
by itself. The older fields that mean the same are taken out, too.
"""

from shardgate.core.clients.period import Period, Window
from shardgate.core.http import Reply, ReplyHead

_SAME = frozenset({b"ratelimit", b"ratelimit-policy"} | {
    b"%bratelimit-%b" % (start, end) for start in (b"", b"x-") for end in (b"limit", b"remaining", b"reset")
})  # fmt: skip


def policy_line(window: Window, calls: int, period: Period) -> bytes:
    """What the quota is: `q` calls in `w` seconds; made once a period."""
    seconds = int(period.ends_at - period.begins_at)
    return b'RateLimit-Policy: "%b";q=%d;w=%d\r\n' % (window.encode(), calls, seconds)


def limit_line(window: Window, left: int, seconds: int) -> bytes:
    """What is left of it: `r` calls, for another `t` seconds."""
    return b'RateLimit: "%b";r=%d;t=%d\r\n' % (window.encode(), left, seconds)


def without_limits(head: ReplyHead) -> bytes:
    """The lines of a shard's head, without what it says of limits."""
    fields = head.fields
    lines = [line for name, _, line in fields if name not in _SAME]
    return head.lines if len(lines) == len(fields) else b"".join(lines)


def limited(reply: Reply, lines: bytes) -> Reply:
    """A whole reply that says what is left."""
    said = [(name, value) for line in lines.split(b"\r\n") if line for name, _, value in [line.partition(b": ")]]
    kept = [field for field in reply.fields if field[0].lower() not in _SAME]
    return Reply(reply.status, [*kept, *said], reply.body, reply.reason)
