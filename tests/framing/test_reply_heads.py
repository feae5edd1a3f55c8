"""Heads of shards' replies: one plain reading, or none of it reaches the client (RFC 9112 sections 4, 5 and 6)."""

import pytest

from shardgate.core.limits import FIELDS_MAX, HEAD_BYTES_MAX
from tests.framing.replies import Said, broken, comes_out, each, ok, relayed
from tests.framing.wire import Wire

pytestmark = pytest.mark.asyncio(loop_scope="module")

TWO = b"Content-Length: 2"
HI = b"\r\nContent-Length: 2\r\n\r\nhi"

STATUS_LINES = [
    relayed("a plain reply", b"HTTP/1.1 200 OK" + HI, body=b"hi", framing=TWO),
    relayed("no reason and no space", b"HTTP/1.1 200" + HI, body=b"hi"),
    relayed("an empty reason", b"HTTP/1.1 200 " + HI, body=b"hi"),
    relayed("a reason of its own", b"HTTP/1.1 200 So \xe9 so" + HI, body=b"hi"),
    relayed("a status that nobody registered", b"HTTP/1.1 299 Odd" + HI, body=b"hi", status=299),
    relayed("an error of the shard is not the gateway's", b"HTTP/1.1 500 Oh" + HI, body=b"hi", status=500),
    relayed("HTTP/1.0 ends its connection", b"HTTP/1.0 200 OK" + HI, body=b"hi", framing=TWO, reused=False),
    relayed("HTTP/1.0 with keep-alive does not", b"HTTP/1.0 200 OK\r\nConnection: keep-alive" + HI, body=b"hi"),
    relayed("close ends it", b"HTTP/1.1 200 OK\r\nConnection: close" + HI, body=b"hi", reused=False),
    relayed("close among others ends it", b"HTTP/1.1 200 OK\r\nConnection: x, CLOSE" + HI, body=b"hi", reused=False),
    broken("HTTP/2", b"HTTP/2 200 OK" + HI),
    broken("HTTP/0.9", b"hi\r\n\r\n"),
    broken("HTTP/1.2", b"HTTP/1.2 200 OK" + HI),
    broken("HTTP/1.10", b"HTTP/1.10 200 OK" + HI),
    broken("http/1.1", b"http/1.1 200 OK" + HI),
    broken("no version", b"200 OK" + HI),
    broken("no status", b"HTTP/1.1 OK" + HI),
    broken("a status of two digits", b"HTTP/1.1 20 OK" + HI),
    broken("a status of four digits", b"HTTP/1.1 2000 OK" + HI),
    broken("a status of letters", b"HTTP/1.1 2x0 OK" + HI),
    broken("a status with a sign", b"HTTP/1.1 +20 OK" + HI),
    broken("a status of 0", b"HTTP/1.1 000 OK" + HI),
    broken("a status of 99", b"HTTP/1.1 099 OK" + HI),
    broken("a status of 600", b"HTTP/1.1 600 OK" + HI),
    broken("a status in full-width digits", b"HTTP/1.1 \xef\xbc\x9200 OK" + HI),
    broken("two spaces before the status", b"HTTP/1.1  200 OK" + HI),
    broken("a tab before the status", b"HTTP/1.1\t200 OK" + HI),
    broken("no space behind the status", b"HTTP/1.1 200OK" + HI),
    broken("a space before the line", b" HTTP/1.1 200 OK" + HI),
    broken("an empty line before the line", b"\r\nHTTP/1.1 200 OK" + HI),
    broken("a NUL in the reason", b"HTTP/1.1 200 O\0K" + HI),
    broken("a bare LF in the reason", b"HTTP/1.1 200 O\nX: y" + HI),
    broken("a bare CR in the reason", b"HTTP/1.1 200 O\rX: y" + HI),
    broken("a reply in bare LFs", b"HTTP/1.1 200 OK\nContent-Length: 2\n\nhi\r\n\r\n"),
    broken("another protocol", b"SSH-2.0-OpenSSH_9.2\r\n\r\n"),
    broken("a request", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    broken("a page without a head", b"<html>\r\n\r\n</html>"),
]

FIELDS = [
    relayed(
        "fields in their order", ok(b"X: 1", b"Y: 2", b"X: 3", TWO, body=b"hi"), b"X: 1", b"Y: 2", b"X: 3", body=b"hi"
    ),
    relayed(
        "cookies one by one",
        ok(b"Set-Cookie: a", b"Set-Cookie: b", TWO, body=b"hi"),
        b"Set-Cookie: a",
        b"Set-Cookie: b",
        body=b"hi",
    ),
    relayed("spaces are written anew", ok(b"X:\t y  ", b"Y:", TWO, body=b"hi"), b"X: y", b"Y: ", body=b"hi"),
    relayed("UTF-8 in a value", ok(b"X: \xc3\xa9", TWO, body=b"hi"), b"X: \xc3\xa9", body=b"hi"),
    relayed(
        "fields of one hop stay behind",
        ok(
            b"Connection: X-Mine",
            b"X-Mine: 1",
            b"Keep-Alive: timeout=5",
            b"Upgrade: h2c",
            b"Trailer: T",
            b"X: y",
            TWO,
            body=b"hi",
        ),
        b"X: y",
        body=b"hi",
    ),
    relayed(
        "fields for one proxy stay behind",
        ok(b"Proxy-Authenticate: Basic", b"Proxy-Connection: close", TWO, body=b"hi"),
        body=b"hi",
    ),
    broken("a line without a colon", ok(b"X", TWO, body=b"hi")),
    broken("a space before the colon", ok(b"X : y", TWO, body=b"hi")),
    broken("a line without a name", ok(b": y", TWO, body=b"hi")),
    broken("a name with a space", ok(b"X Y: z", TWO, body=b"hi")),
    broken("a folded line", ok(b"X: y\r\n z", TWO, body=b"hi")),
    broken("a first line that begins with a space", ok(b" X: y", TWO, body=b"hi")),
    broken("a bare LF and a cookie", ok(b"X: y\nSet-Cookie: evil", TWO, body=b"hi")),
    broken("a bare CR and a cookie", ok(b"X: y\rSet-Cookie: evil", TWO, body=b"hi")),
    broken("two CR", ok(b"X: y\r", TWO, body=b"hi")),
    broken("a NUL in a value", ok(b"X: y\0", TWO, body=b"hi")),
    broken("an escape in a value", ok(b"X: \x1b[2J", TWO, body=b"hi")),
    broken("too many fields", ok(*[b"X: y"] * (FIELDS_MAX + 1), body=b"")),
    broken("a head that is too large", ok(b"X: " + b"y" * HEAD_BYTES_MAX, TWO, body=b"hi")),
    broken("a head that never ends", ok(b"X: " + b"y" * HEAD_BYTES_MAX)[:-4]),
    broken("a location with a bare LF", b"HTTP/1.1 302 Found\r\nLocation: /\nSet-Cookie: evil" + HI),
]

FRAMINGS = [
    relayed("a length in another case", ok(b"content-LENGTH:2", body=b"hi"), body=b"hi", framing=TWO),
    relayed("a length with leading zeros", ok(b"Content-Length: 002", body=b"hi"), body=b"hi", framing=TWO),
    relayed("a length of zero", ok(b"Content-Length: 0"), framing=b"Content-Length: 0"),
    relayed(
        "a twin of the length is a field like others",
        ok(b"Content_Length: 9", TWO, body=b"hi"),
        b"Content_Length: 9",
        body=b"hi",
    ),
    broken("two lengths", ok(b"Content-Length: 2", b"Content-Length: 3", body=b"hi")),
    broken("two equal lengths", ok(TWO, TWO, body=b"hi")),
    broken("a list of lengths", ok(b"Content-Length: 2, 2", body=b"hi")),
    broken("a length with a sign", ok(b"Content-Length: +2", body=b"hi")),
    broken("a negative length", ok(b"Content-Length: -1", body=b"hi")),
    broken("a length in hexadecimal", ok(b"Content-Length: 0x2", body=b"hi")),
    broken("a length with an underscore", ok(b"Content-Length: 0_2", body=b"hi")),
    broken("a length of nothing", ok(b"Content-Length:", body=b"hi")),
    broken("a length of a word", ok(b"Content-Length: two", body=b"hi")),
    broken("a length of more than 64 bits", ok(b"Content-Length: 18446744073709551618", body=b"hi")),
    broken("a length with a space before its colon", ok(b"Content-Length : 2", body=b"hi")),
    broken("a length that is folded", ok(b"Content-Length:\r\n 2", body=b"hi")),
    broken("a length and chunks", ok(TWO, b"Transfer-Encoding: chunked", body=b"0\r\n\r\n")),
    broken("chunks and a length", ok(b"Transfer-Encoding: chunked", b"Content-Length: 5", body=b"0\r\n\r\n")),
    broken("a length and identity", ok(TWO, b"Transfer-Encoding: identity", body=b"hi")),
    broken("gzip as a transfer coding", ok(b"Transfer-Encoding: gzip", body=b"hi")),
    broken("gzip and chunks", ok(b"Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n")),
    broken("chunks twice", ok(*[b"Transfer-Encoding: chunked"] * 2, body=b"0\r\n\r\n")),
    broken("an empty coding", ok(b"Transfer-Encoding:", body=b"0\r\n\r\n")),
    broken("chunks with a vertical tab", ok(b"Transfer-Encoding: \x0bchunked", body=b"0\r\n\r\n")),
    broken("chunks of HTTP/1.0", b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    broken("a coding with a space before its colon", ok(b"Transfer-Encoding : chunked", body=b"0\r\n\r\n")),
]
CASES = STATUS_LINES + FIELDS + FRAMINGS


@each(CASES)
async def test_reply_heads(wire: Wire, case: Said, delivery: str) -> None:
    await comes_out(wire, case, delivery)


@each([case for case in CASES if case.code])
async def test_a_head_that_breaks_a_relay_breaks_a_list(wire: Wire, case: Said, delivery: str) -> None:
    await comes_out(wire, case, delivery, b"/scripted/list")
