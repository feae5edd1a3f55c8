"""What has no end is ended: bodies that drip, interim replies that never stop; and bounds where two things meet."""

import asyncio
from typing import Any

import pytest

from shardgate.core.limits import INTERIM_REPLIES_MAX
from tests.net.sockets.test_streams import MIB, OK, before, connect, resident_bytes, serving
from tests.waiting import until


async def test_two_deadlines_in_one_tick_give_one_reply(start_gateway: Any, caplog: pytest.LogCaptureFixture) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(-1)

    patience = {"client_header_timeout_s": 0.4, "reply_idle_timeout_s": 0.4, "request_timeout_s": 0.4}
    async with serving(serve) as url:
        gateway = await start_gateway(before(url, timeouts=patience))
        head = b"PUT /items/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n"
        # Which of the two is looked at first is by chance.
        for received in await asyncio.gather(*[gateway.raw(head + b"x" * 100_000) for _ in range(20)]):
            assert received.startswith((b"HTTP/1.1 408 ", b"HTTP/1.1 504 "))
            assert received.count(b"HTTP/1.1 ") == 1
    assert not [record for record in caplog.records if record.name == "asyncio"], caplog.text


async def test_interim_replies_without_end_are_not_held_for_a_client_that_does_not_read(start_gateway: Any) -> None:
    hint = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"
    said_all = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        try:
            for _ in range(64):
                writer.write(hint * (MIB // len(hint)))
                await writer.drain()
        finally:
            said_all.set()

    async with serving(serve) as url:
        gateway = await start_gateway(before(url))
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port, limit=4096)
        grown_from = resident_bytes()
        writer.write(b"GET /items/1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        async with asyncio.timeout(30):
            await said_all.wait()
        assert resident_bytes() - grown_from < 16 * MIB
        received = await reader.read(-1)
        assert received.count(b"HTTP/1.1 103 ") <= INTERIM_REPLIES_MAX
        assert received.count(b"HTTP/1.1 502 ") == 1
        writer.close()


async def test_a_read_that_is_repeated_does_not_open_more_connections_than_may_be(start_gateway: Any) -> None:
    now_open, most, served, all_wait = 0, 0, 0, asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal now_open, most, served
        now_open += 1
        most = max(most, now_open)
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                served += 1
                if served == 2:
                    await all_wait.wait()
                    return  # as a server that ends an idle connection in the moment in which it is used again
                writer.write(OK)
        finally:
            now_open -= 1

    async with serving(serve) as url:
        gateway = await start_gateway(before(url, limits={"connections_per_shard_max": 1}))
        assert (await gateway.get("/items/1")).text == "ok"
        asking = asyncio.gather(*[gateway.get(f"/items/{number}") for number in range(4)])
        await until(lambda: gateway.in_flight == 4)
        all_wait.set()
        replies = await asking
        assert [reply.text for reply in replies] == ["ok"] * 4
    assert served == 6
    assert most == 1


async def test_uploads_that_drip_take_no_connection_to_a_shard(start_gateway: Any) -> None:
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            heads.append(head)
            writer.write(OK)

    async with serving(serve) as url:
        gateway = await start_gateway(before(url, limits={"connections_per_shard_max": 2}))
        drips = [await connect(gateway) for _ in range(40)]
        for number, (_, writer) in enumerate(drips):
            length = b"Content-Length: 9000000" if number % 2 else b"Transfer-Encoding: chunked"
            writer.write(b"PUT /items/1 HTTP/1.1\r\nHost: a\r\n" + length + b"\r\n\r\n1\r\na")
        await until(lambda: gateway.in_flight == 40)
        replies = await asyncio.gather(*[gateway.get(f"/items/{number}") for number in range(8)])
        assert [reply.text for reply in replies] == ["ok"] * 8
        assert not [head for head in heads if head.startswith(b"PUT")]
        for _, writer in drips:
            writer.close()
        await until(lambda: gateway.in_flight == 0)


async def test_uploads_that_stop_half_way_leave_connections_to_reads(start_gateway: Any) -> None:
    begun = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal begun
        while head := await reader.readuntil(b"\r\n\r\n"):
            if head.startswith(b"PUT"):
                begun += 1
                await reader.read(-1)
                return
            writer.write(OK)

    async with serving(serve) as url:
        gateway = await start_gateway(before(url, limits={"connections_per_shard_max": 8}))
        slow = [await connect(gateway) for _ in range(20)]
        for _, writer in slow:
            writer.write(b"PUT /items/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n" + b"x" * 100_000)
        await until(lambda: begun == 2)
        replies = await asyncio.gather(*[gateway.get(f"/items/{number}") for number in range(8)])
        assert [reply.text for reply in replies] == ["ok"] * 8
        assert begun == 2
        for _, writer in slow:
            writer.close()
        await until(lambda: gateway.in_flight == 0)


@pytest.mark.parametrize("target", [b"/items/1", b"/nothing"])
async def test_requests_that_come_ahead_without_end_are_not_kept_without_end(start_gateway: Any, target: bytes) -> None:
    # Found: a reply that was given at once, as this 404 is, was followed by reading another 256 KiB of requests.
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(OK)

    async with serving(serve) as url:
        gateway = await start_gateway(before(url))
        reader, writer = await connect(gateway)
        writer.transport.set_write_buffer_limits(high=64 * MIB)
        grown_from = resident_bytes()
        writer.write((b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n" % target) * 400_000)
        (connection,) = gateway.worker.built.gateway._connections.open
        served = 0
        while served < 200:
            served += (await reader.read(4096)).count(b"HTTP/1.1 ")
            assert len(connection._buffer) + sum(map(len, connection._aside)) < MIB  # type: ignore[attr-defined]
        assert resident_bytes() - grown_from < 64 * MIB
        writer.transport.abort()
