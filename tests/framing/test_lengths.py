"""Content-Length and Transfer-Encoding: where a body ends is said once, in one way, or the request is refused.

RFC 9110 section 8.6, RFC 9112 sections 6.1 to 6.3.
"""

import pytest

from tests.framing.cases import CANARY, Case, arrives, get, passes, post, refused, unfinished
from tests.framing.wire import BODY_BYTES_MAX, Wire, each

pytestmark = pytest.mark.asyncio(loop_scope="module")

POST = b"POST /any"
HELLO = arrives(POST, body=b"hello")
IN_CHUNKS = arrives(POST, body=b"hello", chunked=True)
CODED = b"5\r\nhello\r\n0\r\n\r\n"

ONE_LENGTH = [
    passes("a length and its body", post(b"Content-Length: 5", body=b"hello"), HELLO),
    passes("the name in another case", post(b"CONTENT-length: 5", body=b"hello"), HELLO),
    passes("no space before the number", post(b"Content-Length:5", body=b"hello"), HELLO),
    passes("spaces around the number", post(b"Content-Length: \t 5 \t", body=b"hello"), HELLO),
    passes("leading zeros are written anew", post(b"Content-Length: 0005", body=b"hello"), HELLO),
    passes("thousands of leading zeros", post(b"Content-Length: " + b"0" * 5000 + b"5", body=b"hello"), HELLO),
    passes("a length of zero", post(b"Content-Length: 0"), arrives(POST, body=b"")),
    passes("neither length nor coding is no body", post(), arrives(POST)),
    passes("a GET with a body", get(b"Content-Length: 5") + b"hello", arrives(b"GET /any", body=b"hello")),
    passes("a body of line ends", post(b"Content-Length: 4", body=b"\r\n\r\n"), arrives(POST, body=b"\r\n\r\n")),
    passes("a body of NUL and 0xff", post(b"Content-Length: 2", body=b"\0\xff"), arrives(POST, body=b"\0\xff")),
    passes(
        "a body that looks like a request",
        post(b"Content-Length: %d" % len(CANARY), body=CANARY),
        arrives(POST, body=CANARY),
    ),
    passes(
        "a body that looks like chunks",
        post(b"Content-Length: 15", body=b"5\r\nhello\r\n0\r\n\r\n"),
        arrives(POST, body=b"5\r\nhello\r\n0\r\n\r\n"),
    ),
    passes(
        "the largest body",
        post(b"Content-Length: %d" % BODY_BYTES_MAX, body=b"x" * BODY_BYTES_MAX),
        arrives(POST, body=b"x" * BODY_BYTES_MAX),
    ),
    unfinished("a body that never ends", post(b"Content-Length: 6", body=b"hello")),
    unfinished("a body that never begins", post(b"Content-Length: 6")),
]

NO_LENGTH = [
    refused("a plus sign", post(b"Content-Length: +5", body=b"hello")),
    refused("a minus sign", post(b"Content-Length: -5", body=b"hello")),
    refused("minus zero", post(b"Content-Length: -0")),
    refused("hexadecimal", post(b"Content-Length: 0x5", body=b"hello")),
    refused("hexadecimal without its mark", post(b"Content-Length: a", body=b"0123456789")),
    refused("octal as in Python", post(b"Content-Length: 0o5", body=b"hello")),
    refused("an underscore", post(b"Content-Length: 0_5", body=b"hello")),
    refused("a thousands separator", post(b"Content-Length: 1,000", body=b"hello")),
    refused("a fraction", post(b"Content-Length: 5.0", body=b"hello")),
    refused("an exponent", post(b"Content-Length: 5e0", body=b"hello")),
    refused("quotes", post(b'Content-Length: "5"', body=b"hello")),
    refused("a space within", post(b"Content-Length: 1 5", body=b"hello")),
    refused("a tab within", post(b"Content-Length: 1\t5", body=b"hello")),
    refused("nothing", post(b"Content-Length:", body=b"hello")),
    refused("a word", post(b"Content-Length: five", body=b"hello")),
    refused("a comment", post(b"Content-Length: 5 (hello)", body=b"hello")),
    refused("a parameter", post(b"Content-Length: 5;q=1", body=b"hello")),
    refused("digits of another script", post(b"Content-Length: \xd9\xa5", body=b"hello")),
    refused("a full-width digit", post(b"Content-Length: \xef\xbc\x95", body=b"hello")),
    refused("a superscript digit of Latin-1", post(b"Content-Length: \xb2", body=b"he")),
    refused("more than 64 bits, 5 when cut", post(b"Content-Length: 18446744073709551621", body=b"hello")),
    refused("more than 32 bits, 5 when cut", post(b"Content-Length: 4294967301", body=b"hello"), 413, "SG1006"),
    refused("a vertical tab before it", post(b"Content-Length: \x0b5", body=b"hello")),
    refused("a form feed behind it", post(b"Content-Length: 5\x0c", body=b"hello")),
    refused("a no-break space", post(b"Content-Length: \xa05", body=b"hello")),
    refused("a NUL behind it", post(b"Content-Length: 5\0", body=b"hello")),
    refused("twice the same", post(b"Content-Length: 5", b"Content-Length: 5", body=b"hello")),
    refused("twice, the first greater", post(b"Content-Length: 5", b"Content-Length: 0", body=b"hello")),
    refused("twice, the last greater", post(b"Content-Length: 0", b"Content-Length: 5", body=b"hello")),
    refused("twice, one in another case", post(b"Content-Length: 5", b"content-length: 6", body=b"hello")),
    refused("twice, far apart", post(b"Content-Length: 0", b"X: y", b"Z: w", b"Content-Length: 5", body=b"hello")),
    refused("twice, one of them empty", post(b"Content-Length:", b"Content-Length: 5", body=b"hello")),
    refused("a list of the same", post(b"Content-Length: 5, 5", body=b"hello")),
    refused("a list of two", post(b"Content-Length: 0, 5", body=b"hello")),
    refused("a list with an empty member", post(b"Content-Length: ,5", body=b"hello")),
    refused("a space before the colon", post(b"Content-Length : 5", body=b"hello")),
    refused("its name folded", b"POST /any HTTP/1.1\r\nHost: a\r\nContent-\r\n Length: 5\r\n\r\nhello"),
    refused("its number folded", post(b"Content-Length:\r\n 5", body=b"hello")),
    refused("larger than the limit", post(b"Content-Length: %d" % (BODY_BYTES_MAX + 1)), 413, "SG1006"),
]

CODINGS = [
    passes("chunked", post(b"Transfer-Encoding: chunked", body=CODED), IN_CHUNKS),
    passes("chunked in another case", post(b"transfer-encoding: CHUNKed", body=CODED), IN_CHUNKS),
    passes("chunked without a space", post(b"Transfer-Encoding:chunked", body=CODED), IN_CHUNKS),
    passes("chunked and a tab", post(b"Transfer-Encoding: chunked\t", body=CODED), IN_CHUNKS),
    passes(
        "a GET in chunks", get(b"Transfer-Encoding: chunked") + CODED, arrives(b"GET /any", body=b"hello", chunked=True)
    ),
    passes(
        "chunked and empty",
        post(b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
        arrives(POST, body=b"", chunked=True),
    ),
    refused("identity", post(b"Transfer-Encoding: identity", body=b"hello"), 501, "SG1012"),
    refused("gzip alone", post(b"Transfer-Encoding: gzip", body=CODED), 501, "SG1012"),
    refused("gzip, chunked", post(b"Transfer-Encoding: gzip, chunked", body=CODED), 501, "SG1012"),
    refused("chunked, gzip", post(b"Transfer-Encoding: chunked, gzip", body=CODED), 501, "SG1012"),
    refused("chunked, chunked", post(b"Transfer-Encoding: chunked, chunked", body=CODED), 501, "SG1012"),
    refused("chunked twice", post(*[b"Transfer-Encoding: chunked"] * 2, body=CODED), 501, "SG1012"),
    refused(
        "chunked, then identity",
        post(b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity", body=CODED),
        501,
        "SG1012",
    ),
    refused(
        "identity, then chunked",
        post(b"Transfer-Encoding: identity", b"Transfer-Encoding: chunked", body=CODED),
        501,
        "SG1012",
    ),
    refused("an empty member before", post(b"Transfer-Encoding: ,chunked", body=CODED), 501, "SG1012"),
    refused("an empty member behind", post(b"Transfer-Encoding: chunked,", body=CODED), 501, "SG1012"),
    refused("an empty coding", post(b"Transfer-Encoding:", body=CODED), 501, "SG1012"),
    refused("a letter too many", post(b"Transfer-Encoding: xchunked", body=CODED), 501, "SG1012"),
    refused("a letter too few", post(b"Transfer-Encoding: chunke", body=CODED), 501, "SG1012"),
    refused("chunked in quotes", post(b'Transfer-Encoding: "chunked"', body=CODED), 501, "SG1012"),
    refused("chunked with a parameter", post(b"Transfer-Encoding: chunked;q=0.5", body=CODED), 501, "SG1012"),
    refused("a vertical tab before chunked", post(b"Transfer-Encoding: \x0bchunked", body=CODED)),
    refused("a form feed behind chunked", post(b"Transfer-Encoding: chunked\x0c", body=CODED)),
    refused("a no-break space before chunked", post(b"Transfer-Encoding: \xa0chunked", body=CODED), 501, "SG1012"),
    refused("a long s in chunked of UTF-8", post(b"Transfer-Encoding: chun\xe2\x84\xaaed", body=CODED), 501, "SG1012"),
    refused("a NUL in chunked", post(b"Transfer-Encoding: chun\0ked", body=CODED)),
    refused("chunked folded", post(b"Transfer-Encoding:\r\n chunked", body=CODED)),
    refused("a coding folded behind it", post(b"Transfer-Encoding: chunked\r\n , identity", body=CODED)),
    refused("a space before the colon of the coding", post(b"Transfer-Encoding : chunked", body=CODED)),
    refused("a tab before the colon of the coding", post(b"Transfer-Encoding\t: chunked", body=CODED)),
    refused("the coding on a line that begins with a space", post(b"X: y", b" Transfer-Encoding: chunked", body=CODED)),
    refused("the coding behind a bare LF", post(b"X: y\nTransfer-Encoding: chunked", body=CODED)),
    refused("the coding behind a bare CR", post(b"X: y\rTransfer-Encoding: chunked", body=CODED)),
]

BOTH = [
    refused("length, then coding", post(b"Content-Length: 15", b"Transfer-Encoding: chunked", body=CODED)),
    refused("coding, then length", post(b"Transfer-Encoding: chunked", b"Content-Length: 15", body=CODED)),
    refused("CL.TE", post(b"Content-Length: 6", b"Transfer-Encoding: chunked", body=b"0\r\n\r\nG")),
    refused(
        "TE.CL", post(b"Transfer-Encoding: chunked", b"Content-Length: 4", body=b"24\r\n" + CANARY + b"\r\n0\r\n\r\n")
    ),
    refused("a length of zero and chunks", post(b"Content-Length: 0", b"Transfer-Encoding: chunked", body=CODED)),
    refused("a length and identity", post(b"Content-Length: 5", b"Transfer-Encoding: identity", body=b"hello")),
    refused("a length and an empty coding", post(b"Content-Length: 5", b"Transfer-Encoding:", body=b"hello")),
    refused("a length and an unknown coding", post(b"Content-Length: 5", b"Transfer-Encoding: x", body=b"hello")),
    refused("a bad length and chunks", post(b"Content-Length: x", b"Transfer-Encoding: chunked", body=CODED)),
    refused(
        "both, and Connection names the coding",
        post(b"Content-Length: 15", b"Transfer-Encoding: chunked", b"Connection: Transfer-Encoding", body=CODED),
    ),
    refused(
        "both, and Connection names the length",
        post(b"Content-Length: 15", b"Transfer-Encoding: chunked", b"Connection: Content-Length", body=CODED),
    ),
    passes(
        "a twin of the length is no length, and stays behind",
        post(b"Content_Length: 99", b"Content-Length: 5", body=b"hello"),
        HELLO,
    ),
    passes(
        "a twin of the coding is no coding, and stays behind",
        post(b"Transfer_Encoding: chunked", b"Content-Length: 5", body=b"hello"),
        HELLO,
    ),
    passes(
        "Connection may name the coding: it is hop-by-hop",
        post(b"Transfer-Encoding: chunked", b"Connection: Transfer-Encoding", body=CODED),
        IN_CHUNKS,
    ),
]
CASES = ONE_LENGTH + NO_LENGTH + CODINGS + BOTH


@each(CASES)
async def test_where_a_body_ends(wire: Wire, case: Case, delivery: str) -> None:
    await wire.holds(case, delivery)
