"""`shardgate serve` as a process of its own, with its configuration, its log and its workers; and load on it."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import yaml

from tests.observe.metrics import Metrics
from tests.waiting import wait_until

CONFIG: dict[str, Any] = {
    "listen": "127.0.0.1:0",
    "admin": "127.0.0.1:0",
    "workers": 2,
    "shards": {"one": "http://127.0.0.1:1"},
    "rules": {"GET /any": {"rule": "any"}},
}


_AHEAD = """
import runpy, time
wall = time.time
time.time = lambda: wall() + {}
runpy.run_module("shardgate", run_name="__main__")
"""

_PASSING = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
os.execv(sys.argv[2], sys.argv[2:])
"""


class Serving:
    """`shardgate serve` as a process, and its configuration."""

    def __init__(
        self,
        folder: Path,
        config: dict[str, Any],
        passed: socket.socket | None = None,
        ahead_s: float = 0.0,
        options: Sequence[str] = (),
    ) -> None:
        """`options`: of the command. `passed`: a socket that is opened for the gateway, as a service manager does
        (sd_listen_fds(3)). `ahead_s`: how far the clock that people set is ahead for the gateway.
        """
        folder.mkdir(exist_ok=True)
        self.file = folder / "shardgate.yaml"
        self.config = CONFIG | config
        self.write()
        self.errors = folder / "errors"
        command = [sys.executable, "-m", "shardgate", "serve", "-c", str(self.file), *options]
        if ahead_s:
            command[1:3] = ["-c", _AHEAD.format(ahead_s)]
        fds = () if passed is None else (passed.fileno(),)
        if passed is not None:
            command = [sys.executable, "-c", _PASSING, str(passed.fileno()), *command]
        with self.errors.open("wb") as errors:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, pass_fds=fds)
        self.pid = self.process.pid
        assert self.process.stdout is not None
        ready, admin = self.process.stdout.readline(), self.process.stdout.readline()
        self.started = [int(pid) for pid in re.findall(r"\d+", ready.split("pid")[1])]
        (self.url,) = re.findall(r"http://[\d.:]+\d", ready)
        (self.admin,) = re.findall(r"http://[\d.:]+\d", admin)

    def write(self, **changed: Any) -> None:
        self.config |= changed
        self.file.write_text(yaml.safe_dump(self.config))

    @property
    def workers(self) -> list[int]:
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        return [int(pid) for pid in children.split()]

    def reload(self, outcome: str = "taken", **changed: Any) -> None:
        """Change the configuration, and wait until that was taken or refused."""
        before = self.metrics().value("shardgate_reloads_total")
        self.write(**changed)
        self.process.send_signal(signal.SIGHUP)
        self.wait_for(lambda: self.metrics().value("shardgate_reloads_total") > before)
        assert self.metrics().value("shardgate_reloads_total", outcome=outcome)

    def metrics(self) -> Metrics:
        return Metrics(httpx.get(f"{self.admin}/metrics").text)

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def wait_for(self, condition: Callable[[], Any], within_s: float = 10) -> None:
        """Wait until something is true of the process: it is looked at again and again."""
        try:
            wait_until(condition, within_s)
        except AssertionError as error:
            raise AssertionError(self.errors.read_text()) from error

    def wait_for_line(self, words: str) -> None:
        """Wait until the log says so."""
        self.wait_for(lambda: words in self.errors.read_text())

    def end(self, number: signal.Signals = signal.SIGTERM, within_s: float = 8) -> int:
        """Tell the gateway to end; returns its exit code."""
        self.process.send_signal(number)
        return self.process.wait(within_s)

    def close(self) -> None:
        for pid in {*self.started, *(self.workers if self.process.poll() is None else [])}:
            if lives(pid) and parent(pid) in {self.pid, 1}:
                os.kill(pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


def lives(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "State:\tZ" not in status.read_text()


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def all_end(pids: list[int], within_s: float) -> bool:
    return wait_until(lambda: not any(map(lives, pids)), within_s)


class Load:
    """Clients that ask without a pause, in a process of their own (load.py)."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.answered = 0
        self.failed: list[str] = []

    def during(self, work: Callable[[], object], *, clients: int = 8) -> None:
        """They ask until the work is done."""
        command = [sys.executable, "-m", "tests.process.load", str(self._port), str(clients)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as asking:
            assert asking.stdin is not None
            assert asking.stdout is not None
            self._hear(asking.stdout.readline())
            hearing = Thread(target=lambda lines: [*map(self._hear, lines)], args=[asking.stdout])
            hearing.start()
            try:
                work()
            finally:
                asking.stdin.close()
                hearing.join()

    def _hear(self, line: str) -> None:
        told = json.loads(line)
        self.answered, self.failed = told["answered"], told["failed"]
