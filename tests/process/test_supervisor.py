"""The parent of all workers: it ends when it is told to, and leaves no worker behind."""

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.process.serving import CONFIG, all_end

pytestmark = pytest.mark.cluster


# The end.


def test_no_worker_outlives_its_supervisor(serve: Any) -> None:
    # Found: they went on serving the old configuration, on a port that a new gateway then shared with them.
    serving = serve()
    serving.process.kill()
    assert all_end(serving.started, 5)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_drains_when_it_is_told_to_end(serve: Any, number: signal.Signals) -> None:
    serving = serve()
    serving.process.send_signal(number)
    assert serving.process.wait(5) == 0
    assert all_end(serving.started, 1)


def test_it_ends_although_it_was_about_to_replace_a_worker(serve: Any) -> None:
    # Found: the successor was begun after the signal, heard nothing of it, and was waited for without end.
    serving = serve()
    os.kill(serving.started[0], signal.SIGKILL)
    serving.wait_for_line("it is replaced")
    assert serving.end() == 0


@pytest.mark.parametrize("begun", [0, 1, 2])
def test_it_ends_although_a_configuration_is_about_to_take_over(serve: Any, begun: int) -> None:
    serving = serve()
    serving.process.send_signal(signal.SIGHUP)
    serving.wait_for(lambda: len(serving.workers) >= len(serving.started) + begun)
    workers = [*serving.workers, *serving.started]
    serving.process.send_signal(signal.SIGTERM)
    assert serving.process.wait(5) == 0
    assert all_end(workers, 1)


def test_a_worker_that_does_not_end_is_killed_when_its_time_is_over(serve: Any) -> None:
    serving = serve(timeouts={"drain_timeout_s": 0.1})
    os.kill(serving.started[0], signal.SIGSTOP)
    serving.process.send_signal(signal.SIGTERM)
    assert serving.process.wait(8) == 1
    assert all_end(serving.started, 1)


def test_it_says_that_it_drains_before_it_takes_no_more(serve: Any, shards: list[str]) -> None:
    serving = serve(shards={"one": shards[0]}, timeouts={"drain_delay_s": 1.0})
    assert httpx.get(f"{serving.admin}/readyz").status_code == 200
    serving.process.send_signal(signal.SIGTERM)
    serving.wait_for(lambda: httpx.get(f"{serving.admin}/readyz").status_code == 503)
    assert httpx.get(f"{serving.url}/any").status_code == 200
    assert serving.metrics().value("shardgate_draining") == 1
    assert serving.process.wait(5) == 0


def test_a_gateway_whose_workers_cannot_start_ends_and_says_why(tmp_path: Path) -> None:
    file = tmp_path / "shardgate.yaml"
    (tmp_path / "loop").symlink_to("loop")  # passes as a path, and cannot be opened
    file.write_text(yaml.safe_dump(CONFIG | {"access_log": "loop"}))
    command = [sys.executable, "-m", "shardgate", "serve", "-c", str(file)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert "Too many levels of symbolic links" in done.stderr
    assert done.stdout == ""


# A terminal that goes away.


def test_it_ends_with_the_terminal_that_it_was_started_in(tmp_path: Path) -> None:
    file = tmp_path / "shardgate.yaml"
    file.write_text(yaml.safe_dump(CONFIG))
    terminal, its_side = pty.openpty()
    take = (
        "import fcntl, os, signal, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0);"
        "signal.signal(signal.SIGHUP, signal.SIG_DFL);"  # where the tests run under nohup, it is ignored
        "os.execv(sys.executable, sys.argv[1:])"
    )
    command = [sys.executable, "-c", take, sys.executable, "-m", "shardgate", "serve", "-c", str(file)]
    supervisor = subprocess.Popen(command, stdin=its_side, stdout=its_side, stderr=its_side, start_new_session=True)
    os.close(its_side)
    said = b""
    while b"admin" not in said:
        said += os.read(terminal, 4096)
    supervisor.send_signal(signal.SIGHUP)  # while there is a terminal, that is a reload
    while b"read anew" not in said:
        said += os.read(terminal, 4096)
    os.close(terminal)
    try:
        assert supervisor.wait(5) == 0
    finally:
        supervisor.kill()


def test_a_hangup_that_all_of_its_processes_hear_is_no_crash(serve: Any) -> None:
    serving = serve()
    for pid in [*serving.started, serving.pid]:
        os.kill(pid, signal.SIGHUP)
    serving.wait_for(lambda: serving.metrics().value("shardgate_reloads_total", outcome="taken") == 1)
    assert serving.metrics().value("shardgate_worker_restarts_total") == 0
