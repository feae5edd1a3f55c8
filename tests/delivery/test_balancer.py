"""The balancer of a rehearsal: what its log says, and that weights move all requests from one set to the other."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest

from proof.rehearsal.balancer import Balancer, read
from proof.rehearsal.slots import Slot
from tests.cluster import until
from tools.delivery.verdict import Outcome


@pytest.mark.parametrize(
    ("line", "failed"),
    [
        ("blue-0 200 7 --", False),
        ("blue-0 404 7 --", False),
        ("blue-0 499 7 CD", False),  # the client left
        ("blue-0 500 7 --", True),
        ("blue-0 200 7 SD", True),  # the instance broke off
        ("<NOSRV> 503 7 SC", True),
        ("blue-0 -1 7 SH", True),
    ],
)
def test_what_is_a_failure_in_the_log(line: str, failed: bool) -> None:
    seen = read(line, 1.0)
    assert seen is not None
    assert (seen.server, seen.outcome) == (line.split(maxsplit=1)[0], Outcome(failed, 7.0))


def test_what_is_no_request_is_left_out() -> None:
    assert read("Proxy clients started.", 1.0) is None


@contextmanager
def instance(status: int) -> Iterator[Slot]:
    """A ready instance that answers everything with a status."""

    class Answering(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/readyz" else status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield Slot("blue-0" if status == 200 else "green-0", server.server_port, server.server_port)
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.cluster
@pytest.mark.skipif(shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin:/usr/bin") is None, reason="no haproxy")
async def test_clients_and_tests_reach_the_set_that_they_are_led_to() -> None:
    with (
        TemporaryDirectory() as folder,
        instance(200) as blue,
        instance(500) as green,
        Balancer(Path(folder), {"blue": [blue], "green": [green]}) as balancer,
    ):
        balancer.shift({"blue": 100, "green": 0})
        balancer.test("green")
        assert [await status(url) for url in (balancer.url, balancer.test_url)] == [200, 500]
        await until(lambda: balancer.sample("green", 0).requests == 1)
        assert balancer.sample("green", 0).failed == 1
        balancer.shift({"blue": 0, "green": 100})
        assert {await status(balancer.url) for _ in range(5)} == {500}
        await until(lambda: balancer.sample("green", 0).requests == 6)
        assert balancer.sample("blue", 0).requests == 1
        assert balancer.is_up(blue)
        assert balancer.in_flight("green") == 0


async def status(url: str) -> int:
    async with httpx.AsyncClient(trust_env=False) as client:
        return (await client.get(url)).status_code
