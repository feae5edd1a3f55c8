"""What a reply says that lacks shards."""

import pytest

from shardgate.core.errors import (
    BrokenReplyError,
    DeadlineError,
    LostReplyError,
    OverloadError,
    ReplyTooLargeError,
    ShardDownError,
    ShardgateError,
)
from shardgate.core.failures.partial_reply import Lack, PartialReport, lack_of
from shardgate.core.http import Reply
from shardgate.core.topology import Shard


def report(alias: str = "south", lack: Lack = Lack("timeout")) -> PartialReport:  # noqa: B008 - it is a value
    shards = {"a": Shard("a", "10.0.0.1", 1, "north"), "b": Shard("b", "10.0.0.2", 1, alias)}
    return PartialReport(("a", "b"), {"b": lack}, shards)


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (ShardDownError("x"), "unreachable"),
        (DeadlineError("x"), "timeout"),
        (OverloadError("x"), "overloaded"),
        (BrokenReplyError("x"), "broken"),
        (LostReplyError("x"), "broken"),
        (Reply(503, []), "error"),
        (Reply(404, []), None),
        (Reply(200, []), None),
        (ReplyTooLargeError("x"), None),
    ],
)
def test_why_a_shard_is_missing(outcome: Reply | ShardgateError, reason: str | None) -> None:
    lack = lack_of(outcome)
    assert (None if lack is None else lack.reason) == reason


@pytest.mark.parametrize(
    ("alias", "said"),
    [
        ("south", b'"south"'),
        ('so "u" \\th', b'"so \\"u\\" \\\\th"'),
        ("Évora", b'%"%c3%89vora"'),
        ("a%é", b'%"a%25%c3%a9"'),
        ("a\nb", b'%"a%0ab"'),
    ],
)
def test_an_alias_is_a_string_or_a_display_string(alias: str, said: bytes) -> None:
    expected = b"asked=2, answered=1, missing=(%b;reason=timeout), totals=inexact" % said
    assert report(alias).field() == expected


def test_what_stands_for_a_whole_list_is_taken_away() -> None:
    names = ("ETag", "Last-Modified", "Expires", "Age", "Cache-Control", "CDN-Cache-Control", "Surrogate-Control", "X")
    reply = Reply(200, [*[(name.encode(), b"x") for name in names], (b"shardgate-partial", b"x")], b"[]")
    assert report(lack=Lack("error", 502)).mark(reply, None)
    field = b'asked=2, answered=1, missing=("south";reason=error;status=502), totals=inexact'
    assert reply.fields == [(b"X", b"x"), (b"Cache-Control", b"no-store"), (b"Shardgate-Partial", field)]


def test_a_body_that_can_have_no_such_member() -> None:
    body = Reply(200, [], b'{"data": []}')
    assert report().mark(body, "partial")
    missing = b'[{"shard":"south","reason":"timeout"}]'
    assert body.body == b'{"data": [], "partial": {"asked":2,"answered":1,"missing":%b,"totals":"inexact"}}' % missing
    for text in (b"[]", b"", b"7", b'{"data": []}'):
        assert not report().mark(Reply(200, [], text), "meta.partial")
    assert report().mark(Reply(200, [], b""), "partial", has_body=False)
