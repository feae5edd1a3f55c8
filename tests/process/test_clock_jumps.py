"""The clock of the machine is set back while a worker dies: its changes are gone on with all the same."""

import http.server
import os
import signal
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.process.serving import Serving

pytestmark = pytest.mark.cluster

HOUR_S = 3600.0


class Shop(http.server.BaseHTTPRequestHandler):
    """Answers changes once it may; the first one waits."""

    may_answer = threading.Event()
    asked = threading.Event()
    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.asked.set()
        self.may_answer.wait(60)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def shop() -> Iterator[str]:
    Shop.may_answer.clear()
    Shop.asked.clear()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Shop) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}"
        Shop.may_answer.set()
        server.shutdown()
        serving.join()


def test_a_clock_that_goes_back_an_hour_holds_up_no_change(shop: str, tmp_path: Path) -> None:
    """Found: the lease of the dead worker lay an hour ahead, and all changes by `every` hung through restarts."""
    config = {
        "shards": {"one": shop},
        "workers": 1,
        "store": str(tmp_path / "store.db"),
        "timeouts": {"worker_lease_s": 0.5, "request_timeout_s": 20},
        "rules": {"PUT /things/{id}": {"rule": "every", "mode": "eventual"}},
    }
    before = Serving(tmp_path / "before", config, ahead_s=HOUR_S)
    try:
        client = threading.Thread(target=lost, args=[before.url])
        client.start()
        assert Shop.asked.wait(20)
        os.kill(before.pid, signal.SIGKILL)
        os.kill(before.started[0], signal.SIGKILL)
        client.join()
    finally:
        before.close()
    Shop.may_answer.set()
    after = Serving(tmp_path / "after", config)
    try:
        assert httpx.put(f"{after.url}/things/2", json={}, timeout=20).status_code == 200
        after.wait_for(lambda: states(tmp_path / "store.db") == ["done", "done"], within_s=20)
    finally:
        after.close()


def lost(url: str) -> None:
    with pytest.raises(httpx.TransportError):
        httpx.put(f"{url}/things/1", json={}, timeout=60)


def states(store: Path) -> list[str]:
    with closing(sqlite3.connect(store)) as connection:
        return [state for (state,) in connection.execute("SELECT state FROM journal")]
