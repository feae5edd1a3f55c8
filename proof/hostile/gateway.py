"""A gateway as `shardgate serve` runs it, with a watch on its workers: how long its loop is held, how much memory it
takes.

Holds: its processes are ended by their ids, also where a loop never comes back.
"""

import asyncio
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import yaml

from bench.processes import cpu_s, memory_peak_bytes, reset_peak
from proof.fleet import Server

HELD_S_MAX = 40.0
"""A loop that does not come back within this is not waited for; the gateway is ended."""
_MB = 1024 * 1024


class Cost(msgspec.Struct, frozen=True):
    """What something took of the gateway."""

    stall_s: float
    """The longest that the loop was held, in CPU seconds."""
    memory_mb: float
    """The most memory above idle, of all workers."""
    kept_mb: float
    """What of it is still there afterwards."""
    came_back: bool
    """Whether the loop answers at all."""


def watched_server(folder: Path, config: Path, environment: dict[str, str] | None = None) -> Server:
    """A gateway that is not yet started."""
    command = [sys.executable, "-m", "proof.hostile.watched", str(folder), "serve", "-c", str(config)]
    return Server(command, folder / "gateway.log", environment)


def written(folder: Path, config: dict[str, Any]) -> Path:
    """The file of a configuration; the gateway listens on a free port."""
    file = folder / "shardgate.yaml"
    file.write_text(yaml.safe_dump({"listen": "127.0.0.1:0", **config}, sort_keys=False))
    return file


class WatchedGateway:
    """One gateway, whose watches listen in a folder."""

    def __init__(self, folder: Path, server: Server) -> None:
        self.folder = folder
        self.server = server
        self._idle_bytes = 0
        self._cpu_s = 0.0

    @property
    def port(self) -> int:
        """Where clients connect."""
        return int(self.server.url.rpartition(":")[2])

    @property
    def log(self) -> Path:
        """What it wrote."""
        return self.folder / "gateway.log"

    @property
    def workers(self) -> list[int]:
        """The ids of the worker processes."""
        found = [int(file.stem) for file in self.folder.glob("*.watch")]
        return [pid for pid in found if Path(f"/proc/{pid}").exists()]

    def start(self) -> None:
        """Start it."""
        for left in self.folder.glob("*.watch"):
            left.unlink()
        self.server.start()  # from the main thread, so that the kernel ends it with us

    async def rest(self) -> None:
        """What it takes now is idle."""
        await self.begin()
        self._idle_bytes = sum(resident_bytes(pid) for pid in self.workers)

    def stop(self) -> None:
        """End it and all of its workers."""
        workers = self.workers
        self.server.kill()
        for pid in workers:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for pid in workers:
            _await_end(pid)

    async def begin(self) -> None:
        """Measure from here."""
        for pid in self.workers:
            await self.tell(pid, b"longest")
        self._cpu_s = cpu_s(self.workers)
        reset_peak(self.workers)

    async def end(self) -> Cost:
        """What was taken since `begin`."""
        workers = self.workers
        try:
            async with asyncio.timeout(HELD_S_MAX):
                stall_s = max([float(await self.tell(pid, b"longest")) for pid in workers])
            came_back = True
        except (TimeoutError, OSError, ValueError):
            stall_s, came_back = cpu_s(workers) - self._cpu_s, False
        with suppress(FileNotFoundError, LookupError):
            peak, now = memory_peak_bytes(workers), sum(resident_bytes(pid) for pid in workers)
            above, kept = (peak - self._idle_bytes) / _MB, (now - self._idle_bytes) / _MB
            return Cost(stall_s, max(above, 0.0), max(kept, 0.0), came_back)
        return Cost(stall_s, 0.0, 0.0, came_back=False)

    async def tell(self, pid: int, line: bytes) -> bytes:
        """Ask the watch of a worker."""
        reader, writer = await asyncio.open_unix_connection(self.folder / f"{pid}.watch")
        writer.write(line + b"\n")
        writer.write_eof()
        said = await reader.read()
        writer.close()
        return said


def resident_bytes(pid: int) -> int:
    """The resident size of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _await_end(pid: int) -> None:
    deadline_at = time.monotonic() + 10
    while Path(f"/proc/{pid}/cmdline").exists() and time.monotonic() < deadline_at:
        if not Path(f"/proc/{pid}/cmdline").read_bytes():
            return  # dead, and waits for its parent
        time.sleep(0.01)
