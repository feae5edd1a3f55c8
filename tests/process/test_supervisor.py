"""The parent of all workers: it ends when it is told to, and no worker is left behind; a configuration takes the place
of another, and no client notices."""

import asyncio
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.observe.metrics import Metrics

pytestmark = pytest.mark.cluster

CONFIG: dict[str, Any] = {
    "listen": "127.0.0.1:0",
    "admin": "127.0.0.1:0",
    "workers": 2,
    "shards": {"one": "http://127.0.0.1:1"},
    "rules": {"GET /any": {"rule": "any"}},
}


class Serving:
    """`shardgate serve` as a process, and its configuration."""

    def __init__(self, folder: Path, config: dict[str, Any]) -> None:
        self.file = folder / "shardgate.yaml"
        self.config = CONFIG | config
        self.write()
        self.errors = folder / "errors"
        command = [sys.executable, "-m", "shardgate", "serve", "-c", str(self.file)]
        with self.errors.open("wb") as errors:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
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

    def wait_for(self, condition: Callable[[], Any], within_s: float = 10) -> None:
        deadline_at = time.monotonic() + within_s
        while not condition():
            assert time.monotonic() < deadline_at, self.errors.read_text()
            time.sleep(0.02)

    def close(self) -> None:
        for pid in {*self.started, *(self.workers if self.process.poll() is None else [])}:
            if _lives(pid) and _parent(pid) in {self.pid, 1}:
                os.kill(pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Serving]]:
    """Start a gateway: `serving = serve(workers=1)`."""
    with ExitStack() as stack:

        def start(**config: Any) -> Serving:
            serving = Serving(tmp_path, config)
            stack.callback(serving.close)
            return serving

        yield start


@pytest.fixture
def shards() -> Iterator[list[str]]:
    """The addresses of two shards, in processes of their own: the test's own keeps busy."""
    command = [sys.executable, "-m", "tests.stub", "0"]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    yield [f"http://127.0.0.1:{int(shard.stdout.readline())}" for shard in running if shard.stdout]
    for shard in running:
        shard.kill()
        shard.wait()
        assert shard.stdout is not None
        shard.stdout.close()


def _lives(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "State:\tZ" not in status.read_text()


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def _all_end(pids: list[int], within_s: float) -> bool:
    deadline_at = time.monotonic() + within_s
    while any(map(_lives, pids)) and time.monotonic() < deadline_at:
        time.sleep(0.02)
    return not any(map(_lives, pids))


# The end.


def test_no_worker_outlives_its_supervisor(serve: Any) -> None:
    # Found: they went on serving the old configuration, on a port that a new gateway then shared with them.
    serving = serve()
    serving.process.kill()
    assert _all_end(serving.started, 5)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_drains_when_it_is_told_to_end(serve: Any, number: signal.Signals) -> None:
    serving = serve()
    serving.process.send_signal(number)
    assert serving.process.wait(5) == 0
    assert _all_end(serving.started, 1)


def test_it_ends_although_it_was_about_to_replace_a_worker(serve: Any) -> None:
    # Found: the successor was begun after the signal, heard nothing of it, and was waited for without end.
    serving = serve()
    os.kill(serving.started[0], signal.SIGKILL)
    time.sleep(0.3)
    serving.process.send_signal(signal.SIGTERM)
    assert serving.process.wait(5) == 0


@pytest.mark.parametrize("after_s", [0.0, 0.05, 0.1, 0.2])
def test_it_ends_although_a_configuration_is_about_to_take_over(serve: Any, after_s: float) -> None:
    serving = serve()
    serving.process.send_signal(signal.SIGHUP)
    time.sleep(after_s)
    workers = [*serving.workers, *serving.started]
    serving.process.send_signal(signal.SIGTERM)
    assert serving.process.wait(5) == 0
    assert _all_end(workers, 1)


def test_a_worker_that_does_not_end_is_killed_when_its_time_is_over(serve: Any) -> None:
    serving = serve(timeouts={"drain_timeout_s": 0.1})
    os.kill(serving.started[0], signal.SIGSTOP)
    serving.process.send_signal(signal.SIGTERM)
    assert serving.process.wait(8) == 1
    assert _all_end(serving.started, 1)


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
        "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.executable, sys.argv[1:])"
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


# A configuration that is read anew.


def test_a_configuration_is_read_anew(serve: Any, shards: list[str]) -> None:
    serving = serve(shards={"one": shards[0]})
    assert httpx.get(f"{serving.url}/other").status_code == 404
    serving.reload(shards={"two": shards[1]}, rules={"GET /other": {"rule": "any"}})
    assert httpx.get(f"{serving.url}/other").json() == {"shard": int(shards[1].rpartition(":")[2])}
    assert httpx.get(f"{serving.url}/any").status_code == 404
    assert _all_end(serving.started, 5)
    assert len(serving.workers) == 2


def test_a_configuration_with_mistakes_is_told_whole_and_the_old_one_goes_on(serve: Any, shards: list[str]) -> None:
    serving = serve(shards={"one": shards[0]})
    serving.reload("refused", listen="nowhere", rules={"GET /any": {"rule": "none"}})
    assert httpx.get(f"{serving.url}/any").status_code == 200
    assert serving.workers == serving.started
    said = serving.errors.read_text()
    assert "'nowhere' is no address" in said
    assert "take one of: one, any, gather" in said
    serving.reload(listen="127.0.0.1:0", rules=CONFIG["rules"])
    assert httpx.get(f"{serving.url}/any").status_code == 200


def test_a_configuration_whose_workers_cannot_serve_does_not_take_over(
    serve: Any, shards: list[str], tmp_path: Path
) -> None:
    serving = serve(shards={"one": shards[0]})
    (tmp_path / "loop").symlink_to("loop")  # passes as a path, and cannot be opened
    serving.reload("refused", access_log="loop")
    assert httpx.get(f"{serving.url}/any").status_code == 200
    serving.wait_for(lambda: serving.workers == serving.started)
    assert "before all served" in serving.errors.read_text()


def test_no_client_is_left_waiting_at_a_worker_that_did_not_come_to_serve(serve: Any, shards: list[str]) -> None:
    # Found: sockets of a larger number of workers stayed open, and nobody accepted from them.
    serving = serve(shards={"one": shards[0]}, workers=1)
    for count in range(4, 10):
        old = set(serving.workers)
        serving.write(workers=count)
        serving.process.send_signal(signal.SIGHUP)
        while len(new := set(serving.workers) - old) < 2:
            pass
        last = max(new)
        os.kill(last, signal.SIGSTOP)
        time.sleep(0.7)  # the others serve by now
        os.kill(last, signal.SIGKILL)
        time.sleep(0.3)
        if serving.metrics().value("shardgate_reloads_total", outcome="refused"):
            break
    assert serving.metrics().value("shardgate_reloads_total", outcome="refused") == 1
    for _ in range(40):
        assert httpx.get(f"{serving.url}/any").status_code == 200


def test_an_address_that_is_taken_is_refused_and_the_old_one_goes_on(serve: Any, shards: list[str]) -> None:
    serving = serve(shards={"one": shards[0]})
    serving.reload("refused", listen=shards[0].removeprefix("http://"))
    assert "cannot be taken" in serving.errors.read_text()
    assert httpx.get(f"{serving.url}/any").status_code == 200


def test_workers_and_addresses_may_change(serve: Any, shards: list[str]) -> None:
    serving = serve(shards={"one": shards[0]})
    for count in (3, 1, 2):
        serving.reload(workers=count)
        serving.wait_for(lambda count=count: len(serving.workers) == count)
        for _ in range(20):
            assert httpx.get(f"{serving.url}/any").status_code == 200
    before = serving.url
    port = _free_port()
    serving.reload(listen=f"127.0.0.1:{port}")
    assert httpx.get(f"http://127.0.0.1:{port}/any").status_code == 200
    serving.wait_for(lambda: _refuses(before))


def _free_port() -> int:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


def _refuses(url: str) -> bool:
    try:
        httpx.get(url)
    except httpx.ConnectError:
        return True
    return False


def test_no_request_fails_while_configurations_come_and_go(serve: Any, shards: list[str]) -> None:
    serving = serve(shards={"one": shards[0]}, access_log="log")
    counts = asyncio.run(_load_while(serving, lambda: [serving.reload(workers=count) for count in (2, 3, 2, 1, 2)]))
    assert counts["failed"] == []
    assert counts["answered"] > 500
    serving.process.send_signal(signal.SIGTERM)
    assert serving.process.wait(5) == 0
    logged = [line for line in (serving.file.parent / "log").read_bytes().splitlines() if json.loads(line)]
    assert len(logged) == counts["answered"]


async def _load_while(serving: Serving, work: Callable[[], Any]) -> dict[str, Any]:
    """Ask without a pause, on connections that stay and on new ones, until the work is done."""
    counts: dict[str, Any] = {"answered": 0, "failed": []}
    port = int(serving.url.rpartition(":")[2])
    working = asyncio.ensure_future(asyncio.to_thread(work))

    async def ask(*, stays: bool) -> None:
        reader = writer = None
        while not working.done():
            try:
                if writer is None or reader is None:
                    reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(b"GET /any HTTP/1.1\r\nHost: a\r\n\r\n")
                head = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0]))
                assert head.startswith(b"HTTP/1.1 200")
                counts["answered"] += 1
                if not stays or b"Connection: close" in head:
                    writer.close()
                    writer = None
                await asyncio.sleep(0.002)
            except Exception as error:
                counts["failed"].append(repr(error))
                writer = None
        if writer is not None:
            writer.close()

    await asyncio.gather(working, *(ask(stays=number % 2 == 0) for number in range(16)))
    return counts


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
    time.sleep(2.1)  # one that dies sooner did not serve, and its successor waits
    for _ in range(10):
        httpx.get(f"{serving.url}/any")
    with httpx.Client() as open_connection:
        open_connection.get(f"{serving.url}/any")
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


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGHUP])
def test_a_log_that_was_renamed_goes_on_in_a_new_file(serve: Any, shards: list[str], number: int) -> None:
    serving = serve(shards={"one": shards[0]}, access_log="log")
    log = serving.file.parent / "log"
    httpx.get(f"{serving.url}/any?first")
    log.rename(log.with_suffix(".1"))
    serving.process.send_signal(number)
    serving.wait_for(log.exists)
    time.sleep(0.5)
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
