"""Parsers of messages: heads, chunks, fields, codings."""

import gzip
import zlib

from shardgate.core.errors import ClientError, ReplyTooLargeError
from shardgate.core.http import Reply
from shardgate.core.replies.validators import Validators
from shardgate.core.wire.chunked import ChunkedDecoder
from shardgate.core.wire.coding import takes_gzip, unpacked
from shardgate.core.wire.fields import FieldReader
from shardgate.core.wire.forwarded import TrustedProxies
from shardgate.core.wire.reply_head import ReplyHeadParser
from shardgate.core.wire.request_head import RequestHeadParser
from tests.fuzz.target import Target, of_client, of_shard

_REQUESTS, _REPLIES = RequestHeadParser(), ReplyHeadParser()
_UNPACKED_MAX = 100_000


_OF_A_HEAD = (
    "status",
    "reason",
    "fields",
    "lines",
    "content_length",
    "chunked",
    "keep_alive",
    "upgrade",
    "is_packed",
    "is_event_stream",
    "names_shard",
)


def request_head(data: bytes) -> None:
    """A parser that remembers reads what a new one reads."""
    fresh = RequestHeadParser().parse(data)
    for _ in range(2):
        again = _REQUESTS.parse(data)
        assert (again.method, again.target, again.path, again.query) == (
            fresh.method,
            fresh.target,
            fresh.path,
            fresh.query,
        )
        assert again.fields.values == fresh.fields.values
    assert not set(b"\r\n ") & set(fresh.target)
    assert ".." not in fresh.path.split("/")


def reply_head(data: bytes) -> None:
    """A parser that remembers reads what a new one reads."""
    fresh = ReplyHeadParser().parse(data)
    for _ in range(2):
        again = _REPLIES.parse(data)
        for name in _OF_A_HEAD:
            assert getattr(again, name) == getattr(fresh, name), name
    assert 100 <= fresh.status <= 599 or fresh.status <= 999
    assert fresh.lines.count(b"\r\n") == fresh.lines.count(b"\n") == fresh.lines.count(b"\r") == len(fresh.fields)


def fields(data: bytes) -> None:
    """Lines that are written anew are read as the same."""
    read = FieldReader().read(data)
    again = _read_again(b"".join([line for _, _, line in read]))
    assert [field[:2] for field in again] == [field[:2] for field in read]


def _read_again(lines: bytes) -> list[tuple[bytes, bytes, bytes]]:
    """Lines of ours are lines, whatever they were made of."""
    try:
        return FieldReader().read(lines.removesuffix(b"\r\n"))
    except ClientError as error:
        raise AssertionError(lines) from error


def chunked(data: bytes) -> None:
    """What is read does not depend on how the bytes were cut."""
    outcomes = [_decoded(data, size) for size in (len(data) or 1, len(data) // 500 + 1, 1000)]
    assert outcomes[0] == outcomes[1] == outcomes[2]
    if isinstance(outcomes[0], type):
        raise ClientError("refused")


def _decoded(data: bytes, size: int) -> object:
    decoder, out = ChunkedDecoder(), b""
    for at in range(0, len(data), size):
        if decoder.done:
            return out, True, decoder.trailers
        try:
            out += decoder.feed(data[at : at + size])
        except ClientError as error:
            return type(error)
    return out, decoder.done, decoder.trailers


def _head(*lines: bytes) -> bytes:
    return b"\r\n".join([b"GET / HTTP/1.1", b"Host: a", *lines, b""])


_FORWARDED, _X_FORWARDED = TrustedProxies(standard=True), TrustedProxies()


def forwarded(data: bytes) -> None:
    """Lines for shards are lines, whatever the field says."""
    for proxies, name in ((_FORWARDED, b"Forwarded"), (_X_FORWARDED, b"X-Forwarded-For")):
        request = RequestHeadParser().parse(_head(name + b": " + data))
        lines, scheme, _ = proxies.read(request.fields, "192.0.2.1", "http")
        assert scheme in {"http", "https"}
        _read_again(lines)


def conditions(data: bytes) -> None:
    """Conditions, ranges and codings that a client names."""
    names = (b"If-None-Match", b"If-Modified-Since", b"If-Match", b"Accept-Encoding", b"Prefer", b"Range")
    request = RequestHeadParser().parse(_head(*(name + b": " + data for name in names)))
    takes_gzip(request.fields)
    reply = Reply(200, [(b"ETag", b'"a"'), (b"Last-Modified", b"Sun, 06 Nov 1994 08:49:37 GMT")], b"[]")
    Validators().apply(request, reply, object())


def packed(data: bytes) -> None:
    """Never more than the bound, and what we pack is what is unpacked."""
    for coding in (b"gzip", b"deflate"):
        try:
            body = unpacked(Reply(200, [(b"Content-Encoding", coding)], data), _UNPACKED_MAX).body
        except ReplyTooLargeError:
            continue
        assert len(body) <= _UNPACKED_MAX
    again = unpacked(Reply(200, [(b"Content-Encoding", b"gzip")], gzip.compress(data, 1)), _UNPACKED_MAX)
    assert again.body == data


WIRE: dict[str, Target] = {
    "request_head": of_client(
        request_head,
        b"GET /v3/events?limit=2&order=name HTTP/1.1\r\nHost: api.example.com:80\r\nAccept: */*\r\n",
        b"POST http://a/b%20c HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nConnection: close, X-A\r\nX-A: 1\r\n",
        b"OPTIONS * HTTP/1.0\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n",
    ),
    "reply_head": of_shard(
        reply_head,
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nSet-Cookie: a=b\r\n",
        b"HTTP/1.0 304 \r\nTransfer-Encoding: chunked\r\nConnection: close, X\r\nX: 1\r\n",
        b"HTTP/1.1 100 Continue\r\n",
    ),
    "fields": of_client(fields, b"Host: a\r\nX-Long: b c\t d", b"A:\r\nB: \xe9\r\nA: again", b""),
    "chunked": of_client(
        chunked,
        b"5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n",
        b"1\r\nx\r\n0\r\nTrailer: t\r\nX: y\r\n\r\n",
        b"0\r\n\r\nmore",
    ),
    "forwarded": of_client(
        forwarded,
        b'for=192.0.2.1;proto=https;by=_x, for="[2001:db8::1]:80"',
        b"192.0.2.1, 10.0.0.1, ::1",
        b'for="_a\\"b";host=x',
    ),
    "conditions": of_client(
        conditions,
        b'W/"a", "b", *',
        b"Sun, 06 Nov 1994 08:49:37 GMT",
        b"gzip;q=0.5, br, *;q=0",
        b"bytes=0-1,-5",
        b"respond-async, wait=10",
    ),
    "packed": of_shard(
        packed, gzip.compress(b'[{"id":1}]'), zlib.compress(b"[]" * 50), gzip.compress(b" " * 200_000), b"\x1f\x8b"
    ),
}
