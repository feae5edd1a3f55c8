"""Stores which entities are kept in parts, and on which shards.

Holds: an entity's shards are stored before its first part is created. Rows that an undone change left behind stay
listed as leftovers, so that readers ignore them.
"""

import json
from collections.abc import Sequence

from shardgate.core.topology import ShardId
from shardgate.store import directory_table
from shardgate.store.database import Store


def record_parts(store: Store, space: str, key: str, shards: Sequence[ShardId]) -> bool:
    """Store, in the open transaction, that these shards have a part of an entity; False if it is stored already."""
    query = "SELECT 1 FROM parts WHERE space = ? AND key = ?"
    if store.execute(query, (space, key)).fetchone():
        return False
    _write(store, space, key, shards, taken_back=False)
    return True


def record_leftovers(store: Store, space: str, key: str, shards: Sequence[ShardId]) -> None:
    """Store, in the open transaction, that the create was undone: rows of the entity on these shards are leftovers."""
    _write(store, space, key, shards, taken_back=True)


def read_parts(store: Store, everybody: Sequence[ShardId]) -> dict[str, dict[str, tuple[ShardId, ...]]]:
    """All entities in parts: space → key → the shards that may have a part."""
    found: dict[str, dict[str, tuple[ShardId, ...]]] = {}
    for space, key, listed, taken_back in store.execute("SELECT space, key, shards, taken_back FROM parts"):
        found.setdefault(space, {})[key] = _may_have(json.loads(listed), everybody, taken_back=bool(taken_back))
    return found


def changed_parts(value: str, everybody: Sequence[ShardId]) -> tuple[ShardId, ...]:
    """The shards that may have a part of an entity, as the log says."""
    shards, taken_back = json.loads(value)
    return _may_have(shards, everybody, taken_back=taken_back)


def _may_have(shards: Sequence[ShardId], everybody: Sequence[ShardId], *, taken_back: bool) -> tuple[ShardId, ...]:
    return tuple([shard for shard in everybody if (shard in shards) != taken_back])


def _write(store: Store, space: str, key: str, shards: Sequence[ShardId], *, taken_back: bool) -> None:
    store.execute(
        "INSERT INTO parts (space, key, shards, taken_back) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (space, key) DO UPDATE SET shards = excluded.shards, taken_back = excluded.taken_back",
        (space, key, json.dumps(list(shards)), int(taken_back)),
    )
    value = directory_table.parts_value(shards, taken_back=taken_back)
    directory_table.log(store, store.advance(), directory_table.PARTS, space, key, value)
