"""Request heads in raw bytes: what is read, what is refused, what crosses to the shard."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shardgate.core.errors import (
    ClientError,
    HeadTooLargeError,
    MalformedRequestError,
    TargetTooLongError,
    UnsupportedCodingError,
)
from shardgate.core.http import Request
from shardgate.core.limits import FIELDS_MAX, TARGET_BYTES_MAX
from shardgate.core.wire.request_head import RequestHeadParser
from tests.core.members import members

HOST = b"Host: a\r\n"


def parse(head: bytes) -> Request:
    return RequestHeadParser().parse(head)


def get(*lines: bytes) -> Request:
    """A GET with these lines, and a Host."""
    return parse(b"GET / HTTP/1.1\r\n" + HOST + b"".join(line + b"\r\n" for line in lines))


@pytest.mark.parametrize(
    ("line", "method", "path", "query"),
    [
        (b"GET / HTTP/1.1", "GET", "/", ""),
        (b"GET /a/b?c=d HTTP/1.1", "GET", "/a/b", "c=d"),
        (b"GET /a?b?c HTTP/1.1", "GET", "/a", "b?c"),
        (b"GET /a? HTTP/1.1", "GET", "/a", ""),
        (b"GET /%20?%20 HTTP/1.1", "GET", "/%20", "%20"),
        (b"GET http://a/x?y HTTP/1.1", "GET", "/x", "y"),
        (b"GET HTTP://A/x HTTP/1.1", "GET", "/x", ""),
        (b"GET http://a HTTP/1.1", "GET", "/", ""),
        (b"GET http://a?q HTTP/1.1", "GET", "/", "q"),
        (b"OPTIONS * HTTP/1.1", "OPTIONS", "*", ""),
        (b"M-SEARCH /x HTTP/1.1", "M-SEARCH", "/x", ""),
        (b"get / HTTP/1.1", "get", "/", ""),
        (b"POST /x HTTP/1.0", "POST", "/x", ""),
    ],
)
def test_a_plain_request_line_is_read(line: bytes, method: str, path: str, query: str) -> None:
    request = parse(line + b"\r\n" + HOST)
    assert (request.method, request.path, request.query) == (method, path, query)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"GET",
        b"GET /",
        b"GET / ",
        b"GET  / HTTP/1.1",
        b"GET /  HTTP/1.1",
        b" GET / HTTP/1.1",
        b"GET / HTTP/1.1 ",
        b"GET\t/ HTTP/1.1",
        b"GET /a b HTTP/1.1",
        b"GET /a#b HTTP/1.1",
        b"GET /\x00 HTTP/1.1",
        b"GET /\x7f HTTP/1.1",
        b"GET /\xc3\xa9 HTTP/1.1",
        b"GET /a\rb HTTP/1.1",
        b"GET /a\nb HTTP/1.1",
        b"G@T / HTTP/1.1",
        b"G\x00T / HTTP/1.1",
        b"GET: / HTTP/1.1",
        b"GET / HTTP/0.9",
        b"GET / HTTP/2.0",
        b"GET / HTTP/1.2",
        b"GET / HTTP/1.10",
        b"GET / HTTP/01.1",
        b"GET / HTTP/1",
        b"GET / HTTP/1.1x",
        b"GET / http/1.1",
        b"GET / ICE/1.1",
        b"GET a HTTP/1.1",
        b"GET ?a HTTP/1.1",
        b"GET http://b/ HTTP/1.1",
        b"GET http://a@b/ HTTP/1.1",
        b"GET http://x@a/ HTTP/1.1",
        b"GET http://a:80/ HTTP/1.1",
        b"GET ftp://a/ HTTP/1.1",
        b"GET http:/a/ HTTP/1.1",
        b"GET http:///x HTTP/1.1",
        b"CONNECT a:443 HTTP/1.1",
        b"GET ** HTTP/1.1",
        b"PRI * HTTP/2.0",
    ],
)
def test_a_request_line_that_is_not_plain_is_refused(line: bytes) -> None:
    with pytest.raises(MalformedRequestError):
        parse(line + b"\r\n" + HOST)


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        (b"X: y", b"x", b"y"),
        (b"X:y", b"x", b"y"),
        (b"X: \t y \t ", b"x", b"y"),
        (b"X:", b"x", b""),
        (b"X:   ", b"x", b""),
        (b"x-Y_z.1: a b\tc", b"x-y_z.1", b"a b\tc"),
        (b"!#$%&'*+-.^_`|~: v", b"!#$%&'*+-.^_`|~", b"v"),
        (b"X: \xc3\xa9\xff", b"x", b"\xc3\xa9\xff"),
        (b"X: a:b::c", b"x", b"a:b::c"),
        (b"X: \"q\" ; 'r'", b"x", b"\"q\" ; 'r'"),
    ],
)
def test_a_plain_header_line_is_read_and_written_as_name_and_value(line: bytes, name: bytes, value: bytes) -> None:
    request = get(line)
    assert request.fields.values[name] == value
    assert request.fields.end_to_end.lower() == b"%b: %b\r\n" % (name, value.lower())


@pytest.mark.parametrize(
    "line",
    [
        b"X",
        b": y",
        b"X : y",
        b"X\t: y",
        b" X: y",
        b"\tX: y",
        b"X: y\r\n folded",
        b"X: y\r\n\tfolded",
        b"X: a\rb",
        b"X: a\nb",
        b"X: a\nY: b",
        b"X: a\x00b",
        b"X: a\x0bb",
        b"X: a\x1bb",
        b"X: a\x7fb",
        b"X: \x00",
        b"X\x00: y",
        b"X\xc3\xa9: y",
        b"X(y): z",
        b"X,Y: z",
        b"X/Y: z",
        b'"X": z',
        b"[X]: z",
        b"X Y: z",
        b"X=y",
        b"\r\nX: y",
        b"X: y\r",
        b"\nX: y",
        b"X: y\r\r",
    ],
)
def test_a_header_line_that_is_not_plain_is_refused(line: bytes) -> None:
    with pytest.raises(MalformedRequestError):
        get(line)


@pytest.mark.parametrize(
    ("lines", "length", "chunked"),
    [
        ([], 0, False),
        ([b"Content-Length: 0"], 0, False),
        ([b"Content-Length: 5"], 5, False),
        ([b"content-LENGTH:   007  "], 7, False),
        ([b"Content-Length: 999999999999999999"], 999999999999999999, False),
        ([b"Transfer-Encoding: chunked"], 0, True),
        ([b"Transfer-Encoding: Chunked"], 0, True),
        ([b"transfer-encoding:chunked "], 0, True),
    ],
)
def test_the_length_of_a_body_is_read(lines: list[bytes], length: int, chunked: bool) -> None:
    fields = get(*lines).fields
    assert (fields.content_length, fields.chunked) == (length, chunked)
    assert fields.end_to_end == b""


@pytest.mark.parametrize(
    "lines",
    [
        [b"Content-Length: +5"],
        [b"Content-Length: -5"],
        [b"Content-Length: 0x5"],
        [b"Content-Length: 5_0"],
        [b"Content-Length: 5 0"],
        [b"Content-Length: 5.0"],
        [b"Content-Length: 5e1"],
        [b"Content-Length: 5,5"],
        [b"Content-Length: 5, 6"],
        [b"Content-Length: "],
        [b"Content-Length: five"],
        [b'Content-Length: "5"'],
        [b"Content-Length: \xd9\xa5"],
        [b"Content-Length: 1234567890123456789"],
        [b"Content-Length: 5", b"Content-Length: 5"],
        [b"Content-Length: 5", b"content-length: 6"],
        [b"Content-Length: 5", b"Transfer-Encoding: chunked"],
        [b"Transfer-Encoding: chunked", b"Content-Length: 0"],
        [b"Transfer-Encoding: identity"],
        [b"Transfer-Encoding: gzip, chunked"],
        [b"Transfer-Encoding: chunked, chunked"],
        [b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"],
        [b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity"],
        [b"Transfer-Encoding: xchunked"],
        [b"Transfer-Encoding: chunked;q=1"],
        [b"Transfer-Encoding: ,chunked"],
        [b'Transfer-Encoding: "chunked"'],
        [b"Transfer-Encoding:"],
    ],
)
def test_a_body_framed_in_a_way_that_servers_read_differently_is_refused(lines: list[bytes]) -> None:
    with pytest.raises((MalformedRequestError, UnsupportedCodingError)):
        get(*lines)


@pytest.mark.parametrize("host", [b"a", b"a.b-c_d", b"a:80", b"127.0.0.1:8080", b"[::1]", b"[2001:db8::1]:443"])
def test_a_plain_host_is_read(host: bytes) -> None:
    assert parse(b"GET / HTTP/1.1\r\nHost: " + host + b"\r\n").fields.host == host


@pytest.mark.parametrize(
    "lines",
    [
        b"",
        b"Host:\r\n",
        b"Host: :80\r\n",
        b"Host: a\r\nHost: a\r\n",
        b"Host: a\r\nhost: b\r\n",
        b"Host: a, b\r\n",
        b"Host: a b\r\n",
        b"Host: a/b\r\n",
        b"Host: x@a\r\n",
        b"Host: a:\r\n",
        b"Host: a:x\r\n",
        b"Host: a:123456\r\n",
        b"Host: http://a\r\n",
        b"Host: \xc3\xa9\r\n",
        b"Host: ::1\r\n",
        b"Host: a?b\r\n",
        b"Host: a#b\r\n",
    ],
)
def test_a_request_without_one_plain_host_is_refused(lines: bytes) -> None:
    with pytest.raises(MalformedRequestError):
        parse(b"GET / HTTP/1.1\r\n" + lines)


def test_http_1_0_needs_no_host_knows_no_chunks_and_closes() -> None:
    request = parse(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\nExpect: 100-continue\r\n")
    assert (request.minor, request.fields.host) == (0, b"localhost")
    assert not request.fields.keep_alive
    assert not request.fields.expects_continue
    with pytest.raises(MalformedRequestError):
        parse(b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n")


@pytest.mark.parametrize(
    ("line", "keeps"),
    [
        (b"X: y", True),
        (b"Connection: keep-alive", True),
        (b"Connection: close", False),
        (b"Connection: CLOSE", False),
        (b"Connection: x, Close", False),
        (b"Connection: closed", True),
    ],
)
def test_connection_close_is_honoured(line: bytes, keeps: bool) -> None:
    assert get(line).fields.keep_alive is keeps


@pytest.mark.parametrize(
    "line",
    [
        b"Connection: x",
        b"Keep-Alive: 5",
        b"TE: trailers",
        b"Trailer: x",
        b"Upgrade: h2c",
        b"Proxy-Authorization: x",
        b"Proxy-Connection: x",
        b"Proxy: http://evil",
        b"Proxy-Anything: x",
        b"Expect: 100-continue",
        b"Forwarded: for=1",
        b"X-Forwarded-For: 1.2.3.4",
        b"X_Forwarded_For: 1.2.3.4",
        b"X-Forwarded-Host: evil",
        b"X-Forwarded-Prefix: /evil",
        b"X_forwarded-Server: evil",
        b"X-Real-IP: 1.2.3.4",
        b"X-Original-URL: /admin",
        b"X-Rewrite-URL: /admin",
        b"X_Original_URL: /admin",
        b"X-Request-Id: mine",
        b"Shardgate-Shard: north",
        b"Shardgate_Shard: north",
        b"Content_Length: 5",
        b"Transfer_Encoding: chunked",
    ],
)
def test_what_is_not_a_clients_to_say_does_not_cross(line: bytes) -> None:
    assert get(line).fields.end_to_end == b""


def test_what_connection_names_does_not_cross() -> None:
    fields = get(b"X-Mine: 1", b"Connection: close, X-Mine, keep-alive", b"X-Other: 2").fields
    assert fields.end_to_end == b"X-Other: 2\r\n"


@pytest.mark.parametrize(
    "name",
    [b"Authorization", b"Idempotency-Key", b"Host", b"Content-Length", b"X-Forwarded-For", b"Cookie", b"X-Request-Id"],
)
def test_connection_may_not_name_a_field_that_is_meant_for_all(name: bytes) -> None:
    with pytest.raises(MalformedRequestError):
        get(b"Connection: close, " + name)


def test_conditions_and_encodings_cross_to_one_shard_and_not_to_a_gather() -> None:
    lines = [b"If-None-Match: x", b"Accept-Encoding: gzip", b"Range: bytes=0-1", b"Accept: y"]
    fields = get(*lines).fields
    assert fields.end_to_end.count(b"\r\n") == 4
    assert fields.unconditional == b"Accept: y\r\n"


@pytest.mark.parametrize(
    ("value", "kept"),
    [(b"abc-1_2.3", True), (b"", False), (b"a b", False), (b"a" * 129, False), (b"x;y", False)],
)
def test_a_request_id_is_kept_where_it_is_plain(value: bytes, kept: bool) -> None:
    assert get(b"X-Request-Id: " + value).fields.request_id == (value if kept else None)


def test_a_target_that_is_too_long_is_a_414_however_valid_it_is() -> None:
    fits = b"/" + b"a" * (TARGET_BYTES_MAX - len(b"GET / HTTP/1.1"))
    assert parse(b"GET " + fits + b" HTTP/1.1\r\n" + HOST).target == fits
    with pytest.raises(TargetTooLongError):
        parse(b"GET " + fits + b"a HTTP/1.1\r\n" + HOST)


def test_too_many_fields_are_a_431() -> None:
    get(*[b"X: y"] * (FIELDS_MAX - 1))
    with pytest.raises(HeadTooLargeError):
        get(*[b"X: y"] * FIELDS_MAX)


def test_a_long_run_of_spaces_is_refused_at_once() -> None:
    # Found: the line's pattern tried the run at each of its lengths, 3.5 s of CPU for one request of 32 KiB.
    started = time.perf_counter()
    with pytest.raises(MalformedRequestError):
        get(b"X:" + b" " * 32_000 + b"\x00")
    assert time.perf_counter() - started < 0.1


def test_a_remembered_block_means_what_it_meant_the_first_time() -> None:
    parser = RequestHeadParser()
    block = b"Host: a\r\nContent-Length: 3\r\nX: y\r\n"
    first = parser.parse(b"POST /1 HTTP/1.1\r\n" + block)
    second = parser.parse(b"PUT /2 HTTP/1.1\r\n" + block)
    third = parser.parse(b"PUT /2 HTTP/1.1\r\n" + block)
    assert third.fields is second.fields  # what came once may never come again, and is not kept
    assert members(second.fields) == members(first.fields)
    assert (second.method, second.path) == ("PUT", "/2")


def test_a_remembered_block_does_not_let_a_1_0_message_pass_as_1_1() -> None:
    parser = RequestHeadParser()
    assert parser.parse(b"GET / HTTP/1.0\r\nX: y\r\n").fields.host == b"localhost"
    with pytest.raises(MalformedRequestError):
        parser.parse(b"GET / HTTP/1.1\r\nX: y\r\n")
    chunked = b"Host: a\r\nTransfer-Encoding: chunked\r\n"
    assert parser.parse(b"POST / HTTP/1.1\r\n" + chunked).fields.chunked
    with pytest.raises(MalformedRequestError):
        parser.parse(b"POST / HTTP/1.0\r\n" + chunked)


def test_an_absolute_target_is_compared_with_a_remembered_host_too() -> None:
    parser = RequestHeadParser()
    parser.parse(b"GET / HTTP/1.1\r\n" + HOST)
    with pytest.raises(MalformedRequestError):
        parser.parse(b"GET http://b/ HTTP/1.1\r\n" + HOST)


PIECES = st.lists(
    st.sampled_from(
        [b"Host: a", b"Host: b", b"X: y", b"X : y", b"Content-Length: 1", b"Content-Length: 1\n", b"X: \x00", b" X: y"]
    ),
    max_size=4,
).map(lambda lines: b"".join(line + b"\r\n" for line in lines))
SHARED = RequestHeadParser()


@given(block=PIECES, minor=st.sampled_from([b"0", b"1"]))
def test_a_parser_with_a_memory_says_what_one_without_says(block: bytes, minor: bytes) -> None:
    head = b"GET / HTTP/1." + minor + b"\r\n" + block
    assert verdict(SHARED, head) == verdict(RequestHeadParser(), head)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_request_or_a_refusal(data: bytes) -> None:
    verdict(SHARED, data)
    verdict(SHARED, b"GET / HTTP/1.1\r\n" + data + b"\r\n")


def verdict(parser: RequestHeadParser, head: bytes) -> object:
    try:
        read = parser.parse(head)
    except ClientError as error:
        return (error.code, error.detail)
    return (read.method, read.sent_method, read.target, read.path, read.query, members(read.fields), read.minor)


def test_a_raw_query_is_encoded_or_refused() -> None:
    head = b'GET /a?x="1"&y=\xc3\xa9 HTTP/1.1\r\nHost: a\r\n'
    read = RequestHeadParser().parse(head)
    assert (read.target, read.query) == (b"/a?x=%221%22&y=%C3%A9", "x=%221%22&y=%C3%A9")
    with pytest.raises(MalformedRequestError, match='the query has `"`, which must be percent-encoded'):
        RequestHeadParser(refuses_raw=True).parse(head)
    assert RequestHeadParser(refuses_raw=True).parse(b"GET /a|b?x[]=%7C HTTP/1.1\r\nHost: a\r\n").path == "/a|b"
