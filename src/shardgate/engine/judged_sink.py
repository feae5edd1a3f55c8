"""Receives a reply on its way to who asked for it, and finds out whether it says in its body that it failed.

Holds: what may say so is held until it is whole, up to a bound; what cannot say so passes at once. A failure counts
against the replica that replied. The reply passes on as it came, unless another one is asked.
Never: holds a stream, or what is no JSON.
"""

import asyncio
import zlib
from collections.abc import Callable

from shardgate.core.errors import ShardgateError
from shardgate.core.failures.declared import Signs, declared_failure
from shardgate.core.http import Reply, ReplyHead
from shardgate.core.limits import FAILURE_BODY_BYTES_MAX
from shardgate.net.upstream.call import Call, CallAttempt, ReplySink

_GZIP = 31  # of zlib: the window, and that a header of gzip stands before the data


class JudgedSink:
    """Between a call and its sink."""

    __slots__ = ("_answered_by", "_declared", "_head", "_held", "_signs", "_sink", "call")

    def __init__(self, sink: ReplySink, signs: Signs, declared: Callable[[str], bool]) -> None:
        """`declared`: told why the reply is a failure, where no other replica is asked. Whether another shard is."""
        self._sink = sink
        self._signs = signs
        self._declared = declared
        self._head: ReplyHead | None = None
        self._held = b""
        self._answered_by: CallAttempt | None = None
        self.call: Call | None = None
        """What asks; it must be set before a reply can come."""

    def reply_interim(self, head: ReplyHead) -> None:
        self._sink.reply_interim(head)

    def reply_head(self, head: ReplyHead, data: bytes) -> None:
        call = self.call
        if call is None or call.is_head or not _may_say(head):
            self._sink.reply_head(head, data)
            return
        self._head, self._held, self._answered_by = head, b"", call.attempt
        self._hold(head, data)

    def reply_whole(self, head: ReplyHead, body: bytes) -> None:
        if self.call is not None and _may_say(head):
            self._answered_by = self.call.attempt
            why = _said(head, body, self._signs)
            if why is not None and self._goes_on(why):
                return
        self.call = self._answered_by = None  # a reference cycle would be left to the garbage collector
        self._sink.reply_whole(head, body)

    def reply_data(self, data: bytes) -> None:
        if self._head is None:
            self._sink.reply_data(data)
        else:
            self._hold(self._head, data)

    def reply_end(self, trailers: bytes) -> None:
        head = self._head
        if head is not None:
            why = _said(head, self._held, self._signs)
            if why is not None and self._goes_on(why):
                return
            self._release(head)
        self.call = self._answered_by = None
        self._sink.reply_end(trailers)

    def reply_switched(self, head: ReplyHead, data: bytes, upstream: asyncio.Transport) -> None:
        self._sink.reply_switched(head, data, upstream)

    def reply_failed(self, error: ShardgateError) -> None:
        self._head, self._held = None, b""
        self.call = self._answered_by = None
        self._sink.reply_failed(error)

    def _hold(self, head: ReplyHead, data: bytes) -> None:
        """Keep a piece; where it seems to be the last one, judge: until its end, the call can go on elsewhere."""
        self._held += data
        if len(self._held) > FAILURE_BODY_BYTES_MAX:
            self._release(head)
        elif self._held[-8:].rstrip().endswith(b"}"):
            why = _said(head, self._held, self._signs)
            if why is not None and not self._goes_on(why):
                self._release(head)

    def _release(self, head: ReplyHead) -> None:
        held, self._head, self._held = self._held, None, b""
        self._sink.reply_head(head, held)

    def _goes_on(self, why: str) -> bool:
        """Whether another replica or shard is asked."""
        by, call = self._answered_by, self.call
        if call is None:
            return False
        if by is None or not by.declared(call, why):
            if not self._declared(why):
                return False
            self.call = self._answered_by = None  # the other shard's reply goes another way
        self._head, self._held = None, b""
        return True


def _may_say(head: ReplyHead) -> bool:
    """Whether the reply may be a failure: a success whose body is JSON, and not too long."""
    if not 200 <= head.status < 300 or (head.content_length or 0) > FAILURE_BODY_BYTES_MAX:
        return False
    kind = next((value for name, value, _ in head.fields if name == b"content-type"), b"json")
    return kind.partition(b";")[0].strip().lower().endswith(b"json") and b"ndjson" not in kind.lower()


def _said(head: ReplyHead, body: bytes, signs: Signs) -> str | None:
    """What says that the reply is a failure; None: nothing does, or it cannot be read."""
    if head.is_packed:
        try:
            body = zlib.decompressobj(_GZIP).decompress(body, FAILURE_BODY_BYTES_MAX)
        except zlib.error:
            return None
    return declared_failure(Reply(head.status, [], body), signs)
