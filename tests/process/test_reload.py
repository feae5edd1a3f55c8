"""A configuration takes the place of another, and no client notices."""

import json
import os
import signal
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.process.serving import CONFIG, Load, Serving, all_end
from tools.ports import reserved_port

pytestmark = pytest.mark.cluster


# A configuration that is read anew.


def test_a_configuration_is_read_anew(serve: Any, shards: list[str]) -> None:
    serving = serve(shards={"one": shards[0]})
    assert httpx.get(f"{serving.url}/other").status_code == 404
    serving.reload(shards={"two": shards[1]}, rules={"GET /other": {"rule": "any"}})
    assert httpx.get(f"{serving.url}/other").json() == {"shard": int(shards[1].rpartition(":")[2])}
    assert httpx.get(f"{serving.url}/any").status_code == 404
    assert all_end(serving.started, 5)
    assert len(serving.workers) == 2


def test_a_configuration_with_mistakes_is_told_whole_and_the_old_one_goes_on(serve: Any, shards: list[str]) -> None:
    serving = serve(shards={"one": shards[0]})
    serving.reload("refused", listen="nowhere", rules={"GET /any": {"rule": "none"}})
    assert httpx.get(f"{serving.url}/any").status_code == 200
    assert serving.workers == serving.started
    said = serving.errors.read_text()
    assert "'nowhere' is no address" in said
    assert "There are: one, any, gather" in said
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
        others_serve = len(old) + count - 1
        serving.wait_for(lambda expected=others_serve: serving.metrics().value("shardgate_workers") >= expected)
        os.kill(last, signal.SIGKILL)
        serving.wait_for(lambda last=last: last not in serving.workers)
        serving.wait_for(lambda: serving.metrics().value("shardgate_reloads_total"))
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
    port = reserved_port()
    serving.reload(listen=f"127.0.0.1:{port}")
    assert httpx.get(f"http://127.0.0.1:{port}/any").status_code == 200
    serving.wait_for(lambda: _refuses(before))


def _refuses(url: str) -> bool:
    try:
        httpx.get(url)
    except httpx.ConnectError:
        return True
    return False


def test_no_request_fails_while_configurations_come_and_go(serve: Any, shards: list[str]) -> None:
    serving = serve(shards={"one": shards[0]}, access_log="log")
    load = Load(serving.port)
    load.during(lambda: [serving.reload(workers=count) for count in (2, 3, 2, 1, 2)])
    assert load.failed == []
    assert load.answered > 500
    assert serving.end() == 0
    logged = [line for line in (serving.file.parent / "log").read_bytes().splitlines() if json.loads(line)]
    assert len(logged) == load.answered


def test_what_the_command_says_wins_at_a_reload_too(shards: list[str], tmp_path: Path) -> None:
    port = reserved_port()
    options = ["--workers", "1", "--listen", f"127.0.0.1:{port}"]
    with closing(Serving(tmp_path / "said", {"shards": {"one": shards[0]}}, options=options)) as serving:
        serving.reload(workers=3, listen="127.0.0.1:1")
        serving.wait_for(lambda: len(serving.workers) == 1)
        assert httpx.get(f"http://127.0.0.1:{port}/any").status_code == 200
