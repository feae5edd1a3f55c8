"""The gateway as `shardgate serve` runs it, but that it can be told to die at a step: `python -m proof.killed FILE …`.

FILE says at which: `3 before` or `3 after` the third time that something is written down for a change. It dies as in a
power cut, workers and supervisor together.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from shardgate.cli.main import app
from shardgate.store.idempotency import IdempotencyKeys
from shardgate.store.journal import Journal
from shardgate.store.placements import Placements

STEPS: tuple[tuple[type, str], ...] = (
    (Journal, "add"),
    (Journal, "begin"),
    (Journal, "save"),
    (IdempotencyKeys, "begin"),
    (IdempotencyKeys, "finish"),
    (IdempotencyKeys, "doubt"),
    (IdempotencyKeys, "forget"),
    (Placements, "reserve"),
)


class Trap:
    """Counts the steps since it was last told where to die."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._told = ""
        self._seen = 0

    def around(self, step: Callable[..., Any]) -> Callable[..., Any]:
        """The same step, at which the gateway may die."""

        def stepped(*args: Any, **options: Any) -> Any:
            told = self._file.read_text() if self._file.exists() else ""
            if told != self._told:
                self._told, self._seen = told, 0
            self._seen += 1
            self._die_at(f"{self._seen} before")
            outcome = step(*args, **options)
            self._die_at(f"{self._seen} after")
            return outcome

        return stepped

    def _die_at(self, point: str) -> None:
        if self._told.partition("#")[0] == point:
            os.killpg(0, signal.SIGKILL)


def main() -> None:
    """Serve, with the trap set."""
    trap = Trap(Path(sys.argv.pop(1)))
    for table, name in STEPS:
        setattr(table, name, trap.around(getattr(table, name)))
    app()


if __name__ == "__main__":
    main()
