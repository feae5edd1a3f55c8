"""The parent of all workers: it ends when it is told to, and no worker is left behind."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.cluster

CONFIG = """
listen: 127.0.0.1:0
workers: 2
shards: {one: "http://127.0.0.1:1"}
rules: {GET /any: {rule: any}}
"""


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """A supervisor, and the process ids of its workers."""
    file = tmp_path / "shardgate.yaml"
    file.write_text(CONFIG)
    command = [sys.executable, "-m", "shardgate", "serve", "-c", str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as supervisor:
        assert supervisor.stdout is not None
        workers = [int(pid) for pid in re.findall(r"\d+", supervisor.stdout.readline().split("pid")[1])]
        yield supervisor, workers
        for pid in filter(_lives, workers):
            os.kill(pid, signal.SIGKILL)
        supervisor.kill()


def _lives(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "State:\tZ" not in status.read_text()


def _all_end(pids: list[int], within_s: float) -> bool:
    deadline_at = time.monotonic() + within_s
    while any(map(_lives, pids)) and time.monotonic() < deadline_at:
        time.sleep(0.02)
    return not any(map(_lives, pids))


def test_no_worker_outlives_its_supervisor(serving: tuple[subprocess.Popen[str], list[int]]) -> None:
    # Found: they went on serving the old configuration, on a port that a new gateway then shared with them.
    supervisor, workers = serving
    supervisor.kill()
    assert _all_end(workers, 5)


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM, signal.SIGINT])
def test_it_drains_when_it_is_told_to_end(
    serving: tuple[subprocess.Popen[str], list[int]], number: signal.Signals
) -> None:
    # Found: SIGHUP, which a closed terminal sends, ended the supervisor alone.
    supervisor, workers = serving
    supervisor.send_signal(number)
    assert supervisor.wait(5) == 0
    assert _all_end(workers, 1)


def test_a_closed_terminal_that_tells_all_of_its_processes_is_no_crash(
    serving: tuple[subprocess.Popen[str], list[int]],
) -> None:
    supervisor, workers = serving
    for pid in [*workers, supervisor.pid]:
        os.kill(pid, signal.SIGHUP)
    assert supervisor.wait(5) == 0


def test_it_ends_although_it_was_about_to_replace_a_worker(
    serving: tuple[subprocess.Popen[str], list[int]],
) -> None:
    # Found: the successor was begun after the signal, heard nothing of it, and was waited for without end.
    supervisor, workers = serving
    os.kill(workers[0], signal.SIGKILL)
    time.sleep(0.3)
    supervisor.send_signal(signal.SIGTERM)
    assert supervisor.wait(5) == 0
