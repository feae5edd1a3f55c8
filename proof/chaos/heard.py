"""A process of our own that tells us lines on its standard output: started, heard, told lines, and ended.

Holds: it is ended with us, however we end.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterable

from proof.chaos.gateway import with_us
from proof.data import ROOT

_LINE_BYTES_MAX = 64 * 1024 * 1024


class HeardProcess:
    """One process. A kind of it says what becomes of a line."""

    def __init__(self, module: str, *arguments: str) -> None:
        """What Python runs, once it is started."""
        self._command = [sys.executable, "-m", module, *arguments]
        self._process: asyncio.subprocess.Process | None = None
        self._hearing: asyncio.Task[None] | None = None

    def heard(self, line: bytes) -> None:
        """It has told a line."""
        raise NotImplementedError

    async def start(self) -> None:
        """Start it."""
        self._process = await asyncio.create_subprocess_exec(
            *with_us("KILL"),
            *self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            limit=_LINE_BYTES_MAX,
        )
        self._hearing = asyncio.get_running_loop().create_task(self._hear(self._process))

    async def stop(self) -> None:
        """End it; what it has not told is lost."""
        if self._hearing is not None:
            self._hearing.cancel()
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    def bind(self, processors: Iterable[int]) -> None:
        """It runs on these alone."""
        if self._process is not None:
            os.sched_setaffinity(self._process.pid, processors)

    async def tell(self, line: bytes) -> None:
        """Send it a line, which has its end."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(line)
        await self._process.stdin.drain()

    async def _hear(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        while line := await process.stdout.readline():
            self.heard(line)
