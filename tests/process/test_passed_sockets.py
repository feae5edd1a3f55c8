"""A service manager opens the socket: a plain restart refuses no client, and no request fails."""

import os
import signal
import socket
from pathlib import Path

import pytest

from tests.process.serving import Load, Serving

pytestmark = pytest.mark.cluster


def test_a_restart_on_a_socket_that_stays_open_fails_no_request(shards: list[str], tmp_path: Path) -> None:
    """Found: a plain restart refused connections for 0.8 s."""
    with socket.create_server(("127.0.0.1", 0), backlog=500) as passed:
        port = passed.getsockname()[1]
        shared = {"listen": f"127.0.0.1:{port}", "shards": {"one": shards[0]}, "timeouts": {"drain_timeout_s": 20}}
        gateways = [Serving(tmp_path / "first", shared, passed)]
        load = Load(port)

        def restart() -> None:
            assert gateways[0].end(within_s=20) == 0
            gateways.append(Serving(tmp_path / "second", shared, passed))
            second = gateways[1]
            second.wait_for(lambda: second.metrics().value("shardgate_requests_total") > 50)

        try:
            load.during(restart)
        finally:
            for gateway in gateways:
                gateway.close()
    assert load.failed == []
    assert load.answered > 100


def test_workers_share_a_socket_that_was_passed_and_a_reload_keeps_it(shards: list[str], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=500) as passed:
        port = passed.getsockname()[1]
        shared = {"listen": f"127.0.0.1:{port}", "shards": {"one": shards[0]}, "workers": 2}
        serving = Serving(tmp_path / "only", shared, passed)
        load = Load(port)
        try:
            load.during(lambda: serving.reload(workers=3))
            os.kill(serving.workers[0], signal.SIGKILL)
            serving.wait_for_line("it is replaced")
            serving.wait_for(lambda: len(serving.workers) == 3)
            assert serving.end() == 0
        finally:
            serving.close()
    assert load.failed == []
