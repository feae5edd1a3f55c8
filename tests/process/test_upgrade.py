"""A new version takes the sockets over, as one process of ours after another: no request fails."""

import os
import signal
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.process.serving import Load, Serving, all_end, lives
from tests.waiting import wait_until
from tools.ports import reserved_port

pytestmark = pytest.mark.cluster


def config_of(shard: str) -> dict[str, Any]:
    return {
        "listen": f"127.0.0.1:{reserved_port()}",
        "admin": f"127.0.0.1:{reserved_port()}",
        "shards": {"one": shard},
        "timeouts": {"drain_timeout_s": 20},
    }


def new_version(serving: Serving) -> int:
    """The process that the gateway has started, which is none of its workers."""
    found = [pid for pid in serving.workers if pid not in serving.started]
    return found[0] if found else 0


@pytest.fixture
def ended() -> Any:
    """Ends the processes that a test notes."""
    pids: list[int] = []
    yield pids
    for pid in pids:
        if lives(pid):
            os.kill(pid, signal.SIGTERM)
    assert all_end(pids, 20)


def test_a_new_version_takes_over_under_load_and_no_request_fails(
    serve: Any, shards: list[str], ended: list[int]
) -> None:
    serving = serve(**config_of(shards[0]))
    load = Load(serving.port)

    def upgrade() -> None:
        wait_until(lambda: load.answered > 50)
        serving.process.send_signal(signal.SIGUSR2)
        wait_until(lambda: new_version(serving), 60)
        ended.append(new_version(serving))
        assert serving.process.wait(60) == 0
        answered = load.answered
        wait_until(lambda: load.answered > answered + 50)

    load.during(upgrade)
    assert load.failed == []
    assert lives(ended[0])
    assert all_end(serving.started, 1)
    assert "the new version serves" in serving.errors.read_text()
    assert serving.metrics().value("shardgate_workers") == 2


def test_a_new_version_that_cannot_start_changes_nothing(serve: Any, shards: list[str]) -> None:
    serving = serve(**config_of(shards[0]))
    serving.write(shards={})
    load = Load(serving.port)

    def upgrade() -> None:
        serving.process.send_signal(signal.SIGUSR2)
        serving.wait_for(lambda: "does not come to serve" in serving.errors.read_text(), 60)
        answered = load.answered
        wait_until(lambda: load.answered > answered + 50)

    load.during(upgrade)
    assert load.failed == []
    assert serving.process.poll() is None
    assert sorted(serving.workers) == sorted(serving.started)
    assert serving.end() == 0


def test_an_end_while_a_new_version_starts_ends_both(serve: Any, shards: list[str], ended: list[int]) -> None:
    serving = serve(**config_of(shards[0]))
    serving.process.send_signal(signal.SIGUSR2)
    serving.wait_for(lambda: new_version(serving), 60)
    ended.append(new_version(serving))
    assert serving.end(within_s=30) == 0
    assert all_end([*serving.started, *ended], 20)


def test_workers_do_not_take_the_signal_for_theirs(serve: Any, shards: list[str], tmp_path: Path) -> None:
    serving = serve(**config_of(shards[0]))
    for pid in serving.started:
        os.kill(pid, signal.SIGUSR2)
    load = Load(serving.port)
    load.during(lambda: wait_until(lambda: load.answered > 20))
    assert load.failed == []
    assert serving.workers == serving.started


def test_a_service_manager_is_told_which_process_counts(
    serve: Any, shards: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ended: list[int]
) -> None:
    place = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(place)
        manager.settimeout(60)
        monkeypatch.setenv("NOTIFY_SOCKET", place)
        serving = serve(**config_of(shards[0]))
        assert manager.recv(100) == f"MAINPID={serving.pid}\nREADY=1".encode()
        serving.process.send_signal(signal.SIGUSR2)
        said = manager.recv(100).decode()
        ended.append(int(said.partition("=")[2].partition("\n")[0]))
        assert ended[0] not in {serving.pid, *serving.started}
        assert serving.process.wait(60) == 0
