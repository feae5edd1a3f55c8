"""One gateway, as `shardgate serve` runs it, with its workers.

Holds: whatever becomes of it, its processes are ended by their ids.
"""

import asyncio
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from proof.data import ROOT

READY_S = 30.0
END_S = 30.0
_ADMIN = re.compile(r"admin on http://[\d.]+:(\d+)")
_PASSING = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
os.execvp(sys.argv[2], sys.argv[2:])
"""


class Gateway:
    """A supervisor and its workers."""

    def __init__(self, folder: Path, config: dict[str, Any], name: str) -> None:
        self.file = folder / f"{name}.yaml"
        self.log = folder / f"{name}.log"
        self._config = config
        self.write()
        self._process: subprocess.Popen[bytes] | None = None
        self._heir = 0
        self.admin_port = 0

    def write(self, **changed: Any) -> None:
        """Write its configuration; nothing happens until it is told to read it."""
        self._config = {**self._config, **changed}
        self.file.write_text(yaml.safe_dump(self._config, sort_keys=False))

    async def start(
        self,
        prefix: Sequence[str] = (),
        program: Sequence[str] = ("-m", "shardgate"),
        passed: socket.socket | None = None,
    ) -> None:
        """Start it, and wait until it serves. Raises RuntimeError."""
        command = [*prefix, sys.executable, *program, "serve", "-c", str(self.file)]
        if passed is not None:
            command = [sys.executable, "-c", _PASSING, str(passed.fileno()), *command]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: ASYNC220 - the kernel ends it with the thread that started it
                [*with_us("TERM"), *command],
                stdout=log,
                stderr=log,
                cwd=ROOT,
                pass_fds=() if passed is None else (passed.fileno(),),
            )
        deadline_at = time.monotonic() + READY_S
        while time.monotonic() < deadline_at and self._process.poll() is None:
            if found := _ADMIN.search(self.log.read_text(errors="replace")):
                self.admin_port = int(found[1])
                return
            await asyncio.sleep(0.02)
        self.kill()
        raise RuntimeError(f"the gateway did not become ready:\n{self.log.read_text(errors='replace')}")

    @property
    def pid(self) -> int:
        """The supervisor."""
        if self._heir:
            return self._heir
        assert self._process is not None
        return self._process.pid

    def follow(self, pid: int) -> None:
        """It has ended, and a new version that it has started serves: that is the gateway from now on."""
        self._process, self._heir = None, pid

    @property
    def workers(self) -> list[int]:
        """The worker processes, the eldest first; also those that drain."""
        with suppress(OSError, AssertionError):
            return sorted(map(int, Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()))
        return []

    def signal(self, number: signal.Signals) -> None:
        """Tell the supervisor."""
        os.kill(self.pid, number)

    def has_ended(self) -> bool:
        """Whether it runs no more."""
        if self._heir:
            return not _lives(self._heir)
        return self._process is None or self._process.poll() is not None

    def kill(self) -> None:
        """End it and its workers, also those that are stopped."""
        pids = [*self.workers, *([self._heir] if self._heir else [])]
        process, self._process, self._heir = self._process, None, 0
        if process is not None:
            process.kill()
            process.wait(END_S)
        for pid in reversed(pids):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        deadline_at = time.monotonic() + END_S
        while any(map(_lives, pids)) and time.monotonic() < deadline_at:
            time.sleep(0.01)  # until then they hold its port


def _lives(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status")
    try:
        return "State:\tZ" not in status.read_text()
    except OSError:
        return False


def is_stopped(pid: int) -> bool:
    """Whether a process does not run on, by the kernel; a signal takes a moment."""
    for _ in range(100):
        if "State:\tT" in Path(f"/proc/{pid}/status").read_text():
            return True
        time.sleep(0.005)
    return False


def with_us(signal_name: str) -> list[str]:
    """Should we be killed, the kernel sends this signal to what is started so."""
    return ["setpriv", "--pdeathsig", signal_name] if shutil.which("setpriv") else []
