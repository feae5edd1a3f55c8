"""Bodies of shards' replies: where they end, what stands behind them, what breaks off.

RFC 9112 sections 6.3, 7.1, 8 and 9.2; RFC 9110 sections 9.3.2 and 15.2.
"""

import pytest

from tests.framing.replies import Said, breaks, broken, coded, comes_out, each, ok, relayed
from tests.framing.wire import Wire

pytestmark = pytest.mark.asyncio(loop_scope="module")

TWO = b"Content-Length: 2"
CHUNKED = b"Transfer-Encoding: chunked"
HI = ok(TWO, body=b"hi")
END = b"0\r\n\r\n"
POISON = b"HTTP/1.1 200 OK\r\nX: poison\r\nContent-Length: 6\r\n\r\npoison"

CHUNKS = [
    relayed("chunks", coded(b"2\r\nhi\r\n" + END), body=b"hi", framing=CHUNKED),
    relayed("chunks of one byte", coded(b"1\r\nh\r\n1\r\ni\r\n" + END), body=b"hi"),
    relayed("no chunks but the last", coded(END), framing=CHUNKED),
    relayed("chunks with extensions", coded(b'2;a="b"\r\nhi\r\n0;c\r\n\r\n'), body=b"hi"),
    relayed("chunks with leading zeros", coded(b"002\r\nhi\r\n000\r\n\r\n"), body=b"hi"),
    relayed("a size in capitals", coded(b"A\r\n0123456789\r\n" + END), body=b"0123456789"),
    relayed("data that looks like a last chunk", coded(b"5\r\n0\r\n\r\n\r\n" + END), body=b"0\r\n\r\n"),
    relayed("data that looks like a reply", coded(b"%x\r\n%b\r\n" % (len(POISON), POISON) + END), body=POISON),
    relayed("a trailer that nobody asked for", coded(b"2\r\nhi\r\n0\r\nX: y\r\n\r\n"), body=b"hi"),
    relayed("a trailer that names a length", coded(b"2\r\nhi\r\n0\r\nContent-Length: 9\r\n\r\n"), body=b"hi"),
    relayed("chunks for HTTP/1.0", coded(b"2\r\nhi\r\n" + END), body=b"hi", framing=b"", minor=0),
    breaks("a size with 0x", coded(b"0x2\r\nhi\r\n" + END)),
    breaks("a size with a sign", coded(b"+2\r\nhi\r\n" + END)),
    breaks("a size with an underscore", coded(b"0_2\r\nhi\r\n" + END)),
    breaks("a size behind a space", coded(b" 2\r\nhi\r\n" + END)),
    breaks("a size before a space", coded(b"2 \r\nhi\r\n" + END)),
    breaks("no size", coded(b"\r\nhi\r\n" + END)),
    breaks("a size of more than 64 bits", coded(b"10000000000000002\r\nhi\r\n" + END)),
    breaks("a bare LF behind a size", coded(b"2\nhi\r\n" + END)),
    breaks("a bare LF in an extension", coded(b"2;a\nb\r\nhi\r\n" + END)),
    breaks("a bare LF behind data", coded(b"2\r\nhi\n" + END)),
    breaks("nothing behind data", coded(b"2\r\nhi" + END)),
    breaks("more data than the size", coded(b"2\r\nhiho\r\n" + END)),
    breaks("less data than the size", coded(b"3\r\nhi\r\n" + END)),
    breaks("a bad chunk behind a good one", coded(b"2\r\nhi\r\nx\r\n" + END)),
    breaks("a bad trailer", coded(b"2\r\nhi\r\n0\r\nX : y\r\n\r\n")),
    breaks("a trailer with a bare LF", coded(b"2\r\nhi\r\n0\r\nX: y\nZ: w\r\n\r\n")),
    breaks("a reply where trailers are", coded(b"2\r\nhi\r\n0\r\n" + POISON)),
    breaks("a size line that is too long", coded(b"2;" + b"a" * 300 + b"\r\nhi\r\n" + END)),
    breaks("no chunks where they are announced", coded(b"hi there\r\n")),
]

# What stands behind the end of a reply answers nobody: the connection is not used again.
EXTRA = [
    relayed("a byte too many", HI + b"!", body=b"hi", framing=TWO, reused=False),
    relayed("a line end too many", HI + b"\r\n", body=b"hi", reused=False),
    relayed("a second reply", HI + POISON, body=b"hi", reused=False),
    relayed("a body where none is", ok(b"Content-Length: 0", body=b"hi"), reused=False),
    relayed("a byte behind chunks", coded(b"2\r\nhi\r\n" + END + b"!"), body=b"hi", reused=False),
    relayed("a line end behind chunks", coded(b"2\r\nhi\r\n" + END + b"\r\n"), body=b"hi", reused=False),
    relayed("a reply behind chunks", coded(END) + POISON, reused=False),
    relayed("an interim reply behind a reply", HI + b"HTTP/1.1 103 Early\r\n\r\n", body=b"hi", reused=False),
    relayed("a body to HEAD", HI, ask=b"HEAD", framing=TWO, reused=False),
    relayed(
        "a reply as the body to HEAD", ok(b"Content-Length: %d" % len(POISON), body=POISON), ask=b"HEAD", reused=False
    ),
    relayed("chunks to HEAD", coded(b"2\r\nhi\r\n" + END), ask=b"HEAD", reused=False),
    relayed("a body with 204", b"HTTP/1.1 204 No\r\n\r\nhi", status=204, framing=b"", reused=False),
    relayed(
        "a length and a body with 204",
        b"HTTP/1.1 204 No\r\nContent-Length: 2\r\n\r\nhi",
        status=204,
        framing=b"",
        reused=False,
    ),
    relayed(
        "chunks with 204",
        b"HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n" + END,
        status=204,
        framing=b"",
        reused=False,
    ),
    relayed("a reply behind 204", b"HTTP/1.1 204 No\r\n\r\n" + POISON, status=204, reused=False),
    relayed(
        "a body with 304", b"HTTP/1.1 304 No\r\nContent-Length: 2\r\n\r\nhi", status=304, framing=TWO, reused=False
    ),
    relayed("a reply behind 304", b"HTTP/1.1 304 No\r\n\r\n" + POISON, status=304, reused=False),
]

BODILESS = [
    relayed("HEAD with a length", ok(TWO), ask=b"HEAD", framing=TWO),
    relayed("HEAD with chunks announced", ok(CHUNKED), ask=b"HEAD"),
    relayed("HEAD without framing", ok(), ask=b"HEAD"),
    relayed("HEAD of HTTP/1.0", ok(TWO), ask=b"HEAD", framing=TWO, minor=0),
    relayed("204", b"HTTP/1.1 204 No\r\nX: y\r\n\r\n", b"X: y", status=204, framing=b""),
    relayed("204 with a length", b"HTTP/1.1 204 No\r\nContent-Length: 2\r\n\r\n", status=204, framing=b""),
    relayed("304 with a length", b"HTTP/1.1 304 No\r\nContent-Length: 2\r\n\r\n", status=304, framing=TWO),
    relayed("304 with an ETag", b'HTTP/1.1 304 No\r\nETag: "x"\r\n\r\n', b'ETag: "x"', status=304),
    broken("HEAD with two framings", ok(TWO, CHUNKED), ask=b"HEAD"),
    broken("204 with two framings", b"HTTP/1.1 204 No\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n"),
]

INTERIM = [
    relayed("100 before the reply", b"HTTP/1.1 100 Continue\r\n\r\n" + HI, body=b"hi"),
    relayed("103 before the reply", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + HI, body=b"hi"),
    relayed("many before the reply", b"HTTP/1.1 102 Processing\r\n\r\n" * 50 + HI, body=b"hi"),
    relayed("199, which nobody registered", b"HTTP/1.1 199 Odd\r\n\r\n" + HI, body=b"hi"),
    relayed("103 before a reply to HEAD", b"HTTP/1.1 103 Early\r\n\r\n" + ok(TWO), ask=b"HEAD", framing=TWO),
    relayed("103 before 204", b"HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 204 No\r\n\r\n", status=204),
    relayed("none of it reaches HTTP/1.0", b"HTTP/1.1 103 Early\r\n\r\n" + HI, body=b"hi", minor=0),
    broken("101 that nobody asked for", b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"),
    broken("101 behind 103", b"HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n"),
    broken("an interim reply with a bad line", b"HTTP/1.1 103 Early\r\nX : y\r\n\r\n" + HI),
    broken(
        "an interim reply with two framings",
        b"HTTP/1.1 103 E\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n" + HI,
    ),
    broken("an interim reply with a body", b"HTTP/1.1 103 Early\r\nContent-Length: 2\r\n\r\nno" + HI),
    broken("an interim reply and then another protocol", b"HTTP/1.1 103 Early\r\n\r\nnonsense\r\n\r\n"),
    broken("an interim reply and no more", b"HTTP/1.1 103 Early\r\n\r\n", ends="closes"),
    broken("100 and no more", b"HTTP/1.1 100 Continue\r\n\r\n", ends="closes"),
]

UNTIL_CLOSE = [
    relayed("a body until the end", ok(body=b"hi"), body=b"hi", framing=CHUNKED, ends="closes", reused=False),
    relayed("no body until the end", ok(), framing=CHUNKED, ends="closes", reused=False),
    relayed("a body that looks like chunks", ok(body=END), body=END, ends="closes", reused=False),
    relayed("a body that looks like a reply", ok(body=POISON), body=POISON, ends="closes", reused=False),
    relayed(
        "until the end, for HTTP/1.0", ok(body=b"hi"), body=b"hi", framing=b"", minor=0, ends="closes", reused=False
    ),
    relayed(
        "of HTTP/1.0, for HTTP/1.0", b"HTTP/1.0 200 OK\r\n\r\nhi", body=b"hi", minor=0, ends="closes", reused=False
    ),
    relayed(
        "keep-alive does not make an end",
        ok(b"Connection: keep-alive", body=b"hi"),
        body=b"hi",
        ends="closes",
        reused=False,
    ),
    breaks("a body until a reset", ok(body=b"hi"), ends="resets"),
]

BROKEN_OFF = [
    broken("closed without a word", b"", ends="closes"),
    broken("reset without a word", b"", ends="resets"),
    broken("closed within the status line", b"HTTP/1.1 20", ends="closes"),
    broken("closed within the head", b"HTTP/1.1 200 OK\r\nContent-Le", ends="closes"),
    broken("closed before the empty line", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n", ends="closes"),
    broken("reset within the head", b"HTTP/1.1 200 OK\r\nContent-Le", ends="resets"),
    broken("a change, closed without a word", b"", ask=b"POST", code="SG2008", ends="closes"),
    broken("a change, reset without a word", b"", ask=b"POST", code="SG2008", ends="resets"),
    broken("a change, closed within the head", b"HTTP/1.1 200", ask=b"POST", ends="closes"),
    breaks("closed before the body", ok(TWO), ends="closes"),
    breaks("closed within the body", ok(TWO, body=b"h"), ends="closes"),
    breaks("reset within the body", ok(TWO, body=b"h"), ends="resets"),
    breaks("closed before the first chunk", coded(b""), ends="closes"),
    breaks("closed within a size", coded(b"2"), ends="closes"),
    breaks("closed within a chunk", coded(b"2\r\nh"), ends="closes"),
    breaks("closed behind a chunk", coded(b"2\r\nhi\r\n"), ends="closes"),
    breaks("closed within the last chunk", coded(b"2\r\nhi\r\n0\r\n"), ends="closes"),
    breaks("closed within a trailer", coded(b"2\r\nhi\r\n0\r\nX: y\r\n"), ends="closes"),
    breaks("reset behind a chunk", coded(b"2\r\nhi\r\n"), ends="resets"),
    breaks("a change, closed within the body", ok(TWO, body=b"h"), ask=b"POST", ends="closes"),
    breaks("closed within the body, for HTTP/1.0", ok(TWO, body=b"h"), minor=0, ends="closes"),
]
CASES = CHUNKS + EXTRA + BODILESS + INTERIM + UNTIL_CLOSE + BROKEN_OFF


@each(CASES)
async def test_reply_bodies(wire: Wire, case: Said, delivery: str) -> None:
    await comes_out(wire, case, delivery)


@each([case for case in CASES if case.ask == b"GET" and case.minor == 1 and (case.code or case.breaks)])
async def test_a_body_that_breaks_a_relay_breaks_a_list(wire: Wire, case: Said, delivery: str) -> None:
    await comes_out(wire, case, delivery, b"/scripted/list")


# An HTTP/1.0 client knows a body's end by the end of the connection: only a reset can tell it that it is not whole.
@pytest.mark.parametrize("delivery", ["whole", "bytes"])
@pytest.mark.parametrize(
    "case",
    [
        breaks("chunks that break off", coded(b"2\r\nhi\r\n"), minor=0, ends="closes"),
        breaks("a body until a reset", ok(body=b"hi"), minor=0, ends="resets"),
    ],
    ids=lambda case: case.name,
)
async def test_a_1_0_client_sees_that_a_reply_is_not_whole(wire: Wire, case: Said, delivery: str) -> None:
    await comes_out(wire, case, delivery)
