"""Which entities are kept in parts, and on which shards: written before the first part is made.

Holds: an entry stays when its change was taken back; a shard that has no part says so when it is asked.
"""

import json
from collections.abc import Sequence

from shardgate.core.topology import ShardId
from shardgate.store.sqlite import SqliteStore


def record_parts(store: SqliteStore, space: str, key: str, shards: Sequence[ShardId]) -> None:
    """Inside a transaction that is open: these shards have a part of it, besides those that are known."""
    execute = store.connection.execute
    known = execute("SELECT shards FROM parts WHERE space = ? AND key = ?", (space, key)).fetchone()
    before: list[str] = json.loads(known[0]) if known else []
    together = list(dict.fromkeys([*before, *shards]))
    if together != before:
        execute(
            "INSERT INTO parts (space, key, shards) VALUES (?, ?, ?)"
            " ON CONFLICT (space, key) DO UPDATE SET shards = excluded.shards",
            (space, key, json.dumps(together)),
        )
        store.advance()


def read_parts(store: SqliteStore) -> dict[str, dict[str, tuple[ShardId, ...]]]:
    """All of them: space → key → shards."""
    found: dict[str, dict[str, tuple[ShardId, ...]]] = {}
    for space, key, shards in store.connection.execute("SELECT space, key, shards FROM parts"):
        found.setdefault(space, {})[key] = tuple(json.loads(shards))
    return found
