"""The clients of production: an open load in a process of its own, from before the first deployment until after the
last.

*Holds:* each request is sent once, and counted as its client saw it.
"""

import os
import subprocess
import sys
import threading
from types import TracebackType
from typing import Self

import msgspec

from proof.data import ROOT
from tools.delivery.load import Second, Told

END_TIMEOUT_S = 60.0
START_TIMEOUT_S = 20.0


class Clients:
    """Running inside of the `with` block, until `end`."""

    def __init__(self, url: str, rate: float, token: str) -> None:
        # `order=-rating`: clients ask for the events that are rated best, tests for those that come first by name.
        command = [sys.executable, "-m", "tools.delivery.load", url, f"--rate={rate}", "--order=-rating"]
        self._command = ["setpriv", "--pdeathsig", "TERM", *command, "--until-closed"]
        self._environment = {**os.environ, "LOAD_TOKEN": token}
        self._process: subprocess.Popen[bytes] | None = None
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._began = threading.Event()
        self.requests = 0
        self.failed = 0
        self._told: Told | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, env=self._environment
        )
        self._reader.start()
        if not self._began.wait(START_TIMEOUT_S):
            self._kill()
            raise RuntimeError("the clients did not begin")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._kill()

    def end(self) -> Told:
        """No more requests; all that were sent are waited for. Returns what clients saw in all."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._reader.join(END_TIMEOUT_S)
        if self._told is None:
            raise RuntimeError("the clients did not tell what they saw")
        return self._told

    def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        for line in self._process.stdout:
            said = msgspec.json.decode(line, type=Second | Told)
            if isinstance(said, Told):
                self._told = said
            else:
                self.requests += said.requests
                self.failed += said.failed
                self._began.set()

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
