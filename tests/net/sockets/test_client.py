"""What a client sends in bytes, and what it reads: framing, limits, patience, and the end of connections."""

import asyncio
import json
import socket
import struct
from typing import Any

import pytest

from shardgate.core.limits import HALF_CLOSED_S
from tests.cluster import Asked, Gateway, Shard, reply
from tests.waiting import one_turn, settled

GET = b"GET /any HTTP/1.1\r\nHost: a\r\n\r\n"
LAST = b"GET /any HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
RULES = {
    "GET /any": {"rule": "any"},
    "POST /any": {"rule": "any"},
    "PUT /any/{n}": {"rule": "any"},
    "GET /any/{n}": {"rule": "any"},
}


@pytest.fixture
async def one(start_shard: Any, start_gateway: Any) -> Any:
    """A gateway before one shard, whose answer a test may replace."""

    class One:
        says: Any = staticmethod(lambda asked: reply(asked.body or asked.line))
        shard: Shard
        gateway: Gateway
        start: Any = staticmethod(start_gateway)

    said = One()
    said.shard = await start_shard(lambda asked: said.says(asked))  # noqa: PLW0108 - it may be replaced
    said.gateway = await start_gateway(config(said.shard))
    return said


def config(shard: Shard, **more: Any) -> dict[str, Any]:
    shards = {"secret-north": shard.url}
    return {"shards": shards, "rules": RULES, "limits": {"request_body_bytes_max": 1000}, **more}


IMPATIENT = {"client_header_timeout_s": 0.2, "client_idle_timeout_s": 0.2}
"""For what only time brings about: a busy machine would have other requests time out as well."""


def statuses(received: bytes) -> list[int]:
    return [int(part[:3]) for part in received.split(b"HTTP/1.1 ")[1:]]


def code(received: bytes) -> Any:
    """The error's code in the last reply."""
    return json.loads(received.rpartition(b"\r\n\r\n")[2])["code"]


@pytest.mark.parametrize(
    ("sent", "status", "error"),
    [
        (b"nonsense\r\n\r\n", 400, "SG1001"),
        (b"GET /any HTTP/1.1\r\n\r\n", 400, "SG1001"),
        (b"GET /any HTTP/1.1\nHost: a\n\n\r\n\r\n", 400, "SG1001"),
        (b"POST /any HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n1", 400, "SG1001"),
        (b"POST /any HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\n1\r\n0\r\n\r\n", 400, "SG1001"),
        (b"POST /any HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501, "SG1012"),
        (b"POST /any HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n" + b"x" * 1001, 413, "SG1006"),
        (
            b"POST /any HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + b"200\r\n" + b"x" * 512 + b"\r\n"
            b"200\r\n" + b"x" * 512 + b"\r\n0\r\n\r\n",
            413,
            "SG1006",
        ),
        (b"GET /any HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 33_000 + b"\r\n\r\n", 431, "SG1007"),
        (b"GET /any HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 101 + b"\r\n", 431, "SG1007"),
        (b"GET /" + b"y" * 17_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414, "SG1008"),
        (b"GET /" + b"y" * 40_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414, "SG1008"),
        (b"GET /any HTTP/1.1\r\nHost: a", 408, "SG1013"),
        (b"POST /any HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabc", 408, "SG1013"),
    ],
)
async def test_a_refusal_can_be_read_before_the_connection_closes(
    one: Any, sent: bytes, status: int, error: str
) -> None:
    # A client that is still sending when it is refused would lose the reply to a reset.
    gateway = await one.start(config(one.shard, timeouts=IMPATIENT)) if status == 408 else one.gateway
    received = await gateway.raw(sent + b"x" * 200_000 if status != 408 else sent)
    assert statuses(received) == [status]
    assert code(received) == error
    assert b"Connection: close" in received
    assert one.shard.asked == []


async def test_after_a_refusal_nothing_that_follows_is_read_as_a_request(one: Any) -> None:
    received = await one.gateway.raw(b"bad\r\n\r\n" + GET * 3)
    assert statuses(received) == [400]
    assert one.shard.asked == []


async def test_fifty_requests_in_one_packet_are_answered_in_their_order(one: Any) -> None:
    sent = b"".join(b"GET /any/%d HTTP/1.1\r\nHost: a\r\n\r\n" % number for number in range(50))
    received = await one.gateway.raw(sent + LAST)
    assert statuses(received) == [200] * 51
    bodies = [part.partition(b"\r\n\r\n")[2] for part in received.split(b"HTTP/1.1 200 OK")[1:]]
    assert bodies == [b"GET /any/%d HTTP/1.1" % number for number in range(50)] or all(
        body.startswith(b"GET /any/%d " % number) for number, body in enumerate(bodies[:50])
    )
    assert len(one.shard.asked) == 51


async def test_requests_of_every_kind_may_follow_each_other_in_one_packet(one: Any) -> None:
    sent = (
        b"POST /any HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
        b"\r\n\r\nGET /nothing HTTP/1.1\r\nHost: a\r\n\r\n"
        b"POST /any HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2;x\r\nde\r\n1\r\nf\r\n0\r\nT: t\r\n\r\n"
        b"HEAD /any HTTP/1.1\r\nHost: a\r\n\r\n"
    )
    received = await one.gateway.raw(sent + LAST)
    assert statuses(received) == [200, 404, 200, 200, 200]
    assert [asked.body for asked in one.shard.asked] == [b"abc", b"def", b"", b""]
    assert one.shard.asked[1].field("content-length") == ["3"]
    assert one.shard.asked[1].field("transfer-encoding") == []


async def test_a_request_may_come_one_byte_at_a_time(one: Any) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", one.gateway.port)
    writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sent = b"\r\n\r\nPOST /any HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" + LAST
    for number in range(len(sent)):
        writer.write(sent[number : number + 1])
        await one_turn()
    assert statuses(await reader.read(-1)) == [200, 200]
    assert [asked.body for asked in one.shard.asked] == [b"abc", b""]
    writer.close()


@pytest.mark.parametrize("path", [b"/any", b"/nothing"])
async def test_a_client_that_sends_all_and_shuts_its_side_reads_all_replies(one: Any, path: bytes) -> None:
    # Found: replies that needed no shard were lost when the end of the stream came before them.
    reader, writer = await asyncio.open_connection("127.0.0.1", one.gateway.port)
    writer.write(b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n" % path * 20)
    writer.write_eof()
    assert statuses(await reader.read(-1)) == [200 if path == b"/any" else 404] * 20
    writer.close()


@pytest.mark.parametrize(
    "unfinished",
    [b"\r\n", b"\r\nGET", b"GET /any HTTP/1.1\r\nHo", b"POST /any HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n1"],
)
async def test_a_client_that_shuts_its_side_within_a_request_is_let_go_at_once(one: Any, unfinished: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", one.gateway.port)
    writer.write(GET + unfinished)
    writer.write_eof()
    async with asyncio.timeout(0.4):
        assert statuses(await reader.read(-1)) == [200]
    assert len(one.shard.asked) == 1
    writer.close()


async def test_a_client_that_ends_its_side_and_has_left_costs_its_shard_no_more_than_a_moment(one: Any) -> None:
    # Found: a client that left by close() and not by a reset was worked for to the end: 2,000 of them, ten seconds.
    gone, told = asyncio.Event(), asyncio.Event()

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        told.set()
        await reader.read()
        gone.set()
        writer.close()

    server = await asyncio.start_server(slow, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    gateway = await one.start({"shards": {"slow": f"http://127.0.0.1:{port}"}, "rules": RULES})
    _, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(GET)
    await told.wait()
    writer.close()
    async with asyncio.timeout(HALF_CLOSED_S + 1):
        await gone.wait()
    server.close()


async def test_a_megabyte_of_empty_lines_costs_nothing(one: Any) -> None:
    # Found: each one was taken off by copying the rest, seconds of CPU for one packet.
    loop = asyncio.get_running_loop()
    started = loop.time()
    received = await one.gateway.raw(b"\r\n" * 500_000 + LAST)
    assert statuses(received) == [200]
    assert loop.time() - started < 0.5


async def test_http_1_0_is_answered_and_closed(one: Any) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", one.gateway.port)
    writer.write(b"GET /any HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    received = await reader.read(-1)
    assert statuses(received) == [200]
    assert b"Connection: close" in received
    assert one.shard.asked[0].field("host") == ["localhost"]
    writer.close()


async def test_a_head_has_the_head_of_a_get_and_no_body(one: Any) -> None:
    one.says = lambda asked: reply("12345") if asked.line.startswith("GET") else reply("12345")[:-5]
    received = await one.gateway.raw(GET.replace(b"GET", b"HEAD") + LAST)
    first, second = received.split(b"HTTP/1.1 200 OK")[1:]
    assert b"Content-Length: 5" in first
    assert first.endswith(b"\r\n\r\n")
    assert second.endswith(b"12345")


@pytest.mark.parametrize(
    ("said", "ends"),
    [
        (b"HTTP/1.1 204 No Content\r\nX: y\r\n\r\n", b"X: y\r\n\r\n"),
        (b"HTTP/1.1 304 Not Modified\r\nETag: w\r\nContent-Length: 5\r\n\r\n", b"ETag: w\r\nContent-Length: 5\r\n\r\n"),
        (b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", b"HTTP/1.1 204 No Content\r\n\r\n"),
        (b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", b"HTTP/1.1 204 No Content\r\n\r\n"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nX: y\r\n\r\n" + reply("ok"), b"\r\n\r\nok"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 100 + reply("ok"), b"\r\n\r\nok"),
    ],
)
async def test_replies_without_a_body_leave_the_connection_in_step(one: Any, said: bytes, ends: bytes) -> None:
    # Found: a 204 was sent on with the Content-Length of its shard; thousands of 1xx were a RecursionError.
    one.says = lambda asked: said if len(one.shard.asked) == 1 else reply("next")
    received = await one.gateway.raw(GET + LAST)
    first, _, second = received.rpartition(b"HTTP/1.1 ")
    assert first.endswith(ends)
    assert second.endswith(b"next")


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\nT: t\r\n\r\n"


async def test_a_chunked_reply_reaches_a_1_1_client_in_chunks(one: Any) -> None:
    one.says = lambda asked: CHUNKED
    received = await one.gateway.raw(GET + LAST)
    for part in received.split(b"HTTP/1.1 200 OK")[1:]:
        assert b"Transfer-Encoding: chunked" in part
        assert part.endswith((b"\r\n\r\n5\r\nabcde\r\n0\r\n\r\n", b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"))
    assert statuses(received) == [200, 200]


async def test_a_chunked_reply_reaches_a_1_0_client_plain_and_ends_with_the_connection(one: Any) -> None:
    one.says = lambda asked: CHUNKED
    received = await one.gateway.raw(b"GET /any HTTP/1.0\r\n\r\n")
    assert b"Transfer-Encoding" not in received
    assert received.endswith(b"\r\n\r\nabcde")


async def test_a_reply_that_ends_with_its_connection_is_made_chunks(one: Any) -> None:
    one.says = lambda asked: b"HTTP/1.0 200 OK\r\nConnection: close\r\n\r\nabc"
    received = await one.gateway.raw(GET)
    assert received.endswith(b"\r\n\r\n3\r\nabc\r\n0\r\n\r\n")


async def test_expect_100_continue_is_answered_before_the_body_comes(one: Any) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", one.gateway.port)
    head = b"POST /any HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n"
    writer.write(head % 3)
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert one.shard.asked == []
    writer.write(b"abc")
    assert (await reader.readuntil(b"abc")).startswith(b"HTTP/1.1 200")
    assert one.shard.asked[0].field("expect") == []
    writer.write(head % 2000)
    assert (await reader.read(-1)).startswith(b"HTTP/1.1 413")
    writer.close()


async def test_an_idle_connection_is_closed_in_silence(one: Any) -> None:
    gateway = await one.start(config(one.shard, timeouts=IMPATIENT | {"client_header_timeout_s": 30}))
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(GET)
    received = await reader.read(-1)
    assert statuses(received) == [200]
    writer.close()


BIG = b"x" * 5_000_000


async def test_a_large_reply_to_a_slow_client_waits_at_the_shard(start_gateway: Any) -> None:
    sent = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                writer.transport.set_write_buffer_limits(high=65536)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(BIG) * 8))
                for start in range(0, len(BIG) * 8, 50_000):
                    writer.write(BIG[:50_000])
                    await writer.drain()
                    sent = start
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    gateway = await start_gateway({"shards": {"one": url}, "rules": RULES})
    client = socket.create_connection(("127.0.0.1", gateway.port))
    client.settimeout(0)
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(client, LAST)
    held = await settled(lambda: sent)
    # Two pairs of socket buffers (the kernel's, up to about 6 MB each) and ours of 256 KiB lie between.
    assert 0 < held < 20_000_000
    received = 0
    while piece := await loop.sock_recv(client, 1 << 20):
        received += len(piece)
    assert received > len(BIG) * 8
    client.close()
    server.close()


async def test_a_client_that_does_not_read_gets_no_more_replies_until_it_does(one: Any) -> None:
    # Found: the shard's connection went back to the pool with reading paused, and the next request on it got no reply;
    # without that, replies would have piled up in memory, since writing had been paused once already.
    one.says = lambda asked: reply(BIG[:100_000])
    client = socket.create_connection(("127.0.0.1", one.gateway.port))
    client.settimeout(0)
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(client, GET * 399 + LAST)
    assert await settled(lambda: len(one.shard.asked)) < 200
    received = b""
    while piece := await loop.sock_recv(client, 1 << 18):
        received += piece.replace(b"xxxxxxxxxx", b"")
    assert statuses(received) == [200] * 400
    client.close()


async def test_a_client_that_breaks_off_ends_the_call_to_the_shard(one: Any) -> None:
    asked, answered = asyncio.Event(), asyncio.Event()

    async def late(request: Asked) -> bytes:
        asked.set()
        await answered.wait()
        return reply("late")

    one.says = late
    _, writer = await asyncio.open_connection("127.0.0.1", one.gateway.port)
    writer.write(GET)
    await asked.wait()
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
    one.says = lambda asked: reply("mine")
    assert (await one.gateway.raw(LAST)).endswith(b"mine")
    answered.set()
    assert one.shard.connections == 2
