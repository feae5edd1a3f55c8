"""Follows a directory that several gateways share, in PostgreSQL.

The store tells of each change (LISTEN), and is asked once a second, should it fail to tell. That runs in threads.

Holds: the loop never waits for the store. Who waits for `catch_up` sees all changes that were made before it was
called, or the store cannot be asked; then the directory that was read before stays in force.
Never: writes into it.
"""

import asyncio
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final

from shardgate.config.load import Loaded
from shardgate.core.hosts import PostgresUrl
from shardgate.engine.behind import BehindError
from shardgate.engine.cluster import Cluster
from shardgate.process.directory import directory_reader, map_builder, topology_of
from shardgate.store.directory_reader import View
from shardgate.store.opening import remote_store

POLL_S: Final = 1.0
CATCH_UP_S: Final = 1.0
RETRY_S: Final = 0.5

_log = logging.getLogger("shardgate")


class SharedDirectory:
    """Keeps a worker's snapshot up to date with the directory."""

    def __init__(self, loaded: Loaded, place: PostgresUrl, cluster: Cluster, view: View) -> None:
        """`view`: what the cluster serves by."""
        self.is_fresh = False
        self._loaded = loaded
        self._cluster = cluster
        self._view = view
        self._store, self._listening = remote_store(place), remote_store(place)
        self._reader = directory_reader(loaded, self._store)
        self._builder = map_builder(loaded, place)
        self._thread = ThreadPoolExecutor(1, "directory")
        self._running: asyncio.Future[bool] | None = None
        self._queued: asyncio.Future[bool] | None = None
        self._ending = threading.Event()
        self._is_away = False

    @property
    def epoch(self) -> int:
        """The epoch that the worker serves by: it has all changes up to it."""
        return self._view.epoch.number

    def refresh(self) -> bool:
        """Nothing is newer than what is known, for a request that came before the last look. Raises BehindError."""
        if not self.is_fresh:
            raise BehindError
        return False

    async def catch_up(self) -> None:
        """Look at the directory now. It returns after a bounded time, also where the store cannot be asked."""
        with suppress(TimeoutError):
            async with asyncio.timeout(CATCH_UP_S):
                await asyncio.shield(self._look_soon())

    async def follow(self) -> None:
        """Take over what others write, until cancelled."""
        loop = asyncio.get_running_loop()
        listener = threading.Thread(target=self._listen, args=(loop,), name="listen", daemon=True)
        listener.start()
        try:
            while True:
                await asyncio.sleep(POLL_S)
                self._look_soon()
                if self._view.wants_map:
                    await self._remap()
        finally:
            self._ending.set()

    async def _remap(self) -> None:
        """Have a newer map made, and take it over once it is there."""
        self._builder.want()
        if not self._reader.has_new_map():
            return
        try:
            view = await asyncio.get_running_loop().run_in_executor(self._thread, self._reader.reload)
        except self._store.errors as error:
            _log.error("the directory cannot be read, what is known stays in force: %s", error)
            return
        # A look that came meanwhile may have found more. While one is behind there is none, and the store that is
        # there now may have an older epoch: that of a replica which had not got everything.
        if view is not None and (self._view.how == "behind" or view.epoch.number >= self.epoch):
            self._take(view)

    def close(self) -> None:
        """Close the store."""
        self._ending.set()
        self._builder.close()
        self._thread.shutdown(wait=True, cancel_futures=True)
        self._store.close()

    def _look_soon(self) -> asyncio.Future[bool]:
        """A look that begins after this call; one is under way at a time, and one waits."""
        if self._queued is None:
            self._queued = asyncio.get_running_loop().create_future()
            if self._running is None:
                self._start()
        return self._queued if self._queued is not None else self._running

    def _start(self) -> None:
        self._running, self._queued = self._queued, None
        loop = asyncio.get_running_loop()
        try:
            looking = loop.run_in_executor(self._thread, self._reader.next, self._view)
        except RuntimeError:  # after `close`
            return
        looking.add_done_callback(self._looked)

    def _looked(self, looking: "asyncio.Future[View | None]") -> None:
        waiting, self._running = self._running, None
        if not looking.cancelled():
            try:
                self._take(looking.result())
            except self._store.errors as error:
                if not self._is_away:
                    self._is_away = True
                    _log.error("the directory cannot be read, what is known stays in force: %s", error)
            else:
                if self._is_away:
                    self._is_away = False
                    _log.warning("the directory can be read again, at epoch %d", self.epoch)
        if waiting is not None and not waiting.done():
            waiting.set_result(not self._is_away)
        if self._queued is not None:
            self._start()

    def _take(self, view: View | None) -> None:
        if view is None:
            return
        if view.epoch.number < self.epoch:
            lost = "the store has lost changes, the directory goes back from epoch %d to %d: was a replica promoted?"
            _log.error(lost, self.epoch, view.epoch.number)
        self._view = view
        self._cluster.replace_directory(topology_of(self._loaded, view))
        _log.info("the directory is at epoch %d", self.epoch)

    def _listen(self, loop: asyncio.AbstractEventLoop) -> None:
        store = self._listening
        has_begun = False
        while not self._ending.is_set():
            try:
                if not has_begun or not store.is_connected:
                    store.listen()
                    has_begun = True
                elif not store.wait(POLL_S):
                    continue
            except store.errors:
                has_begun = False
                self._ending.wait(RETRY_S)
                continue
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(self._look_soon)
        store.close()
