"""The end of a worker: what it has begun to read is answered, and what hangs is not waited for without end."""

import asyncio
import ssl
from pathlib import Path
from typing import Any

import pytest
import trustme
import yaml

from shardgate.config.load import load
from shardgate.net.listeners import listen
from shardgate.process.generation import Entrance
from shardgate.process.worker import Worker
from tests.cluster import Asked, reply
from tests.waiting import until

GET = b"GET /any HTTP/1.1\r\nHost: a\r\n\r\n"


class Running:
    """A worker that a test may stop."""

    def __init__(self, folder: Path, shard: Any, **more: Any) -> None:
        config = {"shards": {"one": shard.url}, "rules": {"GET /any": {"rule": "any"}}, **more}
        (folder / "shardgate.yaml").write_text(yaml.safe_dump(config))
        self.worker = Worker(load(folder / "shardgate.yaml"))
        self.listening = listen("127.0.0.1", 0)
        self.port = self.listening.getsockname()[1]
        self.stop = asyncio.Event()
        self.ended: asyncio.Future[None] | None = None

    async def start(self) -> "Running":
        ready = asyncio.Event()
        self.ended = asyncio.ensure_future(self.worker.run(Entrance([self.listening]), ready.set, self.stop))
        await ready.wait()
        return self

    async def end(self) -> None:
        assert self.ended is not None
        self.stop.set()
        await self.ended


async def test_a_client_that_idles_has_a_moment_for_one_more_request(start_shard: Any, tmp_path: Path) -> None:
    running = await Running(tmp_path, await start_shard(lambda _: reply("ok"))).start()
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
    writer.write(GET)
    assert b"Connection: close" not in await reader.readuntil(b"ok")
    running.stop.set()
    await until(lambda: running.listening.fileno() == -1 or not _accepts(running.port))
    writer.write(GET)
    assert b"Connection: close" in await reader.read(-1)
    writer.close()
    await running.end()


async def test_a_request_under_way_at_the_end_is_answered(start_shard: Any, tmp_path: Path) -> None:
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def late(_: Asked) -> bytes:
        asked.set()
        await go_on.wait()
        return reply("late")

    running = await Running(tmp_path, await start_shard(late)).start()
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
    writer.write(GET)
    await asked.wait()
    running.stop.set()
    await until(lambda: not _accepts(running.port))
    go_on.set()
    assert (await reader.read(-1)).endswith(b"late")
    writer.close()
    await running.end()


async def test_a_request_that_does_not_end_is_cut_off_with_the_drain_time(
    start_shard: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    asked = asyncio.Event()

    async def never(_: Asked) -> bytes:
        asked.set()
        return await asyncio.get_running_loop().create_future()

    running = await Running(tmp_path, await start_shard(never), timeouts={"drain_timeout_s": 0.1}).start()
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
    writer.write(GET)
    await asked.wait()
    await running.end()
    received = await reader.read(-1)
    assert received.startswith(b"HTTP/1.1 503")
    assert b"SG4004" in received
    writer.close()
    assert "did not end within the drain time" in caplog.text


async def test_a_client_in_its_tls_handshake_at_the_end_is_answered(start_shard: Any, tmp_path: Path) -> None:
    # Found: a handshake was not seen as a client, and the worker ended in the middle of it.
    authority = trustme.CA()
    leaf = authority.issue_cert("api.example.com")
    leaf.private_key_pem.write_to_path(tmp_path / "key.pem")
    leaf.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    tls = {"certificate": "cert.pem", "key": "key.pem"}
    running = await Running(tmp_path, await start_shard(lambda _: reply("ok")), tls=tls).start()
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
    running.stop.set()
    await until(lambda: not _accepts(running.port))
    context = ssl.create_default_context()
    authority.configure_trust(context)
    await writer.start_tls(context, server_hostname="api.example.com")
    writer.write(GET)
    assert (await reader.read(-1)).endswith(b"ok")
    writer.close()
    await running.end()


def _accepts(port: int) -> bool:
    import socket

    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
