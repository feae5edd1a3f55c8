"""Up to a hundred gateways on one store in PostgreSQL: simulated.

Each is what one worker of a gateway has to do with the store, by the code of the gateway: its writer with its lease,
and its directory with a session that is told of changes. There are no clients and no shards, since what those cost is
each gateway's own; so a hundred fit on one machine, in threads of a few processes. The server writes to the disk
(`fsync` is on).

Holds: a change is what the journal writes of a change for four shards: eleven jobs, of which those of the four shards
are asked for at the same time.
"""

import asyncio
import multiprocessing as mp
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from statistics import median, quantiles
from threading import Thread
from typing import Any

from bench.processes import cpu_s, memory_bytes, tree
from bench.scale.results import GatewaysRun
from proof.postgres_server import PostgresServer
from shardgate.core.changes.entry import Branch, Entry, Sent, Terms
from shardgate.core.errors import StoreUnavailableError
from shardgate.core.hosts import PostgresUrl
from shardgate.core.http import Reply
from shardgate.net.clock import wall
from shardgate.store.directory_reader import DirectoryReader
from shardgate.store.journal import Instant
from shardgate.store.opening import open_store, remote_store
from shardgate.store.writer import Writer

COUNTS = (1, 2, 5, 10, 20, 50, 100)
NAMES = ("north", "south", "west", "east")
CHANGES, AT_ONCE = 10, 8
"""New tenants that are looked at; changes that one gateway has under way."""
SETTINGS = "fsync = on\nmax_connections = 800\nshared_buffers = 128MB\n"
_SENT = Sent(
    "POST", b"/categories", b"shop", b"Authorization: Bearer partner\r\n", b"{}", has_body=True, request_id=b"r"
)
_TERMS = Terms(patient=True, check=None, repeat=True, already=(409,))
_REPLY = Reply(201, [(b"Content-Type", b"application/json")], b'{"id": "7", "name": "a name"}')
_STEPS_S = 120.0


def by_gateways(say: Any, seconds: float, counts: Sequence[int] = COUNTS) -> list[GatewaysRun]:
    """Each number of gateways, on a new database of one server."""
    found = []
    for count in counts:
        with PostgresServer(settings=SETTINGS) as server:
            found.append(_measured(server, count, seconds))
        run = found[-1]
        say(f"{count} gateways: {run.changes_per_s:.0f} changes/s, seen after {run.seen_ms:.0f} ms")
    return found


def _measured(server: PostgresServer, count: int, seconds: float) -> GatewaysRun:
    url = server.create("store")
    with open_store(PostgresUrl(url)) as store:
        store.put_many("vendors", [(f"tenant-{number}", NAMES[number % 4]) for number in range(1000)])
        with _gateways(url, count) as pipes:
            pid = server.pid
            (sessions,) = server.ask("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'shardgate'")[0]
            memory = memory_bytes(tree(pid)) / 1e6
            began, before = time.monotonic(), cpu_s(tree(pid))
            time.sleep(seconds)
            idle = (cpu_s(tree(pid)) - before) / (time.monotonic() - began) * 1000
            seen = []
            for number in range(CHANGES):
                epoch = store.put_many("vendors", [(f"new-{number}", "north")])
                committed_at = time.monotonic()
                _tell(pipes, ("seen", epoch))
                seen.append((max(pipe.recv() for pipe in pipes) - committed_at) * 1000)
            (wrote,) = store.execute("SELECT coalesce(sum(number), 0) FROM commits").fetchone()
            _tell(pipes, ("change", seconds))
            told = [pipe.recv() for pipe in pipes]
            (written,) = store.execute("SELECT coalesce(sum(number), 0) FROM commits").fetchone()
    took = [each for times, _, _ in told for each in times]
    return GatewaysRun(
        gateways=count,
        sessions=int(sessions),
        server_mb=memory,
        idle_ms_a_s=idle,
        seen_ms=median(seen),
        seen_max_ms=max(seen),
        changes_per_s=len(took) / max(lasted for _, lasted, _ in told),
        refused=sum(refused for *_, refused in told),
        change_p50_ms=median(took) * 1000,
        change_p99_ms=quantiles(took, n=100)[-1] * 1000,
        commits_a_change=float(written - wrote) / len(took),
    )


def _tell(pipes: Sequence[Connection], what: tuple[str, Any]) -> None:
    for pipe in pipes:
        pipe.send(what)


@contextmanager
def _gateways(url: str, count: int) -> Iterator[list[Connection]]:
    """So many gateways, shared out among as many processes as there are cores."""
    spawn, processes, pipes = mp.get_context("spawn"), [], []
    groups = min(count, os.cpu_count() or 1)
    for group in range(groups):
        ours, theirs = spawn.Pipe()
        size = count // groups + (group < count % groups)
        process = spawn.Process(target=_run_group, args=(url, size, f"g{group}", theirs), daemon=True)
        process.start()
        processes.append(process)
        pipes.append(ours)
    try:
        for pipe in pipes:
            if not pipe.poll(_STEPS_S):
                raise RuntimeError("the gateways did not start")
            pipe.recv()
        yield pipes
    finally:
        for process in processes:
            process.terminate()
            process.join()


class _Directory:
    """The directory of one gateway: told of changes, as `process/shared_directory.py` is."""

    def __init__(self, place: PostgresUrl) -> None:
        self._asked, self._told = remote_store(place), remote_store(place)
        self._reader = DirectoryReader(self._asked, NAMES, {})
        self._view = self._reader.first()
        self._told.listen()
        self.seen: dict[int, float] = {}
        Thread(target=self._follow, daemon=True).start()

    def _follow(self) -> None:
        while True:
            self._told.wait(1.0)
            if (view := self._reader.next(self._view)) is not None:
                self._view = view
                self.seen[view.epoch.number] = time.monotonic()


def _run_group(url: str, count: int, name: str, pipe: Connection) -> None:
    place = PostgresUrl(url)
    writers = [Writer(place) for _ in range(count)]
    directories = [_Directory(place) for _ in range(count)]
    while not all(writer.leases.holds() for writer in writers):
        time.sleep(0.01)
    asyncio.run(_take_steps(writers, _idle))
    pipe.send("ready")
    while True:
        what, value = pipe.recv()
        if what == "seen":
            while not all(max(each.seen, default=0) >= value for each in directories):
                time.sleep(0.001)
            pipe.send(max(min(at for epoch, at in each.seen.items() if epoch >= value) for each in directories))
        else:
            pipe.send(asyncio.run(_changes(writers, name, value)))


async def _take_steps(writers: Sequence[Writer], step: Any) -> None:
    await asyncio.gather(*[step(writer) for writer in writers])


async def _idle(writer: Writer) -> None:
    await writer.run(writer.usage.calls, "p", "one")


async def _changes(writers: Sequence[Writer], name: str, seconds: float) -> tuple[list[float], float, int]:
    """All gateways make changes, several at once; how long each took, how long it lasted, how many failed."""
    took: list[float] = []
    refused = 0
    began_at = time.monotonic()

    async def client(writer: Writer, number: str) -> None:
        nonlocal refused
        turn = 0
        while time.monotonic() < began_at + seconds:
            at, turn = time.monotonic(), turn + 1
            try:
                await _change(writer, f"{name}-{number}-{turn}")
            except StoreUnavailableError:
                refused += 1
                continue
            took.append(time.monotonic() - at)

    await asyncio.gather(*[client(w, f"{n}-{k}") for n, w in enumerate(writers) for k in range(AT_ONCE)])
    return took, time.monotonic() - began_at, refused


async def _change(writer: Writer, token: str) -> None:
    entry = Entry(token, "divide", "create", _SENT, _TERMS, {"id": "7"}, [Branch(name) for name in NAMES])
    journal, owner = writer.journal, writer.leases.worker
    await writer.run(journal.add, entry, owner, Instant(wall()))

    async def branch(number: int) -> None:
        await writer.run(journal.begin, entry, number, "do", owner, Instant(wall()))
        entry.branches[number].phase, entry.branches[number].reply = "done", _REPLY
        await writer.run(journal.save, entry, owner, number)

    await asyncio.gather(*[branch(number) for number in range(len(NAMES))])
    entry.state = "finishing"
    await writer.run(journal.save, entry, owner)
    entry.state = "done"
    await writer.run(journal.save, entry, owner)
