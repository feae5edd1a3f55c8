"""Connections to an address are opened, or the log says why not."""

import asyncio
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme
import uvloop

from shardgate.core.errors import ShardDownError
from shardgate.core.limits import NAME_LOOK_S
from shardgate.core.topology import TlsFiles
from shardgate.core.wire.reply_head import ReplyHeadParser
from shardgate.net.clock import now
from shardgate.net.tls import Tls, for_shards
from shardgate.net.upstream.connection import UpstreamConnection
from shardgate.net.upstream.dialler import Dialler
from tests.net.screenplay import Clock
from tests.net.upstream.play import GIVEN_BACK, RELEASED, OwnerOfTheTest, Whole, call_of, named
from tests.waiting import one_turn, until


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


# A name with several addresses.


@contextmanager
def listening(*hosts: str, backlog: int = 100) -> Iterator[list[socket.socket]]:
    """One port at several addresses."""
    sockets = [socket.create_server((hosts[0], 0), backlog=backlog)]
    port = sockets[0].getsockname()[1]
    sockets += [socket.create_server((host, port)) for host in hosts[1:]]
    try:
        yield sockets
    finally:
        for each in sockets:
            each.close()


@contextmanager
def silenced(listening: socket.socket) -> Iterator[None]:
    """Its queue is full: the kernel drops what else comes."""
    listening.listen(0)
    waiting = [socket.socket() for _ in range(4)]
    for each in waiting:
        each.settimeout(0)
        each.connect_ex(listening.getsockname())
    try:
        yield
    finally:
        for each in waiting:
            each.close()


async def test_a_silent_address_of_a_name_does_not_fail_the_shard() -> None:
    # Found: the one patience for a connection went to the first address, and the whole shard was down.
    with listening("127.0.0.1", "127.0.0.2") as sockets, silenced(sockets[0]):
        port = sockets[0].getsockname()[1]
        dialler = Dialler("shard.test", port, None, 1.0, named(["127.0.0.1", "127.0.0.2"]))
        began_at = now()
        made = connection()
        await dialler.connect(made)
        assert made.usable
        assert made.address == "127.0.0.2"
        assert 0.2 < now() - began_at < 0.9
        again = connection()
        began_at = now()
        await dialler.connect(again)
        assert again.address == "127.0.0.2"
        assert now() - began_at < 0.2, "the silent one is tried last"
        made.abort()
        again.abort()


async def test_of_many_silent_addresses_each_has_its_moment() -> None:
    hosts = [f"127.0.0.{number}" for number in range(1, 8)]
    with listening(*hosts) as sockets, ExitStack() as silence:
        for each in sockets[:-1]:
            silence.enter_context(silenced(each))
        made = connection()
        await Dialler("shard.test", sockets[0].getsockname()[1], None, 1.0, named(hosts)).connect(made)
        assert made.address == hosts[-1]
        made.abort()


async def test_an_address_that_refuses_is_passed_over_at_once() -> None:
    with listening("127.0.0.2") as sockets:
        port = sockets[0].getsockname()[1]
        made = connection()
        began_at = now()
        await Dialler("shard.test", port, None, 5, named(["127.0.0.1", "127.0.0.2"])).connect(made)
        assert made.address == "127.0.0.2"
        assert now() - began_at < 0.2
        made.abort()


async def test_where_all_addresses_refuse_the_reason_is_told() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        with pytest.raises(ShardDownError) as raised:
            await Dialler("shard.test", port, None, 5, named(["127.0.0.1", "127.0.0.2"])).connect(connection())
        assert raised.value.log == f"connection refused (shard.test:{port})"


async def test_where_all_addresses_are_silent_the_shard_is_given_up_in_time() -> None:
    with listening("127.0.0.1", "127.0.0.2") as sockets, silenced(sockets[0]), silenced(sockets[1]):
        port = sockets[0].getsockname()[1]
        with pytest.raises(ShardDownError) as raised:
            await Dialler("shard.test", port, None, 0.1, named(["127.0.0.1", "127.0.0.2"])).connect(connection())
    assert raised.value.log.startswith("no connection within connect_timeout_s (0.1 s)")


async def test_connections_that_were_not_chosen_are_closed() -> None:
    with listening("127.0.0.1", "127.0.0.2") as sockets:
        port = sockets[0].getsockname()[1]
        dialler = Dialler("shard.test", port, None, 5, named(["127.0.0.1", "127.0.0.2"]))
        made = [connection() for _ in range(5)]
        await asyncio.gather(*[dialler.connect(each) for each in made])
        assert {each.address for each in made} == {"127.0.0.1"}
        for each in made:
            each.abort()


async def test_connections_are_given_up_once_the_name_has_other_addresses() -> None:
    with listening("127.0.0.1", "127.0.0.2") as sockets:
        port, clock = sockets[0].getsockname()[1], Clock()
        dialler = Dialler("shard.test", port, None, 5, named(["127.0.0.1"], ["127.0.0.2"]), clock)
        made = connection()
        await dialler.connect(made)
        assert dialler.gone() == frozenset()
        for _ in range(4):
            clock.at += NAME_LOOK_S
            gone = dialler.gone()
            await one_turn()
            await one_turn()
        assert dialler.gone() | gone == {made.address}
        made.abort()


def test_on_the_workers_own_loop_an_address_without_a_handshake_is_passed_over(tmp_path: Path) -> None:
    """The first address takes connections and never answers a handshake."""
    authority = trustme.CA()
    (tmp_path / "ca.pem").write_bytes(authority.cert_pem.bytes())
    server_tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("shard.test").configure_cert(server_tls)
    log: list[Any] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    async def run() -> None:
        server = await asyncio.start_server(serve, "127.0.0.2", 0, ssl=server_tls)
        port = server.sockets[0].getsockname()[1]
        with socket.create_server(("127.0.0.1", port)):
            tls = Tls(TlsFiles(ca=str(tmp_path / "ca.pem")), for_shards)
            made = UpstreamConnection(OwnerOfTheTest(log), ReplyHeadParser())
            await Dialler("shard.test", port, tls, 5, named(["127.0.0.1", "127.0.0.2"])).connect(made)
            made.send(call_of(log, Clock()))
            await until(lambda: Whole(200, b"ok") in log)
            made.abort()
            await until(lambda: log[-1] == GIVEN_BACK)
        server.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())
    assert log == [Whole(200, b"ok"), RELEASED, GIVEN_BACK]
