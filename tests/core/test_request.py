"""A request as a value."""

from shardgate.core.http import Request, RequestFields
from shardgate.core.wire.request_head import RequestHeadParser

HEAD = b"POST /a?secret=1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nAuthorization: Bearer abc\r\n"


def test_a_request_that_asks_something_else_keeps_body_and_claims() -> None:
    request = read(HEAD)
    request.body, request.claims, request.binding = b"abc", {"sub": "1"}, frozenset({"sub"})
    other = request.asking(query="x=2", target=b"/a?x=2")
    assert (other.query, other.target, other.path) == ("x=2", b"/a?x=2", "/a")
    assert (other.body, other.claims, other.binding) == (b"abc", {"sub": "1"}, frozenset({"sub"}))
    assert (request.query, request.target) == ("secret=1", b"/a?secret=1")


def test_the_length_of_a_body_is_known_unless_it_arrives_in_chunks() -> None:
    request = read(HEAD)
    request.arriving = True
    assert request.length == 3
    request.arriving, request.body = False, b"abc"
    assert request.length == 3
    chunked = read(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n")
    chunked.arriving = True
    assert chunked.length is None
    assert read(b"GET / HTTP/1.1\r\nHost: a\r\n").length is None


def test_a_request_that_a_log_shows_has_no_query_and_no_credentials() -> None:
    request = read(HEAD)
    assert repr(request) == "Request(POST /a)"
    assert "abc" not in repr(request.fields)
    assert isinstance(request.fields, RequestFields)


def read(head: bytes) -> Request:
    return RequestHeadParser().parse(head)
