"""Starts one worker a core, replaces the dead, reads the configuration anew, passes signals on, and drains.

SIGTERM, SIGINT: the end. SIGHUP: the configuration is read anew; where the terminal that the gateway was started in is
gone, it is the end. SIGUSR1: the access log was renamed.

Holds: no worker outlives its supervisor, however that ends. A configuration takes the place of another only when all
of its workers serve; until then, and if one of them fails, the old one goes on. No client is refused meanwhile: the
listening sockets are the supervisor's. What ends has a time to end in, then it is killed.
Never: touches a request, or runs an event loop.
"""

import logging
import os
import signal
from collections.abc import Callable
from contextlib import suppress

import msgspec

from shardgate.clients.quota import tally_for
from shardgate.config.load import ConfigError, Loaded
from shardgate.net.clock import now, wall
from shardgate.net.listeners import Listeners, close_all
from shardgate.net.signals import Signals, Terminal
from shardgate.observe.layout import (
    CONFIGURED_AT,
    DRAINING,
    RELOADS,
    RESTARTS,
    WORKERS,
    Family,
    Layout,
)
from shardgate.observe.memory import SLOTS, SharedMemory
from shardgate.process.wiring import CounterSlot, Entrance, serve_worker

# A worker that dies sooner than this did not serve: its successor waits, so that a defect at start is no busy loop.
SHORT_LIFE_S = 2.0
PAUSE_S = 1.0
# How long the workers of a configuration may take until they serve.
START_S = 30.0
# What a worker may take beyond its drain time: a tick, and the last lines of its log.
KILL_S = 5.0

_ENDING = frozenset({signal.SIGTERM, signal.SIGINT})
_HEARD = _ENDING | {signal.SIGHUP, signal.SIGUSR1, signal.SIGCHLD}
_ENTRY = 8

_log = logging.getLogger("shardgate")


class Serving(msgspec.Struct, frozen=True):
    """What is told once all workers serve."""

    loaded: Loaded
    port: int
    admin_port: int | None
    pids: list[int]


class _Generation(msgspec.Struct):
    """One configuration, and where its workers come to."""

    loaded: Loaded
    layout: Layout
    clients: Listeners
    admin: Listeners | None
    workers: int
    sockets: int
    """How many of the clients' sockets its workers accept from."""
    started_at: float = 0.0

    def entrance(self, index: int) -> Entrance:
        admin = self.admin.sockets[0] if self.admin is not None else None
        return Entrance(self.clients.of(index, self.workers), admin)


class _Worker(msgspec.Struct):
    """One child."""

    pid: int
    index: int
    slot: int
    generation: _Generation
    started_at: float
    serves: bool = False
    leaves: bool = False
    """It was told to end."""
    killed_at: float | None = None
    """When it is killed if it still lives."""


class _Vacancy(msgspec.Struct, frozen=True):
    """A worker to start, a little later."""

    at: float
    index: int
    slot: int


class Supervisor:
    """The parent of all workers."""

    def __init__(self, loaded: Loaded, reread: Callable[[], Loaded]) -> None:
        """`reread` gives the configuration anew, or raises ConfigError."""
        self._reread = reread
        self._layout = Layout({}, 0).extended(loaded.routes.routes, loaded.shards)
        self._memory = SharedMemory.roomy(self._layout.size)
        self._own = self._memory.slot(0)
        self._tally = tally_for(loaded.clients)
        """Counts of clients' calls outlive every configuration that is read anew."""
        self._slots = set(range(1, SLOTS))
        self._workers: dict[int, _Worker] = {}
        self._vacancies: list[_Vacancy] = []
        self._current = self._prepare(loaded, None)
        self._next: _Generation | None = None
        """The configuration whose workers start; at first the current one."""
        self._reload_wanted = False
        self._ends_at: float | None = None
        self._code = 0
        # Nobody writes into it: a worker reads its end when the last holder of the other side, the supervisor, is gone.
        self._lifeline = os.pipe()
        self._served, self._serves = os.pipe()
        os.set_blocking(self._served, False)

    def run(self, ready: Callable[[Serving], None]) -> int:
        """Serve until SIGTERM or SIGINT; the exit code. `ready` hears when all workers serve."""
        self._ready = ready
        ignores_hangup = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN  # `nohup` asks for that
        self._terminal = None if ignores_hangup else Terminal()
        self._signals = Signals(_HEARD)
        self._begin(self._current)
        while self._workers or self._vacancies:
            for number in self._signals.wait(self._served, self._timeout_s()):
                self._hear(number)
            self._hear_workers()
            self._reap()
            self._keep_time()
            self._proceed()
        return self._code

    # Configurations.

    def _prepare(self, loaded: Loaded, before: _Generation | None) -> _Generation:
        """Take what a configuration needs. Raises OSError where an address cannot be taken."""
        clients = before.clients if before and before.clients.address == (loaded.host, loaded.port) else None
        admin = before.admin if before and before.admin and before.admin.address == loaded.admin else None
        new: list[Listeners] = []
        try:
            if clients is None:
                new.append(clients := Listeners(loaded.host, loaded.port))
            workers = loaded.config.workers or len(os.sched_getaffinity(0))
            clients.ensure(workers)
            if admin is None and loaded.admin is not None:
                new.append(admin := Listeners(*loaded.admin, shared=False))
        except OSError:
            for each in new:
                each.close()
            raise
        return _Generation(loaded, self._layout, clients, admin, workers, len(clients.sockets))

    def _begin(self, generation: _Generation) -> None:
        self._next = generation
        self._tally = self._tally or tally_for(generation.loaded.clients)
        generation.started_at = now()
        for index in range(generation.workers):
            self._start(generation, index, min(self._slots))

    def _proceed(self) -> None:
        """Once all workers of the next configuration serve, it takes the place of the one before."""
        if self._ends_at is not None:
            return
        coming, before = self._next, self._current
        serving = [worker for worker in self._workers.values() if worker.generation is coming and worker.serves]
        if coming is not None and len(serving) == coming.workers:
            self._current, self._next = coming, None
            if before is not coming:
                self._replace(before)
                self._count(RELOADS, "taken")
                _log.info("the configuration was read anew; %d workers serve it", coming.workers)
            else:
                admin_port = coming.admin.port if coming.admin else None
                pids = [worker.pid for worker in serving]
                self._ready(Serving(coming.loaded, coming.clients.port, admin_port, pids))
            self._own[self._layout.cell(CONFIGURED_AT)] = int(wall())
        self._own[self._layout.cell(WORKERS)] = sum(worker.serves for worker in self._workers.values())
        if self._reload_wanted and self._next is None:
            self._reload()

    def _replace(self, before: _Generation) -> None:
        self._fill_no_vacancy()
        for worker in self._workers.values():
            if worker.generation is before:
                self._dismiss(worker)
        for old, new in ((before.clients, self._current.clients), (before.admin, self._current.admin)):
            if old is not None and old is not new:
                old.close()

    def _reload(self) -> None:
        problem = ""
        try:
            loaded = self._reread()
            layout = self._layout.extended(loaded.routes.routes, loaded.shards)
            wanted = loaded.config.workers or len(os.sched_getaffinity(0))
            if wanted > len(self._slots):
                return  # workers of earlier configurations still drain; it is tried again when they are gone
            self._reload_wanted = False
            if not self._memory.fits(layout.size):
                problem = "it has many more operations or shards than at the start: restart the gateway"
            else:
                self._layout = layout
                self._begin(self._prepare(loaded, self._current))
        except ConfigError as error:
            problem = f"it has mistakes:\n{error}"
        except OSError as error:
            problem = f"an address cannot be taken: {error.strerror}"
        if problem:
            self._refuse(problem)

    def _refuse(self, problem: str) -> None:
        self._reload_wanted = False
        self._count(RELOADS, "refused")
        _log.error("the configuration was read anew and refused; the old one goes on: %s", problem)

    def _abandon(self, coming: _Generation, problem: str) -> None:
        """The next configuration does not come to serve."""
        self._next = None
        for worker in self._workers.values():
            if worker.generation is coming:
                self._dismiss(worker)
        if coming is self._current:
            _log.error("the gateway cannot start: %s", problem)
            self._code = 1
            self._end(delay_s=0)
            return
        for new, old in ((coming.clients, self._current.clients), (coming.admin, self._current.admin)):
            if new is not None and new is not old:
                new.close()
        self._current.clients.keep(self._current.sockets)
        self._refuse(problem)

    # Workers.

    def _start(self, generation: _Generation, index: int, slot: int) -> None:
        self._slots.discard(slot)
        place = CounterSlot(generation.layout, self._memory, self._memory.slot(slot), self._tally)
        entrance = generation.entrance(index)
        with self._signals.held():
            pid = os.fork()
            if pid == 0:
                self._become_worker(generation, place, entrance)
        self._workers[pid] = _Worker(pid, index, slot, generation, now())

    def _become_worker(self, generation: _Generation, place: CounterSlot, entrance: Entrance) -> None:
        """In the child: serve, and never return into the parent's code."""
        code = 1
        try:
            # A terminal sends SIGHUP to all of its processes: the parent decides. SIGUSR1 is heard once there is a log.
            self._signals.forget(ignored=[signal.SIGHUP, signal.SIGUSR1])
            os.close(self._lifeline[1])
            os.close(self._served)
            mine = {*entrance.clients, entrance.admin}
            for listeners in {id(each): each for each in self._listeners()}.values():
                close_all(each for each in listeners.sockets if each not in mine)
            serve_worker(generation.loaded, place, entrance, self._say_serving, self._lifeline[0])
            code = 0
        except BaseException:
            _log.exception("the worker failed")
        finally:
            os._exit(code)

    def _listeners(self) -> list[Listeners]:
        generations = [each for each in (self._current, self._next) if each is not None]
        return [each for one in generations for each in (one.clients, one.admin) if each is not None]

    def _say_serving(self) -> None:
        os.write(self._serves, os.getpid().to_bytes(_ENTRY, "big"))

    def _dismiss(self, worker: _Worker) -> None:
        if not worker.leaves:
            worker.leaves = True
            worker.killed_at = now() + worker.generation.loaded.config.timeouts.drain_timeout_s + KILL_S
            os.kill(worker.pid, signal.SIGTERM)

    def _reap(self) -> None:
        while self._workers:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            worker = self._workers.pop(pid, None)
            if worker is None:
                continue
            cells = self._memory.slot(worker.slot)
            for cell in worker.generation.layout.gauges():
                cells[cell] = 0
            self._bury(worker, os.waitstatus_to_exitcode(status))

    def _bury(self, worker: _Worker, code: int) -> None:
        if not worker.leaves and self._ends_at is None and worker.generation is not self._next:
            _log.error("worker %d ended with %d; it is replaced", worker.pid, code)
            self._count(RESTARTS)
            if now() - worker.started_at < SHORT_LIFE_S:
                self._vacancies.append(_Vacancy(now() + PAUSE_S, worker.index, worker.slot))
            else:
                self._start(worker.generation, worker.index, worker.slot)
            return
        self._slots.add(worker.slot)
        if worker.generation is self._next and not worker.leaves:
            self._abandon(worker.generation, f"a worker ended with {code} before all served")
        elif self._ends_at is not None and code and (worker.serves or code != -signal.SIGTERM):
            self._code = 1  # one that did not serve yet ends by the signal itself

    # Signals and time.

    def _hear(self, number: int) -> None:
        if number in _ENDING or (number == signal.SIGHUP and self._terminal and self._terminal.gone):
            self._end(self._current.loaded.config.timeouts.drain_delay_s)
        elif number in {signal.SIGHUP, signal.SIGUSR1}:
            for worker in self._workers.values():
                os.kill(worker.pid, signal.SIGUSR1)
            self._reload_wanted = self._reload_wanted or number == signal.SIGHUP

    def _end(self, delay_s: float) -> None:
        """No more than `delay_s` from now the workers are told; at once when it is asked for twice."""
        self._ends_at = now() + delay_s if self._ends_at is None else now()
        self._own[self._layout.cell(DRAINING)] = 1
        self._fill_no_vacancy()
        self._keep_time()

    def _fill_no_vacancy(self) -> None:
        self._slots.update(vacancy.slot for vacancy in self._vacancies)
        self._vacancies.clear()

    def _hear_workers(self) -> None:
        with suppress(BlockingIOError):
            while entry := os.read(self._served, _ENTRY):
                worker = self._workers.get(int.from_bytes(entry, "big"))
                if worker is not None:
                    worker.serves = True

    def _timeout_s(self) -> float | None:
        instants = [worker.killed_at for worker in self._workers.values() if worker.killed_at is not None]
        instants += [vacancy.at for vacancy in self._vacancies]
        if self._next is not None and self._ends_at is None:
            instants.append(self._next.started_at + START_S)
        if self._ends_at is not None and not all(worker.leaves for worker in self._workers.values()):
            instants.append(self._ends_at)
        return max(0.0, min(instants) - now()) if instants else None

    def _keep_time(self) -> None:
        instant = now()
        for worker in self._workers.values():
            if self._ends_at is not None and self._ends_at <= instant:
                self._dismiss(worker)
            if worker.killed_at is not None and worker.killed_at <= instant:
                _log.error("worker %d did not end in time; it is killed", worker.pid)
                os.kill(worker.pid, signal.SIGKILL)
                worker.killed_at = None
        for vacancy in [vacancy for vacancy in self._vacancies if vacancy.at <= instant]:
            self._vacancies.remove(vacancy)
            self._start(self._current, vacancy.index, vacancy.slot)
        if self._next is not None and self._ends_at is None and self._next.started_at + START_S <= instant:
            self._abandon(self._next, f"not all workers served within {START_S:g} s")

    def _count(self, family: Family, *labels: str) -> None:
        self._own[self._layout.cell(family, *labels)] += 1
