"""Bodies that stream both ways, trailers, 1xx, event streams, and connections that leave HTTP behind."""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from shardgate.core.limits import SMALL_BODY_BYTES_MAX
from tests.cluster import read_chunked
from tests.net.screenplay import Clock
from tests.waiting import delivered, settled, until

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
MIB = 1024 * 1024
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@asynccontextmanager
async def serving(serve: Serve) -> Any:
    """A shard in raw bytes; its URL."""
    open_now: set[asyncio.StreamWriter] = set()

    async def held(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_now.add(writer)
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                await serve(reader, writer)
        finally:
            open_now.discard(writer)
            writer.close()

    server = await asyncio.start_server(held, "127.0.0.1", 0, limit=MIB)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for writer in list(open_now):
            writer.transport.abort()


def before(url: str, **more: Any) -> dict[str, Any]:
    """A gateway before one shard."""
    return {
        "shards": {"secret-north": url},
        "locators": {"item": [{"kind": "hash"}]},
        "rules": {
            "GET /items/{id}": {"rule": "one", "key": "path.id", "locate": "item"},
            "PUT /items/{id}": {"rule": "one", "key": "path.id", "locate": "item"},
            "POST /items": {"rule": "one", "key": "body.id", "locate": "item"},
        },
        **more,
    }


async def connect(gateway: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", gateway.port, limit=MIB)


async def test_an_upload_reaches_the_shard_while_the_client_still_sends(start_gateway: Any) -> None:
    seen: asyncio.Queue[bytes] = asyncio.Queue()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await seen.put(await reader.readuntil(b"\r\n\r\n"))
        await seen.put(await reader.readexactly(100_000))
        await seen.put(await reader.readexactly(100_000))
        writer.write(OK)

    async with serving(serve) as url:
        gateway = await start_gateway(before(url))
        reader, writer = await connect(gateway)
        writer.write(b"PUT /items/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n" + b"a" * 100_000)
        head = await seen.get()
        assert b"\r\nContent-Length: 200000\r\n" in head
        assert await seen.get() == b"a" * 100_000
        writer.write(b"b" * 100_000)
        assert await seen.get() == b"b" * 100_000
        assert await reader.readexactly(len(OK)) == OK
        writer.close()


@pytest.mark.parametrize(("trailers", "passed"), [("pass", b"X-Checksum: 1\r\n"), ("drop", b"")])
async def test_an_upload_of_unknown_length_goes_on_in_chunks(start_gateway: Any, trailers: str, passed: bytes) -> None:
    asked: list[tuple[bytes, bytes, bytes]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            asked.append((head, *await read_chunked(reader)))
            writer.write(OK)

    async with serving(serve) as url:
        gateway = await start_gateway(before(url, request_trailers=trailers))
        reader, writer = await connect(gateway)
        for _ in range(2):
            writer.write(b"PUT /items/1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
            await delivered(writer)
            writer.write(b"2;x=y\r\nde\r\n0\r\nX-Checksum: 1\r\nContent-Length: 9\r\nHost: b\r\n\r\n")
            assert await reader.readexactly(len(OK)) == OK
        writer.close()
    assert [(body, trailers) for _, body, trailers in asked] == [(b"abcde", passed)] * 2
    assert all(b"\r\nTransfer-Encoding: chunked\r\n" in head for head, _, _ in asked)


@pytest.mark.parametrize("size", [3, SMALL_BODY_BYTES_MAX])
async def test_an_upload_that_turns_out_malformed_never_becomes_a_request(start_gateway: Any, size: int) -> None:
    whole: list[bytes] = []
    broken: asyncio.Event = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        try:
            whole.append((await read_chunked(reader))[0])
        except asyncio.IncompleteReadError:
            broken.set()

    async with serving(serve) as url:
        gateway = await start_gateway(before(url))
        reader, writer = await connect(gateway)
        writer.write(b"PUT /items/1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        writer.write(b"%x\r\n%b\r\n" % (size, b"a" * size))
        await delivered(writer)
        writer.write(b"0x3\r\nabc\r\n0\r\n\r\nGET /items/2 HTTP/1.1\r\nHost: a\r\n\r\n")
        received = await reader.read(-1)
        assert received.startswith(b"HTTP/1.1 400 ")
        assert received.count(b"HTTP/1.1 ") == 1
        if size == SMALL_BODY_BYTES_MAX:  # less than that is not sent on before it is whole
            await asyncio.wait_for(broken.wait(), 30)
        assert whole == []
        writer.close()


async def test_a_body_that_says_where_it_goes_is_collected_first(start_gateway: Any) -> None:
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        length = int(heads[0].partition(b"Content-Length: ")[2].split(b"\r\n")[0])
        assert json.loads(await reader.readexactly(length))["id"] == "7"
        writer.write(OK)

    async with serving(serve) as url:
        gateway = await start_gateway(before(url, limits={"held_body_bytes_max": 200_000}))
        body = json.dumps({"text": "x" * 150_000, "id": "7"}).encode()
        for framing in (b"Content-Length: %d\r\n" % len(body), b"Transfer-Encoding: chunked\r\n"):
            heads.clear()
            reader, writer = await connect(gateway)
            writer.write(b"POST /items HTTP/1.1\r\nHost: a\r\n" + framing + b"\r\n")
            await delivered(writer)
            assert await settled(lambda: len(heads)) == 0
            writer.write(body if b"Length" in framing else b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))
            assert await reader.readexactly(len(OK)) == OK
            writer.close()
        too_long = b"x" * 200_001
        for sent in (
            b"Content-Length: 200001\r\n\r\n" + too_long,
            b"Transfer-Encoding: chunked\r\n\r\n30D41\r\n" + too_long,
        ):
            received = await gateway.raw(b"POST /items HTTP/1.1\r\nHost: a\r\n" + sent)
            assert received.startswith(b"HTTP/1.1 413 ")


async def test_a_client_that_asks_whether_to_send_is_told_only_once_it_is_known_where_to(start_gateway: Any) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"expect" not in head.lower()
        assert await reader.readexactly(5) == b"12345"
        writer.write(OK)

    async with serving(serve) as url:
        gateway = await start_gateway(before(url))
        asks = b"Host: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
        received = await gateway.raw(b"PUT /nowhere HTTP/1.1\r\n" + asks)
        assert received.startswith(b"HTTP/1.1 404 ")
        assert b"100 Continue" not in received
        assert b"Connection: close" in received
        reader, writer = await connect(gateway)
        writer.write(b"PUT /items/1 HTTP/1.1\r\n" + asks)
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"12345")
        assert await reader.readexactly(len(OK)) == OK
        writer.close()


async def test_a_reply_that_comes_before_the_upload_is_whole_is_passed_on_and_ends_the_connection(
    start_gateway: Any,
) -> None:
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 409 Conflict\r\nContent-Length: 2\r\n\r\nno")
        await reader.read(-1)

    async with serving(serve) as url:
        gateway = await start_gateway(before(url))
        for turn in (1, 2):
            reader, writer = await connect(gateway)
            writer.write(b"PUT /items/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n" + b"x" * 100_000)
            received = await reader.read(-1)
            assert received.startswith(b"HTTP/1.1 409 Conflict\r\n")
            assert b"Connection: close\r\n" in received
            assert received.endswith(b"\r\n\r\nno")
            assert connections == turn  # the connection to the shard was not used again
            writer.close()


async def test_a_client_that_leaves_in_the_middle_of_its_upload_cancels_it(start_gateway: Any) -> None:
    begun, broken = asyncio.Event(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        begun.set()
        try:
            await reader.readexactly(9_000_000)
        except (asyncio.IncompleteReadError, ConnectionError):
            broken.set()

    async with serving(serve) as url:
        gateway = await start_gateway(before(url))
        _, writer = await connect(gateway)
        writer.write(b"PUT /items/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n" + b"x" * 100_000)
        await begun.wait()
        writer.transport.abort()
        await asyncio.wait_for(broken.wait(), 2)


async def test_a_client_that_stops_in_the_middle_of_its_upload_is_refused_in_time(start_gateway: Any) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(-1)

    async with serving(serve) as url:
        gateway = await start_gateway(before(url, timeouts={"client_header_timeout_s": 0.4}))
        head = b"PUT /items/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n"
        received = await gateway.raw(head + b"x" * 100_000)
        assert received.startswith(b"HTTP/1.1 408 ")


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize("way", ["up", "down"])
async def test_a_side_that_does_not_read_holds_the_other_back(start_gateway: Any, way: str) -> None:
    # Client and shard are in this process too: what the sockets do not hold, somebody here would.
    size, read, written = 64 * MIB, asyncio.Event(), 0

    async def write(writer: asyncio.StreamWriter) -> None:
        nonlocal written
        for _ in range(size // MIB):
            writer.write(bytes(MIB))
            await writer.drain()
            written += MIB

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if way == "down":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
            await write(writer)
        else:
            await read.wait()
            await reader.readexactly(size)
            writer.write(OK)

    async with serving(serve) as url:
        gateway = await start_gateway(before(url))
        reader, writer = await connect(gateway)
        grown_from = resident_bytes()
        if way == "down":
            writer.write(b"GET /items/1 HTTP/1.1\r\nHost: a\r\n\r\n")
            assert await settled(lambda: written) < size
            assert resident_bytes() - grown_from < 16 * MIB
            await reader.readuntil(b"\r\n\r\n")
            left = size
            while left:
                left -= len(await reader.read(MIB))
        else:
            writer.write(b"PUT /items/1 HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size)
            sending = asyncio.get_running_loop().create_task(write(writer))
            assert await settled(lambda: written) < size
            assert resident_bytes() - grown_from < 16 * MIB
            read.set()
            assert await reader.readexactly(len(OK)) == OK
            await sending
        writer.close()


@pytest.mark.parametrize(("asks", "passes"), [(b"TE: trailers\r\nConnection: TE\r\n", True), (b"", False)])
async def test_trailers_of_a_reply_pass_to_a_client_that_takes_them(
    start_gateway: Any, asks: bytes, passes: bool
) -> None:
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nSum: 1\r\nSet-Cookie: a\r\n\r\n"
        )

    async with serving(serve) as url:
        gateway = await start_gateway(before(url))
        received = await gateway.raw(b"GET /items/1 HTTP/1.1\r\nHost: a\r\n" + asks + b"\r\n")
        assert received.endswith(b"2\r\nok\r\n0\r\nSum: 1\r\n\r\n" if passes else b"2\r\nok\r\n0\r\n\r\n")
    assert (b"\r\nTE: trailers\r\nConnection: TE\r\n" in heads[0]) is passes


async def test_early_hints_pass_but_not_to_an_old_client(start_gateway: Any) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n" + OK)

    async with serving(serve) as url:
        gateway = await start_gateway(before(url))
        received = await gateway.raw(b"GET /items/1 HTTP/1.1\r\nHost: a\r\n\r\n")
        assert received == b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n" + OK
        received = await gateway.raw(b"GET /items/1 HTTP/1.0\r\nHost: a\r\n\r\n")
        assert received.startswith(b"HTTP/1.1 200 OK\r\n")


async def test_an_event_stream_passes_event_by_event_and_may_be_silent(start_gateway: Any) -> None:
    go_on = asyncio.Event()
    gone = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")
        await go_on.wait()
        writer.write(b"data: 2\n\n")
        await reader.read(-1)
        gone.set()

    clock = Clock()
    async with serving(serve) as url:
        gateway = await start_gateway(before(url), clock=clock)
        reader, writer = await connect(gateway)
        writer.write(b"GET /items/1 HTTP/1.1\r\nHost: a\r\n\r\n")
        assert (await reader.readuntil(b"data: 1\n\n")).startswith(b"HTTP/1.1 200 OK\r\n")
        clock.at += 299  # no patience is longer, but that of a whole request
        gateway.worker.watch.look()
        go_on.set()
        await reader.readuntil(b"data: 2\n\n")
        writer.close()

        def is_over_as_time_goes_on() -> bool:
            clock.at += 1
            gateway.worker.watch.look()
            return gone.is_set()

        await until(is_over_as_time_goes_on)


async def test_a_long_reply_may_take_longer_than_the_request_timeout_while_it_moves(start_gateway: Any) -> None:
    clock, more = Clock(), asyncio.Semaphore(0)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
            for _ in range(10):
                await more.acquire()
                writer.write(b"x")

    async def read(gateway: Any, each_s: float) -> bytes:
        """Read the body byte by byte, with so much time before each."""
        reader, writer = await connect(gateway)
        writer.write(b"GET /items/1 HTTP/1.1\r\nHost: a\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        body = b""
        for _ in range(10):
            clock.at += each_s
            gateway.worker.watch.look()
            more.release()
            body += await reader.read(1)
        writer.close()
        return body

    async with serving(serve) as url:
        gateway = await start_gateway(before(url), clock=clock)
        assert await read(gateway, 59) == b"x" * 10  # ten times: longer than request_timeout_s
        gateway = await start_gateway(before(url, timeouts={"request_total_timeout_s": 500}), clock=clock)
        with suppress(ConnectionError):
            assert len(await read(gateway, 59)) < 10


WEBSOCKET = (
    b"GET /items/1 HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


async def test_a_websocket_passes_both_ways_and_ends_on_both_sides(start_gateway: Any) -> None:
    heads: list[bytes] = []
    gone = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello")
        while piece := await reader.read(MIB):
            writer.write(piece.upper())
        gone.set()

    async with serving(serve) as url:
        gateway = await start_gateway(before(url))
        reader, writer = await connect(gateway)
        writer.write(WEBSOCKET)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
        assert b"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" in head
        assert await reader.readexactly(5) == b"hello"
        big = b"a" * (2 * MIB) + b"GET / HTTP/1.1\r\n\r\n"
        writer.write(big)
        assert await reader.readexactly(len(big)) == big.upper()
        writer.close()
        await asyncio.wait_for(gone.wait(), 2)
        assert b"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" in heads[0]
        # A refusal of the shard's is a reply like any other.

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
        await reader.read(-1)

    async with serving(refuse) as url:
        gateway = await start_gateway(before(url))
        assert await gateway.raw(WEBSOCKET) == OK


@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        (WEBSOCKET.replace(b"WebSocket\r\n", b"h2c\r\n"), 502),
        (WEBSOCKET.replace(b"Connection: Upgrade", b"Connection: keep-alive"), 502),
        (WEBSOCKET.replace(b"HTTP/1.1", b"HTTP/1.0"), 502),
        (WEBSOCKET.replace(b"GET", b"PUT"), 502),
        (WEBSOCKET, 502),  # the shard below switches to something else
    ],
)
async def test_a_shard_switches_to_nothing_that_was_not_offered(start_gateway: Any, sent: bytes, answered: int) -> None:
    offered: list[bool] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        offered.append(b"upgrade" in head.lower())
        protocol = b"h2c" if offered[-1] else b"websocket"
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %b\r\n\r\n" % protocol)
        await reader.read(-1)

    async with serving(serve) as url:
        gateway = await start_gateway(before(url))
        received = await gateway.raw(sent)
        assert received.startswith(b"HTTP/1.1 %d " % answered)
        assert offered == [sent is WEBSOCKET]


async def test_a_tunnel_in_which_nothing_moves_is_closed(start_gateway: Any) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        await reader.read(-1)

    async with serving(serve) as url:
        gateway = await start_gateway(before(url, timeouts={"stream_idle_timeout_s": 0.4}))
        reader, writer = await connect(gateway)
        writer.write(WEBSOCKET)
        async with asyncio.timeout(2):
            assert (await reader.read(-1)).startswith(b"HTTP/1.1 101 ")
        writer.close()


async def test_more_requests_under_way_than_the_limit_are_refused_and_the_others_go_on(start_gateway: Any) -> None:
    go_on = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await go_on.wait()
        writer.write(OK)

    async with serving(serve) as url:
        gateway = await start_gateway(
            before(url, limits={"requests_in_flight_max": 2}, clients={"bounds": {"requests_max": 9}})
        )
        waiting = [await connect(gateway) for _ in range(2)]
        for _, writer in waiting:
            writer.write(b"GET /items/1 HTTP/1.1\r\nHost: a\r\n\r\n")
        await until(lambda: gateway.in_flight == 2)
        refused = await gateway.get("/items/1")
        assert (refused.status_code, refused.json()["code"]) == (503, "SG4001")
        assert "retry-after" in refused.headers
        go_on.set()
        for reader, writer in waiting:
            assert await reader.readexactly(len(OK)) == OK
            writer.close()
        assert (await gateway.get("/items/1")).status_code == 200


async def test_more_clients_than_the_limit_are_closed_at_once(start_gateway: Any) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(OK)

    async with serving(serve) as url:
        gateway = await start_gateway(
            before(url, limits={"client_connections_max": 2}, clients={"bounds": {"connections_max": 9}})
        )
        open_now = [await connect(gateway) for _ in range(2)]
        for reader, writer in open_now:
            writer.write(b"GET /items/1 HTTP/1.1\r\nHost: a\r\n\r\n")
            assert await reader.readexactly(len(OK)) == OK
        with suppress(ConnectionError):
            assert await gateway.raw(b"GET /items/1 HTTP/1.1\r\nHost: a\r\n\r\n") == b""
        for _, writer in open_now:
            writer.close()
