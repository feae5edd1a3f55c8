"""A shard's own address in the head of its reply: the client reads its own origin, and nothing else is touched."""

import pytest

from shardgate.core.http import ReplyHead
from shardgate.core.wire.addresses import ShardAddresses
from shardgate.core.wire.forwarding import hop_lines, request_head
from shardgate.core.wire.reply_head import ReplyHeadParser

SHARDS = [("10.0.0.1", 8101), ("10.0.0.2", 8102), ("inner.Example", 80), ("sealed", 443), ("::1", 8103)]
PARSER = ReplyHeadParser(ShardAddresses(SHARDS))


def told(*lines: bytes, status: bytes = b"200 OK", host: bytes = b"Api.test:8080", scheme: str = "https") -> ReplyHead:
    """The head as the client gets it."""
    head = PARSER.parse(b"".join(line + b"\r\n" for line in (b"HTTP/1.1 " + status, *lines)))
    asked = request_head(b"GET", b"/x", host, b"Accept: a\r\n", hop_lines("192.0.2.1", scheme), b"id", b"")
    return PARSER.for_client(head, asked) if head.names_shard else head


def value(line: bytes, **asked: bytes) -> bytes:
    """What is left of a field."""
    return told(line, **asked).lines.partition(b": ")[2][:-2]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "url",
    [
        b"http://10.0.0.1:8101",
        b"https://10.0.0.1:8101",
        b"http://10.0.0.2:8102",
        b"HTTP://user:word@10.0.0.1:8101",
        b"http://INNER.example",
        b"http://inner.example:80",
        b"https://inner.example",
        b"https://inner.example:443",
        b"https://sealed",
        b"http://sealed:443",
        b"http://[::1]:8103",
        b"//10.0.0.1:8101",
    ],
)
def test_a_url_at_an_address_of_any_shard_gets_the_clients_origin(url: bytes) -> None:
    for rest in (b"", b"/a?b=1#c", b"?b"):
        assert value(b"Location: " + url + rest) == b"https://Api.test:8080" + rest


@pytest.mark.parametrize(
    "url",
    [
        b"/things/1",
        b"http://10.0.0.1:8102/",
        b"http://10.0.0.1/",
        b"http://10.0.0.1:81010/",
        b"http://10.0.0.1:8101.test/",
        b"http://10.0.0.1:8101@other/",
        b"http://x.inner.example/",
        b"http://inner.example:81/",
        b"ftp://10.0.0.1:8101/",
        b"/a//10.0.0.1:8101/b",
        b"https://Api.test:8080/x",
        b"http://other/",
        b"",
    ],
)
def test_every_other_address_stays_as_it_is(url: bytes) -> None:
    head = PARSER.parse(b"HTTP/1.1 201 Created\r\nlocation:  %b\r\n" % url)
    assert (head.names_shard, head.lines) == (False, b"location: %b\r\n" % url)


@pytest.mark.parametrize(
    ("line", "left"),
    [
        (b"Content-Location: http://10.0.0.1:8101/a", b"https://Api.test:8080/a"),
        (
            b'Link: </a>; rel="up", <http://10.0.0.1:8101/?page=2>; rel="next", <//10.0.0.2:8102/>; rel="last"',
            b'</a>; rel="up", <https://Api.test:8080/?page=2>; rel="next", <https://Api.test:8080/>; rel="last"',
        ),
        (b"Refresh: 5; url=http://10.0.0.1:8101/a", b"5; url=https://Api.test:8080/a"),
        (b"Refresh: 5; url='//10.0.0.1:8101/a'", b"5; url='https://Api.test:8080/a'"),
        (b"Access-Control-Allow-Origin: http://10.0.0.1:8101", b"https://Api.test:8080"),
        (b"Access-Control-Allow-Origin: *", b"*"),
        (b"Set-Cookie: a=b; Domain=10.0.0.1; Path=/", b"a=b; Path=/"),
        (b"Set-Cookie: a=b; path=/; domain=.INNER.example", b"a=b; path=/"),
        (b"Set-Cookie: a=b; Domain=test", b"a=b; Domain=test"),
        (b"X-Own: http://10.0.0.1:8101/", b"http://10.0.0.1:8101/"),
        (b'Alt-Svc: h2=":8101"; ma=60', b'h2=":8101"; ma=60'),
        (b'Alt-Svc: h2="10.0.0.1:8101"; ma=60, h3=":443"', b""),
    ],
)
def test_the_fields_that_hold_addresses(line: bytes, left: bytes) -> None:
    assert value(line) == left


def test_what_the_client_itself_called_stays() -> None:
    for line in (
        b"Location: http://inner.example/a",
        b"Set-Cookie: a=b; Domain=inner.example",
        b'Alt-Svc: h2="inner.example"',
    ):
        head = told(line, host=b"Inner.example", scheme="https")
        assert head.lines == line + b"\r\n"
    cookie = b"a=b; Domain=inner.example"
    assert value(b"Set-Cookie: " + cookie, host=b"www.inner.example:81") == cookie


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (b"500 failed at http://10.0.0.1:8101/own", b"Internal Server Error"),
        (b"404 INNER.EXAMPLE:80 has none", b"Not Found"),
        (b"599 at 10.0.0.2:8102", b""),
        (b"500 at 12:30", b"at 12:30"),
        (b"200 So so", b"So so"),
    ],
)
def test_a_reason_that_holds_an_address_is_the_registered_phrase(status: bytes, reason: bytes) -> None:
    assert told(status=status).reason == reason


def test_a_client_that_named_no_host_gets_a_reference_without_one() -> None:
    assert value(b"Location: http://10.0.0.1:8101/a", host=b"") == b"/a"


def test_all_that_is_not_an_address_is_kept_and_the_memory_holds_nothing_of_a_client() -> None:
    lines = (b"Date: now", b"LOCATION: http://10.0.0.1:8101/a", b"Set-Cookie: a=b", b"Content-Length: 3")
    first, second = told(*lines), told(*lines, host=b"other.test", scheme="http")
    assert first.lines == b"Date: now\r\nLOCATION: https://Api.test:8080/a\r\nSet-Cookie: a=b\r\n"
    assert second.lines == b"Date: now\r\nLOCATION: http://other.test/a\r\nSet-Cookie: a=b\r\n"
    assert (first.status, first.content_length, first.fields[1][:2]) == (
        200,
        3,
        (b"location", b"https://Api.test:8080/a"),
    )


def test_without_shards_nothing_is_an_address() -> None:
    assert (
        not ReplyHeadParser().parse(b"HTTP/1.1 302 at 10.0.0.1:8101\r\nLocation: http://10.0.0.1:8101/\r\n").names_shard
    )
