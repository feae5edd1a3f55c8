"""What a shard's reply teaches: the ids of what the shard has just made, so that requests for them go there."""

from collections.abc import Iterable, Mapping

from shardgate.core.changes.values import said_by
from shardgate.core.contracts import KeyMemory
from shardgate.core.replies.fields import SAID_BY_HEAD, said_by_head
from shardgate.core.topology import ShardId


def learn(wanted: Mapping[str, str], body: bytes, shard: ShardId, memory: KeyMemory) -> None:
    """Remember that the shard has the keys that these members of the reply's body name: space → member.

    A member may be deep: `data.id`. A body that is no JSON object teaches nothing.
    """
    members = {space: name for space, name in wanted.items() if not name.startswith(SAID_BY_HEAD)}
    shown = said_by(body, members.values()) if members else {}
    for space, member in members.items():
        if (key := shown.get(member)) is not None:
            memory.learn(space, key, shard)


def learn_from_head(
    wanted: Mapping[str, str], fields: Iterable[tuple[bytes, bytes]], shard: ShardId, memory: KeyMemory
) -> None:
    """The same of the reply's header fields, whose names are in lower case: `set-cookie.session`."""
    for space, name in wanted.items():
        if name.startswith(SAID_BY_HEAD) and (key := said_by_head(name, fields)) is not None:
            memory.learn(space, key, shard)
