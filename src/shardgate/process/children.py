"""The worker processes as the supervisor sees them: it starts them, hears which serve, ends them and reaps them.

Holds: no worker outlives its supervisor, however that ends: each worker reads a pipe whose other end only the
supervisor holds. A worker that was told to end and has not ended in time is killed.
Never: decides which configuration is served.
"""

import logging
import os
import signal
import socket
from collections.abc import Iterable, Iterator
from contextlib import suppress
from mmap import mmap

import msgspec

from shardgate.core.failures.pulse import Watchdog
from shardgate.core.limits import PAGES_REMEMBERED_MAX
from shardgate.core.lists.positions import PageTable, table_bytes
from shardgate.net.clock import now
from shardgate.net.listeners import close_all
from shardgate.net.signals import Signals
from shardgate.observe.memory import SLOTS, SharedMemory
from shardgate.process.generation import Generation
from shardgate.process.wiring import CounterSlot
from shardgate.process.worker import serve_worker
from shardgate.store.database import StoreError
from shardgate.store.tally import Tally

# A worker that dies sooner than this did not serve. Its successor waits, so that a defect at start is no busy loop.
SHORT_LIFE_S = 2.0
PAUSE_S = 1.0
# What a worker may take beyond its drain time: a tick, and the last lines of its log.
KILL_S = 5.0

# How long the workers of a configuration may take until they serve.
START_S = 30.0
# How often the workers' signs of life are looked at.
WATCH_S = 1.0

_ENTRY_BYTES = 8

_log = logging.getLogger("shardgate")


class Child(msgspec.Struct):
    """One worker process."""

    pid: int
    index: int
    slot: int
    generation: Generation
    started_at: float
    serves: bool = False
    leaves: bool = False
    """It was told to end."""
    killed_at: float | None = None
    """When it is killed if it still lives."""
    is_killed: bool = False
    """It was silent, and is about to die."""


class Vacancy(msgspec.Struct, frozen=True):
    """A worker to be started a little later."""

    at: float
    index: int
    slot: int


class Children:
    """All worker processes."""

    __slots__ = (
        "_lifeline",
        "_memory",
        "_pages",
        "_served",
        "_serves",
        "_signals",
        "_slots",
        "_vacancies",
        "_watchdog",
        "alive",
    )

    def __init__(self, signals: Signals, memory: SharedMemory) -> None:
        self._signals = signals
        self._memory = memory
        self._pages = PageTable(memoryview(mmap(-1, table_bytes(PAGES_REMEMBERED_MAX))))
        self._slots = set(range(1, SLOTS))
        self._vacancies: list[Vacancy] = []
        self.alive: dict[int, Child] = {}
        """By process id."""
        self._watchdog = Watchdog(now())
        self._lifeline = os.pipe()
        self._served, self._serves = os.pipe()
        os.set_blocking(self._served, False)

    def __bool__(self) -> bool:
        """Whether there are any, or will be."""
        return bool(self.alive or self._vacancies)

    @property
    def news(self) -> int:
        """A file descriptor that can be read when a worker has begun to serve."""
        return self._served

    @property
    def room(self) -> int:
        """How many more workers have room to count in."""
        return len(self._slots)

    def of(self, generation: Generation | None) -> list[Child]:
        """The workers of one generation."""
        return [child for child in self.alive.values() if child.generation is generation]

    # Starting.

    def begin(self, generation: Generation, tally: Tally | None, foreign: Iterable[socket.socket]) -> None:
        """Start all workers of a generation. They close the `foreign` sockets that are not theirs."""
        foreign = [*foreign]
        for index in range(generation.workers):
            self._start(generation, index, min(self._slots), tally, foreign)

    def replace(self, child: Child, tally: Tally | None, foreign: Iterable[socket.socket]) -> None:
        """Start the successor of a worker that has died, in the same slot; a moment later if it died at once."""
        if now() - child.started_at < SHORT_LIFE_S:
            self._vacancies.append(Vacancy(now() + PAUSE_S, child.index, child.slot))
        else:
            self._start(child.generation, child.index, child.slot, tally, [*foreign])

    def fill_vacancies(self, generation: Generation, tally: Tally | None, foreign: Iterable[socket.socket]) -> None:
        """Start the workers whose time has come."""
        due = [vacancy for vacancy in self._vacancies if vacancy.at <= now()]
        for vacancy in due:
            self._vacancies.remove(vacancy)
            self._start(generation, vacancy.index, vacancy.slot, tally, [*foreign])

    def drop_vacancies(self) -> None:
        """Start none of those that were to be started later."""
        self._slots.update(vacancy.slot for vacancy in self._vacancies)
        self._vacancies.clear()

    def _start(
        self, generation: Generation, index: int, slot: int, tally: Tally | None, foreign: list[socket.socket]
    ) -> None:
        self._slots.discard(slot)
        cells = self._memory.slot(slot)
        place = CounterSlot(
            generation.layout,
            self._memory,
            cells,
            tally,
            generation.own_changes,
            self._pages,
            pushes=index == 0,  # its successor goes on
        )
        with self._signals.held():
            pid = os.fork()
            if pid == 0:
                self._become_worker(generation, index, place, foreign)
        self.alive[pid] = Child(pid, index, slot, generation, now())

    def _become_worker(
        self, generation: Generation, index: int, place: CounterSlot, foreign: list[socket.socket]
    ) -> None:
        """In the child: serve, and never return into the parent's code."""
        code = 1
        try:
            # A terminal sends SIGHUP to all of its processes: the parent decides. SIGUSR1 is heard once there is a log.
            self._signals.forget(ignored=[signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2])
            os.close(self._lifeline[1])
            os.close(self._served)
            entrance = generation.entrance(index)
            mine = {*generation.clients.sockets, entrance.admin}
            close_all(each for each in foreign if each not in mine)
            serve_worker(generation.loaded, place, entrance, self._say_serving, self._lifeline[0])
            code = 0
        except StoreError as error:
            _log.error("the worker failed: %s", error)
        except BaseException:
            _log.exception("the worker failed")
        finally:
            os._exit(code)

    def _say_serving(self) -> None:
        os.write(self._serves, os.getpid().to_bytes(_ENTRY_BYTES, "big"))

    def hear(self) -> None:
        """Note which workers have begun to serve."""
        with suppress(BlockingIOError):
            while entry := os.read(self._served, _ENTRY_BYTES):
                child = self.alive.get(int.from_bytes(entry, "big"))
                if child is not None:
                    child.serves = True

    # Ending.

    def dismiss(self, children: Iterable[Child]) -> None:
        """Tell workers to end."""
        for child in children:
            if not child.leaves:
                child.leaves = True
                child.killed_at = now() + child.generation.loaded.config.timeouts.drain_timeout_s + KILL_S
                os.kill(child.pid, signal.SIGTERM)

    def kill_silent(self) -> None:
        """Kill the workers that hang: they gave no sign of life for too long, or do not come to serve."""
        instant = now()
        self._watchdog.look(instant)
        for child in self.alive.values():
            if child.leaves or child.is_killed:
                continue
            silence_s = child.generation.loaded.config.timeouts.worker_silence_s
            beat = child.generation.pulses.beats()[child.index] if child.serves else 0.0
            patience_s = silence_s if child.serves else max(silence_s, START_S)
            if self._watchdog.is_dead(max(beat, child.started_at), patience_s, instant):
                _log.error("worker %d gave no sign of life for %g s; it is killed", child.pid, patience_s)
                child.is_killed = True
                os.kill(child.pid, signal.SIGKILL)

    def kill_overdue(self) -> None:
        """Kill the workers that were told to end and did not end in time."""
        instant = now()
        for child in self.alive.values():
            if child.killed_at is not None and child.killed_at <= instant:
                _log.error("worker %d did not end in time; it is killed", child.pid)
                os.kill(child.pid, signal.SIGKILL)
                child.killed_at = None

    def reap(self) -> Iterator[tuple[Child, int]]:
        """Each worker that has ended, with its exit code; a negative code is the signal that ended it."""
        while self.alive:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            child = self.alive.pop(pid, None)
            if child is None:
                continue
            cells = self._memory.slot(child.slot)
            for cell in child.generation.layout.gauges():
                cells[cell] = 0
            yield child, os.waitstatus_to_exitcode(status)

    def free(self, child: Child) -> None:
        """A worker that has ended gets no successor."""
        self._slots.add(child.slot)

    def send(self, number: int) -> None:
        """Send a signal to all."""
        for pid in self.alive:
            os.kill(pid, number)

    def instants(self) -> list[float]:
        """When something is to be done: at least once a second, workers are looked at."""
        killed = [child.killed_at for child in self.alive.values() if child.killed_at is not None]
        return [*killed, *(vacancy.at for vacancy in self._vacancies), now() + WATCH_S]
