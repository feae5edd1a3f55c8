"""Kills one instance after another while a proof runs, and starts it again: never two of one shard at once."""

import threading
from collections.abc import Mapping, Sequence
from itertools import cycle
from types import TracebackType
from typing import Self

from proof.fleet import Server


class Killer:
    """A thread that kills: each replica of each shard in turn, for ever."""

    def __init__(self, replicas: Mapping[str, Sequence[Server]], every_s: float) -> None:
        width = max(map(len, replicas.values()))
        self._victims = cycle([servers[at % len(servers)] for at in range(width) for servers in replicas.values()])
        self._every_s = every_s
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._kill_all, name="killer")
        self.kills = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _kill_all(self) -> None:
        while not self._over.wait(self._every_s):
            victim = next(self._victims)
            victim.kill()
            self.kills += 1
            victim.start()
