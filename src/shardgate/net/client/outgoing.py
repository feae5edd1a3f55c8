"""Writes replies to one client, one after another: a whole one of the gateway, or a shard's as it comes.

Holds: framing is the gateway's own (RFC 9112 section 6). A reply without a length is chunked; for a client of HTTP/1.0
the end of the connection ends it.
Never: reads; never decides what is answered.
"""

import asyncio

from shardgate.core.clients.rate_limit import limited, without_limits
from shardgate.core.http import Reply, ReplyHead, Request
from shardgate.core.wire.forwarding import chunk, last_chunk, relayed_head, relayed_whole, upgrade_lines, whole_reply

_BODILESS = frozenset({204, 304})


class OutgoingReply:
    """The reply to the request that was announced last."""

    __slots__ = (
        "_chunked",
        "_transport",
        "ends_by_close",
        "keep_alive",
        "limits",
        "request",
    )

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._chunked = False
        self.ends_by_close = False
        """The end of the connection is the end of the body."""
        self.keep_alive = True
        """The connection goes on after this reply; the head says so."""
        self.limits = b""
        """Lines that say what the client's quota has left; they replace those of a shard."""
        self.request: Request | None = None
        """What the next reply answers; None: bytes that are no request."""

    def send(self, reply: Reply) -> int:
        """A whole reply; its size in bytes."""
        if self.limits:
            reply, self.limits = limited(reply, self.limits), b""
        with_body = self.request is None or self.request.sent_method != b"HEAD"
        written = whole_reply(reply, with_body=with_body, closes=not self.keep_alive)
        self._transport.write(written)
        return len(written)

    def interim(self, head: ReplyHead) -> None:
        """A 1xx; RFC 9110 section 15.2: not to a 1.0 client."""
        if self.request is not None and self.request.minor == 1:
            self._transport.write(relayed_head(head, b""))

    def begin(self, head: ReplyHead, data: bytes) -> int:
        """The head of a shard's reply and the first piece of its body, in one write; its size in bytes."""
        length = head.content_length
        if length is not None and head.status != 204:
            if self.keep_alive and not self.limits:  # as for most replies
                written = relayed_whole(head, length) + data
                self._transport.write(written)
                return len(written)
            framing = b"Content-Length: %d\r\n" % length
        else:
            framing = self._framing(head.status)
        if not self.keep_alive:
            framing += b"Connection: close\r\n"
        if self.limits:
            head = head.with_lines(without_limits(head) + self.limits)
            self.limits = b""
        written = relayed_head(head, framing)
        if data:
            written += chunk(data) if self._chunked else data
        self._transport.write(written)
        return len(written)

    def _framing(self, status: int) -> bytes:
        """The line that frames a body of unknown length."""
        request = self.request
        # RFC 9110 section 8.6: whatever the shard says, a 204 has no Content-Length.
        if request is None or request.sent_method == b"HEAD" or status in _BODILESS:
            return b""
        # RFC 9112 section 6.1: a 1.0 client does not know chunks; the end of the connection is the end.
        self._chunked = request.minor == 1
        self.ends_by_close = not self._chunked
        self.keep_alive = self.keep_alive and self._chunked
        return b"Transfer-Encoding: chunked\r\n" if self._chunked else b""

    def write(self, data: bytes) -> int:
        """A piece of the body; its size as it was written."""
        written = chunk(data) if self._chunked else data
        self._transport.write(written)
        return len(written)

    def finish(self, trailers: bytes) -> int:
        """The end. Trailers pass where the client has said that it takes them (RFC 9110 section 6.5.1)."""
        if not self._chunked:
            return 0
        self._chunked = False
        written = last_chunk(trailers if self.request is not None and self.request.fields.takes_trailers else b"")
        self._transport.write(written)
        return len(written)

    def switch(self, head: ReplyHead, data: bytes) -> int:
        """The shard's 101, and what came behind it; its size in bytes."""
        written = relayed_head(head, upgrade_lines(head.upgrade)) + data
        self._transport.write(written)
        return len(written)
