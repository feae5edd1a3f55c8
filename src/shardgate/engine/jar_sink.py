"""Receives a reply on its way to who asked for it, and puts the shard's cookies into those of all shards.

Holds: a reply whose cookies are too large fails before anything of it is passed on.
Never: looks at a body.
"""

import asyncio
from collections.abc import Mapping

from shardgate.core.errors import ReplyTooLargeError, ShardgateError
from shardgate.core.http import ReplyHead
from shardgate.core.topology import ShardId
from shardgate.core.wire.cookie_jar import CookieJar, Values
from shardgate.net.upstream.call import ReplySink


class JarSink:
    """Between a call and its sink."""

    __slots__ = ("_failed", "_held", "_jar", "_shard", "_sink")

    def __init__(self, jar: CookieJar, shard: ShardId, held: Mapping[bytes, Values], sink: ReplySink) -> None:
        """`held`: what the client's cookies hold."""
        self._jar = jar
        self._shard = shard
        self._held = held
        self._sink = sink
        self._failed = False

    def reply_interim(self, head: ReplyHead) -> None:
        self._sink.reply_interim(head)

    def reply_head(self, head: ReplyHead, data: bytes) -> None:
        try:
            head = self._jar.packed(self._shard, head, self._held)
        except ReplyTooLargeError as error:
            self._failed = True
            self._sink.reply_failed(error)
            return
        self._sink.reply_head(head, data)

    def reply_whole(self, head: ReplyHead, body: bytes) -> None:
        try:
            head = self._jar.packed(self._shard, head, self._held)
        except ReplyTooLargeError as error:
            self._sink.reply_failed(error)
            return
        self._sink.reply_whole(head, body)

    def reply_data(self, data: bytes) -> None:
        if not self._failed:
            self._sink.reply_data(data)

    def reply_end(self, trailers: bytes) -> None:
        if not self._failed:
            self._sink.reply_end(trailers)

    def reply_switched(self, head: ReplyHead, data: bytes, upstream: asyncio.Transport) -> None:
        self._sink.reply_switched(head, data, upstream)

    def reply_failed(self, error: ShardgateError) -> None:
        if not self._failed:
            self._sink.reply_failed(error)
