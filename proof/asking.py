"""Threads that ask without a pause as long as a block runs."""

import threading
from types import TracebackType
from typing import Self


class AskingThreads:
    """What each thread asks is said by `_ask`."""

    def __init__(self, count: int) -> None:
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(number,), daemon=True) for number in range(count)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Ask no more; returns when the last reply is here."""
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, number: int) -> None:
        """Ask until `_ended` is set."""
        raise NotImplementedError
