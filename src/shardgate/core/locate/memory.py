"""The memory behind the locator `learned`: which shard showed a key last.

Holds: bounded; the oldest entries leave first.
Hot path: each row of a page that is shown is learned.
"""

from shardgate.core.contracts import UNKNOWN, Unknown
from shardgate.core.topology import ShardId


class LearnedKeys:
    """One bounded table for all spaces. One a worker."""

    __slots__ = ("_shards", "_size")

    def __init__(self, size: int) -> None:
        self._size = size
        self._shards: dict[tuple[str, str], ShardId] = {}

    def recall(self, space: str, key: str) -> ShardId | Unknown:
        """The shard that last showed this key."""
        return self._shards.get((space, key), UNKNOWN)

    def learn(self, space: str, key: str, shard: ShardId) -> None:
        """Remember that this shard showed this key."""
        if len(self._shards) >= self._size and (space, key) not in self._shards:
            del self._shards[next(iter(self._shards))]
        self._shards[(space, key)] = shard

    def forget(self, space: str, key: str) -> None:
        """The shard does not have it any more."""
        self._shards.pop((space, key), None)
