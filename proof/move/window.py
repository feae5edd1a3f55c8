"""Sorts the changes of one client into windows: those of one movement, which ends when its last change has its reply.

Holds: a change belongs to the window in which it was begun, also where the window is told to end before its reply: that
change has waited the longest. Who ends a window waits for it, and for no later one.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Windows:
    """One window after the other. One thread makes changes, another one begins windows."""

    def __init__(self) -> None:
        self._turn = threading.Condition()
        self._waits: list[float] = []
        self._asked: list[float] | None = None  # the window of the change that has no reply yet

    def next(self) -> list[float]:
        """Begin another window; returns how long each change of the last one took, once all have their replies."""
        with self._turn:
            ended, self._waits = self._waits, []
            self._turn.wait_for(lambda: self._asked is not ended)
            return ended

    @contextmanager
    def change(self) -> Iterator[list[float]]:
        """A change is made as long as the block runs, which puts into this list how long it took."""
        with self._turn:
            window = self._asked = self._waits
        try:
            yield window
        finally:
            with self._turn:
                self._asked = None
                self._turn.notify_all()
