"""Decompresses shards' replies that came compressed though they were not asked for, one at a time, on a thread.

Holds: an unpacked reply is no larger than what its client may still hold, and is counted by the same holding.
Never: decompresses two at once: how large each becomes is known only afterwards.
"""

import asyncio

from shardgate.core.errors import OverloadError, ReplyTooLargeError
from shardgate.core.held import Holding
from shardgate.core.http import Reply
from shardgate.core.wire.coding import unpacked


class Unpacker:
    """Decompresses the replies of one worker."""

    __slots__ = ("_turn",)

    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    async def unpack(self, reply: Reply, bytes_max: int, holding: Holding) -> Reply:
        """The reply without its coding. Raises BrokenReplyError, ReplyTooLargeError, OverloadError.

        `holding`: what the packed reply is counted by.
        """
        async with self._turn:
            room = holding.room
            try:
                plain = await asyncio.to_thread(unpacked, reply, min(bytes_max, room + len(reply.body)))
            except ReplyTooLargeError as error:
                if room + len(reply.body) >= bytes_max:
                    raise
                problem = "there is no room to hold a shard's reply"
                raise OverloadError(problem, log=error.detail, budget="held_bytes") from error
            holding.add(len(plain.body) - len(reply.body))
            return plain
