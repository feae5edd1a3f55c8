"""Work that repeats as long as the app runs, in a thread of its own.

Holds: a database that is away for a while does not end it; the next turn finds what this one left.
"""

import threading
from collections.abc import Callable

from sqlalchemy.exc import OperationalError


class Repeated:
    """Does one thing every so many seconds, from `start` to `stop`."""

    def __init__(self, name: str, work: Callable[[], None]) -> None:
        self._name = name
        self._work = work
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, every_s: float) -> None:
        self._thread = threading.Thread(target=self._run, args=(every_s,), name=self._name)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self, every_s: float) -> None:
        while not self._stop.wait(every_s):
            try:
                self._work()
            except OperationalError:
                continue
