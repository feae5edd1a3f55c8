"""Whether a reply that is kept answers a request (RFC 9111 sections 4.2.4, 4.3 and 5.2.1; RFC 5861)."""

import pytest

from shardgate.core.replies.cache.directives import Directives
from shardgate.core.replies.cache.stored_reply import validated
from tests.core.replies.cache.heads import ANY, entry, fields
from tests.core.requests import request

KEPT = "Cache-Control: public, max-age=60"


@pytest.mark.parametrize(
    ("said", "age_s", "fit"),
    [
        ("", 59, "fresh"),
        ("", 60, "validate"),
        ("no-cache", 1, "validate"),
        ("max-age=10", 10, "fresh"),
        ("max-age=10", 11, "validate"),
        ("max-age=x", 1, "validate"),
        ("min-fresh=10", 49, "fresh"),
        ("min-fresh=10", 50, "validate"),
        ("max-stale", 1000, "stale"),
        ("max-stale=10", 69, "stale"),
        ("max-stale=10", 70, "validate"),
        ("max-stale=10, min-fresh=1", 65, "validate"),
        ("max-stale, max-age=10", 65, "validate"),
    ],
)
def test_what_requests_say(said: str, age_s: float, fit: str) -> None:
    assert entry(KEPT).fit(Directives([said.encode()]), age_s) == fit


@pytest.mark.parametrize("word", ["must-revalidate", "proxy-revalidate", "no-cache", "s-maxage=60"])
def test_what_is_never_given_stale(word: str) -> None:
    kept = entry(f"{KEPT}, {word}")
    assert kept.fit(Directives([b"max-stale"]), 61.0) == "validate"
    assert not kept.answers_error(Directives([]), 1000.0, 61.0)
    assert kept.fit(Directives([]), 1.0) == ("validate" if word == "no-cache" else "fresh")


@pytest.mark.parametrize(
    ("lines", "of_rule_s", "said", "age_s", "answers"),
    [
        (KEPT, 0, "", 61, False),
        (KEPT, 10, "", 70, True),
        (KEPT, 10, "", 71, False),
        (f"{KEPT}, stale-if-error=5", 100, "", 65, True),
        (f"{KEPT}, stale-if-error=5", 100, "", 66, False),
        (f"{KEPT}, stale-if-error=5, s-maxage=60", 0, "", 65, True),
        (f"{KEPT}, stale-if-error=5, must-revalidate", 0, "", 61, False),
        (KEPT, 10, "no-cache", 1, False),
        (KEPT, 10, "max-age=30", 31, False),
        (KEPT, 10, "max-age=30", 30, True),
    ],
)
def test_answers_where_shards_fail(lines: str, of_rule_s: float, said: str, age_s: float, answers: bool) -> None:
    assert entry(lines).answers_error(Directives([said.encode()]), of_rule_s, age_s) == answers


def test_conditions_are_those_of_its_validators() -> None:
    date = "Tue, 01 Jan 2019 00:00:00 GMT"
    assert entry(KEPT).conditions() == b""
    assert entry(KEPT, 'ETag: "a"', f"Last-Modified: {date}").conditions() == b'If-None-Match: "a"\r\n'
    assert entry(KEPT, f"Last-Modified: {date}").conditions() == f"If-Modified-Since: {date}\r\n".encode()
    assert entry(KEPT, 'ETag: W/"a-shardgate-gzip"').conditions() == b'If-None-Match: "a"\r\n'
    assert entry(KEPT, "Last-Modified: yesterday").conditions() == b""


@pytest.mark.parametrize(
    ("line", "is_known"),
    [
        ('If-None-Match: "a"', True),
        ('If-None-Match: W/"a"', True),
        ('If-None-Match: "b", "a"', True),
        ("If-None-Match: *", True),
        ('If-None-Match: "b"', False),
        ('If-None-Match: "A"', False),
        ("If-Modified-Since: Tue, 01 Jan 2019 00:00:00 GMT", True),
        ("If-Modified-Since: Mon, 31 Dec 2018 00:00:00 GMT", False),
        ("If-Modified-Since: never", False),
        ("X: 1", False),
    ],
)
def test_what_the_client_has(line: str, is_known: bool) -> None:
    kept = entry(KEPT, 'ETag: "a"', "Last-Modified: Tue, 01 Jan 2019 00:00:00 GMT")
    assert kept.is_known(request("GET /a", line)) == is_known


def test_a_304_renews_the_fields_but_not_those_of_the_body() -> None:
    policy = "Content-Security-Policy"
    old = entry(KEPT, "Content-Type: text/plain", 'ETag: "a"', "X: 1", f"{policy}: a", body=b"text")
    said = fields("Cache-Control: max-age=5", "content-type: x", "X: 2", 'ETag: W/"a"', f"{policy}: b")
    new = validated(old, ANY, said, 0.0, 100.0, 0.0)
    assert dict(new.reply.fields) == {
        b"Content-Type": b"text/plain",
        b"ETag": b'"a"',
        b"Cache-Control": b"max-age=5",
        b"X": b"2",
        b"Content-Security-Policy": b"b",
    }
    assert (new.reply.body, new.left_s(100.0)) == (b"text", 5.0)


def test_its_own_age_is_not_stored_and_counts() -> None:
    kept = entry(KEPT, "Age: 7", at=100.0)
    assert b"Age" not in dict(kept.reply.fields)
    assert kept.current_age_s(103.0) == 10


def test_who_gets_it() -> None:
    mine = request("GET /a", "Authorization: x")
    assert entry(KEPT).is_for(mine)
    assert not entry("Cache-Control: max-age=60").is_for(mine)
    assert entry("Cache-Control: max-age=60").is_for(ANY)
