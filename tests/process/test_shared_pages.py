"""Where pages ended is known to all workers of a gateway: a client may reach another one with each page."""

import json
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

pytestmark = pytest.mark.cluster

ROWS, LIMIT = 3000, 100
RULES: dict[str, Any] = {
    "GET /rows": {
        "rule": "gather",
        "merge": {"kind": "list", "dialect": {"kind": "offset", "limit_default": LIMIT}, "keys": {"id": "number"}},
    }
}


class ListShard:
    """Serves the rows whose number it has, by offset and limit, and counts its calls."""

    def __init__(self, rows: Sequence[int]) -> None:
        self.calls = 0
        shard = self

        class Answer(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                shard.calls += 1
                asked = parse_qs(urlsplit(self.path).query)
                offset, limit = (int(asked.get(name, ["0"])[0]) for name in ("offset", "limit"))
                body = json.dumps([{"id": number} for number in rows[offset : offset + limit]]).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def lists() -> Iterator[tuple[ListShard, ListShard]]:
    # The last page has 51 rows of one and 49 of the other. Two shards that end with equally many rows are asked once
    # more, as an application that limits its pages looks the same (core/lists/cut_short.py).
    both = ListShard([*range(0, ROWS, 2), ROWS - 1]), ListShard(range(1, ROWS - 1, 2))
    yield both
    for shard in both:
        shard.close()


def page(url: str, offset: int) -> list[int]:
    """One page, on a connection of its own: the kernel gives it to any worker."""
    answer = httpx.get(f"{url}/rows?limit={LIMIT}&offset={offset}", timeout=10)
    assert answer.status_code == 200, answer.text
    return [row["id"] for row in answer.json()]


def test_a_walker_without_keep_alive_costs_each_shard_one_call_a_page(
    serve: Any, lists: tuple[ListShard, ListShard]
) -> None:
    """Found: each worker remembered its own pages alone, so with four workers most deep pages were searched for."""
    serving = serve(shards={"one": lists[0].url, "two": lists[1].url}, workers=4, rules=RULES)
    offsets = range(0, ROWS, LIMIT)
    for offset in offsets:
        assert page(serving.url, offset) == [*range(offset, offset + LIMIT)]
    assert [shard.calls for shard in lists] == [len(offsets), len(offsets)]


def test_pages_that_nobody_has_walked_to_lie_between_those_that_are_known(
    serve: Any, lists: tuple[ListShard, ListShard]
) -> None:
    """The first client pays for the search; the next ones land at once, on whichever worker, on any page."""
    serving = serve(shards={"one": lists[0].url, "two": lists[1].url}, workers=4, rules=RULES)
    assert page(serving.url, 1000) == [*range(1000, 1100)]
    assert page(serving.url, 2500) == [*range(2500, 2600)]
    before = [shard.calls for shard in lists]
    assert max(before) <= 2 * 3
    offsets = (1000, 1100, 1710, 2033, 2380, 2500)
    for offset in offsets:
        assert page(serving.url, offset) == [*range(offset, offset + LIMIT)]
    assert [shard.calls for shard in lists] == [calls + len(offsets) for calls in before]


def test_a_reload_forgets_no_page(serve: Any, lists: tuple[ListShard, ListShard]) -> None:
    serving = serve(shards={"one": lists[0].url, "two": lists[1].url}, workers=1, rules=RULES)
    for offset in range(0, 1500, LIMIT):
        page(serving.url, offset)
    before = [shard.calls for shard in lists]
    workers = serving.workers
    serving.reload()
    serving.wait_for(lambda: not set(workers) & set(serving.workers))
    assert page(serving.url, 1500) == [*range(1500, 1500 + LIMIT)]
    assert [shard.calls for shard in lists] == [calls + 1 for calls in before]
