"""The chunked coding of requests: sizes, extensions, data, trailers (RFC 9112 section 7.1).

A request whose head is good may begin to go on while its body comes; what counts is that no whole one arrives.
"""

import pytest

from tests.framing.cases import CANARY, Case, arrives, chunks, passes, post, refused, spoilt, unfinished
from tests.framing.wire import BODY_BYTES_MAX, Wire, each

pytestmark = pytest.mark.asyncio(loop_scope="module")

POST = b"POST /any"
HELLO = arrives(POST, body=b"hello", chunked=True)
EMPTY = arrives(POST, body=b"", chunked=True)
END = b"0\r\n\r\n"

PLAIN = [
    passes(
        "two chunks", chunks(b"5\r\nhello\r\n6\r\n world\r\n" + END), arrives(POST, body=b"hello world", chunked=True)
    ),
    passes("chunks of one byte", chunks(b"1\r\nh\r\n1\r\ni\r\n" + END), arrives(POST, body=b"hi", chunked=True)),
    passes("a size with leading zeros", chunks(b"0005\r\nhello\r\n" + END), HELLO),
    passes("a size in capitals", chunks(b"A\r\n0123456789\r\n" + END), arrives(POST, body=b"0123456789", chunked=True)),
    passes(
        "a size in small letters", chunks(b"a\r\n0123456789\r\n" + END), arrives(POST, body=b"0123456789", chunked=True)
    ),
    passes("the last chunk of many zeros", chunks(b"5\r\nhello\r\n00000\r\n\r\n"), HELLO),
    passes(
        "data that looks like a chunk",
        chunks(b"5\r\n0\r\n\r\n\r\n" + END),
        arrives(POST, body=b"0\r\n\r\n", chunked=True),
    ),
    passes(
        "data that looks like a request",
        chunks(b"%x\r\n%b\r\n" % (len(CANARY), CANARY) + END),
        arrives(POST, body=CANARY, chunked=True),
    ),
    passes("a request behind the last chunk", chunks(END) + chunks(b"5\r\nhello\r\n" + END), EMPTY, HELLO),
    passes("a size with as many zeros as a line may have", chunks(b"0" * 255 + b"5\r\nhello\r\n" + END), HELLO),
    passes("a last chunk with 16 zeros", chunks(b"5\r\nhello\r\n0000000000000000\r\n\r\n"), HELLO),
    passes("several extensions", chunks(b'5;a;b=c;d="e"\r\nhello\r\n' + END), HELLO),
    passes("an escape in quotes", chunks(b'5;a="b\\"c"\r\nhello\r\n' + END), HELLO),
    passes("an extension", chunks(b"5;a\r\nhello\r\n" + END), HELLO),
    passes("an extension with a value", chunks(b"5;a=b\r\nhello\r\n" + END), HELLO),
    passes("an extension in quotes", chunks(b'5;a="b;c"\r\nhello\r\n' + END), HELLO),
    passes("spaces around an extension", chunks(b"5 ; a = b\r\nhello\r\n" + END), HELLO),
    passes("an extension of the last chunk", chunks(b"5\r\nhello\r\n0;a=b\r\n\r\n"), HELLO),
    passes("an extension that looks like a length", chunks(b"5;Content-Length=99\r\nhello\r\n" + END), HELLO),
]

SIZES = [
    spoilt("a sign before a size", chunks(b"+5\r\nhello\r\n" + END)),
    spoilt("a negative size", chunks(b"-5\r\nhello\r\n" + END)),
    spoilt("a size with 0x", chunks(b"0x5\r\nhello\r\n" + END)),
    spoilt("a size with an underscore", chunks(b"0_5\r\nhello\r\n" + END)),
    spoilt("an underscore where int() takes one", chunks(b"0_2e\r\n" + CANARY + END)),
    spoilt("a space before a size", chunks(b" 5\r\nhello\r\n" + END)),
    spoilt("a tab before a size", chunks(b"\t5\r\nhello\r\n" + END)),
    spoilt("a space behind a size", chunks(b"5 \r\nhello\r\n" + END)),
    spoilt("a tab behind a size", chunks(b"5\t\r\nhello\r\n" + END)),
    spoilt("a vertical tab behind a size", chunks(b"5\x0b\r\nhello\r\n" + END)),
    spoilt("a NUL behind a size", chunks(b"5\0\r\nhello\r\n" + END)),
    spoilt("a NUL before a size", chunks(b"\x005\r\nhello\r\n" + END)),
    spoilt("no size", chunks(b"\r\nhello\r\n" + END)),
    spoilt("only an extension", chunks(b";a\r\nhello\r\n" + END)),
    spoilt("a letter that is no digit", chunks(b"5g\r\nhello\r\n" + END)),
    spoilt("a comma behind a size", chunks(b"5,a\r\nhello\r\n" + END)),
    spoilt("a colon behind a size", chunks(b"5:a\r\nhello\r\n" + END)),
    spoilt("a word behind a size", chunks(b"5 a\r\nhello\r\n" + END)),
    spoilt("a size in quotes", chunks(b'"5"\r\nhello\r\n' + END)),
    spoilt("a fraction of a size", chunks(b"5.0\r\nhello\r\n" + END)),
    spoilt("a full-width digit of a size", chunks(b"\xef\xbc\x95\r\nhello\r\n" + END)),
    spoilt("17 digits, 5 when cut to 64 bits", chunks(b"10000000000000005\r\nhello\r\n" + END)),
    spoilt("16 digits, all f", chunks(b"ffffffffffffffff\r\nhello\r\n" + END)),
    spoilt("16 digits behind a zero", chunks(b"01000000000000005\r\nhello\r\n" + END)),
    spoilt("an extension without a name", chunks(b"5;\r\nhello\r\n" + END)),
    spoilt("an extension of an equals sign", chunks(b"5;=\r\nhello\r\n" + END)),
    spoilt("an extension without its value", chunks(b"5;a=\r\nhello\r\n" + END)),
    spoilt("an extension without its name", chunks(b"5;=b\r\nhello\r\n" + END)),
    spoilt("two words in an extension", chunks(b"5;a b\r\nhello\r\n" + END)),
    spoilt("an extension with two values", chunks(b"5;a=b=c\r\nhello\r\n" + END)),
    spoilt("a semicolon behind an extension", chunks(b"5;a;\r\nhello\r\n" + END)),
    spoilt("a space behind an extension", chunks(b"5;a \r\nhello\r\n" + END)),
    spoilt("quotes that do not end", chunks(b'5;a="b\r\nhello\r\n' + END)),
    spoilt("a word behind quotes", chunks(b'5;a="b"c\r\nhello\r\n' + END)),
    spoilt("a name in quotes", chunks(b'5;"a"\r\nhello\r\n' + END)),
    spoilt("a comma in an extension", chunks(b"5;a,b\r\nhello\r\n" + END)),
    spoilt(
        "9 digits, 5 when cut to 32 bits, and then the end",
        chunks(b"100000005\r\nhello\r\n" + END + b"x" * BODY_BYTES_MAX),
        413,
        "SG1006",
    ),
    spoilt("a size line longer than its limit", chunks(b"5;" + b"a" * 300 + b"\r\nhello\r\n" + END)),
    spoilt("a size line without an end", chunks(b"5;" + b"a" * 900)),
    spoilt(
        "more data than the body's limit, in one chunk",
        chunks(b"%x\r\n" % 3000 + b"x" * 3000 + b"\r\n" + END),
        413,
        "SG1006",
    ),
    spoilt(
        "more data than the body's limit, in many", chunks((b"100\r\n" + b"x" * 256 + b"\r\n") * 8 + END), 413, "SG1006"
    ),
]

LINES = [
    spoilt("a bare LF behind a size", chunks(b"5\nhello\r\n" + END)),
    spoilt("a bare CR behind a size", chunks(b"5\rhello\r\n" + END)),
    spoilt("two CR behind a size", chunks(b"5\r\r\nhello\r\n" + END)),
    spoilt("LF and CR behind a size", chunks(b"5\n\rhello\r\n" + END)),
    spoilt("a bare LF in an extension", chunks(b"5;a\nb\r\nhello\r\n" + END)),
    spoilt("a bare CR in an extension", chunks(b"5;a\rb\r\nhello\r\n" + END)),
    spoilt("a chunk hidden behind a bare LF in an extension", chunks(b"2;\nxx\r\n24\r\n" + END + CANARY)),
    spoilt("a NUL in an extension", chunks(b"5;a\0b\r\nhello\r\n" + END)),
    spoilt("a bare LF behind data", chunks(b"5\r\nhello\n" + END)),
    spoilt("a bare CR behind data", chunks(b"5\r\nhello\r" + END)),
    spoilt("nothing behind data", chunks(b"5\r\nhello" + END)),
    spoilt("two letters behind data", chunks(b"5\r\nhelloXX" + END)),
    spoilt("more data than the size", chunks(b"4\r\nhello\r\n" + END)),
    spoilt("less data than the size", chunks(b"6\r\nhello\r\n" + END)),
    spoilt("an empty line between chunks", chunks(b"5\r\nhello\r\n\r\n" + END)),
    spoilt("a bare LF behind the last chunk", chunks(b"5\r\nhello\r\n0\n\r\n")),
    spoilt("bare LFs as the end", chunks(b"5\r\nhello\r\n0\n\n")),
    spoilt("no chunks at all", chunks(b"hello")),
    spoilt(
        "a body by its length though chunks are announced",
        post(b"Transfer-Encoding: chunked", body=b"name=value&x=1\r\n"),
    ),
    unfinished("the end is missing", chunks(b"5\r\nhello\r\n")),
    unfinished("the end breaks off", chunks(b"5\r\nhello\r\n0\r\n")),
    unfinished("a chunk breaks off", chunks(b"5\r\nhel")),
    unfinished("a size breaks off", chunks(b"5")),
    unfinished("a trailer breaks off", chunks(b"0\r\nX: y\r\n")),
]

# Without `TE: trailers` nobody has asked for them: they are read strictly and dropped (RFC 9110 section 6.5.1).
TRAILERS = [
    passes("a trailer field", chunks(b"5\r\nhello\r\n0\r\nX: y\r\n\r\n"), HELLO),
    passes("two trailer fields", chunks(b"5\r\nhello\r\n0\r\nX: y\r\nZ: w\r\n\r\n"), HELLO),
    spoilt("a trailer line without a colon", chunks(b"0\r\nX\r\n\r\n")),
    spoilt("a trailer line with a space before its colon", chunks(b"0\r\nX : y\r\n\r\n")),
    spoilt("a trailer line that is folded", chunks(b"0\r\nX: y\r\n z\r\n\r\n")),
    spoilt("a trailer line that begins with a space", chunks(b"0\r\n X: y\r\n\r\n")),
    spoilt("a trailer line that ends with a bare LF", chunks(b"0\r\nX: y\nZ: w\r\n\r\n")),
    spoilt("a trailer line with a bare CR", chunks(b"0\r\nX: y\rz\r\n\r\n")),
    spoilt("a trailer line with a NUL", chunks(b"0\r\nX: y\0\r\n\r\n")),
    spoilt("a trailer line without a name", chunks(b"0\r\n: y\r\n\r\n")),
    spoilt("a request where trailers are", chunks(b"0\r\n" + CANARY)),
    spoilt("more trailer fields than a head may have", chunks(b"0\r\n" + b"X: y\r\n" * 101 + b"\r\n"), 431, "SG1007"),
    spoilt("a trailer section that is too long", chunks(b"0\r\nX: " + b"y" * 33_000 + b"\r\n\r\n")),
]

HEADS = [
    refused("chunks in a head with a bad line", post(b"Transfer-Encoding: chunked", b"X : y", body=END)),
    refused("chunks and no Host", b"POST /any HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + END),
]
CASES = PLAIN + SIZES + LINES + TRAILERS + HEADS


@each(CASES)
async def test_chunks(wire: Wire, case: Case, delivery: str) -> None:
    await wire.holds(case, delivery)


# Which trailer fields may never become fields of the message: they are dropped, or the request is refused.
@pytest.mark.parametrize("delivery", ["whole", "bytes"])
@pytest.mark.parametrize(
    "field", [b"Content-Length: 5", b"Transfer-Encoding: chunked", b"Host: evil", b"Authorization: x", b"X-Vendor: 7"]
)
async def test_a_trailer_never_becomes_a_header(wire: Wire, field: bytes, delivery: str) -> None:
    sends = chunks(b"5\r\nhello\r\n0\r\n" + field + b"\r\n\r\n")
    await wire.holds(passes(f"{field!r} as a trailer", sends, HELLO), delivery)
