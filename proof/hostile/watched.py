"""`shardgate serve` with a watch on the loop of each worker: `python -m proof.hostile.watched FOLDER serve -c FILE`.

A timer in the loop reads the CPU clock of the loop's thread every millisecond. Between two ticks the loop does at most
one round of what is ready, so the CPU time between two ticks is the longest that a request of another client waits for
the work of this round. What other processes take of the machine is not counted. uvloop has no hook around a callback;
a round is the longer of the two, so nothing is missed.

Each worker listens on FOLDER/PID.watch. A line sent to it is answered by a line:

- `longest`: the longest time between two ticks since this was last asked, in seconds;
- `hog SECONDS`: the loop is held for so long, `hold BYTES`: so much memory is taken for a moment. The tests of the
  watch ask for these.
"""

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from shardgate.cli.main import app
from shardgate.process.worker import Worker

_TICK_S = 0.001


class Watch:
    """Ticks in the loop, and keeps the longest CPU time of its thread between two ticks."""

    def __init__(self) -> None:
        self._longest_s = 0.0
        self._last_s = time.thread_time()

    def tick(self) -> None:
        """Look at the clock, and come again."""
        instant = time.thread_time()
        self._longest_s = max(self._longest_s, instant - self._last_s)
        self._last_s = instant
        asyncio.get_running_loop().call_later(_TICK_S, self.tick)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Do what each line says."""
        while words := (await reader.readline()).split():
            match words:
                case [b"longest"]:
                    self.tick_now()
                    writer.write(b"%.6f\n" % self._longest_s)
                    self._longest_s = 0.0
                case [b"hog", seconds]:
                    _hog(float(seconds))
                    writer.write(b"done\n")
                case [b"hold", size]:
                    writer.write(b"%d\n" % len(bytearray(b"x") * int(size)))
        writer.close()

    def tick_now(self) -> None:
        """What this very round has taken so far counts, too."""
        instant = time.thread_time()
        self._longest_s = max(self._longest_s, instant - self._last_s)


def _hog(seconds: float) -> None:
    end_s = time.thread_time() + seconds
    while time.thread_time() < end_s:
        pass


def watched(run: Callable[..., Awaitable[None]], folder: Path) -> Callable[..., Awaitable[None]]:
    """The life of a worker, with a watch."""

    async def running(worker: Worker, *arguments: Any, **options: Any) -> None:
        watch = Watch()
        server = await asyncio.start_unix_server(watch.answer, folder / f"{os.getpid()}.watch")
        watch.tick()
        await run(worker, *arguments, **options)
        server.close()

    return running


def main() -> None:
    """Serve."""
    folder = Path(sys.argv.pop(1))
    Worker.run = watched(Worker.run, folder)  # type: ignore[method-assign,assignment]
    app()


if __name__ == "__main__":
    main()
