"""The fuse box: builds every object of one worker once, by hand, in order; and runs it."""

import asyncio
import logging
import signal
import socket
import sqlite3
from collections.abc import Callable
from secrets import token_hex

import uvloop

from shardgate.config.load import Loaded
from shardgate.core.errors import ShardgateError
from shardgate.core.plan.explain import explain
from shardgate.core.routes.mistakes import Mistake
from shardgate.core.topology import Topology
from shardgate.core.wire.request_head import RequestHeadParser
from shardgate.engine.answering import Answering
from shardgate.engine.cluster import Cluster
from shardgate.engine.conduct import Conductor
from shardgate.engine.division import Divider
from shardgate.engine.handler import Gateway
from shardgate.engine.journaling import Journaling
from shardgate.engine.keyed import Keyed
from shardgate.engine.replayer import Replayer
from shardgate.engine.writes import Writes
from shardgate.net import tasks
from shardgate.net.connection import ClientConnection, Settings
from shardgate.net.watch import TICK_S, Watch
from shardgate.store.sqlite import SqliteStore, StoreError
from shardgate.store.writer import Writer

DIRECTORY_POLL_S = 1.0
BACKLOG = 2048

_log = logging.getLogger("shardgate")


class Worker:
    """One process of the gateway."""

    def __init__(self, loaded: Loaded) -> None:
        limits, timeouts = loaded.config.limits, loaded.config.timeouts
        self._loaded = loaded
        self._store = SqliteStore(loaded.directory) if loaded.directory else None
        self._watch = Watch()
        self._cluster = Cluster(loaded.routes, self._topology(), limits, timeouts, self._watch)
        self._writer = Writer(loaded.store) if loaded.store else None
        self._pulse = Writer(loaded.store) if loaded.store else None
        self._replayer: Replayer | None = None
        self._gateway = self._make_gateway(limits.reply_body_bytes_max)
        self._parser = RequestHeadParser()
        self._settings = Settings(
            limits.request_body_bytes_max, timeouts.client_header_timeout_s, timeouts.client_idle_timeout_s
        )

    def _make_gateway(self, body_bytes_max: int) -> Gateway:
        cluster, writer, config = self._cluster, self._writer, self._loaded.config
        conductor = Conductor(cluster, body_bytes_max)
        writes, keyed = None, None
        if writer is not None and self._pulse is not None:
            worker = token_hex(8)
            journaling = Journaling(cluster, writer, worker, body_bytes_max)
            self._replayer = Replayer(
                writer, self._pulse, journaling, config.timeouts.worker_lease_s, config.journal.kept_s
            )
            writes = Writes(cluster, writer, journaling, body_bytes_max, self._refresh_directory)
            keyed = Keyed(writer, worker, config.idempotency.expires_s, config.idempotency.client)
        divider = Divider(cluster, conductor, writes, body_bytes_max)
        answering = Answering(cluster, conductor, divider, writes, keyed, body_bytes_max)
        clients_max = config.limits.client_connections_max
        return Gateway(cluster, conductor, answering, clients_max, self._refresh_directory)

    async def run(self, listening: socket.socket, ready: Callable[[], None], stop: asyncio.Event) -> None:
        """Serve until told to stop, then drain."""
        loop = asyncio.get_running_loop()
        self._watch.start()
        following = [tasks.start(self._follow_directory(), "directory")]
        if self._replayer is not None:
            await self._replayer.say_alive()
            following += [tasks.start(self._replayer.live(), "live"), tasks.start(self._replayer.run(), "replay")]
        server = await loop.create_server(self._connection, sock=listening, backlog=BACKLOG)
        ready()
        await stop.wait()
        server.close()
        await self._drain()
        for task in following:
            task.cancel()
        if self._replayer is not None:
            await self._replayer.stop()
        self.close()

    def explain(self, head: bytes, body: bytes) -> list[tuple[str, str]]:
        """What would become of a request. Raises ShardgateError where it is refused."""
        request = self._parser.parse(head)
        request.body = body
        plan = self._gateway.plan(request, self._cluster.snapshot)
        return explain(request, plan)

    def close(self) -> None:
        """Close what is idle."""
        self._cluster.close()
        self._watch.stop()
        if self._store is not None:
            self._store.close()
        for writer in (self._writer, self._pulse):
            if writer is not None:
                writer.close()

    def _connection(self) -> ClientConnection:
        return ClientConnection(self._gateway, self._parser, self._watch, self._settings)

    def _topology(self) -> Topology:
        if self._store is None:
            return Topology(self._loaded.shards)
        return _read_topology(self._loaded, self._store)

    async def _follow_directory(self) -> None:
        """Take over what others write into the store: tenants that were placed or moved."""
        while self._store is not None:
            await asyncio.sleep(DIRECTORY_POLL_S)
            self._refresh_directory()

    def _refresh_directory(self) -> bool:
        """Take over a directory that has changed; whether it has. 5 µs where it has not."""
        if self._store is None:
            return False
        try:
            if self._store.epoch() == self._cluster.snapshot.known.topology.epoch:
                return False
            self._cluster.replace_directory(self._topology())
            _log.info("the directory is at epoch %d", self._cluster.snapshot.known.topology.epoch)
        except sqlite3.Error as error:
            # What was known stays in force; the next look may succeed.
            _log.error("the directory cannot be read: %s", error)
            return False
        return True

    async def _drain(self) -> None:
        """Answer what is under way; no longer than the drain time."""
        try:
            async with asyncio.timeout(self._loaded.config.timeouts.drain_timeout_s):
                while self._gateway.drain():  # noqa: ASYNC110 - polled, so that the hot path has no counter to keep
                    await asyncio.sleep(TICK_S / 5)
        except TimeoutError:
            _log.warning("some requests did not end within the drain time")
            self._gateway.abort()


def _read_topology(loaded: Loaded, store: SqliteStore) -> Topology:
    # The epoch first: a change in between is then seen again at the next look, never missed.
    epoch = store.epoch()
    return Topology(loaded.shards, {space: store.read(space) for space in store.spaces()}, epoch)


def check_directory(loaded: Loaded) -> list[Mistake]:
    """What is wrong between the directory and the configuration: each of its shards must be configured."""
    if loaded.directory is None:
        return []
    try:
        with SqliteStore(loaded.directory) as store:
            topology = _read_topology(loaded, store)
    except StoreError as error:
        return [Mistake("directory", str(error), "name the file that `shardgate split` wrote")]
    named = {shard for space in topology.directory.values() for shard in space.values()}
    cure = f"add it under `shards`; there are: {', '.join(loaded.shards)}"
    return [
        Mistake("shards", f"the directory gives keys to {shard!r}, which is no shard here", cure)
        for shard in sorted(named - set(loaded.shards))
    ]


def listen(host: str, port: int) -> socket.socket:
    """A socket that shares its port with those of the other workers. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listening.bind((host, port))
    except OSError:
        listening.close()
        raise
    return listening


def serve_worker(loaded: Loaded, port: int, ready: Callable[[], None], lifeline: int) -> None:
    """The life of a worker process: until a signal, or until the pipe that its supervisor holds has ended."""

    async def serve() -> None:
        loop, stop = asyncio.get_running_loop(), asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)

        def orphaned() -> None:
            loop.remove_reader(lifeline)
            stop.set()

        loop.add_reader(lifeline, orphaned)
        await Worker(loaded).run(listen(loaded.host, port), ready, stop)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve())


def explain_request(
    loaded: Loaded, method: str, target: str, headers: list[str], body: bytes
) -> tuple[list[tuple[str, str]], int]:
    """What the gateway would do with a request, in titled lines, and an exit code; no shard is asked."""
    worker = Worker(loaded)
    head = "\r\n".join([f"{method} {target} HTTP/1.1", "Host: localhost", *headers, ""])
    try:
        return worker.explain(head.encode(), body), 0
    except ShardgateError as error:
        return [("refused", f"{error.status} {error.title} ({error.code}): {error.detail}"), ("asked", "nobody")], 1
    finally:
        worker.close()
