"""Cookies and the Date of a merged reply."""

from shardgate.core.contracts import Ask
from shardgate.core.http import Reply
from shardgate.core.replies.head_fields import HeadFields

ASKS = [Ask("north", b"/"), Ask("south", b"/")]
MAY, JUNE = b"Fri, 01 May 2026 00:00:00 GMT", b"Mon, 01 Jun 2026 00:00:00 GMT"


def reply(*cookies: bytes, date: bytes | None = None) -> Reply:
    dated = [] if date is None else [(b"Date", date)]
    return Reply(200, [*dated, *((b"Set-Cookie", cookie) for cookie in cookies)])


def merged(fields: HeadFields, *rounds: tuple[Reply, Reply]) -> list[tuple[bytes, bytes]]:
    for north, south in rounds:
        fields.add(ASKS, {"north": north, "south": south})
    made = Reply(200, [])
    fields.apply(made)
    return made.fields


def test_cookies_are_one_shards() -> None:
    found = merged(HeadFields("first", "none"), (reply(), reply(b"a=1; Path=/", b"b=2")))
    assert found == [(b"Set-Cookie", b"a=1; Path=/"), (b"Set-Cookie", b"b=2")]
    assert merged(HeadFields("first", "none"), (reply(b"a=0"), reply(b"a=1", b"b=2"))) == [(b"Set-Cookie", b"a=0")]


def test_a_later_round_replaces_what_the_same_shard_set() -> None:
    rounds = [(reply(), reply(b"a=1", b"c=3")), (reply(b"a=9"), reply(b"a=2"))]
    assert merged(HeadFields("first", "none"), *rounds) == [(b"Set-Cookie", b"c=3"), (b"Set-Cookie", b"a=2")]


def test_the_latest_date() -> None:
    assert merged(HeadFields("none", "latest"), (reply(date=JUNE), reply(date=MAY))) == [(b"Date", JUNE)]
    assert merged(HeadFields("none", "latest"), (reply(), reply(date=MAY))) == [(b"Date", MAY)]
    assert merged(HeadFields("none", "latest"), (reply(date=b"now"), reply(b"a=1"))) == []
