"""The shards of the chaos: instances as processes, which can be killed, stopped, and told how to answer."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from proof.chaos.gateway import with_us
from proof.data import ROOT


class InstanceProcess:
    """One instance, at an address and port of its own."""

    def __init__(self, name: str, address: str, kept: Path) -> None:
        self.name = name
        self.address = address
        self.port = 0
        self._kept = kept
        self._processors = os.sched_getaffinity(0)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where the gateway reaches it."""
        return f"http://{self.address}:{self.port}"

    def start(self) -> None:
        """Start it; on the same port as before. `await_ready` waits for it."""
        command = [sys.executable, "-m", "proof.chaos.instance", self.name, self.address, str(self.port)]
        self._process = subprocess.Popen(
            [*with_us("KILL"), *command, str(self._kept)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
        )
        os.sched_setaffinity(self._process.pid, self._processors)

    def bind(self, processors: Iterable[int]) -> None:
        """It runs on these alone."""
        self._processors = {*processors}
        if self._process is not None:
            os.sched_setaffinity(self._process.pid, self._processors)

    def await_ready(self) -> None:
        """Wait until it listens."""
        assert self._process is not None
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def kill(self) -> None:
        """As a power cut would."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with suppress(OSError):
                        pipe.close()

    def freeze(self) -> None:
        """It keeps its sockets, and does nothing."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on."""
        self._signal(signal.SIGCONT)

    def tell(self, mode: str) -> None:
        """From now on it answers so: `well`, `slow 10`, …"""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(f"{mode}\n".encode())
        self._process.stdin.flush()

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)


class Shard:
    """One shard: instances on one set of things."""

    def __init__(self, letter: str, name: str, index: int, folder: Path) -> None:
        self.letter = letter
        self.name = name
        self.kept = folder / f"{letter}.things"
        self.kept.touch()
        self.instances = [
            InstanceProcess(f"{letter}{number}", f"127.9.{index}.{number}", self.kept) for number in (1, 2)
        ]
        self.spare = InstanceProcess(f"{letter}3", f"127.9.{index}.3", self.kept)
        """Not started, and in no configuration."""

    def start(self) -> None:
        """Start all; they have one port, each at its own address."""
        first, *others = self.instances
        first.start()
        first.await_ready()
        for instance in [*others, self.spare]:
            instance.port = first.port
        for instance in others:
            instance.start()
            instance.await_ready()

    def stop(self) -> None:
        """End all."""
        for instance in [*self.instances, self.spare]:
            instance.kill()
