"""Seen in an earlier reply: id → shard. A hint, not a promise: a shard that says *not here* is forgotten.

Holds: bounded; the oldest entries leave first.
"""

from shardgate.core.contracts import UNKNOWN, Known, Strategy, Unknown
from shardgate.core.topology import ShardId


class Learned(Strategy, frozen=True, tag="learned"):
    """Recall which shard showed the key last."""

    def locate(self, space: str, key: str, known: Known) -> ShardId | Unknown:
        """The shard that showed the key, if it still exists."""
        shard = known.memory.recall(space, key)
        return shard if shard in known.topology.shards else UNKNOWN


class LearnedKeys:
    """The memory behind the locator: one bounded table for all spaces. One a worker."""

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
