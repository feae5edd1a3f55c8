"""The shards of the chaos: instances as processes, which can be killed, stopped, and told how to answer."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from proof.chaos.gateway import is_stopped, with_us
from proof.chaos.instance import thing
from proof.data import ROOT

ASKED_TWICE_S = 0.03
"""An instance that is well answers a second time, so long after the first, on the same connection."""
ASKED_S = 0.15
"""More than an instance needs that is well, and less than one that is slow."""
_ESTABLISHED = "01"
_ASKED = b"GET /things/asked HTTP/1.1\r\nHost: a\r\n\r\n"


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

    @property
    def is_frozen(self) -> bool:
        """By the kernel."""
        return self._process is not None and is_stopped(self._process.pid)

    @property
    def is_gone(self) -> bool:
        """Nothing listens at its address."""
        with socket.socket() as asking:
            return asking.connect_ex((self.address, self.port)) != 0

    def answers(self) -> str:
        """How it answers a client of its own just now, within a moment, twice: `well`, or what is wrong."""
        try:
            with socket.create_connection((self.address, self.port), timeout=ASKED_S) as asking:
                first = self._answer(asking)
                if first != "well":
                    return first
                time.sleep(ASKED_TWICE_S)
                return self._answer(asking)
        except TimeoutError:
            return "nothing in time"
        except OSError:
            return "no connection"

    def _answer(self, asking: socket.socket) -> str:
        """To one request."""
        due, received, ends_at = thing("asked", self.name[0]), b"", time.monotonic() + ASKED_S
        asking.sendall(_ASKED)
        while received != due:
            if time.monotonic() > ends_at:
                return "nothing in time"
            if not due.startswith(received):
                return "something else"
            if not (more := asking.recv(65536)):
                return "cut"
            received += more
        return "well"

    def has_connections(self) -> bool:
        """Whether somebody is connected to it."""
        address = socket.inet_aton(self.address)[::-1].hex().upper()
        lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
        return any(line[1] == f"{address}:{self.port:04X}" and line[3] == _ESTABLISHED for line in lines)

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
