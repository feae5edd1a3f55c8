"""Where a tenant that is being created is put: decided once for a name, whichever worker is asked.

Holds: two creates of one name go to one shard; the directory has a tenant in the same transaction that ends its entry.
"""

from collections.abc import Callable, Iterable, Mapping

from shardgate.core.topology import ShardId
from shardgate.store.sqlite import SqliteStore

Choose = Callable[[Mapping[ShardId, float]], ShardId]


class Placements:
    """The table, through one connection."""

    __slots__ = ("_store",)

    def __init__(self, store: SqliteStore) -> None:
        self._store = store

    def reserve(self, space: str, key: str, shards: Iterable[ShardId], choose: Choose) -> ShardId:
        """The shard of a new tenant; of an old one its own. `choose` is given the tenants that each shard has."""
        with self._store.transaction():
            execute = self._store.connection.execute
            known = execute("SELECT shard FROM directory WHERE space = ? AND key = ?", (space, key)).fetchone()
            if known is None:
                known = execute(
                    "UPDATE placements SET creates = creates + 1 WHERE space = ? AND key = ? RETURNING shard",
                    (space, key),
                ).fetchone()
            if known is not None:
                return str(known[0])
            shard = choose(self._counts(space, shards))
            execute("INSERT INTO placements (space, key, shard, creates) VALUES (?, ?, ?, 1)", (space, key, shard))
            return shard

    def settle(self, space: str, key: str, tenant: str | None, shard: ShardId) -> None:
        """A create is over, inside the transaction that is open: the directory has the tenant; or there is none, and
        when no other create of the name is under way it may be placed anew."""
        execute = self._store.connection.execute
        if tenant is not None:
            self._store.record(space, [(tenant, shard)])
        execute("UPDATE placements SET creates = creates - 1 WHERE space = ? AND key = ?", (space, key))
        execute(
            "DELETE FROM placements WHERE space = ? AND key = ? AND (creates < 1 OR ?)", (space, key, tenant == key)
        )

    def _counts(self, space: str, shards: Iterable[ShardId]) -> dict[ShardId, float]:
        rows = self._store.connection.execute(
            "SELECT shard, count(*) FROM (SELECT shard FROM directory WHERE space = ?"
            " UNION ALL SELECT shard FROM placements WHERE space = ?) GROUP BY shard",
            (space, space),
        )
        found = dict(rows.fetchall())
        return {shard: float(found.get(shard, 0)) for shard in shards}
