"""The directory of owners in the store, and a worker that follows its changes.

Holds: a directory that cannot be read leaves the one that was read before in force.
Never: writes into it.
"""

import asyncio
import logging
import sqlite3
from pathlib import Path

from shardgate.config.load import Loaded
from shardgate.config.places import read_document
from shardgate.core.topology import Topology
from shardgate.engine.cluster import Cluster
from shardgate.store.parts import read_parts
from shardgate.store.sqlite import SqliteStore, StoreError

POLL_S = 1.0

_log = logging.getLogger("shardgate")


def read_topology(loaded: Loaded, store: SqliteStore | None) -> Topology:
    """The shards, and who owns what where there is a directory."""
    if store is None:
        return Topology(loaded.shards)
    # The epoch first: a change in between is then seen again at the next look, never missed.
    epoch = store.epoch()
    directory = {space: store.read(space) for space in store.spaces()}
    return Topology(loaded.shards, directory, epoch, read_parts(store, tuple(loaded.shards)))


def shard_names(config: Path) -> tuple[str, ...]:
    """The names of the shards in a configuration file, or none if there is no such file.

    The rest of the file may have mistakes: it may name a directory that is only now made. Raises StoreError if the file
    cannot be read.
    """
    if not config.exists():
        return ()
    document, mistakes = read_document(config)
    shards = document.data.get("shards") if isinstance(document.data, dict) else None
    if mistakes or not isinstance(shards, dict):
        raise StoreError(f"{config}: names no shards. Correct it, or give another configuration with -c FILE")
    return tuple(map(str, shards))


class DirectoryFollower:
    """Keeps a worker's snapshot up to date with the directory."""

    __slots__ = ("_cluster", "_loaded", "_store")

    def __init__(self, loaded: Loaded, store: SqliteStore, cluster: Cluster) -> None:
        self._loaded = loaded
        self._store = store
        self._cluster = cluster

    async def follow(self) -> None:
        """Take over what others write: tenants that were placed or moved."""
        while True:
            await asyncio.sleep(POLL_S)
            self.refresh()

    def refresh(self) -> bool:
        """Take over a directory that has changed; returns whether it has. 5 µs where it has not."""
        try:
            if self._store.epoch() == self._cluster.snapshot.known.topology.epoch:
                return False
            self._cluster.replace_directory(read_topology(self._loaded, self._store))
            _log.info("the directory is at epoch %d", self._cluster.snapshot.known.topology.epoch)
        except sqlite3.Error as error:
            _log.error("the directory cannot be read: %s", error)
            return False
        return True

    def close(self) -> None:
        """Close the store."""
        self._store.close()
