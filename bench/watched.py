"""A worker of the gateway with a watch on its loop: `python -m bench.watched shardgate.yaml PORT`.

Whoever connects to the port is told the longest that the loop was held since the last one came, in CPU seconds:
what other processes take of the machine is not counted.
"""

import asyncio
import sys
import time
from pathlib import Path

import uvloop

from shardgate.config.load import load
from shardgate.net.listeners import listen
from shardgate.process.generation import Entrance
from shardgate.process.worker import Worker, settle

_TICK_S = 0.001


class _Watch:
    """Ticks in the loop, and keeps the longest time of its thread between two ticks."""

    def __init__(self) -> None:
        self._longest_s = 0.0
        self._last_s = time.thread_time()

    def tick(self) -> None:
        """Between two ticks the loop does at most one round: all that became ready meanwhile."""
        instant = time.thread_time()
        self._longest_s = max(self._longest_s, instant - self._last_s)
        self._last_s = instant
        asyncio.get_running_loop().call_later(_TICK_S, self.tick)

    async def tell(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """The longest, and begin anew."""
        longest_s, self._longest_s = self._longest_s, 0.0
        writer.write(b"%.6f\n" % longest_s)
        writer.close()


async def _main(config: Path, port: int) -> None:
    watch = _Watch()
    await asyncio.start_server(watch.tell, "127.0.0.1", port)
    watch.tick()
    listening = listen("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    worker = Worker(load(config))
    settle()
    await worker.run(Entrance([listening]), lambda: print(f"ready on {url}", flush=True), asyncio.Event())


if __name__ == "__main__":
    uvloop.run(_main(Path(sys.argv[1]), int(sys.argv[2])))
