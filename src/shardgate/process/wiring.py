"""The fuse box: builds every object of one worker once, by hand, in order; and runs it."""

import asyncio
import gc
import logging
import signal
import socket
import sqlite3
from collections.abc import Callable, Sequence
from secrets import token_hex
from typing import cast

import msgspec
import uvloop

from shardgate.clients.callers import callers_for
from shardgate.clients.quota import tally_for
from shardgate.config.load import Loaded
from shardgate.core.errors import ShardgateError
from shardgate.core.limits import Limits
from shardgate.core.plan.explain import explain
from shardgate.core.topology import Topology
from shardgate.core.wire.request_head import RequestHeadParser
from shardgate.engine.change.changes import Changes
from shardgate.engine.change.divider import Divider
from shardgate.engine.change.handler import ChangeHandler
from shardgate.engine.change.idempotent import IdempotentRunner
from shardgate.engine.change.journal_driver import JournalDriver
from shardgate.engine.change.parts import PartsChanger
from shardgate.engine.change.replayer import Replayer
from shardgate.engine.cluster import Cluster
from shardgate.engine.gather.conductor import Conductor
from shardgate.engine.gather.held import HeldBytes
from shardgate.engine.handler import Gateway
from shardgate.net import tasks
from shardgate.net.client.connection import ClientConnection
from shardgate.net.client.contracts import Settings
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
from shardgate.process.configured import read_topology
from shardgate.store.sqlite import SqliteStore
from shardgate.store.tally import Tally
from shardgate.store.writer import Writer

DIRECTORY_POLL_S = 1.0
BACKLOG = 2048

_log = logging.getLogger("shardgate")


class CounterSlot(msgspec.Struct, frozen=True):
    """Where a worker counts."""

    layout: Layout
    memory: SharedMemory
    cells: memoryview
    """Its slot of the memory."""
    tally: Tally | None = None
    """Where clients' calls are counted, if they are."""


class Entrance(msgspec.Struct, frozen=True):
    """Where requests come in: sockets that the supervisor holds, too, so that none is lost while workers change."""

    clients: Sequence[socket.socket]
    admin: socket.socket | None = None


class Worker:
    """One process of the gateway."""

    def __init__(self, loaded: Loaded, place: CounterSlot | None = None) -> None:
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
        self._writer = Writer(loaded.store) if loaded.store else None
        self._pulse = Writer(loaded.store) if loaded.store else None
        self._replayer: Replayer | None = None
        self._callers = callers_for(loaded.clients, loaded.routes, place.tally, self._writer)
        self._gateway = self._make_gateway(limits)
        self._parser = RequestHeadParser()
        self._settings = Settings(
            limits.request_body_bytes_max,
            limits.held_body_bytes_max,
            timeouts.client_header_timeout_s,
            timeouts.client_idle_timeout_s,
            timeouts.stream_idle_timeout_s,
            timeouts.request_total_timeout_s,
            loaded.trusted,
            loaded.config.request_trailers == "pass",
        )
        self._admin = Admin(
            place.layout, place.memory, loaded.shards.values(), connect_timeout_s=timeouts.connect_timeout_s
        )

    def _make_gateway(self, limits: Limits) -> Gateway:
        cluster, body_bytes_max = self._cluster, limits.reply_body_bytes_max
        held = HeldBytes(limits.held_bytes_max)
        conductor = Conductor(cluster, body_bytes_max, held)
        writes, keyed = self._make_writes(body_bytes_max, held)
        divider = Divider(cluster, conductor, writes, body_bytes_max)
        changer = PartsChanger(cluster, writes, body_bytes_max)
        answering = ChangeHandler(cluster, conductor, divider, changer, writes, keyed, body_bytes_max)
        return Gateway(cluster, conductor, answering, limits, self._observer, self._refresh_directory, self._callers)

    def _make_writes(self, body_bytes_max: int, held: HeldBytes) -> tuple[Changes | None, IdempotentRunner | None]:
        """What needs a store, where there is one."""
        cluster, writer, config = self._cluster, self._writer, self._loaded.config
        if writer is None or self._pulse is None:
            return None, None
        worker = token_hex(8)
        journaling = JournalDriver(cluster, writer, worker, body_bytes_max)
        lease_s, kept_s = config.timeouts.worker_lease_s, config.journal.kept_s
        self._replayer = Replayer(writer, self._pulse, journaling, lease_s, kept_s)
        writes = Changes(cluster, writer, journaling, body_bytes_max, held, self._refresh_directory)
        return writes, IdempotentRunner(writer, worker, config.idempotency.expires_s, config.idempotency.client)

    async def run(self, entrance: Entrance, ready: Callable[[], None], stop: asyncio.Event) -> None:
        """Serve until told to stop, then drain."""
        self._observer.start(_open_log(self._loaded))
        self._watch.start()
        following = [
            tasks.start(self._follow_directory(), "directory"),
            tasks.start(keep_fresh([*filter(None, [self._tls]), *self._cluster.tls]), "certificates"),
        ]
        if self._replayer is not None:
            await self._replayer.say_alive()
            following += [tasks.start(self._replayer.live(), "live"), tasks.start(self._replayer.run(), "replay")]
        if self._callers is not None:
            following += await self._callers.start()
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
        for task in following:
            task.cancel()
        if self._callers is not None:
            await self._callers.stop()
        if self._replayer is not None:
            await self._replayer.stop()
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
        if self._callers is not None:
            asyncio.run(self._callers.fetch_keys())
        plan = self._gateway.plan(request, self._cluster.snapshot)
        return explain(request, plan)

    def close(self) -> None:
        """Close what is idle."""
        self._cluster.close()
        self._watch.stop()
        if self._store is not None:
            self._store.close()
        if self._callers is not None:
            self._callers.close()
        for writer in (self._writer, self._pulse):
            if writer is not None:
                writer.close()

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

    def _connection(self) -> asyncio.Protocol:
        connection = ClientConnection(self._gateway, self._parser, self._watch, self._settings)
        return cast("asyncio.Protocol", connection)

    def _admin_connection(self) -> asyncio.Protocol:
        connection = ClientConnection(self._admin, self._parser, self._watch, self._settings)
        return cast("asyncio.Protocol", connection)

    def _topology(self) -> Topology:
        if self._store is None:
            return Topology(self._loaded.shards)
        return read_topology(self._loaded, self._store)

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

    async def _drain(self, servers: Sequence[asyncio.AbstractServer]) -> None:
        """Take no more clients; answer what is under way, no longer than the drain time."""
        for server in servers:
            server.close()
        try:
            async with asyncio.timeout(self._loaded.config.timeouts.drain_timeout_s):
                while self._gateway.drain() + self._admin.drain():  # noqa: ASYNC110 - polled, so that the hot path has no counter to keep
                    await asyncio.sleep(TICK_S / 5)
        except TimeoutError:
            _log.warning("some requests did not end within the drain time")
            self._gateway.abort()
            await asyncio.sleep(TICK_S / 5)  # the connections hear that they are lost, and tell it


def _own_place(loaded: Loaded) -> CounterSlot:
    """Memory that is not shared, for a worker without a supervisor."""
    layout = Layout({}, 0).extended(loaded.routes.routes, loaded.shards)
    memory = SharedMemory.roomy(layout.size)
    return CounterSlot(layout, memory, memory.slot(0), tally_for(loaded.clients))


def _open_log(loaded: Loaded) -> AccessLog | None:
    wanted = loaded.access_log
    if wanted is None:
        return None
    return AccessLog(LogFile(wanted.to), query=wanted.query, sample=wanted.sample)


def settle() -> None:
    """What is here now lives as long as the worker: the garbage collector need not look at it (15 ms each time).

    What a request makes goes when it ends, mostly without a cycle: to look for some every 700 objects took 3 % of a
    relay's time and 6 % of a gather's.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def serve_worker(
    loaded: Loaded, place: CounterSlot, entrance: Entrance, ready: Callable[[], None], lifeline: int
) -> None:
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
        settle()
        await worker.run(entrance, ready, stop)

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
