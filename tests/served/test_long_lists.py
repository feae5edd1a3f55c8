"""Long lists stream: rows reach the client while shards still send, and little is held in memory."""

import asyncio
import gzip
import json
import logging
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from shardgate.core.limits import FLOW_BYTES_MIN
from tests.cluster import reply, rows
from tests.waiting import delivered, settled, until

LIST = {"kind": "list", "dialect": {"kind": "offset", "fields": "fields", "count_header": "X-Total"}}
RULES = {
    "locators": {"item": [{"kind": "learned"}]},
    "rules": {
        "GET /items": {"rule": "gather", "merge": {**LIST, "keys": {"id": "number"}}, "learn": {"item": "id"}},
        "GET /items/{id}": {"rule": "one", "key": "path.id", "locate": "item"},
    },
}
MIB = 1024 * 1024
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Total: 5\r\nContent-Length: %d\r\n\r\n"
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def item(n: int, size: int = 1000) -> bytes:
    return json.dumps({"id": n, "text": "x" * size}, separators=(",", ":")).encode()


def listed(numbers: Any, size: int = 1000) -> bytes:
    return b"[" + b",".join(item(n, size) for n in numbers) + b"]"


@asynccontextmanager
async def serving(serve: Serve) -> AsyncIterator[str]:
    """A shard in raw bytes, which is asked once a connection; its URL."""
    writers: set[asyncio.StreamWriter] = set()

    async def asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.add(writer)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            await serve(reader, writer)

    server = await asyncio.start_server(asked, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()


@pytest.fixture
def two(stack: Any, start_gateway: Any) -> Any:
    """A gateway before two shards in raw bytes: `gateway = await two(north, south)`."""

    async def start(north: Serve, south: Serve, **more: Any) -> Any:
        urls = {
            "secret-north": {"url": await stack.enter_async_context(serving(north)), "alias": "N"},
            "secret-south": {"url": await stack.enter_async_context(serving(south)), "alias": "S"},
        }
        return await start_gateway({"shards": urls, **RULES, **more})

    return start


def says(body: bytes, *, length: int | None = None) -> Serve:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD % (len(body) if length is None else length) + body)
        await writer.drain()
        if length is not None:
            writer.close()

    return serve


async def ask(gateway: Any, *lines: str, target: str = "/items", limit: int = MIB) -> Any:
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port, limit=limit)
    writer.write("\r\n".join([f"GET {target} HTTP/1.1", "Host: a", *lines, "", ""]).encode())
    return reader, writer


async def test_a_long_list_is_written_while_the_shards_still_send(two: Any) -> None:
    go_on = asyncio.Event()
    even, odd = listed(range(0, 1000, 2)), listed(range(1, 1000, 2))

    async def north(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD % len(even) + even[:100_000])
        await go_on.wait()
        writer.write(even[100_000:])

    gateway = await two(north, says(odd))
    reader, writer = await ask(gateway)
    head = await reader.readuntil(b"\r\n\r\n")
    assert b"\r\nTransfer-Encoding: chunked\r\n" in head
    assert b"\r\nX-Total: 10\r\n" in head
    async with asyncio.timeout(30):
        assert await reader.readuntil(item(90)) != b""
    go_on.set()
    await reader.readuntil(b"\r\n0\r\n\r\n")
    writer.close()


async def test_it_is_the_same_list_and_the_connection_goes_on(start_shard: Any, start_gateway: Any) -> None:
    bodies = [listed(range(first, 2000, 3)) for first in range(3)]
    shards = [await start_shard(lambda _, body=body: reply(body, fields="X-Total: 7\r\n")) for body in bodies]
    gateway = await start_gateway({"shards": {f"s{n}": shard.url for n, shard in enumerate(shards)}, **RULES})
    for _ in range(3):
        answer = await gateway.get("/items")
        assert answer.content == listed(range(2000))
        assert answer.headers["x-total"] == "21"
        assert "content-length" not in answer.headers
    page = await gateway.get("/items?offset=700&limit=1100")
    assert page.content == listed(range(700, 1800))
    head = await gateway.client.head("/items")
    assert (head.content, head.headers["content-length"]) == (b"", str(len(listed(range(2000)))))
    assert [shard.connections for shard in shards] == [1, 1, 1]
    old = await gateway.raw(b"GET /items HTTP/1.0\r\nHost: a\r\n\r\n")
    assert old.partition(b"\r\n\r\n")[2] == listed(range(2000))


async def test_a_long_list_has_the_etag_of_the_whole_one_and_is_not_sent_twice(
    start_shard: Any, start_gateway: Any
) -> None:
    tags = ['"n1"', 'W/"s1"']
    time = "Last-Modified: Tue, 01 Sep 2026 10:00:00 GMT\r\n"
    bodies = [listed(range(first, 2000, 2)) for first in range(2)]
    shards = [
        await start_shard(lambda _, n=n: reply(bodies[n], fields=f"ETag: {tags[n]}\r\n{time}X-Total: 1\r\n"))
        for n in range(2)
    ]
    gateway = await start_gateway({"shards": {f"s{n}": shard.url for n, shard in enumerate(shards)}, **RULES})
    first, whole = await gateway.get("/items"), await gateway.client.head("/items")
    assert first.headers["transfer-encoding"] == "chunked"
    assert first.headers["etag"] == whole.headers["etag"]
    assert first.headers["last-modified"] == whole.headers["last-modified"] == "Tue, 01 Sep 2026 10:00:00 GMT"
    for known in [{"If-None-Match": first.headers["etag"]}, {"If-Modified-Since": first.headers["last-modified"]}]:
        again = await gateway.get("/items", headers=known)
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    tags[1] = 'W/"s2"'
    changed = await gateway.get("/items", headers={"If-None-Match": first.headers["etag"]})
    assert (changed.status_code, changed.content) == (200, listed(range(2000)))


async def test_a_short_list_has_a_length(start_shard: Any, start_gateway: Any) -> None:
    shard = await start_shard(lambda _: reply(listed(range(100))))
    gateway = await start_gateway({"shards": {"a": shard.url}, **RULES})
    answer = await gateway.get("/items")
    assert int(answer.headers["content-length"]) == len(answer.content) < FLOW_BYTES_MIN


async def test_a_list_without_a_length_flows_when_it_has_grown(two: Any) -> None:
    body = listed(range(3000))

    async def north(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nX-Total: 1\r\nTransfer-Encoding: chunked\r\n\r\n")
        for start in range(0, len(body), 10_000):
            piece = body[start : start + 10_000]
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            await writer.drain()
        writer.write(b"0\r\n\r\n")

    gateway = await two(north, says(b"[]"))
    answer = await gateway.get("/items")
    assert answer.content == body
    assert answer.headers["transfer-encoding"] == "chunked"


async def test_sort_keys_that_the_client_did_not_ask_for_are_removed(start_shard: Any, start_gateway: Any) -> None:
    answers = [rows(*({"text": "x" * 90, "id": n} for n in range(first, 2000, 2))) for first in (0, 1)]
    shards = [await start_shard(lambda _, said=said: said) for said in answers]
    gateway = await start_gateway({"shards": {f"s{n}": shard.url for n, shard in enumerate(shards)}, **RULES})
    answer = await gateway.get("/items?fields=text")
    assert answer.json() == [{"text": "x" * 90}] * 2000
    assert "content-length" not in answer.headers


async def test_few_rows_that_are_long_teach_where_they_live(start_shard: Any, start_gateway: Any) -> None:
    north = await start_shard(lambda _: reply(listed([1, 3], size=400_000)))
    south = await start_shard(lambda _: reply(listed([2], size=700_000)))
    gateway = await start_gateway({"shards": {"north": north.url, "south": south.url}, **RULES})
    answer = await gateway.get("/items")
    assert answer.content == b"[%b,%b,%b]" % (item(1, 400_000), item(2, 700_000), item(3, 400_000))
    assert "content-length" not in answer.headers
    await gateway.get("/items/2")
    assert [len(north.asked), len(south.asked)] == [1, 2]


async def test_a_packed_list_flows_to_who_takes_it(start_shard: Any, start_gateway: Any) -> None:
    body = listed(range(1500))
    shard = await start_shard(lambda _: reply(body))
    gateway = await start_gateway({"shards": {"a": shard.url}, "compress": {}, **RULES})
    reader, writer = await ask(gateway, "Accept-Encoding: gzip", "Connection: close")
    head, _, packed = (await reader.read()).partition(b"\r\n\r\n")
    assert b"\r\nContent-Encoding: gzip\r\n" in head
    assert b"\r\nVary: Accept-Encoding\r\n" in head
    unchunked = b""
    while size := int(packed.partition(b"\r\n")[0], 16):
        rest = packed.partition(b"\r\n")[2]
        unchunked, packed = unchunked + rest[:size], rest[size + 2 :]
    assert zlib.decompress(unchunked, 31) == body
    writer.close()
    plain = await gateway.get("/items", headers={"Accept-Encoding": "identity"})
    assert (plain.content, plain.headers["vary"]) == (body, "Accept-Encoding")


async def test_packed_replies_of_shards_are_merged_whole(start_shard: Any, start_gateway: Any) -> None:
    body = json.dumps([{"id": n, "text": f"{n * n:050}"} for n in range(60_000)]).encode()
    packed = gzip.compress(body, 0)
    assert len(packed) > FLOW_BYTES_MIN
    shard = await start_shard(lambda _: reply(packed, fields="Content-Encoding: gzip\r\n"))
    gateway = await start_gateway({"shards": {"a": shard.url}, **RULES})
    assert (await gateway.get("/items")).content == body


async def test_a_refusal_of_one_shard_is_the_reply(start_shard: Any, start_gateway: Any) -> None:
    north = await start_shard(lambda _: reply(listed(range(3000))))
    south = await start_shard(lambda _: reply('{"error_code":40301}', status="403 Forbidden"))
    gateway = await start_gateway({"shards": {"north": north.url, "south": south.url}, **RULES})
    answer = await gateway.get("/items")
    assert (answer.status_code, answer.text) == (403, '{"error_code":40301}')


async def test_a_shard_that_cannot_be_reached_is_named_by_its_alias(two: Any) -> None:
    is_ahead, body = asyncio.Event(), listed(range(3000))

    async def ahead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD % len(body) + body[: 2 * FLOW_BYTES_MIN])
        await delivered(writer)
        is_ahead.set()
        writer.write(body[2 * FLOW_BYTES_MIN :])
        await writer.drain()

    async def gone(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await is_ahead.wait()
        writer.transport.abort()

    gateway = await two(ahead, gone)
    answer = await gateway.get("/items")
    assert answer.status_code in {502, 503}
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    ("north", "code"),
    [
        (b"[" + item(5) + b"," + item(3) + b"," + listed(range(6, 3000))[1:], "SG2007"),
        (b"[" + item(5) + b",]" + b" " * FLOW_BYTES_MIN, "SG2002"),
        (b'[{"id":"x"},{"id":"y"}]' + b" " * FLOW_BYTES_MIN, "SG2002"),
    ],
)
async def test_a_mistake_before_the_first_row_is_a_502(two: Any, north: bytes, code: str) -> None:
    gateway = await two(says(north), says(listed(range(2000))))
    answer = await gateway.get("/items")
    assert (answer.status_code, answer.json()["code"]) == (502, code)
    assert "secret" not in answer.text


async def test_a_body_that_breaks_off_before_the_first_row_is_a_502(two: Any) -> None:
    gateway = await two(says(b"[" + item(1)[:100], length=3 * MIB), says(listed(range(2000))))
    answer = await gateway.get("/items")
    assert (answer.status_code, answer.json()["code"]) == (502, "SG2002")


@pytest.mark.parametrize(
    ("north", "length", "why"),
    [
        (
            listed([*range(0, 2000, 2), 7, *range(2002, 3000, 2)]),
            None,
            "a shard's rows are not in the order id",
        ),
        (listed(range(0, 3000, 2))[:-500_000], 3 * MIB, "a shard's reply broke off"),
        (
            listed(range(0, 3000, 2))[:-1] + b"}",
            None,
            "a shard's list is not a JSON array in UTF-8",
        ),
    ],
)
async def test_a_mistake_after_the_first_row_ends_the_connection(
    two: Any, north: bytes, length: int | None, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    gateway = await two(says(north, length=length), says(listed(range(1, 3000, 2))))
    reader, writer = await ask(gateway)
    with caplog.at_level(logging.WARNING), suppress(ConnectionResetError):
        received = b""
        while piece := await reader.read(MIB):
            received += piece
    assert b"\r\n0\r\n\r\n" not in received[-20:]
    assert received.startswith(b"HTTP/1.1 200")
    assert why in caplog.text
    assert "shard=secret-north" in caplog.text
    writer.close()


class Sending:
    """A shard that sends rows without end, and counts how many bytes it got rid of."""

    def __init__(self, start: int = 0) -> None:
        self.sent = 0
        self.ended = asyncio.Event()
        self._start = start

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.set_write_buffer_limits(high=0)
        writer.write(b"HTTP/1.1 200 OK\r\nX-Total: 1\r\n\r\n[" + item(self._start))
        n = self._start
        try:
            while True:
                piece = b"".join(b"," + item(n := n + 1) for _ in range(20))
                writer.write(piece)
                await writer.drain()
                self.sent += len(piece)
        finally:
            self.ended.set()

    async def settled(self) -> int:
        """What it has sent when it cannot send more."""
        return await settled(lambda: self.sent)


async def test_a_slow_client_slows_the_shards(two: Any) -> None:
    north, south = Sending(), Sending()
    gateway = await two(north, south)
    reader, writer = await ask(gateway, limit=65536)
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    # What the sockets of this machine hold, and the windows: not what an endless list has.
    sent = await north.settled(), await south.settled()
    assert max(sent) < 24 * MIB
    for _ in range(400):
        await reader.read(65536)
    assert north.sent > sent[0]
    writer.transport.abort()
    async with asyncio.timeout(30):
        await north.ended.wait()
        await south.ended.wait()


async def test_a_shard_that_is_ahead_of_the_others_waits_for_them(two: Any) -> None:
    ahead, behind = Sending(start=1_000_000), Sending(start=0)
    gateway = await two(ahead, behind)
    reader, writer = await ask(gateway)
    read = 0
    while read < 40 * MIB:
        read += len(await reader.read(MIB))
    assert behind.sent > 30 * MIB
    assert ahead.sent < 16 * MIB
    writer.transport.abort()


async def test_a_shard_that_is_ahead_waits_for_the_heads_of_the_others(two: Any) -> None:
    ahead, go_on = Sending(), asyncio.Event()

    async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await go_on.wait()
        await says(b"[]")(reader, writer)

    gateway = await two(ahead, late)
    reader, writer = await ask(gateway, limit=64 * MIB)
    assert await ahead.settled() < 16 * MIB
    go_on.set()
    async with asyncio.timeout(30):
        await reader.readuntil(item(20_000))
    writer.transport.abort()


async def test_a_client_that_does_not_read_is_disconnected_and_named_as_the_cause(two: Any, tmp_path: Path) -> None:
    north, south = Sending(), Sending()
    gateway = await two(north, south, timeouts={"reply_idle_timeout_s": 0.5}, access_log="log", admin="127.0.0.1:0")
    _, writer = await ask(gateway, limit=65536)
    async with asyncio.timeout(25):
        await north.ended.wait()
        await south.ended.wait()
    writer.transport.abort()
    await until(lambda: (tmp_path / "log").read_bytes().endswith(b"\n"))
    line = json.loads((tmp_path / "log").read_bytes())
    assert (line["status"], line["cut_off"], line["error"]) == (200, "client_slow", "SG1025")
    metrics = (await gateway.admin("/metrics")).text
    assert 'shardgate_requests_cut_off_total{reason="client_slow"} 1' in metrics
    assert not [each for each in metrics.splitlines() if "upstream_errors_total{" in each and not each.endswith(" 0")]


async def test_a_row_without_end_is_cut_off_when_memory_is_short(two: Any, caplog: pytest.LogCaptureFixture) -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nX-Total: 1\r\n\r\n" + listed(range(1000))[:-1] + b',{"id":1000,"text":"')
        while True:
            writer.write(b"x" * 100_000)
            await writer.drain()

    gateway = await two(endless, says(b"[]"), limits={"held_bytes_max": 4 * MIB, "held_share_per_client_max": 1})
    reader, writer = await ask(gateway)
    with caplog.at_level(logging.WARNING), suppress(ConnectionResetError):
        async with asyncio.timeout(60):
            while await reader.read(MIB):
                pass
    assert "hold more than 4194304 bytes" in caplog.text
    writer.close()
