"""The directory of owners in the store, and a worker that follows its changes.

Holds: a directory that cannot be read leaves the one that was read before in force. To take a change over never stops
the worker's loop for longer than 2 ms.
Never: writes into it. Maps are made by a process of their own.
"""

import asyncio
import logging
from pathlib import Path

from shardgate.config.load import Loaded
from shardgate.config.places import read_document
from shardgate.core.hosts import PostgresUrl
from shardgate.core.locate import directory_comparisons
from shardgate.core.routes.route import chains_of
from shardgate.core.topology import Topology
from shardgate.engine.cluster import Cluster
from shardgate.process.map_builder import MapBuilder
from shardgate.store.database import Store, StoreError, StorePlace
from shardgate.store.directory_reader import DirectoryReader, View
from shardgate.store.opening import open_store
from shardgate.store.sqlite import SqliteStore

POLL_S = 0.05

_log = logging.getLogger("shardgate")


def read_topology(loaded: Loaded, store: Store | None) -> Topology:
    """The shards, and who owns what where there is a directory; it is used as long as the store is open."""
    if store is None:
        return topology_of(loaded, None)
    return topology_of(loaded, directory_reader(loaded, store).first())


def directory_reader(loaded: Loaded, store: Store) -> DirectoryReader:
    """Reads the directory of the store as this configuration looks keys up."""
    compares = directory_comparisons(chains_of(loaded.routes))
    return DirectoryReader(store, tuple(loaded.shards), compares)


def map_builder(loaded: Loaded, place: StorePlace) -> MapBuilder:
    """Has the map of the store's directory made."""
    return MapBuilder(place, directory_comparisons(chains_of(loaded.routes)))


def prepare_directory(loaded: Loaded) -> None:
    """Before any worker starts: where the store is on another machine, have the map that they need. Raises StoreError.

    Of a file the workers ask the keys themselves meanwhile.
    """
    if isinstance(loaded.directory, PostgresUrl):
        first_view(loaded, loaded.directory)


def first_view(loaded: Loaded, place: PostgresUrl) -> View:
    """The directory as it is now. Raises StoreError."""
    with open_store(place) as store:
        return directory_reader(loaded, store).first()


def topology_of(loaded: Loaded, view: View | None) -> Topology:
    """The shards, with what was read of the directory, if there is one."""
    if view is None:
        return Topology(loaded.shards)
    return Topology(loaded.shards, view.tables, view.epoch.number, view.parts)


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

    __slots__ = ("_builder", "_cluster", "_loaded", "_reader", "_store", "_view")

    def __init__(self, loaded: Loaded, store: SqliteStore, cluster: Cluster, view: View | None = None) -> None:
        """`view`: what the cluster serves by; None: it is read now."""
        self._loaded = loaded
        self._store = store
        self._cluster = cluster
        self._reader = directory_reader(loaded, store)
        self._view = view or self._reader.first()
        self._builder = map_builder(loaded, store.place)

    @property
    def epoch(self) -> int:
        """The epoch that the worker serves by: it has all changes up to it."""
        return self._view.epoch.number

    @property
    def how(self) -> str:
        """How keys are looked up, see directory_reader.py."""
        return self._view.how

    async def follow(self) -> None:
        """Take over what others write: tenants that were placed or moved."""
        while True:
            await asyncio.sleep(POLL_S)
            self.refresh()
            try:
                await self._improve()
            except self._store.errors as error:
                _log.error("the directory cannot be read: %s", error)

    def refresh(self) -> bool:
        """Take over a directory that has changed; returns whether it has. 10 µs where it has not."""
        try:
            view = self._reader.next(self._view)
        except self._store.errors as error:
            _log.error("the directory cannot be read: %s", error)
            return False
        if view is None:
            return False
        self._take(view)
        return True

    async def _improve(self) -> None:
        """Where keys are asked of the store, or there is a newer map: read them, in turns with requests."""
        view = self._view
        if view.wants_map:
            self._builder.want()
        elif view.how != "asked":
            return
        if view.keys > view.held_max and not self._reader.has_new_map():
            return
        steps = self._reader.load()
        while True:
            try:
                next(steps)
            except StopIteration as end:
                better: View | None = end.value
                break
            await asyncio.sleep(0)
        if better is not None:
            better = self._reader.next(better) or better  # with what others have changed meanwhile
        if better is not None and better.how != "asked":
            self._take(better)

    def _take(self, view: View) -> None:
        if view.epoch.number != self.epoch or view.how != self._view.how:
            _log.info("the directory is at epoch %d, %s", view.epoch.number, view.how)
        self._view = view
        self._cluster.replace_directory(topology_of(self._loaded, view))

    def close(self) -> None:
        """Close the store."""
        self._builder.close()
        self._store.close()
