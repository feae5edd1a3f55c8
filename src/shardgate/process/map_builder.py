"""Has the map of a directory made, by a process that serves nobody.

Holds: the worker never waits for it. Where another process of the machine makes the map, none is started.
"""

import logging
import subprocess
import sys
from pathlib import Path
from threading import Thread
from typing import Final

import msgspec

from shardgate.net.clock import now
from shardgate.store.database import StorePlace
from shardgate.store.map_build import Compares, MapOrder, locked
from shardgate.store.map_place import map_path

PAUSE_S: Final = 1.0  # between two looks whether a map can be made

_MODULE: Final = "shardgate.store.map_build"

_log = logging.getLogger("shardgate")


class MapBuilder:
    """Starts the process where it is needed."""

    __slots__ = ("_compares", "_not_before", "_path", "_store", "_thread")

    def __init__(self, store: StorePlace, compares: Compares) -> None:
        self._store = store.absolute() if isinstance(store, Path) else store
        self._path = map_path(self._store)
        self._compares = compares
        self._not_before = 0.0
        self._thread: Thread | None = None

    @property
    def is_at_work(self) -> bool:
        """Whether a process makes the map that this worker has started."""
        return self._thread is not None and self._thread.is_alive()

    def want(self) -> None:
        """Have the map made, if nobody makes it."""
        instant = now()
        if self._path is None or instant < self._not_before or self.is_at_work:
            return
        self._not_before = instant + PAUSE_S
        try:
            with locked(self._path) as is_free:
                pass
        except OSError as error:
            _log.warning("no map of the directory can be made, keys are asked of the store: %s", error)
            self._not_before = instant + 60 * PAUSE_S
            return
        if is_free:
            # A thread: to start a process, and to wait for it, would stop the loop.
            self._thread = Thread(target=self._build, name="map", daemon=True)
            self._thread.start()

    def _build(self) -> None:
        store = str(self._store) if isinstance(self._store, Path) else self._store.text
        order = msgspec.json.encode(MapOrder(store, str(self._path), dict(self._compares)))
        command = [sys.executable, "-m", _MODULE]
        done = subprocess.run(  # noqa: S603 - the program is this one
            command, input=order, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False
        )
        if done.returncode:
            reason = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
            _log.error("the map of the directory was not made, keys are asked of the store: %s", reason)
            self._not_before = now() + 60 * PAUSE_S

    def close(self) -> None:
        """Start none any more. One that runs ends with this process."""
        self._not_before = float("inf")
