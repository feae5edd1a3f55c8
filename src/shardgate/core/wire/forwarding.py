"""Heads written anew: a request towards a shard, a reply towards the client.

Holds: framing is always ours. Lines that are passed on were validated, and freed of hop-by-hop fields, when read.
Hot path: one `%`-format a head.
"""

from http import HTTPStatus
from typing import Final

from shardgate.core.http import Reply, ReplyHead, Request
from shardgate.core.wire.fields import as_fields

_STATUS_LINES: Final = {
    status.value: b"HTTP/1.1 %d %s\r\n" % (status.value, status.phrase.encode()) for status in HTTPStatus
}
# RFC 9110 section 8.6: the gateway adds no Content-Length to these.
_BODILESS: Final = frozenset({204, 304})


def hop_lines(peer: str, scheme: str) -> bytes:
    """The lines that all requests of one client connection get (RFC 9110 section 7.6.3); made once a connection."""
    return f"X-Forwarded-For: {peer}\r\nX-Forwarded-Proto: {scheme}\r\nVia: 1.1 shardgate\r\n".encode("latin-1")


def request_head(
    method: bytes, target: bytes, host: bytes, lines: bytes, hop: bytes, request_id: bytes, framing: bytes
) -> bytes:
    """The head of a request to a shard. `framing`: from `body_framing` or `upgrade_lines`."""
    return b"%b %b HTTP/1.1\r\nHost: %b\r\n%b%bX-Request-Id: %b\r\n%b\r\n" % (
        method,
        target,
        host,
        lines,
        hop,
        request_id,
        framing,
    )


def body_framing(request: Request) -> bytes:
    """The line that frames a request's body towards a shard: its length, or chunks where the length is not known."""
    if not request.fields.has_body:
        return b""
    length = request.length
    return b"Transfer-Encoding: chunked\r\n" if length is None else b"Content-Length: %d\r\n" % length


def upgrade_lines(protocol: bytes) -> bytes:
    """The offer of another protocol, or its acceptance (RFC 9110 section 7.8)."""
    return b"Connection: Upgrade\r\nUpgrade: %b\r\n" % protocol


def chunk(data: bytes) -> bytes:
    """One chunk (RFC 9112 section 7.1). `data` is not empty: an empty chunk ends the body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def last_chunk(trailers: bytes) -> bytes:
    """The end of a chunked body."""
    return b"0\r\n%b\r\n" % trailers


def relayed_head(head: ReplyHead, framing: bytes) -> bytes:
    """A shard's head for the client. `framing`: the Content-Length or Transfer-Encoding line, and Connection."""
    return b"HTTP/1.1 %d %b\r\n%b%b\r\n" % (head.status, head.reason, head.lines, framing)


def relayed_whole(head: ReplyHead, length: int) -> bytes:
    """The head of a reply whose length is known, for a connection that goes on. Made once for all that are equal."""
    written = head.written
    if written is None:
        written = head.written = relayed_head(head, b"Content-Length: %d\r\n" % length)
    return written


def head_of(reply: Reply, length: int | None) -> ReplyHead:
    """The head of a reply of ours whose body is written piece by piece. `length` is None where it is not known yet."""
    fields = as_fields(reply.fields)
    lines = b"".join([line for _, _, line in fields])
    reason = status_line(reply.status)[13:-2] if reply.reason is None else reply.reason
    return ReplyHead(reply.status, reason, fields, lines, length, chunked=length is None, keep_alive=True)


def status_line(status: int) -> bytes:
    """The status line with the registered phrase."""
    return _STATUS_LINES.get(status) or b"HTTP/1.1 %d \r\n" % status


def whole_reply(reply: Reply, *, with_body: bool, closes: bool) -> bytes:
    """A reply of ours as bytes. For a HEAD, `with_body` is false; the head is a GET's (RFC 9110 section 9.3.2)."""
    lines = b"".join(map(b"%b: %b\r\n".__mod__, reply.fields))
    framing = b"" if reply.status in _BODILESS else b"Content-Length: %d\r\n" % len(reply.body)
    if closes:
        framing += b"Connection: close\r\n"
    start = status_line(reply.status) if reply.reason is None else b"HTTP/1.1 %d %b\r\n" % (reply.status, reply.reason)
    head = b"%b%b%b\r\n" % (start, lines, framing)
    return head + reply.body if with_body and reply.status not in _BODILESS else head
