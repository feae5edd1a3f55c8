"""What the workers count together, and write into one access log."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.process.serving import all_end

pytestmark = pytest.mark.cluster


# Counting.


def test_metrics_are_counted_across_workers(serve: Any, shards: list[str]) -> None:
    serving = serve(shards={"one": shards[0]}, workers=3)
    for _ in range(60):
        assert httpx.get(f"{serving.url}/any").status_code == 200
    for _ in range(10):  # whichever worker answers
        assert serving.metrics().value("shardgate_requests_total", operation="GET /any", status="2xx") == 60
    serving.wait_for(lambda: serving.metrics().value("shardgate_client_connections") == 0)
    assert serving.metrics().value("shardgate_workers") == 3


def test_no_two_requests_have_one_id_whichever_workers_take_them(serve: Any, shards: list[str], tmp_path: Path) -> None:
    log = tmp_path / "log"
    serving = serve(shards={"one": shards[0]}, workers=3, access_log=str(log))
    for _ in range(2):
        for _ in range(30):
            httpx.get(f"{serving.url}/any")  # on a connection of its own, so that all workers get some
        serving.reload()
    serving.wait_for(lambda: len(log.read_text().splitlines()) == 60)
    assert len({json.loads(line)["request_id"] for line in log.read_text().splitlines()}) == 60


def test_a_dead_worker_is_replaced_at_once_and_no_count_is_lost(serve: Any, shards: list[str]) -> None:
    serving = serve(shards={"one": shards[0]}, workers=1)
    for _ in range(10):
        httpx.get(f"{serving.url}/any")
    with httpx.Client() as open_connection:
        open_connection.get(f"{serving.url}/any")
        # A client may have its reply a moment before the worker counts it: found on a machine that had much to do.
        serving.wait_for(lambda: serving.metrics().value("shardgate_requests_total", operation="GET /any") == 11)
        (worker,) = serving.workers
        os.kill(worker, signal.SIGKILL)
        # Nobody is refused meanwhile: the connection waits for the successor.
        assert httpx.get(f"{serving.url}/any").status_code == 200
    serving.wait_for(lambda: serving.metrics().value("shardgate_client_connections") == 0)
    read = serving.metrics()
    assert read.value("shardgate_requests_total", operation="GET /any") == 12
    assert read.value("shardgate_worker_restarts_total") == 1
    assert serving.workers != [worker]


def test_no_counter_goes_back_when_a_configuration_is_read_anew(serve: Any, shards: list[str]) -> None:
    serving = serve(shards={"one": shards[0]})
    seen: dict[Any, float] = {}
    changes = [{}, {"rules": {"GET /other": {"rule": "any"}}}, {"shards": {"two": shards[1]}}, {"workers": 1}]
    for changed in changes:
        for path in ("/any", "/other"):
            httpx.get(f"{serving.url}{path}")
        serving.reload(**changed)
        now = serving.metrics().counters()
        assert {name: (value, now.get(name)) for name, value in seen.items() if now.get(name, -1) < value} == {}
        seen = now
    assert serving.metrics().value("shardgate_requests_total") == 8


# The access log.


def opened_by(pid: int) -> set[str]:
    return {os.path.realpath(file) for file in Path(f"/proc/{pid}/fd").iterdir()}


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGHUP])
def test_a_log_that_was_renamed_goes_on_in_a_new_file(serve: Any, shards: list[str], number: int) -> None:
    serving = serve(shards={"one": shards[0]}, access_log="log")
    log = serving.file.parent / "log"
    httpx.get(f"{serving.url}/any?first")
    log.rename(log.with_suffix(".1"))
    serving.process.send_signal(number)
    serving.wait_for(lambda: all(str(log) in opened_by(worker) for worker in serving.workers))
    assert all_end([*set(serving.started) - set(serving.workers)], 5)
    for _ in range(10):
        httpx.get(f"{serving.url}/any")
    serving.process.send_signal(signal.SIGTERM)
    assert serving.process.wait(5) == 0
    assert len(log.with_suffix(".1").read_bytes().splitlines()) == 1
    assert len(log.read_bytes().splitlines()) == 10


def test_a_log_on_standard_output_is_lines_of_json(serve: Any, shards: list[str]) -> None:
    serving = serve(shards={"one": shards[0]}, access_log="stdout")
    for _ in range(5):
        httpx.get(f"{serving.url}/any")
    serving.process.send_signal(signal.SIGTERM)
    assert serving.process.wait(5) == 0
    assert [json.loads(line)["status"] for line in serving.process.stdout] == [200] * 5
