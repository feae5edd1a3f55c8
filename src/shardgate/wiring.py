"""The fuse box: builds every object of one worker once, by hand, in order; and runs it."""

import asyncio
import logging
import signal
import socket
import sqlite3
import ssl
from collections.abc import Callable, Iterator

import uvloop

from shardgate.config.load import Loaded
from shardgate.core.errors import ShardgateError
from shardgate.core.plan.explain import explain
from shardgate.core.routes.mistakes import Mistake
from shardgate.core.topology import TlsFiles, Topology
from shardgate.core.wire.request_head import RequestHeadParser
from shardgate.engine.cluster import Cluster
from shardgate.engine.conduct import Conductor
from shardgate.engine.handler import Gateway
from shardgate.net import tasks
from shardgate.net.connection import ClientConnection
from shardgate.net.contracts import Settings
from shardgate.net.tls import Tls, for_clients, for_shards
from shardgate.net.tls import listening as listening_context
from shardgate.net.watch import TICK_S, Watch
from shardgate.store.sqlite import SqliteStore, StoreError

DIRECTORY_POLL_S = 1.0
CERTIFICATES_POLL_S = 5.0
BACKLOG = 2048

_log = logging.getLogger("shardgate")


class Worker:
    """One process of the gateway."""

    def __init__(self, loaded: Loaded) -> None:
        limits, timeouts = loaded.config.limits, loaded.config.timeouts
        self._loaded = loaded
        self._store = SqliteStore(loaded.directory) if loaded.directory else None
        self._watch = Watch()
        self._tls = Tls(loaded.tls, for_clients) if loaded.tls is not None else None
        compress = loaded.config.compress
        self._cluster = Cluster(loaded.routes, self._topology(), limits, timeouts, self._watch, compress)
        conductor = Conductor(self._cluster, limits.reply_body_bytes_max)
        self._gateway = Gateway(self._cluster, conductor, limits.client_connections_max)
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

    async def run(self, listening: socket.socket, ready: Callable[[], None], stop: asyncio.Event) -> None:
        """Serve until told to stop, then drain."""
        self._watch.start()
        following = tasks.start(self._follow_directory(), "directory")
        refreshing = tasks.start(self._refresh_certificates(), "certificates")
        server = await self._serve(listening)
        ready()
        await stop.wait()
        server.close()
        await self._drain()
        following.cancel()
        refreshing.cancel()
        self.close()

    async def _serve(self, listening: socket.socket) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        if self._tls is None:
            return await loop.create_server(self._connection, sock=listening, backlog=BACKLOG)
        limit_s = self._loaded.config.timeouts.client_header_timeout_s
        return await loop.create_server(
            self._connection,
            sock=listening,
            backlog=BACKLOG,
            ssl=listening_context(self._tls),
            ssl_handshake_timeout=limit_s,
        )

    async def _refresh_certificates(self) -> None:
        """Take over certificates that were renewed."""
        used = [*([self._tls] if self._tls is not None else []), *self._cluster.tls]
        while used:
            await asyncio.sleep(CERTIFICATES_POLL_S)
            for tls in used:
                try:
                    if tls.refresh():
                        _log.info("the certificate in %s was read anew", tls.files.certificate or tls.files.ca)
                except OSError as error:
                    # Certificate and key are seldom replaced in one instant; the next look may succeed.
                    _log.error("the certificate in %s cannot be used: %s", tls.files.certificate, error)

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
            try:
                if self._store.epoch() != self._cluster.snapshot.known.topology.epoch:
                    self._cluster.replace_directory(self._topology())
                    _log.info("the directory is at epoch %d", self._cluster.snapshot.known.topology.epoch)
            except sqlite3.Error as error:
                # What was known stays in force; the next look may succeed.
                _log.error("the directory cannot be read: %s", error)

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


def check_files(loaded: Loaded) -> list[Mistake]:
    """What is wrong with the files that the configuration names."""
    mistakes = _check_directory(loaded)
    cure = "check the path, and that certificate and key belong together"
    for place, files, build in _tls_files(loaded):
        try:
            Tls(files, build)
        except OSError as error:
            mistakes.append(Mistake(place, f"TLS cannot be set up: {error}", cure))
    return mistakes


def _tls_files(loaded: Loaded) -> Iterator[tuple[str, TlsFiles, Callable[[TlsFiles], ssl.SSLContext]]]:
    if loaded.tls is not None:
        yield "tls", loaded.tls, for_clients
    for shard in loaded.shards.values():
        if shard.tls is not None:
            yield f"shards.{shard.id}", shard.tls, for_shards


def _check_directory(loaded: Loaded) -> list[Mistake]:
    """Each shard of the directory must be configured."""
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
