"""Remembers which shard showed an id in an earlier reply.

A hint: where the shard says *not here*, it is forgotten; where another shard shows the id, too, none is believed.
"""

from shardgate.core.contracts import UNKNOWN, Known, Strategy, Unknown
from shardgate.core.locate.compare import Compare
from shardgate.core.topology import ShardId


class Learned(Strategy, frozen=True, tag="learned"):
    """Recall which shard has shown the key, as long as no other has."""

    compare: Compare = "text"
    """How the application compares keys: `text`, `case_insensitive`, `uuid`, `integer` or `link`."""

    def locate(self, space: str, key: str, known: Known) -> ShardId | Unknown:
        """The shard that showed the key, if it still exists."""
        shard = known.memory.recall(space, key)
        return shard if shard in known.topology.shards else UNKNOWN
