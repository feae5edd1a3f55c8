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
from shardgate.store.directory_map import map_path
from shardgate.store.map_build import Compares, locked

PAUSE_S: Final = 1.0  # between two looks whether a map can be made

_MODULE: Final = "shardgate.store.map_build"

_log = logging.getLogger("shardgate")


class MapBuilder:
    """Starts the process where it is needed."""

    __slots__ = ("_compares", "_not_before", "_path", "_thread")

    def __init__(self, store: Path, compares: Compares) -> None:
        self._path = store
        self._compares = compares
        self._not_before = 0.0
        self._thread: Thread | None = None

    def want(self) -> None:
        """Have the map made, if nobody makes it."""
        instant = now()
        if instant < self._not_before or (self._thread is not None and self._thread.is_alive()):
            return
        self._not_before = instant + PAUSE_S
        try:
            with locked(map_path(self._path)) as is_free:
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
        compares = msgspec.json.encode(self._compares).decode()
        command = [sys.executable, "-m", _MODULE, str(self._path.absolute()), compares]
        done = subprocess.run(  # noqa: S603 - the program is this one
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False
        )
        if done.returncode:
            reason = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
            _log.error("the map of the directory was not made, keys are asked of the store: %s", reason)
            self._not_before = now() + 60 * PAUSE_S

    def close(self) -> None:
        """Start none any more. One that runs ends with this process."""
        self._not_before = float("inf")
