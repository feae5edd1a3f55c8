"""The bench checks the replies of a peer before it measures the peer."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bench.answers import wrong
from bench.peers import Work

Rows = list[dict[str, str]]
ONE: Rows = [{"id": "1", "name": "a"}, {"id": "4", "name": "c"}]
TWO: Rows = [{"id": "2", "name": "a"}, {"id": "3", "name": "b"}]
MERGED: Rows = [ONE[0], TWO[0], TWO[1], ONE[1]]
Serve = Callable[[Rows, int], int]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts servers that answer everything with the same rows and total; gives their ports."""
    servers = []

    def start(rows: Rows, total: int) -> int:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = json.dumps(rows).encode()
                self.send_response(200)
                self.send_header("X-Total_Count", str(total))
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        servers.append(server)
        return server.server_port

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_the_right_page_passes(serve: Serve) -> None:
    shards = [serve(ONE, 2), serve(TWO, 2)]
    assert wrong(serve(MERGED, 4), Work.GATHER, shards) == ""


@pytest.mark.parametrize(("rows", "total", "words"), [
    ([*ONE, *TWO], 4, "not the first"),
    (MERGED[:3], 4, "not the first"),
    (MERGED, 2, "X-Total_Count is 2, not 4"),
])  # fmt: skip
def test_a_wrong_order_a_lost_row_or_a_wrong_total_is_found(serve: Serve, rows: Rows, total: int, words: str) -> None:
    shards = [serve(ONE, 2), serve(TWO, 2)]
    assert words in wrong(serve(rows, total), Work.GATHER, shards)


def test_a_whole_list_may_be_unsorted_but_not_short(serve: Serve) -> None:
    shards = [serve(ONE, 2), serve(TWO, 2)]
    assert wrong(serve([*TWO, *ONE], 0), Work.LIST, shards) == ""
    assert wrong(serve(ONE, 4), Work.LIST, shards) != ""


def test_shards_that_give_less_than_they_have_are_no_whole_lists(serve: Serve) -> None:
    """The bench measured a second round of calls, by which the gateway found out that there was no more."""
    assert "2 rows of 1000" in wrong(serve(MERGED, 4), Work.LIST, [serve(ONE, 1000), serve(TWO, 2)])


def test_a_relay_must_pass_the_shards_bytes(serve: Serve) -> None:
    shard = serve(ONE, 2)
    assert wrong(shard, Work.RELAY, [shard]) == ""
    assert "not the shard's" in wrong(serve(TWO, 2), Work.RELAY, [shard])


def test_nobody_there_is_a_reason_not_a_crash() -> None:
    assert "URLError" in wrong(1, Work.RELAY, [1])
