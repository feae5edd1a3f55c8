"""Asks each replica of a shard, every so often, whether it can serve.

Holds: a check has a connection of its own: a replica that is only busy is not taken for unwell because calls wait.
"""

import asyncio

from shardgate.core.errors import ShardgateError
from shardgate.core.http import ReplyHead
from shardgate.core.replicas.group import Replica
from shardgate.core.replicas.settings import HealthCheck
from shardgate.net.upstream.call import Call, Patience
from shardgate.net.upstream.pool import Pool
from shardgate.net.upstream.replicas import Replicas
from shardgate.net.watch import Watch


class HealthChecks:
    """The checks of one replica: an entry of the watch, which is due when the next check is."""

    __slots__ = (
        "_check",
        "_head",
        "_patience",
        "_pool",
        "_replica",
        "_replicas",
        "_status",
        "_watch",
        "deadline_at",
        "is_over",
    )

    def __init__(
        self,
        check: HealthCheck,
        target: bytes,
        host: bytes,
        pool: Pool,
        replicas: Replicas,
        replica: Replica,
        watch: Watch,
    ) -> None:
        self._check = check
        self._head = b"GET %b HTTP/1.1\r\nHost: %b\r\nUser-Agent: shardgate\r\n\r\n" % (target, host)
        self._patience = Patience(check.timeout_s, first_byte_s=check.timeout_s, watch=watch)
        self._pool = pool
        self._replicas = replicas
        self._replica = replica
        self._watch = watch
        self._status = 0
        self.is_over = False
        """A first check is over: something is known of the replica."""
        self.deadline_at = watch.now()
        watch.add(self)

    def expire(self) -> None:
        """A check is due."""
        self.deadline_at = self._watch.now() + self._check.interval_s
        call = Call(self._head, b"", self, self._patience, method=b"GET")
        self._pool.start(call)

    def close(self) -> None:
        """Ask no more."""
        self._watch.discard(self)
        self._pool.close()

    def reply_interim(self, head: ReplyHead) -> None:
        """It says nothing yet."""

    def reply_head(self, head: ReplyHead, data: bytes) -> None:
        """The status is what counts, once the reply is whole."""
        self._status = head.status

    def reply_whole(self, head: ReplyHead, data: bytes) -> None:
        """The replica has answered."""
        self.reply_head(head, data)
        self.reply_end(b"")

    def reply_data(self, data: bytes) -> None:
        """What else it says does not matter."""

    def reply_end(self, trailers: bytes) -> None:
        """The replica has answered."""
        self.is_over = True
        is_well = self._status == self._check.status
        why = f"{self._check.path} answers {self._status}"
        self._replicas.checked(self._replica, why, is_well=is_well)

    def reply_switched(self, head: ReplyHead, data: bytes, upstream: asyncio.Transport) -> None:
        """Nothing was offered, so that no connection comes here."""
        upstream.abort()

    def reply_failed(self, error: ShardgateError) -> None:
        """The replica has not answered."""
        self.is_over = True
        self._replicas.checked(self._replica, f"{self._check.path}: {error.log or error.detail}", is_well=False)
