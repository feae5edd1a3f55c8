"""Header lines: grammar, line ends, what crosses, what a client may not say (RFC 9110 sections 5 and 7.6.1)."""

import pytest

from tests.framing.cases import LAST, Case, answered, arrives, get, passes, post, refused
from tests.framing.conversation import converse
from tests.framing.wire import Wire, each

pytestmark = pytest.mark.asyncio(loop_scope="module")

GET = b"GET /any"
BARE = arrives(GET)

GRAMMAR = [
    passes("a field", get(b"X: y"), arrives(GET, b"X: y")),
    passes("names keep their case", get(b"x-MiNe: y"), arrives(GET, b"x-MiNe: y")),
    passes("no space behind the colon", get(b"X:y"), arrives(GET, b"X: y")),
    passes("many spaces behind the colon", get(b"X: \t  y"), arrives(GET, b"X: y")),
    passes("spaces behind the value", get(b"X: y \t "), arrives(GET, b"X: y")),
    passes("an empty value", get(b"X:"), arrives(GET, b"X: ")),
    passes("a value of spaces", get(b"X:  \t"), arrives(GET, b"X: ")),
    passes("spaces and tabs within a value", get(b"X: a \t b"), arrives(GET, b"X: a \t b")),
    passes("colons within a value", get(b"X: a: b:c"), arrives(GET, b"X: a: b:c")),
    passes("UTF-8 and Latin-1 in a value", get(b"X: \xc3\xa9\xe9"), arrives(GET, b"X: \xc3\xa9\xe9")),
    passes("every mark of a token in a name", get(b"!#$%&'*+-.^_`|~9z: y"), arrives(GET, b"!#$%&'*+-.^_`|~9z: y")),
    passes("one name twice, in its order", get(b"X: 1", b"Y: 2", b"X: 3"), arrives(GET, b"X: 1", b"Y: 2", b"X: 3")),
    passes("cookies are not joined", get(b"Cookie: a=1", b"Cookie: b=2"), arrives(GET, b"Cookie: a=1", b"Cookie: b=2")),
    passes("a value that looks like a field", get(b"X: Host: evil"), arrives(GET, b"X: Host: evil")),
    passes(
        "a value that looks like a request", get(b"X: GET /canary HTTP/1.1"), arrives(GET, b"X: GET /canary HTTP/1.1")
    ),
    refused("a line without a colon", get(b"X")),
    refused("a line without a name", get(b": y")),
    refused("a line with an equals sign", get(b"X=y")),
    refused("a space before the colon", get(b"X : y")),
    refused("a tab before the colon", get(b"X\t: y")),
    refused("a space in a name", get(b"X Y: z")),
    refused("a name in quotes", get(b'"X": y')),
    refused("a name in brackets", get(b"[X]: y")),
    refused("a slash in a name", get(b"X/Y: z")),
    refused("a comma in a name", get(b"X,Y: z")),
    refused("a NUL in a name", get(b"X\0: y")),
    refused("UTF-8 in a name", get(b"X\xc3\xa9: y")),
    refused("a no-break space before the colon", get(b"X\xa0: y")),
    refused("a NUL in a value", get(b"X: y\0z")),
    refused("a NUL alone", get(b"X: \0")),
    refused("a vertical tab in a value", get(b"X: y\x0bz")),
    refused("a form feed in a value", get(b"X: y\x0cz")),
    refused("an escape in a value", get(b"X: y\x1bz")),
    refused("a DEL in a value", get(b"X: y\x7fz")),
    refused("a bell in a value", get(b"X: y\x07z")),
]

LINE_ENDS = [
    refused("a folded line", get(b"X: y\r\n z")),
    refused("a line folded by a tab", get(b"X: y\r\n\tz")),
    refused("a line folded into nothing", get(b"X: y\r\n ")),
    refused("a folded line that looks like a field", get(b"X: y\r\n Content-Length: 5")),
    refused("a bare LF at the end of a line", get(b"X: y\nZ: w")),
    refused("a bare CR at the end of a line", get(b"X: y\rZ: w")),
    refused("two CR at the end of a line", get(b"X: y\r")),
    refused("a bare LF within a value", get(b"X: y\nz")),
    refused("a bare CR within a value", get(b"X: y\rz")),
    refused("LF and CR", get(b"X: y\n\rZ: w")),
    refused("a bare LF before a line", get(b"\nX: y")),
    refused("an empty line of bare LFs, and a canary", get(b"X: y\n\nGET /canary HTTP/1.1\r\nHost: a")),
    refused("an empty line of bare CRs, and a canary", get(b"X: y\r\rGET /canary HTTP/1.1\r\nHost: a")),
    refused("an empty line that begins with a bare LF", b"GET /any HTTP/1.1\r\nHost: a\n\r\n\r\n"),
    refused("an empty line with a space", b"GET /any HTTP/1.1\r\nHost: a\r\n \r\n\r\n"),
    refused("a length behind a bare LF", post(b"X: y\nContent-Length: 5", body=b"hello")),
    refused("a bare CR and a NEL", get(b"X: y\r\x85Z: w")),
    passes("a NEL is no end of a line", get(b"X: y\x85Z: w"), arrives(GET, b"X: y\x85Z: w")),
]

# Fields for one hop end at the gateway, and with them what Connection names.
HOP_BY_HOP = [
    passes("Connection", get(b"Connection: keep-alive", b"X: y"), arrives(GET, b"X: y")),
    passes("an empty Connection", get(b"Connection:", b"X: y"), arrives(GET, b"X: y")),
    passes("a Connection of commas", get(b"Connection: ,, ,", b"X: y"), arrives(GET, b"X: y")),
    passes("what Connection names", get(b"Connection: X-Mine", b"X-Mine: 1", b"X: y"), arrives(GET, b"X: y")),
    passes("what it names in another case", get(b"Connection: x-MINE", b"X-Mine: 1", b"X: y"), arrives(GET, b"X: y")),
    passes("two that it names", get(b"Connection: P ,\tQ", b"P: 1", b"Q: 2", b"X: y"), arrives(GET, b"X: y")),
    passes("two Connection fields", get(b"Connection: P", b"Connection: Q", b"P: 1", b"Q: 2"), BARE),
    passes("it names what comes before it", get(b"X-Mine: 1", b"Connection: X-Mine"), BARE),
    passes("it names what is not there", get(b"Connection: X-Mine", b"X: y"), arrives(GET, b"X: y")),
    passes("it names all of one name", get(b"P: 1", b"Connection: P", b"P: 2"), BARE),
    passes("it names a part of a name only", get(b"Connection: X", b"X-Mine: 1"), arrives(GET, b"X-Mine: 1")),
    passes("Keep-Alive", get(b"Keep-Alive: timeout=5"), BARE),
    passes("TE of a coding", get(b"TE: gzip;q=0.5", b"Connection: TE"), BARE),
    passes("Trailer", get(b"Trailer: X"), BARE),
    passes("Proxy-Connection", get(b"Proxy-Connection: keep-alive"), BARE),
    passes("Proxy-Authorization", get(b"Proxy-Authorization: Basic eA=="), BARE),
    passes("Proxy, which CGI would make a variable", get(b"Proxy: http://evil"), BARE),
    passes(
        "Upgrade to h2c, and its settings",
        get(b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"),
        BARE,
    ),
    passes("Upgrade that Connection does not name", get(b"Upgrade: websocket"), BARE),
    passes("Upgrade to TLS", get(b"Connection: Upgrade", b"Upgrade: TLS/1.2"), BARE),
]

NOMINATED = [
    refused(f"Connection names {name.decode()}", get(b"Connection: close, %b" % name, name + b": x"))
    for name in [
        b"Authorization",
        b"Cookie",
        b"Idempotency-Key",
        b"Content-Type",
        b"Via",
        b"X-Forwarded-For",
        b"X-Forwarded-Proto",
        b"X-Request-Id",
        b"X-Real-IP",
        b"Forwarded",
        b"Expect",
    ]
]
NOMINATED += [
    refused("Connection names Host", get(b"Connection: Host")),
    refused("Connection names the length", post(b"Connection: Content-Length", b"Content-Length: 5", body=b"hello")),
    refused("Connection names Authorization in another case", get(b"Connection: AUTHORIZATION", b"Authorization: x")),
    refused("a second Connection names Cookie", get(b"Connection: keep-alive", b"Connection: Cookie", b"Cookie: a=1")),
    refused("Connection names what the client did not send", get(b"Connection: X-Forwarded-For")),
    refused("a tab before what Connection names", get(b"Connection: close,\tVia")),
]

# What says who asks, or what is asked, is the gateway's to say.
SPOOFED = [
    passes(f"{line.decode()} stays behind", get(line, b"X: y"), arrives(GET, b"X: y"))
    for line in [
        b"X-Forwarded-For: 1.2.3.4",
        b"x-forwarded-for: 1.2.3.4",
        b"X_Forwarded_For: 1.2.3.4",
        b"X-Forwarded_For: 1.2.3.4",
        b"X-Forwarded-Proto: https",
        b"X-Forwarded-Port: 443",
        b"X-Forwarded-Prefix: /admin",
        b"X-Forwarded-User: root",
        b"X-Forwarded-Client-Cert: By=x",
        b"Forwarded: for=1.2.3.4",
        b"X-Real-IP: 1.2.3.4",
        b"X_Real_IP: 1.2.3.4",
        b"X-Original-URL: /canary",
        b"X-Rewrite-URL: /canary",
        b"X_Rewrite_URL: /canary",
        b"Shardgate-Shard: north",
        b"Shardgate_Shard: north",
        b"X_Request_Id: x",
    ]
]
SPOOFED += [
    passes("a plain X-Request-Id is kept", get(b"X-Request-Id: mine-1"), arrives(GET, request_id=b"mine-1")),
    passes("an X-Request-Id that is not plain is replaced", get(b"X-Request-Id: a b"), BARE),
    passes("two X-Request-Id are replaced", get(b"X-Request-Id: a", b"X-Request-Id: b"), BARE),
    passes("an X-Request-Id that is too long is replaced", get(b"X-Request-Id: " + b"a" * 129), BARE),
]
CASES = GRAMMAR + LINE_ENDS + HOP_BY_HOP + NOMINATED + SPOOFED


@each(CASES)
async def test_fields(wire: Wire, case: Case, delivery: str) -> None:
    await wire.holds(case, delivery)


# The routing field: by what the gateway chooses, the shard must see, once.
OWNED = b"GET /owned HTTP/1.1\r\nHost: a\r\n%b\r\n\r\n"


KEYS = [
    passes("the routing field crosses", OWNED % b"X-Vendor: 7", arrives(b"GET /owned", b"X-Vendor: 7")),
    answered("it stands twice", OWNED % b"X-Vendor: 7\r\nX-Vendor: 8", 400, "SG1002"),
    answered("it stands twice the same", OWNED % b"X-Vendor: 7\r\nX-Vendor: 7", 400, "SG1002"),
    answered("it has a twin", OWNED % b"X-Vendor: 7\r\nX_Vendor: 8", 400, "SG1002"),
    answered("it has a twin before it", OWNED % b"x_vendor: 8\r\nX-Vendor: 7", 400, "SG1002"),
    answered("only its twin came", OWNED % b"X_Vendor: 7", 400, "SG1002"),
    answered("Connection names it", OWNED % b"X-Vendor: 7\r\nConnection: X-Vendor", 400, "SG1002"),
    answered(
        "Connection names it in another case",
        OWNED % b"Connection: close, x-vendor\r\nX-Vendor: 7",
        400,
        "SG1002",
        closes=True,
    ),
]


@each(KEYS)
async def test_the_routing_field(wire: Wire, case: Case, delivery: str) -> None:
    await wire.holds(case, delivery)


async def test_te_trailers_is_dropped_or_said_anew(wire: Wire) -> None:
    # RFC 9110 section 10.1.4: who says TE says `Connection: TE`, for each hop anew.
    wire.shard.forget()
    await converse(wire.port, get(b"Connection: TE", b"TE: trailers, gzip") + LAST, piece=1)
    head = wire.shard.arrived[0].head
    said = [line for line in head.split(b"\r\n") if line.startswith((b"TE:", b"Connection:"))]
    assert sorted(said) in ([], [b"Connection: TE", b"TE: trailers"])
