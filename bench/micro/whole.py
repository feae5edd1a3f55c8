"""The whole gateway in memory: a relayed request, a gathered list, from the client's bytes to the client's bytes."""

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import cast

import yaml

from bench.micro.memory_loop import MemoryLoop, MemoryTransport
from bench.micro.messages import HEADERS, KEYED, LISTED, RULES, WHOLE, keyed_reply, list_reply, shards
from shardgate.config.load import load
from shardgate.process.generation import Entrance
from shardgate.process.worker import Worker

SHARDS, ROWS, BYTES = 4, 10, 880
EXCHANGE_S = 0.0002
RELAYS, GATHERS = 100, 10
"""Exchanges in one run of the loop, so that the price of starting it hardly counts."""
TURNS_MAX = 1000
"""Of the loop, for one exchange."""


class WholeGateway:
    """A worker over four shards, a client, and what the shards say."""

    def __init__(self, folder: Path, *, replicas: int = 1) -> None:
        config = folder / f"shardgate-{replicas}.yaml"
        config.write_text(yaml.safe_dump({**RULES, "shards": shards(replicas)}))
        self._connections = SHARDS * replicas
        self._loop = MemoryLoop()
        self._stop = asyncio.Event()
        worker = Worker(load(config), clock=self._loop.time)
        self._listening = socket.socket()
        self._running = self._loop.create_task(worker.run(Entrance([self._listening]), lambda: None, self._stop))
        while self._loop.clients is None:
            self._loop.run_ready()
        self._transport = MemoryTransport()
        self._client = cast("asyncio.Protocol", self._loop.clients())
        self._loop.call_soon(self._client.connection_made, self._transport)
        self._loop.run_ready()

    def __enter__(self) -> "WholeGateway":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        # The client leaves first: a worker that is told to stop waits for its clients, up to the drain time.
        self._loop.call_soon(self._client.connection_lost, None)
        self._loop.run_ready()
        self._stop.set()
        while not self._running.done():
            self._loop.now_s += EXCHANGE_S
            self._loop.run_ready()
        self._listening.close()
        self._loop.close()

    def relay(self) -> Callable[[], object]:
        """Keyed requests, each answered by its shard."""
        return self._asks(KEYED, [keyed_reply(BYTES)] * self._connections, RELAYS)

    def gather(self) -> Callable[[], object]:
        """Lists over four shards, ten rows each."""
        return self._asks(LISTED, [list_reply(ROWS, shard) for shard in range(SHARDS)], GATHERS)

    def whole_list(self, rows: int) -> Callable[[], object]:
        """Lists over four shards, of which each has so many rows: all are the reply."""
        return self._asks(WHOLE, [list_reply(rows, shard, rows) for shard in range(SHARDS)], GATHERS)

    def _asks(self, target: str, replies: list[bytes], count: int) -> Callable[[], object]:
        request = b"GET %b HTTP/1.1\r\n%b" % (target.encode(), HEADERS)
        loop, client, transport, upstreams = self._loop, self._client, self._transport, self._loop.upstreams

        async def exchanges(times: int) -> bytes:
            for _ in range(times):
                transport.written = b""
                loop.now_s += EXCHANGE_S
                client.data_received(request)
                for _ in range(TURNS_MAX):
                    for (shard, protocol), reply in zip(upstreams, replies, strict=False):
                        if shard.written:
                            shard.written = b""
                            protocol.data_received(reply)
                    if transport.written:
                        break
                    await asyncio.sleep(0)
                else:
                    raise RuntimeError("the gateway does not answer; its connections to shards may have idled too long")
            return transport.written

        first = self._loop.run_until_complete(exchanges(2))
        if not first.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"the gateway does not answer: {first[:200]!r}")
        return lambda: self._loop.run_until_complete(exchanges(count))
