"""The fuse box: builds every object of one worker once, by hand, in order; and runs it."""

import asyncio
import gc
import logging
import signal
import socket
import sqlite3
from collections.abc import Callable, Sequence

import msgspec
import uvloop

from shardgate.config.load import Loaded
from shardgate.configured import read_topology
from shardgate.core.errors import ShardgateError
from shardgate.core.plan.explain import explain
from shardgate.core.topology import Topology
from shardgate.core.wire.request_head import RequestHeadParser
from shardgate.engine.cluster import Cluster
from shardgate.engine.conduct import Conductor
from shardgate.engine.handler import Gateway
from shardgate.engine.held import Held
from shardgate.net import tasks
from shardgate.net.connection import ClientConnection
from shardgate.net.contracts import Settings
from shardgate.net.tls import Tls, for_clients, keep_fresh
from shardgate.net.tls import listening as listening_context
from shardgate.net.watch import TICK_S, Watch
from shardgate.observe.access_log import AccessLog
from shardgate.observe.admin import Admin
from shardgate.observe.layout import Layout
from shardgate.observe.log_file import LogFile
from shardgate.observe.memory import SharedMemory
from shardgate.observe.meter import Meter
from shardgate.observe.observer import Observer
from shardgate.store.sqlite import SqliteStore

DIRECTORY_POLL_S = 1.0
BACKLOG = 2048

_log = logging.getLogger("shardgate")


class Place(msgspec.Struct, frozen=True):
    """Where a worker counts."""

    layout: Layout
    memory: SharedMemory
    cells: memoryview
    """Its slot of the memory."""


class Entrance(msgspec.Struct, frozen=True):
    """Where requests come in: sockets that the supervisor holds, too, so that none is lost while workers change."""

    clients: Sequence[socket.socket]
    admin: socket.socket | None = None


class Worker:
    """One process of the gateway."""

    def __init__(self, loaded: Loaded, place: Place | None = None) -> None:
        place = place or _own_place(loaded)
        limits, timeouts = loaded.config.limits, loaded.config.timeouts
        self._loaded = loaded
        self._store = SqliteStore(loaded.directory) if loaded.directory else None
        self._watch = Watch()
        self._tls = Tls(loaded.tls, for_clients) if loaded.tls is not None else None
        meter = Meter(place.cells, place.layout, loaded.routes.routes, loaded.shards)
        compress = loaded.config.compress
        self._cluster = Cluster(loaded.routes, self._topology(), limits, timeouts, self._watch, compress, meter)
        self._observer = Observer(meter, self._watch, self._cluster.pools)
        conductor = Conductor(self._cluster, limits.reply_body_bytes_max, Held(limits.held_bytes_max))
        self._gateway = Gateway(self._cluster, conductor, limits.client_connections_max, self._observer)
        self._parser = RequestHeadParser()
        self._settings = Settings(
            limits.request_body_bytes_max,
            limits.held_body_bytes_max,
            timeouts.client_header_timeout_s,
            timeouts.client_idle_timeout_s,
            timeouts.stream_idle_timeout_s,
            loaded.trusted,
            loaded.config.request_trailers == "pass",
        )
        self._admin = Admin(
            place.layout, place.memory, loaded.shards.values(), connect_timeout_s=timeouts.connect_timeout_s
        )

    async def run(self, entrance: Entrance, ready: Callable[[], None], stop: asyncio.Event) -> None:
        """Serve until told to stop, then drain."""
        self._observer.start(_open_log(self._loaded))
        self._watch.start()
        following = tasks.start(self._follow_directory(), "directory")
        refreshing = tasks.start(keep_fresh([*filter(None, [self._tls]), *self._cluster.tls]), "certificates")
        servers = [await self._serve(listening) for listening in entrance.clients]
        if entrance.admin is not None:
            loop = asyncio.get_running_loop()
            servers.append(await loop.create_server(self._admin_connection, sock=entrance.admin))
        ready()
        await stop.wait()
        if self._admin.draining and entrance.admin is not None:
            # The whole gateway ends: whoever asks is told so until the last request is answered.
            last = servers.pop()
            await self._drain(servers)
            last.close()
        else:
            await self._drain(servers)
        following.cancel()
        refreshing.cancel()
        self._admin.close()
        self._observer.close()
        self.close()

    def reopen_log(self) -> None:
        """The access log was renamed."""
        self._observer.reopen_log()

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

    async def _serve(self, listening: socket.socket) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        if self._tls is None:
            return await loop.create_server(self._connection, sock=listening, backlog=BACKLOG)
        return await loop.create_server(
            self._connection,
            sock=listening,
            backlog=BACKLOG,
            ssl=listening_context(self._tls),
            ssl_handshake_timeout=self._settings.header_timeout_s,
        )

    def _connection(self) -> ClientConnection:
        return ClientConnection(self._gateway, self._parser, self._watch, self._settings)

    def _admin_connection(self) -> ClientConnection:
        return ClientConnection(self._admin, self._parser, self._watch, self._settings)

    def _topology(self) -> Topology:
        if self._store is None:
            return Topology(self._loaded.shards)
        return read_topology(self._loaded, self._store)

    async def _follow_directory(self) -> None:
        """Take over what others write into the store: tenants that were placed or moved."""
        while self._store is not None:
            await asyncio.sleep(DIRECTORY_POLL_S)
            try:
                if self._store.epoch() != self._cluster.snapshot.known.topology.epoch:
                    self._cluster.replace_directory(self._topology())
                    _log.info("the directory is at epoch %d", self._cluster.snapshot.known.topology.epoch)
            except sqlite3.Error as error:
                # What was known stays in force; the next look may succeed.
                _log.error("the directory cannot be read: %s", error)

    async def _drain(self, servers: Sequence[asyncio.AbstractServer]) -> None:
        """Take no more clients; answer what is under way, no longer than the drain time."""
        for server in servers:
            server.close()
        try:
            async with asyncio.timeout(self._loaded.config.timeouts.drain_timeout_s):
                while self._gateway.drain():  # noqa: ASYNC110 - polled, so that the hot path has no counter to keep
                    await asyncio.sleep(TICK_S / 5)
        except TimeoutError:
            _log.warning("some requests did not end within the drain time")
            self._gateway.abort()
            await asyncio.sleep(TICK_S / 5)  # the connections hear that they are lost, and tell it


def _own_place(loaded: Loaded) -> Place:
    """Memory that is not shared, for a worker without a supervisor."""
    layout = Layout({}, 0).extended(loaded.routes.routes, loaded.shards)
    memory = SharedMemory.roomy(layout.size)
    return Place(layout, memory, memory.slot(0))


def _open_log(loaded: Loaded) -> AccessLog | None:
    wanted = loaded.access_log
    if wanted is None:
        return None
    return AccessLog(LogFile(wanted.to), query=wanted.query, sample=wanted.sample)


def settle() -> None:
    """What was loaded stays: the garbage collector need not look at it again and again (15 ms each time)."""
    gc.collect()
    gc.freeze()


def serve_worker(loaded: Loaded, place: Place, entrance: Entrance, ready: Callable[[], None], lifeline: int) -> None:
    """The life of a worker process: until a signal, or until the pipe that its supervisor holds has ended."""

    async def serve() -> None:
        loop, stop = asyncio.get_running_loop(), asyncio.Event()
        worker = Worker(loaded, place)
        loop.add_signal_handler(signal.SIGUSR1, worker.reopen_log)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)

        def orphaned() -> None:
            loop.remove_reader(lifeline)
            stop.set()

        loop.add_reader(lifeline, orphaned)
        await worker.run(entrance, ready, stop)

    settle()
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
