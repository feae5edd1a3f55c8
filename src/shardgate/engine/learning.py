"""What a shard's reply teaches: the ids of what the shard has just made, so that requests for them go there."""

from collections.abc import Mapping

from shardgate.core.changes.calls import members
from shardgate.core.contracts import KeyMemory
from shardgate.core.topology import ShardId


def learn(wanted: Mapping[str, str], body: bytes, shard: ShardId, memory: KeyMemory) -> None:
    """Remember that the shard has the keys that these members of the reply's body name: space → member.

    A body that is no JSON object teaches nothing.
    """
    shown = members(body)
    for space, member in wanted.items():
        if type(key := shown.get(member)) in {str, int}:
            memory.learn(space, str(key), shard)
