"""A hundred bad ways to answer: what a broken or hostile shard may say to any request.

Each is a name and a behaviour of a shard (`proof.hostile.shards.Behaviour`). `SLOW` are those that take until a timeout
of the gateway. The shard's own address and name stand wherever a careless gateway could repeat them to a client.
"""

import asyncio
import gzip
import zlib
from collections.abc import Callable, Iterable

from proof.hostile.shards import Asked, Behaviour

INNER = "http://127.0.0.1:{port}/own"
"""What must not reach a client."""
_OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
_ENDLESS_PIECES = 4000
_PIECE = 64 * 1024
_MB = 1024 * 1024


def _says(data: bytes | Callable[[Asked], bytes]) -> Behaviour:
    async def behave(asked: Asked, writer: asyncio.StreamWriter) -> None:
        said = data if isinstance(data, bytes) else data(asked)
        writer.write(said.replace(b"{inner}", _inner(writer)))
        await writer.drain()

    return behave


def _then_closes(data: bytes) -> Behaviour:
    async def behave(_: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(data.replace(b"{inner}", _inner(writer)))
        await writer.drain()
        raise ConnectionError

    return behave


def _then_resets(data: bytes) -> Behaviour:
    async def behave(_: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        writer.transport.abort()
        raise ConnectionError

    return behave


def _then_stalls(data: bytes) -> Behaviour:
    async def behave(_: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await asyncio.Event().wait()

    return behave


def _without_end(data: bytes, piece: bytes, *, pieces: int = _ENDLESS_PIECES) -> Behaviour:
    """Piece after piece, as fast as the gateway takes them; 256 MB at most, then it closes."""

    async def behave(_: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        for _n in range(pieces):
            writer.write(piece)
            await writer.drain()
        raise ConnectionError

    return behave


def _dripped(head: bytes, piece: bytes, pause_s: float = 0.5) -> Behaviour:
    async def behave(_: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        for at in range(10_000):
            writer.write(piece[at % len(piece) :][:1])
            await writer.drain()
            await asyncio.sleep(pause_s)

    return behave


def _inner(writer: asyncio.StreamWriter) -> bytes:
    return INNER.format(port=writer.get_extra_info("sockname")[1]).encode()


def body(data: bytes, fields: bytes = b"", status: bytes = b"200 OK") -> bytes:
    """A whole reply, well framed."""
    head = b"HTTP/1.1 %b\r\nContent-Type: application/json\r\n%bContent-Length: %d\r\n\r\n" % (
        status,
        fields,
        len(data),
    )
    return head + data


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _chunked(pieces: Iterable[bytes], fields: bytes = b"") -> bytes:
    return _OK + fields + b"Transfer-Encoding: chunked\r\n\r\n" + b"".join(map(_chunk, pieces)) + b"0\r\n\r\n"


def _of_kind(bare: bytes) -> Callable[[Asked], bytes]:
    """Rows in the form that the asked list has."""

    def said(asked: Asked) -> bytes:
        return body(wrapped(asked, bare), b"X-Total: 3\r\n")

    return said


def wrapped(asked: Asked, rows: bytes, *, more: bool = False, cursor: bytes = b'"s-00009"') -> bytes:
    """Rows in the envelope of the list that is asked for."""
    kind = asked.path.split("/")[1]
    if kind == "walk":
        return b'{"items":%b,"next_cursor":%b}' % (rows, cursor if more else b"null")
    if kind == "after":
        return b'{"data":%b,"has_more":%b}' % (rows, b"true" if more else b"false")
    if kind in {"env", "pages"}:
        return b'{"rows":%b,"total":3}' % rows
    return rows


def _bomb(levels: int = 1) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    data = b"".join([packer.compress(b"[" + b" " * (_MB - 1))] + [packer.compress(b" " * _MB) for _ in range(499)])
    data += packer.flush()
    for _ in range(levels - 1):
        data = gzip.compress(data)
    return data


def _rows(count: int, *, of: bytes = b"s") -> bytes:
    return b"[" + b",".join(b'{"id":"%b-%07d","n":%d}' % (of, n, n) for n in range(count)) + b"]"


class Made:
    """A reply that is made when it is needed: some are large, and take a moment."""

    def __init__(self, make: Callable[[], bytes]) -> None:
        self._make = make
        self._made = b""

    def prepare(self) -> None:
        """Make it, so that the shard answers at once."""
        self._made = self._made or self._make()

    def forget(self) -> None:
        """It is not needed any more."""
        self._made = b""

    async def __call__(self, _: Asked, writer: asyncio.StreamWriter) -> None:
        """Answer."""
        self.prepare()
        view = memoryview(self._made)
        for at in range(0, len(view), _PIECE):
            writer.write(view[at : at + _PIECE])
            await writer.drain()


def _never_ending_list(row: bytes) -> Behaviour:
    begin = _OK + b"X-Total: 9\r\nTransfer-Encoding: chunked\r\n\r\n"

    async def behave(asked: Asked, writer: asyncio.StreamWriter) -> None:
        opening = wrapped(asked, b"[]").partition(b"]")[0]
        writer.write(begin + _chunk(opening))
        for at in range(_ENDLESS_PIECES):
            writer.write(_chunk(b"".join(row % (at * 500 + n) for n in range(500))))
            await writer.drain()
        raise ConnectionError

    return behave


def _page_again(rows: Callable[[int], bytes], cursor: bytes = b'"s-00009"') -> Behaviour:
    calls = 0

    async def behave(asked: Asked, writer: asyncio.StreamWriter) -> None:
        nonlocal calls
        calls += 1
        writer.write(body(wrapped(asked, rows(calls), more=True, cursor=cursor), b"X-Total: 1000000000\r\n"))
        await writer.drain()

    return behave


_R3 = b'[{"id":"s-1","n":1},{"id":"s-2","n":2},{"id":"s-3","n":3}]'

HEADS: dict[str, Behaviour] = {
    "closes at once": _then_closes(b""),
    "resets at once": _then_resets(b""),
    "half a status line": _then_closes(b"HTTP/1.1 2"),
    "resets in the head": _then_resets(_OK),
    "a head without end": _without_end(_OK + b"X-Y: ", b"y" * _PIECE),
    "header lines without end": _without_end(_OK, b"X-Y: yyyyyyyyyyyyyyyyyyyyyyyy\r\n" * 2000),
    "10,000 header lines": _says(_OK + b"X-Y: y\r\n" * 10_000 + b"Content-Length: 2\r\n\r\n[]"),
    "9 MB of 100": _says(b"HTTP/1.1 100 Continue\r\n\r\n" * 360_000 + body(_R3)),
    "103 without end": _without_end(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n" * 1000),
    "100 with a head of 30 KB": _says((b"HTTP/1.1 100 Continue\r\nX: " + b"x" * 30_000 + b"\r\n\r\n") * 50 + body(_R3)),
    "101 that nobody asked for": _says(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\nhello"
    ),
    "status 99": _says(body(_R3, status=b"99 Low")),
    "status 999": _says(body(_R3, status=b"999 High")),
    "status 1000": _says(body(_R3, status=b"1000 High")),
    "status of words": _says(b"HTTP/1.1 abc OK\r\nContent-Length: 0\r\n\r\n"),
    "HTTP/2.0": _says(b"HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\n[]"),
    "HTTP/0.9": _then_closes(b"[]"),
    "ICY": _says(b"ICY 200 OK\r\n\r\n"),
    "TLS": _says(b"\x15\x03\x01\x00\x02\x02\x46"),
    "noise": _says(bytes(range(256)) * 2000),
    "a reason of 20 KB": _says(body(_R3, status=b"200 " + b"O" * 20_000)),
    "a reason with an address": _says(body(b'{"a":1}', status=b"500 failed at {inner}")),
    "a return in a value": _says(_OK + b"X: a\rSet-Cookie: evil=1\r\nContent-Length: 2\r\n\r\n[]"),
    "a line feed in a value": _says(_OK + b"X: a\nSet-Cookie: evil=1\r\nContent-Length: 2\r\n\r\n[]"),
    "NUL in a value": _says(_OK + b"X: a\0b\r\nContent-Length: 2\r\n\r\n[]"),
    "a folded value": _says(_OK + b"X: a\r\n b\r\nContent-Length: 2\r\n\r\n[]"),
    "a blank before the colon": _says(_OK + b"Content-Length : 2\r\n\r\n[]"),
    "no name": _says(_OK + b": a\r\nContent-Length: 2\r\n\r\n[]"),
    "a name of 20 KB": _says(_OK + b"X" * 20_000 + b": a\r\nContent-Length: 2\r\n\r\n[]"),
    "Latin-1 in values": _says(body(_R3, b"X-Y: \xe9\xff\x80\r\n")),
    "90 cookies": _says(body(_R3, b"Set-Cookie: session=aaaaaaaaaaaaaaaaaaaa; Path=/\r\n" * 90)),
    "cookies of 30 KB": _says(body(_R3, b"Set-Cookie: a=" + b"b" * 30_000 + b"\r\n")),
    "hop-by-hop fields": _says(
        body(
            _R3,
            b"Connection: close, X-A, Content-Length\r\nX-A: 1\r\nProxy-Authenticate: x\r\nUpgrade: h2c\r\n",
        )
    ),
    "a Server with an address": _says(body(_R3, b"Content-Location: {inner}\r\n")),
    "Location to itself": _says(body(b"{}", b"Location: {inner}\r\n", b"302 Found")),
    "Location to another host": _says(
        body(b"{}", b"Location: http://169.254.169.254/latest\r\n", b"307 Temporary Redirect")
    ),
    "Location with odd bytes": _says(body(b"{}", b"Location: //\\@evil/%0d%0a\r\n", b"308 Permanent Redirect")),
    "Link to itself": _says(body(_R3, b'Link: <{inner}?page=2>; rel="next"\r\nX-Total: 3\r\n')),
    "20 KB of Link": _says(body(_R3, b"Link: " + b'</a>; rel="next", ' * 1000 + b"</b>\r\nX-Total: 3\r\n")),
    "20 KB of Link whose texts do not end": _says(body(_R3, b"Link: " + b'<>\\"' * 5000 + b"\r\nX-Total: 3\r\n")),
    "401": _says(body(b"{}", b'WWW-Authenticate: Basic realm="x"\r\n', b"401 Unauthorized")),
    "407": _says(body(b"{}", b"Proxy-Authenticate: Basic\r\n", b"407 Proxy Authentication Required")),
    "304 to no condition": _says(b'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n'),
    "206 that nobody asked for": _says(body(_R3, b"Content-Range: bytes 0-9/99999\r\n", b"206 Partial Content")),
    "416": _says(body(b"{}", b"Content-Range: bytes */0\r\n", b"416 Range Not Satisfiable")),
    "429 for a million years": _says(body(b"{}", b"Retry-After: 99999999999999999999\r\n", b"429 Too Many Requests")),
    "503 with an odd Retry-After": _says(body(b"{}", b"Retry-After: -1e9\r\n", b"503 Service Unavailable")),
    "418": _says(body(b"{}", status=b"418 I'm a teapot")),
    "an ETag of 20 KB": _says(body(_R3, b'ETag: "' + b"e" * 20_000 + b'"\r\nX-Total: 3\r\n')),
    "404 to everything": _says(body(b"{}", status=b"404 Not Found")),
    "204 to everything": _says(b"HTTP/1.1 204 No Content\r\n\r\n"),
}
"""Bad from the first line on."""

FRAMES: dict[str, Behaviour] = {
    "no length, and open": _then_stalls(_OK + b"\r\n[]"),
    "two lengths": _says(_OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n[]"),
    "length and chunks": _says(_OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    "a negative length": _says(_OK + b"Content-Length: -2\r\n\r\n[]"),
    "a length of 5,000 digits": _says(_OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n[]"),
    "a length of 10^18": _then_closes(_OK + b"Content-Length: 1000000000000000000\r\n\r\n[]"),
    "a length too long": _then_closes(_OK + b"Content-Length: 2000\r\n\r\n[]"),
    "a length too short": _says(
        _OK + b"Content-Length: 2\r\n\r\n[]" + b"HTTP/1.1 200 OK\r\nX-Evil: 1\r\nContent-Length: 4\r\n\r\nevil"
    ),
    "a second reply behind": _says(
        body(_R3) + b"HTTP/1.1 200 OK\r\nSet-Cookie: evil=1\r\nContent-Length: 4\r\n\r\nevil"
    ),
    "a body behind 204": _says(b"HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nevil"),
    "a body behind 304": _says(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\nevil"),
    "an unknown transfer coding": _says(_OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    "chunk sizes of noise": _says(_OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n[]\r\n0\r\n\r\n"),
    "a chunk size with 0x": _says(_OK + b"Transfer-Encoding: chunked\r\n\r\n0x2\r\n[]\r\n0\r\n\r\n"),
    "a chunk of 2^63": _then_closes(_OK + b"Transfer-Encoding: chunked\r\n\r\n7fffffffffffffff\r\n[]"),
    "chunk sizes without end": _without_end(_OK + b"Transfer-Encoding: chunked\r\n\r\n", b"0" * _PIECE),
    "chunk extensions of 200 bytes": _says(
        _chunked([]).replace(b"0\r\n\r\n", b"") + (b"1;" + b"e" * 200 + b"\r\n \r\n") * 20_000 + b"2\r\n[]\r\n0\r\n\r\n"
    ),
    "a million chunks of one byte": Made(
        lambda: _OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\n \r\n" * _MB + b"2\r\n[]\r\n0\r\n\r\n"
    ),
    "trailers without end": _without_end(_chunked([b"[]"])[:-2], b"X-T: tttttttttttttttttttttttttt\r\n" * 2000),
    "a trailer with a cookie": _says(_chunked([b"[]"])[:-2] + b"Set-Cookie: evil=1\r\nContent-Length: 5\r\n\r\n"),
    "chunks that end early": _then_closes(_chunked([b"[]"])[:-5]),
    "resets in the body": _then_resets(_OK + b"Content-Length: 2000\r\n\r\n[" + b" " * 1000),
    "256 MB of blanks": _without_end(_OK + b"Transfer-Encoding: chunked\r\n\r\n", _chunk(b" " * _PIECE)),
    "256 MB of noise": _without_end(_OK + b"Transfer-Encoding: chunked\r\n\r\n", _chunk(b"\x80\xff" * (_PIECE // 2))),
}
"""The body's end is not where it seems."""

CODINGS: dict[str, Behaviour] = {
    "gzip that unpacks to 500 MB": Made(lambda: body(_bomb(), b"Content-Encoding: gzip\r\n")),
    "gzip in gzip": Made(lambda: body(_bomb(2), b"Content-Encoding: gzip, gzip\r\n")),
    "gzip in gzip, said once": Made(lambda: body(_bomb(2), b"Content-Encoding: gzip\r\n")),
    "gzip, cut": _says(body(gzip.compress(_R3)[:-12], b"Content-Encoding: gzip\r\n")),
    "gzip, wrong checksum": _says(body(gzip.compress(_R3)[:-8] + b"\0" * 8, b"Content-Encoding: gzip\r\n")),
    "gzip, noise behind": _says(body(gzip.compress(_R3) + b"noise" * 999, b"Content-Encoding: gzip\r\n")),
    "gzip of 20,000 members": Made(
        lambda: body(gzip.compress(b" ") * 20_000 + gzip.compress(b"[]"), b"Content-Encoding: gzip\r\n")
    ),
    "gzip with a name of 1 MB": Made(
        lambda: body(
            b"\x1f\x8b\x08\x08\0\0\0\0\0\xff" + b"n" * _MB + b"\0" + gzip.compress(b"[]")[10:],
            b"Content-Encoding: gzip\r\n",
        )
    ),
    "gzip that is none": _says(body(_R3, b"Content-Encoding: gzip\r\n")),
    "zlib as deflate": _says(body(zlib.compress(_R3), b"Content-Encoding: deflate\r\n")),
    "br": _says(body(b"\x8b\x02\x80", b"Content-Encoding: br\r\n")),
    "a thousand codings": _says(body(_R3, b"Content-Encoding: " + b"gzip, " * 999 + b"x\r\n")),
    "HTML": _says(body(b"<html>{inner}</html>").replace(b"application/json", b"text/html")),
    "UTF-16": _says(
        body(_R3.decode().encode("utf-16")).replace(b"application/json", b"application/json; charset=utf-16")
    ),
}
"""The body is packed, and not as it says."""

ROWS: dict[str, Behaviour] = {
    "no body": _says(body(b"")),
    "half a list": _says(_of_kind(b'[{"id":"s-1","n":1},')),
    "a text with an address": _says(body(b'"{inner}"')),
    "a fault with an address": _says(_of_kind(b'[{"id":"{inner}","n":{inner}}]')),
    "null": _says(_of_kind(b"null")),
    "rows that are null": _says(_of_kind(b"[null,null]")),
    "rows in rows": _says(_of_kind(b"[" + _R3 + b"]")),
    "a million arrays deep": Made(lambda: body(b"[" * _MB + b"]" * _MB)),
    "a million objects deep": Made(
        lambda: body(b'[{"id":"s-1","n":1,"a":' + b'{"a":' * 500_000 + b"1" + b"}" * 500_000 + b"}]")
    ),
    "NaN": _says(_of_kind(b'[{"id":"s-1","n":NaN}]')),
    "a number of 5 million digits": Made(
        lambda: body(b'[{"id":"s-1","n":' + b"9" * 5_000_000 + b"}]", b"X-Total: 1\r\n")
    ),
    "an exponent of 10^19": _says(_of_kind(b'[{"id":"s-1","n":1e9999999999999999999}]')),
    "a million rows of nothing": Made(lambda: body(b"[" + b"{}," * 999_999 + b"{}]", b"X-Total: 1\r\n")),
    "500,000 rows": Made(lambda: body(_rows(500_000), b"X-Total: 500000\r\n")),
    "500,000 rows of one key": Made(
        lambda: body(b"[" + b'{"id":"s-1","n":1},' * 499_999 + b'{"id":"s-1","n":1}]', b"X-Total: 500000\r\n")
    ),
    "a row of 100 MB": Made(lambda: body(b'[{"id":"s-1","n":1,"a":"' + b"x" * (100 * _MB) + b'"}]', b"X-Total: 1\r\n")),
    "a row of 100 MB of numbers": Made(
        lambda: body(b'[{"id":"s-1","n":1,"a":[1' + b",1" * (50 * _MB) + b"]}]", b"X-Total: 1\r\n")
    ),
    "a row of a million members": Made(
        lambda: body(b'[{"id":"s-1","n":1' + b"".join(b',"%x":1' % n for n in range(_MB)) + b"}]", b"X-Total: 1\r\n")
    ),
    "an id of 20 MB": Made(lambda: body(b'[{"id":"s-' + b"x" * (20 * _MB) + b'","n":1}]', b"X-Total: 1\r\n")),
    "a name of 8 MB": Made(lambda: body(b'[{"id":"s-1","n":1},{"' + b"x" * (8 * _MB - 64) + b'":1,"id":"s-2","n":2}]')),
    "an object with a name of 20 MB": Made(lambda: body(b'{"' + b"x" * (20 * _MB) + b'":1,"id":"s-1","n":1}')),
    "names of 16 KB": Made(
        lambda: body(
            b'[{"id":"s-1","n":1'
            + b"".join(b',"%03d%b":1' % (n, b"\\n" * 8100) for n in range(500))
            + b'},{"id":"s-2","n":2}]'
        )
    ),
    "20 MB of line ends and half a pair": Made(
        lambda: body(b'[{"id":"s-1","n":1,"a":"' + rb"\n" * (10 * _MB) + rb'\ud83d"}]', b"X-Total: 1\r\n")
    ),
    "ids of 10 KB": Made(
        lambda: body(
            b"[" + b",".join(b'{"id":"s-%05d%b","n":1}' % (n, b"x" * 10_000) for n in range(2000)) + b"]",
            b"X-Total: 2000\r\n",
        )
    ),
    "a string without end": _without_end(
        _OK + b"Transfer-Encoding: chunked\r\n\r\n" + _chunk(b'[{"id":"s-1","n":1,"a":"'), _chunk(b"x" * _PIECE)
    ),
    "a list without end": _never_ending_list(b'{"id":"s-%09d","n":1},'),
    "a list without end, of one row": _never_ending_list(b'{"id":"s-1","n":%d},'),
    "a list without end, of nothing": _without_end(
        _OK + b"Transfer-Encoding: chunked\r\n\r\n" + _chunk(b"["), _chunk(b"{}," * 10_000)
    ),
    "no UTF-8": _says(_of_kind(b'[{"id":"\xff\xfe","n":1}]')),
    "half a surrogate pair": _says(_of_kind(b'[{"id":"\\ud800","n":1}]')),
    "a mark of byte order": _says(_of_kind(b"\xef\xbb\xbf" + _R3)),
    "a control character": _says(_of_kind(b'[{"id":"\x01","n":1}]')),
    "ids twice in a row": _says(_of_kind(b'[{"id":"s-1","id":"n-1","n":1}]')),
    "ids that are numbers": _says(_of_kind(b'[{"id":1,"n":1},{"id":true,"n":1},{"id":null,"n":1}]')),
    "ids that climb": _says(_of_kind(b'[{"id":"..","n":1},{"id":"/etc","n":2}]')),
    "ids of another shard": _says(_of_kind(b'[{"id":"n-00001","n":1},{"id":"w-00001","n":2}]')),
    "rows without keys": _says(_of_kind(b'[{"a":1},{"b":2}]')),
    "rows out of order": _says(_of_kind(b'[{"id":"s-9","n":9},{"id":"s-1","n":1}]')),
    "rows of mixed kinds": _says(_of_kind(b'[{"id":"s-1","n":"x"},{"id":"s-2","n":[]},{"id":"s-3","n":{}}]')),
    "a comma too many": _says(_of_kind(b'[{"id":"s-1","n":1},]')),
    "noise behind the list": _says(_of_kind(_R3 + b"x" * 9999)),
    "a total of 10^15": _says(lambda asked: body(wrapped(asked, _R3), b"X-Total: 1000000000000000\r\n")),
    "a total of 5,000 digits": _says(lambda asked: body(wrapped(asked, _R3), b"X-Total: " + b"9" * 5000 + b"\r\n")),
    "a negative total": _says(lambda asked: body(wrapped(asked, _R3), b"X-Total: -5\r\n")),
    "two totals": _says(lambda asked: body(wrapped(asked, _R3), b"X-Total: 3\r\nX-Total: 4\r\n")),
    "pages that never shrink": _page_again(lambda _: _rows(100)),
    "pages that are always new": _page_again(lambda n: b'[{"id":"s-%09d","n":1}]' % n),
    "pages with nothing, and more": _page_again(lambda _: b"[]"),
    "cursors that never end": _page_again(lambda n: b'[{"id":"s-%09d","n":1}]' % n, b'"c"'),
    "a cursor of 1 MB": _page_again(lambda n: b'[{"id":"s-%09d","n":1}]' % n, b'"' + b"c" * _MB + b'"'),
    "a cursor that climbs": _page_again(lambda n: b'[{"id":"s-%09d","n":1}]' % n, b'"../../admin?x=1#\\r\\n"'),
    "a cursor that is no text": _page_again(lambda n: b'[{"id":"s-%09d","n":1}]' % n, b'{"a":[1]}'),
}
"""Framed well, and of no use."""

SLOW: dict[str, Behaviour] = {
    "says nothing": _then_stalls(b""),
    "stalls in the head": _then_stalls(_OK),
    "stalls in the body": _then_stalls(_OK + b"Content-Length: 2000\r\n\r\n["),
    "stalls in a chunk": _then_stalls(_OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\n[{"),
    "drips the head": _dripped(_OK, b"X"),
    "drips the body": _dripped(_OK + b"Content-Length: 20000\r\n\r\n[", b" "),
    "drips interim replies": _dripped(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.05),
    "answers before the body, and stalls": _then_stalls(
        b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 99\r\n\r\n"
    ),
}
"""They end by a timeout of the gateway."""

BAD: dict[str, Behaviour] = {**HEADS, **FRAMES, **CODINGS, **ROWS}
