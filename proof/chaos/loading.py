"""A process that loads the gateway (`proof.chaos.load`), as others start it, tell it what to do, and hear of it.

Holds: it is ended with us, however we end.
"""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from math import inf
from pathlib import Path

import msgspec

from proof.chaos.gateway import with_us
from proof.chaos.record import Batch, Record
from proof.data import ROOT

_LINE_BYTES_MAX = 64 * 1024 * 1024


class LoadProcess:
    """One process."""

    def __init__(self, port: int, ca: Path | None = None) -> None:
        """`ca`: the authority that has signed the gateway's certificate; None: it has none."""
        self._port = port
        self._ca = ca
        self.records: list[Record] = []
        """What is over."""
        self._oldest_s = inf
        self._process: asyncio.subprocess.Process | None = None
        self._hearing: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start it; it sends nothing yet."""
        command = [*with_us("KILL"), sys.executable, "-m", "proof.chaos.load", str(self._port)]
        command += [] if self._ca is None else [str(self._ca)]
        self._process = await asyncio.create_subprocess_exec(
            *command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, limit=_LINE_BYTES_MAX
        )
        self._hearing = asyncio.get_running_loop().create_task(self._hear(self._process))

    async def stop(self) -> None:
        """End it."""
        if self._hearing is not None:
            self._hearing.cancel()
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    def bind(self, processors: Iterable[int]) -> None:
        """It runs on these alone."""
        if self._process is not None:
            os.sched_setaffinity(self._process.pid, processors)

    async def ask(self, rates: Mapping[str, float]) -> None:
        """Ask at these rates from now on."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(msgspec.json.encode(dict(rates)) + b"\n")
        await self._process.stdin.drain()

    async def answered(self, until_s: float) -> None:
        """Wait until everything that was due before this instant is over, and told."""
        await asyncio.sleep(max(0.0, until_s - time.monotonic()) + 0.25)
        while self._oldest_s < until_s:  # noqa: ASYNC110 - told ten times a second
            await asyncio.sleep(0.05)

    def since(self, instant: float) -> list[Record]:
        """The records of what was due from then on."""
        return [each for each in self.records if each.at_s >= instant]

    async def _hear(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        while line := await process.stdout.readline():
            batch = msgspec.json.decode(line, type=Batch)
            self.records += batch.records
            self._oldest_s = inf if batch.oldest_s is None else batch.oldest_s
