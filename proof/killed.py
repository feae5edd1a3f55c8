"""The gateway as `shardgate serve` runs it, but that it can be told to die at a step: `python -m proof.killed FILE …`.

FILE says at which: `3 before` or `3 after` the third time that something is written down for a change. It dies as in a
power cut, workers and supervisor together.

It has read all modules once, and waits for lines: each is a file for the output of a new gateway, which is a fork in a
session of its own; its process id is the answer. So a start takes a third of the time, and a proof starts hundreds.
"""

import os
import signal
import sys
from collections.abc import Callable
from importlib import import_module
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
_READ = ("shardgate.cli.serve", "shardgate.process.supervisor", "shardgate.process.worker", "shardgate.store.postgres")


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
    """Start gateways, with the trap set, until the input ends."""
    trap = Trap(Path(sys.argv.pop(1)))
    for table, name in STEPS:
        setattr(table, name, trap.around(getattr(table, name)))
    for module in _READ:
        import_module(module)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel forgets each that has ended
    for line in iter(sys.stdin.readline, ""):
        if pid := os.fork():
            print(pid, flush=True)
            continue
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        output = os.open(line.rstrip("\n"), os.O_WRONLY | os.O_APPEND)
        for stream in (1, 2):
            os.dup2(output, stream)
        app()
        return


if __name__ == "__main__":
    main()
