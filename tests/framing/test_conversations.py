"""Several requests on one connection, HTTP/1.0, HEAD, Expect, limits; and bodies that want to be requests.

RFC 9110 sections 9.3.2 and 10.1.1, RFC 9112 sections 9.3 and 9.6.
"""

import pytest

from shardgate.core.limits import FIELDS_MAX, HEAD_BYTES_MAX, TARGET_BYTES_MAX
from tests.framing.cases import (
    CANARY,
    Case,
    answered,
    arrives,
    chunks,
    get,
    passes,
    post,
    refused,
    spoilt,
    unfinished,
)
from tests.framing.wire import BODY_BYTES_MAX, Wire, each

pytestmark = pytest.mark.asyncio(loop_scope="module")

GET = arrives(b"GET /any")
LAST_ONE = arrives(b"GET /last")
POST = b"POST /any"
HELLO = post(b"Content-Length: 5", body=b"hello")
HELLO_ONE = arrives(POST, body=b"hello")
CODED = chunks(b"5\r\nhello\r\n0\r\n\r\n")
CODED_ONE = arrives(POST, body=b"hello", chunked=True)
HOST = b"\r\nHost: a\r\n"

PIPELINES = [
    passes("two requests", get() + get(), GET, GET),
    passes("ten requests", get() * 10, *[GET] * 10),
    passes("bodies of both framings", HELLO + CODED + HELLO, HELLO_ONE, CODED_ONE, HELLO_ONE),
    passes("empty lines between requests", get() + b"\r\n\r\n" + get(), GET, GET),
    passes("an empty line behind a body, as old browsers send", HELLO + b"\r\n" + get(), HELLO_ONE, GET),
    passes(
        "a Host of its own for each",
        get() + b"GET /any HTTP/1.1\r\nHost: b\r\n\r\n",
        GET,
        arrives(b"GET /any", host=b"b"),
    ),
    passes("fields do not stay", get(b"X: y") + get(), arrives(b"GET /any", b"X: y"), GET),
    passes("close ends it", get(b"Connection: close"), GET, closes=True),
    passes("close among others ends it", get(b"Connection: x, CLOSE"), GET, closes=True),
    passes(
        "close behind a body ends it",
        post(b"Connection: close", b"Content-Length: 5", body=b"hello"),
        HELLO_ONE,
        closes=True,
    ),
    passes(
        "close behind chunks ends it",
        post(b"Connection: close", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
        arrives(POST, body=b"", chunked=True),
        closes=True,
    ),
    passes("close in a second field ends it", get(b"Connection: keep-alive", b"Connection: close"), GET, closes=True),
    passes("a word that begins like close does not", get(b"Connection: closed"), GET),
    passes("close in quotes does not", get(b'Connection: "close"'), GET),
    refused("a good request, then a bad line", get() + b"nonsense\r\n\r\n", after=(GET,)),
    refused("a good body, then a bad length", HELLO + post(b"Content-Length: +5", body=b"hello"), after=(HELLO_ONE,)),
    refused(
        "good chunks, then two framings",
        CODED + post(b"Content-Length: 5", b"Transfer-Encoding: chunked"),
        after=(CODED_ONE,),
    ),
    refused("a bare LF behind a body", HELLO + b"\n" + get(), after=(HELLO_ONE,)),
    refused("a space behind a body", HELLO + b" " + get(), after=(HELLO_ONE,)),
    refused("a letter behind a body", HELLO + b"x\r\n\r\n", after=(HELLO_ONE,)),
    spoilt("a good request, then bad chunks", get() + chunks(b"0x5\r\nhello\r\n0\r\n\r\n"), after=(GET,)),
    refused("a good request, then one of HTTP/2", get() + b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", after=(GET,)),
]

# Bodies that would be requests, were they read differently.
DESYNC = [
    passes(
        "a body shorter than its request: the rest is a request",
        post(b"Content-Length: 0", body=get()),
        arrives(POST, body=b""),
        GET,
    ),
    passes(
        "a body with half a request in it",
        post(b"Content-Length: 17", body=b"GET /any HTTP/1.1") + get(),
        arrives(POST, body=b"GET /any HTTP/1.1"),
        GET,
    ),
    passes(
        "a body with a last chunk and a canary",
        post(b"Content-Length: %d" % (5 + len(CANARY)), body=b"0\r\n\r\n" + CANARY),
        arrives(POST, body=b"0\r\n\r\n" + CANARY),
    ),
    passes(
        "a GET with a canary as its body",
        get(b"Content-Length: %d" % len(CANARY)) + CANARY,
        arrives(b"GET /any", body=CANARY),
    ),
    passes(
        "a DELETE with a canary as its body",
        get(b"Content-Length: %d" % len(CANARY)).replace(b"GET", b"DELETE", 1) + CANARY,
        arrives(b"DELETE /any", body=CANARY),
    ),
    passes(
        "an Upgrade with a canary as its body",
        post(b"Connection: Upgrade", b"Upgrade: h2c", b"Content-Length: %d" % len(CANARY), body=CANARY),
        arrives(POST, body=CANARY),
    ),
    passes("a canary in an extension's value", chunks(b'5;a="GET /canary HTTP/1.1"\r\nhello\r\n0\r\n\r\n'), CODED_ONE),
    passes("a canary in a trailer", chunks(b"5\r\nhello\r\n0\r\nX: GET /canary HTTP/1.1\r\n\r\n"), CODED_ONE),
    passes(
        "a twin of the length says less",
        post(b"Content_Length: 0", b"Content-Length: %d" % len(CANARY), body=CANARY),
        arrives(POST, body=CANARY),
    ),
    passes(
        "a twin of the coding says chunks",
        post(b"Transfer_Encoding: chunked", b"Content-Length: %d" % (5 + len(CANARY)), body=b"0\r\n\r\n" + CANARY),
        arrives(POST, body=b"0\r\n\r\n" + CANARY),
    ),
    passes(
        "a field named like the coding and a dot",
        post(b"Transfer.Encoding: chunked", b"Content-Length: 5", body=b"hello"),
        arrives(POST, b"Transfer.Encoding: chunked", body=b"hello"),
    ),
    refused("0.CL with a space", post(b"Content-Length : %d" % len(CANARY), body=CANARY)),
    refused("CL.0 by a fold", post(b"Content-Length:\r\n %d" % len(CANARY), body=CANARY)),
    refused(
        "TE.TE by a second coding",
        post(b"Transfer-Encoding: chunked", b"Transfer-encoding: cow", body=b"0\r\n\r\n"),
        501,
        "SG1012",
    ),
    refused("a length hidden in a Host", post(b"X: y\r\nHost: a\nContent-Length: 5", body=b"hello")),
    refused("a line that two parsers cut differently", post(b"X: y\x0b\r\nContent-Length: 5\r\n", body=b"hello")),
    spoilt("a canary behind a chunk that is too long", chunks(b"3\r\nhello\r\n0\r\n\r\n")),
    spoilt("a canary behind a size that is cut at its sign", chunks(b"0-1\r\n\r\n")),
    unfinished("a canary that a length swallows", post(b"Content-Length: 99", body=CANARY)),
]

TEN = b" HTTP/1.0\r\n"
OLD = [
    passes("HTTP/1.0 ends the connection", b"GET /any" + TEN + b"Host: a\r\n\r\n", GET, closes=True),
    passes(
        "HTTP/1.0 with keep-alive, too",
        b"GET /any" + TEN + b"Host: a\r\nConnection: keep-alive\r\n\r\n",
        GET,
        closes=True,
    ),
    passes(
        "HTTP/1.0 without a Host", b"GET /any" + TEN + b"\r\n", arrives(b"GET /any", host=b"localhost"), closes=True
    ),
    passes(
        "HTTP/1.0 with a body",
        b"POST /any" + TEN + b"Host: a\r\nContent-Length: 5\r\n\r\nhello",
        HELLO_ONE,
        closes=True,
    ),
    passes(
        "HTTP/1.0 and Expect: there is nothing to expect",
        b"POST /any" + TEN + b"Host: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello",
        HELLO_ONE,
        closes=True,
    ),
    passes("HTTP/1.0 behind HTTP/1.1", get() + b"GET /any" + TEN + b"Host: a\r\n\r\n", GET, GET, closes=True),
    refused("HTTP/1.0 in chunks", b"POST /any" + TEN + b"Host: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    refused(
        "HTTP/1.0 with both framings",
        b"POST /any" + TEN + b"Host: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    refused(
        "HTTP/1.0 with identity", b"POST /any" + TEN + b"Host: a\r\nTransfer-Encoding: identity\r\n\r\n", 501, "SG1012"
    ),
    refused("HTTP/1.0 with an empty Host", b"GET /any" + TEN + b"Host:\r\n\r\n"),
    refused("HTTP/1.0 with two Hosts", b"GET /any" + TEN + b"Host: a\r\nHost: b\r\n\r\n"),
]

HEADS = [
    passes("HEAD", b"HEAD /any HTTP/1.1" + HOST + b"\r\n", arrives(b"HEAD /any")),
    passes("HEAD, then GET", b"HEAD /any HTTP/1.1" + HOST + b"\r\n" + get(), arrives(b"HEAD /any"), GET),
    passes(
        "HEAD with a canary as its body",
        b"HEAD /any HTTP/1.1" + HOST + b"Content-Length: %d\r\n\r\n" % len(CANARY) + CANARY,
        arrives(b"HEAD /any", body=CANARY),
    ),
    passes("HEAD of HTTP/1.0", b"HEAD /any HTTP/1.0" + HOST + b"\r\n", arrives(b"HEAD /any"), closes=True),
    answered("HEAD of what is not there", b"HEAD /nothing HTTP/1.1" + HOST + b"\r\n", 404, "", is_head=True),
    answered("HEAD of an ambiguous path", b"HEAD //any HTTP/1.1" + HOST + b"\r\n", 400, "", is_head=True),
]

EXPECTING = [
    passes(
        "Expect, and the body comes at once",
        post(b"Expect: 100-continue", b"Content-Length: 5", body=b"hello"),
        HELLO_ONE,
    ),
    passes("Expect in capitals", post(b"Expect: 100-CONTINUE", b"Content-Length: 5", body=b"hello"), HELLO_ONE),
    passes(
        "Expect and chunks",
        post(b"Expect: 100-continue", b"Transfer-Encoding: chunked", body=b"5\r\nhello\r\n0\r\n\r\n"),
        CODED_ONE,
    ),
    passes("Expect without a body", get(b"Expect: 100-continue"), GET),
    passes(
        "Expect with a body of nothing", post(b"Expect: 100-continue", b"Content-Length: 0"), arrives(POST, body=b"")
    ),
    passes("something else is expected: it is not passed on", get(b"Expect: 200-ok"), GET),
    refused(
        "Expect and a body that is too large",
        post(b"Expect: 100-continue", b"Content-Length: %d" % (BODY_BYTES_MAX + 1)),
        413,
        "SG1006",
    ),
    refused(
        "Expect and two framings", post(b"Expect: 100-continue", b"Content-Length: 5", b"Transfer-Encoding: chunked")
    ),
    spoilt("Expect and bad chunks", post(b"Expect: 100-continue", b"Transfer-Encoding: chunked", body=b"x\r\n")),
]

LONG = b"/any/" + b"a" * (TARGET_BYTES_MAX - len(b"GET /any/ HTTP/1.1"))
ROOM = b"X: " + b"y" * (HEAD_BYTES_MAX - len(get(b"X: ")) + len(b"\r\n\r\n"))
LIMITS = [
    passes("the longest target", get(target=LONG), arrives(b"GET " + LONG)),
    refused("a target that is too long", get(target=LONG + b"a"), 414, "SG1008"),
    refused("a target longer than a head may be", get(target=LONG * 3), 414, "SG1008"),
    refused("a target that never ends", b"GET /" + b"a" * (HEAD_BYTES_MAX + 10), 414, "SG1008"),
    passes(
        "as many fields as may be",
        get(*[b"X: y"] * (FIELDS_MAX - 1)),
        arrives(b"GET /any", *[b"X: y"] * (FIELDS_MAX - 1)),
    ),
    refused("a field too many", get(*[b"X: y"] * FIELDS_MAX), 431, "SG1007"),
    passes("the largest head", get(ROOM), arrives(b"GET /any", ROOM)),
    refused("a head that is a byte too large", get(ROOM + b"y"), 431, "SG1007"),
    refused("a head that never ends", get(ROOM)[:-4] + b"y" * 5000, 431, "SG1007"),
    refused("a name that never ends", b"GET /any HTTP/1.1\r\n" + b"X" * 40_000, 431, "SG1007"),
    refused("a large head behind a good request", get() + get(ROOM + b"y"), 431, "SG1007", after=(GET,)),
]
CASES = PIPELINES + DESYNC + OLD + HEADS + EXPECTING + LIMITS


@each(CASES)
async def test_conversations(wire: Wire, case: Case, delivery: str) -> None:
    await wire.holds(case, delivery)
