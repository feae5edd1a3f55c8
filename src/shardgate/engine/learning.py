"""What a shard's reply teaches: the ids of what the shard has just made, so that requests for them go there."""

from collections.abc import Mapping

from shardgate.core.changes.values import said_by
from shardgate.core.contracts import KeyMemory
from shardgate.core.topology import ShardId


def learn(wanted: Mapping[str, str], body: bytes, shard: ShardId, memory: KeyMemory) -> None:
    """Remember that the shard has the keys that these members of the reply's body name: space → member.

    A member may be deep: `data.id`. A body that is no JSON object teaches nothing.
    """
    shown = said_by(body, wanted.values())
    for space, member in wanted.items():
        if (key := shown.get(member)) is not None:
            memory.learn(space, key, shard)
