"""A worker that hangs, is stopped or cannot start: others accept its clients, and it is replaced."""

import os
import signal
import socket
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.process.serving import lives

pytestmark = pytest.mark.cluster

CLIENTS = 40
"""By chance about half of them come to each of two workers, and 1 in 2^40 times all to one."""


def all_answered(url: str) -> float:
    """Ask on connections of their own; returns how long the slowest took, in seconds."""
    slowest_s = 0.0
    for _ in range(CLIENTS):
        began_at = time.monotonic()
        assert httpx.get(f"{url}/any", timeout=10).status_code == 200
        slowest_s = max(slowest_s, time.monotonic() - began_at)
    return slowest_s


def test_the_clients_of_a_worker_that_is_stopped_are_answered_by_another_until_it_goes_on(
    serve: Any, shards: list[str]
) -> None:
    """Found: a worker that hung kept its share of new clients waiting, for as long as it hung."""
    serving = serve(shards={"one": shards[0]}, workers=2, timeouts={"worker_silence_s": 600})
    os.kill(serving.started[0], signal.SIGSTOP)
    all_answered(serving.url)
    assert "is silent; another accepts its clients" in serving.errors.read_text()
    os.kill(serving.started[0], signal.SIGCONT)
    all_answered(serving.url)
    assert serving.end() == 0


def test_a_worker_that_is_silent_for_too_long_is_killed_and_replaced(serve: Any, shards: list[str]) -> None:
    serving = serve(shards={"one": shards[0]}, workers=2, timeouts={"worker_silence_s": 3})
    os.kill(serving.started[0], signal.SIGSTOP)
    serving.wait_for_line("gave no sign of life for 3 s; it is killed")
    serving.wait_for(lambda: not lives(serving.started[0]))
    serving.wait_for(lambda: len(serving.workers) == 2)
    all_answered(serving.url)


def test_the_clients_of_a_worker_that_cannot_start_are_answered_by_another(
    serve: Any, shards: list[str], tmp_path: Path
) -> None:
    """Found: as long as it could not start, its share of new clients waited."""
    serving = serve(shards={"one": shards[0]}, workers=2, store=str(tmp_path / "store.db"))
    (tmp_path / "store.db").unlink()
    (tmp_path / "store.db").mkdir()
    os.kill(serving.started[0], signal.SIGKILL)
    serving.wait_for_line("is silent; another accepts its clients")
    assert all_answered(serving.url) < 1
    (tmp_path / "store.db").rmdir()


def test_no_worker_that_hangs_keeps_the_port_open_after_the_end(serve: Any, shards: list[str]) -> None:
    serving = serve(shards={"one": shards[0]}, workers=2, timeouts={"drain_timeout_s": 600})
    os.kill(serving.started[0], signal.SIGSTOP)
    serving.process.send_signal(signal.SIGTERM)

    def is_refused() -> bool:
        with socket.socket() as probe:
            probe.settimeout(0.1)
            return probe.connect_ex(("127.0.0.1", serving.port)) not in {0, 11}

    serving.wait_for(is_refused)
    assert all(is_refused() for _ in range(20))
    assert lives(serving.started[0])
