"""What is left of a quota is stated in place of what shards state."""

from shardgate.core.clients.period import period_of
from shardgate.core.clients.rate_limit import limit_line, limited, policy_line, without_limits
from shardgate.core.http import Reply
from shardgate.core.wire.reply_head import ReplyHeadParser


def test_the_lines_of_a_quota() -> None:
    assert policy_line("hour", 1000, period_of("hour", 0.0)) == b'RateLimit-Policy: "hour";q=1000;w=3600\r\n'
    assert limit_line("hour", 7, 60) == b'RateLimit: "hour";r=7;t=60\r\n'


def test_a_shards_own_limits_do_not_cross() -> None:
    head = ReplyHeadParser().parse(b"HTTP/1.1 200 OK\r\nX-RateLimit-Remaining: 3\r\nAge: 1\r\nRateLimit-Reset: 9\r\n")
    assert without_limits(head) == b"Age: 1\r\n"
    plain = ReplyHeadParser().parse(b"HTTP/1.1 200 OK\r\nAge: 1\r\n")
    assert without_limits(plain) is plain.lines


def test_a_whole_reply_states_ours() -> None:
    reply = Reply(200, [(b"RateLimit", b"theirs"), (b"Age", b"1")], b"x")
    assert limited(reply, limit_line("day", 7, 60)).fields == [(b"Age", b"1"), (b"RateLimit", b'"day";r=7;t=60')]
