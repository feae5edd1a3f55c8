"""A shard that sends too much, for ever, or nonsense: the list is refused soon, and others are served meanwhile.

The bytes and the time that a shard gets out of the gateway are held here; the refusal's code tells what was found.
"""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from time import thread_time
from typing import Any

import httpx
import pytest

from tests.cluster import Gateway, reply

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
LIST = {"kind": "list", "keys": {"id": "number"}}
RULES = {
    "GET /list": {"rule": "gather", "merge": {**LIST, "dialect": {"kind": "offset"}}},
    "GET /once": {"rule": "gather", "merge": {**LIST, "dialect": {"kind": "offset"}, "dedupe": {"by": "id"}}},
    "GET /paged": {
        "rule": "gather",
        "merge": {**LIST, "dialect": {"kind": "offset", "limit_max": 100}, "dedupe": {"by": "id"}},
    },
    "GET /object": {"rule": "gather", "merge": {**LIST, "dialect": {"kind": "envelope"}}},
    "GET /union": {"rule": "gather", "merge": {"kind": "union"}},
    "GET /groups": {"rule": "gather", "merge": {"kind": "groups", "key": "id", "sum": ["n"]}},
}
Say = Callable[[str], AsyncIterator[bytes]]


@dataclass
class Speaker:
    """A shard that says pieces, as fast as they are taken, until it is cut off."""

    says: Say
    port: int = 0
    sent: int = 0
    cut_off: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                async for piece in self.says(head.split(b" ")[1].decode()):
                    writer.write(piece)
                    self.sent += len(piece)
                    await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            self.cut_off.set()
        finally:
            writer.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture
def served(stack: AsyncExitStack, start_shard: Any, start_gateway: Any) -> Any:
    """Start a shard that says what a test wants, an honest one beside it, and the gateway."""

    async def start(says: Say, honest: Any = None, **config: Any) -> tuple[Speaker, Gateway]:
        speaker = Speaker(says)
        server = await stack.enter_async_context(await asyncio.start_server(speaker.serve, "127.0.0.1", 0))
        speaker.port = server.sockets[0].getsockname()[1]
        other = await start_shard(honest or (lambda _: reply("[]")))
        return speaker, await start_gateway(
            {"shards": {"north": speaker.url, "south": other.url}, "rules": RULES, **config}
        )

    return start


async def endless_rows(_: str) -> AsyncIterator[bytes]:
    yield CHUNKED
    number = 0
    while True:
        rows = b"".join(
            b'%b{"id":%d,"t":"%b"}' % (b"," if n else b"[", n, b"x" * 900) for n in range(number, number + 70)
        )
        number += 70
        yield b"%x\r\n%b\r\n" % (len(rows), rows)


async def endless_row(_: str) -> AsyncIterator[bytes]:
    yield CHUNKED + b'9\r\n[{"id":1,\r\n'
    while True:
        yield b"10000\r\n%b\r\n" % (b'"x":{"y":[{},{}],"z":0},' * 2731)[:65536]


async def endless_interims(_: str) -> AsyncIterator[bytes]:
    while True:
        yield b"HTTP/1.1 100 Continue\r\n\r\n" * 1000


async def endless_trailers(_: str) -> AsyncIterator[bytes]:
    yield CHUNKED + b"2\r\n[]\r\n0\r\n"
    while True:
        yield b"X: y\r\n" * 1000


async def endless_head(_: str) -> AsyncIterator[bytes]:
    yield HEAD
    while True:
        yield b"X: y\r\n" * 1000


def packed(body: bytes) -> Say:
    async def says(_: str) -> AsyncIterator[bytes]:
        data = gzip.compress(body, 9)
        yield HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(data) + data

    return says


def page(target: str, rows: int) -> bytes:
    """A full page of a list that never ends."""
    query = dict(pair.split("=") for pair in target.partition("?")[2].split("&"))
    start = int(query.get("offset", 0))
    return json.dumps([{"id": n} for n in range(start, start + min(rows, int(query.get("limit", rows))))]).encode()


async def endless_pages(target: str) -> AsyncIterator[bytes]:
    yield reply(page(target, 100))


@pytest.mark.parametrize(
    ("says", "target", "code", "megabytes"),
    [
        (endless_rows, "/once", "SG2005", 40),
        (endless_rows, "/union", "SG2005", 40),
        (endless_rows, "/object", "SG2005", 40),
        (endless_row, "/list", "SG2005", 12),
        (endless_interims, "/list", "SG2002", 8),
        (endless_trailers, "/list", "SG2002", 8),
        (endless_head, "/list", "SG2002", 8),
        (packed(b"[" + b" " * 60_000_000 + b"]"), "/list", "SG2005", 1),
    ],
)
async def test_a_shard_that_sends_for_ever_is_refused_soon(
    served: Any, says: Say, target: str, code: str, megabytes: int
) -> None:
    """Found: gzip that became 500 MB, 9 MB of `100 Continue`, a list without end, a row of 100 MB."""
    speaker, gateway = await served(says)
    began = thread_time()
    answer = await gateway.get(target, timeout=60)
    assert (answer.status_code, answer.json()["code"]) == (502, code)
    assert speaker.sent < megabytes * 1_000_000 + 8_000_000  # what buffers of sockets hold
    assert thread_time() - began < 20


async def test_a_list_without_end_that_is_read_page_by_page_ends(served: Any) -> None:
    """Found: such a list under `dedupe` took 1 GB in a minute, and had no deadline."""
    _, gateway = await served(endless_pages, limits={"calls_per_request_max": 200})
    answer = await gateway.get("/paged", timeout=60)
    assert (answer.status_code, answer.json()["code"]) == (413, "SG1026")
    _, gateway = await served(endless_pages, timeouts={"merge_timeout_s": 0.2})
    answer = await gateway.get("/paged", timeout=60)
    assert (answer.status_code, answer.json()["code"]) == (504, "SG2003")


async def test_once_a_shard_has_failed_the_others_are_read_no_more(served: Any) -> None:
    """Found: 270 MB of an endless list were read after the other shard had broken off."""
    speaker, gateway = await served(endless_rows, lambda _: HEAD + b"Content-Length: 9\r\nConnection: close\r\n\r\n[")
    answer = await gateway.get("/list", timeout=60)
    assert (answer.status_code, answer.json()["code"]) == (502, "SG2002")
    await asyncio.wait_for(speaker.cut_off.wait(), 10)
    assert speaker.sent < 20_000_000


async def test_many_small_values_are_merged_while_others_are_served(served: Any) -> None:
    values = b"[%b]" % b",".join(b"%d" % n for n in range(200_000))

    async def says(_: str) -> AsyncIterator[bytes]:
        yield reply(values)

    _, gateway = await served(says, lambda _: reply(values))
    running = asyncio.ensure_future(gateway.get("/union", timeout=60))
    meanwhile = 0
    while not running.done():
        assert (await gateway.get("/nothing", timeout=60)).status_code == 404
        meanwhile += 1
    assert len((await running).json()) == 200_000
    assert meanwhile > 3


async def test_a_page_whose_shard_sends_more_than_it_was_asked_for_is_cut_off(served: Any) -> None:
    speaker, gateway = await served(endless_rows)
    with pytest.raises(httpx.RemoteProtocolError):
        await gateway.get("/list?limit=500", timeout=60)
    await asyncio.wait_for(speaker.cut_off.wait(), 10)
    assert speaker.sent < 12_000_000


async def test_replies_that_are_too_large_together_are_refused(served: Any) -> None:
    body = b"[%b]" % b",".join(b"%d" % n for n in range(100_000))

    async def says(_: str) -> AsyncIterator[bytes]:
        yield reply(body)

    _, gateway = await served(says, lambda _: reply(body), limits={"merge_bytes_max": 3 * len(body) // 2})
    answer = await gateway.get("/union", timeout=60)
    assert (answer.status_code, answer.json()["code"]) == (502, "SG2005")
    _, gateway = await served(says, lambda _: reply(body), limits={"merge_bytes_max": 2 * len(body)})
    assert (await gateway.get("/union", timeout=60)).status_code == 200
