"""Stores the shard of each tenant that is being created. It is decided once for a name, for all workers.

Holds: two creates of one name go to one shard, also where the application gives the tenant another id than that name.
The transaction that ends a create also enters the tenant in the directory.
"""

from collections.abc import Callable, Iterable, Mapping

from shardgate.core.topology import ShardId
from shardgate.store.database import Store

Choose = Callable[[Mapping[ShardId, float]], ShardId]


NAMELESS = "\0"
"""What the key of a create begins with that has no name."""


class Placements:
    """The table of placements, through one connection."""

    __slots__ = ("_store",)

    def __init__(self, store: Store) -> None:
        self._store = store

    def reserve(
        self, space: str, key: str, shards: Iterable[ShardId], choose: Choose, *, owner: ShardId | None = None
    ) -> ShardId:
        """The shard for the create of a tenant; a tenant that exists keeps its own.

        `choose` picks the shard of a new tenant, from the number of tenants on each shard. `owner`: the shard that has
        a tenant of this name already.
        """
        with self._store.transaction():
            execute = self._store.execute
            if owner is not None:
                execute(
                    "INSERT INTO placements (space, key, shard, creates) VALUES (?, ?, ?, 1) ON CONFLICT (space, key)"
                    " DO UPDATE SET creates = placements.creates + 1, shard = excluded.shard",
                    (space, key, owner),
                )
                return owner
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
        """End a create, in the open transaction.

        `tenant` is entered in the directory. It is None if nothing was created: then the name may be placed again,
        once no other create of it is under way.
        """
        execute = self._store.execute
        if tenant is not None:
            self._store.record(space, [(tenant, shard)])
        execute(
            "UPDATE placements SET creates = creates - 1, made = CASE WHEN ? = 1 THEN 1 ELSE made END"
            " WHERE space = ? AND key = ?",
            (int(tenant is not None), space, key),
        )
        # The directory has a tenant that is named by its id; for any other its name is kept here.
        execute(
            "DELETE FROM placements WHERE space = ? AND key = ? AND (creates < 1 AND made = 0 OR ? = 1)",
            (space, key, int(tenant == key or key.startswith(NAMELESS))),
        )

    def _counts(self, space: str, shards: Iterable[ShardId]) -> dict[ShardId, float]:
        """The tenants of each shard that takes new ones; of all, where none does."""
        shards = [*shards]
        rows = self._store.execute(
            "SELECT shard, sum(keys) FROM (SELECT shard, keys FROM directory_counts WHERE space = ?"
            " UNION ALL SELECT shard, 1 FROM placements WHERE space = ? AND made = 0) AS tenants GROUP BY shard",
            (space, space),
        )
        found = dict(rows.fetchall())
        drained = {shard for (shard,) in self._store.execute("SELECT shard FROM draining")}
        taking = [shard for shard in shards if shard not in drained] or shards
        return {shard: float(found.get(shard, 0)) for shard in taking}
