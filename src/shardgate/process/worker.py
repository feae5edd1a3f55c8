"""One worker process: serves clients, follows the directory and the certificates, and drains at its end.

Holds: a request that a worker has begun to read is answered, if that takes no longer than the drain time.
"""

import asyncio
import ctypes
import gc
import logging
import signal
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, cast

import uvloop

from shardgate.config.load import Loaded
from shardgate.core.limits import FIRST_CHECKS_S, LAST_CHANCE_S
from shardgate.net import tasks
from shardgate.net.accepting import Accepting
from shardgate.net.client.connection import ClientConnection
from shardgate.net.client.contracts import Handler
from shardgate.net.clock import now
from shardgate.net.listeners import waiting
from shardgate.net.tls import keep_fresh
from shardgate.net.tls import listening as listening_context
from shardgate.net.watch import TICK_S, Watch
from shardgate.process.descriptors import DescriptorWatch
from shardgate.process.generation import Entrance
from shardgate.process.heartbeat import Heartbeat
from shardgate.process.wiring import CounterSlot, build, open_log

BACKLOG = 2048
FIRST_CHECKS_POLL_S = 0.005

# Of <malloc.h>.
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
# A read brings up to 256 KiB: to map those, and give them back, would cost each long reply 25 µs a piece.
MAPPED_BYTES_MIN: Final = 1024 * 1024
TRIMMED_BYTES_MIN: Final = 4 * 1024 * 1024

_log = logging.getLogger("shardgate")


class Worker:
    """One process of the gateway."""

    __slots__ = ("_accepting", "_descriptors", "_following", "_heartbeat", "_loaded", "built")

    def __init__(self, loaded: Loaded, place: CounterSlot | None = None, clock: Callable[[], float] = now) -> None:
        self._loaded = loaded
        self.built = build(loaded, place, clock)
        self._following: list[asyncio.Task[None]] = []
        self._accepting: list[Accepting] = []
        self._descriptors: DescriptorWatch | None = None
        self._heartbeat: Heartbeat | None = None

    async def run(self, entrance: Entrance, ready: Callable[[], None], stop: asyncio.Event) -> None:
        """Serve until `stop` is set, then drain."""
        await self._start()
        # A server closes what it is given; others may go on with these sockets, should this worker fall silent.
        own = [each.dup() for each in entrance.clients] if entrance.peers else entrance.clients
        self.built.gateway.loads.begin_with(sum(map(waiting, own)))
        servers = [await self._serve(listening) for listening in own]
        self._heartbeat = Heartbeat(entrance, self._serve)
        self._heartbeat.expire()
        self.built.watch.add(self._heartbeat)
        admin = await self._serve_admin(entrance.admin) if entrance.admin is not None else None
        ready()
        await stop.wait()
        if admin is not None and not self.built.admin.draining:
            servers.append(admin)  # another worker answers operators; at the gateway's end this one does until the last
        await self._drain(servers)
        if admin is not None:
            admin.close()
        await self._stop()

    @property
    def watch(self) -> Watch:
        """All that waits in this worker."""
        return self.built.watch

    def reopen_log(self) -> None:
        """The access log was renamed."""
        self.built.observer.reopen_log()

    async def _start(self) -> None:
        built = self.built
        built.observer.start(open_log(self._loaded))
        built.watch.start()
        self._descriptors = DescriptorWatch()
        built.watch.add(self._descriptors)
        used = [*filter(None, [built.tls]), *built.cluster.tls]
        self._following = [tasks.start(keep_fresh(used), "certificates")]
        if built.directory is not None:
            self._following.append(tasks.start(built.directory.follow(), "directory"))
        if built.movements is not None:
            await built.movements.start()
            self._following.append(tasks.start(built.movements.follow(), "movements"))
        if (journaled := built.journaled) is not None:
            self._following.append(tasks.start(journaled.debts.run(), "debts"))
            self._following.append(tasks.start(journaled.replayer.run(), "replay"))
            self._following.append(tasks.start(journaled.housekeeper.run(), "purge"))
        if built.pusher is not None:
            built.pusher.start()
        if built.callers is not None:
            self._following += await built.callers.start()
        with suppress(TimeoutError):
            async with asyncio.timeout(FIRST_CHECKS_S):
                while not built.cluster.is_checked:  # noqa: ASYNC110 - polled, so that checks need not tell
                    await asyncio.sleep(FIRST_CHECKS_POLL_S)

    async def _stop(self) -> None:
        built = self.built
        for task in self._following:
            task.cancel()
        if built.callers is not None:
            await built.callers.stop()
        if built.journaled is not None:
            await built.journaled.debts.settle()
        built.admin.close()
        built.observer.close()
        if built.pusher is not None:
            built.pusher.close()  # after the observer, which writes down what it has counted
        built.cluster.close()
        built.watch.stop()
        if self._descriptors is not None:
            self._descriptors.close()
        if built.movements is not None:
            built.movements.close()
        if built.directory is not None:
            built.directory.close()
        if built.callers is not None:
            built.callers.close()
        if built.journaled is not None:
            built.journaled.writer.close()

    async def _serve(self, listening: socket.socket) -> asyncio.Server:
        built = self.built

        def connection() -> asyncio.Protocol:
            return self._connection(built.gateway)

        tls = None if built.tls is None else listening_context(built.tls)
        timeout_s = None if built.tls is None else built.settings.header_timeout_s
        accepting = Accepting(listening, connection, tls, timeout_s)
        self._accepting.append(accepting)
        built.observer.queues.append(accepting.waiting)
        return await accepting.serve(BACKLOG)

    async def _serve_admin(self, listening: socket.socket) -> asyncio.Server:
        return await asyncio.get_running_loop().create_server(
            lambda: self._connection(self.built.admin), sock=listening
        )

    def _connection(self, handler: Handler) -> asyncio.Protocol:
        built = self.built
        return cast("asyncio.Protocol", ClientConnection(handler, built.parser, built.watch, built.settings))

    async def _drain(self, servers: Sequence[asyncio.AbstractServer]) -> None:
        """Take no more clients; answer what is under way, no longer than the drain time."""
        gateway, admin = self.built.gateway, self.built.admin
        for server in servers:
            server.close()
        if self._heartbeat is not None:
            self._heartbeat.accept_no_more()
        if self.built.tls is not None:
            await asyncio.sleep(LAST_CHANCE_S)  # a client in its handshake is not yet seen as a connection
        try:
            async with asyncio.timeout(self._loaded.config.timeouts.drain_timeout_s):
                # Polled, so that the hot path has no counter to keep.
                while gateway.drain() + admin.drain() or any(each.opens for each in self._accepting):  # noqa: ASYNC110
                    await asyncio.sleep(TICK_S / 5)
        except TimeoutError:
            _log.warning("some requests did not end within the drain time")
            gateway.abort()
            await asyncio.sleep(TICK_S / 5)  # the connections learn that they are lost, and tell the gateway


def settle() -> None:
    """Exempt what is here now from garbage collection: it lives as long as the worker (15 ms each time).

    What a request makes is freed when it ends, mostly without a cycle: to look for cycles every 700 objects took 3 %
    of a relay's time and 6 % of a gather's.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def return_memory() -> None:
    """Let the C library give the memory of each long body back when it is freed.

    By itself glibc learns from the first long bodies to keep their memory, in pieces that later bodies do not fit in:
    a worker that had held 60 MB of them kept 110 MB. Other C libraries have no `mallopt`.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, MAPPED_BYTES_MIN)
        mallopt(_M_TRIM_THRESHOLD, TRIMMED_BYTES_MIN)


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
        return_memory()
        await worker.run(entrance, ready, stop)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve())
