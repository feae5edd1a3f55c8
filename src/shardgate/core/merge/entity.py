"""One entity in parts: the parts that the shards show become the whole.

Holds: a shard that has no part says so by a 404. Where no shard has a part, that 404 is the reply.
"""

from collections.abc import Sequence
from typing import ClassVar

from shardgate.core.http import Reply
from shardgate.core.merge.combining import Combining
from shardgate.core.parts.whole import Parts
from shardgate.core.replies.refusals import unite
from shardgate.core.replies.validators import Tagging
from shardgate.core.topology import ShardId


class Entity(Combining, frozen=True, kw_only=True, tag="entity"):
    """`{"id": 7, "price": 10, …}` and `{"id": 7, "price": 20, …}` become `{"id": 7, "price": 30, "items": […]}`."""

    tagging: ClassVar[Tagging] = "parts"

    parts: Parts
    """How the members of the parts become those of the whole."""
    not_here: tuple[int, ...] = (404,)
    """The statuses by which a shard says that it has no part. When no shard has one, this is the reply."""

    def combine(self, replies: Sequence[Reply]) -> Reply:
        """The whole. Raises BrokenReplyError, ValueError, TypeError, ArithmeticError."""
        found = [reply for reply in replies if 200 <= reply.status < 300]
        first, body = found[0], self.parts.whole([reply.body for reply in found])
        return Reply(first.status, list(first.fields), body, first.reason)

    def describe(self) -> str:
        """The merge in one line."""
        return f"one entity of its parts; put together: {', '.join(self.parts.names) or 'nothing'}"

    def refusal(self, replies: Sequence[Reply], shards: Sequence[ShardId]) -> Reply | None:
        """The refusal that stands for all; a shard without a part refuses nothing, unless no shard has one."""
        return unite(replies, range(200, 300), self.not_here, shards)
