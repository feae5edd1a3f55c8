"""Connections to an address are opened, or the log says why not."""

import asyncio
import socket
from typing import Any

import pytest

from shardgate.core.errors import ShardDownError
from shardgate.core.wire.reply_head import ReplyHeadParser
from shardgate.net.upstream.connection import UpstreamConnection
from shardgate.net.upstream.dialler import Dialler
from tests.net.upstream.play import OwnerOfTheTest


def connection() -> UpstreamConnection:
    log: list[Any] = []
    return UpstreamConnection(OwnerOfTheTest(log), ReplyHeadParser())


async def reason(host: str, port: int, connect_timeout_s: float = 5) -> str:
    with pytest.raises(ShardDownError) as raised:
        await Dialler(host, port, None, connect_timeout_s).connect(connection())
    assert host not in raised.value.detail
    return raised.value.log


async def test_a_connection_that_is_opened_can_be_used() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        made = connection()
        await Dialler("127.0.0.1", listening.getsockname()[1], None, 5).connect(made)
        assert made.usable
        made.abort()


async def test_a_refusal_is_told_in_the_systems_words() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        assert await reason("127.0.0.1", port) == f"connection refused (127.0.0.1:{port})"


async def test_a_name_that_is_none_is_no_exception() -> None:
    assert "(" in await reason("a" * 70 + ".example", 80)


async def test_an_address_that_does_not_answer_is_given_up_in_time() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        waiting = [socket.socket() for _ in range(4)]  # its queue is full: the kernel drops what else comes
        for each in waiting:
            each.settimeout(0)
            each.connect_ex(address)
        said = await reason(*address, connect_timeout_s=0.05)
        for each in waiting:
            each.close()
    assert said.startswith("no connection within connect_timeout_s (0.05 s)")


async def test_a_call_may_be_cancelled_while_it_connects() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        dialler = Dialler("127.0.0.1", listening.getsockname()[1], None, 5)
        connecting = asyncio.ensure_future(dialler.connect(connection()))
        connecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await connecting
