"""Writes a long reply piece by piece, as its client reads it.

Holds: the whole reply is counted as held until all of it is written, so its bytes do not hide in a connection's buffer.
Never: changes a byte of the reply.
"""

import asyncio

from shardgate.core.held import Holding
from shardgate.core.http import Reply
from shardgate.core.limits import WRITE_BUFFER_BYTES_MAX
from shardgate.core.wire.forwarding import head_of
from shardgate.engine.cluster import Cluster
from shardgate.engine.gather.pace import Pace
from shardgate.net.client.contracts import Client
from shardgate.net.turns import Turns


class LongReply:
    """One reply on its way."""

    __slots__ = ("_at", "_body", "_client", "_holding", "_over", "_pace", "_turns")

    def __init__(self, cluster: Cluster, client: Client, holding: Holding, turns: Turns) -> None:
        self._client = client
        self._holding = holding
        self._turns = turns
        self._pace = Pace(cluster.reply_idle_s, self._go_on, self._fail)
        self._body = b""
        self._at = 0
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def send(self, reply: Reply) -> None:
        """Write it. Raises SlowClientError where the client does not read it, OverloadError where there is no room."""
        self._body = reply.body
        self._holding.on_refused = self._fail
        self._holding.set(len(reply.body))
        self._holding.begun = True
        try:
            if not self._over.done():
                self._client.begin(head_of(reply, len(reply.body)), b"", stream=self._pace)
                self._go_on()
            await self._over
        finally:
            self._pace.end()

    def step(self) -> bool:
        """Write a piece. False: the client must read first, or all is written."""
        if self._pace.is_paused or self._over.done():
            return False
        piece = self._body[self._at : self._at + WRITE_BUFFER_BYTES_MAX]
        self._at += len(piece)
        if piece:
            self._client.write(piece)
            return True
        self._over.set_result(None)
        self._client.finish(b"")
        return False

    def _go_on(self) -> None:
        self._turns.add(self)

    def _fail(self, error: Exception) -> None:
        if not self._over.done():
            self._over.set_exception(error)
