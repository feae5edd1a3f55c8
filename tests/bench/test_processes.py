"""The bench measures and ends the processes that it starts, children included."""

import os
import sys
from pathlib import Path

import pytest

from bench.processes import StartError, cpu_s, memory_bytes, started, tree, wait_idle
from tests.waiting import wait_until
from tools.ports import reserved_port

# A parent that ignores SIGTERM's reach to its child, and a child that works.
FAMILY = """
import socket, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "while True: pass"])
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
child.wait()
"""
# It has nothing to do.
SERVER = """
import socket, sys
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    server.accept()
"""


def test_the_work_of_children_counts_and_none_outlives_the_block(tmp_path: Path) -> None:
    port = reserved_port()
    command = [sys.executable, "-c", FAMILY, str(port)]
    cores = sorted(os.sched_getaffinity(0))[:1]
    with started(command, port=port, cores=cores, log=tmp_path / "log") as process:
        pids = tree(process.pid)
        assert len(pids) == 2
        before, own = cpu_s(pids), cpu_s(pids[:1])
        wait_until(lambda: cpu_s(pids) - before >= 0.05)
        assert cpu_s(pids[:1]) - own < 0.05
        assert memory_bytes(pids) > 1 << 20
    assert not [pid for pid in pids if _runs(pid)]


def test_a_program_that_does_not_listen_says_why(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit('no such option')"]
    with (
        pytest.raises(StartError, match="no such option"),
        started(command, port=reserved_port(), cores=[0], log=tmp_path / "log"),
    ):
        pass


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_turn_is_over_when_the_peer_has_nothing_left_to_do(tmp_path: Path) -> None:
    for program, is_idle in ((SERVER, True), (FAMILY, False)):
        port = reserved_port()
        command = [sys.executable, "-c", program, str(port)]
        with started(command, port=port, cores=sorted(os.sched_getaffinity(0)), log=tmp_path / "log") as process:
            assert wait_idle(process.pid, within_s=10 if is_idle else 0.3) is is_idle
