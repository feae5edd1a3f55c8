"""Cookies of several shards behind one: packed on the way out, unpacked on the way in."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shardgate.core.errors import ReplyTooLargeError
from shardgate.core.http import ReplyHead
from shardgate.core.wire.cookie_jar import CookieJar, Values
from shardgate.core.wire.reply_head import ReplyHeadParser

JAR = CookieJar(["sid"], ["a", "b"])
SIGNED = CookieJar(["sid"], ["a", "b"], [b"s" * 32])
NOTHING: Mapping[bytes, Values] = {}
ENDS = b"; Path=/; Max-Age=0"


def head(*cookies: bytes) -> ReplyHead:
    lines = b"".join(b"Set-Cookie: %b\r\n" % cookie for cookie in cookies)
    return ReplyHeadParser().parse(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n%b" % lines)


def packed(jar: CookieJar, shard: str, *cookies: bytes, held: Mapping[bytes, Values] = NOTHING) -> list[bytes]:
    made = jar.packed(shard, head(*cookies), held)
    assert made.lines == b"".join(b"Set-Cookie: %b\r\n" % value for _, value, _ in made.fields)
    return [value for _, value, _ in made.fields]


def sent(jar: CookieJar, shard: str, cookie: bytes, *more: bytes) -> bytes:
    """The head that a shard is sent, where the client has this cookie."""
    return jar.unpacked(shard, b"GET / HTTP/1.1\r\nHost: a\r\nCookie: x=1; %b\r\n%b\r\n" % (cookie, b"".join(more)))[0]


def held_by(jar: CookieJar, cookie: bytes) -> Mapping[bytes, Values]:
    return jar.unpacked("a", b"GET / HTTP/1.1\r\nCookie: %b\r\n\r\n" % cookie)[1]


def pair(cookie: bytes) -> bytes:
    return cookie.partition(b";")[0]


@pytest.mark.parametrize("jar", [JAR, SIGNED])
def test_each_shard_is_sent_its_own(jar: CookieJar) -> None:
    (cookie,) = packed(jar, "a", b"sid=one; Path=/; HttpOnly")
    assert cookie.endswith(b"; Path=/; HttpOnly")
    (both,) = packed(jar, "b", b'sid="two"', held=held_by(jar, pair(cookie)))
    assert b"Cookie: x=1; sid=one\r\n" in sent(jar, "a", pair(both))
    assert b'Cookie: x=1; sid="two"\r\n' in sent(jar, "b", pair(both))
    assert b"Cookie: x=1\r\n" in sent(jar, "b", pair(cookie))


def test_other_cookies_and_values_from_elsewhere_stay() -> None:
    assert packed(JAR, "a", b"lang=fi; Path=/") == [b"lang=fi; Path=/"]
    assert b"Cookie: x=1; sid=plain\r\n" in sent(JAR, "a", b"sid=plain")
    assert b"Cookie: x=1; other=sg1.abc\r\n" in sent(JAR, "a", b"other=sg1.abc")


@given(st.binary(max_size=40))
def test_a_damaged_value_reaches_no_shard(data: bytes) -> None:
    text = bytes(each for each in data if chr(each).isalnum() and each < 0x80)
    for jar in (JAR, SIGNED):
        assert b"sg1." not in sent(jar, "a", b"sid=sg1." + text)


def test_what_the_secret_did_not_sign_is_dropped() -> None:
    (cookie,) = packed(JAR, "a", b"sid=one")
    assert b"Cookie: x=1\r\n" in sent(SIGNED, "a", pair(cookie))
    (cookie,) = packed(SIGNED, "a", b"sid=one")
    newer = CookieJar(["sid"], ["a", "b"], [b"n" * 32, b"s" * 32])
    assert b"sid=one" in sent(newer, "a", pair(cookie))
    assert b"sid=" not in sent(CookieJar(["sid"], ["a"], [b"n" * 32]), "a", pair(cookie))


def test_a_cookie_that_one_shard_takes_back_stays_for_the_others() -> None:
    (one,) = packed(JAR, "a", b"sid=one")
    (both,) = packed(JAR, "b", b"sid=two", held=held_by(JAR, pair(one)))
    (left,) = packed(JAR, "a", b"sid=" + ENDS, held=held_by(JAR, pair(both)))
    assert left.endswith(b"; Path=/")
    assert b"sid=" not in sent(JAR, "a", pair(left))
    assert b"sid=two" in sent(JAR, "b", pair(left))
    assert packed(JAR, "b", b"sid=" + ENDS, held=held_by(JAR, pair(left))) == [b"sid=" + ENDS]
    gone = b"sid=x; expires=Thu, 01 Jan 1970 00:00:00 GMT"
    assert packed(JAR, "a", gone) == [b"sid=; expires=Thu, 01 Jan 1970 00:00:00 GMT"]


def test_a_header_that_repeats_the_value_is_changed_back() -> None:
    (cookie,) = packed(JAR, "a", b"sid=one")
    line = b"X-CSRF: %b\r\n" % pair(cookie).partition(b"=")[2]
    assert b"\r\nX-CSRF: one\r\n" in sent(JAR, "a", pair(cookie), line)
    assert b"X-CSRF" not in sent(JAR, "b", pair(cookie), line)
    assert b"X-CSRF: sg1.x\r\n" in sent(JAR, "b", pair(cookie), b"X-CSRF: sg1.x\r\n")


def test_a_merged_reply_sets_one_cookie_of_all() -> None:
    cookies = [
        (shard, packed(JAR, shard, b"sid=%b; Path=/" % shard.encode(), b"n=" + shard.encode())) for shard in "ab"
    ]
    merged = JAR.merged([(shard, value) for shard, values in cookies for value in values])
    assert merged[0] == b"n=a"
    assert len(merged) == 2
    for shard in "ab":
        assert b"sid=" + shard.encode() in sent(JAR, shard, pair(merged[1]))
    held = held_by(JAR, pair(merged[1]))
    again = [("a", packed(JAR, "a", b"sid=" + ENDS, held=held)[0]), ("b", packed(JAR, "b", b"sid=new", held=held)[0])]
    (left,) = JAR.merged(again)
    assert b"sid=" not in sent(JAR, "a", pair(left))
    assert b"sid=new" in sent(JAR, "b", pair(left))
    ended = [(shard, packed(JAR, shard, b"sid=" + ENDS, held=held)[0]) for shard in "ab"]
    (gone,) = JAR.merged(ended)
    assert pair(gone) == b"sid="


def test_a_jar_has_a_bound() -> None:
    with pytest.raises(ReplyTooLargeError):
        packed(JAR, "a", b"sid=" + b"x" * 3000)
